//! Chance that can be repeated.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// SplitMix64: enough to make faults, and the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Seeded from `TILLBOX_SEED`, else afresh; the seed is printed.
    pub(crate) fn new() -> Self {
        let given = std::env::var("TILLBOX_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
        println!("TILLBOX_SEED={seed}");
        Self(seed)
    }

    /// Always the same.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }

    /// Another source of chance, which goes its own way from here.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
