//! The LineDisplay: two lines of twenty letters that the customer reads.

pub(crate) mod driver;
pub(crate) mod proto;
