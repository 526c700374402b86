//! What our own controllers do, whatever board they are on.
//!
//! A board is pins, timers and a UART; everything that a controller decides is here, in state machines that are told levels,
//! messages and the time, so that it is tested on any computer.
//!
//! | controller | is told | says |
//! |---|---|---|
//! | [`DrawerController`] | requests to open, the drawer's switch, its key, the case's contact, the supply | [`ToHost`](pos_link::ToHost) messages, whether to beep; it owns the solenoid's pin |
//! | [`ScannerController`] | what its front end sees, an [`Engine`]'s bytes or a [`Sensor`]'s runs; the trigger; what the host made of a scan | scans; whether to aim, to beep, to light up |
//! | [`BarReader`] | the runs of dark and light of a wand, or of a row of a linear imager | [`Code`]s, each once, as scanners send them |
//!
//! A board runs a [`Unit`]: the controller with its session, and with what must outlive a reset. For that the board gives it
//! [`Memory`] that a reset leaves alone.

#![no_std]
// What panics stops a controller: no index may be out of bounds, no sum may overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

mod bars;
mod contact;
mod drawer;
mod retained;
mod scanner;
mod unit;
pub mod update;

pub use bars::{
    BarReader, Code, Edges, ItfLengths, Level, MAX_TEXT, Patience, Reading, Run, Symbologies, Symbology,
};
pub use contact::Contact;
pub use device_drivers::Moment;
pub use drawer::authority::{Authority, mac};
pub use drawer::budget::{Budget, MOST_PER_MINUTE};
pub use drawer::{DrawerController, Wiring};
pub use retained::{Memory, Place, Retained, write_last_words, write_panic};
pub use scanner::{
    Both, Engine, FrontEnd, Lights, OneOf, RunReader, ScannerController, Seen, Sensor, Trigger, Wanted,
    write_run,
};
pub use unit::{Behaviour, Boot, Unit};
