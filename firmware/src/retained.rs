//! What outlives a reset: bytes with a checksum, which the board keeps in memory that a reset leaves alone.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBX1` |
//! | 4–31 | the counters: boots, watchdog resets, scans, repeats, pulses, refused, dropped; u32 each, little-endian |
//! | 32–33 | the longest pulse that the host allows, milliseconds; 0: as long as the controller allows |
//! | 34 | pulses of the last minute |
//! | 35 | 0 |
//! | 36–39 | the first four bytes of the SHA-256 of all before |

use pos_link::Tally;
use sha2::{Digest as _, Sha256};

/// What a controller keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    /// What it counted, in all its boots.
    pub tally: Tally,
    /// The longest pulse that the host allows, milliseconds; 0: as long as the controller allows.
    pub pulse_cap_ms: u16,
    /// Pulses of the last minute.
    pub recent_pulses: u8,
}

/// The bytes are none that were kept: after the power was off they are whatever the memory woke up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

const MAGIC: [u8; 4] = *b"TBX1";

impl Retained {
    /// How many bytes they are.
    pub const LEN: usize = 40;

    /// As bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let Tally { boots, watchdog_resets, scans, repeats, pulses, refused, dropped } = self.tally;
        let counters = [boots, watchdog_resets, scans, repeats, pulses, refused, dropped];
        let counters = counters.into_iter().flat_map(u32::to_le_bytes);
        let rest = self.pulse_cap_ms.to_le_bytes().into_iter().chain([self.recent_pulses, 0]);
        let mut bytes = [0; Self::LEN];
        bytes.iter_mut().zip(MAGIC.into_iter().chain(counters).chain(rest)).for_each(|(to, from)| *to = from);
        let (content, sum) = bytes.split_at_mut(Self::LEN.saturating_sub(4));
        sum.copy_from_slice(&checksum(content));
        bytes
    }

    /// What these bytes keep.
    ///
    /// # Errors
    /// [`Broken`]: begin anew.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, Broken> {
        let (content, sum) = bytes.split_at(Self::LEN.saturating_sub(4));
        if !content.starts_with(&MAGIC) || checksum(content) != sum {
            return Err(Broken);
        }
        let word = |at: usize| {
            let bytes = content.get(at..).and_then(|rest| rest.first_chunk::<4>());
            bytes.copied().map(u32::from_le_bytes).ok_or(Broken)
        };
        let [low, high, recent_pulses, _] = word(32)?.to_le_bytes();
        let tally = Tally {
            boots: word(4)?,
            watchdog_resets: word(8)?,
            scans: word(12)?,
            repeats: word(16)?,
            pulses: word(20)?,
            refused: word(24)?,
            dropped: word(28)?,
        };
        Ok(Self { tally, pulse_cap_ms: u16::from_le_bytes([low, high]), recent_pulses })
    }

    /// Those of a boot: what was kept, or nothing, and one boot more.
    #[must_use]
    pub fn after_boot(kept: &[u8; Self::LEN], by_watchdog: bool) -> Self {
        let mut retained = Self::from_bytes(kept).unwrap_or_default();
        let tally = &mut retained.tally;
        tally.boots = tally.boots.saturating_add(1);
        tally.watchdog_resets = tally.watchdog_resets.saturating_add(by_watchdog.into());
        retained
    }
}

fn checksum(content: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(content).into();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Retained {
        let tally = Tally {
            boots: 1,
            watchdog_resets: 2,
            scans: 3,
            repeats: 4,
            pulses: 5,
            refused: 6,
            dropped: 0x0102_0304,
        };
        Retained { tally, pulse_cap_ms: 300, recent_pulses: 7 }
    }

    #[test]
    fn what_is_kept_comes_back_and_what_any_bit_was_changed_of_does_not() {
        let kept = some().to_bytes();
        assert_eq!(Retained::from_bytes(&kept), Ok(some()));
        for bit in 0..Retained::LEN * 8 {
            let mut bytes = kept;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Retained::from_bytes(&bytes), Err(Broken), "bit {bit}");
        }
        assert_eq!(Retained::from_bytes(&[0; Retained::LEN]), Err(Broken));
    }

    #[test]
    fn a_boot_is_counted_and_memory_that_lost_its_power_begins_anew() {
        let again = Retained::after_boot(&some().to_bytes(), true);
        assert_eq!((again.tally.boots, again.tally.watchdog_resets, again.recent_pulses), (2, 3, 7));
        let anew = Retained::after_boot(&[0xff; Retained::LEN], false);
        assert_eq!(anew, Retained { tally: Tally { boots: 1, ..Tally::default() }, ..Retained::default() });
    }
}
