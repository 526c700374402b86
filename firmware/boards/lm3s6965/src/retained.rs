//! Memory that a reset leaves alone.

use core::mem::MaybeUninit;
use core::ptr::{addr_of, addr_of_mut};

use firmware::{Memory, Place};

type Bytes = [u8; 2 * Place::LEN + Place::LAST_WORDS_LEN];

#[unsafe(link_section = ".uninit.retained")]
static mut KEPT: MaybeUninit<Bytes> = MaybeUninit::uninit();

/// The memory. There is one, whoever names it.
#[derive(Debug)]
pub struct Ram;

/// Where a place begins.
const fn begin(place: Place) -> usize {
    match place {
        Place::One => 0,
        Place::Other => Place::LEN,
        Place::LastWords => 2 * Place::LEN,
    }
}

/// Offsets of so many bytes of a place; none beyond the end.
fn offsets(place: Place, from: usize) -> impl Iterator<Item = usize> {
    begin(place).saturating_add(from)..size_of::<Bytes>()
}

impl Memory for Ram {
    fn read(&self, place: Place, from: usize, into: &mut [u8]) {
        for (to, at) in into.iter_mut().zip(offsets(place, from)) {
            // SAFETY: `at` is within; any byte is valid, the memory is the chip's own, and nothing but this module touches it, in one thread.
            *to = unsafe { addr_of!(KEPT).cast::<u8>().add(at).read_volatile() };
        }
    }

    fn write(&mut self, place: Place, from: usize, bytes: &[u8]) {
        for (byte, at) in bytes.iter().zip(offsets(place, from)) {
            // SAFETY: as above.
            unsafe { addr_of_mut!(KEPT).cast::<u8>().add(at).write_volatile(*byte) }
        }
    }
}
