//! A scanner that types: a keyboard of its own, taken away from everybody else.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::driver::{Scanner, ScannerFault, Source};
use super::keys::KeyReader;
use super::layout::Layout;
use super::proto::Refused;
use crate::fault::Device;
use crate::moment::{Moment, until};
use crate::rim::clock::SystemClock;
use crate::rim::input::{self, Input};
use crate::wire::before;

/// Where a keyboard wedge is and how it types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WedgeScanner {
    /// Its device, best by its stable name below `/dev/input/by-id`.
    pub path: PathBuf,
    /// The layout that it is set to; those with German ones type z for y else.
    pub layout: Layout,
    /// The same scan within this time is one report sent twice.
    pub echo: Duration,
}

/// An open wedge.
#[derive(Debug)]
pub(super) struct Wedge {
    input: Input,
    reader: KeyReader,
    pub(super) path: PathBuf,
}

impl WedgeScanner {
    /// A wedge at this device with the usual settings: the layout of the United States, echoes within 50 ms.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, layout: Layout::Us, echo: Duration::from_millis(50) }
    }

    /// Opens the device for this process alone: from now on nothing that is scanned is typed into a window or a page. Must
    /// be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ScannerFault::Missing`] or [`ScannerFault::Refused`], also for a device without an Enter key.
    pub fn open(&self) -> Result<Scanner, ScannerFault> {
        let opening = |error: io::Error| ScannerFault::opening(Device::Scanner, &self.path, &error);
        let input = input::grab(&self.path).map_err(opening)?;
        let reader = KeyReader::new(self.layout, self.echo);
        Ok(Scanner::of(Source::Wedge(Box::new(Wedge { input, reader, path: self.path.clone() }))))
    }
}

impl Wedge {
    /// The next scan. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<&str, ScannerFault> {
        loop {
            let over = self.reader.poll_timeout();
            match before(self.input.next(), until(&mut SystemClock, over)).await {
                Some(event) => {
                    let event = event.map_err(|error| ScannerFault::lost(Device::Scanner, &error))?;
                    if self.reader.handle(event, Moment::now()).is_some() {
                        return Ok(self.reader.last());
                    }
                }
                None => self.reader.handle_timeout(Moment::now()),
            }
        }
    }

    pub(super) fn refused(&self) -> Refused {
        self.reader.refused()
    }

    /// Why nothing can be said to it.
    pub(super) fn speechless(path: &Path) -> ScannerFault {
        let reason = "a keyboard takes no words".to_owned();
        ScannerFault::Refused { device: Device::Scanner, path: path.to_owned(), reason }
    }
}
