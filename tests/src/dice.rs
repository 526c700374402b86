//! Repeatable chance (splitmix64).

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of random numbers that can be thrown the same way again.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Takes the seed from `TILLBOX_SEED`, or else a new one, and prints it for `what`.
    #[must_use]
    pub fn new(what: &str) -> Self {
        let given =
            std::env::var("TILLBOX_SEED").ok().map(|text| text.parse().expect("TILLBOX_SEED is a number"));
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::from(now.subsec_nanos()) ^ now.as_secs().rotate_left(20)
        });
        println!("{what}: TILLBOX_SEED={seed}");
        Self(seed)
    }

    /// Dice for another thread.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// One of them.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(at).expect("there is one to pick")
    }
}
