//! The sender's half of a session: what of the outbox is on its way.
//!
//! Numbers only grow within a session: accepted ≤ received ≤ sent < next. When nothing is heard for too long, what was not
//! received is sent again from the first on. Frames rarely get lost on a cable: a finer scheme would be for nothing.

use core::borrow::BorrowMut;
use core::marker::PhantomData;

use crate::Micros;
use crate::outbox::{Outbox, SendError};
use crate::packet::{Hello, MOST_CARGO, Tidings};
use crate::patience::Patience;
use crate::stream::{Id, StreamId};

#[derive(Debug)]
pub(crate) struct Sending<O, const OUT: usize> {
    outbox: O,
    /// The other side received up to this number.
    received: u32,
    /// Up to this number was sent, after the last step back.
    sent: u32,
    /// Up to this number was sent before.
    ever: u32,
    /// The other side has room for so many bytes beyond what it received.
    window: usize,
    patience: Patience,
    overdue: Option<Micros>,
    timed: Option<(u32, Micros)>,
    /// The next number when this side booted, until the first session.
    at_boot: Option<u32>,
    again: u32,
    kept: PhantomData<[u8; OUT]>,
}

/// The other side received what this outbox never had.
pub(crate) struct Stale;

impl<O: BorrowMut<Outbox<OUT>>, const OUT: usize> Sending<O, OUT> {
    pub(crate) fn new(outbox: O) -> Self {
        let (first, next) = (outbox.borrow().first(), outbox.borrow().next());
        let before = first.saturating_sub(1);
        Self {
            outbox,
            received: before,
            sent: before,
            ever: before,
            window: 0,
            patience: Patience::default(),
            overdue: None,
            timed: None,
            at_boot: Some(next),
            again: 0,
            kept: PhantomData,
        }
    }

    pub(crate) fn outbox(&self) -> &Outbox<OUT> {
        self.outbox.borrow()
    }

    pub(crate) fn into_outbox(self) -> O {
        self.outbox
    }

    /// How often something was sent again.
    pub(crate) fn again(&self) -> u32 {
        self.again
    }

    pub(crate) fn push(&mut self, message: &[u8]) -> Result<Id, SendError> {
        self.outbox.borrow_mut().push(message)
    }

    /// A session begins, or goes on after a silence; `rebooted`: it is another boot of the other side.
    pub(crate) fn resume(&mut self, hello: &Hello, rebooted: bool) -> Result<(), Stale> {
        let next = self.at_boot.take().unwrap_or(self.outbox().next());
        let (accepted, received) = hello.received(self.outbox().stream()).unwrap_or_default();
        self.outbox.borrow_mut().release(accepted.min(next.saturating_sub(1)));
        if received >= next {
            return Err(Stale);
        }
        let received = received.max(self.outbox().first().saturating_sub(1));
        self.received = if rebooted { received } else { self.received.max(received) };
        self.sent = self.received;
        (self.overdue, self.timed) = (None, None);
        self.window = hello.tidings.window.into();
        Ok(())
    }

    /// Goes on as another stream.
    pub(crate) fn rename(&mut self, stream: StreamId) {
        self.outbox.borrow_mut().rename(stream);
        let before = self.outbox().first().saturating_sub(1);
        (self.received, self.sent, self.ever) = (before, before, before);
    }

    /// What the other side has. False if it lacks what this side no longer has: then it must be told where the outbox begins.
    pub(crate) fn handle(&mut self, tidings: Tidings, now: Micros) -> bool {
        let received = tidings.received();
        if received >= self.outbox().next() {
            return true;
        }
        if received < self.outbox().first().saturating_sub(1) {
            return false;
        }
        self.outbox.borrow_mut().release(tidings.accepted);
        if received < self.received {
            return true;
        }
        self.window = tidings.window.into();
        if received > self.received {
            (self.received, self.sent) = (received, self.sent.max(received));
            self.overdue = (self.sent > received).then(|| now.saturating_add(self.patience.wait()));
            if let Some((_, sent)) = self.timed.take_if(|(number, _)| *number <= received) {
                self.patience.measure(now.saturating_sub(sent));
            }
        }
        true
    }

    /// The next messages to send, each behind its length, and the number of the first.
    pub(crate) fn poll(&mut self, now: Micros) -> Option<(u32, &[u8])> {
        let outbox = self.outbox.borrow();
        let room = self.window.saturating_sub(outbox.bytes_between(self.received, self.sent));
        let number = self.sent.saturating_add(1);
        let (run, count) = outbox.run(number, room.min(MOST_CARGO));
        if count == 0 {
            return None;
        }
        self.sent = self.sent.saturating_add(count);
        if number > self.ever {
            self.timed.get_or_insert((self.sent, now));
        }
        self.ever = self.ever.max(self.sent);
        self.overdue.get_or_insert(now.saturating_add(self.patience.wait()));
        Some((number, run))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Micros> {
        self.overdue
    }

    pub(crate) fn handle_timeout(&mut self, now: Micros) {
        if self.overdue.take_if(|overdue| *overdue <= now).is_some() {
            self.sent = self.received;
            self.timed = None;
            self.patience.was_too_short();
            self.again = self.again.saturating_add(1);
        }
    }
}
