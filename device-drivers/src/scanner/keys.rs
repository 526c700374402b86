//! What a scanner types, as scans: a state machine without I/O.
//!
//! A *keyboard wedge* is a scanner that pretends to be a keyboard. It presses the keys that would write its text in the
//! layout that it is set to, Shift and AltGr among them, and ends with Enter (or Tab). What it types goes through the same
//! [`ScanReader`] as what others send: bounds, half scans and echoes are its affair.
//!
//! | keys | what |
//! |------|------|
//! | of the layout, with Shift, AltGr, Caps Lock; the number pad | letters |
//! | Enter, Tab, Ctrl-M, Ctrl-J | end of a scan |
//! | Ctrl-] | FNC1 within GS1 data |
//! | Alt held, digits of the number pad | the letter of that number: Windows-1252 with a leading zero, else PC437 |
//! | all else | the scan is refused: a letter that is not understood must not be left out |
//!
//! Held keys that repeat type nothing: a scanner lets go. When nothing comes for [`HALF`], all keys count as let go.

use core::time::Duration;

use super::layout::{self, Layout, Stroke};
use super::proto::{Framing, HALF, Refused, ScanReader};
use crate::CodePage;
use crate::moment::Moment;

/// Stands for what was not understood; no scan has it.
const SPOILT: char = '\u{1a}';

/// What happened to the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEvent {
    /// A key, by the number that the kernel gives it, went down.
    Down(u16),
    /// A key went up.
    Up(u16),
    /// Events were lost.
    Gap,
}

/// Makes scans of keys.
#[derive(Debug)]
pub struct KeyReader {
    layout: Layout,
    held: Held,
    caps: bool,
    /// Digits that were typed while Alt is held, and whether the first was a zero.
    number: Option<(u32, bool)>,
    heard: Option<Moment>,
    scans: ScanReader,
}

/// Keys that change what others mean.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    left_shift: bool,
    right_shift: bool,
    left_control: bool,
    right_control: bool,
    alt: bool,
    alt_gr: bool,
}

impl KeyReader {
    /// A reader of a scanner that was just grabbed. `echo` is the time within which the same scan is the same report.
    #[must_use]
    pub fn new(layout: Layout, echo: Duration) -> Self {
        let scans = ScanReader::new(Framing::Line, echo);
        Self { layout, held: Held::default(), caps: false, number: None, heard: None, scans }
    }

    /// Something happened to a key. It may end a scan.
    pub fn handle(&mut self, event: KeyEvent, now: Moment) -> Option<&str> {
        self.handle_timeout(now);
        self.heard = Some(now);
        let letter = match event {
            KeyEvent::Down(code) => self.down(code),
            KeyEvent::Up(code) => self.up(code),
            KeyEvent::Gap => {
                self.let_go();
                Some(SPOILT)
            }
        };
        let mut bytes = [0; 4];
        let (last, first) = letter?.encode_utf8(&mut bytes).as_bytes().split_last()?;
        first.iter().for_each(|byte| _ = self.scans.take(*byte, now));
        self.scans.take(*last, now)
    }

    /// When [`KeyReader::handle_timeout`] wants to be called, if nothing comes.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let let_go = self.heard.map(|heard| heard + HALF);
        self.scans.poll_timeout().into_iter().chain(let_go).min()
    }

    /// Time went by.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.scans.handle_timeout(now);
        if self.heard.is_some_and(|heard| now >= heard + HALF) {
            self.heard = None;
            self.let_go();
        }
    }

    /// The scan that was given last; empty before the first one.
    #[must_use]
    pub fn last(&self) -> &str {
        self.scans.last()
    }

    /// What was refused since it was grabbed.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.scans.refused()
    }

    fn let_go(&mut self) {
        (self.held, self.number) = (Held::default(), None);
    }

    fn down(&mut self, code: u16) -> Option<char> {
        let Held { left_shift, right_shift, left_control, right_control, alt, alt_gr } = self.held;
        if let Some(key) = self.held.key(code) {
            *key = true;
            return None;
        }
        if code == layout::CAPS_LOCK {
            self.caps = !self.caps;
            return None;
        }
        if alt {
            let Some(digit) = layout::pad_digit(code) else { return Some(SPOILT) };
            let (number, zero) = self.number.unwrap_or((0, digit == 0));
            self.number = Some((number.saturating_mul(10).saturating_add(digit), zero));
            return None;
        }
        let shift = left_shift || right_shift;
        if left_control || right_control {
            return Some(match code {
                layout::RIGHT_BRACE => '\u{1d}',
                layout::M | layout::J => '\r',
                _ => SPOILT,
            });
        }
        if matches!(code, layout::ENTER | layout::PAD_ENTER | layout::TAB) {
            return Some('\r');
        }
        let letter = self.layout.letter(Stroke { code, shift, alt_gr });
        let caps = |letter: char| match letter {
            letter if letter.is_lowercase() && letter != 'ß' => letter.to_uppercase().next(),
            letter if letter.is_uppercase() => letter.to_lowercase().next(),
            letter => Some(letter),
        };
        Some(letter.and_then(|letter| if self.caps { caps(letter) } else { Some(letter) }).unwrap_or(SPOILT))
    }

    fn up(&mut self, code: u16) -> Option<char> {
        if let Some(key) = self.held.key(code) {
            *key = false;
        }
        if code != layout::ALT {
            return None;
        }
        let (number, zero) = self.number.take()?;
        let page = if zero { CodePage::Wpc1252 } else { CodePage::Pc437 };
        Some(match u8::try_from(number) {
            Ok(0x1d) => '\u{1d}',
            Ok(b'\r' | b'\n' | b'\t') => '\r',
            Ok(byte) => page.decode(byte).unwrap_or(SPOILT),
            Err(_) => SPOILT,
        })
    }
}

impl Held {
    fn key(&mut self, code: u16) -> Option<&mut bool> {
        Some(match code {
            layout::LEFT_SHIFT => &mut self.left_shift,
            layout::RIGHT_SHIFT => &mut self.right_shift,
            layout::LEFT_CONTROL => &mut self.left_control,
            layout::RIGHT_CONTROL => &mut self.right_control,
            layout::ALT => &mut self.alt,
            layout::ALT_GR => &mut self.alt_gr,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
