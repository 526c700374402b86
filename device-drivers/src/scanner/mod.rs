//! The Scanner: barcodes as text. What they mean, [`pos_domain::barcode`] tells.
//!
//! [`proto`] makes scans of bytes, [`keys`] of keys in a [`layout`]; [`wire`] gives the one a serial line and a clock of any
//! machine, [`driver`] those of this one, and [`wedge`] the other a keyboard that is taken away from everybody else.

#[cfg(feature = "std")]
pub(crate) mod driver;
pub(crate) mod keys;
pub(crate) mod layout;
pub(crate) mod proto;
#[cfg(feature = "std")]
pub(crate) mod wedge;
pub(crate) mod wire;
