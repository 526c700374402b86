//! The box in the back room: one process that owns a store's data and peripherals and serves its tills.
//!
//! ```text
//!  tills ──HTTP──> http ──command──> checkout ──group──> journal (the truth) ──fdatasync──> answer
//!                                       │                                        │
//!                                       │ happenings                             ├──> views (sled) ──> reads
//!                                       v                                        v
//!                                  peripherals ──> printer                    backup
//! ```
//!
//! - [`checkout`] has the one writer: it decides commands by the rules of `pos-domain`, writes what was decided, and
//!   answers when it is on disk. Everything that reads or changes the store goes through its `Shop`.
//! - [`views`] index the journal, and can be thrown away.
//! - [`http`] is the interface to the outside; it renders, and decides nothing.
//! - [`peripherals`] print what was sold; a sale never waits for them. Nor for [`cloud`], which sends the journal to head office.
//! - [`commands`] are what the command line ([`cli`]) can do; beside a running daemon they speak to it by [`control`].
//! - [`config`] is one file, under the environment, under flags; all values are checked before anything is opened.
//! - [`backup`] copies the journal and puts it back; [`catalog_csv`] reads catalogues; [`demo`] is a shop to try.
//! - [`clock`] and [`zone`] are the only places that ask for the time; [`lock`] keeps a second daemon out;
//!   [`descriptors`] keeps connections from starving the journal; [`telemetry`] and [`notify`] tell people and systemd how it goes.

pub mod backup;
pub mod catalog_csv;
pub mod checkout;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod commands;
pub mod config;
pub mod control;
pub mod demo;
pub mod descriptors;
pub mod http;
pub mod lock;
pub mod notify;
pub mod peripherals;
pub mod telemetry;
#[cfg(test)]
mod trial;
pub mod views;
pub mod zone;
