//! What a customer display makes of bytes: a state machine without I/O that takes any of them.
//!
//! | bytes | what |
//! |-------|------|
//! | `1B 40`, `0C` | all blank, the cursor at the upper left |
//! | `1B 52 n`, `1B 74 n` | international set, code page |
//! | `1B 51 41 … 0D`, `1B 51 42 … 0D` | the upper, the lower line (CD5220) |
//! | `1F 24 x y` | the cursor to column x of line y (ESC/POS) |
//! | `0A`, `0D`, `08`, `0B`, `18` | cursor down, to the left edge, back, home; a blank line |
//! | `1B 5F n`, `1B 2A n`, `1F 43 n`, `1F 58 n`, `1B 11` to `13` | cursor, brightness, modes: understood, not shown |
//!
//! Everything else below 20 is refused and counted; within a line of a CD5220 all but the CR that ends it. Text goes on in the other line at the edge.

use crate::code_page::CodePage;
use crate::display::proto::{COLUMNS, Dialect};

/// The glass of a display.
#[derive(Debug)]
pub struct Screen {
    dialect: Dialect,
    page: CodePage,
    cells: [[char; COLUMNS]; 2],
    row: usize,
    column: usize,
    expects: Expects,
    refused: u64,
}

/// What the next byte is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    Anything,
    /// `1B` came.
    Escape,
    /// `1F` came.
    Unit,
    /// One more byte, after these two.
    Argument(u8, u8),
    /// The line, after `1F 24 x`.
    Row(u8),
    /// Letters of a line up to its CR, from this column on.
    Letters(usize),
}

impl Screen {
    /// A display that was just switched on.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            page: CodePage::Pc437,
            cells: [[' '; COLUMNS]; 2],
            row: 0,
            column: 0,
            expects: Expects::Anything,
            refused: 0,
        }
    }

    /// What stands on it, blanks and all.
    #[must_use]
    pub fn lines(&self) -> [String; 2] {
        self.cells.map(|line| line.iter().collect())
    }

    /// Bytes so far that it did not understand.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Takes the next byte.
    pub fn take(&mut self, byte: u8) {
        match std::mem::replace(&mut self.expects, Expects::Anything) {
            Expects::Anything => self.plain(byte),
            Expects::Escape => self.escape(byte),
            Expects::Unit => match byte {
                b'$' | b'C' | b'X' => self.expects = Expects::Argument(0x1f, byte),
                _ => self.refused += 1,
            },
            Expects::Argument(0x1f, b'$') => self.expects = Expects::Row(byte),
            Expects::Argument(0x1b, b't') => self.select(byte),
            Expects::Argument(0x1b, b'Q') => match byte {
                b'A' | b'B' => {
                    self.row = usize::from(byte - b'A');
                    self.expects = Expects::Letters(0);
                }
                _ => self.refused += 1,
            },
            Expects::Argument(..) => {}
            Expects::Row(x) => match (usize::from(x), byte) {
                (x @ 1..=COLUMNS, 1 | 2) => (self.column, self.row) = (x - 1, usize::from(byte - 1)),
                _ => self.refused += 1,
            },
            Expects::Letters(column) => match byte {
                b'\r' => self.column = 0,
                0x20.. => {
                    self.put(column, byte);
                    self.expects = Expects::Letters((column + 1).min(COLUMNS));
                }
                _ => {
                    self.refused += 1;
                    self.expects = Expects::Letters(column);
                }
            },
        }
    }

    fn plain(&mut self, byte: u8) {
        match byte {
            0x1b => self.expects = Expects::Escape,
            0x1f => self.expects = Expects::Unit,
            b'\r' => self.column = 0,
            b'\n' => self.row = 1 - self.row,
            0x08 => self.column = self.column.saturating_sub(1),
            0x0b => (self.row, self.column) = (0, 0),
            0x0c => self.clear(),
            0x18 => {
                if let Some(line) = self.cells.get_mut(self.row) {
                    *line = [' '; COLUMNS];
                }
                self.column = 0;
            }
            0x00 => {}
            0x20.. => {
                self.put(self.column, byte);
                self.column += 1;
                if self.column == COLUMNS {
                    (self.row, self.column) = (1 - self.row, 0);
                }
            }
            _ => self.refused += 1,
        }
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            b'@' => *self = Self { refused: self.refused, ..Self::new(self.dialect) },
            b'R' | b't' | b'_' | b'*' | b'Q' => self.expects = Expects::Argument(0x1b, byte),
            0x11..=0x13 => {}
            _ => self.refused += 1,
        }
    }

    fn select(&mut self, number: u8) {
        self.page = match self.dialect {
            Dialect::EscPos(page, its) if its == number => page,
            _ => CodePage::Pc437,
        };
    }

    fn put(&mut self, column: usize, byte: u8) {
        let in_its_set = self.dialect != Dialect::Cd5220 || byte.is_ascii();
        let letter = self.page.decode(byte).filter(|_| in_its_set);
        self.refused += u64::from(letter.is_none());
        let cell = self.cells.get_mut(self.row).and_then(|line| line.get_mut(column));
        if let (Some(cell), Some(letter)) = (cell, letter) {
            *cell = letter;
        }
    }

    fn clear(&mut self) {
        self.cells = [[' '; COLUMNS]; 2];
        (self.row, self.column) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::proto::{DisplayLine, begin, show};

    const PAGE: Dialect = Dialect::EscPos(CodePage::Pc858, 19);

    fn screen(dialect: Dialect, bytes: &[u8]) -> Screen {
        let mut screen = Screen::new(dialect);
        bytes.iter().for_each(|byte| screen.take(*byte));
        screen
    }

    #[test]
    fn what_is_shown_is_what_was_meant() {
        let lines = [DisplayLine::new("Crème fraîche", "1,49 €"), DisplayLine::new("Summe", "12,07 €")];
        for (dialect, upper) in [(Dialect::Cd5220, "Creme fraiche 1,49 E"), (PAGE, "Crème fraîche 1,49 €")]
        {
            let shown = show(&lines, dialect);
            let bytes = [&*begin(dialect), &shown, &shown].concat();
            let screen = screen(dialect, &bytes);
            assert_eq!(screen.lines()[0], upper);
            assert!(screen.lines()[1].starts_with("Summe        12,07 "));
            assert_eq!(screen.refused(), 0);
        }
    }

    #[test]
    fn the_cursor_goes_where_it_is_sent_and_on_at_the_edge() {
        let mut shown = screen(PAGE, b"\x1f$\x13\x01abc\x0b*\n\rx\x08y");
        assert_eq!(shown.lines(), ["*                 ab", "y                   "]);
        b"\x18z\x1f$\x00\x01\x1f$\x15\x01\x1f$\x01\x03".iter().for_each(|byte| shown.take(*byte));
        assert_eq!((shown.lines()[1].trim_end(), shown.refused()), ("z", 3));
        shown.take(0x0c);
        assert_eq!(shown.lines().concat().trim(), "");
    }

    #[test]
    fn a_line_of_a_cd5220_is_cut_off_at_its_edge() {
        let shown = screen(Dialect::Cd5220, b"\x1bQB123456789012345678901234\rA\x1bQC\x1bZ\x07");
        assert_eq!(shown.lines(), [" ".repeat(20), "A2345678901234567890".to_owned()]);
        assert_eq!(shown.refused(), 3);
    }
}
