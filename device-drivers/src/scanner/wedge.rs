//! A scanner that types: a keyboard of its own, taken away from everybody else.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::driver::{Scanner, ScannerFault, Source};
use super::keys::{KeyEvent, KeyReader};
use super::layout::Layout;
use crate::fault::Device;
use crate::rim::input::{self, Input};

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
    pub(super) input: Input,
    pub(super) reader: KeyReader,
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
    /// What happens next to its keys. Safe to cancel.
    pub(super) async fn event(&mut self) -> io::Result<KeyEvent> {
        self.input.next().await
    }

    /// Why nothing can be said to it.
    pub(super) fn speechless(path: &Path) -> ScannerFault {
        let reason = "a keyboard takes no words".to_owned();
        ScannerFault::Refused { device: Device::Scanner, path: path.to_owned(), reason }
    }
}
