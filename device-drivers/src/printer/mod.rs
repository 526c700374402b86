//! POSPrinter: a receipt printer that speaks ESC/POS, or writes plain lines.
//!
//! [`proto`] turns a document into bytes, `session` holds the conversation about one job, [`driver`] gives
//! it a socket and a clock. [`status`] and [`fault`] say how the printer is, and what to do about it.

pub(crate) mod driver;
pub(crate) mod fault;
pub(crate) mod kick;
pub(crate) mod logo;
pub(crate) mod outcome;
mod plain;
pub(crate) mod profile;
pub(crate) mod proto;
mod raster;
pub(crate) mod session;
pub(crate) mod status;
