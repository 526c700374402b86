//! How far readers in this process may read: what is durable, and nothing else.

use std::sync::{Mutex, PoisonError};

use crate::position::Head;
use crate::segment::EpochDir;

/// The end of what is durable.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tail {
    /// The epoch being written, if there is one.
    pub(crate) dir: Option<EpochDir>,
    pub(crate) segment: u32,
    /// Offset in that segment.
    pub(crate) end: u64,
    pub(crate) head: Option<Head>,
}

impl Tail {
    /// How far a segment of `len` bytes may be read.
    pub(crate) fn limit(&self, dir: EpochDir, segment: u32, len: u64) -> u64 {
        match self.dir {
            Some(current) if current == dir && segment == self.segment => self.end,
            Some(current) if (dir.ordinal, segment) > (current.ordinal, self.segment) => 0,
            // A journal without an epoch to write in shows what is there.
            _ => len,
        }
    }
}

/// Shared by a journal and its readers. The lock is held for a copy only.
#[derive(Debug, Default)]
pub(crate) struct Published(Mutex<Tail>);

impl Published {
    pub(crate) fn get(&self) -> Tail {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, tail: Tail) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tail;
    }
}
