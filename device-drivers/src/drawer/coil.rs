//! The solenoid's pin, driven for a pulse and no longer: a state machine that owns its pin.
//!
//! Whoever has it tells it the time: a thread on Linux, a loop or a timer's interrupt in firmware. It lets go when it is
//! told that the time is over, and when it is dropped. Nobody telling it, it drives on: in firmware a watchdog's reset must
//! leave the pin in the state that drives nothing. When it may pull again, [`Duty`](super::duty::Duty) says.

use core::time::Duration;

use embedded_hal::digital::{OutputPin, PinState};

use super::duty::Pulse;
use crate::moment::Moment;

/// A solenoid on a pin.
#[derive(Debug)]
pub struct Coil<P: OutputPin> {
    pin: P,
    pulse: Pulse,
    /// When the pin is to be let go; it is driven, or nobody knows.
    ends: Option<Moment>,
}

impl<P: OutputPin> Coil<P> {
    /// Takes a pin over and lets it go, whatever level it had before. If that fails, it is tried again by
    /// [`Coil::handle_timeout`] and by [`Coil::pull`].
    pub fn new(pin: P, pulse: Pulse) -> Self {
        let begun = Moment::default();
        let mut coil = Self { pin, pulse, ends: Some(begun) };
        let _ = coil.handle_timeout(begun);
        coil
    }

    /// Begins a pulse. One that is under way goes on to its own end.
    ///
    /// # Errors
    /// Those of the pin. It is not driven then, as far as it lets itself be set.
    pub fn pull(&mut self, now: Moment) -> Result<(), P::Error> {
        self.pull_for(self.pulse.on(), now)
    }

    /// Begins a pulse of this length, or of that of [`Coil::pull`] where this is longer.
    ///
    /// # Errors
    /// As [`Coil::pull`].
    pub fn pull_for(&mut self, on: Duration, now: Moment) -> Result<(), P::Error> {
        self.handle_timeout(now)?;
        if self.ends.is_some() {
            return Ok(());
        }
        self.ends = Some(now + on.min(self.pulse.on()));
        self.set(true).inspect_err(|_| {
            self.ends = Some(now);
            let _ = self.handle_timeout(now);
        })
    }

    /// When [`Coil::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.ends
    }

    /// Time went by: lets go if it is over.
    ///
    /// # Errors
    /// Those of the pin. It may still be driven: call again.
    pub fn handle_timeout(&mut self, now: Moment) -> Result<(), P::Error> {
        if self.ends.is_some_and(|end| now >= end) {
            self.set(false)?;
            self.ends = None;
        }
        Ok(())
    }

    fn set(&mut self, driven: bool) -> Result<(), P::Error> {
        self.pin.set_state(PinState::from(driven != self.pulse.active_low))
    }
}

impl<P: OutputPin> Drop for Coil<P> {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure.
        let _ = self.set(false);
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal_mock::eh1::MockError;
    use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn failing(state: State) -> Transaction {
        Transaction::set(state).with_error(MockError::Io(std::io::ErrorKind::NotConnected))
    }

    /// A solenoid that is to be driven for ten seconds.
    fn coil(expected: &[Transaction], active_low: bool) -> (Coil<Mock>, Mock) {
        let pin = Mock::new(expected);
        (Coil::new(pin.clone(), Pulse { on: MS * 10_000, rest: Duration::ZERO, active_low }), pin)
    }

    #[test]
    fn whatever_it_is_asked_it_is_driven_for_the_longest_pulse_at_most() {
        for (active_low, on, off) in [(false, State::High, State::Low), (true, State::Low, State::High)] {
            let (mut coil, mut pin) = coil(&[off, on, off, on, off].map(Transaction::set), active_low);
            let begun = Moment::from_micros(1_000_000);
            for ms in 0..499 {
                // Asked again and again, it neither begins anew nor goes on longer.
                coil.pull(begun + MS * ms).unwrap();
                coil.handle_timeout(begun + MS * ms).unwrap();
                assert_eq!(coil.poll_timeout(), Some(begun + Pulse::LONGEST));
            }
            coil.handle_timeout(begun + Pulse::LONGEST).unwrap();
            assert_eq!(coil.poll_timeout(), None);
            // Dropped within a pulse.
            coil.pull(begun + MS * 5_000).unwrap();
            drop(coil);
            pin.done();
        }
    }

    #[test]
    fn a_pulse_may_be_shorter_and_never_longer() {
        let (low, high) = (Transaction::set(State::Low), Transaction::set(State::High));
        let expected = [low.clone(), high.clone(), low.clone(), high, low.clone(), low];
        let (mut coil, mut pin) = coil(&expected, false);
        let mut now = Moment::from_micros(1_000_000);
        for (asked, driven) in [(MS * 80, MS * 80), (MS * 9_000, Pulse::LONGEST)] {
            coil.pull_for(asked, now).unwrap();
            assert_eq!(coil.poll_timeout(), Some(now + driven));
            now += driven;
            coil.handle_timeout(now).unwrap();
        }
        drop(coil);
        pin.done();
    }

    #[test]
    fn a_pin_that_fails_is_let_go_until_it_is() {
        let (low, high) = (Transaction::set(State::Low), Transaction::set(State::High));
        let expected = [
            failing(State::Low),
            failing(State::Low),
            low.clone(),
            failing(State::High),
            low.clone(),
            high,
            failing(State::Low),
            low.clone(),
            low,
        ];
        let (mut coil, mut pin) = coil(&expected, false);
        let now = Moment::from_micros(1_000_000);
        assert!(coil.pull(now).is_err(), "its level is unknown yet");
        assert!(coil.pull(now).is_err(), "it was not driven, perhaps");
        assert_eq!(coil.poll_timeout(), None);
        coil.pull(now).unwrap();
        let end = coil.poll_timeout().unwrap();
        assert!(coil.handle_timeout(end).is_err());
        assert_eq!(coil.poll_timeout(), Some(end), "it is driven still, perhaps");
        coil.handle_timeout(end).unwrap();
        drop(coil);
        pin.done();
    }
}
