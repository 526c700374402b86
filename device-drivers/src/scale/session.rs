//! The conversation with a scale, as a state machine: time and bytes go in, questions and readings come out.
//!
//! A polled scale is asked every [`ASK_EVERY`]; a continuous one talks by itself. Either is *silent* when no whole frame
//! came for [`SILENT_AFTER`]: counted from the first question that nobody answered, or from the last frame. Noise is no
//! frame. A caller who was away for a while does not make a scale silent: what came meanwhile is read first.

use core::time::Duration;

use heapless::Deque;

use super::proto::{ScaleReader, Talk};
use super::weight::Reading;
use crate::moment::Moment;

/// Between two questions to a polled scale.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(200);
/// How long a scale may say nothing that makes sense.
pub const SILENT_AFTER: Duration = Duration::from_secs(1);
/// Readings that wait to be taken; of more, the last ones count.
const MOST_WAITING: usize = 16;

#[derive(Debug)]
pub(super) struct Session {
    talk: Talk,
    reader: ScaleReader,
    readings: Deque<Reading, MOST_WAITING>,
    /// A question is to be sent.
    asking: bool,
    next_ask: Moment,
    /// Since when something is owed; a polled scale owes nothing before it is asked.
    owed_since: Option<Moment>,
}

impl Session {
    /// A conversation on a line that was just opened.
    pub(super) fn new(talk: Talk, now: Moment) -> Self {
        let owed_since = (!talk.is_polled()).then_some(now);
        Self {
            talk,
            reader: ScaleReader::new(talk),
            readings: Deque::new(),
            asking: false,
            next_ask: now,
            owed_since,
        }
    }

    /// What to send next; say with [`Session::taken`] that it was taken.
    pub(super) fn poll_output(&self) -> &'static [u8] {
        if self.asking { self.talk.ask() } else { b"" }
    }

    /// The line took what [`Session::poll_output`] gave, which is one byte.
    pub(super) fn taken(&mut self) {
        self.asking = false;
    }

    /// Bytes came.
    pub(super) fn handle(&mut self, bytes: &[u8], now: Moment) {
        for byte in bytes {
            if let Some(reading) = self.reader.take(*byte) {
                if self.readings.is_full() {
                    self.readings.pop_front();
                }
                // There is room now.
                let _ = self.readings.push_back(reading);
                self.owed_since = (!self.talk.is_polled()).then_some(now);
            }
        }
    }

    /// The next reading, in the order they came.
    pub(super) fn poll_reading(&mut self) -> Option<Reading> {
        self.readings.pop_front()
    }

    /// When [`Session::handle_timeout`] wants to be called, if nothing comes.
    pub(super) fn poll_timeout(&self) -> Moment {
        let silent = self.owed_since.map(|since| since + SILENT_AFTER);
        let ask = self.talk.is_polled().then_some(self.next_ask);
        // A scale that is not asked owes always.
        silent.into_iter().chain(ask).min().unwrap_or(self.next_ask)
    }

    /// Time went by. Says whether the scale is silent: once for each [`SILENT_AFTER`].
    pub(super) fn handle_timeout(&mut self, now: Moment) -> bool {
        let silent = self.owed_since.is_some_and(|since| now >= since + SILENT_AFTER);
        if silent {
            self.owed_since = Some(now);
        }
        if self.talk.is_polled() && now >= self.next_ask {
            self.asking = true;
            self.next_ask = now + ASK_EVERY;
            self.owed_since.get_or_insert(now);
        }
        silent
    }

    /// Frames that made no sense.
    pub(super) fn refused(&self) -> u64 {
        self.reader.refused()
    }
}

#[cfg(test)]
mod tests {
    use super::super::weight::{Unit, Weight};
    use super::*;

    const POLLED: Talk = Talk::Polled { unit: Unit::Kilogram, places: 3 };

    fn kilograms(thousandths: i64) -> Reading {
        Reading::Stable(Weight { thousandths, unit: Unit::Kilogram })
    }

    #[test]
    fn a_polled_scale_is_asked_again_and_again_and_owes_each_answer() {
        let begin = Moment::default();
        let mut session = Session::new(POLLED, begin);
        let mut now = begin;
        for _ in 0..20 {
            assert!(!session.handle_timeout(now));
            assert_eq!(session.poll_output(), b"W");
            session.taken();
            assert_eq!(session.poll_output(), b"", "asked once");
            session.handle(b"\x0200475\r", now + ASK_EVERY / 2);
            assert_eq!(session.poll_reading(), Some(kilograms(475)));
            assert_eq!(session.poll_timeout(), now + ASK_EVERY);
            now = session.poll_timeout();
        }
        // Nobody called for a while: nothing was asked, so nothing is owed.
        now += SILENT_AFTER * 10;
        assert!(!session.handle_timeout(now));
        assert_eq!(session.poll_output(), b"W");
    }

    #[test]
    fn silence_and_noise_are_told_once_a_second() {
        let frame = b"\x02\x25\x30\x20   475000000\r";
        for (talk, good) in [(POLLED, b"\x0200475\r".as_slice()), (Talk::Continuous, frame)] {
            let begin = Moment::default();
            let mut session = Session::new(talk, begin);
            let mut told = Vec::new();
            while told.len() < 3 {
                let now = session.poll_timeout();
                session.handle(b"\x02?!\xff\r\x02\r", now);
                if session.handle_timeout(now) {
                    told.push(now.since(begin));
                }
                session.taken();
            }
            assert_eq!(told, [1, 2, 3].map(Duration::from_secs), "{talk:?}");
            assert!(session.refused() > 0);
            let now = begin + Duration::from_millis(3_900);
            session.handle(good, now);
            assert_eq!(session.poll_reading(), Some(kilograms(475)));
            assert!(!session.handle_timeout(begin + Duration::from_millis(4_500)));
        }
    }

    #[test]
    fn of_what_nobody_takes_the_last_counts() {
        let now = Moment::default();
        let mut session = Session::new(POLLED, now);
        (0..1_000).for_each(|weight| session.handle(format!("\x02{weight:05}\r").as_bytes(), now));
        let left: Vec<_> = std::iter::from_fn(|| session.poll_reading()).collect();
        assert_eq!((left.len(), left.last()), (MOST_WAITING, Some(&kilograms(999))));
    }
}
