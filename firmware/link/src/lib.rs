//! The wire between the daemon and our own scanner and drawer controllers, over a UART or USB.
//!
//! | layer | what | where |
//! |---|---|---|
//! | frames | bytes between two zeros, checked | [`FrameReader`], [`write_frame`] |
//! | streams | messages that are numbered for longer than a boot | [`Id`] |
//! | messages | what is said, and its bytes | [`ToHost`], [`ToController`] |
//!
//! Nothing here has a heap, a clock or a line; nothing panics.

#![no_std]

mod field;
mod frame;
mod message;
mod stream;

pub use field::{Bytes, LONGEST_MESSAGE};
pub use frame::{Dropped, FrameReader, LONGEST_CONTENT, LONGEST_FRAME, write as write_frame};
pub use message::{
    Alarm, Cause, Identity, Kind, Level, Message, Outcome, ScanRefusal, Settings, Stamp, Tally, ToController,
    ToHost, Unread, UpdateRefusal, Version,
};
pub use stream::{Cursor, Id, StreamId};
