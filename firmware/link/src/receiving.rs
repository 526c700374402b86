//! The receiver's half of a session: what was received, handed out and accepted.
//!
//! accepted ≤ handed ≤ received, always; those between the last two are in the inbox. Only the next number is taken, so what
//! comes twice, late or out of turn is dropped by its number alone.

use crate::event::{Counters, News};
use crate::field::{Bytes, LONGEST_MESSAGE};
use crate::outbox::{Entries, split};
use crate::packet::Tidings;
use crate::stream::{Cursor, Id, StreamId};

#[derive(Debug)]
pub(crate) struct Receiving<const IN: usize> {
    cursor: Option<Cursor>,
    handed: u32,
    received: u32,
    inbox: Entries<IN>,
    /// The window that the other side was told last.
    told: u16,
}

impl<const IN: usize> Receiving<IN> {
    pub(crate) const fn new(cursor: Option<Cursor>) -> Self {
        const { assert!(IN > LONGEST_MESSAGE, "the longest message must fit into the inbox") };
        let accepted = match cursor {
            Some(cursor) => cursor.accepted,
            None => 0,
        };
        Self { cursor, handed: accepted, received: accepted, inbox: Entries::new(), told: 0 }
    }

    pub(crate) const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The other side's stream, and the first number that it still has.
    pub(crate) fn adopt(&mut self, stream: StreamId, first: u32) -> Option<News> {
        let before = first.saturating_sub(1);
        let was = self.cursor;
        let Some(cursor) = self.cursor.as_mut().filter(|cursor| cursor.stream == stream) else {
            self.cursor = Some(Cursor { stream, accepted: before });
            (self.handed, self.received) = (before, before);
            self.inbox.clear();
            return Some(News::StreamBegan { stream, was });
        };
        let missing = before.checked_sub(cursor.accepted).filter(|missing| *missing > 0)?;
        cursor.accepted = before;
        self.inbox.pop(before.saturating_sub(self.handed));
        self.handed = self.handed.max(before);
        self.received = self.received.max(before);
        Some(News::Gap { missing })
    }

    /// Messages came, the first with this number.
    pub(crate) fn handle(&mut self, number: u32, mut entries: &[u8], counters: &mut Counters) {
        let mut number = number;
        while let Some((message, rest)) = split(entries) {
            let wanted = self.received.saturating_add(1);
            let ahead = self.received.saturating_sub(self.cursor.map_or(0, |cursor| cursor.accepted));
            if number < wanted {
                counters.repeated = counters.repeated.saturating_add(1);
            } else if number > wanted || ahead >= u16::MAX.into() || self.inbox.push(message).is_none() {
                counters.untimely = counters.untimely.saturating_add(1);
                return;
            } else {
                self.received = wanted;
            }
            (number, entries) = (number.saturating_add(1), rest);
        }
        if !entries.is_empty() {
            counters.malformed = counters.malformed.saturating_add(1);
        }
    }

    /// The next message for the application.
    pub(crate) fn poll(&mut self) -> Option<(Id, Bytes)> {
        let stream = self.cursor?.stream;
        let message = Bytes::from_slice(self.inbox.first()?).ok()?;
        self.inbox.pop(1);
        self.handed = self.handed.saturating_add(1);
        Some((Id { stream, number: self.handed }, message))
    }

    /// The application accepted all up to this one. False if it was not handed out, or is not of this stream.
    pub(crate) fn accept(&mut self, id: Id) -> bool {
        let handed = self.handed;
        let Some(cursor) = self.cursor.as_mut().filter(|cursor| cursor.stream == id.stream) else {
            return false;
        };
        let good = id.number <= handed;
        if good {
            cursor.accepted = cursor.accepted.max(id.number);
        }
        good
    }

    /// What the other side is told now.
    pub(crate) fn tidings(&mut self) -> Tidings {
        let cursor = self.cursor.unwrap_or(Cursor { stream: StreamId(0), accepted: 0 });
        let tidings = Tidings::of(cursor, self.received, self.inbox.room());
        self.told = tidings.window;
        tidings
    }

    /// Whether there is much more room than the other side knows.
    pub(crate) fn has_opened(&self) -> bool {
        let opened = self.inbox.room().saturating_sub(self.told.into());
        opened > 0 && (usize::from(self.told) <= LONGEST_MESSAGE || opened >= IN / 2)
    }
}
