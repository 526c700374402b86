//! What goes over the wire, read by somebody else: each printed receipt has its text, its total, and one cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod reader;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use device_drivers::{CodePage, Logo, Outcome, Patience, PosPrinter, Profile, encode};
use oem_cp::code_table as table;
use pos_domain::receipt::{Block, Document, render_text};
use reader::{Seen, read};

const SALE: &str = "01900000-0000-7000-8000-000100000000";

/// A sale with all that can stand on a receipt, in letters of three code pages.
fn receipt(lines: usize, banner: Option<&str>, kick: bool) -> Document {
    let mut page: Document =
        [Block::title("Käse & Mehr"), Block::centered("Große Straße 12"), Block::Blank].into_iter().collect();
    page.extend(banner.map(|words| Block::Banner(words.into())));
    page.extend([
        Block::row("Receipt 01-000001", "Till till-1"),
        Block::row("2026-11-23 17:05", "Cashier Żółw"),
        Block::Rule,
    ]);
    for line in 0..lines {
        page.extend([
            Block::row(format!("Bergkäse {line}, 12 Monate gereift"), "6,13 €"),
            Block::detail("0.475 × 12.90", ""),
        ]);
    }
    page.extend([
        Block::Rule,
        Block::total("TOTAL EUR", "22.99"),
        Block::row("Карта", "22.99"),
        Block::bold("Change", "7.00"),
    ]);
    page.push(Block::Table {
        head: vec!["Tax".into(), "Net".into()],
        rows: vec![vec!["7.00 %".into(), "6.55".into()]],
    });
    page.extend([Block::centered("Vielen Dank!"), Block::Qr(SALE.into()), Block::Cut]);
    page.extend(kick.then_some(Block::KickDrawer));
    page
}

/// The simplest printer there can be: says that it is well whenever it is asked, and keeps what else it is sent.
fn printer() -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let kept = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut kept = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..count]);
            while let Some(place) = kept.windows(3).position(|three| three[..2] == [0x10, 4]) {
                kept.drain(place..place + 3);
                stream.write_all(&[0x12]).unwrap();
            }
            if kept.ends_with(&[0x1d, 0x72, 1]) {
                stream.write_all(&[0]).unwrap();
            }
        }
        kept
    });
    (address, kept)
}

/// The document's text as it stands on paper: large lines are laid out for half as many letters, a code is none.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| !SALE.contains(*word)).map(str::to_owned).collect()
}

fn compare(seen: &Seen, document: &Document, profile: &Profile) {
    assert_eq!(words(&seen.text()), words(&render_text(document, usize::from(profile.columns))));
    let total = seen.lines.iter().filter(|(line, size)| line.contains("TOTAL") && *size == 2);
    let amounts: Vec<_> = total.filter_map(|(line, _)| line.split_whitespace().last()).collect();
    assert_eq!(amounts, ["22.99"], "{}", seen.text());
    assert_eq!(
        (seen.codes.as_slice(), seen.cuts.as_slice()),
        ([SALE.to_owned()].as_slice(), [seen.lines.len()].as_slice())
    );
    let pulses: &[u32] = if document.kicks_drawer() { &[100] } else { &[] };
    assert_eq!((seen.pulses.as_slice(), seen.questions), (pulses, 1));
    let too_wide = |(line, size): &&(String, u8)| {
        line.chars().count() * usize::from(*size) > usize::from(profile.columns)
    };
    assert_eq!(seen.lines.iter().find(too_wide), None);
}

#[tokio::test]
async fn each_printed_receipt_gives_its_text_its_total_and_one_cut() {
    let logo = Arc::new(Logo::new(256, 64, vec![0x5a; 2_048]).unwrap());
    let with_logo = Profile { logo: Some(logo), ..Profile::epson_58_mm() };
    for profile in [Profile::epson_80_mm(), Profile::epson_58_mm(), with_logo] {
        for (lines, banner, kick) in
            [(1, None, true), (3, Some("COPY"), false), (150, Some("TRAINING"), false)]
        {
            let document = receipt(lines, banner, kick);
            let (address, kept) = printer();
            let report =
                PosPrinter::new(address, profile.clone(), Patience::default()).print(&document).await;
            assert_eq!((report.outcome, report.lost, report.similar), (Outcome::Printed, 0, 0));
            let seen = read(&kept.join().unwrap()).unwrap();
            compare(&seen, &document, &profile);
            let pictures: &[_] = if profile.logo.is_some() { &[(256, 64)] } else { &[] };
            assert_eq!(seen.pictures, pictures);
        }
    }
}

#[test]
fn the_reader_is_not_easily_pleased() {
    let job = encode(&receipt(2, None, true), &Profile::epson_80_mm()).bytes;
    let whole = read(&job).unwrap();
    let mut same = 0;
    for place in 0..job.len() {
        let mut short = job.clone();
        short.remove(place);
        same += usize::from(read(&short).is_ok_and(|seen| seen == whole));
    }
    // A few bytes say twice what holds already: that ASCII is ASCII, that all is small again.
    assert!(same < job.len() / 8, "{same} of {} bytes may be missing", job.len());
}

#[test]
fn the_code_pages_are_those_of_somebody_else() {
    for (ours, theirs) in [
        (CodePage::Pc437, &table::DECODING_TABLE_CP437),
        (CodePage::Pc737, &table::DECODING_TABLE_CP737),
        (CodePage::Pc852, &table::DECODING_TABLE_CP852),
        (CodePage::Pc858, &table::DECODING_TABLE_CP858),
        (CodePage::Pc866, &table::DECODING_TABLE_CP866),
    ] {
        for (byte, letter) in (0x80..=0xff_u8).zip(theirs) {
            assert_eq!(ours.decode(byte), Some(*letter), "{ours:?} {byte:02x}");
        }
    }
}
