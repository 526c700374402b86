//! Whether the machine was the bench's own while it measured.
//!
//! Other programs do not slow all contestants alike. One thread that syncs and waits gives up its processor each time and
//! gets it back only at the next tick of the scheduler: beside two compilers on two processors, bare appends were seen to
//! fall from 4,800 to 265 a second (their latencies multiples of 4 ms, the tick) while a busy server fell far less.
//! Taking turns and medians do not help against that, and the raw disk, which the others are judged by, suffers most. So each turn
//! notes how much others have used; figures from disturbed turns are shown, but no floor is judged by them.

use crate::process;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The largest share of all processors that others may use in a turn that counts as quiet.
pub const MAX_SHARE: f64 = 0.05;

/// How long others are watched before the machine is called quiet.
const WINDOW: Duration = Duration::from_millis(500);

/// Watches what others use, from its making on.
#[derive(Debug)]
pub struct Watch {
    begin: Instant,
    used: Duration,
}

impl Watch {
    /// Begins to watch.
    pub fn begin() -> Self {
        Self { begin: Instant::now(), used: process::time_of_others() }
    }

    /// The share of all processors that others have used since, from 0 to 1 (and what the host took away).
    pub fn share(&self) -> f64 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let used = process::time_of_others().saturating_sub(self.used);
        let there = self.begin.elapsed().as_secs_f64() * cores as f64;
        if there > 0.0 { (used.as_secs_f64() / there).min(1.0) } else { 0.0 }
    }
}

/// The time that a run may spend waiting for others to finish.
#[derive(Debug)]
pub struct Patience {
    left: Cell<Duration>,
}

impl Patience {
    /// So much for the whole run.
    pub fn new(left: Duration) -> Self {
        Self { left: Cell::new(left) }
    }

    /// Waits until others have left the machine alone for half a second, or patience has run out.
    pub async fn wait_for_quiet(&self) {
        while !self.left.get().is_zero() {
            let watch = Watch::begin();
            tokio::time::sleep(WINDOW).await;
            if watch.share() <= MAX_SHARE {
                return;
            }
            self.left.set(self.left.get().saturating_sub(watch.begin.elapsed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_within_its_bounds() {
        let watch = Watch::begin();
        while watch.begin.elapsed() < Duration::from_millis(20) {
            std::thread::yield_now();
        }
        assert!((0.0..=1.0).contains(&watch.share()));
    }

    #[tokio::test]
    async fn patience_ends() {
        let patience = Patience::new(Duration::ZERO);
        let begin = Instant::now();
        patience.wait_for_quiet().await;
        assert!(begin.elapsed() < WINDOW);
    }
}
