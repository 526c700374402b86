//! A customer display on a serial line.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

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
pub struct Display {
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
        Ok(Display { port, dialect: self.dialect, in_step: false })
    }
}

impl Display {
    /// Shows two lines in place of those before. The same lines again are a heartbeat: nothing flickers. Safe to cancel:
    /// the next lines start the display anew then.
    ///
    /// # Errors
    /// [`DisplayFault::Silent`]: it took nothing for [`SHOWN_WITHIN`], and what it had not taken is thrown away.
    /// [`DisplayFault::Lost`]: drop it, and open it again when the port is back.
    pub async fn show<L: Into<DisplayLine>>(&mut self, lines: [L; 2]) -> Result<(), DisplayFault> {
        let mut bytes = Vec::new();
        if !self.in_step {
            bytes.extend_from_slice(proto::resume(self.dialect));
            bytes.extend(proto::begin(self.dialect));
        }
        bytes.extend(proto::show(&lines.map(Into::into), self.dialect));
        self.in_step = false;
        let port = &mut self.port;
        let saying = async {
            let mut heard = [0; 64];
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                // What a display says, if it says anything, is of no interest.
                if let Moved::Written(count) = port.exchange(&mut heard, rest).await? {
                    rest = rest.get(count..).unwrap_or_default();
                }
            }
            port.drained().await
        };
        match timeout(SHOWN_WITHIN, saying).await {
            Ok(Ok(())) => {
                self.in_step = true;
                Ok(())
            }
            Ok(Err(error)) => Err(DisplayFault::lost(Device::Display, &error)),
            Err(_) => {
                // Else old lines would come out one after the other when it takes bytes again.
                self.port.discard().map_err(|error| DisplayFault::lost(Device::Display, &error))?;
                Err(DisplayFault::Silent { device: Device::Display, waited: SHOWN_WITHIN })
            }
        }
    }

    /// Waits until the display is gone; for as long as it is there, it does not return. Safe to cancel.
    pub async fn lost(&mut self) -> DisplayFault {
        let mut heard = [0; 64];
        loop {
            if let Err(error) = self.port.read(&mut heard).await {
                return DisplayFault::lost(Device::Display, &error);
            }
        }
    }
}
