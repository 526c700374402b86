//! What a scenario may do to a board.

use std::fs::File;
use std::io;

/// The key that scenarios give to boards; no board in a shop has it.
pub const KEY: [u8; 32] = *b"a key for boards that are tested";

/// A level that the board hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    Panic,
    /// High: a firmware that is made to be broken hangs.
    Hang,
}

/// A level that the board drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A controller's board.
pub trait Rig {
    /// The board's line, opened anew.
    ///
    /// # Errors
    /// What the system says.
    fn line(&mut self) -> io::Result<File>;

    /// The line on which a scanner's bar and space sensor sends runs.
    ///
    /// # Errors
    /// What the system says.
    fn bars(&mut self) -> io::Result<File>;

    /// The line on which a scan engine sends codes.
    ///
    /// # Errors
    /// What the system says.
    fn engine(&mut self) -> io::Result<File>;

    /// Sets a level.
    ///
    /// # Errors
    /// When the rig is gone.
    fn set(&mut self, input: Input, high: bool) -> io::Result<()>;

    /// Whether this is driven now.
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
}
