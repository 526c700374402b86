//! A serial flash as a chip's ROM writes it: sectors are erased and pages programmed by calls that do not tell whether that worked, and
//! while one runs the processor does nothing else.
//!
//! What always holds:
//!
//! - Nothing is changed but whole sectors and pages within the [range](SerialFlash::new) that updates may change.
//! - Nothing is changed while the chip [may not stand still](SerialChip::may_stand_still): whatever is driven would stay driven.
//! - What was erased is blank and what was programmed reads as it should, or that is an error.

use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use thiserror::Error;

/// Bytes that are erased at once.
pub const SECTOR: usize = 4096;
/// As the flash counts.
const SECTOR_BYTES: u32 = 4096;
/// Bytes that are programmed at once.
pub const PAGE: usize = 256;

/// The calls of a chip, and what it drives.
pub trait SerialChip {
    /// Reads from this byte of the flash on.
    fn read(&self, at: u32, into: &mut [u8]);

    /// Erases the sector that begins there: to be whole when this returns, and not longer than 400 ms or so.
    fn erase(&mut self, sector: u32);

    /// Programs the page that begins there, which is blank.
    fn program(&mut self, page: u32, bytes: &[u8; PAGE]);

    /// Whether the processor may do nothing else for as long as an erasing takes.
    fn may_stand_still(&self) -> bool;
}

/// A serial flash of which updates may change a part.
#[derive(Debug)]
pub struct SerialFlash<C> {
    chip: C,
    writable: Range<u32>,
}

/// Why the flash did not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SerialError {
    /// It is not within what may be changed, or read.
    #[error("that is outside of what updates may change")]
    OutOfBounds,
    /// It is not whole sectors, or whole pages.
    #[error("that is not whole sectors or pages")]
    NotAligned,
    /// Something is driven that must end at its time.
    #[error("something is driven that must end at its time")]
    Driven,
    /// It reads otherwise than it should.
    #[error("what was erased or programmed reads otherwise")]
    NotChanged,
}

impl NorFlashError for SerialError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::Driven | Self::NotChanged => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for SerialError {
    fn from(kind: NorFlashErrorKind) -> Self {
        match kind {
            NorFlashErrorKind::NotAligned => Self::NotAligned,
            _ => Self::OutOfBounds,
        }
    }
}

impl<C: SerialChip> SerialFlash<C> {
    /// Of this chip. Updates may change what lies in `writable`, bytes from the flash's beginning on; they may read all before its
    /// end.
    pub const fn new(chip: C, writable: Range<u32>) -> Self {
        Self { chip, writable }
    }

    fn may_change(&self, from: u32) -> Result<(), SerialError> {
        if from < self.writable.start {
            return Err(SerialError::OutOfBounds);
        }
        if self.chip.may_stand_still() { Ok(()) } else { Err(SerialError::Driven) }
    }

    /// Whether a page reads so.
    fn reads(&self, at: u32, wanted: &[u8; PAGE]) -> bool {
        let mut page = [0; PAGE];
        self.chip.read(at, &mut page);
        page == *wanted
    }
}

impl<C> ErrorType for SerialFlash<C> {
    type Error = SerialError;
}

impl<C: SerialChip> ReadNorFlash for SerialFlash<C> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SerialError> {
        check_read(self, offset, bytes.len())?;
        self.chip.read(offset, bytes);
        Ok(())
    }

    /// What lies behind the range that may be changed is none of it.
    fn capacity(&self) -> usize {
        usize::try_from(self.writable.end).unwrap_or(usize::MAX)
    }
}

impl<C: SerialChip> NorFlash for SerialFlash<C> {
    const WRITE_SIZE: usize = PAGE;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), SerialError> {
        check_erase(self, from, to)?;
        for sector in (from..to).step_by(SECTOR) {
            self.may_change(sector)?;
            self.chip.erase(sector);
            let mut pages = (sector..sector.saturating_add(SECTOR_BYTES)).step_by(PAGE);
            if !pages.all(|page| self.reads(page, &[0xff; PAGE])) {
                return Err(SerialError::NotChanged);
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SerialError> {
        check_write(self, offset, bytes.len())?;
        let (pages, _) = bytes.as_chunks::<PAGE>();
        for (page, at) in pages.iter().zip((offset..).step_by(PAGE)) {
            self.may_change(at)?;
            self.chip.program(at, page);
            if !self.reads(at, page) {
                return Err(SerialError::NotChanged);
            }
        }
        Ok(())
    }
}
