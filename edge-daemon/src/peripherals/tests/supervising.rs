//! Drivers that break down, and setups that change while work waits.

use std::sync::atomic::{AtomicU64, Ordering};

use device_drivers::Kind;
use pos_domain::event::{DeviceSetup, DrawerOutcome, DrawerReason};
use tokio::sync::watch;

use super::*;
use crate::peripherals::condition::Asked;
use crate::peripherals::device::{Device, Ordered};
use crate::peripherals::supervisor::{Driver, Life, Trouble, supervise};

/// What becomes of each life of a driver; the last stays.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Panics,
    PanicsAtOpening,
    Hangs,
    Beats,
    /// Takes an opening, and hangs.
    Opens,
}

#[derive(Clone)]
struct Fragile {
    fates: &'static [Fate],
    lives: Arc<AtomicU64>,
}

impl Fragile {
    fn fate(&self) -> Fate {
        let life = usize::try_from(self.lives.load(Ordering::SeqCst)).unwrap() - 1;
        self.fates[life.min(self.fates.len() - 1)]
    }
}

impl Driver for Fragile {
    type Open = ();

    fn open(&self) -> Result<(), Trouble> {
        self.lives.fetch_add(1, Ordering::SeqCst);
        assert_ne!(self.fate(), Fate::PanicsAtOpening, "on purpose");
        Ok(())
    }

    async fn serve(&self, (): (), life: &Life) -> Trouble {
        match self.fate() {
            Fate::Panics | Fate::PanicsAtOpening => panic!("on purpose"),
            Fate::Hangs => std::future::pending().await,
            Fate::Opens => {
                let mut orders = life.orders.lock().await;
                if let Some(Ordered { order: Order::Open(asked), .. }) = orders.recv().await {
                    life.device.opening(Some(asked.job.id));
                }
                std::future::pending().await
            }
            Fate::Beats => loop {
                life.beat();
                tokio::time::sleep(Duration::from_secs(1)).await;
            },
        }
    }
}

/// Supervises a driver with these fates for two minutes of a clock that does not wait, and says how the device is then, and
/// how many lives the driver had.
fn two_minutes(fates: &'static [Fate]) -> (Condition, u64) {
    let model = Model::Scanner(ScannerConfig::at(None));
    let (condition, lives, ended) = supervised(fates, model, 0, Duration::from_secs(120));
    assert!(ended.is_empty());
    (condition, lives)
}

/// The same for as long as that, and with so many openings asked of it at the beginning; says also what became of those.
fn supervised(
    fates: &'static [Fate],
    model: Model,
    openings: usize,
    time: Duration,
) -> (Condition, u64, Vec<(DrawerOutcome, String)>) {
    let dir = tempfile::tempdir().unwrap();
    let (shop, running, _) = trial::open(dir.path());
    let config = DeviceConfig { id: "fragile".into(), terminal: None, model };
    let (device, orders) = Device::new(&shop, &config, true, broadcast::channel(16).0);
    let (device, lives) = (Arc::new(device), Arc::new(AtomicU64::new(0)));
    for _ in 0..openings {
        let reason = DrawerReason::Asked("change".into());
        let command =
            Command::OpenDrawer { id: Uuid::now_v7(), drawer: "fragile".into(), terminal: None, reason };
        shop.submit_blocking(None, command, Origin::default()).unwrap();
    }
    device.well(DeviceState::Ready);
    for job in shop.state().opening.values() {
        device.ask_open(Asked { job: job.clone(), at: shop.uptime() }).unwrap();
    }
    let mut happenings = shop.subscribe();
    let driver = Fragile { fates, lives: lives.clone() };
    let clock = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    clock.unwrap().block_on(async {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(supervise(driver, device.clone(), orders, stopped));
        tokio::time::sleep(time).await;
        // The journal takes real time.
        tokio::time::resume();
        stop.send_replace(true);
        timeout(LONG, task).await.expect("it stops").unwrap();
    });
    assert!(shop.state().opening.is_empty(), "each has its outcome");
    let ended = std::iter::from_fn(|| happenings.try_recv().ok());
    let ended = ended.filter_map(|happening| match &*happening.event {
        Event::DrawerEnded { outcome, detail, .. } => Some((*outcome, detail.clone())),
        _ => None,
    });
    let ended = ended.collect();
    running.stop().unwrap();
    (device.condition(), lives.load(Ordering::SeqCst), ended)
}

#[test]
fn an_opening_that_its_driver_ends_with_is_unknown_and_one_that_waits_is_not_done() {
    let port = DrawerPort::Pins { chip: "/dev/none".into(), line: 1, sense_line: None };
    let model = Model::Drawer(DrawerConfig::at(port));
    let outcomes = |fates, seconds| {
        let (_, _, ended) = supervised(fates, model.clone(), 2, Duration::from_secs(seconds));
        ended.into_iter().map(|(outcome, _)| outcome).collect::<Vec<_>>()
    };
    let both = [DrawerOutcome::Unknown, DrawerOutcome::NotOpened];
    assert_eq!(outcomes(&[Fate::Opens], 1), both, "stopped");
    assert_eq!(outcomes(&[Fate::Opens, Fate::Beats], 60), both, "hung");
}

#[test]
fn a_driver_that_panics_is_counted_and_begun_again() {
    let fates = &[Fate::Panics, Fate::PanicsAtOpening, Fate::Panics, Fate::Beats];
    let (condition, lives) = two_minutes(fates);
    assert_eq!((condition.state, lives), (DeviceState::Ready, 4), "{condition:?}");
    assert_eq!((condition.counters.panicked, condition.counters.hung), (3, 0));
}

#[test]
fn a_driver_that_hangs_is_ended_and_begun_again_and_one_that_beats_is_left_alone() {
    let (condition, lives) = two_minutes(&[Fate::Hangs, Fate::Hangs, Fate::Beats]);
    assert_eq!((condition.state, lives), (DeviceState::Ready, 3), "{condition:?}");
    assert_eq!((condition.counters.hung, condition.counters.panicked), (2, 0));
}

#[test]
fn a_driver_that_always_breaks_down_is_not_begun_again_all_the_time() {
    let (condition, lives) = two_minutes(&[Fate::Panics]);
    assert_eq!((condition.state, condition.remedy), (DeviceState::Faulty, Some(Kind::Technician.into())));
    // The waits double from a quarter of a second to ten seconds, a quarter more or less.
    assert!((12..=25).contains(&lives), "{lives} lives");
}

fn setup(id: &str, printer: &VirtualPrinter) -> DeviceSetup {
    let settings = [("port", format!("tcp:{}", printer.address()))];
    let settings = settings.map(|(key, value)| (key.to_owned(), value));
    DeviceSetup { id: id.into(), section: "printer".into(), settings: settings.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn sheets_that_wait_go_to_the_printer_that_takes_the_place_of_theirs() {
    let mut counter = counter().await;
    counter.devices.clear();
    let running = counter.start();
    counter.submit(Command::PutDevice(setup("desk", &counter.printer)));
    counter.printer.set_faults(Faults { paper_out: true, ..Faults::default() });
    let known = async {
        while running.devices().get("desk").is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, known).await.unwrap();
    counter.sell(|_| {});
    counter.sell(|_| {});
    let waits = |condition: &Condition| condition.state == DeviceState::Waiting && jobs(condition) == 2;
    counter.wait(&running, "desk", waits).await;

    let other = virtual_printer().await;
    counter.submit(Command::PutDevice(setup("desk", &other)));
    for _ in 0..2 {
        assert_eq!(counter.outcome().await, (PrintOutcome::Printed, String::new()));
    }
    assert_eq!((counter.paper().len(), other.receipts().len()), (0, 2));

    other.set_faults(Faults { paper_out: true, ..Faults::default() });
    counter.sell(|_| {});
    counter.wait(&running, "desk", |condition| condition.state == DeviceState::Waiting).await;
    counter.submit(Command::RemoveDevice("desk".into()));
    let (outcome, detail) = counter.outcome().await;
    assert_eq!((outcome, detail.as_str()), (PrintOutcome::NotPrinted, "the printer was stopped before"));
    assert_eq!(running.jobs().all().len(), 1, "a person can print it elsewhere");
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_that_a_printer_has_in_hands_when_it_is_taken_away_is_not_printed_elsewhere_unmarked() {
    let mut counter = counter().await;
    let other = virtual_printer().await;
    counter.devices = vec![printer_config("other", &other, PrinterRole::Receipts { auto_print: false })];
    counter.devices[0].terminal = Some("till-9".into());
    let running = counter.start();
    counter.submit(Command::PutDevice(setup("desk", &counter.printer)));
    let known = async {
        while running.devices().get("desk").is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, known).await.unwrap();
    counter.printer.set_faults(Faults { lines_left: Some(4), ..Faults::default() });
    counter.sell(|_| {});
    counter.wait(&running, "desk", |condition| condition.detail.contains("out of paper")).await;
    counter.submit(Command::RemoveDevice("desk".into()));
    let gone = async {
        while running.devices().get("desk").is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, gone).await.unwrap();
    let [sheet] = <[PrintView; 1]>::try_from(running.jobs().all()).unwrap();
    let early = running.jobs().retry(sheet.job.id, Some("other"), None).await;
    assert!(matches!(early, Err(JobError::Sending(_))), "{early:?}");
    assert!(matches!(running.jobs().cancel(sheet.job.id, None).await, Err(JobError::Sending(_))));
    assert_eq!(counter.outcome().await.0, PrintOutcome::Unknown);
    running.jobs().retry(sheet.job.id, Some("other"), None).await.unwrap();
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert!(other.receipts()[0].paper.to_text().contains("COPY"));
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_ages_nothing() {
    let mut counter = counter().await;
    counter.drawer(None);
    counter.printer.set_faults(Faults { paper_out: true, ..Faults::default() });
    let running = counter.start();
    counter.sell(|_| {});
    counter.wait(&running, "receipts", |condition| condition.state == DeviceState::Waiting).await;
    // The time server is reached: it is a month later than the box had thought.
    counter.clock.set(Millis(counter.shop.now().time.0 + 30 * 86_400_000), true);
    counter.printer.set_faults(Faults { cover_open: true, ..Faults::default() });
    counter.wait(&running, "receipts", |condition| condition.detail.contains("cover")).await;
    counter.printer.set_faults(Faults::default());
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_printer_keeps_its_sheets_and_its_drawer_is_watched() {
    let mut counter = counter().await;
    counter.drawer(Some("till-9"));
    let running = counter.start();
    counter
        .wait(&running, "drawer", |condition| condition.of_class == OfClass::Drawer { open: Some(false) })
        .await;
    running.devices().enable("receipts", false).unwrap();
    counter.sell(|_| {});
    counter.wait(&running, "receipts", |condition| condition.state == DeviceState::Waiting).await;
    counter.printer.move_drawer(true);
    let alarm = |event: &Event| matches!(event, Event::DrawerAlarm { .. }).then_some(());
    counter.event(alarm).await;
    assert!(counter.paper().is_empty());
    running.devices().enable("receipts", true).unwrap();
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    counter.end(running).await;
}
