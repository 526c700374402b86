//! What is read: symbologies, a set of them, and a code as scanners send it.

use heapless::Vec;

/// The most characters of a code. A GS1-128 has 48.
pub const MAX_TEXT: usize = 100;

/// A symbology that the decoder reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbology {
    /// Thirteen digits, ISO/IEC 15420.
    Ean13,
    /// Eight digits, ISO/IEC 15420.
    Ean8,
    /// Twelve digits, ISO/IEC 15420: the bars of an EAN-13 that starts with 0.
    UpcA,
    /// A UPC-A with its zeros squeezed out, number system 0, ISO/IEC 15420.
    UpcE,
    /// ISO/IEC 15417, and GS1-128 when FNC1 comes first.
    Code128,
    /// Interleaved 2 of 5, ISO/IEC 16390. Fourteen digits have a check digit (ITF-14).
    Itf,
}

impl Symbology {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of symbologies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbologies(u8);

impl Symbologies {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(0b11_1111);

    /// The set and this one.
    #[must_use]
    pub const fn with(self, symbology: Symbology) -> Self {
        Self(self.0 | symbology.bit())
    }

    /// The set but for this one.
    #[must_use]
    pub const fn without(self, symbology: Symbology) -> Self {
        Self(self.0 & !symbology.bit())
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn has(self, symbology: Symbology) -> bool {
        self.0 & symbology.bit() != 0
    }
}

/// A code that was read, in the form in which scanners send it (symbology identifiers: ISO/IEC 15424, annex F).
///
/// | symbology | identifier | text |
/// |---|---|---|
/// | EAN-13 | `]E0` | 13 digits |
/// | UPC-A | `]E0` | 13 digits, the first a 0 |
/// | UPC-E | `]E0` | 13 digits: the UPC-A that it stands for, with a 0 in front |
/// | EAN-8 | `]E4` | 8 digits |
/// | Code 128 | `]C0` | its characters |
/// | GS1-128 | `]C1` | its characters without the first FNC1; any other FNC1 is GS, byte 29 |
/// | ITF-14 | `]I1` | 14 digits, the check digit verified |
/// | ITF of another length | `]I0` | its digits, unchecked |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What it was printed in.
    pub symbology: Symbology,
    /// The symbology identifier, three bytes.
    pub identifier: &'static str,
    /// The characters: digits, but for Code 128, which may hold any byte below 128.
    pub text: Vec<u8, MAX_TEXT>,
}

/// A code is believed when equal reads bring so much.
pub(super) const ENOUGH: u8 = 6;
/// What a read brings that is likely: two such are enough.
pub(super) const LIKELY: u8 = 3;
/// What a read brings whose points are as far off as the next best ones: three such are enough.
pub(super) const DOUBTFUL: u8 = 2;

/// A code as one scan has it.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) code: Code,
    /// How much of [`ENOUGH`] this read brings.
    pub(super) weight: u8,
}

/// Writes digits (0–9) as characters. `None` when they are too many.
pub(super) fn text(digits: impl IntoIterator<Item = u8>) -> Option<Vec<u8, MAX_TEXT>> {
    let mut text = Vec::new();
    for digit in digits {
        text.push(digit.checked_add(b'0')?).ok()?;
    }
    Some(text)
}

/// Whether the last digit is the check digit of those before it: weights 3 and 1 from the right (ISO/IEC 15420,
/// annex A; GS1 General Specifications, 7.9.1).
pub(super) fn checked(digits: &[u8]) -> bool {
    let weighted = digits.iter().rev().zip([1u32, 3].into_iter().cycle());
    let sum = weighted
        .fold(0u32, |sum, (digit, weight)| sum.saturating_add(u32::from(*digit).saturating_mul(weight)));
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_digit_is_always_seen() {
        let good = [4, 0, 0, 6, 3, 8, 1, 3, 3, 3, 9, 3, 1];
        assert!(checked(&good));
        for at in 0..good.len() {
            for other in (0..10).filter(|other| *other != good[at]) {
                let mut wrong = good;
                wrong[at] = other;
                assert!(!checked(&wrong));
            }
        }
    }

    #[test]
    fn a_set_has_what_was_put_in() {
        let set = Symbologies::NONE.with(Symbology::Itf).with(Symbology::Ean13).without(Symbology::Ean13);
        assert!(set.has(Symbology::Itf) && !set.has(Symbology::Ean13) && !set.has(Symbology::UpcE));
        assert!(Symbologies::ALL.has(Symbology::Ean13) && Symbologies::ALL.has(Symbology::Itf));
    }
}
