//! The Scale: weights that may be sold by.

pub(crate) mod proto;
pub(crate) mod weight;
