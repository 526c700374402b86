//! An open customer display, on a serial line or on a bus.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use super::bus::Clerk;
use super::proto::{self, Dialect, DisplayLine};
use crate::fault::{Device, DeviceFault};
use crate::rim::exchange::Moved;
use crate::rim::serial::{self, Line, Port};

/// How long two lines may take to get through; at 1200 baud they take 0.4 s.
pub const SHOWN_WITHIN: Duration = Duration::from_secs(1);

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
    Serial(Wire),
    Bus(Clerk),
}

#[derive(Debug)]
pub(super) struct Wire {
    port: Port,
    dialect: Dialect,
    /// All that was begun was also ended, so that the next byte starts a command.
    in_step: bool,
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
        Ok(Display(Source::Serial(Wire { port, dialect: self.dialect, in_step: false })))
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
    /// [`DisplayFault::Silent`]: it took nothing for [`SHOWN_WITHIN`], and what it had not taken is thrown away.
    /// [`DisplayFault::Lost`]: drop it, and open it again when the port is back. One on a bus may be shown to again.
    pub async fn show<L: Into<DisplayLine>>(&mut self, lines: [L; 2]) -> Result<(), DisplayFault> {
        let lines = lines.map(Into::into);
        match &mut self.0 {
            Source::Serial(wire) => wire.show(&lines).await,
            Source::Bus(clerk) => clerk.show(lines).await,
        }
    }

    /// Waits until the display is gone; for as long as it is there, it does not return. One on a bus is never missed this
    /// way: only showing something tells. Safe to cancel.
    pub async fn lost(&mut self) -> DisplayFault {
        let Source::Serial(Wire { port, .. }) = &mut self.0 else { return std::future::pending().await };
        let mut heard = [0; 64];
        loop {
            if let Err(error) = port.read(&mut heard).await {
                return DisplayFault::lost(Device::Display, &error);
            }
        }
    }
}

impl Wire {
    async fn show(&mut self, lines: &[DisplayLine; 2]) -> Result<(), DisplayFault> {
        let mut bytes = Vec::new();
        if !self.in_step {
            bytes.extend_from_slice(proto::resume(self.dialect));
            bytes.extend(proto::begin(self.dialect));
        }
        bytes.extend(proto::show(lines, self.dialect));
        self.in_step = false;
        match timeout(SHOWN_WITHIN, self.say(&bytes)).await {
            Ok(said) => {
                said.map_err(|error| DisplayFault::lost(Device::Display, &error))?;
                self.in_step = true;
                Ok(())
            }
            Err(_) => {
                // Else old lines would come out one after the other when it takes bytes again.
                self.port.discard().map_err(|error| DisplayFault::lost(Device::Display, &error))?;
                Err(DisplayFault::Silent { device: Device::Display, waited: SHOWN_WITHIN })
            }
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut heard = [0; 64];
        let mut rest = bytes;
        while !rest.is_empty() {
            // What a display says, if it says anything, is of no interest.
            if let Moved::Written(count) = self.port.exchange(&mut heard, rest).await? {
                rest = rest.get(count..).unwrap_or_default();
            }
        }
        self.port.drained().await
    }
}
