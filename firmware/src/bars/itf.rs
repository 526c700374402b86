//! Interleaved 2 of 5 and ITF-14 (ISO/IEC 16390).
//!
//! Five bars are a digit and the five spaces between them the next one: two wide, three narrow. Bars are compared with
//! bars and spaces with spaces of the same pair of digits, so that neither ink spread nor speed is in the comparison.
//!
//! Any part of an ITF symbol that starts and ends at the right places looks like a shorter one. So a length is read only
//! when it was asked for, the quiet zones have to be there, and one scan is never enough.

use heapless::Vec;

use super::symbol::{Code, Read, Symbology, checked, text};
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
    if body % PAIR != 0 || !lengths.has(body / PAIR * 2) {
        return None;
    }
    let (&[bar, space, other, last], rest) = elements.split_first_chunk::<START>()?;
    let (pairs, &[wide, _, narrow]) = rest.as_chunks::<PAIR>() else { return None };
    let width = |pair: &[u32; PAIR]| pair.iter().copied().fold(0, u32::saturating_add);
    // Four narrow elements are between a fifth and three tenths of a pair, which has four wide and six narrow ones.
    let start = [bar, space, other, last].into_iter().fold(0, u32::saturating_add);
    let first = width(pairs.first()?);
    let narrow_start = start.saturating_mul(6) >= first && start.saturating_mul(5) <= first.saturating_mul(2);
    if !narrow_start || wider(bar, other) || wider(other, bar) || wider(space, last) || wider(last, space) {
        return None;
    }
    if !wider(wide, narrow)
        || !pairs.iter().zip(pairs.iter().skip(1)).all(|(one, next)| steady(width(one), width(next)))
    {
        return None;
    }
    let mut digits = Vec::<u8, DIGITS>::new();
    for [a, b, c, d, e, f, g, h, i, j] in pairs {
        digits.push(digit([*a, *c, *e, *g, *i])?).ok()?;
        digits.push(digit([*b, *d, *f, *h, *j])?).ok()?;
    }
    let identifier = match digits.len() {
        14 if checked(&digits) => "]I1",
        14 => return None,
        _ => "]I0",
    };
    let code = Code { symbology: Symbology::Itf, identifier, text: text(digits)? };
    Some(Read { code, strong: false })
}

/// The digit of five elements of one colour: which two are wide (table 1).
fn digit(elements: [u32; 5]) -> Option<u8> {
    let mut sorted = elements;
    sorted.sort_unstable();
    let [thinnest, _, narrow, wide, widest] = sorted;
    // Two of a kind are not far from each other, and the kinds are apart.
    if !wider(wide, narrow) || widest > wide.saturating_mul(2) || narrow > thinnest.saturating_mul(4) {
        return None;
    }
    let set = elements.into_iter().fold(0u8, |set, element| set << 1 | u8::from(element >= wide));
    Some(match set {
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

/// Whether one element is clearly wider than another of its colour: a fifth at least.
fn wider(one: u32, other: u32) -> bool {
    one.saturating_mul(5) >= other.saturating_mul(6)
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
        assert_eq!(digit([10, 10, 25, 25, 10]), Some(0));
        assert_eq!(digit([12, 30, 9, 22, 13]), Some(9));
        assert_eq!(digit([10, 10, 25, 10, 10]), None, "one");
        assert_eq!(digit([25, 10, 25, 25, 10]), None, "three");
        assert_eq!(digit([0; 5]), None);
    }
}
