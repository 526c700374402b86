//! An open customer display, on a serial line or on a bus.

use std::path::PathBuf;

use super::bus::Clerk;
use super::proto::{Dialect, DisplayLine};
use super::wire::DisplayWire;
use crate::fault::{Device, DeviceFault};
use crate::rim::clock::SystemClock;
use crate::rim::serial::{self, Line, Port};
use crate::wire::WireFault;

/// Why a display does not show anything.
pub type DisplayFault = DeviceFault;

/// Where a display is and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialDisplay {
    /// Its port, best by its stable name below `/dev/serial/by-id`.
    pub path: PathBuf,
    /// How the line is set.
    pub line: Line,
    /// Its language.
    pub dialect: Dialect,
}

/// An open display. It does not answer: that bytes get through is all that can be known.
#[derive(Debug)]
pub struct Display(Source);

/// What an open display hangs on.
#[derive(Debug)]
pub(super) enum Source {
    Serial(DisplayWire<Port, SystemClock>),
    Bus(Clerk),
}

impl SerialDisplay {
    /// A display at this port with the usual settings: 9600 8N1.
    #[must_use]
    pub fn new(path: PathBuf, dialect: Dialect) -> Self {
        Self { path, line: Line::default(), dialect }
    }

    /// Opens the port. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`DisplayFault::Missing`] or [`DisplayFault::Refused`].
    pub fn open(&self) -> Result<Display, DisplayFault> {
        let port = serial::open(&self.path, self.line);
        let port = port.map_err(|error| DisplayFault::opening(Device::Display, &self.path, &error))?;
        Ok(Display(Source::Serial(DisplayWire::new(port, SystemClock, self.dialect))))
    }
}

impl Display {
    pub(super) fn of(source: Source) -> Self {
        Self(source)
    }

    /// Shows two lines in place of those before. The same lines again are a heartbeat: nothing flickers. Safe to cancel:
    /// the next lines start the display anew then.
    ///
    /// # Errors
    /// [`DisplayFault::Silent`]: it took nothing for [`SHOWN_WITHIN`](crate::SHOWN_WITHIN), and what it had not taken is thrown away.
    /// [`DisplayFault::Lost`]: drop it, and open it again when the port is back. One on a bus may be shown to again.
    pub async fn show<L: Into<DisplayLine>>(&mut self, lines: [L; 2]) -> Result<(), DisplayFault> {
        let lines = lines.map(Into::into);
        match &mut self.0 {
            Source::Serial(wire) => {
                let shown = wire.show(&lines).await;
                if let Err(WireFault::Silent { .. }) = shown {
                    // Else old lines would come out one after the other when it takes bytes again.
                    wire.line.discard().map_err(|error| DisplayFault::lost(Device::Display, &error))?;
                }
                shown.map_err(|fault| DisplayFault::on_wire(Device::Display, fault))
            }
            Source::Bus(clerk) => clerk.show(lines).await,
        }
    }

    /// Waits until the display is gone; for as long as it is there, it does not return. One on a bus is never missed this
    /// way: only showing something tells. Safe to cancel.
    pub async fn lost(&mut self) -> DisplayFault {
        match &mut self.0 {
            Source::Serial(wire) => DisplayFault::on_wire(Device::Display, wire.lost().await),
            Source::Bus(_) => std::future::pending().await,
        }
    }
}
