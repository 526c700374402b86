//! The sender's messages that were not accepted yet: plain bytes, so that they may be kept over a reboot.

use core::fmt;

use heapless::Vec;
use thiserror::Error;

use crate::field::LONGEST_MESSAGE;
use crate::stream::{Id, StreamId};

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// There is no room until the other side accepts something.
    #[error("the outbox is full until the other side accepts something")]
    Full,
    /// The stream's numbers are used up: begin a new one when all is accepted.
    #[error("the stream's numbers are used up; begin with a new outbox")]
    Spent,
}

/// The sender's messages that were not accepted yet, in order: at most `BYTES` bytes, one more than its own for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox<const BYTES: usize> {
    stream: StreamId,
    /// The number of the first that is kept, or would be.
    first: u32,
    kept: Entries<BYTES>,
}

/// What was handed in was no outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("these bytes are no outbox; begin with a new one")]
pub struct NoOutbox;

impl<const BYTES: usize> Outbox<BYTES> {
    /// An empty one. The stream's name must be random, and new.
    #[must_use]
    pub const fn new(stream: StreamId) -> Self {
        Self { stream, first: 1, kept: Entries::new() }
    }

    /// The outbox that [`Outbox::stream`], [`Outbox::first`] and [`Outbox::as_bytes`] told of. That they are what was
    /// stored is for the caller to know, by a checksum of its own.
    ///
    /// # Errors
    /// [`NoOutbox`] if they cannot be.
    pub fn restore(stream: StreamId, first: u32, bytes: &[u8]) -> Result<Self, NoOutbox> {
        let kept = Entries::of(bytes).ok_or(NoOutbox)?;
        first.checked_add(kept.count()).filter(|_| first > 0).ok_or(NoOutbox)?;
        Ok(Self { stream, first, kept })
    }

    /// The stream that it belongs to.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// The number of the first message that was not accepted, whether there is one or not.
    #[must_use]
    pub const fn first(&self) -> u32 {
        self.first
    }

    /// The number that the next message gets.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.first.saturating_add(self.kept.count())
    }

    /// The messages, each behind a byte that says how long it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.kept.bytes
    }

    /// How many bytes of messages there is room for; each takes one more than its own.
    #[must_use]
    pub fn room(&self) -> usize {
        self.kept.room()
    }

    pub(crate) fn push(&mut self, message: &[u8]) -> Result<Id, SendError> {
        let number = self.next();
        if number == u32::MAX {
            return Err(SendError::Spent);
        }
        self.kept.push(message).ok_or(SendError::Full)?;
        Ok(Id { stream: self.stream, number })
    }

    /// All up to this number were accepted.
    pub(crate) fn release(&mut self, accepted: u32) {
        let released = accepted.saturating_add(1).saturating_sub(self.first);
        self.first = self.first.saturating_add(self.kept.pop(released));
    }

    /// Goes on under another name, with the same messages.
    pub(crate) fn rename(&mut self, stream: StreamId) {
        self.stream = stream;
    }

    /// As many messages from this number on as fit into so many bytes, each behind its length, and how many they are.
    pub(crate) fn run(&self, from: u32, most: usize) -> (&[u8], u32) {
        self.kept.run(from.saturating_sub(self.first), most)
    }

    /// The bytes of the messages between these numbers, the first excluded and the last included.
    pub(crate) fn bytes_between(&self, after: u32, last: u32) -> usize {
        let to = |number: u32| self.kept.place(number.saturating_add(1).saturating_sub(self.first));
        to(last).saturating_sub(to(after))
    }
}

/// Messages one behind the other, each behind a byte that says how long it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entries<const BYTES: usize> {
    bytes: Vec<u8, BYTES>,
    count: u32,
}

impl<const BYTES: usize> Entries<BYTES> {
    pub(crate) const fn new() -> Self {
        Self { bytes: Vec::new(), count: 0 }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let mut entries = Self::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (message, more) = split(rest)?;
            entries.push(message)?;
            rest = more;
        }
        Some(entries)
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn room(&self) -> usize {
        BYTES.saturating_sub(self.bytes.len())
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Nothing if there is no room.
    pub(crate) fn push(&mut self, message: &[u8]) -> Option<()> {
        let length = u8::try_from(message.len()).ok().filter(|length| *length > 0)?;
        if self.room() <= message.len() || message.len() > LONGEST_MESSAGE {
            return None;
        }
        self.bytes.push(length).ok()?;
        self.bytes.extend_from_slice(message).ok()?;
        self.count = self.count.saturating_add(1);
        Some(())
    }

    pub(crate) fn first(&self) -> Option<&[u8]> {
        split(&self.bytes).map(|(message, _)| message)
    }

    /// Takes so many away from the front, in one move; gives how many there were.
    pub(crate) fn pop(&mut self, most: u32) -> u32 {
        let gone = most.min(self.count);
        // It is never beyond; said so that the compiler sees it too, and leaves the panic out.
        let from = self.place(most).min(self.bytes.len());
        let left = self.bytes.len().saturating_sub(from);
        self.bytes.copy_within(from.., 0);
        self.bytes.truncate(left);
        self.count = self.count.saturating_sub(gone);
        gone
    }

    /// Where the message stands that so many are before; the end, if there are not so many.
    fn place(&self, before: u32) -> usize {
        let mut rest = self.bytes.as_slice();
        for _ in 0..before {
            let Some((_, more)) = split(rest) else { break };
            rest = more;
        }
        self.bytes.len().saturating_sub(rest.len())
    }

    fn run(&self, before: u32, most: usize) -> (&[u8], u32) {
        let from = self.bytes.get(self.place(before)..).unwrap_or_default();
        let (mut rest, mut count, mut length) = (from, 0_u32, 0);
        while let Some((_, more)) = split(rest) {
            let longer = from.len().saturating_sub(more.len());
            if longer > most {
                break;
            }
            (rest, count, length) = (more, count.saturating_add(1), longer);
        }
        (from.get(..length).unwrap_or_default(), count)
    }
}

impl<const BYTES: usize> fmt::Debug for Entries<BYTES> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} messages in {} bytes", self.count, self.bytes.len())
    }
}

/// The first message and what stands behind it; nothing if there is no whole one.
pub(crate) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length)).filter(|(message, _)| !message.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: StreamId = StreamId(7);

    #[test]
    fn what_was_not_accepted_stays_and_comes_back() {
        let mut outbox = Outbox::<16>::new(STREAM);
        assert_eq!(outbox.push(b"four"), Ok(Id { stream: STREAM, number: 1 }));
        assert_eq!(outbox.push(b"five!"), Ok(Id { stream: STREAM, number: 2 }));
        assert_eq!(outbox.push(b"five!"), Err(SendError::Full));
        assert_eq!(outbox.push(b"six."), Ok(Id { stream: STREAM, number: 3 }));
        assert_eq!(outbox.as_bytes(), b"\x04four\x05five!\x04six.");
        assert_eq!(outbox.room(), 0);
        outbox.release(1);
        assert_eq!(
            (outbox.first(), outbox.next(), outbox.as_bytes()),
            (2, 4, b"\x05five!\x04six.".as_slice())
        );
        let again = Outbox::restore(outbox.stream(), outbox.first(), outbox.as_bytes());
        assert_eq!(again, Ok(outbox.clone()));
        outbox.release(0);
        assert_eq!(outbox.first(), 2);
        outbox.release(9);
        assert_eq!((outbox.first(), outbox.next(), outbox.as_bytes()), (4, 4, b"".as_slice()));
    }

    #[test]
    fn a_run_is_what_fits_from_a_number_on() {
        let mut outbox = Outbox::<64>::new(STREAM);
        for message in [b"a".as_slice(), b"bb", b"ccc"] {
            outbox.push(message).unwrap();
        }
        assert_eq!(outbox.run(1, 5), (b"\x01a\x02bb".as_slice(), 2));
        assert_eq!(outbox.run(2, 6), (b"\x02bb".as_slice(), 1));
        assert_eq!(outbox.run(2, 2), (b"".as_slice(), 0));
        assert_eq!(outbox.run(4, 64), (b"".as_slice(), 0));
        assert_eq!((outbox.bytes_between(0, 3), outbox.bytes_between(1, 2)), (9, 3));
    }

    #[test]
    fn what_is_no_outbox_is_refused() {
        let refused = |first, bytes: &[u8]| Outbox::<8>::restore(STREAM, first, bytes) == Err(NoOutbox);
        assert!(refused(0, b"\x01a"), "numbers begin with 1");
        assert!(refused(1, b"\x02a"), "torn");
        assert!(refused(1, b"\x00"), "empty");
        assert!(refused(1, b"\x08abcdefgh"), "too long");
        assert!(refused(u32::MAX, b"\x01a"), "beyond the last number");
        assert!(!refused(1, b"\x07abcdefg"));
    }

    #[test]
    fn the_last_number_is_never_given() {
        let mut outbox = Outbox::<8>::restore(STREAM, u32::MAX - 1, b"").unwrap();
        assert_eq!(outbox.push(b"a").map(|id| id.number), Ok(u32::MAX - 1));
        assert_eq!(outbox.push(b"b"), Err(SendError::Spent));
    }
}
