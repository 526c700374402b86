//! A customer display on a real line: a pseudo-terminal with a virtual display at its other end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::{Duration, Instant};

use device_drivers::{
    CodePage, Device, Dialect, DisplayFault, DisplayLine, Kind, Line, SHOWN_WITHIN, SerialDisplay,
    VirtualDisplay,
};
use tokio::time::timeout;

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);
const BOTH: [Dialect; 2] = [Dialect::Cd5220, Dialect::EscPos(CodePage::Pc858, 19)];

async fn until(display: &VirtualDisplay, upper: &str, lower: &str) {
    let mut changes = display.changes();
    let reached = async {
        while display.lines().each_ref().map(|line| line.trim_end()) != [upper, lower] {
            changes.changed().await.unwrap();
        }
    };
    let shown = timeout(LONG, reached).await;
    assert!(shown.is_ok(), "it shows {:?} instead of {upper:?}, {lower:?}", display.lines());
}

#[tokio::test]
async fn what_is_shown_stands_on_the_glass() {
    let folder = tempfile::tempdir().unwrap();
    for (dialect, sum) in BOTH.into_iter().zip(["Summe        12,07 E", "Summe        12,07 €"]) {
        let there = VirtualDisplay::plug(&folder.path().join("display"), dialect).unwrap();
        let mut here = SerialDisplay::new(there.path().to_owned(), dialect).open().unwrap();
        here.show(["Willkommen", ""]).await.unwrap();
        until(&there, "Willkommen", "").await;
        for _ in 0..50 {
            here.show([DisplayLine::new("Milch", "1,09"), DisplayLine::new("Summe", "12,07 €")])
                .await
                .unwrap();
        }
        until(&there, "Milch           1,09", sum).await;
        assert_eq!(there.refused(), 0);
    }
}

#[tokio::test]
async fn lines_that_were_not_sent_whole_do_not_spoil_the_next_ones() {
    let folder = tempfile::tempdir().unwrap();
    for dialect in BOTH {
        let there = VirtualDisplay::plug(&folder.path().join("display"), dialect).unwrap();
        let display = SerialDisplay::new(there.path().to_owned(), dialect);
        for cut in 0..50 {
            // Another program, or this one before it was killed, stopped in the middle of a line.
            let whole = [
                device_drivers::begin(dialect).to_vec(),
                device_drivers::show(&[(); 2].map(|()| "x".into()), dialect).to_vec(),
            ];
            let whole = whole.concat();
            std::fs::write(there.path(), &whole[..cut.min(whole.len())]).unwrap();
            let mut here = display.open().unwrap();
            here.show([format!("Kasse {cut}").as_str(), "offen"]).await.unwrap();
            until(&there, &format!("Kasse {cut}"), "offen").await;
        }
    }
}

#[tokio::test]
async fn a_display_that_takes_nothing_is_a_fault_within_a_second_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let there = VirtualDisplay::plug(&folder.path().join("display"), BOTH[1]).unwrap();
    let line = Line { xon_xoff: true, ..Line::default() };
    let mut here =
        SerialDisplay { line, ..SerialDisplay::new(there.path().to_owned(), BOTH[1]) }.open().unwrap();
    here.show(["Milch", "1,09"]).await.unwrap();
    until(&there, "Milch", "1,09").await;
    there.set_stuck(true).unwrap();
    let begun = Instant::now();
    let fault = here.show(["Brot", "2,40"]).await.unwrap_err();
    assert_eq!(fault, DisplayFault::Silent { device: Device::Display, waited: SHOWN_WITHIN });
    assert_eq!(fault.kind(), Kind::Operator);
    let waited = begun.elapsed();
    assert!(waited >= SHOWN_WITHIN && waited < SHOWN_WITHIN * 5, "{waited:?}");
    there.set_stuck(false).unwrap();
    here.show(["Butter", "3,10"]).await.unwrap();
    until(&there, "Butter", "3,10").await;
    assert_eq!(there.refused(), 0);
}

#[tokio::test]
async fn a_display_that_is_pulled_out_is_lost_whether_or_not_it_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("display");
    let display = SerialDisplay::new(name.clone(), Dialect::Cd5220);
    let missing = display.open().unwrap_err();
    assert!(missing.to_string().starts_with("there is no display at "), "{missing}");
    for spoken_to in [true, false] {
        let there = VirtualDisplay::plug(&name, Dialect::Cd5220).unwrap();
        let mut here = display.open().unwrap();
        here.show(["Milch", "1,09"]).await.unwrap();
        assert!(timeout(Duration::from_millis(50), here.lost()).await.is_err(), "it is there");
        drop(there);
        let fault = if spoken_to {
            let saying = async {
                loop {
                    if let Err(fault) = here.show(["Milch", "1,09"]).await {
                        break fault;
                    }
                }
            };
            timeout(LONG, saying).await
        } else {
            timeout(LONG, here.lost()).await
        };
        let fault = fault.expect("nobody noticed");
        assert!(matches!(fault, DisplayFault::Lost { device: Device::Display, .. }), "{fault}");
        assert!(matches!(display.open(), Err(DisplayFault::Missing { .. })));
    }
}
