//! The same printer at the end of each route: network, serial line, device file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use device_drivers::{
    Fault, Faults, Kind, Line, Outcome, Patience, Plugged, PosPrinter, Profile, Route, VirtualPrinter,
};
use pos_domain::receipt::{Block, Document};
use tokio::time::timeout;

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);

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

/// A printer on a line, and the two routes to it.
struct Counter {
    there: VirtualPrinter<Plugged>,
    _folder: tempfile::TempDir,
}

impl Counter {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let there = VirtualPrinter::plug(&folder.path().join("printer"), Profile::default()).unwrap();
        Self { there, _folder: folder }
    }

    fn serial(&self, xon_xoff: bool) -> Route {
        Route::Serial { path: self.there.path().to_owned(), line: Line { xon_xoff, ..Line::default() } }
    }

    fn routes(&self) -> [Route; 2] {
        [self.serial(true), Route::File(self.there.path().to_owned())]
    }
}

fn printer(route: &Route, patience: Patience) -> PosPrinter {
    PosPrinter::new(route.clone(), Profile::default(), patience)
}

#[tokio::test]
async fn each_route_prints_confirms_and_tells_the_status() {
    let counter = Counter::new();
    for (number, route) in counter.routes().iter().enumerate() {
        let here = printer(route, patient());
        counter.there.set_faults(Faults { paper_near_end: true, ..Faults::default() });
        let report = timeout(LONG, here.print(&receipt(40))).await.unwrap();
        assert_eq!(report.outcome, Outcome::Printed, "{route}");
        let receipts = counter.there.receipts();
        assert_eq!(receipts.len(), number + 1);
        assert!(receipts[number].paper.to_text().contains("Brötchen 39                         0,45 €\n"));
        assert_eq!(counter.there.drawer_kicks(), number as u64 + 1);
        let status = timeout(LONG, here.status()).await.unwrap().unwrap();
        assert!(status.paper_near_end && status.drawer_pin_high && status.blocked().is_none());

        counter.there.set_faults(Faults { cover_open: true, ..Faults::default() });
        let report = timeout(LONG, here.print(&receipt(1))).await.unwrap();
        assert_eq!(report.outcome, Outcome::NotPrinted { reason: Fault::CoverOpen }, "{route}");
        assert_eq!(here.status().await.unwrap().blocked(), Some(Fault::CoverOpen));
    }
    assert_eq!((counter.there.skipped(), counter.there.overrun()), (0, 0));
}

#[tokio::test]
async fn a_printer_that_is_not_there_is_named_by_its_route() {
    let folder = tempfile::tempdir().unwrap();
    let on_disk = folder.path().join("file");
    std::fs::write(&on_disk, "no device").unwrap();
    let nothing = folder.path().join("nothing");
    let closed = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    for route in [
        Route::from(closed),
        Route::Serial { path: nothing.clone(), line: Line::default() },
        Route::Serial { path: on_disk.clone(), line: Line::default() },
        Route::File(nothing),
        Route::File(on_disk.clone()),
    ] {
        let here = printer(&route, patient());
        let report = timeout(LONG, here.print(&receipt(1))).await.unwrap();
        let Outcome::NotPrinted { reason } = report.outcome else { panic!("{route}: {report:?}") };
        assert!(matches!(&reason, Fault::Unreachable { route: named, .. } if *named == route), "{reason}");
        assert_eq!(reason.kind(), Kind::Retry);
        assert!(reason.to_string().contains(&format!("the printer at {route}: ")), "{reason}");
        assert!(here.status().await.is_err());
    }
    assert_eq!(std::fs::read_to_string(on_disk).unwrap(), "no device", "a file is not written to");
}

#[tokio::test]
async fn a_plug_that_is_pulled_within_the_job_makes_it_unknown() {
    for file in [false, true] {
        let counter = Counter::new();
        let [serial, device] = counter.routes();
        let route = if file { device } else { serial };
        // It stops in the middle, with nobody there to put paper in.
        counter.there.set_faults(Faults { lines_left: Some(5), ..Faults::default() });
        let patience = Patience { look: Duration::from_secs(2), ..patient() };
        let (name, here) = (route.to_string(), printer(&route, patience));
        let printing = tokio::spawn(async move { here.print(&receipt(2_000)).await });
        let mut changes = counter.there.changes();
        while counter.there.uncut().marks.len() < 5 {
            changes.changed().await.unwrap();
        }
        drop(counter);
        let report = timeout(LONG, printing).await.unwrap().unwrap();
        let Outcome::Unknown { reason: Fault::ConnectionLost { .. } } = report.outcome else {
            panic!("{name}: {report:?}")
        };
    }
}

#[tokio::test]
async fn a_printer_that_says_nothing_is_given_up_and_the_line_is_free_again() {
    let counter = Counter::new();
    let hasty =
        Patience { status: Duration::from_millis(150), confirm: Duration::from_millis(300), ..patient() };
    for route in counter.routes() {
        let here = printer(&route, hasty);
        counter.there.set_faults(Faults { silent: true, ..Faults::default() });
        let report = timeout(LONG, here.print(&receipt(3))).await.unwrap();
        assert_eq!(report.outcome, Outcome::NotPrinted { reason: Fault::NoAnswer { waited: hasty.status } });
        // It goes dead within the job.
        counter.there.set_faults(Faults { drop_after: Some(100), ..Faults::default() });
        let report = timeout(LONG, here.print(&receipt(3))).await.unwrap();
        let unknown = Outcome::Unknown { reason: Fault::NotConfirmed { waited: hasty.confirm } };
        assert_eq!(report.outcome, unknown, "{route}");
        counter.there.set_faults(Faults::default());
        let report = timeout(LONG, printer(&route, patient()).print(&receipt(3))).await.unwrap();
        assert_eq!(report.outcome, Outcome::Printed, "{route}");
    }
}

#[tokio::test]
async fn a_printer_that_never_answers_gets_all_of_it_before_its_line_is_closed() {
    let counter = Counter::new();
    let profile = Profile { answers_status: false, ..Profile::default() };
    for (number, route) in counter.routes().into_iter().enumerate() {
        let here = PosPrinter::new(route.clone(), profile.clone(), patient());
        let report = timeout(LONG, here.print(&receipt(300))).await.unwrap();
        assert_eq!(report.outcome, Outcome::Unknown { reason: Fault::NoConfirmation }, "{route}");
        let mut changes = counter.there.changes();
        let reached = async {
            while counter.there.receipts().len() <= number {
                changes.changed().await.unwrap();
            }
        };
        timeout(LONG, reached).await.expect("it never came out");
        assert!(counter.there.receipts()[number].paper.to_text().contains("Brötchen 299"));
    }
}

/// A receipt of some 100 KB for a printer that holds 20: the line must stop and go on.
#[tokio::test]
async fn a_full_printer_makes_the_line_wait_where_it_is_listened_to() {
    for xon_xoff in [true, false] {
        let counter = Counter::new();
        counter.there.set_faults(Faults { lines_left: Some(10), ..Faults::default() });
        let confirm = if xon_xoff { Duration::from_secs(20) } else { Duration::from_millis(500) };
        let here = printer(&counter.serial(xon_xoff), Patience { confirm, look: LONG, ..patient() });
        let printing = tokio::spawn(async move { here.print(&receipt(2_000)).await });
        let mut changes = counter.there.changes();
        while !counter.there.faults().paper_out {
            changes.changed().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        counter.there.set_faults(Faults::default());
        let report = timeout(LONG, printing).await.unwrap().unwrap();
        if xon_xoff {
            assert_eq!((report.outcome, counter.there.overrun()), (Outcome::Printed, 0));
            let receipts = counter.there.receipts();
            let text = receipts[0].paper.to_text();
            assert!((0..2_000).all(|line| text.contains(&format!("Brötchen {line} "))), "it has gaps");
        } else {
            assert!(matches!(report.outcome, Outcome::Unknown { .. }), "{report:?}");
            assert!(counter.there.overrun() > 0);
        }
    }
}

#[tokio::test]
async fn two_programs_do_not_share_a_line() {
    let counter = Counter::new();
    let route = counter.serial(true);
    counter.there.set_faults(Faults { slow: Duration::from_millis(300), ..Faults::default() });
    let first = printer(&route, patient());
    let mut changes = counter.there.changes();
    let printing = tokio::spawn(async move { first.print(&receipt(10)).await });
    timeout(LONG, changes.changed()).await.unwrap().unwrap();
    let second = printer(&route, patient()).status().await.unwrap_err();
    assert!(matches!(second, Fault::Unreachable { .. }), "{second}");
    assert!(second.to_string().contains(&route.to_string()), "{second}");
    assert_eq!(timeout(LONG, printing).await.unwrap().unwrap().outcome, Outcome::Printed);
}

#[test]
fn routes_are_told_as_people_know_them() {
    let address: SocketAddr = ([192, 168, 1, 50], 9100).into();
    assert_eq!(Route::from(address).to_string(), "192.168.1.50:9100");
    let path = PathBuf::from("/dev/usb/lp0");
    assert_eq!(Route::File(path.clone()).to_string(), "/dev/usb/lp0");
    assert_eq!(Route::Serial { path, line: Line::default() }.to_string(), "/dev/usb/lp0");
}
