//! The Scanner: barcodes as text. What they mean, [`pos_domain::barcode`] tells.

pub(crate) mod driver;
pub(crate) mod proto;
