//! Any text in any block, printed and read again: no text commands the printer, and it is cut once.
#![no_main]

use device_drivers::{Mark, Paper, Profile, decode, encode};
use libfuzzer_sys::fuzz_target;
use pos_domain::receipt::{Align, Block, Document, Style};

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    // Longer ones are only slower.
    let text = String::from_utf8_lossy(&rest[..rest.len().min(2_048)]);
    let mut parts = text.split('|').map(str::to_owned).cycle().take(64);
    let mut part = || parts.next().unwrap_or_default();
    let style = [Style::Normal, Style::Bold, Style::Large, Style::Banner][usize::from(first >> 2 & 3)];
    let mut document: Document = [
        Block::Text { text: part(), align: Align::Center, style },
        Block::Row { left: part(), right: part(), indent: first >> 4, style },
        Block::Table { head: vec![part(), part()], rows: vec![vec![part()], vec![part(), part(), part()]] },
        Block::Banner(part()),
        Block::Qr(part()),
    ]
    .into_iter()
    .collect();
    document.push(Block::Cut);
    let profile = match first & 3 {
        0 => Profile::epson_80_mm(),
        1 => Profile::epson_58_mm(),
        2 => Profile { cuts: true, ..Profile::line_printer() },
        _ => Profile { columns: 16, pages: Vec::new(), ..Profile::epson_80_mm() },
    };
    let bytes = encode(&document, &profile).bytes;
    let decoded = decode(&bytes, &profile);
    assert_eq!((decoded.papers.len(), decoded.kicks.len()), (1, 0));
    let cuts =
        decoded.papers.iter().flat_map(|paper| &paper.marks).filter(|mark| **mark == Mark::Cut).count();
    assert_eq!(cuts, 1);
    assert!(bytes.windows(2).all(|two| two[0] != 0x10 || !matches!(two[1], 0x04 | 0x05 | 0x14)));
    assert!(Paper::on(&document, &profile).to_svg().ends_with("</svg>\n"));
});
