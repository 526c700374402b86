//! The receiver against a real PostgreSQL, which the tests start themselves. Where there is none, they say so and pass.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that does not find what it looks for has failed"
)]

mod boxes;
mod deliveries;
mod dice;
mod epochs;
mod exactly_once;
mod forks;
mod head_office;
mod migrations;
mod personal;
mod server;
mod shop;
mod tables;
mod totals;
mod unreadable;
mod verifying;
