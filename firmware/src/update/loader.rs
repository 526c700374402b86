//! What a boot loader does on every board: it puts what may run into the RAM, and says from which slot that is.
//!
//! The mark by which it says so is for ever, as the image's form is: a boot loader is never updated.

use ed25519_dalek::VerifyingKey;
use embedded_storage::nor_flash::NorFlash;
use pos_link::Kind;

use super::boot::boot;
use super::image::Target;
use super::state::Slot;
use super::store::Store;

/// Says that the first slot was started; one more, the second.
const FIRST: u32 = 0x7b5d_1070;
const SECOND: u32 = 0x7b5d_1071;

impl Slot {
    /// What a boot loader leaves for the image that it starts from this slot.
    #[must_use]
    pub const fn mark(self) -> u32 {
        match self {
            Self::First => FIRST,
            Self::Second => SECOND,
        }
    }

    /// The slot by which a boot loader left this mark; `None` if no boot loader did.
    #[must_use]
    pub const fn from_mark(mark: u32) -> Option<Self> {
        match mark {
            FIRST => Some(Self::First),
            SECOND => Some(Self::Second),
            _ => None,
        }
    }
}

/// Copies the body of the image that may run to `into`, whole, signed and looked at there, and gives the slot that it is from.
/// `None` if there is nothing that may run. `key` is the public half of the one that signs images.
///
/// A watchdog is to be fed by `feed`: before the first step, and behind each that takes long.
pub fn load<F: NorFlash>(
    store: &mut Store<F>,
    target: Target,
    key: &[u8; 32],
    into: &mut [u8],
    mut feed: impl FnMut(),
) -> Option<Slot> {
    let key = VerifyingKey::from_bytes(key).ok()?;
    feed();
    let (slot, header) = boot(store, target, &key).ok()??;
    feed();
    store.load(slot, &header, into).ok()?;
    feed();
    Some(slot)
}

/// The key of these 64 digits, as `xtask firmware keygen` prints them. For a constant: a boot loader is built for one key.
#[must_use]
pub const fn key_of(digits: &str) -> Option<[u8; 32]> {
    let mut digits = digits.as_bytes();
    let mut key = [0; 32];
    let mut left = key.as_mut_slice();
    while let Some((byte, behind)) = left.split_first_mut() {
        let [high, low, rest @ ..] = digits else { return None };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return None };
        *byte = high << 4 | low;
        (digits, left) = (rest, behind);
    }
    if digits.is_empty() { Some(key) } else { None }
}

/// The kind of this name, as `xtask firmware pack` takes it. For a constant, as [`key_of`].
#[must_use]
pub const fn kind_of(name: &str) -> Option<Kind> {
    match name.as_bytes() {
        b"drawer" => Some(Kind::Drawer),
        b"scanner" => Some(Kind::Scanner),
        _ => None,
    }
}

const fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::ToString as _;

    use super::*;

    #[test]
    fn the_marks_are_pinned_and_nothing_else_is_one() {
        assert_eq!((Slot::First.mark(), Slot::Second.mark()), (0x7b5d_1070, 0x7b5d_1071));
        for slot in [Slot::First, Slot::Second] {
            assert_eq!(Slot::from_mark(slot.mark()), Some(slot));
            for bit in 1..32 {
                assert_eq!(Slot::from_mark(slot.mark() ^ 1 << bit), None);
            }
        }
        assert_eq!((Slot::from_mark(0), Slot::from_mark(u32::MAX)), (None, None));
    }

    #[test]
    fn a_key_is_sixty_four_small_digits() {
        let digits = "00019aff".repeat(8);
        assert_eq!(key_of(&digits).unwrap()[..5], [0x00, 0x01, 0x9a, 0xff, 0x00]);
        for wrong in ["", &digits[1..], &digits[2..], &format!("{digits}0"), &digits.to_uppercase()] {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
        for wrong in ['g', '`', '/', ':', ' ', '@'] {
            assert_eq!(key_of(&digits.replacen('0', &wrong.to_string(), 1)), None, "{wrong}");
        }
    }

    #[test]
    fn a_kind_is_one_of_two() {
        assert_eq!((kind_of("drawer"), kind_of("scanner")), (Some(Kind::Drawer), Some(Kind::Scanner)));
        assert_eq!((kind_of(""), kind_of("Drawer")), (None, None));
    }
}
