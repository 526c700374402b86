//! The name that a board's line has for the box, as `/dev/serial/by-id` has them: there whenever the board has power.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A plug, in or out.
#[derive(Debug, Default)]
pub(crate) struct Plug(Option<PathBuf>);

impl Plug {
    /// Puts it in under this name, or takes it out. `terminal` is the line, while there is power.
    pub(crate) fn put(&mut self, name: Option<&Path>, terminal: Option<&Path>) -> io::Result<()> {
        self.power_off()?;
        self.0 = name.map(Path::to_owned);
        terminal.map_or(Ok(()), |terminal| self.power_on(terminal))
    }

    pub(crate) fn power_on(&self, terminal: &Path) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |name| symlink(terminal, name))
    }

    pub(crate) fn power_off(&self) -> io::Result<()> {
        match self.0.as_ref().map(std::fs::remove_file) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
