//! An open scanner, on a serial line or as a keyboard.

use std::path::PathBuf;
use std::time::Duration;

use super::proto::{Framing, Refused};
use super::wedge::Wedge;
use super::wire::ScannerWire;
use crate::fault::{Device, DeviceFault};
use crate::rim::clock::SystemClock;
use crate::rim::serial::{self, Line, Port};

/// Why a scanner gives no scans; never [`DeviceFault::Silent`], as nobody has to scan.
pub type ScannerFault = DeviceFault;

/// Where a scanner is and how it talks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialScanner {
    /// Its port, best by its stable name below `/dev/serial/by-id`.
    pub path: PathBuf,
    /// How the line is set.
    pub line: Line,
    /// How the end of a scan is known.
    pub framing: Framing,
    /// The same scan within this time is one report sent twice.
    pub echo: Duration,
}

/// An open scanner.
#[derive(Debug)]
pub struct Scanner(Source);

/// What an open scanner hangs on.
#[derive(Debug)]
pub(super) enum Source {
    Serial(Box<ScannerWire<Port, SystemClock>>),
    Wedge(Box<Wedge>),
}

impl SerialScanner {
    /// A scanner at this port with the usual settings: 9600 8N1, CR or LF, echoes within 50 ms.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, line: Line::default(), framing: Framing::Line, echo: Duration::from_millis(50) }
    }

    /// Opens the port. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ScannerFault::Missing`] or [`ScannerFault::Refused`].
    pub fn open(&self) -> Result<Scanner, ScannerFault> {
        let port = serial::open(&self.path, self.line);
        let port = port.map_err(|error| ScannerFault::opening(Device::Scanner, &self.path, &error))?;
        let wire = ScannerWire::new(port, SystemClock, self.framing, self.echo);
        Ok(Scanner(Source::Serial(Box::new(wire))))
    }
}

impl Scanner {
    pub(super) fn of(source: Source) -> Self {
        Self(source)
    }

    /// The next scan, as the scanner sent it: with its symbology identifier, if it sends one. Safe to cancel.
    ///
    /// # Errors
    /// [`ScannerFault::Lost`]: drop it, and open it again when the port is back.
    pub async fn next(&mut self) -> Result<String, ScannerFault> {
        let heard = match &mut self.0 {
            Source::Serial(wire) => {
                wire.next().await.map_err(|fault| DeviceFault::on_wire(Device::Scanner, fault))
            }
            Source::Wedge(wedge) => wedge.next().await,
        };
        heard.map(str::to_owned)
    }

    /// Says something to the scanner: a beep or a light, in its model's own words.
    ///
    /// # Errors
    /// [`ScannerFault::Lost`], or [`ScannerFault::Refused`] by one that types.
    pub async fn say(&mut self, bytes: &[u8]) -> Result<(), ScannerFault> {
        match &mut self.0 {
            Source::Serial(wire) => {
                wire.say(bytes).await.map_err(|fault| DeviceFault::on_wire(Device::Scanner, fault))
            }
            Source::Wedge(wedge) => Err(Wedge::speechless(&wedge.path)),
        }
    }

    /// What was refused since it was opened.
    #[must_use]
    pub fn refused(&self) -> Refused {
        match &self.0 {
            Source::Serial(wire) => wire.refused(),
            Source::Wedge(wedge) => wedge.refused(),
        }
    }
}
