//! What the whole-system tests stand on: they know the daemon from outside only, as a program that is started, asked over
//! HTTP, stopped or killed, and as the files that it leaves.
//!
//! - [`Setup`] is a store's configuration, [`Place`] a folder with one and the data, [`Daemon`] the program running
//!   there. It is killed when its owner is dropped.
//! - [`Client`] asks, [`Reply`] is checked: every error must be a problem as the contract has it. [`raw`] sends what no
//!   proper client would.
//! - [`Dice`] makes runs random and repeatable: it prints its seed, and takes it back from `TILLBOX_SEED`.
//! - [`Selling`] rings up sales from several threads and notes what was acknowledged; [`Ledger`] keeps that, and compares the shop
//!   with it.
//! - [`LoopDisk`] is a small file system of its own, to be filled up or cut off.
//! - [`real_data`] finds real catalogues and sales, where they lie.
//!
//! Nothing sleeps to wait: [`patiently`] asks again until a condition holds or its time is over. What cannot run on a
//! machine (no root, no loop devices, no data) is skipped with a printed line by [`skip`].
//!
//! `TILLBOX_DAEMON` names another program than `target/debug/edge-daemon`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "whatever goes wrong here is a failed test, and says so by panicking"
)]

mod client;
mod daemon;
mod dice;
mod ledger;
mod loop_disk;
mod patience;
mod place;
mod problem;
pub mod raw;
pub mod real_data;
mod selling;
mod setup;

pub use client::{Client, Events, Reply};
pub use daemon::Daemon;
pub use dice::Dice;
pub use ledger::{Ledger, Sold};
pub use loop_disk::LoopDisk;
pub use patience::patiently;
pub use place::{Place, Said, program, repository, skip};
pub use selling::{Notes, Selling};
pub use setup::Setup;
