//! Two lines for the customer, as bytes for a serial display; no I/O, the same bytes for the same lines.
//!
//! | CD5220 | ESC/POS | what |
//! |---|---|---|
//! | `1B 40` | `1B 40` | start from the power-on state |
//! | – | `1B 52 00` | international set USA |
//! | – | `1B 74 n` | select code page |
//! | `1B 51 41 … 0D` | `1F 24 01 01 …` | write the upper line |
//! | `1B 51 42 … 0D` | `1F 24 01 02 …` | write the lower line |
//!
//! A line is always written whole, blanks to its end: nothing of the last one stays, and nothing flickers. Letters go
//! through a code page, which has no control characters: what a product is called cannot become a command.

use core::iter::repeat_n;

use heapless::{String, Vec};
#[cfg(feature = "alloc")]
use pos_domain::receipt::width;

use crate::CodePage;
use crate::code_page::similar;

/// Letters of a line.
pub const COLUMNS: usize = 20;
/// Bytes of as many letters, at most.
const ROOM: usize = 4 * COLUMNS;
/// Bytes that show two lines, at most.
const SHOWN: usize = 2 * (COLUMNS + 4);

/// The language of a display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Of CD5220 and the many that imitate it; its letters are ASCII.
    Cd5220,
    /// Of Epson's DM-D and its like: the page, and its number in `ESC t`.
    EscPos(CodePage, u8),
}

/// What a line shows: something on the left, cut off where it would touch what stands on the right (an amount), which is
/// kept whole as far as the line goes. Of either no more than [`COLUMNS`] letters are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisplayLine {
    left: String<ROOM>,
    right: String<ROOM>,
}

impl DisplayLine {
    /// A line with both.
    #[must_use]
    pub fn new(left: impl AsRef<str>, right: impl AsRef<str>) -> Self {
        Self { left: beginning(left.as_ref()), right: beginning(right.as_ref()) }
    }

    /// Exactly [`COLUMNS`] letters, of those that take one column each; `?` stands for others.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn text(&self) -> alloc::string::String {
        let plain = |letter: char| {
            if !letter.is_control() && width(letter.encode_utf8(&mut [0; 4])) == 1 { letter } else { '?' }
        };
        self.letters(COLUMNS).map(plain).collect()
    }

    /// Exactly so many letters, up to [`COLUMNS`]; no display has one that takes no column or two.
    pub(super) fn letters(&self, columns: usize) -> impl Iterator<Item = char> {
        let right = self.right.chars().count().min(columns);
        let room = columns - right;
        // An amount that touches a name is read as part of it.
        let left = self.left.chars().count().min(if right == 0 { room } else { room.saturating_sub(1) });
        let gap = repeat_n(' ', room - left);
        self.left.chars().take(left).chain(gap).chain(self.right.chars().take(right))
    }
}

impl From<&str> for DisplayLine {
    fn from(left: &str) -> Self {
        Self::new(left, "")
    }
}

/// What ends whatever was said by half, so that the next byte starts a command; harmless where nothing was.
pub(super) fn resume(dialect: Dialect) -> &'static [u8] {
    match dialect {
        Dialect::Cd5220 => b"\r",
        // The two bytes that `1F 24` may still wait for.
        Dialect::EscPos(..) => b"\0\0",
    }
}

/// What starts a display.
#[must_use]
pub fn begin(dialect: Dialect) -> Vec<u8, 8> {
    match dialect {
        Dialect::Cd5220 => Vec::from_array(*b"\x1b@"),
        Dialect::EscPos(_, number) => Vec::from_array([0x1b, b'@', 0x1b, b'R', 0, 0x1b, b't', number]),
    }
}

/// What shows two lines.
#[must_use]
pub fn show(lines: &[DisplayLine; 2], dialect: Dialect) -> Vec<u8, SHOWN> {
    let mut bytes = Vec::new();
    for (row, line) in (1_u8..).zip(lines) {
        let letters = line.letters(COLUMNS);
        match dialect {
            Dialect::Cd5220 => {
                bytes.extend([0x1b, b'Q', b'@' + row]);
                bytes.extend(letters.map(ascii));
                bytes.extend(*b"\r");
            }
            Dialect::EscPos(page, _) => {
                bytes.extend([0x1f, b'$', 1, row]);
                bytes.extend(letters.map(|letter| on_page(letter, page)));
            }
        }
    }
    bytes
}

/// The first letters of a text, as many as a line has.
fn beginning(text: &str) -> String<ROOM> {
    text.chars().take(COLUMNS).collect()
}

fn ascii(letter: char) -> u8 {
    let printable = |letter: char| u8::try_from(letter).ok().filter(|byte| matches!(byte, b' '..=b'~'));
    printable(letter).or_else(|| similar(letter).and_then(printable)).unwrap_or(b'?')
}

fn on_page(letter: char, page: CodePage) -> u8 {
    page.encode(letter).or_else(|| similar(letter).and_then(|like| page.encode(like))).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> [DisplayLine; 2] {
        [DisplayLine::new("Crème fraîche 200 g von der Alm", "1,49 €"), DisplayLine::new("Summe", "12,07 €")]
    }

    #[test]
    fn a_line_has_its_amount_on_the_right_and_a_gap_before_it() {
        let [upper, lower] = lines();
        assert_eq!(upper.text(), "Crème fraîche 1,49 €");
        assert_eq!(lower.text(), "Summe        12,07 €");
        assert_eq!(DisplayLine::new("x".repeat(30), "1").text(), format!("{} 1", "x".repeat(18)));
        assert_eq!(DisplayLine::new("Willkommen", "").text(), "Willkommen          ");
        assert_eq!(DisplayLine::new("x", "1".repeat(30)).text(), "1".repeat(20));
        assert_eq!(DisplayLine::new("好\u{7}é", "").text().trim_end(), "??é");
    }

    #[test]
    fn each_dialect_writes_both_lines_whole() {
        let plain = show(&lines(), Dialect::Cd5220);
        assert_eq!(plain, b"\x1bQACreme fraiche 1,49 E\r\x1bQBSumme        12,07 E\r".as_slice());
        let page = Dialect::EscPos(CodePage::Pc858, 19);
        assert_eq!(begin(page), *b"\x1b@\x1bR\x00\x1bt\x13");
        let shown = show(&lines(), page);
        let [first, second] = [shown.get(..24).unwrap(), shown.get(24..).unwrap()];
        assert_eq!((&first[..4], &second[..4]), (b"\x1f$\x01\x01".as_slice(), b"\x1f$\x01\x02".as_slice()));
        let read: std::string::String =
            first[4..].iter().map(|byte| CodePage::Pc858.decode(*byte).unwrap()).collect();
        assert_eq!((read.as_str(), second.len()), ("Crème fraîche 1,49 €", 24));
    }

    #[test]
    fn a_name_cannot_become_a_command() {
        let nasty = [DisplayLine::new("\x1b@\x1bQBfree", "\r\n0.00"), DisplayLine::default()];
        for dialect in [Dialect::Cd5220, Dialect::EscPos(CodePage::Pc858, 19)] {
            let bytes = show(&nasty, dialect);
            let escapes = bytes.iter().filter(|byte| matches!(byte, 0x1b | 0x1f)).count();
            assert_eq!(escapes, 2, "{bytes:?}");
        }
    }
}
