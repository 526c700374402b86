//! The bar reader beside generated labels: what it reads, what it must not, how often, in how much memory.
#![allow(
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod label;
mod misreads;
mod rates;
mod reading;

use std::time::Duration;

use device_drivers::Moment;
use firmware::{BarReader, Code, Level, Run};
use label::Line;

const MS: Duration = Duration::from_millis(1);

/// Passes a line before a reader, with paper behind it.
fn pass(reader: &mut BarReader, line: &Line, now: Moment) -> Vec<Code> {
    let paper = Run { level: Level::Light, ticks: 2000 };
    line.0.iter().chain([&paper]).filter_map(|run| reader.handle(*run, now).cloned()).collect()
}
