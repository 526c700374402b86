//! Which records are sent when, until the cloud has them.
//!
//! ```text
//!  acknowledged ──── sent ──────────── head          places in the journal
//!       │    under way │     waiting    │
//!       └──────────────┘ at most `window` bytes
//! ```
//!
//! - Only the cloud's word moves the cursor: that the broker has taken something means nothing, for it may forget.
//! - After each loss of the connection all that is not acknowledged is sent again.
//! - Nothing waits for long in a batch, and a batch is never larger than a broker takes.
//! - A connection over which nothing is acknowledged for too long is given up, even where it looks alive.

use std::collections::VecDeque;

/// Time, microseconds since any moment that stays the same.
pub type Micros = u64;

/// A record's place in a journal, by its order: epochs are counted in the order in which they began. `seq` 0 is before an
/// epoch's first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// The number of its epoch in the journal, from 0.
    pub epoch: u32,
    /// Its number in the epoch, from 1.
    pub seq: u64,
}

/// How much, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A batch is sent when so many bytes wait; it is never larger, but for a single record that is.
    pub batch: usize,
    /// Bytes that may be under way.
    pub window: usize,
    /// Nothing waits longer to be sent while there is a connection and room.
    pub linger: Micros,
    /// A connection over which nothing was acknowledged for so long, though something was under way, is given up.
    pub patience: Micros,
    /// The first wait before another attempt to connect; it doubles, up to `longest_wait`.
    pub first_wait: Micros,
    /// The longest wait.
    pub longest_wait: Micros,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: 64 << 10,
            window: 1 << 20,
            linger: 200_000,
            patience: 30_000_000,
            first_wait: 500_000,
            longest_wait: 60_000_000,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Todo {
    /// Try to connect, on a fresh connection that knows of nothing before it; then say [`Outbox::connected`] or [`Outbox::lost`].
    Connect,
    /// Read the records behind this place, of one epoch, at most so many bytes but at least one record, and publish them; then say
    /// [`Outbox::sent`].
    Send {
        /// The place before the first record.
        after: Place,
        /// Bytes.
        most: usize,
    },
    /// Give the connection up; then say [`Outbox::lost`].
    Disconnect,
}

/// What became of an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// The cloud has more than it had: this is to be stored as the cursor.
    Moved(Place),
    /// It was known.
    Known,
    /// The journal has no such record: it is another box's, or the cloud knows a journal that this one is not. Nothing moved.
    Unknown,
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How far the cloud has the journal.
    pub acknowledged: Place,
    /// Bytes that were sent and are not acknowledged.
    pub under_way: usize,
    /// Bytes that wait, as far as they were told; those of before the start are not.
    pub waiting: usize,
    /// Since when something is not acknowledged.
    pub behind_since: Option<Micros>,
    /// Connections that were made.
    pub connections: u64,
    /// Whether there is one.
    pub connected: bool,
    /// Whether somebody has it wait.
    pub paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Nobody tries before then.
    Down {
        until: Micros,
    },
    Connecting,
    Up,
    /// It is to be given up.
    Stuck,
}

/// A batch under way.
#[derive(Debug, Clone, Copy)]
struct Batch {
    last: Place,
    bytes: usize,
}

/// The outbox.
#[derive(Debug, Clone)]
pub struct Outbox {
    limits: Limits,
    acknowledged: Place,
    sent: Place,
    head: Place,
    flight: VecDeque<Batch>,
    under_way: usize,
    waiting: usize,
    /// What stands before this waited for the connection already: it is sent at once.
    overdue: Place,
    /// When the first of what waits began to.
    waits_since: Option<Micros>,
    behind_since: Option<Micros>,
    /// When something was acknowledged last, or sent while nothing was under way.
    progress: Micros,
    link: Link,
    wait: Micros,
    connections: u64,
    paused: bool,
}

impl Outbox {
    /// Of a journal that ends at `head`, whose cursor is `acknowledged`.
    #[must_use]
    pub fn new(limits: Limits, acknowledged: Place, head: Place, now: Micros) -> Self {
        let behind = (acknowledged < head).then_some(now);
        Self {
            limits,
            acknowledged,
            sent: acknowledged,
            head,
            flight: VecDeque::new(),
            under_way: 0,
            waiting: 0,
            overdue: head,
            waits_since: behind,
            behind_since: behind,
            progress: now,
            link: Link::Down { until: now },
            wait: limits.first_wait,
            connections: 0,
            paused: false,
        }
    }

    /// The journal has grown by so many bytes, and ends here now.
    pub fn grew(&mut self, head: Place, bytes: usize, now: Micros) {
        if head <= self.head {
            return;
        }
        self.head = head;
        self.waiting = self.waiting.saturating_add(bytes);
        self.waits_since.get_or_insert(now);
        self.behind_since.get_or_insert(now);
    }

    /// There is a connection: all that is not acknowledged is sent, whatever was sent over another.
    pub fn connected(&mut self, now: Micros) {
        self.link = Link::Up;
        self.connections = self.connections.saturating_add(1);
        self.progress = now;
        self.send_again();
        self.overdue = self.head;
    }

    /// There is no connection, or the attempt failed. `chance` is random, 0 to 255: boxes that lost it together do not come back together.
    pub fn lost(&mut self, chance: u8, now: Micros) {
        // Half of the wait to all of it.
        let part = self.wait / 2;
        let wait = part.saturating_add(part.saturating_mul(chance.into()) / 255);
        self.link = Link::Down { until: now.saturating_add(wait) };
        self.wait = self.wait.saturating_mul(2).min(self.limits.longest_wait);
        self.send_again();
    }

    fn send_again(&mut self) {
        self.sent = self.acknowledged;
        self.waiting = self.waiting.saturating_add(std::mem::take(&mut self.under_way));
        self.flight.clear();
    }

    /// Somebody has it wait, or go on. What is under way is not taken back.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Records up to this one were published, of so many bytes, as [`Todo::Send`] had it.
    pub fn sent(&mut self, last: Place, bytes: usize, now: Micros) {
        if self.link != Link::Up || last <= self.sent || last > self.head {
            return;
        }
        if self.flight.is_empty() {
            self.progress = now;
        }
        self.sent = last;
        self.flight.push_back(Batch { last, bytes });
        self.under_way = self.under_way.saturating_add(bytes);
        self.waiting = if self.sent == self.head { 0 } else { self.waiting.saturating_sub(bytes) };
        self.waits_since = (self.sent < self.head).then_some(now);
    }

    /// The cloud has all up to this record, which the journal has, too, if `known`.
    pub fn acknowledged(&mut self, place: Place, known: bool, now: Micros) -> Acknowledged {
        if !known || place > self.head {
            return Acknowledged::Unknown;
        }
        if place <= self.acknowledged {
            return Acknowledged::Known;
        }
        self.acknowledged = place;
        self.progress = now;
        // The connection is good.
        self.wait = self.limits.first_wait;
        while let Some(batch) = self.flight.front().filter(|batch| batch.last <= place).copied() {
            self.flight.pop_front();
            self.under_way = self.under_way.saturating_sub(batch.bytes);
        }
        // It knows more than was sent over this connection: an earlier one, or an earlier life, had sent it.
        self.sent = self.sent.max(place);
        if self.sent == self.head {
            (self.waiting, self.waits_since) = (0, None);
        }
        self.behind_since = (place < self.head).then_some(now);
        Acknowledged::Moved(place)
    }

    /// The cloud says that it does not have what stands behind this record: that is sent again, even where the cloud had said otherwise
    /// (its database came back from a copy).
    pub fn resend(&mut self, after: Place, now: Micros) {
        let after = after.min(self.head);
        self.acknowledged = self.acknowledged.min(after);
        self.send_again();
        if self.acknowledged < self.head {
            self.behind_since.get_or_insert(now);
            self.overdue = self.head;
        }
    }

    /// What to do next, if anything is to be done now.
    pub fn poll(&mut self, now: Micros) -> Option<Todo> {
        match self.link {
            Link::Down { until } if now >= until => {
                self.link = Link::Connecting;
                Some(Todo::Connect)
            }
            Link::Down { .. } | Link::Connecting => None,
            Link::Stuck => Some(Todo::Disconnect),
            Link::Up if !self.flight.is_empty() && now >= self.gives_up() => {
                self.link = Link::Stuck;
                Some(Todo::Disconnect)
            }
            Link::Up if self.may_send() && now >= self.sends_at() => {
                Some(Todo::Send { after: self.sent, most: self.limits.batch })
            }
            Link::Up => None,
        }
    }

    /// When to ask [`Outbox::poll`] again at the latest, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        match self.link {
            Link::Down { until } => Some(until),
            Link::Connecting => None,
            Link::Stuck => Some(0),
            Link::Up => {
                let gives_up = (!self.flight.is_empty()).then(|| self.gives_up());
                let sends = self.may_send().then(|| self.sends_at());
                gives_up.into_iter().chain(sends).min()
            }
        }
    }

    /// How things stand.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            acknowledged: self.acknowledged,
            under_way: self.under_way,
            waiting: self.waiting,
            behind_since: self.behind_since,
            connections: self.connections,
            connected: self.link == Link::Up,
            paused: self.paused,
        }
    }

    fn may_send(&self) -> bool {
        !self.paused && self.sent < self.head && self.under_way < self.limits.window
    }

    /// When what waits is to be sent: at once when it fills a batch.
    fn sends_at(&self) -> Micros {
        if self.sent < self.overdue || self.waiting >= self.limits.batch {
            return 0;
        }
        self.waits_since.unwrap_or(0).saturating_add(self.limits.linger)
    }

    fn gives_up(&self) -> Micros {
        self.progress.saturating_add(self.limits.patience)
    }
}

#[cfg(test)]
mod tests;
