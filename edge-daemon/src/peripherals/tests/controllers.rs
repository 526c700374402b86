//! Scanners and drawers on our own controllers, over the real link.

use device_drivers::{PluggedController, VirtualController};
use pos_domain::event::{DrawerOutcome, DrawerReason};
use pos_link::{
    Cause, Identity, Kind, Outcome, ScanRefusal, Stamp, ToController, ToHost, UpdateRefusal, Version,
};

use super::*;
use crate::config::Hardware;

const SCANNER: Hardware = Hardware([0x5c, 0, 0, 0, 0, 0, 0, 1]);
const DRAWER: Hardware = Hardware([0xd4, 0, 0, 0, 0, 0, 0, 2]);
const KEY: [u8; 32] = [7; 32];

fn identity(kind: Kind, hardware: Hardware) -> Identity {
    let key = match kind {
        Kind::Drawer => sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), KEY))
            [..16]
            .try_into()
            .unwrap(),
        _ => [0; 16],
    };
    let firmware = Version { major: 1, minor: 2, patch: 3 };
    Identity { kind, hardware: hardware.0, firmware, key }
}

fn controller(kind: Kind, hardware: Hardware) -> VirtualController {
    VirtualController::new(identity(kind, hardware))
}

fn scan_of(at: Stamp, data: &str, more: bool) -> ToHost {
    let data = data.bytes().collect();
    ToHost::Scan { at, symbology: *b"E0", more, data }
}

/// The next thing that is said to a controller and is looked for.
async fn said<T>(controller: &mut PluggedController, wanted: impl Fn(&ToController) -> Option<T>) -> T {
    let next = async {
        loop {
            let said = controller.hear().await.expect("the controller broke down");
            if let Some(found) = wanted(&said) {
                return found;
            }
        }
    };
    timeout(LONG, next).await.expect("it was never said")
}

/// What is said to a scan.
async fn verdict(controller: &mut PluggedController) -> (pos_link::Id, Result<(), ScanRefusal>) {
    said(controller, |said| match said {
        ToController::ScanAccepted { scan } => Some((*scan, Ok(()))),
        ToController::ScanRefused { scan, reason } => Some((*scan, Err(*reason))),
        _ => None,
    })
    .await
}

async fn scan(news: &mut broadcast::Receiver<News>) -> Arc<Scan> {
    let next = async {
        loop {
            if let News::Scanned(scan) = news.recv().await.expect("news") {
                return scan;
            }
        }
    };
    timeout(LONG, next).await.expect("no scan came")
}

/// It is served, and it is known by what.
fn ready(condition: &Condition) -> bool {
    condition.state == DeviceState::Ready && condition.controller.is_some()
}

fn absent(condition: &Condition) -> bool {
    condition.state == DeviceState::Absent
}

impl Counter {
    /// A line that a controller may be plugged in at.
    fn line(&mut self, name: &str) -> PathBuf {
        let path = self.port(name);
        self.lines.lines.push(path.clone());
        path
    }

    fn scanner_on_controller(&mut self, adds_to_sale: bool) {
        let port = Some(ScannerPort::Controller(SCANNER));
        let model = Model::Scanner(ScannerConfig { adds_to_sale, ..ScannerConfig::at(port) });
        self.devices.push(DeviceConfig { id: "scanner".into(), terminal: Some("till-1".into()), model });
    }

    fn drawer_on_controller(&mut self) {
        let model = Model::Drawer(DrawerConfig::at(DrawerPort::Controller(DRAWER)));
        self.devices.push(DeviceConfig { id: "drawer".into(), terminal: None, model });
    }

    fn barcode(&self) -> String {
        self.shop.state().catalog.iter().next().unwrap().barcode.clone().unwrap().to_string()
    }

    fn open_sale(&self) -> Uuid {
        self.sell(|draft| {
            draft.lines.clear();
            draft.tenders.clear();
        })
    }

    fn lines_of(&self, sale: Uuid) -> usize {
        self.shop.state().open_sales.get(&sale).unwrap().lines.len()
    }

    fn ask_open(&self) {
        let reason = DrawerReason::Asked("change".into());
        let (id, drawer) = (Uuid::now_v7(), "drawer".into());
        self.submit(Command::OpenDrawer { id, drawer, terminal: None, reason });
    }

    async fn opened(&mut self) -> (DrawerOutcome, String) {
        self.event(|event| match event {
            Event::DrawerEnded { outcome, detail, .. } => Some((*outcome, detail.clone())),
            _ => None,
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_gets_the_good_read_signal_when_it_is_in_the_journal_and_another_where_it_counts_for_nothing()
{
    let mut counter = counter().await;
    counter.scanner_on_controller(true);
    let line = counter.line("line");
    let running = counter.start();
    let mut news = running.devices().subscribe();
    counter.wait(&running, "scanner", absent).await;
    let mut scanner = controller(Kind::Scanner, SCANNER).plug(&line).unwrap();
    counter.wait(&running, "scanner", ready).await;
    let about = running.devices().get("scanner").unwrap().controller.unwrap();
    assert_eq!((&*about.hardware, &*about.firmware), ("5c00000000000001", "1.2.3"));
    let settings = said(&mut scanner, |said| match said {
        ToController::Configure(settings) => Some(*settings),
        _ => None,
    });
    assert_eq!(settings.await.double_read_ms, 500);

    // Nothing is open: the till decides.
    let id = scanner.tell(scan_of(scanner.now(), &counter.barcode(), false)).await.unwrap();
    assert_eq!(verdict(&mut scanner).await, (id, Ok(())));
    assert_eq!(scan(&mut news).await.transaction, None);

    let sale = counter.open_sale();
    let barcode = counter.barcode();
    let (first, rest) = barcode.split_at(5);
    scanner.tell(scan_of(scanner.now(), first, true)).await.unwrap();
    let id = scanner.tell(scan_of(scanner.now(), rest, false)).await.unwrap();
    assert_eq!(verdict(&mut scanner).await, (id, Ok(())));
    assert_eq!(counter.lines_of(sale), 1, "it is in the journal when it is said");
    let heard = scan(&mut news).await;
    assert_eq!((&*heard.data, heard.transaction), (&*format!("]E0{barcode}"), Some(sale)));

    // An engine that does not say what it read.
    let bare =
        ToHost::Scan { at: scanner.now(), symbology: [0; 2], more: false, data: barcode.bytes().collect() };
    scanner.tell(bare).await.unwrap();
    assert_eq!(verdict(&mut scanner).await.1, Ok(()));
    assert_eq!((&*scan(&mut news).await.data, counter.lines_of(sale)), (&*barcode, 2));

    for (data, why) in [("96385074", ScanRefusal::UnknownArticle), ("4006381333932", ScanRefusal::Unreadable)]
    {
        scanner.tell(scan_of(scanner.now(), data, false)).await.unwrap();
        assert_eq!(verdict(&mut scanner).await.1, Err(why), "{data}");
    }
    // One that never ends is none, and the next is heard.
    for _ in 0..40 {
        let part = scan_of(scanner.now(), &"9".repeat(160), true);
        let told = async {
            while scanner.tell(part.clone()).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, told).await.expect("its parts are taken as they come");
    }
    scanner.tell(scan_of(scanner.now(), "9", false)).await.unwrap();
    assert_eq!(verdict(&mut scanner).await.1, Err(ScanRefusal::Unreadable));
    running.devices().enable("scanner", false).unwrap();
    scanner.tell(scan_of(scanner.now(), &barcode, false)).await.unwrap();
    assert_eq!(verdict(&mut scanner).await.1, Err(ScanRefusal::NotNow));
    assert_eq!(counter.lines_of(sale), 2);
    scanner.unplug().await.unwrap();
    counter.wait(&running, "scanner", absent).await;
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_acceptance_was_lost_comes_again_and_counts_once() {
    let mut counter = counter().await;
    counter.scanner_on_controller(true);
    let line = counter.line("line");
    let barcode = counter.barcode();
    let sale = counter.open_sale();
    // Scanned while the box was down.
    let scanner = controller(Kind::Scanner, SCANNER).plug(&line).unwrap();
    let id = scanner.tell(scan_of(Stamp { boot: 2, micros: 1_000 }, &barcode, false)).await.unwrap();
    let scanner = scanner.unplug().await.unwrap();
    let as_it_was = scanner.clone();

    let running = counter.start();
    let mut news = running.devices().subscribe();
    let mut scanner = scanner.plug(&line).unwrap();
    assert_eq!(verdict(&mut scanner).await, (id, Ok(())));
    let first = scan(&mut news).await;
    assert_eq!((first.late, counter.lines_of(sale)), (false, 1));
    // The box restarts, and the controller never heard that its message was accepted.
    scanner.unplug().await.unwrap();
    running.stop().await;
    let running = counter.start();
    let mut news = running.devices().subscribe();
    let mut scanner = as_it_was.plug(&line).unwrap();
    assert_eq!(verdict(&mut scanner).await, (id, Ok(())));
    assert_eq!(scan(&mut news).await.id, first.id, "whoever counts them sees that it is the same");
    assert_eq!(counter.lines_of(sale), 1);
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_of_long_ago_is_told_as_late_and_goes_nowhere() {
    let mut counter = counter().await;
    counter.scanner_on_controller(true);
    let line = counter.line("line");
    let sale = counter.open_sale();
    let running = counter.start();
    let mut news = running.devices().subscribe();
    let long = Duration::from_secs(600);
    let mut scanner = controller(Kind::Scanner, SCANNER).running_for(long).plug(&line).unwrap();
    let now = scanner.now();
    let ago = |seconds: u64| Stamp { micros: now.micros - seconds * 1_000_000, ..now };
    for (at, late) in [(ago(61), true), (Stamp { boot: 0, ..now }, true), (ago(50), false)] {
        scanner.tell(scan_of(at, &counter.barcode(), false)).await.unwrap();
        assert_eq!(verdict(&mut scanner).await.1.is_err(), late, "{at:?}");
        let heard = scan(&mut news).await;
        assert_eq!((heard.late, heard.transaction), (late, (!late).then_some(sale)));
    }
    assert_eq!(counter.lines_of(sale), 1);
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn controllers_whose_plugs_are_swapped_stay_what_they_are_and_lose_nothing() {
    let mut counter = counter().await;
    counter.scanner_on_controller(true);
    counter.drawer_on_controller();
    let (left, right) = (counter.line("left"), counter.line("right"));
    let sale = counter.open_sale();
    let running = counter.start();
    let mut scanner = controller(Kind::Scanner, SCANNER).plug(&left).unwrap();
    let mut drawer = controller(Kind::Drawer, DRAWER).plug(&right).unwrap();
    for round in 1..=3_usize {
        let at = if round % 2 == 1 { (&left, &right) } else { (&right, &left) };
        for (id, line) in [("scanner", at.0), ("drawer", at.1)] {
            let line = format!("serial:{}", line.display());
            let there = |condition: &Condition| {
                ready(condition) && condition.controller.as_ref().is_some_and(|about| about.line == line)
            };
            counter.wait(&running, id, there).await;
        }
        let id = scanner.tell(scan_of(scanner.now(), &counter.barcode(), false)).await.unwrap();
        assert_eq!(verdict(&mut scanner).await, (id, Ok(())));
        assert_eq!(counter.lines_of(sale), round, "each once");
        let as_it_was = (scanner.unplug().await.unwrap(), drawer.unplug().await.unwrap());
        counter.wait(&running, "scanner", absent).await;
        counter.wait(&running, "drawer", absent).await;
        scanner = as_it_was.0.plug(at.1).unwrap();
        drawer = as_it_was.1.plug(at.0).unwrap();
    }
    let found = running.devices().found_ports();
    let found: Vec<_> = found.iter().filter(|port| port.port.starts_with("controller:")).collect();
    assert!(found.iter().all(|port| port.device_id.is_some()), "{found:?}");
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_opens_for_an_answer_to_its_challenge_with_the_enrolled_key() {
    let mut counter = counter().await;
    counter.drawer_on_controller();
    let line = counter.line("line");
    let running = counter.start();
    let mut drawer = controller(Kind::Drawer, DRAWER).plug(&line).unwrap();
    counter.wait(&running, "drawer", ready).await;
    let key_is = |wanted| {
        move |condition: &Condition| condition.controller.as_ref().is_some_and(|about| about.key == wanted)
    };
    counter.wait(&running, "drawer", key_is(KeyState::Missing)).await;
    counter.ask_open();
    let (outcome, detail) = counter.opened().await;
    assert!(outcome == DrawerOutcome::NotOpened && detail.contains("enrol"), "{detail}");

    let enrol = |key: &str| running.devices().enrol("drawer", &ControllerKey::parse(key).unwrap());
    enrol(&"08".repeat(32)).unwrap();
    counter.wait(&running, "drawer", key_is(KeyState::Other)).await;
    assert_eq!(enrol(&"07".repeat(32)).unwrap().controller.unwrap().key, KeyState::Enrolled);
    counter.wait(&running, "drawer", key_is(KeyState::Enrolled)).await;

    for (told, wanted) in [
        (Outcome::Opened, DrawerOutcome::Opened),
        (Outcome::DidNotOpen, DrawerOutcome::NotOpened),
        (Outcome::TooOften, DrawerOutcome::NotOpened),
    ] {
        counter.ask_open();
        let (request, right) = challenged(&mut drawer, [told.into(); 16]).await;
        assert!(right, "it is the answer to this challenge");
        drawer
            .tell(ToHost::OpenOutcome { at: drawer.now(), request: request ^ 1, outcome: Outcome::TooOften })
            .await
            .unwrap();
        drawer.tell(ToHost::OpenOutcome { at: drawer.now(), request, outcome: told }).await.unwrap();
        assert_eq!(counter.opened().await.0, wanted);
    }

    // The plug comes out between request and outcome.
    counter.ask_open();
    challenged(&mut drawer, [9; 16]).await;
    let memory = drawer.unplug().await.unwrap();
    let (outcome, detail) = counter.opened().await;
    assert!(outcome == DrawerOutcome::Unknown && detail.contains("does not answer"), "{detail}");
    counter.wait(&running, "drawer", absent).await;
    // And before the challenge.
    let mut drawer = memory.plug(&line).unwrap();
    counter.wait(&running, "drawer", ready).await;
    counter.ask_open();
    said(&mut drawer, |said| matches!(said, ToController::AskChallenge).then_some(())).await;
    assert_eq!(counter.opened().await.0, DrawerOutcome::NotOpened, "it gives none");
    counter.end(running).await;
}

/// Gives a challenge, and gets the request's number, and whether it answers the challenge.
async fn challenged(drawer: &mut PluggedController, nonce: [u8; 16]) -> (u32, bool) {
    said(drawer, |said| matches!(said, ToController::AskChallenge).then_some(())).await;
    drawer.tell(ToHost::Challenge { nonce }).await.unwrap();
    said(drawer, |said| match said {
        ToController::OpenDrawer { request, pulse_ms, mac } => {
            Some((*request, *mac == firmware::mac(&KEY, &nonce, *request, *pulse_ms)))
        }
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_without_a_command_is_one_alarm_however_often_it_is_told() {
    let mut counter = counter().await;
    counter.drawer_on_controller();
    let line = counter.line("line");
    // Opened while the box was down, and closed again.
    let drawer = controller(Kind::Drawer, DRAWER).plug(&line).unwrap();
    let at = drawer.now();
    drawer.tell(ToHost::DrawerOpened { at, cause: Cause::NoCommand }).await.unwrap();
    drawer.tell(ToHost::DrawerClosed { at, open_ms: 900 }).await.unwrap();
    let memory = drawer.unplug().await.unwrap();
    for _ in 0..2 {
        let running = counter.start();
        let drawer = memory.clone().plug(&line).unwrap();
        let shut = |condition: &Condition| condition.of_class == OfClass::Drawer { open: Some(false) };
        counter.wait(&running, "drawer", shut).await;
        drawer.unplug().await.unwrap();
        running.stop().await;
    }
    counter.ask_open();
    let mut alarms = 0;
    let asked = |event: &Event| match event {
        Event::DrawerAlarm { .. } => Some(true),
        Event::DrawerAsked(_) => Some(false),
        _ => None,
    };
    while counter.event(asked).await {
        alarms += 1;
    }
    assert_eq!(alarms, 1);
    let running = counter.start();
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_of_another_kind_or_none_at_all_is_said_so() {
    let mut counter = counter().await;
    counter.scanner_on_controller(false);
    let line = counter.line("line");
    let running = counter.start();
    counter.wait(&running, "scanner", |condition| condition.detail.contains("5c00000000000001")).await;
    let _drawer = controller(Kind::Drawer, SCANNER).plug(&line).unwrap();
    let wrong = |condition: &Condition| {
        condition.state == DeviceState::Faulty && condition.detail.contains("is no scanner")
    };
    counter.wait(&running, "scanner", wrong).await;
    let none = running.devices().enrol("receipts", &ControllerKey::parse(&"07".repeat(32)).unwrap());
    assert!(matches!(none, Err(DeviceError::NoController(_))));
    counter.end(running).await;
}

/// An image whose signature nobody here looks at.
fn image_of(kind: Kind, version: Version, length: u32) -> Vec<u8> {
    let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
    let digest = sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &body)).into();
    let target = firmware::update::Target { board: *b"lm3s6965", kind };
    let header = firmware::update::Header { target, version, length, digest };
    [&header.to_bytes()[..], &[0; 64], &body].concat()
}

/// Takes an image in: begins at what it has of it, and has `enough` at the end.
async fn receive(controller: &mut PluggedController, stored: &mut Vec<u8>, enough: usize) {
    said(controller, |said| {
        matches!(said, ToController::UpdateBegin { fingerprint: Some(_), .. }).then_some(())
    })
    .await;
    let at = |stored: &Vec<u8>| u32::try_from(stored.len()).unwrap();
    controller.tell(ToHost::UpdateProgress { stored: at(stored) }).await.unwrap();
    while stored.len() < enough {
        let (offset, data) = said(controller, |said| match said {
            ToController::UpdateChunk { offset, data } => Some((*offset, data.clone())),
            _ => None,
        })
        .await;
        assert_eq!(offset, at(stored), "one after the other");
        stored.extend_from_slice(&data);
        controller.tell(ToHost::UpdateProgress { stored: at(stored) }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_gets_its_firmware_over_interruptions_and_says_what_became_of_it() {
    let mut counter = counter().await;
    counter.drawer_on_controller();
    let (left, right) = (counter.line("left"), counter.line("right"));
    let running = counter.start();
    let mut drawer = controller(Kind::Drawer, DRAWER).plug(&left).unwrap();
    counter.wait(&running, "drawer", ready).await;
    let version = Version { major: 1, minor: 3, patch: 0 };
    let image = image_of(Kind::Drawer, version, 5_000);
    let refused = |image: &[u8]| running.devices().update("drawer", image);
    let mut damaged = image.clone();
    damaged[2_000] ^= 1;
    for (bad, why) in [
        (&image[..100], "no firmware image"),
        (&image[..4_000], "not whole"),
        (&damaged[..], "not whole"),
        (&image_of(Kind::Scanner, version, 10)[..], "for a scanner's controller"),
    ] {
        let Err(DeviceError::BadImage(said)) = refused(bad) else { panic!("{why}") };
        assert!(said.contains(why), "{said}");
    }
    assert!(matches!(running.devices().update("receipts", &image), Err(DeviceError::NoController(_))));

    running.devices().update("drawer", &image).unwrap();
    let mut stored = Vec::new();
    receive(&mut drawer, &mut stored, 2_000).await;
    let other = image_of(Kind::Drawer, version, 4_000);
    assert!(
        matches!(refused(&other), Err(DeviceError::Unable { .. })),
        "what is said of the first is not about it"
    );
    running.devices().update("drawer", &image).unwrap();
    // It comes back at another plug, and goes on where it is.
    let memory = drawer.unplug().await.unwrap();
    counter.wait(&running, "drawer", absent).await;
    let mut drawer = memory.plug(&right).unwrap();
    receive(&mut drawer, &mut stored, image.len()).await;
    assert_eq!(stored, image);
    said(&mut drawer, |said| matches!(said, ToController::UpdateEnd).then_some(())).await;
    let state = |wanted| {
        move |condition: &Condition| {
            let update = condition.controller.as_ref().and_then(|about| about.update.clone());
            update.is_some_and(|update| update.state == wanted)
        }
    };
    counter.wait(&running, "drawer", state(UpdateState::Sending)).await;
    let memory = drawer.unplug().await.unwrap();
    let new = Identity { firmware: version, ..identity(Kind::Drawer, DRAWER) };
    let drawer = memory.with_identity(new).plug(&right).unwrap();
    drawer.tell(ToHost::UpdateConfirmed { version }).await.unwrap();
    counter.wait(&running, "drawer", state(UpdateState::Done)).await;
    assert_eq!(running.devices().get("drawer").unwrap().controller.unwrap().firmware, "1.3.0");

    // One that it does not want.
    counter.wait(&running, "drawer", ready).await;
    running.devices().update("drawer", &image).unwrap();
    let mut drawer = drawer;
    said(&mut drawer, |said| matches!(said, ToController::UpdateBegin { .. }).then_some(())).await;
    drawer.tell(ToHost::UpdateRefused { reason: UpdateRefusal::NotNewer, stored: 0 }).await.unwrap();
    counter.wait(&running, "drawer", state(UpdateState::Refused)).await;
    let about = running.devices().get("drawer").unwrap().controller.unwrap();
    assert!(about.update.as_ref().unwrap().detail.contains("later"), "{about:?}");
    counter.end(running).await;
}
