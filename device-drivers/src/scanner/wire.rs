//! A scanner on a serial line of any machine.

use core::time::Duration;

use embedded_io_async::{Read, Write};
use heapless::Deque;

use super::proto::{Framing, Refused, ScanReader};
use crate::moment::{Clock, Moment, until};
use crate::wire::{WireFault, before, read, write_all};

/// Bytes that are read at once.
const CHUNK: usize = 64;

/// A scanner on this line; it takes some 1.2 KiB.
#[derive(Debug)]
pub struct ScannerWire<L, C> {
    line: L,
    clock: C,
    reader: ScanReader,
    /// What came behind the last scan, and when.
    heard: Deque<u8, CHUNK>,
    came: Moment,
}

impl<L: Read, C: Clock> ScannerWire<L, C> {
    /// A scanner on a line that was just opened. The same scan within `echo` is one report sent twice.
    #[must_use]
    pub fn new(line: L, clock: C, framing: Framing, echo: Duration) -> Self {
        let came = clock.now();
        Self { line, clock, reader: ScanReader::new(framing, echo), heard: Deque::new(), came }
    }

    /// The next scan, as the scanner sent it. Safe to cancel, if the line's reads are.
    ///
    /// # Errors
    /// [`WireFault::Ended`] or [`WireFault::Failed`]; never silence, as nobody has to scan.
    pub async fn next(&mut self) -> Result<&str, WireFault<L::Error>> {
        loop {
            while let Some(byte) = self.heard.pop_front() {
                if self.reader.take(byte, self.came).is_some() {
                    return Ok(self.reader.last());
                }
            }
            let mut buffer = [0; CHUNK];
            let over = until(&mut self.clock, self.reader.poll_timeout());
            let read = before(read(&mut self.line, &mut buffer), over).await;
            self.came = self.clock.now();
            match read {
                Some(count) => self.heard.extend(buffer.into_iter().take(count?)),
                None if self.reader.handle_timeout(self.came).is_some() => return Ok(self.reader.last()),
                None => {}
            }
        }
    }

    /// What was refused since the line was opened.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.reader.refused()
    }
}

impl<L: Write, C> ScannerWire<L, C> {
    /// Says something to the scanner: a beep or a light, in its model's own words.
    ///
    /// # Errors
    /// [`WireFault::Ended`] or [`WireFault::Failed`].
    pub async fn say(&mut self, bytes: &[u8]) -> Result<(), WireFault<L::Error>> {
        write_all(&mut self.line, bytes).await
    }
}
