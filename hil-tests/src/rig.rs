//! What a scenario may do to a board.

use std::fs::File;
use std::io;

/// The key that scenarios give to boards; no board in a shop has it.
pub const KEY: [u8; 32] = *b"a key for boards that are tested";

/// A level that the board hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
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

/// A drawer controller's board.
pub trait Rig {
    /// The board's line, opened anew.
    ///
    /// # Errors
    /// What the system says.
    fn line(&mut self) -> io::Result<File>;

    /// Sets a level.
    ///
    /// # Errors
    /// When the rig is gone.
    fn set(&mut self, input: Input, high: bool) -> io::Result<()>;

    /// Whether the solenoid is driven now.
    ///
    /// # Errors
    /// When the rig is gone.
    fn solenoid(&mut self) -> io::Result<bool>;

    /// Takes the power away and gives it back: nothing is left of the board's memory.
    ///
    /// # Errors
    /// When the board does not start again.
    fn cut_power(&mut self) -> io::Result<()>;
}
