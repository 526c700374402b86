//! Reproducible chance (SplitMix64).

/// A sequence of numbers that follows from a seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The same seed gives the same sequence.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit`, both included.
    pub fn upto(&mut self, limit: usize) -> usize {
        let range = limit as u128 + 1;
        ((u128::from(self.any()) * range) >> 64) as usize
    }

    /// One time in two.
    pub fn coin(&mut self) -> bool {
        self.any() & 1 == 0
    }
}
