//! A character display with the controller HD44780, behind the port expander PCF8574 on an I2C bus: the modules that are
//! sold as "1602 I2C" and "2004 I2C". The same code runs on any bus of embedded-hal.
//!
//! The expander's eight pins are wired to the controller's 4-bit interface as on nearly all of these modules:
//!
//! | bit | 7–4 | 3 | 2 | 1 | 0 |
//! |---|---|---|---|---|---|
//! | pin | D7–D4 | backlight | E | R/W (0: write) | RS (1: letter, 0: command) |
//!
//! The controller takes four bits when E falls, so each byte is four on the bus: the upper half with E, without E, then the
//! lower half. A byte of the bus takes 90 µs at 100 kHz, more than the controller needs for any command but two; after
//! those it is left alone.
//!
//! | command | bytes | what |
//! |---|---|---|
//! | wake | `3 3 3 2` (halves) | whatever it was in, 4-bit interface from here on |
//! | function set | `28` | 4 bits, two lines, 5×8 dots |
//! | display off, clear, entry mode, display on | `08 01 06 0C` | blank; the cursor moves right and is not shown |
//! | address | `80`, `C0` | the upper, the lower line |

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

use super::proto::{COLUMNS, DisplayLine};
use crate::code_page::similar;

const BACKLIGHT: u8 = 0x08;
const ENABLE: u8 = 0x04;
const LETTER: u8 = 0x01;

/// From power-on to the first command.
const POWER_ON_MS: u32 = 50;
/// After the first half of the wake-up, and after clearing.
const LONG_US: u32 = 4_500;
/// After any other half of the wake-up.
const SHORT_US: u32 = 150;

/// How many letters a line has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Glass {
    /// Two lines of sixteen.
    TwoBySixteen,
    /// Two lines of twenty, also the upper half of a four-line one.
    #[default]
    TwoByTwenty,
}

impl Glass {
    /// Letters of a line.
    #[must_use]
    pub fn columns(self) -> usize {
        match self {
            Self::TwoBySixteen => 16,
            Self::TwoByTwenty => COLUMNS,
        }
    }
}

/// The display on a bus.
#[derive(Debug)]
pub struct CharLcd<I, D> {
    bus: I,
    delay: D,
    address: u8,
    glass: Glass,
    /// It was started, and nothing failed since.
    started: bool,
}

impl<I: I2c, D: DelayNs> CharLcd<I, D> {
    /// A display at this address of the bus, 20 to 27 or 38 to 3F (hexadecimal). Nothing is sent yet.
    pub fn new(bus: I, delay: D, address: u8, glass: Glass) -> Self {
        Self { bus, delay, address, glass, started: false }
    }

    /// Shows two lines in place of those before. Starts the display where that is needed: at first, and after an error, as it
    /// may have been without power.
    ///
    /// # Errors
    /// Those of the bus.
    pub fn show(&mut self, lines: &[DisplayLine; 2]) -> Result<(), I::Error> {
        if !self.started {
            self.start()?;
        }
        self.started = false;
        for (row, line) in [0x80, 0xc0].into_iter().zip(lines) {
            self.send(row, 0)?;
            for letter in line.letters(self.glass.columns()) {
                self.send(rom(letter), LETTER)?;
            }
        }
        self.started = true;
        Ok(())
    }

    /// Gives the bus back.
    pub fn release(self) -> (I, D) {
        (self.bus, self.delay)
    }

    fn start(&mut self) -> Result<(), I::Error> {
        self.delay.delay_ms(POWER_ON_MS);
        for (half, pause) in [(0x30, LONG_US), (0x30, SHORT_US), (0x30, SHORT_US), (0x20, SHORT_US)] {
            let pins = half | BACKLIGHT;
            self.bus.write(self.address, &[pins | ENABLE, pins])?;
            self.delay.delay_us(pause);
        }
        for command in [0x28, 0x08, 0x01] {
            self.send(command, 0)?;
        }
        self.delay.delay_us(LONG_US);
        self.send(0x06, 0)?;
        self.send(0x0c, 0)
    }

    fn send(&mut self, byte: u8, kind: u8) -> Result<(), I::Error> {
        let [upper, lower] = [byte & 0xf0, byte << 4].map(|half| half | BACKLIGHT | kind);
        self.bus.write(self.address, &[upper | ENABLE, upper, lower | ENABLE, lower])
    }
}

/// The byte of a letter in the character ROM A00, which nearly all of these modules have; a similar letter's, or `?`.
fn rom(letter: char) -> u8 {
    let own = |letter: char| match letter {
        // A yen sign and an arrow stand in the place of these.
        '\\' => Some(b'/'),
        '~' => Some(b'-'),
        ' '..='~' => u8::try_from(letter).ok(),
        'ä' => Some(0xe1),
        'ß' => Some(0xe2),
        'µ' | 'μ' => Some(0xe4),
        '¢' => Some(0xec),
        '£' => Some(0xed),
        'ñ' => Some(0xee),
        'ö' => Some(0xef),
        'ü' => Some(0xf5),
        '°' => Some(0xdf),
        '¥' => Some(0x5c),
        _ => None,
    };
    own(letter).or_else(|| similar(letter).and_then(own)).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_places_of_the_rom() {
        let bytes: Vec<u8> = "Aä€Č\\~°好".chars().map(rom).collect();
        assert_eq!(bytes, [b'A', 0xe1, b'E', b'C', b'/', b'-', 0xdf, b'?']);
        assert!((' '..='}').filter(|c| *c != '\\').all(|letter| u32::from(rom(letter)) == u32::from(letter)));
    }
}
