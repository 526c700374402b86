//! Memory that a reset leaves alone, whichever program runs.

use firmware::{Memory, Place};

use crate::chip::{KEPT, STARTED, read_byte, write_byte};

/// The memory. There is one, whoever names it.
#[derive(Debug)]
pub struct Ram;

const _: () =
    assert!(KEPT + 2 * Place::LEN + Place::LAST_WORDS_LEN <= STARTED, "it ends before what comes next");

/// Addresses from so many bytes of a place on; none beyond it.
fn addresses(place: Place, from: usize) -> core::ops::Range<usize> {
    let (begin, length) = match place {
        Place::One => (0, Place::LEN),
        Place::Other => (Place::LEN, Place::LEN),
        Place::LastWords => (Place::LEN.saturating_mul(2), Place::LAST_WORDS_LEN),
    };
    let begin = KEPT.saturating_add(begin);
    begin.saturating_add(from)..begin.saturating_add(length)
}

impl Memory for Ram {
    fn read(&self, place: Place, from: usize, into: &mut [u8]) {
        into.iter_mut().zip(addresses(place, from)).for_each(|(to, at)| *to = read_byte(at));
    }

    fn write(&mut self, place: Place, from: usize, bytes: &[u8]) {
        bytes.iter().zip(addresses(place, from)).for_each(|(byte, at)| write_byte(at, *byte));
    }
}
