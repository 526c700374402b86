//! A scale on a serial line.

use std::path::PathBuf;

use super::proto::Talk;
use super::weight::Reading;
use super::wire::ScaleWire;
use crate::fault::{Device, DeviceFault};
use crate::rim::clock::SystemClock;
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
pub struct Scale(ScaleWire<Port, SystemClock>);

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
        Ok(Scale(ScaleWire::new(port, SystemClock, self.talk)))
    }
}

impl Scale {
    /// What the scale says next: see [`ScaleWire::next`]. Safe to cancel.
    ///
    /// # Errors
    /// [`ScaleFault::Silent`] once for each second in which nothing came that makes sense; it may be called on.
    /// [`ScaleFault::Lost`]: drop it, and open it again when the port is back.
    pub async fn next(&mut self) -> Result<Reading, ScaleFault> {
        self.0.next().await.map_err(|fault| ScaleFault::on_wire(Device::Scale, fault))
    }

    /// Sets the scale to zero with what is on it, as far as it lets itself be: the next readings tell.
    ///
    /// # Errors
    /// [`ScaleFault::Lost`], or [`ScaleFault::Silent`] when the line does not take it.
    pub async fn zero(&mut self) -> Result<(), ScaleFault> {
        self.0.zero().await.map_err(|fault| ScaleFault::on_wire(Device::Scale, fault))
    }

    /// Frames since it was opened that made no sense.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused()
    }
}
