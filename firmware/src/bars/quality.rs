//! How sure a read is: how much further the next best points are, beside how far points are off at all.
//!
//! What is off by chance is off everywhere. So the mean distance of all characters says how bad the line is, and in a bad
//! line a character has to be further from the next one to be believed.

use super::symbol::{DOUBTFUL, ENOUGH, LIKELY};
use super::width::SQUARE;

/// The least by which the next best point is further, in any line, in squares of 64ths of a module: to be believed at
/// once, and to count at all.
const LEAST: u32 = SQUARE / 4;
const COUNTS: u32 = SQUARE / 32;

/// The quality of some characters together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quality {
    /// How much further the next best point is, where it is nearest.
    margin: u32,
    /// The distances of all characters from their points.
    distance: u32,
    characters: u32,
}

impl Quality {
    /// Of nothing yet.
    pub(super) const NONE: Self = Self { margin: u32::MAX, distance: 0, characters: 0 };

    /// These and one character more.
    pub(super) fn and(self, distance: u32, margin: u32) -> Self {
        Self {
            margin: self.margin.min(margin),
            distance: self.distance.saturating_add(distance),
            characters: self.characters.saturating_add(1),
        }
    }

    /// The characters of both.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            margin: self.margin.min(other.margin),
            distance: self.distance.saturating_add(other.distance),
            characters: self.characters.saturating_add(other.characters),
        }
    }

    /// What a read of this quality brings; `times` is for [`Quality::sure`].
    pub(super) fn weight(self, times: u32) -> u8 {
        let mean = self.distance.checked_div(self.characters).unwrap_or(u32::MAX);
        match (self.sure(times), self.margin >= mean) {
            (true, _) => ENOUGH,
            (false, true) => LIKELY,
            (false, false) => DOUBTFUL,
        }
    }

    /// Whether the next best point is everywhere so many times further than points are off in the mean.
    pub(super) fn sure(self, times: u32) -> bool {
        let mean = self.distance.checked_div(self.characters).unwrap_or(u32::MAX);
        self.margin >= LEAST && self.margin >= mean.saturating_mul(times)
    }

    /// Whether the nearest points are nearest by more than a hair. A wide spot moves the same edges by the same distance
    /// in each scan; so what a hair decides is decided no better by a second scan.
    pub(super) fn counts(self) -> bool {
        self.margin >= COUNTS
    }

    /// How far all characters are off.
    pub(super) fn distance(self) -> u32 {
        self.distance
    }
}
