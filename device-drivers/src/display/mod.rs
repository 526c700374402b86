//! The LineDisplay: two lines of sixteen or twenty letters that the customer reads.
//!
//! [`proto`] makes bytes of lines for serial displays, which [`driver`] sends; [`char_lcd`] drives character displays on any
//! I2C bus, those of this machine through [`bus`]. Either gives the same [`driver::Display`].

pub(crate) mod bus;
pub(crate) mod char_lcd;
pub(crate) mod driver;
pub(crate) mod proto;
