//! The way between a store's box and the cloud.
//!
//! What is sent when is decided without doing anything ([`Outbox`]), so a day of lost connections is a test of milliseconds; the
//! [`Uplink`] carries it out, over [`mqtt`], which alone touches a network.
//!
//! | module | what |
//! |---|---|
//! | [`Outbox`] | which records are sent when, until the cloud has them |
//! | [`Batch`] | journal records as they travel, byte for byte, with their chain |
//! | [`Address`], [`Topic`] | the names under which things travel |
//! | [`messages`] | what is said beside the records: acks, state, commands, replies |
//! | [`delivery`] | documents that come down: versioned, in chunks, whole or not at all |
//! | [`Uplink`] | the box's end: carries out what the outbox decides |
//! | [`mqtt`] | one connection to a broker: fresh each time, with TLS |
//!
//! # What the journal is for
//!
//! The journal *is* the queue: nothing is copied into another one. The bridge keeps one number, how far the cloud has acknowledged
//! ([`Place`]), and reads from there. A lost connection, a broker that forgets, a box that was replaced: each time the bridge goes back
//! to that number and sends again. So nothing is lost that is in the journal, and the cloud, which knows each record by its place, counts
//! nothing twice.

pub mod delivery;
mod envelope;
pub mod messages;
pub mod mqtt;
mod outbox;
mod topics;
mod uplink;

pub use delivery::{Delivery, DeliveryError};
pub use envelope::{
    Batch, EnvelopeError, HEADER_BYTES, MAX_ENVELOPE_BYTES, MAX_PAYLOAD_BYTES, Packing, RECORD_OVERHEAD_BYTES,
};
pub use messages::{Ack, Command, MessageError, Order, Outcome, Reply, State};
pub use outbox::{Acknowledged, Limits, Micros, Outbox, Place, Standing, Todo};
pub use topics::{Address, BadName, MAX_NAME_BYTES, Topic};
pub use uplink::{Answer, Inputs, Options, Outputs, Uplink, UplinkError, View};
