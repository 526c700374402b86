//! Interleaved 2 of 5 and ITF-14 (ISO/IEC 16390).
//!
//! Five bars are a digit and the five spaces between them the next one: two wide, three narrow. Bars are compared with
//! bars and spaces with spaces of the same pair of digits, so that neither ink spread nor speed is in the comparison.
//!
//! Any part of an ITF symbol that starts and ends at the right places looks like a shorter one. So a length is read only
//! when it was asked for, and the quiet zones have to be there. One scan is enough for fourteen digits of which the wide
//! and narrow elements are far apart, as their check digit is right; of other lengths it never is.

use heapless::Vec;

use super::symbol::{Code, ENOUGH, LIKELY, Read, Symbology, checked, text};
use super::width::steady;

/// Elements of the start, of a pair of digits, and of the end.
const START: usize = 4;
const PAIR: usize = 10;
const END: usize = 3;
/// The most digits of a symbol.
const DIGITS: usize = 30;

/// Lengths of ITF symbols that are read: even numbers of digits from 2 to 30.
///
/// Only fourteen digits are known to have a check digit; the others are as good as their print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItfLengths(u16);

impl ItfLengths {
    /// Fourteen digits, with a check digit.
    pub const ITF14: Self = Self(1 << 7);

    /// These lengths and one more. One that is odd, zero or above 30 changes nothing.
    #[must_use]
    pub const fn and(self, digits: u8) -> Self {
        match digits {
            2..=30 if digits.is_multiple_of(2) => Self(self.0 | 1 << (digits / 2)),
            _ => self,
        }
    }

    /// Whether symbols of so many digits are read.
    #[must_use]
    pub const fn has(self, digits: usize) -> bool {
        digits <= DIGITS && digits.is_multiple_of(2) && self.0 >> (digits / 2) & 1 == 1
    }
}

/// Reads ITF in this direction.
pub(super) fn read(elements: &[u32], lengths: ItfLengths) -> Option<Read> {
    let body = elements.len().checked_sub(START + END)?;
    if body % PAIR != 0 || !lengths.has((body / PAIR).saturating_mul(2)) {
        return None;
    }
    let (&[bar, space, other, last], rest) = elements.split_first_chunk::<START>()?;
    let (pairs, &[end, gap, tip]) = rest.as_chunks::<PAIR>() else { return None };
    let width = |pair: &[u32; PAIR]| pair.iter().copied().fold(0, u32::saturating_add);
    if !pairs.iter().zip(pairs.iter().skip(1)).all(|(one, next)| steady(width(one), width(next))) {
        return None;
    }
    let mut digits = Vec::<u8, DIGITS>::new();
    let mut clear = true;
    // Between the narrow and the wide bars, and spaces, of a pair.
    let mut between = None;
    for [a, b, c, d, e, f, g, h, i, j] in pairs {
        let [bars, spaces] = [Five::of([*a, *c, *e, *g, *i])?, Five::of([*b, *d, *f, *h, *j])?];
        if between.is_none() && !(bar.max(other) < bars.between() && space.max(last) < spaces.between()) {
            return None;
        }
        for five in [&bars, &spaces] {
            clear &= five.clear();
            digits.push(five.digit()?).ok()?;
        }
        between = Some((bars.between(), spaces.between()));
    }
    let (bars, spaces) = between?;
    if !(end > bars && tip < bars && gap < spaces) {
        return None;
    }
    let identifier = match digits.len() {
        14 if checked(&digits) => "]I1",
        14 => return None,
        _ => "]I0",
    };
    let code = Code { symbology: Symbology::Itf, identifier, text: text(digits.iter().copied())? };
    Some(Read { code, weight: if clear && digits.len() == 14 { ENOUGH } else { LIKELY } })
}

/// Five elements of one colour.
struct Five {
    elements: [u32; 5],
    /// The widest of the narrow ones, the narrowest of the wide ones.
    narrow: u32,
    wide: u32,
}

impl Five {
    /// `None` when no two are wider than the others, or two of a kind are far from each other.
    fn of(elements: [u32; 5]) -> Option<Self> {
        let mut sorted = elements;
        sorted.sort_unstable();
        let [thinnest, _, narrow, wide, widest] = sorted;
        let alike = widest <= wide.saturating_mul(2) && narrow <= thinnest.saturating_mul(4);
        (alike && wide > narrow).then_some(Self { elements, narrow, wide })
    }

    fn between(&self) -> u32 {
        self.narrow.saturating_add(self.wide) / 2
    }

    /// Whether the kinds are far apart: two to three.
    fn clear(&self) -> bool {
        self.narrow.saturating_mul(3) <= self.wide.saturating_mul(2)
    }

    /// The digit by which two are wide (table 1).
    fn digit(&self) -> Option<u8> {
        let wide = self.elements.iter().map(|element| u8::from(*element >= self.wide));
        Some(match wide.fold(0u8, |set, wide| set << 1 | wide) {
            0b00110 => 0,
            0b10001 => 1,
            0b01001 => 2,
            0b11000 => 3,
            0b00101 => 4,
            0b10100 => 5,
            0b01100 => 6,
            0b00011 => 7,
            0b10010 => 8,
            0b01010 => 9,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_only_when_it_was_asked_for() {
        let lengths = ItfLengths::ITF14.and(6).and(7).and(0).and(32);
        let read: std::vec::Vec<_> = (0..64).filter(|digits| lengths.has(*digits)).collect();
        assert_eq!(read, [6, 14]);
    }

    #[test]
    fn two_of_five_are_wide() {
        let digit = |elements| Five::of(elements).and_then(|five| five.digit());
        assert_eq!(digit([10, 10, 25, 25, 10]), Some(0));
        assert_eq!(digit([12, 30, 9, 22, 13]), Some(9));
        assert_eq!(digit([10, 10, 25, 10, 10]), None, "one");
        assert_eq!(digit([25, 10, 25, 25, 10]), None, "three");
        assert_eq!(digit([0; 5]), None);
    }
}
