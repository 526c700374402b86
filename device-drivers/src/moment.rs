//! A moment on a clock that never goes back: the time that the state machines are told.
//!
//! It is a bare number, so that a codec runs on a machine without an operating system, and in a test without waiting.
//! When the clock began is its own affair: a moment says something only beside another one of the same clock.

use core::future::pending;
use core::ops::{Add, AddAssign};
use core::time::Duration;

use embedded_hal_async::delay::DelayNs;

/// Microseconds since a clock began; they last for half a million years, and stay at their end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// So many microseconds after the clock began.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the clock began.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time that went by since `earlier`; none if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// What is less than a microsecond does not count.
impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(micros(time)))
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, time: Duration) {
        *self = *self + time;
    }
}

/// Whole microseconds, without the arithmetic of 128 bits that small machines pay for.
fn micros(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000).saturating_add(time.subsec_micros().into())
}

/// A machine's clock, and waiting by it. A wait may be dropped before its end.
pub trait Clock: DelayNs {
    /// The moment that it is.
    fn now(&self) -> Moment;
}

/// Waits until then, or for ever if nothing is to be waited for. Safe to cancel.
pub(crate) async fn until(clock: &mut impl Clock, at: Option<Moment>) {
    let Some(at) = at else { return pending().await };
    loop {
        let left = at.0.saturating_sub(clock.now().0);
        if left == 0 {
            return;
        }
        clock.delay_us(u32::try_from(left).unwrap_or(u32::MAX)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_and_never_back() {
        let begin = Moment::from_micros(7);
        let mut now = begin;
        now += Duration::from_millis(30);
        assert_eq!((now.as_micros(), now.since(begin)), (30_007, Duration::from_millis(30)));
        assert_eq!(begin.since(now), Duration::ZERO);
        assert_eq!((begin + Duration::MAX).since(begin).as_micros(), u128::from(u64::MAX) - 7);
        let (before, after) = (Moment::now(), Moment::now());
        assert!(after >= before);
    }
}
