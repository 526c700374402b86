//! Receipts on a printer that only writes lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::Duration;

use device_drivers::{
    Fault, Language, Line, Mark, Outcome, Patience, PosPrinter, Profile, Route, VirtualPrinter, decode,
    encode,
};
use pos_domain::receipt::{Block, Document, render_text};
use tokio::time::timeout;

fn receipt() -> Document {
    [
        Block::title("Bäckerei Żółw"),
        Block::row("Crème fraîche\u{1b}p\u{c}", "1,49 €"),
        Block::total("SUMME", "1,49 €"),
        Block::Banner("COPY".into()),
        Block::Qr("0190a5f2-7c1e".into()),
        Block::Cut,
        Block::KickDrawer,
    ]
    .into_iter()
    .collect()
}

#[test]
fn golden_bytes() {
    let receipt: Document = [Block::row("Crème", "1,49"), Block::Cut].into_iter().collect();
    let mut expected = b"Cr\x8ame".to_vec();
    expected.extend([b' '; 31]);
    expected.extend(b"1,49\r\n");
    let torn = encode(&receipt, &Profile::line_printer());
    assert_eq!(torn.bytes, [expected.as_slice(), b"\r\n\r\n\r\n\r\n\r\n"].concat());
    let fed = encode(&receipt, &Profile { cuts: true, ..Profile::line_printer() });
    assert_eq!(fed.bytes, [expected.as_slice(), b"\x0c"].concat());
    assert_eq!((fed.similar, fed.lost, fed.left_out), (0, 0, 0));
}

#[test]
fn what_stands_on_it_is_the_plain_text_of_the_receipt_and_nothing_commands_it() {
    let profile = Profile { cuts: true, ..Profile::line_printer() };
    let job = encode(&receipt(), &profile);
    assert_eq!(job.left_out, 1, "the drawer");
    let control = |byte: &&u8| **byte < 0x20 || **byte == 0x7f;
    let controls: Vec<_> = job.bytes.iter().filter(control).filter(|byte| !b"\r\n".contains(byte)).collect();
    assert_eq!(controls, [&0x0c], "one form feed, at the end");
    let decoded = decode(&job.bytes, &profile);
    assert_eq!((decoded.papers.len(), decoded.skipped, decoded.kicks.len()), (1, 0, 0));
    let plain = render_text(&receipt(), 40).replace(['Ż', 'ź'], "Z").replace('ł', "l").replace('€', "E");
    assert_eq!(decoded.papers[0].to_text(), plain);
    assert_eq!(decoded.papers[0].marks.iter().filter(|mark| **mark == Mark::Cut).count(), 1);
}

#[tokio::test]
async fn it_is_written_whole_and_never_called_printed() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile { cuts: true, ..Profile::line_printer() };
    let there = VirtualPrinter::plug(&folder.path().join("printer"), profile.clone()).unwrap();
    let route = Route::Serial { path: there.path().to_owned(), line: Line::default() };
    // Asking it would print the question.
    let asked = Profile { answers_status: true, ..profile };
    assert_eq!(asked.language, Language::Lines);
    let report = PosPrinter::new(route, asked, Patience::default()).print(&receipt()).await;
    assert_eq!((report.outcome, report.left_out), (Outcome::Unknown { reason: Fault::NoConfirmation }, 1));
    let mut changes = there.changes();
    let reached = async {
        while there.receipts().is_empty() {
            changes.changed().await.unwrap();
        }
    };
    timeout(Duration::from_secs(20), reached).await.expect("it never came out");
    assert!(there.receipts()[0].paper.to_text().contains("0190a5f2-7c1e"));
    assert_eq!(there.skipped(), 0);
}
