//! Updates of a board whose power is cut anywhere, whose flash fails, and whose box lies: a whole, signed image that is not too old
//! always runs, and the new one does in the end.
//!
//! `TILLBOX_SEED` repeats a run.

#![allow(missing_docs, clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod cuts;
mod flash;
#[path = "../../boards/rp2040/src/layout.rs"]
mod layout;
mod line;
mod random;
mod refusals;
mod serial;
mod shop;
mod unit;
