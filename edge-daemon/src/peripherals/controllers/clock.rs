//! A controller's time, in the box's.

use std::time::Duration;

use pos_link::Stamp;

/// Where a controller's boot lies in the box's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ControllerClock {
    boot: u32,
    /// Its microseconds when it said so, and the box's time when that was heard: the age of what happened is told a little
    /// too small, by the time the message took.
    micros: u64,
    heard: Duration,
}

/// How long ago something happened at a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// So long.
    Of(Duration),
    /// Before it booted: nobody knows how long ago.
    EarlierBoot,
}

impl ControllerClock {
    /// The controller said that it is `now`, which was heard at the box's time `heard`.
    pub(super) fn new(now: Stamp, heard: Duration) -> Self {
        Self { boot: now.boot, micros: now.micros, heard }
    }

    /// The age of what happened then, at the box's time `now`.
    pub(super) fn age(&self, then: Stamp, now: Duration) -> Age {
        if then.boot != self.boot {
            return Age::EarlierBoot;
        }
        let present = self.micros.saturating_add(micros(now.saturating_sub(self.heard)));
        Age::Of(Duration::from_micros(present.saturating_sub(then.micros)))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_within_a_boot_only_and_never_negative() {
        let stamp = |boot, seconds: u64| Stamp { boot, micros: seconds * 1_000_000 };
        let clock = ControllerClock::new(stamp(3, 50), Duration::from_secs(1_000));
        let at = |then, now| clock.age(then, Duration::from_secs(now));
        assert_eq!(at(stamp(3, 20), 1_000), Age::Of(Duration::from_secs(30)));
        assert_eq!(at(stamp(3, 60), 1_015), Age::Of(Duration::from_secs(5)));
        assert_eq!(at(stamp(3, 70), 1_000), Age::Of(Duration::ZERO), "its clock is a little fast");
        assert_eq!(at(stamp(2, 49), 1_000), Age::EarlierBoot);
    }
}
