//! Printing on the virtual printer over a real socket, with each of its faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use device_drivers::{
    Fault, Faults, Kicked, Kind, Outcome, Patience, PosPrinter, Profile, Report, VirtualPrinter,
};
use pos_domain::receipt::{Block, Document};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const FREE_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn receipt(lines: usize) -> Document {
    let mut receipt: Document = [Block::title("Bäckerei Żółw")].into_iter().collect();
    receipt.extend((0..lines).map(|line| Block::row(format!("Brötchen {line}"), "0,45 €")));
    receipt.extend([Block::Qr("0190a5f2".into()), Block::Cut, Block::KickDrawer]);
    receipt
}

fn patient() -> Patience {
    Patience {
        connect: Duration::from_secs(5),
        status: Duration::from_secs(5),
        confirm: Duration::from_secs(20),
        look: Duration::from_millis(20),
    }
}

/// For the tests that must see the patience end.
fn hasty() -> Patience {
    Patience { status: Duration::from_millis(150), confirm: Duration::from_millis(300), ..patient() }
}

async fn virtual_printer(faults: Faults) -> VirtualPrinter {
    let printer = VirtualPrinter::start(FREE_PORT, Profile::default()).await.unwrap();
    printer.set_faults(faults);
    printer
}

async fn print(printer: &VirtualPrinter, patience: Patience, lines: usize) -> Report {
    PosPrinter::new(printer.address(), Profile::default(), patience).print(&receipt(lines)).await
}

async fn until(printer: &VirtualPrinter, wanted: impl Fn(&VirtualPrinter) -> bool) {
    let mut changes = printer.changes();
    let waiting = async {
        while !wanted(printer) {
            changes.changed().await.unwrap();
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("the printer never got there");
}

fn not_printed(report: &Report) -> &Fault {
    match &report.outcome {
        Outcome::NotPrinted { reason } => reason,
        other => panic!("expected 'not printed': {other:?}"),
    }
}

fn unknown(report: &Report) -> &Fault {
    match &report.outcome {
        Outcome::Unknown { reason } => reason,
        other => panic!("expected 'unknown': {other:?}"),
    }
}

#[tokio::test]
async fn a_well_printer_prints_and_says_so() {
    let printer = virtual_printer(Faults { paper_near_end: true, ..Faults::default() }).await;
    for number in 1..=3 {
        let report = print(&printer, patient(), 40).await;
        assert_eq!(report.outcome, Outcome::Printed);
        assert!(report.status.is_some_and(|status| status.paper_near_end && status.drawer_pin_high));
        // No waiting here: *printed* means that it is on the paper.
        let receipts = printer.receipts();
        let last = receipts.last().unwrap();
        assert_eq!((last.number, receipts.len()), (number, number as usize));
        assert!(last.paper.to_text().contains("Brötchen 39                         0,45 €\n"));
        assert_eq!(printer.drawer_kicks(), number);
    }
    assert!(printer.drawer_open());
    printer.move_drawer(false);
    assert!(!printer.drawer_open());
    assert_eq!(printer.skipped(), 0);
}

#[tokio::test]
async fn nobody_listens() {
    let printer = virtual_printer(Faults::default()).await;
    let address = printer.address();
    drop(printer);
    let driver = PosPrinter::new(address, Profile::default(), patient());
    // The port is free once the dropped printer's task has ended.
    let report = timeout(Duration::from_secs(10), async {
        loop {
            let report = driver.print(&receipt(1)).await;
            if matches!(report.outcome, Outcome::NotPrinted { reason: Fault::Unreachable { .. } }) {
                break report;
            }
        }
    });
    let report = report.await.unwrap();
    assert_eq!(not_printed(&report).kind(), Kind::Retry);
    assert!(driver.status().await.is_err_and(|fault| matches!(fault, Fault::Unreachable { .. })));
}

#[tokio::test]
async fn a_blocked_printer_gets_nothing() {
    let well = Faults::default();
    for (faults, fault) in [
        (Faults { paper_out: true, ..well }, Fault::PaperEnd),
        (Faults { cover_open: true, ..well }, Fault::CoverOpen),
        (Faults { cutter_jammed: true, ..well }, Fault::Cutter),
    ] {
        let printer = virtual_printer(faults).await;
        let report = print(&printer, patient(), 3).await;
        assert_eq!(*not_printed(&report), fault);
        assert_eq!(fault.kind(), Kind::Operator);
        let driver = PosPrinter::new(printer.address(), Profile::default(), patient());
        assert_eq!(driver.status().await.unwrap().blocked(), Some(fault));
        printer.set_faults(well);
        assert_eq!(print(&printer, patient(), 1).await.outcome, Outcome::Printed);
        let texts: Vec<_> = printer.receipts().iter().map(|receipt| receipt.paper.to_text()).collect();
        assert_eq!(texts.len(), 1, "the refused job must not appear later");
    }
}

#[tokio::test]
async fn a_silent_printer_gets_nothing_unless_it_is_known_to_be_silent() {
    let printer = virtual_printer(Faults { silent: true, ..Faults::default() }).await;
    let report = print(&printer, hasty(), 3).await;
    assert_eq!(*not_printed(&report), Fault::NoAnswer { waited: hasty().status });
    assert_eq!(not_printed(&report).kind(), Kind::Retry, "it may only be starting up");
    assert!(not_printed(&report).to_string().contains("`answers_status = false` in [printer]"));
    assert_eq!(printer.receipts().len(), 0);

    let profile = Profile { answers_status: false, ..Profile::default() };
    let report = PosPrinter::new(printer.address(), profile, hasty()).print(&receipt(3)).await;
    assert_eq!(*unknown(&report), Fault::NoConfirmation);
    until(&printer, |printer| printer.receipts().len() == 1).await;
}

#[tokio::test]
async fn paper_that_ends_within_the_job_makes_it_unknown_and_it_comes_out_later() {
    let printer = virtual_printer(Faults { lines_left: Some(10), ..Faults::default() }).await;
    let report = print(&printer, patient(), 30).await;
    assert_eq!(*unknown(&report), Fault::PaperEnd);
    assert_eq!(printer.uncut().marks.len(), 10);
    assert_eq!(*not_printed(&print(&printer, patient(), 1).await), Fault::PaperEnd);
    // A new roll: the printer goes on from its buffer. That is why nobody may simply print again.
    printer.set_faults(Faults::default());
    until(&printer, |printer| printer.receipts().len() == 1).await;
    assert!(printer.receipts()[0].paper.to_text().contains("Brötchen 29"));
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_job_makes_it_unknown() {
    for after in [1, 9, 100, 500] {
        let printer = virtual_printer(Faults { drop_after: Some(after), ..Faults::default() }).await;
        let report = print(&printer, patient(), 30).await;
        let Fault::ConnectionLost { .. } = unknown(&report) else { panic!("{after}: {report:?}") };
        assert_eq!(printer.receipts().len(), 0);
        assert_eq!(printer.drawer_kicks(), 0);
    }
}

#[tokio::test]
async fn a_slow_printer_is_waited_for_but_not_for_ever() {
    let slow = |ms| Faults { slow: Duration::from_millis(ms), ..Faults::default() };
    let printer = virtual_printer(slow(40)).await;
    assert_eq!(print(&printer, patient(), 60).await.outcome, Outcome::Printed);

    // Slow enough to outlast the confirmation, not the status before.
    let printer = virtual_printer(slow(100)).await;
    let patience =
        Patience { confirm: Duration::from_millis(250), look: Duration::from_secs(9), ..patient() };
    let report = print(&printer, patience, 400).await;
    assert_eq!(*unknown(&report), Fault::NotConfirmed { waited: patience.confirm });
}

#[tokio::test]
async fn a_full_receive_buffer_stops_the_wire_and_nothing_is_lost() {
    let printer = virtual_printer(Faults { cover_open: true, ..Faults::default() }).await;
    let mut stream = TcpStream::connect(printer.address()).await.unwrap();
    let sender = tokio::spawn(async move {
        for _ in 0..40 {
            stream.write_all(&b"0123456789\n".repeat(1000)).await.unwrap();
            stream.write_all(b"\x1dV\x00").await.unwrap();
        }
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    });
    let mut changes = printer.changes();
    timeout(Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
    assert_eq!((printer.receipts().len(), printer.uncut().marks.len()), (0, 0));
    printer.set_faults(Faults::default());
    until(&printer, |printer| printer.receipts().len() == 40).await;
    assert!(printer.receipts().iter().all(|receipt| receipt.paper.marks.len() == 1001));
    sender.await.unwrap();
}

#[tokio::test]
async fn the_drawer_opens_at_once_and_its_switch_tells_so() {
    let printer = VirtualPrinter::start(([127, 0, 0, 1], 0).into(), Profile::epson_80_mm()).await.unwrap();
    let driver = PosPrinter::new(printer.address(), Profile::epson_80_mm(), hasty());
    // Out of paper, and still the drawer opens.
    printer.set_faults(Faults { paper_out: true, ..Faults::default() });
    let Kicked::Opened { status } = driver.kick(Some(true)).await else { panic!() };
    assert!(status.drawer_pin_high && status.paper_end && printer.drawer_open());
    assert_eq!(printer.drawer_kicks(), 1);

    printer.move_drawer(false);
    printer.set_faults(Faults { drawer_locked: true, ..Faults::default() });
    assert_eq!(driver.kick(Some(true)).await, Kicked::NotOpened { reason: Fault::DrawerShut });
    assert!(
        matches!(driver.kick(None).await, Kicked::Opened { .. }),
        "no switch: the printer took the pulse"
    );
    printer.set_faults(Faults { silent: true, ..Faults::default() });
    assert!(matches!(driver.kick(Some(true)).await, Kicked::Unknown { .. }));
    let address = printer.address();
    drop(printer);
    let gone = PosPrinter::new(address, Profile::epson_80_mm(), hasty()).kick(Some(true)).await;
    assert!(matches!(gone, Kicked::NotOpened { reason: Fault::Unreachable { .. } }), "{gone:?}");
}
