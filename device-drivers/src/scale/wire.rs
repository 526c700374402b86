//! A scale on a serial line of any machine.

use embedded_io_async::{Read, Write};

use super::proto::Talk;
use super::session::{SILENT_AFTER, Session};
use super::weight::Reading;
use crate::moment::{Clock, until};
use crate::wire::{WireFault, before, read, write_all};

/// A scale on this line.
#[derive(Debug)]
pub struct ScaleWire<L, C> {
    line: L,
    clock: C,
    talk: Talk,
    session: Session,
}

impl<L: Read + Write, C: Clock> ScaleWire<L, C> {
    /// A scale on a line that was just opened.
    #[must_use]
    pub fn new(line: L, clock: C, talk: Talk) -> Self {
        let session = Session::new(talk, clock.now());
        Self { line, clock, talk, session }
    }

    /// What the scale says next: of a polled one some five times a second, of a continuous one each of its frames. To be
    /// called again and again: what came while nobody listened comes first. Safe to cancel, if the line's reads are; a
    /// question may then be asked twice.
    ///
    /// # Errors
    /// [`WireFault::Silent`] once for each [`SILENT_AFTER`] in which nothing came that makes sense; those of the line.
    pub async fn next(&mut self) -> Result<Reading, WireFault<L::Error>> {
        loop {
            if let Some(reading) = self.session.poll_reading() {
                return Ok(reading);
            }
            let over = until(&mut self.clock, Some(self.session.poll_timeout()));
            match self.session.poll_output() {
                b"" => {
                    let mut buffer = [0; 64];
                    if let Some(count) = before(read(&mut self.line, &mut buffer), over).await {
                        self.session.handle(buffer.get(..count?).unwrap_or_default(), self.clock.now());
                    }
                }
                question => {
                    if let Some(said) = before(write_all(&mut self.line, question), over).await {
                        said?;
                        self.session.taken();
                    }
                }
            }
            // Also while noise comes without a pause.
            if self.session.handle_timeout(self.clock.now()) {
                return Err(WireFault::Silent { waited: SILENT_AFTER });
            }
        }
    }

    /// Sets the scale to zero with what is on it, as far as it lets itself be: the next readings tell.
    ///
    /// # Errors
    /// [`WireFault::Silent`] when the line does not take it; those of the line.
    pub async fn zero(&mut self) -> Result<(), WireFault<L::Error>> {
        let end = self.clock.now() + SILENT_AFTER;
        let said =
            before(write_all(&mut self.line, self.talk.zero()), until(&mut self.clock, Some(end))).await;
        said.unwrap_or(Err(WireFault::Silent { waited: SILENT_AFTER }))
    }

    /// Frames since the line was opened that made no sense.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.session.refused()
    }
}
