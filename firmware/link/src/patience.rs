//! How long an acknowledgement is waited for: by Jacobson and Karn, as TCP does it (RFC 6298), in whole microseconds.
//!
//! Only what was sent once is measured; a wait that was too short doubles, and stays so until something was measured.

use crate::Micros;

const MS: Micros = 1_000;
/// Before anything was measured.
const FIRST: Micros = 300 * MS;
const SHORTEST: Micros = 30 * MS;
const LONGEST: Micros = 1_000 * MS;

#[derive(Debug, Default)]
pub(crate) struct Patience {
    measured: Option<Measured>,
    doubled: u32,
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    smooth: Micros,
    spread: Micros,
}

impl Patience {
    /// The wait, 30 ms to 1 s.
    pub(crate) fn wait(&self) -> Micros {
        let wait = self.measured.map_or(FIRST, |Measured { smooth, spread }| {
            smooth.saturating_add(spread.saturating_mul(4)).clamp(SHORTEST, LONGEST)
        });
        wait.saturating_mul(1 << self.doubled.min(6)).min(LONGEST)
    }

    pub(crate) fn was_too_short(&mut self) {
        self.doubled = self.doubled.saturating_add(1);
    }

    pub(crate) fn measure(&mut self, took: Micros) {
        let took = took.min(LONGEST);
        self.doubled = 0;
        self.measured = Some(match self.measured {
            None => Measured { smooth: took, spread: took / 2 },
            Some(Measured { smooth, spread }) => Measured {
                smooth: smooth.saturating_mul(7).saturating_add(took) / 8,
                spread: spread.saturating_mul(3).saturating_add(smooth.abs_diff(took)) / 4,
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_what_was_measured_and_doubles_when_it_was_too_short() {
        let mut patience = Patience::default();
        assert_eq!(patience.wait(), 300 * MS);
        patience.measure(20 * MS);
        assert_eq!(patience.wait(), 60 * MS, "20 and 4 times 10");
        for _ in 0..50 {
            patience.measure(20 * MS);
        }
        assert_eq!(patience.wait(), SHORTEST);
        patience.was_too_short();
        assert_eq!(patience.wait(), 60 * MS);
        for _ in 0..100 {
            patience.was_too_short();
        }
        assert_eq!(patience.wait(), LONGEST);
        patience.measure(100 * MS);
        assert!((50 * MS..200 * MS).contains(&patience.wait()), "{}", patience.wait());
    }
}
