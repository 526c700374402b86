//! The wire between the daemon and our own scanner and drawer controllers, over a UART or USB.
//!
//! | layer | what | where |
//! |---|---|---|
//! | frames | bytes between two zeros, checked | [`FrameReader`], [`write_frame`] |
//! | streams | messages that are numbered for longer than a boot | [`Outbox`], [`Cursor`] |
//! | session | both together: hello, acknowledgement, flow control, what is lost sent again | [`Session`] |
//! | messages | what is said, and its bytes | [`ToHost`], [`ToController`] |
//!
//! Nothing here has a heap, a clock or a line; nothing panics.

#![no_std]
// What panics stops a controller: no index may be out of bounds, no sum may overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod event;
mod field;
mod frame;
mod message;
mod outbox;
mod packet;
mod patience;
mod receiving;
mod sending;
mod session;
mod side;
mod stream;

pub use event::{Counters, Event, News};
pub use field::{Bytes, LONGEST_MESSAGE};
pub use frame::{Dropped, FrameReader, LONGEST_CONTENT, LONGEST_FRAME, write as write_frame};
pub use message::{
    Alarm, Cause, Identity, Kind, Level, Message, Outcome, ScanRefusal, Settings, Stamp, Tally, ToController,
    ToHost, Unread, UpdateRefusal, Version,
};
pub use outbox::{NoOutbox, Outbox, SendError};
pub use packet::{Role, SPOKEN, Versions};
pub use session::{GONE_AFTER, KEEP_ALIVE, Session};
pub use side::{Controller, Host, Side};
pub use stream::{Cursor, Id, StreamId};

/// Microseconds since the caller's clock began; it never goes back.
pub type Micros = u64;
