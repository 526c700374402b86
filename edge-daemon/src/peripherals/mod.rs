//! The devices at the counter: so far the receipt printer.

mod condition;
mod printing;
#[cfg(test)]
mod tests;

pub use condition::{PrinterCondition, PrinterState, PrinterWatch};
pub use printing::Printing;
