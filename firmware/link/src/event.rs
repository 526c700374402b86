//! What a session tells its caller.

use crate::frame::Dropped;
use crate::message::Unread;
use crate::packet::Versions;
use crate::stream::{Cursor, Id, StreamId};

/// What happened. `M` is what the other side says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<M> {
    /// Something about the link itself.
    News(News),
    /// The next message. It comes again after a reboot of this side until it is accepted.
    Message {
        /// For [`Session::accept`](crate::Session::accept).
        id: Id,
        /// What the other side says.
        message: M,
    },
    /// The next message is not understood. It is accepted as any other.
    Skipped {
        /// For [`Session::accept`](crate::Session::accept).
        id: Id,
        /// Why.
        why: Unread,
    },
    /// A message beside the stream.
    Datagram(M),
}

/// Something about the link itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The other side is there.
    Up {
        /// The nonce of its boot.
        boot: u32,
        /// It booted since it was there last. Nothing is lost by that; what it had asked for by datagram may be.
        rebooted: bool,
    },
    /// Nothing was heard for [`GONE_AFTER`](crate::GONE_AFTER). Messages wait.
    Gone,
    /// The other side speaks none of our versions: one of the two must be updated.
    Refused {
        /// What it speaks.
        theirs: Versions,
    },
    /// The other side begins a stream, or this side had no cursor. If there was a cursor, what the other side had in its old
    /// outbox is lost. If there was none, the first messages may have been accepted by whoever was here before.
    StreamBegan {
        /// The new stream.
        stream: StreamId,
        /// How far the one before was accepted.
        was: Option<Cursor>,
    },
    /// The cursor is older than what the other side was told: so many messages were accepted and are not known here.
    Gap {
        /// How many.
        missing: u32,
    },
    /// The other side has messages of this stream that the outbox never had: it was not the last one. What is in it is sent
    /// as a new stream, and may be accepted twice; what only the last one had is lost, if it was not received.
    OutboxStale,
}

/// What was counted since a session was made; each number stays at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// What is no frame.
    pub dropped: Dropped,
    /// Frames that this side itself sent: the line is joined to itself, or echoes.
    pub echoes: u32,
    /// Frames of another session.
    pub stale: u32,
    /// Frames whose content is not understood.
    pub malformed: u32,
    /// Messages that were received before.
    pub repeated: u32,
    /// Frames whose messages came before their turn, or for which there was no room.
    pub untimely: u32,
    /// Messages that are not understood.
    pub skipped: u32,
    /// Datagrams that came while those before were not taken.
    pub crowded: u32,
    /// News that were not taken in time.
    pub unheard: u32,
    /// Times that something was sent again.
    pub again: u32,
}
