//! What a scenario may do to a board.

use std::fs::File;
use std::io::{self, Write};

use serde::Deserialize;

/// The key that scenarios give to boards; no board in a shop has it.
pub const KEY: [u8; 32] = *b"a key for boards that are tested";

/// The number that scenarios give to boards; no board in a shop has it.
pub const HARDWARE: [u8; 8] = *b"hilboard";

/// A level that the board hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// The scanner's trigger: high while it is not pulled.
    Trigger,
    /// High: the scanner looks without its trigger.
    LooksAlways,
    /// The drawer's switch: high while closed.
    Switch,
    /// The key: high while turned.
    KeyLock,
    /// The case's contact: high while open.
    Case,
    /// High: a firmware that is made to be broken panics.
    #[serde(skip)]
    Panic,
    /// High: a firmware that is made to be broken hangs.
    #[serde(skip)]
    Hang,
}

/// A level that the board drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// The drawer's solenoid.
    Solenoid,
    /// The scan engine's trigger.
    EngineTrigger,
    /// The green light.
    Green,
    /// The red light.
    Red,
    /// The waiting light.
    Waiting,
}

/// What a scenario needs beside the box's line and the power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To set this.
    Set(Input),
    /// To see this.
    See(Output),
    /// To move the bar and space sensor over labels.
    Bars,
    /// To be the scan engine.
    Engine,
    /// To look into the board's memory.
    Memory,
}

/// A controller's board. It was just given power, with [`KEY`] and [`HARDWARE`], its drawer closed and its trigger not pulled.
pub trait Rig {
    /// Why a scenario that needs this cannot be played here, or `None` if it can.
    fn lacks(&self, need: Need) -> Option<String>;

    /// The board's line, opened anew.
    ///
    /// # Errors
    /// What the system says.
    fn line(&mut self) -> io::Result<File>;

    /// Where runs go that the bar and space sensor sees, as [`firmware::write_run`] writes them; see [`Need::Bars`].
    ///
    /// # Errors
    /// What the system says.
    fn bars(&mut self) -> io::Result<Box<dyn Write>>;

    /// Where codes go that the scan engine reads; see [`Need::Engine`].
    ///
    /// # Errors
    /// What the system says.
    fn engine(&mut self) -> io::Result<Box<dyn Write>>;

    /// Sets a level; see [`Need::Set`].
    ///
    /// # Errors
    /// When the rig is gone.
    fn set(&mut self, input: Input, high: bool) -> io::Result<()>;

    /// Whether this is driven now; see [`Need::See`].
    ///
    /// # Errors
    /// When the rig is gone.
    fn drives(&mut self, output: Output) -> io::Result<bool>;

    /// Whether the solenoid is driven now.
    ///
    /// # Errors
    /// When the rig is gone.
    fn solenoid(&mut self) -> io::Result<bool> {
        self.drives(Output::Solenoid)
    }

    /// Takes the power away and gives it back: nothing is left of the board's memory.
    ///
    /// # Errors
    /// When the board does not start again.
    fn cut_power(&mut self) -> io::Result<()>;

    /// How deep the stack has been since the last reset, bytes; see [`Need::Memory`].
    ///
    /// # Errors
    /// When the board has no power, or its memory is not seen from here.
    fn deepest_stack(&mut self) -> io::Result<usize>;
}
