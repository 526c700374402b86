//! A cloud on one machine, for trying it out and for tests.
//!
//! | module | what |
//! |---|---|
//! | [`Authority`] | certificates for boxes, receivers and the broker |
//! | [`Mosquitto`] | a broker on a free port of the loopback, with TLS and an access list |
//! | [`Database`] | PostgreSQL, reached by a socket in a folder |
//! | [`Tether`] | a process that ends with its owner, however that ends |
//! | [`Proxy`] | a link that is cut, late, slow or dead |
//!
//! All listens on the loopback only, lives in a folder that is given to it, and ends with its owner.

mod authority;
mod broker;
mod database;
mod proxy;
mod tether;

pub use authority::{Authority, Identity};
pub use broker::{BrokerError, Mosquitto, Persistence};
pub use database::{Database, DatabaseError};
pub use proxy::{Proxy, Trouble};
pub use tether::{End, Ordinary, Tether};
