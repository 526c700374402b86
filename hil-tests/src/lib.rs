//! Our firmware on a board: what scenarios need.
//!
//! A [`Rig`] is a board with its drawer: one that is emulated ([`Emulator`]), or a real one on a bench ([`Dut`]). [`BoxEnd`] is the box's
//! end of its line, in real time. Scenarios wait for conditions, never for time.
//!
//! A [`Scene`] chooses the rig. With `TILLBOX_DUT` it is the board of that file, which says how its lines are wired to the test machine:
//!
//! ```text
//! TILLBOX_DUT=duts/my-board.toml scripts/hil
//! ```
//!
//! (the file's name is seen from `hil-tests`; `duts/example-rp2040.toml` explains each line). The same scenarios run on it, one after
//! another. What a rig cannot do, a scenario says by a line that begins with `SKIPPED`; `scripts/hil` counts them. A board on a bench
//! needs [`KEY`] and [`HARDWARE`] in its page.

mod box_end;
mod dut;
mod ear;
mod emulator;
mod label;
mod line;
mod plug;
mod rig;
mod scene;
mod updated;

pub use box_end::{BoxEnd, Scan};
pub use dut::Dut;
pub use emulator::Emulator;
pub use label::Label;
pub use rig::{HARDWARE, Input, KEY, Need, Output, Rig};
pub use scene::{Scene, skipped};
pub use updated::Updated;
