//! The Scale: weights that may be sold by.
//!
//! [`proto`] makes readings of bytes, `session` asks and notices silence, [`wire`] gives both a serial line and a clock of any
//! machine, [`driver`] those of this one, and [`weight`] says which readings may be sold by.

#[cfg(feature = "std")]
pub(crate) mod driver;
pub(crate) mod proto;
pub(crate) mod session;
pub(crate) mod weight;
pub(crate) mod wire;
