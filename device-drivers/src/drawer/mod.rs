//! The CashDrawer on pins of the box's own: a solenoid that opens it, and a switch that tells whether it is open. A drawer
//! that hangs on the printer's connector is the printer's affair.
//!
//! [`watch`] makes events of the switch's level, [`duty`] says when and how long the solenoid may be driven, [`coil`] drives
//! its pin; [`driver`] gives them this machine's pins and clock, [`fault`] says what can go wrong.

pub(crate) mod coil;
#[cfg(feature = "std")]
pub(crate) mod driver;
pub(crate) mod duty;
#[cfg(feature = "std")]
pub(crate) mod fault;
#[cfg(feature = "std")]
mod solenoid;
pub(crate) mod watch;
