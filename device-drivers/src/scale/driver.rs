//! A scale on a serial line.

use std::path::PathBuf;

use tokio::time::timeout;

use super::proto::Talk;
use super::session::{SILENT_AFTER, Session};
use super::weight::Reading;
use crate::fault::{Device, DeviceFault};
use crate::moment::Moment;
use crate::rim::clock::until;
use crate::rim::exchange::Moved;
use crate::rim::serial::{self, Evenness, Line, Port};

/// Why a scale gives no weights.
pub type ScaleFault = DeviceFault;

/// Where a scale is and how it talks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialScale {
    /// Its port, best by its stable name below `/dev/serial/by-id`.
    pub path: PathBuf,
    /// How the line is set.
    pub line: Line,
    /// Whether it is asked or talks by itself.
    pub talk: Talk,
}

/// An open scale.
#[derive(Debug)]
pub struct Scale {
    port: Port,
    talk: Talk,
    session: Session,
}

impl SerialScale {
    /// A scale at this port with the settings that scales come with: 9600 baud, seven bits, even parity.
    #[must_use]
    pub fn new(path: PathBuf, talk: Talk) -> Self {
        let line = Line { seven_bits: true, parity: Some(Evenness::Even), ..Line::default() };
        Self { path, line, talk }
    }

    /// Opens the port. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ScaleFault::Missing`] or [`ScaleFault::Refused`].
    pub fn open(&self) -> Result<Scale, ScaleFault> {
        let port = serial::open(&self.path, self.line);
        let port = port.map_err(|error| ScaleFault::opening(Device::Scale, &self.path, &error))?;
        Ok(Scale { port, talk: self.talk, session: Session::new(self.talk, Moment::now()) })
    }
}

impl Scale {
    /// What the scale says next: of a polled one some five times a second, of a continuous one each of its frames. To be
    /// called again and again: what came while nobody listened comes first. Safe to cancel.
    ///
    /// # Errors
    /// [`ScaleFault::Silent`] once for each second in which nothing came that makes sense; it may be called on.
    /// [`ScaleFault::Lost`]: drop it, and open it again when the port is back.
    pub async fn next(&mut self) -> Result<Reading, ScaleFault> {
        let mut buffer = [0; 256];
        loop {
            if let Some(reading) = self.session.poll_reading() {
                return Ok(reading);
            }
            let wake = until(self.session.poll_timeout());
            tokio::select! {
                // Bytes that are there count before the time that went by.
                biased;
                moved = self.port.exchange(&mut buffer, self.session.poll_output()) => match moved {
                    Ok(Moved::Read(count)) => {
                        self.session.handle(buffer.get(..count).unwrap_or_default(), Moment::now());
                    }
                    Ok(Moved::Written(_)) => self.session.taken(),
                    Err(error) => return Err(ScaleFault::lost(Device::Scale, &error)),
                },
                () = wake => {}
            }
            // Also while noise comes without a pause.
            if self.session.handle_timeout(Moment::now()) {
                return Err(ScaleFault::Silent { device: Device::Scale, waited: SILENT_AFTER });
            }
        }
    }

    /// Sets the scale to zero with what is on it, as far as it lets itself be: the next readings tell.
    ///
    /// # Errors
    /// [`ScaleFault::Lost`], or [`ScaleFault::Silent`] when the line does not take it.
    pub async fn zero(&mut self) -> Result<(), ScaleFault> {
        let saying = async {
            let mut buffer = [0; 256];
            loop {
                match self.port.exchange(&mut buffer, self.talk.zero()).await? {
                    Moved::Written(_) => return Ok(()),
                    Moved::Read(count) => {
                        self.session.handle(buffer.get(..count).unwrap_or_default(), Moment::now());
                    }
                }
            }
        };
        match timeout(SILENT_AFTER, saying).await {
            Ok(said) => said.map_err(|error: std::io::Error| ScaleFault::lost(Device::Scale, &error)),
            Err(_) => Err(ScaleFault::Silent { device: Device::Scale, waited: SILENT_AFTER }),
        }
    }

    /// Frames since it was opened that made no sense.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.session.refused()
    }
}
