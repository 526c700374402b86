//! An open scanner, on a serial line or as a keyboard.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::proto::{Framing, Refused, ScanReader};
use super::wedge::Wedge;
use crate::fault::{Device, DeviceFault};
use crate::moment::Moment;
use crate::rim::clock;
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
    Serial { port: Port, reader: Box<ScanReader> },
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
        Ok(Scanner(Source::Serial { port, reader: Box::new(ScanReader::new(self.framing, self.echo)) }))
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
        loop {
            if let Some(scan) = self.0.poll_scan() {
                return Ok(scan);
            }
            self.0.hear().await.map_err(|error| ScannerFault::lost(Device::Scanner, &error))?;
        }
    }

    /// Says something to the scanner: a beep or a light, in its model's own words.
    ///
    /// # Errors
    /// [`ScannerFault::Lost`], or [`ScannerFault::Refused`] by one that types.
    pub async fn say(&mut self, bytes: &[u8]) -> Result<(), ScannerFault> {
        match &mut self.0 {
            Source::Serial { port, .. } => {
                port.write_all(bytes).await.map_err(|error| ScannerFault::lost(Device::Scanner, &error))
            }
            Source::Wedge(wedge) => Err(Wedge::speechless(&wedge.path)),
        }
    }

    /// What was refused since it was opened.
    #[must_use]
    pub fn refused(&self) -> Refused {
        match &self.0 {
            Source::Serial { reader, .. } => reader.refused(),
            Source::Wedge(wedge) => wedge.reader.refused(),
        }
    }
}

impl Source {
    fn poll_scan(&mut self) -> Option<String> {
        match self {
            Self::Serial { reader, .. } => reader.poll_scan(),
            Self::Wedge(wedge) => wedge.reader.poll_scan(),
        }
    }

    /// Takes in what comes next: bytes, keys, or time.
    async fn hear(&mut self) -> io::Result<()> {
        match self {
            Self::Serial { port, reader } => {
                let mut buffer = [0; 256];
                tokio::select! {
                    // Bytes that are there count before the time that went by.
                    biased;
                    read = port.read(&mut buffer) => {
                        reader.handle(buffer.get(..read?).unwrap_or_default(), Moment::now());
                    }
                    () = until(reader.poll_timeout()) => reader.handle_timeout(Moment::now()),
                }
            }
            Self::Wedge(wedge) => {
                let wake = until(wedge.reader.poll_timeout());
                tokio::select! {
                    biased;
                    event = wedge.event() => wedge.reader.handle(event?, Moment::now()),
                    () = wake => wedge.reader.handle_timeout(Moment::now()),
                }
            }
        }
        Ok(())
    }
}

async fn until(wake: Option<Moment>) {
    match wake {
        Some(at) => clock::until(at).await,
        None => std::future::pending().await,
    }
}
