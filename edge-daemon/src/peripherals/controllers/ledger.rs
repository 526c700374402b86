//! What a controller told and is not done with: handed out in order, accepted in order, handed out again to who comes after.
//!
//! ```text
//!  accepted | done, but one before it is not | handed out | waiting
//!           └──────────────── the ledger ────────────────────────┘
//! ```
//!
//! A message is accepted over the link when it and all before it are done: so nothing is, whose effect is not in the journal.

use std::collections::VecDeque;

use pos_link::{Cursor, Id, ToHost};

/// Messages that may wait. An honest controller's outbox has not room for so many.
const MOST: usize = 4_096;

/// The messages of one stream, from the first that is not accepted.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: VecDeque<Entry>,
    /// So many of them are handed out, or were never to be.
    handed: usize,
}

#[derive(Debug)]
struct Entry {
    id: Id,
    /// `None`: nothing is to be done about it, or all is.
    message: Option<ToHost>,
}

/// More waits than any controller keeps: it is none of ours, or mad.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overfull;

impl Ledger {
    /// A message came; without one, nothing is to be done about it.
    pub(super) fn push(&mut self, id: Id, message: Option<ToHost>) -> Result<(), Overfull> {
        if self.entries.len() >= MOST {
            return Err(Overfull);
        }
        // Of an older stream nothing will be accepted any more.
        if self.entries.back().is_some_and(|last| last.id.stream != id.stream) {
            self.clear();
        }
        self.entries.push_back(Entry { id, message });
        Ok(())
    }

    /// The next to hand out.
    pub(super) fn hand_out(&mut self) -> Option<(Id, ToHost)> {
        loop {
            let entry = self.entries.get(self.handed)?;
            self.handed += 1;
            if let Some(message) = &entry.message {
                return Some((entry.id, message.clone()));
            }
        }
    }

    /// Whoever it was handed out to is gone: what is not done is handed out again.
    pub(super) fn take_back(&mut self) {
        self.handed = 0;
    }

    /// What follows from this one is in the journal, or nothing follows.
    pub(super) fn done(&mut self, id: Id) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.message = None;
        }
    }

    /// The last of those at the front that are done, which leave.
    pub(super) fn accept(&mut self) -> Option<Id> {
        let mut last = None;
        while self.entries.front().is_some_and(|entry| entry.message.is_none()) {
            last = self.entries.pop_front().map(|entry| entry.id);
            self.handed = self.handed.saturating_sub(1);
        }
        last
    }

    /// Somebody else had these accepted.
    pub(super) fn accepted(&mut self, cursor: Cursor) {
        let over = |entry: &Entry| entry.id.stream != cursor.stream || entry.id.number <= cursor.accepted;
        while self.entries.front().is_some_and(over) {
            self.entries.pop_front();
            self.handed = self.handed.saturating_sub(1);
        }
    }

    /// Forgets all: it comes again, or never will.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.handed = 0;
    }
}

#[cfg(test)]
mod tests {
    use pos_link::StreamId;

    use super::*;

    fn id(number: u32) -> Id {
        Id { stream: StreamId(1), number }
    }

    fn message(number: u32) -> ToHost {
        ToHost::UpdateProgress { stored: number }
    }

    fn handed(ledger: &mut Ledger) -> Vec<u32> {
        std::iter::from_fn(|| ledger.hand_out()).map(|(id, _)| id.number).collect()
    }

    #[test]
    fn what_is_done_out_of_turn_is_accepted_in_turn() {
        let mut ledger = Ledger::default();
        for number in 1..=4 {
            ledger.push(id(number), Some(message(number))).unwrap();
        }
        ledger.push(id(5), None).unwrap();
        assert_eq!(handed(&mut ledger), [1, 2, 3, 4]);
        ledger.done(id(2));
        ledger.done(id(4));
        assert_eq!(ledger.accept(), None, "the first is not done");
        ledger.done(id(1));
        assert_eq!(ledger.accept(), Some(id(2)));
        ledger.push(id(6), Some(message(6))).unwrap();
        assert_eq!(handed(&mut ledger), [6]);
        ledger.done(id(3));
        assert_eq!(ledger.accept(), Some(id(5)), "what nobody does anything about goes along");
        ledger.done(id(6));
        assert_eq!((ledger.accept(), ledger.accept()), (Some(id(6)), None));
    }

    #[test]
    fn who_comes_after_gets_what_was_not_done_and_only_that() {
        let mut ledger = Ledger::default();
        for number in 1..=3 {
            ledger.push(id(number), Some(message(number))).unwrap();
        }
        assert_eq!(handed(&mut ledger), [1, 2, 3]);
        ledger.done(id(2));
        ledger.take_back();
        assert_eq!(handed(&mut ledger), [1, 3]);
        ledger.done(id(1));
        assert_eq!(ledger.accept(), Some(id(2)));
        ledger.take_back();
        assert_eq!(handed(&mut ledger), [3]);
    }

    #[test]
    fn what_another_line_had_accepted_is_gone_and_the_rest_stays() {
        let mut ledger = Ledger::default();
        for number in 6..=10 {
            ledger.push(id(number), Some(message(number))).unwrap();
        }
        assert_eq!(handed(&mut ledger), [6, 7, 8, 9, 10]);
        ledger.accepted(Cursor { stream: StreamId(1), accepted: 7 });
        ledger.push(id(11), Some(message(11))).unwrap();
        assert_eq!(handed(&mut ledger), [11]);
        ledger.done(id(11));
        assert_eq!(ledger.accept(), None, "8 to 10 are not done");
        ledger.take_back();
        assert_eq!(handed(&mut ledger), [8, 9, 10]);
    }

    #[test]
    fn a_new_stream_ends_the_old_one_and_there_is_an_end_to_what_waits() {
        let mut ledger = Ledger::default();
        ledger.push(id(1), Some(message(1))).unwrap();
        let other = Id { stream: StreamId(2), number: 1 };
        ledger.push(other, Some(message(2))).unwrap();
        assert_eq!(ledger.hand_out().map(|(id, _)| id), Some(other));
        for number in 2..=4_096 {
            ledger.push(Id { number, ..other }, None).unwrap();
        }
        assert_eq!(ledger.push(Id { number: 4_097, ..other }, None), Err(Overfull));
    }
}
