//! Repeatable chance (splitmix64).

use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Takes the seed from `TILLBOX_SEED`, or else a new one, and prints it for `what`.
    pub(crate) fn new(what: &str) -> Self {
        let given =
            std::env::var("TILLBOX_SEED").ok().map(|text| text.parse().expect("TILLBOX_SEED is a number"));
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::from(now.subsec_nanos()) ^ now.as_secs().rotate_left(20)
        });
        println!("{what}: TILLBOX_SEED={seed}");
        Self(seed)
    }

    /// The same each time.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap();
        usize::try_from(self.next().checked_rem(end).unwrap_or(0)).unwrap()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}
