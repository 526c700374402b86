//! The one writer: opens, appends in groups, rolls to the next segment, starts epochs, stops.

use std::io;
use std::sync::Arc;

use thiserror::Error;

use crate::group;
use crate::layout::{Chain, MAX_GROUP_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::position::{Digest, EpochId, Evidence, Head, Locator, Position};
use crate::published::{Published, Tail};
use crate::reader::Reader;
use crate::record::MAX_BODY_BYTES;
use crate::recovery::{self, Active, Opened};
use crate::segment::{self, EpochDir, JOURNAL_DIR};
use crate::spares::{self, LARGE_DRAFT, Preparation, Room, Spares};
use crate::stop;
use crate::storage::{Access, Storage, StorageFile, absent_is_fine};

const MIN_SEGMENT_BYTES: u64 = 4096;
const MAX_SEGMENT_BYTES: u64 = 1 << 30;

/// How a journal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a segment file, 4 KiB to 1 GiB, default 64 MiB. Up to three such files stand beyond what is written.
    /// A single group that needs more gets a segment of its own size.
    pub segment_bytes: u64,
    /// Who makes spare segments; by default a thread.
    pub preparation: Preparation,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, preparation: Preparation::Background }
    }
}

/// The journal could not be opened. Damage is not an error but an [`Outcome`](crate::Outcome).
#[derive(Debug, Error)]
pub enum OpenError {
    /// The configured segment size is out of range.
    #[error("a segment of {0} bytes is not possible: choose 4096 to 1073741824")]
    SegmentBytes(u64),
    /// The operating system refused.
    #[error("the journal's files cannot be read or made durable: {0}; check the disk and the permissions")]
    Io(#[from] io::Error),
}

/// Nothing was acknowledged.
#[derive(Debug, Error)]
pub enum AppendError {
    /// There is no epoch to write in: the journal is fresh or damaged.
    #[error("the journal has no epoch to write in: start one")]
    NoEpoch,
    /// A group needs at least one record.
    #[error("a group needs at least one record")]
    Empty,
    /// A body over 1 MiB, or a group over 32 MiB. Nothing was written.
    #[error("a record of at most 1 MiB and a group of at most 32 MiB can be written, this has {bytes} bytes")]
    TooLarge {
        /// Bytes of the body or of the whole group.
        bytes: u64,
    },
    /// There is no room, or the write failed. The group and its numbers are as if never used; append again later.
    #[error("the group could not be written and was discarded: {0}; free some disk space")]
    NoSpace(#[source] io::Error),
    /// A sync failed: whether the group is on disk is unknown. Answer nobody and end the process; the next open
    /// tells. Every later append is refused.
    #[error("the disk did not confirm the write, its outcome is unknown: {0}; stop and start again")]
    SyncFailed(#[source] io::Error),
    /// Refused because of an earlier [`AppendError::SyncFailed`]. Nothing was written.
    #[error("an earlier write has an unknown outcome: stop and start again")]
    Poisoned,
}

/// What became durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The first record's position; the others follow it.
    pub first: Position,
    /// Where each record starts.
    pub locators: Vec<Locator>,
    /// Each record's hash.
    pub hashes: Vec<Digest>,
    /// The new end of the journal.
    pub head: Head,
}

/// How the journal is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Whether the reserve stands: with it, [`Room::Reserve`] appends can roll once more on a full disk.
    pub spare_ready: bool,
    /// How many spare segments stand ready, at most 2. Ordinary appends leave the last one.
    pub spares: usize,
    /// Whether a sync failed: the process must end.
    pub poisoned: bool,
    /// Bytes that can still be written to the file system.
    pub free_bytes: u64,
    /// Segment files of all epochs, without spares.
    pub segments: u64,
    /// Bytes of those files.
    pub bytes: u64,
}

/// An open journal. There must be only one at a time; the caller holds a lock on the data folder.
pub struct Journal<S: Storage> {
    storage: S,
    spares: Spares<S>,
    segment_bytes: u64,
    active: Option<Active<S::File>>,
    published: Arc<Published>,
    next_ordinal: u16,
    stop_seal: bool,
    poisoned: bool,
    segments: u64,
    bytes: u64,
    buffer: Vec<u8>,
}

impl<S: Storage> Journal<S> {
    /// Opens what is there, mends a torn tail, and makes durable what it found.
    ///
    /// `evidence` is what others saw as durable (checkpoint, views, cloud); a clean-stop seal is found by itself.
    /// Only evidence for the newest epoch counts, and evidence for an epoch that is not there.
    ///
    /// # Errors
    /// [`OpenError`] when the operating system refuses. Damage is reported in [`Opened`].
    pub fn open(storage: S, options: Options, evidence: &[Evidence]) -> Result<(Self, Opened), OpenError> {
        let Options { segment_bytes, preparation } = options;
        if !(MIN_SEGMENT_BYTES..=MAX_SEGMENT_BYTES).contains(&segment_bytes) {
            return Err(OpenError::SegmentBytes(segment_bytes));
        }
        let (active, opened) = recovery::recover(&storage, evidence)?;
        let spares = Spares::open(storage.clone(), segment_bytes, preparation)?;
        let dirs = segment::epoch_dirs(&storage)?;
        let (mut segments, mut bytes) = (0, 0);
        for dir in &dirs {
            for number in dir.segments(&storage)? {
                segments += 1;
                bytes += storage.open(&dir.segment(number), Access::Read)?.len()?;
            }
        }
        let journal = Self {
            spares,
            segment_bytes,
            active,
            published: Arc::default(),
            next_ordinal: dirs.last().map_or(1, |dir| dir.ordinal.saturating_add(1)),
            stop_seal: true,
            poisoned: false,
            segments,
            bytes,
            buffer: Vec::new(),
            storage,
        };
        journal.publish();
        Ok((journal, opened))
    }

    /// The newest durable record of the current epoch.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.active.as_ref().and_then(Active::head)
    }

    /// The position that the next record will have, if it is written at all. `None` while there is no epoch.
    #[must_use]
    pub fn next_position(&self) -> Option<Position> {
        let chain = &self.active.as_ref()?.chain;
        Some(Position { epoch: chain.epoch, seq: chain.next_seq })
    }

    /// The record that the current epoch continues.
    #[must_use]
    pub fn parent(&self) -> Option<Evidence> {
        self.active.as_ref().and_then(|active| active.parent)
    }

    /// A reader that sees what is durable, as soon as it is.
    #[must_use]
    pub fn reader(&self) -> Reader<S> {
        Reader::within(self.storage.clone(), Arc::clone(&self.published))
    }

    /// Makes the next epoch's ordinal higher than `ordinal`: a journal that was put back must not give one again that was
    /// given since.
    pub fn number_epochs_above(&mut self, ordinal: u16) {
        self.next_ordinal = self.next_ordinal.max(ordinal.saturating_add(1));
    }

    /// Starts an epoch with a random id that continues `parent`: the head, a checkpoint, what the cloud has, or
    /// nothing in a new shop. It counts from its first record on: an epoch without one is forgotten by the next open.
    ///
    /// # Errors
    /// As for [`Journal::append`]. The last spare may be used.
    pub fn start_epoch(&mut self, parent: Option<Evidence>) -> Result<EpochId, AppendError> {
        let id = EpochId::random().map_err(AppendError::NoSpace)?;
        self.start_epoch_as(id, parent)?;
        Ok(id)
    }

    /// Like [`Journal::start_epoch`], with an id that the caller chose at random.
    ///
    /// # Errors
    /// As for [`Journal::append`].
    pub fn start_epoch_as(&mut self, id: EpochId, parent: Option<Evidence>) -> Result<(), AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        let dir = EpochDir { ordinal: self.next_ordinal, epoch: id };
        let following = dir.ordinal.checked_add(1).ok_or_else(|| numbers_used_up("epoch"))?;
        self.storage.create_dir(&dir.path()).map_err(AppendError::NoSpace)?;
        self.next_ordinal = following;
        let previous = parent.map_or([0; 32], |parent| parent.hash);
        let chain = Chain { epoch: id, next_seq: 1, previous, group_hash: [0; 32] };
        let header = SegmentHeader { ordinal: dir.ordinal, segment: 1, bytes_before: 0, chain, parent };
        self.take_segment(dir, &header, 0, Room::Reserve)?;
        Ok(())
    }

    /// Writes one group of records, in one write and one sync. When this returns `Ok`, all of it is durable.
    ///
    /// # Errors
    /// Nothing of the group is acknowledged; see [`AppendError`] for what is known of it.
    pub fn append(&mut self, bodies: &[&[u8]], room: Room) -> Result<Appended, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        if bodies.is_empty() {
            return Err(AppendError::Empty);
        }
        if let Some(body) = bodies.iter().find(|body| body.len() > MAX_BODY_BYTES) {
            return Err(AppendError::TooLarge { bytes: body.len() as u64 });
        }
        let bytes = group::disk_bytes(bodies);
        if bytes > MAX_GROUP_BYTES as u64 {
            return Err(AppendError::TooLarge { bytes });
        }
        let active = self.active.as_ref().ok_or(AppendError::NoEpoch)?;
        if active.offset + bytes > active.len {
            let header = SegmentHeader {
                ordinal: active.dir.ordinal,
                segment: active.segment.checked_add(1).ok_or_else(|| numbers_used_up("segment"))?,
                bytes_before: active.bytes,
                chain: active.chain,
                parent: active.parent,
            };
            self.take_segment(active.dir, &header, bytes, room)?;
        }
        self.break_stop_seal()?;
        self.write_group(bodies)
    }

    /// Makes spare segments that are missing, or has them made in the background. An append that needs one tries this by
    /// itself; calling it now and then restores the reserve after a full disk was freed.
    ///
    /// # Errors
    /// What the operating system says; the journal can still be appended to while segments last.
    pub fn prepare(&self) -> io::Result<()> {
        self.spares.prepare()
    }

    /// How the journal is doing.
    ///
    /// # Errors
    /// When the file system's free space cannot be read.
    pub fn condition(&self) -> io::Result<Condition> {
        let spares = self.spares.ready();
        Ok(Condition {
            spare_ready: spares > 0,
            spares,
            poisoned: self.poisoned,
            free_bytes: self.storage.free_bytes()?,
            segments: self.segments,
            bytes: self.bytes,
        })
    }

    /// Stops cleanly: the next open knows that nothing may be missing.
    ///
    /// # Errors
    /// When the seal could not be written. No record is in danger.
    pub fn close(self) -> io::Result<()> {
        match self.head() {
            Some(head) if !self.poisoned => stop::save(&self.storage, &head.evidence()),
            _ => Ok(()),
        }
    }

    fn write_group(&mut self, bodies: &[&[u8]]) -> Result<Appended, AppendError> {
        let active = self.active.as_mut().ok_or(AppendError::NoEpoch)?;
        let (chain, placed) = group::encode(&mut self.buffer, &active.chain, bodies);
        if let Err(error) = active.file.write_at(&self.buffer, active.offset) {
            self.buffer.fill(0);
            let cleared = active.file.write_at(&self.buffer, active.offset);
            let cleared = cleared.and_then(|()| active.file.sync_data());
            self.poisoned = cleared.is_err();
            return Err(cleared.map_or_else(AppendError::SyncFailed, |()| AppendError::NoSpace(error)));
        }
        if let Err(error) = active.file.sync_data() {
            self.poisoned = true;
            return Err(AppendError::SyncFailed(error));
        }
        let first = Position { epoch: chain.epoch, seq: active.chain.next_seq };
        let locator = |offset: usize| active.dir.at(active.segment, active.offset + offset as u64);
        let locators = placed.iter().map(|placed| locator(placed.offset)).collect();
        let hashes = placed.iter().map(|placed| placed.hash).collect();
        active.chain = chain;
        active.offset += self.buffer.len() as u64;
        active.bytes += self.buffer.len() as u64;
        let head = active.head().ok_or(AppendError::NoEpoch)?;
        self.publish();
        Ok(Appended { first, locators, hashes, head })
    }

    /// Puts the next segment in place, with its header durable before its name, and moves to it.
    fn take_segment(
        &mut self,
        dir: EpochDir,
        header: &SegmentHeader,
        group_bytes: u64,
        room: Room,
    ) -> Result<(), AppendError> {
        let needed = SEGMENT_HEADER_BYTES as u64 + group_bytes;
        let (draft, spare) = if needed > self.segment_bytes {
            (self.make_large_segment(needed, room).map_err(AppendError::NoSpace)?, None)
        } else {
            let number = self.spares.lend(room).map_err(AppendError::NoSpace)?;
            (spares::path(number), Some(number))
        };
        let placed = self.place_segment(&draft, dir, header);
        if let Some(number) = spare {
            self.spares.settle(number, !matches!(placed, Err(AppendError::NoSpace(_))));
        }
        let file = placed?;
        let len = file.len().map_err(AppendError::NoSpace)?;
        self.segments += 1;
        self.bytes += len;
        self.active = Some(Active {
            dir,
            file,
            segment: header.segment,
            len,
            offset: SEGMENT_HEADER_BYTES as u64,
            chain: header.chain,
            bytes: header.bytes_before,
            parent: header.parent,
        });
        self.publish();
        Ok(())
    }

    fn place_segment(
        &mut self,
        draft: &str,
        dir: EpochDir,
        header: &SegmentHeader,
    ) -> Result<S::File, AppendError> {
        let file = self.storage.open(draft, Access::ReadWrite).map_err(AppendError::NoSpace)?;
        file.write_at(&header.encode(), 0).map_err(AppendError::NoSpace)?;
        let mut unknown = |error| {
            self.poisoned = true;
            AppendError::SyncFailed(error)
        };
        file.sync_data().map_err(&mut unknown)?;
        match self.storage.rename(draft, &dir.segment(header.segment)) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                return Err(AppendError::NoSpace(error));
            }
            renamed => renamed.map_err(&mut unknown)?,
        }
        let named = self.storage.sync_dir(&dir.path()).and_then(|()| self.storage.sync_dir(JOURNAL_DIR));
        named.map_err(unknown)?;
        Ok(file)
    }

    fn make_large_segment(&self, needed: u64, room: Room) -> io::Result<String> {
        if room == Room::Ordinary && self.spares.ready() == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        absent_is_fine(self.storage.remove(LARGE_DRAFT))?;
        let made = self.storage.create(LARGE_DRAFT, needed).and_then(|file| file.sync_data());
        if let Err(error) = made {
            // A draft is worthless, and on a full disk its space is needed.
            let _ = self.storage.remove(LARGE_DRAFT);
            return Err(error);
        }
        Ok(LARGE_DRAFT.to_owned())
    }

    /// The seal must be gone for good before there is a record that it does not know.
    fn break_stop_seal(&mut self) -> Result<(), AppendError> {
        if self.stop_seal {
            stop::remove(&self.storage).map_err(AppendError::NoSpace)?;
            if let Err(error) = stop::sync(&self.storage) {
                self.poisoned = true;
                return Err(AppendError::SyncFailed(error));
            }
            self.stop_seal = false;
        }
        Ok(())
    }

    fn publish(&self) {
        let tail = self.active.as_ref().map(|active| Tail {
            dir: Some(active.dir),
            segment: active.segment,
            end: active.offset,
            head: active.head(),
        });
        self.published.set(tail.unwrap_or_default());
    }
}

fn numbers_used_up(what: &str) -> AppendError {
    AppendError::NoSpace(io::Error::other(format!("no {what} number is left")))
}
