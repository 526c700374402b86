//! The journal: one append-only file of records per box that is the truth about a store.
//!
//! - **Records** are opaque bodies behind a prefix that carries the chain: epoch, number, and the SHA-256 of the
//!   record before ([`Record`]).
//! - **Groups** of records are written at once and synced once ([`Journal::append`]). The next group is written only after
//!   the one before is durable, so a crash can tear only the last group; [`Journal::open`] cuts it, and reports
//!   everything else that is wrong as damage, with segment and offset, touching nothing.
//! - **Epochs** are unbroken runs of records. A restore, a replaced box or damage starts a new one that names its parent
//!   ([`Journal::start_epoch`]).
//! - **Readers** follow the chain across segments and epochs while it grows ([`Reader`]), in this process or in another.
//!   [`verify()`] checks all of it, byte by byte.
//! - **Checkpoints** are the caller's snapshots, kept whole or not at all ([`checkpoint`]).
//! - **Persons' keys** seal what is personal in a body, and are destroyed to erase it ([`KeyStore`]).
//!
//! All files are reached through one small trait, [`Storage`]: [`Disk`] is the real one, and with feature `sim` there is
//! one that simulates power cuts. The bytes on disk are tabled in [`layout`].

pub mod checkpoint;
pub mod codec;
mod disk;
mod flaw;
mod group;
mod journal;
mod keyfile;
pub mod layout;
mod lineage;
mod position;
mod published;
mod reader;
mod record;
mod records;
mod recovery;
mod scan;
mod seal;
mod segment;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod spares;
mod stop;
mod storage;
mod verify;

pub use disk::Disk;
pub use flaw::{FirstBad, Reason};
pub use journal::{AppendError, Appended, Condition, Journal, OpenError, Options};
pub use layout::MAX_GROUP_BYTES;
pub use position::{Digest, EpochId, Evidence, Head, Locator, ParsePositionError, Position};
pub use reader::{Epoch, ReadError, Reader, Start};
pub use record::{MAX_BODY_BYTES, RECORD_PREFIX_BYTES, Record, RecordError};
pub use records::Records;
pub use recovery::{Opened, Outcome};
pub use seal::{KeyError, KeyStore, Sealed, Subject, UnsealError};
pub use segment::epochs_begun;
pub use spares::{Preparation, Room};
pub use storage::{Access, Storage, StorageFile};
pub use verify::{Progress, Report, VerifyError, verify};
