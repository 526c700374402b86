//! Two ways in which scales talk over a serial line, as readings; without I/O.
//!
//! **Polled**, as the Toledo 8217 and many after it: `W` asks for the weight, `Z` zeroes. The answer is one of
//!
//! | bytes | what |
//! |-------|------|
//! | STX digits, with or without a point, `N`? CR | a stable weight; `N`: net, after a tare |
//! | STX `?` status CR | no weight: see the status's bits |
//!
//! Status: bit 0 motion, 1 over capacity, 2 under zero, 3 outside the range that can be zeroed, 4 centre of zero, 5 net.
//!
//! **Continuous**, as Toledo's standard output: frames of seventeen bytes without end (a checksum may follow)
//!
//! | offset | bytes | what |
//! |-------:|------:|------|
//! | 0 | 1 | STX |
//! | 1 | 1 | status A: bits 0–2 where the point is (2: none, 3: one place, 4: two, 5: three…) |
//! | 2 | 1 | status B: bit 0 net, 1 negative, 2 out of range, 3 motion, 4 kilograms (else pounds) |
//! | 3 | 1 | status C |
//! | 4 | 6 | weight, digits, leading blanks |
//! | 10 | 6 | tare, the same |
//! | 16 | 1 | CR |
//!
//! Parity bits are the line's affair; a byte above 7F is damage.

use heapless::Vec;

use super::weight::{Reading, Unit, Unsettled, Weight};

const STX: u8 = 0x02;
const CR: u8 = b'\r';
/// The longest frame of either way, in bytes.
const MAX_FRAME: usize = 18;

/// How a scale talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Asked each time. What it weighs in, and how many of its digits are places where it sends no point.
    Polled {
        /// Its unit.
        unit: Unit,
        /// From 0 to 3.
        places: u8,
    },
    /// By itself, many times a second.
    Continuous,
}

impl Talk {
    pub(super) fn is_polled(self) -> bool {
        matches!(self, Self::Polled { .. })
    }

    /// What asks for a weight; empty where nobody needs to ask.
    #[must_use]
    pub fn ask(self) -> &'static [u8] {
        match self {
            Self::Polled { .. } => b"W",
            Self::Continuous => b"",
        }
    }

    /// What sets the scale to zero.
    #[must_use]
    pub fn zero(self) -> &'static [u8] {
        b"Z"
    }
}

/// Makes readings of bytes.
#[derive(Debug)]
pub struct ScaleReader {
    talk: Talk,
    frame: Vec<u8, MAX_FRAME>,
    within: bool,
    refused: u64,
}

impl ScaleReader {
    /// A reader of a line that was just opened.
    #[must_use]
    pub const fn new(talk: Talk) -> Self {
        Self { talk, frame: Vec::new(), within: false, refused: 0 }
    }

    /// A byte came. A whole frame gives a reading.
    pub fn take(&mut self, byte: u8) -> Option<Reading> {
        match byte {
            // A frame begins, wherever the last one was.
            STX => {
                self.refused += u64::from(self.within && !self.frame.is_empty());
                self.frame.clear();
                self.within = true;
                None
            }
            CR if self.within => {
                self.within = false;
                let reading = match self.talk {
                    Talk::Polled { unit, places } => polled(&self.frame, unit, places),
                    Talk::Continuous => continuous(&self.frame),
                };
                self.refused += u64::from(reading.is_none());
                reading
            }
            byte if self.within && byte < 0x80 && self.frame.push(byte).is_ok() => None,
            _ if self.within => {
                self.within = false;
                self.refused += 1;
                None
            }
            // Checksums, noise.
            _ => None,
        }
    }

    /// Frames that made no sense.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

fn polled(frame: &[u8], unit: Unit, places: u8) -> Option<Reading> {
    if let [b'?', status] = frame {
        let reasons = [
            (0x02, Unsettled::OverCapacity),
            (0x04, Unsettled::UnderZero),
            (0x01, Unsettled::Motion),
            (0x08, Unsettled::OutsideZero),
        ];
        let reason = reasons.into_iter().find(|(bit, _)| status & bit != 0);
        // Nothing wrong and no weight: an empty scale at rest.
        let empty = Reading::Stable(Weight { thousandths: 0, unit });
        return Some(reason.map_or(empty, |(_, reason)| Reading::Unsettled(reason)));
    }
    let digits = frame.strip_suffix(b"N").unwrap_or(frame).trim_ascii();
    Some(Reading::Stable(Weight { thousandths: thousandths(digits, places)?, unit }))
}

fn continuous(frame: &[u8]) -> Option<Reading> {
    let [a, b, _, rest @ ..] = frame else { return None };
    let (weight, tare) = rest.split_at_checked(6)?;
    if tare.len() != 6 {
        return None;
    }
    let places = (a & 0x07).checked_sub(2)?;
    let unit = if b & 0x10 == 0 { Unit::Pound } else { Unit::Kilogram };
    let amount = thousandths(weight.trim_ascii(), places)?;
    // The tare says nothing that the weight does not, but must be one.
    thousandths(tare.trim_ascii(), places)?;
    if b & 0x04 != 0 {
        let under = b & 0x02 != 0;
        return Some(Reading::Unsettled(if under { Unsettled::UnderZero } else { Unsettled::OverCapacity }));
    }
    if b & 0x08 != 0 {
        return Some(Reading::Unsettled(Unsettled::Motion));
    }
    Some(Reading::Stable(Weight { thousandths: if b & 0x02 == 0 { amount } else { -amount }, unit }))
}

/// `0475`, `00.475` as thousandths; `places` where there is no point. At most three places.
fn thousandths(digits: &[u8], places: u8) -> Option<i64> {
    let point = digits.iter().position(|byte| *byte == b'.');
    let behind = point.map_or(usize::from(places), |at| digits.len() - at - 1);
    let mut number: i64 = 0;
    let mut any = false;
    for (_, digit) in digits.iter().enumerate().filter(|(at, _)| Some(*at) != point) {
        if !digit.is_ascii_digit() {
            return None;
        }
        any = true;
        number = number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
    }
    let missing = u32::try_from(3_usize.checked_sub(behind)?).ok()?;
    if any { number.checked_mul(10_i64.pow(missing)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLLED: Talk = Talk::Polled { unit: Unit::Kilogram, places: 3 };

    fn readings(talk: Talk, bytes: &[u8]) -> std::vec::Vec<Reading> {
        let mut reader = ScaleReader::new(talk);
        bytes.iter().filter_map(|byte| reader.take(*byte)).collect()
    }

    fn kilograms(thousandths: i64) -> Reading {
        Reading::Stable(Weight { thousandths, unit: Unit::Kilogram })
    }

    #[test]
    fn a_polled_scale_tells_its_weight_or_why_it_has_none() {
        assert_eq!(readings(POLLED, b"\x0200475\r"), [kilograms(475)]);
        assert_eq!(readings(POLLED, b"\x0200.475N\r\x02 1.2\r"), [kilograms(475), kilograms(1_200)]);
        for (status, reason) in [
            (0x41, Unsettled::Motion),
            (0x42, Unsettled::OverCapacity),
            (0x44, Unsettled::UnderZero),
            (0x48, Unsettled::OutsideZero),
            (0x43, Unsettled::OverCapacity),
        ] {
            assert_eq!(readings(POLLED, &[STX, b'?', status, CR]), [Reading::Unsettled(reason)]);
        }
        assert_eq!(readings(POLLED, b"\x02?\x50\r"), [kilograms(0)], "the centre of zero");
        let pounds = Talk::Polled { unit: Unit::Pound, places: 2 };
        assert_eq!(
            readings(pounds, b"\x020125\r"),
            [Reading::Stable(Weight { thousandths: 1_250, unit: Unit::Pound })]
        );
    }

    #[test]
    fn a_continuous_scale_is_read_in_the_middle_of_its_talk() {
        let frame = |b: u8, weight: &str| [&[STX, 0x25, b, 0x20], weight.as_bytes(), b"000000\r"].concat();
        let talk =
            [b"5000000\rZ".to_vec(), frame(0x30, "   475"), frame(0x38, "   481"), frame(0x32, "000010")]
                .concat();
        assert_eq!(
            readings(Talk::Continuous, &talk),
            [kilograms(475), Reading::Unsettled(Unsettled::Motion), kilograms(-10)]
        );
        assert_eq!(
            readings(Talk::Continuous, &[frame(0x34, "999999"), frame(0x36, "000000")].concat()),
            [Reading::Unsettled(Unsettled::OverCapacity), Reading::Unsettled(Unsettled::UnderZero)]
        );
        assert_eq!(
            readings(Talk::Continuous, &frame(0x20, "001234")),
            [Reading::Stable(Weight { thousandths: 1_234, unit: Unit::Pound })]
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_next_frame_is_understood() {
        for noise in [
            b"\x02\r".as_slice(),
            b"\x021.2.3\r",
            b"\x02 \r",
            b"\x02?\r",
            b"\x0212\x8034\r",
            b"\x0212345",
            b"\x02-5\r",
        ] {
            let mut reader = ScaleReader::new(POLLED);
            let bytes = [noise, b"\x02\x0200475\r"].concat();
            let found: std::vec::Vec<_> = bytes.iter().filter_map(|byte| reader.take(*byte)).collect();
            assert_eq!(found, [kilograms(475)], "{noise:?}");
            assert_eq!(reader.refused(), 1, "{noise:?}");
        }
        let mut reader = ScaleReader::new(POLLED);
        let endless = std::iter::once(STX).chain(std::iter::repeat_n(b'9', 100_000));
        assert_eq!(endless.filter_map(|byte| reader.take(byte)).count(), 0);
        assert_eq!(reader.refused(), 1);
    }
}
