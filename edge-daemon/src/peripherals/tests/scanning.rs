//! Scanners on virtual lines.

use pos_domain::sale::Status;

use super::*;

/// The next scan, or what was refused.
async fn scan(news: &mut broadcast::Receiver<News>) -> (Arc<Scan>, Option<String>) {
    let next = async {
        loop {
            match news.recv().await.expect("news") {
                News::Scanned(scan) => return (scan, None),
                News::ScanRefused(scan, why) => return (scan, Some(why)),
                News::Changed(_) | News::Weighed { .. } | News::Ports(_) => {}
            }
        }
    };
    timeout(LONG, next).await.expect("no scan came")
}

fn ready(condition: &Condition) -> bool {
    condition.state == DeviceState::Ready
}

fn open_sale(counter: &Counter) -> Uuid {
    counter.sell(|draft| {
        draft.lines.clear();
        draft.tenders.clear();
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_looked_up_and_is_the_tills_that_claimed_the_scanner() {
    let mut counter = counter().await;
    let mut scanner = counter.scanner("scanner", None, false);
    let running = counter.start();
    let devices = running.devices();
    let mut news = devices.subscribe();
    counter.wait(&running, "scanner", ready).await;
    let barcode = counter.shop.state().catalog.iter().next().unwrap().barcode.clone().unwrap();
    scanner.scan(&format!("]E0{barcode}")).await.unwrap();
    let (first, _) = scan(&mut news).await;
    assert_eq!((&*first.product.as_ref().unwrap().name, first.terminal.as_deref()), ("Füller", None));

    devices.claim("scanner", "till-1", None).unwrap();
    assert!(matches!(devices.claim("scanner", "till-2", None), Err(DeviceError::Claimed { .. })));
    assert!(matches!(devices.release("scanner", "till-2"), Err(DeviceError::Claimed { .. })));
    scanner.scan("4006381333932").await.unwrap();
    let (misread, _) = scan(&mut news).await;
    assert_eq!((misread.terminal.as_deref(), misread.barcode.is_err()), (Some("till-1"), true));

    devices.enable("scanner", false).unwrap();
    scanner.scan("111").await.unwrap();
    counter.wait(&running, "scanner", |condition| condition.counters.refused == 1).await;
    devices.enable("scanner", true).unwrap();
    devices.release("scanner", "till-1").unwrap();
    scanner.scan("222").await.unwrap();
    let (later, _) = scan(&mut news).await;
    assert_eq!((later.data.as_str(), later.terminal.as_deref()), ("222", None));
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_go_onto_the_open_sale_of_their_till_in_their_order() {
    let mut counter = counter().await;
    let mut scanner = counter.scanner("scanner", Some("till-1"), true);
    let running = counter.start();
    let mut news = running.devices().subscribe();
    counter.wait(&running, "scanner", ready).await;
    let barcode = counter.shop.state().catalog.iter().next().unwrap().barcode.clone().unwrap();
    // Spelled another way each time: the same twice within an instant is one report that was sent twice.
    scanner.scan(&format!("]E0{barcode}")).await.unwrap();
    assert_eq!(scan(&mut news).await.0.transaction, None, "nothing is open");

    let sale = open_sale(&counter);
    scanner.scan(&barcode).await.unwrap();
    assert_eq!(scan(&mut news).await.0.transaction, Some(sale));
    let lines = |event: &Event| match event {
        Event::Sale { sale, .. } => Some((sale.status, sale.lines.len())),
        _ => None,
    };
    while counter.event(lines).await != (Status::Open, 1) {}
    scanner.scan("no such thing").await.unwrap();
    let (unknown, _) = scan(&mut news).await;
    assert!(unknown.product.is_none() && unknown.transaction.is_none(), "there is nothing to put onto it");

    // Another till's sale is not touched.
    running.devices().release("scanner", "till-1").unwrap();
    running.devices().claim("scanner", "till-2", Some(true)).unwrap();
    scanner.scan(&barcode).await.unwrap();
    assert_eq!(scan(&mut news).await.0.transaction, None);
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_goes_on_by_itself_when_it_is_plugged_in_again() {
    let mut counter = counter().await;
    let scanner = counter.scanner("scanner", None, false);
    let running = counter.start();
    let mut news = running.devices().subscribe();
    counter.wait(&running, "scanner", ready).await;
    drop(scanner);
    counter.wait(&running, "scanner", |condition| condition.state == DeviceState::Absent).await;
    let gone = running.devices().get("scanner").unwrap();
    assert!(gone.remedy == Some(Remedy::Operator) && !gone.detail.is_empty(), "{gone:?}");
    let mut scanner = VirtualScanner::plug(&counter.port("scanner")).unwrap();
    counter.wait(&running, "scanner", ready).await;
    scanner.scan("333").await.unwrap();
    assert_eq!(scan(&mut news).await.0.data, "333");
    let counted = running.devices().get("scanner").unwrap().counters;
    assert_eq!((counted.opened, counted.lost, counted.done), (2, 1, 1));
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_configured_while_the_box_runs_is_there_at_once_and_after_a_restart() {
    use pos_domain::event::DeviceSetup;
    let mut counter = counter().await;
    let running = counter.start();
    let setup = |id: &str, section: &str, settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Command::PutDevice(DeviceSetup { id: id.into(), section: section.into(), settings })
    };
    // A printer, as its port need not be in /dev.
    let other = virtual_printer().await;
    let port = format!("tcp:{}", other.address());
    counter.submit(setup("second", "printer", &[("port", &port), ("auto_print", "false")]));
    counter.submit(setup("scanner", "scanner", &[("port", "serial:/dev/ttyS-no-such-scanner")]));
    counter.submit(setup("receipts", "printer", &[("port", &port)]));
    let there = async |running: &Peripherals, id: &str| {
        let devices = running.devices();
        let look = async {
            while devices.get(id).is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, look).await.expect("it never came");
    };
    there(&running, "second").await;
    counter.wait(&running, "second", ready).await;
    there(&running, "scanner").await;
    counter.wait(&running, "scanner", |condition| condition.detail.contains("no-such-scanner")).await;
    let sale = counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    counter.ask(sale, "second", true);
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!((counter.paper().len(), other.receipts().len()), (1, 1), "what stands in the file stays");

    running.stop().await;
    let running = counter.start();
    there(&running, "second").await;
    assert!(!running.devices().is_fixed("second") && running.devices().is_fixed("receipts"));
    counter.submit(Command::RemoveDevice("second".into()));
    let gone = async {
        while running.devices().get("second").is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, gone).await.expect("it is still there");
    counter.ask(sale, "second", true);
    assert_eq!(counter.outcome().await.1, "there is no printer called second");
    counter.end(running).await;
}
