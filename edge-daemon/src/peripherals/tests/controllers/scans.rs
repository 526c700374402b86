//! What a controller scans.

use pos_link::ScanRefusal;

use super::*;

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
    counter.goes_on();
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
    counter.goes_on();
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
    counter.goes_on();
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
    // The next customer's sale is begun, and then comes what was scanned for the one before.
    let next = counter.open_sale();
    scanner.tell(scan_of(ago(50), &counter.barcode(), false)).await.unwrap();
    assert_eq!(verdict(&mut scanner).await.1, Err(ScanRefusal::NotNow));
    assert!(scan(&mut news).await.late);
    assert_eq!((counter.lines_of(sale), counter.lines_of(next)), (1, 0));
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn controllers_whose_plugs_are_swapped_stay_what_they_are_and_lose_nothing() {
    let mut counter = counter().await;
    counter.scanner_on_controller(true);
    counter.drawer_on_controller();
    let (left, right) = (counter.line("left"), counter.line("right"));
    let sale = counter.open_sale();
    counter.goes_on();
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
    // A line is no port for anything else.
    let port = Some(ScannerPort::Serial(left.clone()));
    let model = Model::Scanner(ScannerConfig::at(port));
    let config = DeviceConfig { id: "other".into(), terminal: None, model };
    assert!(running.devices().fits(&config).unwrap_err().contains("[controllers]"));
    let found = running.devices().found_ports();
    let found: Vec<_> = found.iter().filter(|port| port.port.starts_with("controller:")).collect();
    assert!(found.iter().all(|port| port.device_id.is_some()), "{found:?}");
    counter.end(running).await;
}
