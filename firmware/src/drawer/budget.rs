//! How often the solenoid may be driven, whatever the host says.

use core::time::Duration;

use device_drivers::{Duty, Moment, Pulse};
use heapless::Deque;

/// Pulses within any minute. More is no shop, but somebody who plays, or a box that has gone wrong.
pub const MOST_PER_MINUTE: usize = 12;
const MINUTE: Duration = Duration::from_secs(60);

/// Counts pulses: those of the last minute, and the rest after the last one.
#[derive(Debug)]
pub struct Budget {
    duty: Duty,
    /// When the pulses of the last minute began, the oldest first.
    recent: Deque<Moment, MOST_PER_MINUTE>,
}

impl Budget {
    /// That of a boot at `now`. `recent` is what was kept of [`Budget::recent`]: nobody knows how long the controller was
    /// off, so those pulses count as of now. Who resets it again and again gains nothing.
    #[must_use]
    pub fn new(pulse: Pulse, recent: u8, now: Moment) -> Self {
        let mut budget = Self { duty: Duty::new(pulse), recent: Deque::new() };
        for _ in 0..recent {
            // As many as there is room for are too many already.
            let _ = budget.recent.push_back(now);
        }
        if recent > 0 {
            // A reset may have come in the middle of a pulse.
            let _ = budget.duty.begin(now);
        }
        budget
    }

    /// A pulse is to begin now.
    ///
    /// # Errors
    /// How long the solenoid must still be left alone; there must be no pulse then.
    pub fn begin(&mut self, now: Moment) -> Result<(), Duration> {
        self.forget_old(now);
        if let Some(oldest) = self.recent.front().filter(|_| self.recent.is_full()) {
            return Err((*oldest + MINUTE).since(now));
        }
        self.duty.begin(now)?;
        let _ = self.recent.push_back(now);
        Ok(())
    }

    /// Pulses of the last minute.
    pub fn recent(&mut self, now: Moment) -> u8 {
        self.forget_old(now);
        u8::try_from(self.recent.len()).unwrap_or(u8::MAX)
    }

    fn forget_old(&mut self, now: Moment) {
        while self.recent.front().is_some_and(|oldest| now.since(*oldest) >= MINUTE) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Pulses that are let through when one is asked for each millisecond of two minutes, with resets in between.
    fn pulses(reset_every_ms: u32) -> std::vec::Vec<u32> {
        let mut budget = Budget::new(Pulse::default(), 0, Moment::default());
        let mut begun = std::vec::Vec::new();
        for ms in 0..120_000 {
            let now = Moment::default() + MS * ms;
            if ms > 0 && ms % reset_every_ms == 0 {
                budget = Budget::new(Pulse::default(), budget.recent(now), now);
            }
            if budget.begin(now).is_ok() {
                begun.push(ms);
            }
        }
        begun
    }

    #[test]
    fn no_minute_has_more_pulses_than_it_may_and_no_pulse_comes_without_rest() {
        for reset_every_ms in [u32::MAX, 10_000, 1_000, 1] {
            let begun = pulses(reset_every_ms);
            for pulse in &begun {
                let minute = begun.iter().filter(|other| (*pulse..*pulse + 60_000).contains(other)).count();
                assert!(
                    minute <= MOST_PER_MINUTE,
                    "{minute} from {pulse} ms on, resets every {reset_every_ms} ms"
                );
            }
            assert!(begun.windows(2).all(|pair| pair[1] - pair[0] >= 1_150), "{begun:?}");
            assert!(!begun.is_empty());
        }
        assert_eq!(pulses(u32::MAX).len(), 2 * MOST_PER_MINUTE);
    }
}
