//! What is known about the two slots, over any reset: one page, of which two are kept in turn.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBXS` |
//! | 4 | the format: 1 |
//! | 5 | the slot that is confirmed, 0 or 1 |
//! | 6 | phase: 0 rest, 1 receiving, 2 trial |
//! | 7 | starts that a trial has left |
//! | 8–11 | the floor: u8 major, u8 minor, u16 patch, little-endian |
//! | 12 | what became of the last update: 0 nothing yet, ff confirmed, else as in [`UpdateRefusal`] |
//! | 13–15 | 0 |
//! | 16–19 | the page's number, which grows |
//! | 20–35 | the first half of the SHA-256 of all before |

use pos_link::{UpdateRefusal, Version};
use sha2::{Digest as _, Sha256};

/// Starts that an image on trial gets.
pub(super) const STARTS: u8 = 3;

const MAGIC: [u8; 4] = *b"TBXS";
const FORMAT: u8 = 1;
const CONFIRMED: u8 = 0xff;
/// Bytes that the checksum is of.
const SUMMED: usize = 20;

/// One of the two places for an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Slot {
    /// The first one; a new board's image is in it.
    #[default]
    First,
    /// The second one.
    Second,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// What is known about the slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// Where the confirmed image is.
    pub active: Slot,
    /// The highest version that was confirmed: nothing below it ever runs again.
    pub floor: Version,
    /// What is going on in the other slot.
    pub phase: Phase,
    /// What became of the last update; `None` while that is open.
    pub outcome: Option<Outcome>,
}

/// What is going on in the slot that is not the confirmed one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing; any bytes may be there.
    #[default]
    Rest,
    /// It was erased, and an image is written to it from its beginning on.
    Receiving,
    /// It has a whole image that is to be tried.
    Trial {
        /// So many more starts.
        left: u8,
    },
}

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It stays.
    Confirmed,
    /// It was not taken, or did not start.
    Refused(UpdateRefusal),
}

impl State {
    /// How many bytes a page has.
    pub const LEN: usize = 36;

    pub(super) fn to_bytes(self, number: u32) -> [u8; Self::LEN] {
        let (phase, left) = match self.phase {
            Phase::Rest => (0, 0),
            Phase::Receiving => (1, 0),
            Phase::Trial { left } => (2, left),
        };
        let outcome = match self.outcome {
            None => 0,
            Some(Outcome::Confirmed) => CONFIRMED,
            Some(Outcome::Refused(reason)) => reason.into(),
        };
        let fields = MAGIC
            .into_iter()
            .chain([FORMAT, u8::from(self.active == Slot::Second), phase, left])
            .chain([self.floor.major, self.floor.minor])
            .chain(self.floor.patch.to_le_bytes())
            .chain([outcome, 0, 0, 0])
            .chain(number.to_le_bytes());
        let mut bytes = [0; Self::LEN];
        bytes.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        let (content, sum) = bytes.split_at_mut(SUMMED);
        sum.iter_mut().zip(Sha256::digest(content)).for_each(|(to, from)| *to = from);
        bytes
    }

    /// The state and the page's number, or `None` if this page is torn, blank or of another format.
    pub(super) fn read(bytes: &[u8; Self::LEN]) -> Option<(Self, u32)> {
        let (content, sum) = bytes.split_at(SUMMED);
        if sum != Sha256::digest(content).get(..sum.len())? {
            return None;
        }
        let (magic, rest) = content.split_first_chunk::<4>()?;
        let (head, rest) = rest.split_first_chunk::<4>()?;
        let (floor, rest) = rest.split_first_chunk::<4>()?;
        let (outcome, number) = rest.split_first_chunk::<4>()?;
        let [format, active, phase, left] = *head;
        let [major, minor, low, high] = *floor;
        if (*magic, format) != (MAGIC, FORMAT) {
            return None;
        }
        let state = Self {
            active: match active {
                0 => Slot::First,
                1 => Slot::Second,
                _ => return None,
            },
            floor: Version { major, minor, patch: u16::from_le_bytes([low, high]) },
            phase: match phase {
                0 => Phase::Rest,
                1 => Phase::Receiving,
                2 => Phase::Trial { left },
                _ => return None,
            },
            outcome: match outcome {
                [0, ..] => None,
                [CONFIRMED, ..] => Some(Outcome::Confirmed),
                [reason, ..] => Some(Outcome::Refused((*reason).into())),
            },
        };
        Some((state, u32::from_le_bytes(*number.first_chunk()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: State = State {
        active: Slot::Second,
        floor: Version { major: 1, minor: 2, patch: 0x0304 },
        phase: Phase::Trial { left: 2 },
        outcome: Some(Outcome::Refused(UpdateRefusal::DidNotStart)),
    };

    /// The form is for ever: a boot loader is not updated.
    #[test]
    fn the_bytes_are_pinned() {
        let bytes = SOME.to_bytes(0x0102_0304);
        let head = [
            0x54, 0x42, 0x58, 0x53, 0x01, 0x01, 0x02, 0x02, 0x01, 0x02, 0x04, 0x03, 0x09, 0x00, 0x00,
            0x00, //
            0x04, 0x03, 0x02, 0x01,
        ];
        assert_eq!(bytes[..SUMMED], head);
        assert_eq!(bytes[SUMMED..][..4], [0x45, 0x37, 0xa7, 0x5c]);
        let fresh = State { outcome: Some(Outcome::Confirmed), ..State::default() }.to_bytes(1);
        assert_eq!(fresh[4..16], [1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0]);
    }

    #[test]
    fn what_is_written_is_read_and_with_any_changed_bit_it_is_none() {
        for phase in [Phase::Rest, Phase::Receiving, Phase::Trial { left: 0 }, Phase::Trial { left: 3 }] {
            for outcome in [None, Some(Outcome::Confirmed), Some(Outcome::Refused(UpdateRefusal::NoRoom))] {
                let state = State { phase, outcome, ..SOME };
                let bytes = state.to_bytes(9);
                assert_eq!(State::read(&bytes), Some((state, 9)));
                for bit in 0..State::LEN * 8 {
                    let mut other = bytes;
                    other[bit / 8] ^= 1 << (bit % 8);
                    assert_eq!(State::read(&other), None, "bit {bit}");
                }
            }
        }
        assert_eq!(State::read(&[0xff; State::LEN]), None);
        assert_eq!(State::read(&[0; State::LEN]), None);
    }
}
