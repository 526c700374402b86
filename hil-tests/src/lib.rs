//! Our firmware on a board: what scenarios need.
//!
//! A [`Rig`] is a board with its drawer: one that is emulated ([`Emulator`]), or a real one on a bench. [`BoxEnd`] is the box's end of
//! its line, in real time. Scenarios wait for conditions, never for time.

mod box_end;
mod ear;
mod emulator;
mod label;
mod plug;
mod rig;
mod updated;

pub use box_end::{BoxEnd, Scan};
pub use emulator::Emulator;
pub use label::Label;
pub use rig::{Input, KEY, Output, Rig};
pub use updated::Updated;
