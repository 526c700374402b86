//! The cloud's end of the way from the boxes: what they send becomes rows in PostgreSQL, exactly once.
//!
//! | module | what |
//! |---|---|
//! | [`Ingest`] | batches of one box into the database, one transaction for all of a call's, with a [`Verdict`] for each |
//! | [`receive()`] | what the boxes send, as one of any number of receivers: in order, acknowledged after the commit |
//! | [`publish()`] | what head office edits, down to the boxes that lack it |
//! | [`model`] | which rows journal records make, and what they move; no I/O |
//! | [`schema`] | the tables, as numbered migrations |
//! | [`verify()`] | the chain of a store's records, rebuilt from the database |
//! | [`status()`] | how far each store is here; [`note_state`] keeps what the boxes say about themselves |
//! | [`cli`], [`commands`] | what can be typed |
//!
//! # What always holds
//!
//! - **Records are the truth here, too.** Each is stored as it came, in the transaction that moves the epoch's head; its chain is
//!   checked before, and can be checked again at any time. A fork never overwrites anything: it goes into quarantine.
//! - **An acknowledgement comes after the commit**, and the same batch again is [`Verdict::Known`]. So it does not matter which
//!   message is lost or when a receiver dies.
//! - **All other rows follow from the set of records**, not from how they were cut into batches, nor from the order in which
//!   epochs arrive: of two versions of a row the later one by [`model::Version`] stands.
//! - **Goods and points are counted once for a sale**, however many epochs tell of it: what a sale moves follows from the version
//!   that stands, and a version that takes another's place moves the difference.
//! - **A record that cannot be read blocks nothing**: it is kept, counted, and read again after an update ([`Ingest::reread`]).

pub mod cli;
pub mod commands;
mod connection;
mod failure;
mod ingest;
pub mod model;
mod notes;
mod publish;
mod receive;
pub mod schema;
mod status;
mod values;
mod verify;

pub use connection::connect;
pub use failure::IngestError;
pub use ingest::{Ingest, Verdict};
pub use publish::{PublishOptions, publish};
pub use receive::{Counters, Options, receive};
pub use status::{BoxStatus, StoreStatus, note_state, status};
pub use verify::{Flaw, Verified, verify};
