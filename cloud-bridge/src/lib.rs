//! The way between a store's box and the cloud.
//!
//! What is here decides, and does nothing: it is told what happened and what time it is, and says what to do next. Broker, journal and
//! clock are the caller's. So a day of lost connections is a test of milliseconds.
//!
//! | module | what |
//! |---|---|
//! | [`Outbox`] | which records are sent when, until the cloud has them |
//!
//! # What the journal is for
//!
//! The journal *is* the queue: nothing is copied into another one. The bridge keeps one number, how far the cloud has acknowledged
//! ([`Place`]), and reads from there. A lost connection, a broker that forgets, a box that was replaced: each time the bridge goes back
//! to that number and sends again. So nothing is lost that is in the journal, and the cloud, which knows each record by its place, counts
//! nothing twice.

mod outbox;

pub use outbox::{Acknowledged, Limits, Micros, Outbox, Place, Standing, Todo};
