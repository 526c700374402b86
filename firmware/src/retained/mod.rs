//! What outlives a reset: in memory that a reset leaves alone, and a power cut does not.
//!
//! Counters, settings, the cursor and the messages that the box has not accepted are one record. There are two places for it, and a
//! new record goes over the older one: a reset in the middle of writing leaves the newer one whole. What a boot of before had to say
//! when it came to its end has a place of its own.

mod last_words;
mod store;

pub(crate) use last_words::{LONGEST as LONGEST_LAST_WORDS, take as take_last_words};
pub use last_words::{write as write_last_words, write_panic};
pub(crate) use store::{Kept, Store};

use pos_link::{Settings, Tally};

/// Bytes of messages that wait for the box.
pub(crate) const OUT: usize = 2048;

/// A place in the retained memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A record.
    One,
    /// Another record.
    Other,
    /// What is to be said after a panic.
    LastWords,
}

impl Place {
    /// How many bytes the greatest place has.
    pub const LEN: usize = store::HEAD + OUT;
    /// How many bytes [`Place::LastWords`] has.
    pub const LAST_WORDS_LEN: usize = last_words::LEN;
}

/// Memory that a reset leaves alone. After the power was off it holds whatever it woke up with.
pub trait Memory {
    /// Reads a place from this byte on. Nothing beyond its end is asked for.
    fn read(&self, place: Place, from: usize, into: &mut [u8]);
    /// Writes it from this byte on. Nothing goes beyond its end.
    fn write(&mut self, place: Place, from: usize, bytes: &[u8]);
}

/// What a controller itself keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    /// What it counted, in all its boots.
    pub tally: Tally,
    /// How the host wants it to work; `None`: it never said.
    pub settings: Option<Settings>,
    /// The lowest cap on pulses that the host ever set, milliseconds; 0: none.
    pub pulse_cap_ms: u16,
    /// Pulses of the last minute.
    pub recent_pulses: u8,
}

impl Retained {
    /// That of a boot: one more than was kept.
    pub(crate) fn booted(mut self, by_watchdog: bool) -> Self {
        let tally = &mut self.tally;
        tally.boots = tally.boots.saturating_add(1);
        tally.watchdog_resets = tally.watchdog_resets.saturating_add(by_watchdog.into());
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::vec::Vec;

    use super::*;

    /// Memory that several boots share, and that may fail to write: the reset comes then.
    #[derive(Debug, Clone)]
    pub(crate) struct Ram {
        places: Rc<RefCell<[Vec<u8>; 3]>>,
        /// So many bytes are written until the reset comes; no more after it.
        pub(crate) left: Rc<RefCell<usize>>,
    }

    impl Ram {
        /// After the power was off.
        pub(crate) fn woken(with: u8) -> Self {
            let record = [with; Place::LEN].to_vec();
            let places = [record.clone(), record, [with; Place::LAST_WORDS_LEN].to_vec()];
            Self { places: Rc::new(RefCell::new(places)), left: Rc::new(RefCell::new(usize::MAX)) }
        }

        pub(crate) fn flip(&self, place: Place, bit: usize) {
            self.places.borrow_mut()[place as usize][bit / 8] ^= 1 << (bit % 8);
        }
    }

    impl Memory for Ram {
        fn read(&self, place: Place, from: usize, into: &mut [u8]) {
            into.copy_from_slice(&self.places.borrow()[place as usize][from..][..into.len()]);
        }

        fn write(&mut self, place: Place, from: usize, bytes: &[u8]) {
            let mut left = self.left.borrow_mut();
            let written = bytes.len().min(*left);
            self.places.borrow_mut()[place as usize][from..][..written].copy_from_slice(&bytes[..written]);
            *left -= written;
        }
    }

    #[test]
    fn a_boot_is_counted() {
        let tally = Tally { boots: 7, ..Tally::default() };
        let kept = Retained { tally, recent_pulses: 3, ..Retained::default() };
        let booted = kept.booted(true);
        assert_eq!((booted.tally.boots, booted.tally.watchdog_resets, booted.recent_pulses), (8, 1, 3));
        assert_eq!(Retained::default().booted(false).tally, Tally { boots: 1, ..Tally::default() });
    }
}
