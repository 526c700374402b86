//! The rules of the trade, in its words: what a shop may do, and what it is refused.

#![allow(clippy::indexing_slicing, reason = "a test that looks at what is not there has failed")]

mod books;
mod customers;
mod days;
mod deliveries;
mod drawers;
mod extremes;
mod frozen;
mod ledger;
mod life;
mod paying;
mod products;
mod properties;
mod refunds;
mod returns;
mod ringing;
mod scanning;
pub(crate) mod shop;
mod stock;
