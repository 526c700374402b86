//! What a front end is: something that sees codes, by a scan engine's bytes or by bars.

use device_drivers::Moment;

/// A code that a front end saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The letter and the digit behind `]` of its symbology identifier (ISO/IEC 15424); two zeros where nobody said.
    pub symbology: [u8; 2],
    /// Its characters, at most [`MAX_SCAN`](device_drivers::MAX_SCAN).
    pub data: &'a [u8],
}

/// What makes codes of what it is shown.
pub trait FrontEnd {
    /// What it is shown: a byte, a run.
    type Sight;

    /// Only these are wanted from now on. What it tells beside them is left out.
    fn select(&mut self, _wanted: Wanted) {}

    /// It is shown this. Gives a code that this ends.
    fn handle(&mut self, sight: Self::Sight, now: Moment) -> Option<Seen<'_>>;

    /// Time went by. Gives a code that this ends.
    fn handle_timeout(&mut self, _now: Moment) -> Option<Seen<'_>> {
        None
    }
}

/// The symbologies that are wanted: [`Settings::symbologies`](pos_link::Settings::symbologies). What has no bit there, as the two-dimensional
/// ones of an engine, always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(pub u32);

impl Wanted {
    /// All of them.
    pub const ALL: Self = Self(u32::MAX);
    pub(super) const EAN_13: Self = Self(1);
    pub(super) const EAN_8: Self = Self(1 << 1);
    pub(super) const UPC_A: Self = Self(1 << 2);
    pub(super) const UPC_E: Self = Self(1 << 3);
    pub(super) const CODE_128: Self = Self(1 << 4);
    pub(super) const GS1_128: Self = Self(1 << 5);
    pub(super) const ITF: Self = Self(1 << 6);

    /// Whether one of these is wanted.
    #[must_use]
    pub const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this code is wanted. UPC-A and UPC-E look alike when they come from an engine: the one or the other is enough.
    pub(super) fn has(self, seen: &Seen<'_>) -> bool {
        let of = match (seen.symbology, seen.data) {
            ([b'E', b'4'], _) => Self::EAN_8,
            ([b'E', b'0' | b'3'], [b'0', ..] | [_, _, _, _, _, _, _, _, _, _, _, _]) => {
                Self::UPC_A.or(Self::UPC_E)
            }
            ([b'E', b'0' | b'3'], [_, _, _, _, _, _, _, _]) => Self::UPC_E,
            ([b'E', b'0' | b'3'], _) => Self::EAN_13,
            ([b'C', b'1'], _) => Self::GS1_128,
            ([b'C', _], _) => Self::CODE_128,
            ([b'I', _], _) => Self::ITF,
            _ => return true,
        };
        self.any(of)
    }
}

/// Two front ends on one board.
#[derive(Debug)]
pub struct Both<A, B>(pub A, pub B);

/// What one of two front ends is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneOf<A, B> {
    /// The first one.
    First(A),
    /// The second one.
    Second(B),
}

impl<A: FrontEnd, B: FrontEnd> FrontEnd for Both<A, B> {
    type Sight = OneOf<A::Sight, B::Sight>;

    fn select(&mut self, wanted: Wanted) {
        self.0.select(wanted);
        self.1.select(wanted);
    }

    fn handle(&mut self, sight: Self::Sight, now: Moment) -> Option<Seen<'_>> {
        match sight {
            OneOf::First(sight) => self.0.handle(sight, now),
            OneOf::Second(sight) => self.1.handle(sight, now),
        }
    }

    /// When both have one, the second's comes with the next call.
    fn handle_timeout(&mut self, now: Moment) -> Option<Seen<'_>> {
        match self.0.handle_timeout(now) {
            Some(seen) => Some(seen),
            None => self.1.handle_timeout(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_is_a_symbology_and_what_has_none_is_always_wanted() {
        let codes: [([u8; 2], &[u8], u32); 11] = [
            (*b"E0", b"4006381333931", 1),
            (*b"E3", b"400638133393112345", 1),
            (*b"E4", b"96385074", 1 << 1),
            (*b"E0", b"0012345678905", 0b1100),
            (*b"E0", b"612345678901", 0b1100),
            (*b"E0", b"04252614", 0b1100),
            (*b"E0", b"14252614", 1 << 3),
            (*b"C0", b"abc", 1 << 4),
            (*b"C1", b"0104006381333931", 1 << 5),
            (*b"I1", b"15400141288763", 1 << 6),
            (*b"I0", b"1234", 1 << 6),
        ];
        for (symbology, data, bits) in codes {
            let seen = Seen { symbology, data };
            for bit in 0..32 {
                assert_eq!(Wanted(1 << bit).has(&seen), bits & 1 << bit != 0, "{seen:?}, bit {bit}");
            }
        }
        for symbology in [*b"Q3", *b"d2", [0, 0]] {
            assert!(Wanted(0).has(&Seen { symbology, data: b"1" }));
        }
    }
}
