//! Runs as levels on a line, in their time: the bar and space sensor as it is moved over a label.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use firmware::{Level, Run, RunReader};

/// Sleeps end later than asked by up to so much; the rest is waited for awake.
const AWAKE: Duration = Duration::from_micros(200);

/// Takes runs as bytes, and has `set` drive each level while `wait` waits for its end.
pub(super) struct Sweep<S, W> {
    pub(super) set: S,
    pub(super) wait: W,
    pub(super) tick: Duration,
    pub(super) runs: RunReader,
    /// When the run before ends: what a run's start is late, its end is not.
    pub(super) until: Option<Instant>,
}

impl<S: FnMut(bool) -> io::Result<()>, W: FnMut(Instant)> Sweep<S, W> {
    fn show(&mut self, run: Run) -> io::Result<()> {
        let now = Instant::now();
        let begun = self.until.filter(|until| now < *until + self.tick).unwrap_or(now);
        (self.set)(run.level == Level::Dark)?;
        let until = begun + self.tick * run.ticks;
        (self.wait)(until);
        self.until = Some(until);
        Ok(())
    }
}

impl<S: FnMut(bool) -> io::Result<()>, W: FnMut(Instant)> Write for Sweep<S, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if let Some(run) = self.runs.take(*byte) {
                self.show(run)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits so exactly as a program can that shares its machine.
pub(super) fn wait(until: Instant) {
    let left = until.saturating_duration_since(Instant::now());
    if let Some(asleep) = left.checked_sub(AWAKE) {
        std::thread::sleep(asleep);
    }
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::Label;

    #[test]
    fn a_label_is_levels_that_last_as_long_as_its_runs() {
        let tick = Duration::from_micros(20);
        let shown = RefCell::new(Vec::new());
        let begun = Instant::now();
        let mut sweep = Sweep {
            set: |dark| {
                shown.borrow_mut().push((dark, begun));
                Ok(())
            },
            wait: |until| shown.borrow_mut().last_mut().unwrap().1 = until,
            tick,
            runs: RunReader::default(),
            until: None,
        };
        let label = Label::of(400_638_133_393);
        // In pieces that end within a run.
        label.bytes.chunks(7).for_each(|piece| sweep.write_all(piece).unwrap());
        let shown = shown.into_inner();
        let mut reader = RunReader::default();
        let runs: Vec<_> = label.bytes.iter().filter_map(|byte| reader.take(*byte)).collect();
        assert_eq!(shown.len(), runs.len());
        for (at, run) in runs.iter().enumerate() {
            assert_eq!(shown[at].0, run.level == Level::Dark);
        }
        // Nobody waited, so each run begins where the one before ends: the pieces have a whole label's length.
        for (pair, run) in shown.windows(2).zip(&runs[1..]) {
            assert_eq!(pair[1].1 - pair[0].1, tick * run.ticks);
        }
    }
}
