//! The LineDisplay: two lines of sixteen or twenty letters that the customer reads.
//!
//! [`proto`] makes bytes of lines for serial displays, which [`wire`] sends over any serial line; [`char_lcd`] drives character
//! displays on any I2C bus. [`driver`] and [`bus`] have this machine's ports and buses; either gives the same
//! [`driver::Display`].

#[cfg(feature = "std")]
pub(crate) mod bus;
pub(crate) mod char_lcd;
#[cfg(feature = "std")]
pub(crate) mod driver;
pub(crate) mod proto;
pub(crate) mod wire;
