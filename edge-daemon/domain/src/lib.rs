//! The pure rules of a shop: what a cart costs, when a sale is paid, what a return gives back, what a shift's drawer
//! should hold. No I/O, no clock, no randomness, no float; `no_std` with `alloc`, so that the same code runs in the
//! daemon, in the browser and in whoever verifies the books.
//!
//! ```text
//! command ──decide──> events ──(journal)──> apply ──> state
//!             ^                                         |
//!             └─────────────────────────────────────────┘
//! ```
//!
//! [`decide`](decide::decide) looks and says, [`State::apply`](state::State::apply) changes; nothing else does. Amounts
//! are integers of minor units ([`money`]), quantities have three decimals ([`quantity`]), one calculator prices carts
//! ([`cart`]). Personal data passes through in sealed envelopes ([`seal`]).
#![no_std]

extern crate alloc;

pub mod barcode;
pub mod cart;
pub mod catalog;
pub mod command;
pub mod customer;
pub mod decide;
pub mod delivery;
pub mod event;
pub mod money;
pub mod quantity;
pub mod receipt;
pub mod report;
pub mod sale;
pub mod seal;
pub mod shift;
mod short_text;
pub mod state;
pub mod stock;
pub mod store;
pub mod tax;
pub mod tender;
pub mod time;
