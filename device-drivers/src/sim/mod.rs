//! Virtual peripherals that speak the real wire. They are part of the product: a demonstration shop runs on
//! them, and so do the tests. Each can be given the faults of the real thing.

pub(crate) mod controller;
pub(crate) mod decoder;
pub(crate) mod display;
mod extent;
mod line;
mod machine;
pub(crate) mod printer;
pub(crate) mod scale;
pub(crate) mod scanner;
pub(crate) mod screen;
mod serving;
pub(crate) mod wedge;
