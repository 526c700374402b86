//! A printer that stops in the middle of a receipt, and the person who sees to it, or does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::net::Ipv4Addr;
use std::time::Duration;

use device_drivers::{
    Fault, Faults, Line, Outcome, Patience, PosPrinter, Profile, Report, Route, VirtualPrinter, encode,
};
use pos_domain::receipt::{Block, Document};
use tokio::time::{sleep, timeout};

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);
const LINES: usize = 80;

fn receipt() -> Document {
    let mut receipt: Document = [Block::title("Bäckerei Żółw")].into_iter().collect();
    receipt.extend((0..LINES).map(|line| Block::row(format!("Brötchen {line}"), "0,45 €")));
    receipt.extend([Block::total("SUMME", "36,00 €"), Block::Qr("0190a5f2".into()), Block::Cut]);
    receipt
}

fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(5),
        status: Duration::from_secs(5),
        confirm: Duration::from_secs(20),
        look: Duration::from_millis(20),
    }
}

/// What goes wrong, and by what it is known.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    /// Set before the job.
    before: Faults,
    /// Set in the middle of it.
    within: Option<Faults>,
    fault: fn() -> Fault,
    has_struck: fn(&Faults) -> bool,
}

fn cases() -> [Case; 3] {
    let well = Faults::default();
    let slow = Duration::from_millis(60);
    [
        Case {
            name: "paper out",
            before: Faults { lines_left: Some(20), ..well },
            within: None,
            fault: || Fault::PaperEnd,
            has_struck: |faults| faults.paper_out,
        },
        Case {
            name: "cover open",
            before: Faults { slow, ..well },
            within: Some(Faults { cover_open: true, slow, ..well }),
            fault: || Fault::CoverOpen,
            has_struck: |faults| faults.cover_open,
        },
        Case {
            name: "cutter jam",
            before: Faults { jams_at_cut: true, ..well },
            within: None,
            fault: || Fault::Cutter,
            has_struck: |faults| faults.cutter_jammed,
        },
    ]
}

/// Prints on `there` while something goes wrong; `comes` says whether a person sees to it. Also what was told meanwhile.
async fn print<P>(
    there: &VirtualPrinter<P>,
    here: PosPrinter,
    case: Case,
    comes: bool,
) -> (Report, Vec<Option<Fault>>) {
    there.set_faults(case.before);
    let printing = tokio::spawn(async move {
        let mut told = Vec::new();
        let job = encode(&receipt(), here.profile());
        let report = here.send_telling(job, |trouble| told.push(trouble.cloned())).await;
        (report, told)
    });
    let mut changes = there.changes();
    let striking = async {
        while there.uncut().marks.len() < 5 {
            changes.changed().await.unwrap();
        }
        if let Some(within) = case.within {
            there.set_faults(within);
        }
        while !(case.has_struck)(&there.faults()) {
            changes.changed().await.unwrap();
        }
    };
    timeout(LONG, striking).await.expect("it never struck");
    if comes {
        // Long enough for some looks.
        sleep(Duration::from_millis(250)).await;
        assert!(!printing.is_finished(), "{}: it did not wait", case.name);
        there.set_faults(Faults::default());
    }
    timeout(LONG, printing).await.expect("it hangs").unwrap()
}

fn whole<P>(there: &VirtualPrinter<P>, name: &str) {
    let receipts = there.receipts();
    assert_eq!(receipts.len(), 1, "{name}: printed once");
    let text = receipts[0].paper.to_text();
    assert!((0..LINES).all(|line| text.matches(&format!("Brötchen {line} ")).count() == 1), "{name}: {text}");
    assert_eq!(text.matches("SUMME").count(), 1, "{name}");
    assert!(there.uncut().marks.is_empty(), "{name}");
    assert!(there.status().blocked().is_none(), "{name}");
}

#[tokio::test]
async fn what_a_person_sees_to_is_printed_once_and_whole_on_the_network() {
    for case in cases() {
        let there = VirtualPrinter::start((Ipv4Addr::LOCALHOST, 0).into(), Profile::default()).await.unwrap();
        let here = PosPrinter::new(there.address(), Profile::default(), patience()).with_operator(LONG);
        let (report, told) = print(&there, here, case, true).await;
        assert_eq!(report.outcome, Outcome::Printed, "{}", case.name);
        assert_eq!(told, [Some((case.fault)()), None], "{}", case.name);
        whole(&there, case.name);
    }
}

#[tokio::test]
async fn what_a_person_sees_to_is_printed_once_and_whole_on_a_line() {
    let folder = tempfile::tempdir().unwrap();
    for case in cases() {
        let there = VirtualPrinter::plug(&folder.path().join("printer"), Profile::default()).unwrap();
        let line = Line { xon_xoff: true, ..Line::default() };
        let route = Route::Serial { path: there.path().to_owned(), line };
        let here = PosPrinter::new(route, Profile::default(), patience()).with_operator(LONG);
        let (report, _) = print(&there, here, case, true).await;
        assert_eq!((report.outcome, there.overrun()), (Outcome::Printed, 0), "{}", case.name);
        whole(&there, case.name);
    }
}

#[tokio::test]
async fn where_nobody_comes_it_is_unknown_and_comes_out_when_somebody_does() {
    for (case, operator) in cases().into_iter().flat_map(|case| [(case, 0), (case, 300)]) {
        let there = VirtualPrinter::start((Ipv4Addr::LOCALHOST, 0).into(), Profile::default()).await.unwrap();
        let here = PosPrinter::new(there.address(), Profile::default(), patience());
        let (report, _) =
            print(&there, here.clone().with_operator(Duration::from_millis(operator)), case, false).await;
        assert_eq!(report.outcome, Outcome::Unknown { reason: (case.fault)() }, "{} {operator}", case.name);
        assert_eq!(there.receipts().len(), 0, "{}", case.name);
        let next = here.print(&receipt()).await;
        assert_eq!(next.outcome, Outcome::NotPrinted { reason: (case.fault)() }, "{}", case.name);
        // The next job has a printer that was seen to go on, with what it had not finished.
        there.set_faults(Faults::default());
        let next = here.print(&receipt()).await;
        assert_eq!((next.outcome, there.receipts().len()), (Outcome::Printed, 2), "{}", case.name);
    }
}
