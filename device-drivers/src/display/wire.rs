//! A customer display on a serial line of any machine.

use core::time::Duration;

use embedded_io_async::{Read, Write};
use heapless::Vec;

use super::proto::{self, Dialect, DisplayLine};
use crate::moment::{Clock, until};
use crate::wire::{WireFault, before, read, write_all};

/// How long two lines may take to get through; at 1200 baud they take 0.4 s.
pub const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// A display on this line. It does not answer: that bytes get through is all that can be known.
#[derive(Debug)]
pub struct DisplayWire<L, C> {
    pub(super) line: L,
    clock: C,
    dialect: Dialect,
    /// All that was begun was also ended, so that the next byte starts a command.
    in_step: bool,
}

impl<L, C: Clock> DisplayWire<L, C> {
    /// A display on a line that was just opened. Nothing is sent yet.
    #[must_use]
    pub fn new(line: L, clock: C, dialect: Dialect) -> Self {
        Self { line, clock, dialect, in_step: false }
    }

    /// Shows two lines in place of those before, and waits until they have left. The same lines again are a heartbeat:
    /// nothing flickers. Safe to cancel: the next lines start the display anew then.
    ///
    /// # Errors
    /// [`WireFault::Silent`]: it took nothing for [`SHOWN_WITHIN`]; what the line holds of it is the line's affair. Those of
    /// the line.
    pub async fn show(&mut self, lines: &[DisplayLine; 2]) -> Result<(), WireFault<L::Error>>
    where
        L: Write,
    {
        let mut start = Vec::<u8, 16>::new();
        if !self.in_step {
            start.extend(proto::resume(self.dialect).iter().copied());
            start.extend(proto::begin(self.dialect));
        }
        self.in_step = false;
        let shown = proto::show(lines, self.dialect);
        let line = &mut self.line;
        let saying = async {
            write_all(line, &start).await?;
            write_all(line, &shown).await?;
            line.flush().await.map_err(WireFault::Failed)
        };
        let end = self.clock.now() + SHOWN_WITHIN;
        let said = before(saying, until(&mut self.clock, Some(end))).await;
        said.unwrap_or(Err(WireFault::Silent { waited: SHOWN_WITHIN }))?;
        self.in_step = true;
        Ok(())
    }

    /// Waits until the line is gone; for as long as it is there, it does not return. Safe to cancel.
    pub async fn lost(&mut self) -> WireFault<L::Error>
    where
        L: Read,
    {
        // What a display says, if it says anything, is of no interest.
        let mut heard = [0; 64];
        loop {
            if let Err(fault) = read(&mut self.line, &mut heard).await {
                return fault;
            }
        }
    }
}
