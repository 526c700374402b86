//! The Scale: weights that may be sold by.
//!
//! [`proto`] makes readings of bytes, `session` asks and notices silence, [`driver`] gives both a port and a clock, and
//! [`weight`] says which readings may be sold by.

pub(crate) mod driver;
pub(crate) mod proto;
pub(crate) mod session;
pub(crate) mod weight;
