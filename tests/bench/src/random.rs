//! Repeatable randomness: SplitMix64, seeded from `TILLBOX_SEED` or from the system and then printed.
//!
//! Every run says its seed; the same seed sells the same products in the same order.

use crate::failure::Failure;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::{Builder, Uuid};

/// The environment variable that gives a run its seed, a decimal number.
pub const SEED_VARIABLE: &str = "TILLBOX_SEED";

/// A stream of pseudo-random numbers (SplitMix64: passes the usual batteries, two multiplications a number).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream number `stream` of `seed`; different streams do not follow each other.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut start = Self(seed ^ stream.wrapping_mul(0x9E6C_63D0_876A_68DE));
        Self(start.draw())
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where `end` is 0. The bias is below `end / 2^64`.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.draw()) * end as u128;
        (wide >> 64) as usize
    }

    /// A version 7 UUID of this moment (RFC 9562, section 5.7).
    pub fn uuid(&mut self) -> Uuid {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let mut tail = [0; 10];
        tail[..8].copy_from_slice(&self.draw().to_le_bytes());
        tail[8..].copy_from_slice(&self.draw().to_le_bytes()[..2]);
        Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}

/// The seed of this run: `TILLBOX_SEED`, or one of the clock.
///
/// # Errors
/// The variable is set and is not a number of 64 bits.
pub fn seed() -> Result<u64, Failure> {
    match std::env::var(SEED_VARIABLE) {
        Ok(text) => {
            let not_a_number =
                |_| Failure::Usage(format!("{SEED_VARIABLE}={text}: give a number from 0 to 2^64 - 1"));
            text.trim().parse().map_err(not_a_number)
        }
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Ok(u64::from(now.subsec_nanos()) ^ now.as_secs().rotate_left(32))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_streams_differ() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..32).map(|_| random.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn below_reaches_every_number_and_no_other() {
        let mut random = Random::new(1, 0);
        let mut seen = [0; 12];
        (0..12_000).for_each(|_| seen[random.below(12)] += 1);
        assert!(seen.iter().all(|&count| (800..1200).contains(&count)), "{seen:?}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn uuids_are_version_7_and_differ() {
        let mut random = Random::new(1, 0);
        let (a, b) = (random.uuid(), random.uuid());
        assert_ne!(a, b);
        assert_eq!(a.get_version_num(), 7);
    }
}
