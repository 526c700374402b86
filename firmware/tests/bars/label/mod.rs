//! Labels for tests: what a printer prints, and what a sensor sees of it on a bad day.

pub(crate) mod line;
pub(crate) mod print;
#[path = "../../../../device-drivers/tests/random/mod.rs"]
pub(crate) mod random;

pub(crate) use line::{Day, Line};
pub(crate) use print::{Kind, Label};
pub(crate) use random::Random;

impl Random {
    /// Evenly between two numbers.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Around zero as measurements are: the sum of twelve throws has a standard deviation of one.
    pub(crate) fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.between(-0.5, 0.5)).sum()
    }

    pub(crate) fn digits(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(10) as u8).collect()
    }
}
