//! When, and for how long, a solenoid may be driven. It is made for short pulses: it burns when it is driven for seconds,
//! or again and again.

use core::time::Duration;

use crate::moment::Moment;

/// How the solenoid is driven.
///
/// On Linux a thread of this program times it. It never ends early; it ends late by as much as the system lets the thread
/// wait, a few milliseconds as a rule. A process that is killed, or a machine that stops, within a pulse may leave the
/// solenoid driven: the circuit must end a pulse by itself, or bear one without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How long it is driven: at most [`Pulse::LONGEST`].
    pub on: Duration,
    /// How long it rests at least; never less than four times as long as it was driven.
    pub rest: Duration,
    /// Whether a low level drives it.
    pub active_low: bool,
}

impl Default for Pulse {
    /// 150 ms, a second of rest, driven by a high level.
    fn default() -> Self {
        Self { on: Duration::from_millis(150), rest: Duration::from_secs(1), active_low: false }
    }
}

impl Pulse {
    /// No solenoid is driven longer.
    pub const LONGEST: Duration = Duration::from_millis(500);
    /// Shorter pulses open nothing.
    pub const SHORTEST: Duration = Duration::from_millis(10);

    /// The time that it is driven.
    #[must_use]
    pub fn on(&self) -> Duration {
        self.on.clamp(Self::SHORTEST, Self::LONGEST)
    }

    /// The time that it rests.
    #[must_use]
    pub fn rest(&self) -> Duration {
        self.rest.max(self.on() * 4)
    }
}

/// Keeps the solenoid's rest: asked before each pulse.
#[derive(Debug)]
pub struct Duty {
    pulse: Pulse,
    rested_at: Option<Moment>,
}

impl Duty {
    /// That of a solenoid that is rested.
    #[must_use]
    pub const fn new(pulse: Pulse) -> Self {
        Self { pulse, rested_at: None }
    }

    /// A pulse is to begin now.
    ///
    /// # Errors
    /// How long the solenoid must still rest; there must be no pulse then.
    pub fn begin(&mut self, now: Moment) -> Result<(), Duration> {
        let left = self.rested_at.map_or(Duration::ZERO, |at| at.since(now));
        if !left.is_zero() {
            return Err(left);
        }
        self.rested_at = Some(now + self.pulse.on() + self.pulse.rest());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn no_settings_drive_it_too_long_or_too_often() {
        let long = Pulse { on: MS * 10_000, rest: Duration::ZERO, ..Pulse::default() };
        assert_eq!((long.on(), long.rest()), (MS * 500, MS * 2_000));
        let short = Pulse { on: Duration::ZERO, rest: MS * 700, ..Pulse::default() };
        assert_eq!((short.on(), short.rest()), (MS * 10, MS * 700));
        let (mut duty, begun) = (Duty::new(long), Moment::default());
        let mut driven = Duration::ZERO;
        for ms in 0..60_000 {
            driven += if duty.begin(begun + MS * ms).is_ok() { long.on() } else { Duration::ZERO };
        }
        assert_eq!(driven, MS * 12_000, "a fifth of the time");
    }

    #[test]
    fn who_comes_too_early_is_told_how_long_to_wait() {
        let (mut duty, now) = (Duty::new(Pulse::default()), Moment::default());
        assert_eq!(duty.begin(now), Ok(()));
        assert_eq!(duty.begin(now + MS * 150), Err(MS * 1_000));
        assert_eq!(duty.begin(now + MS * 1_149), Err(MS));
        assert_eq!(duty.begin(now + MS * 1_150), Ok(()));
    }
}
