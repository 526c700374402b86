//! A scanner that nobody holds: it sends what it is told over a line of its own.

use std::io;
use std::path::Path;

use super::line::VirtualLine;

/// What can be wrong with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScannerFaults {
    /// Sends only so many bytes of a scan, and no end.
    pub cut_after: Option<usize>,
    /// Sends each scan twice.
    pub double: bool,
    /// Sends bytes of noise in front.
    pub noise: bool,
}

/// A virtual scanner. Dropping it unplugs it.
#[derive(Debug)]
pub struct VirtualScanner {
    line: VirtualLine,
    /// What is wrong with it.
    pub faults: ScannerFaults,
}

impl VirtualScanner {
    /// Plugs a scanner in under `name`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system has no pseudo-terminal, or the name is taken.
    pub fn plug(name: &Path) -> io::Result<Self> {
        Ok(Self { line: VirtualLine::plug(name)?, faults: ScannerFaults::default() })
    }

    /// Its port.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.line.name()
    }

    /// Scans a code.
    ///
    /// # Errors
    /// When the line is broken.
    pub async fn scan(&mut self, code: &str) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(code.len() + 8);
        if self.faults.noise {
            bytes.extend_from_slice(b"\xff\x80\r");
        }
        match self.faults.cut_after {
            Some(count) => bytes.extend(code.bytes().take(count)),
            None => {
                for _ in 0..=usize::from(self.faults.double) {
                    bytes.extend_from_slice(code.as_bytes());
                    bytes.extend_from_slice(b"\r\n");
                }
            }
        }
        self.line.write_all(&bytes).await
    }
}
