//! What the cashier hears and sees.
//!
//! | signal | sound | light |
//! |---|---|---|
//! | good: the daemon accepted the scan | 80 ms, high | green, 300 ms |
//! | refused: it did not | twice 200 ms, low | red, 1 s |
//! | full: no room until the host is back | four times 60 ms, low | red, while it is so |
//!
//! A later signal takes the place of the one before.

use core::time::Duration;

use device_drivers::Moment;

const HIGH_HZ: u16 = 2_700;
const LOW_HZ: u16 = 400;
/// No beep that the host asks for is longer.
const LONGEST_BEEP: Duration = Duration::from_secs(5);

/// Which lights are on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lights {
    /// All is well.
    pub green: bool,
    /// It is not.
    pub red: bool,
    /// A scan waits for the daemon's word.
    pub waiting: bool,
    /// The host wants to show where it looks.
    pub aim: bool,
}

/// What is signalled by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Good,
    Refused,
    Full,
}

#[derive(Debug, Default)]
pub(super) struct Signals {
    sound: Option<Sound>,
    green: Lamp,
    red: Lamp,
    aim: Lamp,
}

/// Beeps of one length, with pauses of that length.
#[derive(Debug)]
struct Sound {
    tone_hz: u16,
    since: Moment,
    beep: Duration,
    beeps: u32,
}

#[derive(Debug, Default, Clone, Copy)]
enum Lamp {
    #[default]
    Off,
    Until(Moment),
    On,
}

impl Signals {
    pub(super) fn give(&mut self, signal: Signal, now: Moment) {
        let (tone_hz, beep_ms, beeps) = match signal {
            Signal::Good => (HIGH_HZ, 80, 1),
            Signal::Refused => (LOW_HZ, 200, 2),
            Signal::Full => (LOW_HZ, 60, 4),
        };
        self.sound = Some(Sound { tone_hz, since: now, beep: Duration::from_millis(beep_ms), beeps });
        let until = |ms| Lamp::Until(now + Duration::from_millis(ms));
        (self.green, self.red) = match signal {
            Signal::Good => (until(300), Lamp::Off),
            Signal::Refused => (Lamp::Off, until(1_000)),
            Signal::Full => (Lamp::Off, Lamp::Off),
        };
    }

    /// As the host says: none for 0 ms.
    pub(super) fn beep(&mut self, beep_ms: u16, tone_hz: u16, now: Moment) {
        let beep = Duration::from_millis(beep_ms.into()).min(LONGEST_BEEP);
        self.sound = (!beep.is_zero()).then_some(Sound { tone_hz, since: now, beep, beeps: 1 });
    }

    /// As the host says: the others off, these on; for ever at 0 ms.
    pub(super) fn light(&mut self, lights: u8, light_ms: u16, now: Moment) {
        let on = match light_ms {
            0 => Lamp::On,
            ms => Lamp::Until(now + Duration::from_millis(ms.into())),
        };
        let lamp = |bit| if lights & bit != 0 { on } else { Lamp::Off };
        (self.green, self.red, self.aim) = (lamp(1), lamp(2), lamp(4));
    }

    pub(super) fn tone(&self, now: Moment) -> Option<u16> {
        let Sound { tone_hz, since, beep, beeps } = self.sound.as_ref()?;
        let at = now.since(*since).as_micros().checked_div(beep.as_micros())?;
        // Beep and pause in turns.
        let sounds = at % 2 == 0 && at / 2 < u128::from(*beeps);
        sounds.then_some(*tone_hz)
    }

    pub(super) fn lights(&self, now: Moment) -> Lights {
        let is_on = |lamp| match lamp {
            Lamp::Off => false,
            Lamp::Until(end) => now < end,
            Lamp::On => true,
        };
        Lights { green: is_on(self.green), red: is_on(self.red), waiting: false, aim: is_on(self.aim) }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// Milliseconds at which the beeper begins and ends.
    fn edges(signals: &Signals, now: Moment) -> Vec<u64> {
        let sounds = |ms| signals.tone(now + Duration::from_millis(ms)).is_some();
        (0..2_000).filter(|ms| sounds(*ms) != (*ms > 0 && sounds(*ms - 1))).collect()
    }

    #[test]
    fn signals_sound_and_light_as_their_table_says() {
        let now = Moment::from_micros(7_000);
        let mut signals = Signals::default();
        let look = |signals: &Signals, ms| {
            let lights = signals.lights(now + Duration::from_millis(ms));
            (lights.green, lights.red)
        };
        signals.give(Signal::Refused, now);
        assert_eq!((edges(&signals, now), signals.tone(now)), ([0, 200, 400, 600].to_vec(), Some(LOW_HZ)));
        assert_eq!((look(&signals, 999), look(&signals, 1_000)), ((false, true), (false, false)));
        signals.give(Signal::Good, now);
        assert_eq!((edges(&signals, now), signals.tone(now)), ([0, 80].to_vec(), Some(HIGH_HZ)));
        assert_eq!((look(&signals, 299), look(&signals, 300)), ((true, false), (false, false)));
        signals.give(Signal::Full, now);
        assert_eq!(edges(&signals, now), [0, 60, 120, 180, 240, 300, 360, 420]);
        signals.beep(50, 1_000, now);
        assert_eq!((edges(&signals, now), signals.tone(now)), ([0, 50].to_vec(), Some(1_000)));
        signals.beep(0, 1_000, now);
        assert_eq!(edges(&signals, now), []);
    }

    #[test]
    fn the_hosts_lights_stay_for_as_long_as_it_says() {
        let now = Moment::from_micros(7_000);
        let mut signals = Signals::default();
        let later = now + Duration::from_millis(100);
        signals.light(0b101, 100, now);
        assert_eq!(signals.lights(now), Lights { green: true, aim: true, ..Lights::default() });
        assert_eq!(signals.lights(later), Lights::default());
        signals.light(0b010, 0, now);
        assert_eq!(
            signals.lights(later + Duration::from_secs(99)),
            Lights { red: true, ..Lights::default() }
        );
    }
}
