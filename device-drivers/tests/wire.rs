//! The bytes on the wire, and what a printer makes of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use device_drivers::{CodePage, Mark, Page, Paper, Profile, decode, encode};
use pos_domain::receipt::{Align, Block, Document, Style};

fn document(blocks: impl IntoIterator<Item = Block>) -> Document {
    blocks.into_iter().collect()
}

#[test]
fn golden_bytes() {
    let receipt = document([
        Block::title("Żabka"),
        Block::row("Crème", "1,49 €"),
        Block::bold("Total", "1,49"),
        Block::Qr("A1".into()),
        Block::Cut,
        Block::KickDrawer,
    ]);
    let mut expected: Vec<u8> = Vec::new();
    expected.extend(b"\x1b@\x1bR\x00\x1bt\x13"); // reset, set USA, PC858
    expected.extend(b"\x1bE\x01\x1d!\x11        \x1bt\x12\xbdabka\n"); // bold, double, PC852 for Ż
    expected.extend(b"\x1bE\x00\x1d!\x00Cr\x1bt\x13\x8ame"); // PC852 has no è: back to PC858
    expected.extend([b' '; 31]);
    expected.extend(b"1,49 \xd5\n");
    expected.extend(b"\x1bE\x01Total");
    expected.extend([b' '; 33]);
    expected.extend(b"1,49\n\x1bE\x00");
    expected.extend(b"\x1ba\x01\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E1");
    expected.extend(b"\x1d(k\x05\x001P0A1\x1d(k\x03\x001Q0\x1ba\x00");
    expected.extend(b"\x1dVB\x00\x1bp\x00\x32\xfa");
    let job = encode(&receipt, &Profile::epson_80_mm());
    assert_eq!(job.bytes, expected, "{:?}", String::from_utf8_lossy(&job.bytes));
    assert_eq!((job.similar, job.lost), (0, 0));
}

#[test]
fn what_is_decoded_is_what_was_meant() {
    let styles = [Style::Normal, Style::Bold, Style::Large, Style::Banner];
    let mut receipt = document([Block::title("Café Żółw & Söhne <Bäckerei>"), Block::Blank, Block::Rule]);
    for style in styles {
        receipt
            .push(Block::Text { text: "€ é ß ł „Straße“ Ő".into(), align: Align::Center, style });
        let (left, right) = ("Überraschung: кофе, ελιά, crème, piękny".into(), "1 234,56 €".into());
        receipt.push(Block::Row { left, right, indent: 2, style });
    }
    receipt.extend([
        Block::Table {
            head: vec!["Steuer".into(), "Netto".into()],
            rows: vec![vec!["7 %".into(), "1,00".into()]],
        },
        Block::Qr("0190a5f2-7c1e-7d3a-9b7f-2f6a1c0d9e11".into()),
        Block::Banner("COPY".into()),
        Block::Cut,
    ]);
    for profile in [Profile::epson_80_mm(), Profile::epson_58_mm()] {
        let job = encode(&receipt, &profile);
        let decoded = decode(&job.bytes, &profile);
        assert_eq!((job.similar, job.lost, decoded.skipped), (0, 0, 0));
        let meant = Paper::of(&receipt, profile.columns);
        assert_eq!(decoded.papers, vec![meant]);
        assert!(decoded.kicks.is_empty());
    }
}

#[test]
fn each_letter_of_each_page_comes_out() {
    for code_page in CodePage::ALL {
        let letters: String = (0x21..=0xff).filter_map(|byte| code_page.decode(byte)).collect();
        let letters: String =
            letters.chars().filter(|letter| *letter != '\u{a0}' && *letter != '\u{ad}').collect();
        let profile = Profile { pages: vec![Page { number: 77, code_page }], ..Profile::epson_80_mm() };
        let job = encode(&document([Block::text(letters.as_str())]), &profile);
        assert_eq!((job.similar, job.lost), (0, 0), "{code_page:?}");
        let decoded = decode(&job.bytes, &profile);
        let printed: String = decoded.papers.iter().map(Paper::to_text).collect();
        assert_eq!(printed.replace('\n', ""), letters, "{code_page:?}");
    }
}

#[test]
fn a_letter_that_no_page_has_keeps_its_width_and_is_counted() {
    let profile =
        Profile { pages: vec![Page { number: 0, code_page: CodePage::Pc437 }], ..Profile::epson_80_mm() };
    let job = encode(&document([Block::row("Łódź 抹茶 e\u{301}", "2,00 €")]), &profile);
    assert_eq!((job.similar, job.lost), (3, 3), "Ł ź € are similar; 抹 茶 and the mark are lost");
    let text = decode(&job.bytes, &profile).papers.first().map(Paper::to_text).unwrap_or_default();
    assert_eq!(text, "Lódz ???? e                         2,00 E\n");
}

#[test]
fn a_name_cannot_command_the_printer() {
    let evil = "Milk\u{1b}p\u{0}2\u{fa}\u{1d}V\u{0}\u{10}\u{14}\u{1}\u{0}\u{1}";
    let texts = [Block::text(evil), Block::row(evil, evil), Block::Banner(evil.into()), Block::title(evil)];
    let table = Block::Table { head: vec![evil.into()], rows: vec![vec![evil.into()]] };
    let job = encode(&document(texts.into_iter().chain([table])), &Profile::epson_80_mm());
    let decoded = decode(&job.bytes, &Profile::epson_80_mm());
    assert!(decoded.kicks.is_empty());
    assert_eq!((decoded.papers.len(), decoded.skipped), (1, 0));
    // A QR code's bytes do not pass a code page: they must not hold a real-time command either.
    let job = encode(&document([Block::Qr(evil.into())]), &Profile::epson_80_mm());
    assert!(!job.bytes.contains(&0x10) && !job.bytes.contains(&0x14));
}

#[test]
fn the_drawer_is_kicked_only_where_the_document_says_so() {
    let profile = Profile { drawer_pulse_ms: 200, ..Profile::epson_80_mm() };
    let without = document([Block::text("card"), Block::Cut]);
    let with = document([Block::text("cash"), Block::KickDrawer, Block::Cut]);
    assert!(!without.kicks_drawer() && with.kicks_drawer());
    assert!(decode(&encode(&without, &profile).bytes, &profile).kicks.is_empty());
    let kicks = decode(&encode(&with, &profile).bytes, &profile).kicks;
    assert_eq!(kicks.iter().map(|kick| kick.on_ms).collect::<Vec<_>>(), [200]);
}

#[test]
fn without_a_knife_the_paper_is_fed_to_the_tear_bar() {
    let profile = Profile { cuts: false, ..Profile::epson_58_mm() };
    let decoded = decode(&encode(&document([Block::text("x"), Block::Cut]), &profile).bytes, &profile);
    let marks = decoded.papers.first().map(|paper| paper.marks.as_slice()).unwrap_or_default();
    assert_eq!(marks.len(), 6);
    assert!(!marks.contains(&Mark::Cut));
}
