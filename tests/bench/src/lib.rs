//! Benchmarks of Tillbox beside its peers: what a sale costs when it must be on disk before it is answered.
//!
//! The program `tillbox-bench` starts each contestant as a process of its own, lets them take turns under the same load
//! on the same disk, and writes a table and charts. The load is the same everywhere: a sale of 12 lines, one cash payment and
//! 12 stock movements, `POST /api/v1/transactions`.
//!
//! - [`catalogue`], [`random`]: what is sold, repeatable by seed.
//! - [`load`]: the clients, in closed loop (highest rate) and open loop (latency at a given rate).
//! - [`peer`]: the same endpoint on SQLite, on PostgreSQL and on nothing.
//! - [`contestant`], [`process`]: starting, watching and stopping peers and daemon; the raw disk.
//! - [`figures`]: the measurements; [`latency`]: percentiles and medians; [`quiet`]: whether
//!   anybody disturbed them.
//! - [`machine`], [`report`], [`chart`]: what is written down.
//!
//! A figure is measured or absent, and marked where other programs disturbed it: a contestant that refuses one sale ends the run. The product links nothing of
//! this crate.

pub mod arguments;
pub mod catalogue;
pub mod chart;
pub mod contestant;
pub mod failure;
pub mod figures;
pub mod latency;
pub mod load;
pub mod machine;
pub mod peer;
pub mod process;
pub mod progress;
pub mod quiet;
pub mod random;
pub mod report;
mod run;

pub use arguments::{Arguments, Command};
pub use peer::told_to_stop;
pub use run::{Outcome, run};
