//! Golden receipts, and what holds for every document.

use alloc::string::ToString;
use alloc::vec;

use super::*;

fn receipt() -> Document {
    let mut receipt = Document::new();
    receipt.extend([
        Block::title("Bäckerei Żółw"),
        Block::centered("Große Straße 12, 10115 Berlin"),
        Block::Blank,
        Block::row("Receipt 000123", "2026-11-23 08:15"),
        Block::Rule,
        Block::row("Bauernbrot mit Sonnenblumenkernen und Kürbis, geschnitten", "4,20 B"),
        Block::detail("2 × 2,10", ""),
        Block::row("Crème fraîche", "1,49 B"),
        Block::detail("Discount: best before today", "-0,50"),
        Block::Rule,
        Block::total("TOTAL EUR", "5,19 €"),
        Block::Table {
            head: ["VAT", "Net", "Tax", "Gross"].map(ToString::to_string).to_vec(),
            rows: vec![["7.00 %", "4,85", "0,34", "5,19"].map(ToString::to_string).to_vec()],
        },
        Block::Qr("0190a5f2-7c1e-7d3a-9b7f-2f6a1c0d9e11".to_string()),
        Block::Banner("COPY".to_string()),
        Block::Cut,
        Block::KickDrawer,
    ]);
    receipt
}

#[test]
fn eighty_millimetres() {
    let expected = "              Bäckerei Żółw
      Große Straße 12, 10115 Berlin

Receipt 000123            2026-11-23 08:15
------------------------------------------
Bauernbrot mit Sonnenblumenkernen
und Kürbis, geschnitten             4,20 B
  2 × 2,10
Crème fraîche                       1,49 B
  Discount: best before today        -0,50
------------------------------------------
TOTAL EUR                           5,19 €
VAT            Net         Tax       Gross
7.00 %        4,85        0,34        5,19
   0190a5f2-7c1e-7d3a-9b7f-2f6a1c0d9e11
               *** COPY ***
";
    assert_eq!(render_text(&receipt(), COLUMNS_80_MM), expected);
}

#[test]
fn fifty_eight_millimetres() {
    let expected = "         Bäckerei Żółw
 Große Straße 12, 10115 Berlin

Receipt 000123  2026-11-23 08:15
--------------------------------
Bauernbrot mit
Sonnenblumenkernen und
Kürbis, geschnitten       4,20 B
  2 × 2,10
Crème fraîche             1,49 B
  Discount: best before
  today                    -0,50
--------------------------------
TOTAL EUR                 5,19 €
VAT         Net     Tax    Gross
7.00 %     4,85    0,34     5,19
       0190a5f2-7c1e-7d3a
       -9b7f-2f6a1c0d9e11
          *** COPY ***
";
    assert_eq!(render_text(&receipt(), COLUMNS_58_MM), expected);
}

#[test]
fn nothing_is_lost_and_nothing_stands_beyond_the_edge() {
    for columns in [0, 16, 17, 20, 32, 42, 48, 64] {
        let room = columns.max(COLUMNS_MIN);
        let text = render_text(&receipt(), columns);
        assert!(text.lines().all(|line| width(line) <= room), "{columns}:\n{text}");
        let kept: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        for words in
            ["BauernbrotmitSonnenblumenkernenundKürbis,geschnitten4,20B", "5,19€", "9b7f-2f6a1c0d9e11"]
        {
            assert!(kept.contains(words), "{columns}:\n{text}");
        }
        for line in lines(&receipt(), columns) {
            let Line::Text { text, style } = line else {
                continue;
            };
            let factor = if matches!(style, Style::Large | Style::Banner) { 2 } else { 1 };
            assert!(width(&text) * factor <= room, "{columns}: {text:?}");
        }
    }
}

#[test]
fn wide_letters_count_twice_and_marks_count_nothing() {
    assert_eq!(width("e\u{301}te\u{301}"), 3);
    assert_eq!(width("抹茶"), 4);
    let mut document = Document::new();
    document.push(Block::row("抹茶ラテ", "3,90"));
    assert_eq!(render_text(&document, 16), "抹茶ラテ    3,90\n");
}

#[test]
fn no_text_carries_a_control_character() {
    let mut document = Document::new();
    document.push(Block::row("Milk\u{1b}p\u{0}\u{19}\u{fa}", "1,00"));
    document.push(Block::text("one\ntwo"));
    let texts: Vec<_> = lines(&document, 32);
    assert_eq!(texts.len(), 3);
    assert!(
        texts.iter().all(|line| matches!(line, Line::Text { text, .. } if !text.contains(char::is_control)))
    );
}

#[test]
fn a_code_too_long_to_scan_is_printed_as_words() {
    let document: Document = [Block::Qr("x".repeat(Block::QR_BYTES + 1))].into_iter().collect();
    assert!(lines(&document, 42).iter().all(|line| matches!(line, Line::Text { .. })));
}
