//! A scanner on a serial line.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::proto::{Framing, Refused, ScanReader};
use crate::fault::{Device, DeviceFault};
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
pub struct Scanner {
    port: Port,
    reader: ScanReader,
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
        Ok(Scanner { port, reader: ScanReader::new(self.framing, self.echo) })
    }
}

impl Scanner {
    /// The next scan, as the scanner sent it: with its symbology identifier, if it sends one. Safe to cancel.
    ///
    /// # Errors
    /// [`ScannerFault::Lost`]: drop it, and open it again when the port is back.
    pub async fn next(&mut self) -> Result<String, ScannerFault> {
        let mut buffer = [0; 256];
        loop {
            if let Some(scan) = self.reader.poll_scan() {
                return Ok(scan);
            }
            let wake = self.reader.poll_timeout();
            let pause = async {
                match wake {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // Bytes that are there count before the time that went by.
                biased;
                read = self.port.read(&mut buffer) => match read {
                    Ok(count) => self.reader.handle(buffer.get(..count).unwrap_or_default(), Instant::now()),
                    Err(error) => return Err(ScannerFault::lost(Device::Scanner, &error)),
                },
                () = pause => self.reader.handle_timeout(Instant::now()),
            }
        }
    }

    /// Says something to the scanner: a beep or a light, in its model's own words.
    ///
    /// # Errors
    /// [`ScannerFault::Lost`].
    pub async fn say(&mut self, bytes: &[u8]) -> Result<(), ScannerFault> {
        self.port.write_all(bytes).await.map_err(|error| ScannerFault::lost(Device::Scanner, &error))
    }

    /// What was refused since it was opened.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.reader.refused()
    }
}
