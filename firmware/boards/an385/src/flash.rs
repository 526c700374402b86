//! The flash: memory that the emulator keeps in a file, and that this driver treats as NOR flash, so that a bit which was not erased
//! cannot be set.
//!
//! | byte | what |
//! |---|---|
//! | 0, 4096 | the state's two pages |
//! | 65536, 327680 | the two slots, 256 KB each |

use core::convert::Infallible;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use firmware::update::{Layout, Store};

use crate::chip::{read, read_byte, write};

const LAYOUT: Layout = Layout { pages: [0, 0x1000], slots: [0x1_0000, 0x5_0000], slot_length: 0x4_0000 };
const BASE: usize = 0x2100_0000;
const CAPACITY: usize = 0x9_0000;
const WORD: usize = 4;

/// The slots, or `None` if the layout were wrong.
pub fn store() -> Option<Store<Flash>> {
    Store::new(Flash(()), LAYOUT)
}

/// It.
#[derive(Debug)]
pub struct Flash(());

impl ErrorType for Flash {
    type Error = Infallible;
}

/// Addresses of so many bytes; none beyond the end.
fn addresses(offset: u32) -> core::ops::Range<usize> {
    BASE.saturating_add(offset as usize)..BASE.saturating_add(CAPACITY)
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.iter_mut().zip(addresses(offset)).for_each(|(to, at)| *to = read_byte(at));
        Ok(())
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = 0x1000;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
        let length = to.saturating_sub(from) as usize;
        addresses(from).take(length).step_by(WORD).for_each(|at| write(at, u32::MAX));
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
        for (four, at) in bytes.as_chunks::<WORD>().0.iter().zip(addresses(offset).step_by(WORD)) {
            write(at, read(at) & u32::from_le_bytes(*four));
        }
        Ok(())
    }
}
