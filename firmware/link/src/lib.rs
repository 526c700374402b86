//! The wire between the daemon and our own scanner and drawer controllers, over a UART or USB.
//!
//! | layer | what | where |
//! |---|---|---|
//! | frames | bytes between two zeros, checked | [`FrameReader`], [`write_frame`] |
//! | streams | messages that are numbered for longer than a boot | [`Outbox`], [`Cursor`] |
//! | session | hello, acknowledgement, flow control, what is lost sent again | [`Session`] |
//! | messages | what is said, and its bytes | [`ToHost`], [`ToController`] |
//! | update | the host's part in sending a controller its firmware | [`Upload`] |
//!
//! Nothing here has a heap, a clock or a line: bytes, the time and random numbers are handed in, and the same code runs at both
//! ends.
//!
//! ```
//! use pos_link::{Controller, Event, Host, Outbox, Session, StreamId, ToController, ToHost};
//!
//! let mut retained = Outbox::<2048>::new(StreamId(0x5eed_0001));
//! let mut drawer = Session::<Controller, _, 2048, 256>::new(0x5eed_0002, &mut retained, None, 0);
//! let mut daemon = Session::<Host, _, 4096, 4096>::new(0x5eed_0003, Outbox::new(StreamId(0x5eed_0004)), None, 0);
//! daemon.send(&ToController::AskChallenge)?;
//!
//! // A line without errors, and a moment of time.
//! for now in [0, 10, 20] {
//!     drawer.handle_timeout(now);
//!     daemon.handle_timeout(now);
//!     while let Some(frame) = drawer.poll_output(now) {
//!         daemon.handle(frame, now);
//!     }
//!     while let Some(frame) = daemon.poll_output(now) {
//!         drawer.handle(frame, now);
//!     }
//! }
//! while let Some(event) = drawer.poll_event() {
//!     if let Event::Message { id, message } = event {
//!         assert_eq!(message, ToController::AskChallenge);
//!         drawer.send(&ToHost::Challenge { nonce: [0x5a; 16] })?;
//!         // What follows from it is in retained memory, and so is the cursor: now it may be accepted.
//!         assert!(drawer.accept(id));
//!     }
//! }
//! # Ok::<(), pos_link::SendError>(())
//! ```
//!
//! # Once, whatever reboots
//!
//! A message stays in the sender's outbox until the receiver's *application* accepted it: until what follows from it is stored, and
//! the cursor with it, as one. (A scanner gives its good-read beep on another message, [`ToController::ScanAccepted`], which
//! the daemon sends when the scan is in the journal.) So:
//!
//! | what happens | what follows |
//! |---|---|
//! | sender reboots, has its outbox | what was not accepted is sent again, under its old numbers; the receiver knows those that it has |
//! | sender reboots without it | a new stream; what was in the outbox is lost, the receiver is told ([`News::StreamBegan`]) |
//! | sender has an older outbox | it is told ([`News::OutboxStale`]) and goes on as a new stream: what it has is not lost and may come twice; what only the later outbox had is lost, if it was not received |
//! | receiver reboots, has its cursor | it gets what comes after; what it was handed and had not accepted comes again |
//! | receiver has an older cursor | it is told how many it misses ([`News::Gap`]) |
//! | receiver lost it, or is another box | it begins where the outbox begins, and is told; a message whose acceptance the sender had not heard of comes again |
//! | a frame from before a reboot comes late | it has another tag and is dropped; a hello echoes an old mark and begins nothing |
//!
//! Who keeps an outbox in memory that survives a reset puts a checksum beside it after each call that may change it
//! ([`Session::send`], [`Session::handle`]), and begins a new one if that is wrong after a reset: it came within such a call. Who writes
//! to two places in turns, before the line gets a byte of what follows, goes on with the older one then and loses nothing.
//! An order that is too old must be harmless all the same: the stream brings an `OpenDrawer` of yesterday too, and its
//! challenge is stale by then.

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
mod upload;

pub use event::{Counters, Event, News};
pub use field::{Bytes, LONGEST_MESSAGE};
pub use frame::{Dropped, FrameReader, LONGEST_CONTENT, LONGEST_FRAME, checksum, write as write_frame};
pub use message::{
    Alarm, Cause, Identity, Kind, Level, Message, Outcome, ScanRefusal, Settings, Stamp, Tally, ToController,
    ToHost, Unread, UpdateRefusal, Version,
};
pub use outbox::{NoOutbox, Outbox, SendError};
pub use packet::{Role, SPOKEN, Versions};
pub use session::{GONE_AFTER, KEEP_ALIVE, Session};
pub use side::{Controller, Host, Side};
pub use stream::{Cursor, Id, StreamId};
pub use upload::{Ended, Upload};

/// Microseconds since the caller's clock began; it never goes back.
pub type Micros = u64;
