//! A flash that loses its power.
//!
//! What is cut within leaves any mixture of old and new bits. What was written or erased when that happened may read as if it were
//! done and be so weakly: it must be erased before it is written. A unit is written once after it was erased.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use firmware::update::{PAGE, SECTOR as SERIAL_SECTOR, SerialChip};

use crate::random::Random;

pub(crate) const SECTOR: usize = 1024;
pub(crate) const WRITE: usize = 256;
pub(crate) const SECTORS: usize = 18;

/// How a cut leaves what was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tear {
    /// Not begun.
    Before,
    /// Done, and nobody was told.
    After,
    /// Any mixture of old and new bits.
    Mixed,
    /// A part of it, from the beginning on.
    Part,
}

pub(crate) const TEARS: [Tear; 4] = [Tear::Before, Tear::After, Tear::Mixed, Tear::Part];

#[derive(Debug)]
pub(crate) struct Chip {
    pub(crate) bytes: Vec<u8>,
    /// Erased, and not written since; by what is written at once.
    blank: Vec<bool>,
    /// Writes and erasings until the next cut.
    left: Option<(u32, Tear)>,
    /// From this change on it fails, without a cut.
    pub(crate) fail_at: Option<u32>,
    /// After this change it says that it failed, and has not.
    pub(crate) lies_at: Option<u32>,
    has_power: bool,
    random: Random,
    pub(crate) changes: u32,
    /// Something is driven that must end at its time.
    pub(crate) driven: bool,
    /// For so long the processor stood still, microseconds, at the slowest that a serial flash is.
    pub(crate) still: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Flash(pub(crate) Rc<RefCell<Chip>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

impl NorFlashError for Failed {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl Flash {
    /// Of a chip that nobody has erased yet.
    pub(crate) fn new(mut random: Random) -> Self {
        let bytes = (0..SECTOR * SECTORS).map(|_| random.byte()).collect();
        Self::holding(bytes, random)
    }

    /// Of a chip that holds these bytes.
    pub(crate) fn holding(bytes: Vec<u8>, random: Random) -> Self {
        Self(Rc::new(RefCell::new(Chip {
            blank: vec![false; bytes.len() / WRITE],
            bytes,
            left: None,
            fail_at: None,
            lies_at: None,
            has_power: true,
            random,
            changes: 0,
            driven: false,
            still: 0,
        })))
    }

    /// The power is cut within the change after so many others.
    pub(crate) fn cut_after(&self, changes: u32, tear: Tear) {
        self.0.borrow_mut().left = Some((changes, tear));
    }

    pub(crate) fn never_cut(&self) {
        self.0.borrow_mut().left = None;
        self.power_on();
    }

    pub(crate) fn has_power(&self) -> bool {
        self.0.borrow().has_power
    }

    pub(crate) fn power_on(&self) {
        self.0.borrow_mut().has_power = true;
    }
}

impl Chip {
    fn change(&mut self, at: usize, new: &[u8], erases: bool) -> Result<(), Failed> {
        if !self.has_power {
            return Err(Failed);
        }
        if self.fail_at.is_some_and(|at| self.changes >= at) {
            return Err(Failed);
        }
        self.changes += 1;
        let touched = at / WRITE..(at + new.len()) / WRITE;
        assert!(
            erases || self.blank[touched.clone()].iter().all(|blank| *blank),
            "{at} was not erased before"
        );
        let tear = match &mut self.left {
            Some((0, tear)) => Some(*tear),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        let part = usize::try_from(self.random.below(new.len() as u64)).unwrap();
        for (index, (old, new)) in self.bytes[at..].iter_mut().zip(new).enumerate() {
            let taken = match tear {
                None | Some(Tear::After) => 0xff,
                Some(Tear::Before) => 0,
                Some(Tear::Mixed) => self.random.byte(),
                Some(Tear::Part) => {
                    if index < part {
                        0xff
                    } else {
                        0
                    }
                }
            };
            let full = if erases { 0xff } else { *old & new };
            *old = (*old & !taken) | (full & taken);
        }
        self.blank[touched].fill(erases && tear.is_none());
        if tear.is_some() {
            (self.left, self.has_power) = (None, false);
            return Err(Failed);
        }
        if self.lies_at == Some(self.changes) { Err(Failed) } else { Ok(()) }
    }
}

impl ErrorType for Flash {
    type Error = Failed;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Failed> {
        check_read(self, offset, bytes.len()).expect("reads are within and aligned");
        let chip = self.0.borrow();
        if !chip.has_power {
            return Err(Failed);
        }
        bytes.copy_from_slice(&chip.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        SECTOR * SECTORS
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Failed> {
        check_erase(self, from, to).expect("what is erased is within and aligned");
        self.0.borrow_mut().change(from as usize, &vec![0xff; (to - from) as usize], true)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failed> {
        check_write(self, offset, bytes.len()).expect("what is written is within and aligned");
        self.0.borrow_mut().change(offset as usize, bytes, false)
    }
}

/// The same as a chip's ROM sees it: nothing says that it failed.
impl SerialChip for Flash {
    fn read(&self, at: u32, into: &mut [u8]) {
        let chip = self.0.borrow();
        if chip.has_power {
            into.copy_from_slice(&chip.bytes[at as usize..][..into.len()]);
        } else {
            into.fill(0);
        }
    }

    fn erase(&mut self, sector: u32) {
        assert!((sector as usize).is_multiple_of(SERIAL_SECTOR), "{sector} is within a sector");
        let mut chip = self.0.borrow_mut();
        assert!(!chip.driven, "a solenoid is driven meanwhile");
        chip.still += 400_000;
        // Nobody is told.
        let _ = chip.change(sector as usize, &[0xff; SERIAL_SECTOR], true);
    }

    fn program(&mut self, page: u32, bytes: &[u8; PAGE]) {
        assert!((page as usize).is_multiple_of(PAGE), "{page} is within a page");
        let mut chip = self.0.borrow_mut();
        assert!(!chip.driven, "a solenoid is driven meanwhile");
        chip.still += 3_000;
        let _ = chip.change(page as usize, bytes, false);
    }

    fn may_stand_still(&self) -> bool {
        !self.0.borrow().driven
    }
}
