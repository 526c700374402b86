//! Reading the chain, one record by its locator or all in order, while it grows.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::flaw::{FirstBad, Reason};
use crate::group;
use crate::layout::{FRAME_HEADER_BYTES, GROUP_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use crate::lineage::{Leg, lineage};
use crate::position::{EpochId, Evidence, Head, Locator, Position};
use crate::published::{Published, Tail};
use crate::record::{self, MAX_BODY_BYTES, RECORD_PREFIX_BYTES, Record};
use crate::records::Records;
use crate::segment::{self, EpochDir};
use crate::storage::{Access, Storage, read_full};

/// Open segments that are kept for reading by locator.
const OPEN_FILES: usize = 16;
/// Read at once by locator; longer records take a second read.
const FIRST_READ_BYTES: usize = 4096;

/// A record could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The position is not part of the chain: not written yet, of an unknown epoch, or left behind by a newer epoch.
    #[error("{0} is not a position of this journal: start over from what is known")]
    UnknownPosition(Position),
    /// No record starts at the locator.
    #[error("there is no record at {0}: rebuild what pointed there")]
    NoRecord(Locator),
    /// The bytes are damaged.
    #[error("the journal is damaged: {0}")]
    Damaged(#[from] FirstBad),
    /// The operating system refused.
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the first record of the chain.
    Beginning,
    /// With the record after this one: what a cursor wants. A `seq` of 0 begins an epoch.
    After(Position),
    /// With the record at this place.
    At(Locator),
}

/// One epoch of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Its name.
    pub id: EpochId,
    /// The record that it continues: of the epoch before, or of a journal that is not here.
    pub parent: Option<Evidence>,
    /// The last of its records that is part of the chain; `None` in the newest epoch.
    pub last: Option<Evidence>,
}

type OpenFiles<F> = Mutex<Vec<((EpochDir, u32), Arc<F>)>>;

/// Reads records. Cheap to clone; the clones share open files.
pub struct Reader<S: Storage> {
    storage: S,
    /// How far to read, if the writer is in this process.
    published: Option<Arc<Published>>,
    files: Arc<OpenFiles<S::File>>,
}

impl<S: Storage> Clone for Reader<S> {
    fn clone(&self) -> Self {
        let (storage, published) = (self.storage.clone(), self.published.clone());
        Self { storage, published, files: Arc::clone(&self.files) }
    }
}

impl<S: Storage> Reader<S> {
    /// A reader beside a writer in another process, or none. It reads up to the last whole group, which may be a moment
    /// before that is durable. In the writer's process use [`Journal::reader`](crate::Journal::reader).
    #[must_use]
    pub fn open(storage: S) -> Self {
        Self { storage, published: None, files: Arc::default() }
    }

    pub(crate) fn within(storage: S, published: Arc<Published>) -> Self {
        Self { storage, published: Some(published), files: Arc::default() }
    }

    /// The newest durable record; `None` in an empty epoch, and always where the writer is another process.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.published.as_ref().and_then(|published| published.get().head)
    }

    /// Reads the record that starts at `locator`; its checksum is checked and its hash computed.
    ///
    /// # Errors
    /// [`ReadError::NoRecord`] when nothing was ever written there, [`ReadError::Damaged`] when it cannot be trusted.
    pub fn read(&self, locator: Locator) -> Result<Record, ReadError> {
        let (dir, file) = self.file(locator)?;
        let offset = u64::from(locator.offset);
        let limit = match self.tail() {
            Some(tail) => tail.limit(dir, locator.segment, u64::MAX),
            None => u64::MAX,
        };
        let first = (SEGMENT_HEADER_BYTES + GROUP_HEADER_BYTES) as u64;
        if offset < first || offset >= limit {
            return Err(ReadError::NoRecord(locator));
        }
        let mut bytes = vec![0; FIRST_READ_BYTES];
        let read = read_full(&*file, &mut bytes, offset)?;
        bytes.truncate(read);
        let length = bytes.first_chunk().map_or(0, |field| u32::from_le_bytes(*field)) as usize;
        if length == 0 {
            return Err(ReadError::NoRecord(locator));
        }
        let damaged = |reason| ReadError::Damaged(FirstBad { at: locator, reason });
        if length > RECORD_PREFIX_BYTES + MAX_BODY_BYTES {
            return Err(damaged(Reason::RecordLength));
        }
        let whole = FRAME_HEADER_BYTES + length;
        if whole > bytes.len() {
            let has = bytes.len();
            bytes.resize(whole, 0);
            let read = read_full(&*file, bytes.get_mut(has..).unwrap_or_default(), offset + has as u64)?;
            bytes.truncate(has + read);
        }
        let (frame, view) = group::frame_at(&bytes, 0).map_err(damaged)?;
        if view.position.epoch != dir.epoch {
            return Err(damaged(Reason::RecordPrefix));
        }
        Ok(view.to_record(record::hash(frame)))
    }

    /// All records of the chain from `start` on, in order, across segments and epochs.
    ///
    /// Groups are checked by checksum and stated chain, not by SHA-256 (see [`verify()`](crate::verify())); a record's `hash`
    /// is the one that its successor or its group states. The iterator gives `None` at the head, and goes on when asked
    /// again after the journal grew. After an error it gives `None` for ever.
    ///
    /// # Errors
    /// [`ReadError::UnknownPosition`] or [`ReadError::NoRecord`] when `start` is not part of the chain.
    pub fn records_from(&self, start: Start) -> Result<Records<S>, ReadError> {
        let legs = lineage(&self.storage)??;
        match start {
            Start::Beginning => Ok(Records::new(self.clone(), legs)),
            Start::After(position) => Records::after(self.clone(), legs, position),
            Start::At(locator) => {
                let position = self.read(locator)?.position();
                let left_behind = |last: Evidence| position.seq > last.position.seq;
                if legs.iter().any(|leg| leg.dir.epoch == position.epoch && leg.last.is_some_and(left_behind))
                {
                    return Err(ReadError::UnknownPosition(position));
                }
                let before = Position { seq: position.seq.saturating_sub(1), ..position };
                Records::after(self.clone(), legs, before)
            }
        }
    }

    /// The chain's epochs, oldest first.
    ///
    /// # Errors
    /// [`ReadError`] when an epoch cannot be read.
    pub fn epochs(&self) -> Result<Vec<Epoch>, ReadError> {
        let legs = lineage(&self.storage)??;
        let epoch = |leg: &Leg| Epoch { id: leg.dir.epoch, parent: leg.parent, last: leg.last };
        Ok(legs.iter().map(epoch).collect())
    }

    pub(crate) fn storage(&self) -> &S {
        &self.storage
    }

    /// What the writer published, if it is in this process.
    pub(crate) fn tail(&self) -> Option<Tail> {
        self.published.as_ref().map(|published| published.get())
    }

    fn file(&self, locator: Locator) -> Result<(EpochDir, Arc<S::File>), ReadError> {
        let wanted = |(dir, segment): &(EpochDir, u32)| {
            dir.ordinal == locator.epoch_ordinal && *segment == locator.segment
        };
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(((dir, _), file)) = files.iter().find(|(key, _)| wanted(key)) {
            return Ok((*dir, Arc::clone(file)));
        }
        let dirs = segment::epochs(&self.storage)?;
        let dir = dirs.iter().find(|dir| dir.ordinal == locator.epoch_ordinal);
        let dir = *dir.ok_or(ReadError::NoRecord(locator))?;
        let file = match segment::open(&self.storage, dir, locator.segment, Access::Read)? {
            Ok((file, _)) => Arc::new(file),
            Err(bad) if bad.reason == Reason::SegmentMissing => return Err(ReadError::NoRecord(locator)),
            Err(bad) => return Err(bad.into()),
        };
        if files.len() >= OPEN_FILES {
            files.remove(0);
        }
        files.push(((dir, locator.segment), Arc::clone(&file)));
        Ok((dir, file))
    }
}
