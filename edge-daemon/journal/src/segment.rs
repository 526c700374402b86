//! Names and numbering of the journal's files.
//!
//! | path | what |
//! |------|------|
//! | `journal/EEEE-<epoch>/SSSSSSSS.seg` | segment `SSSSSSSS` (8 hex digits, from 1) of the epoch with ordinal `EEEE` (4 hex digits, from 1) and id `<epoch>` (16 hex digits) |
//! | `journal/spare-N.seg` | a zero-filled segment in waiting, see [`Condition`](crate::Condition) |
//! | `journal/stop.seal` | the clean stop, see [`Outcome::SealedStop`](crate::Outcome) |
//! | `journal/torn/…` | bytes of groups that a crash left unfinished, kept for people to look at |
//! | `….tmp` | a file being made; worthless after a crash |

use std::io;

use crate::flaw::{FirstBad, Reason};
use crate::layout::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::position::{EpochId, Locator};
use crate::storage::{Access, Storage, StorageFile, list_or_none, read_full};

pub(crate) const JOURNAL_DIR: &str = "journal";
pub(crate) const TORN_DIR: &str = "journal/torn";

/// An epoch's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EpochDir {
    pub(crate) ordinal: u16,
    pub(crate) epoch: EpochId,
}

impl EpochDir {
    pub(crate) fn path(self) -> String {
        format!("{JOURNAL_DIR}/{:04x}-{}", self.ordinal, self.epoch)
    }

    pub(crate) fn segment(self, number: u32) -> String {
        format!("{}/{number:08x}.seg", self.path())
    }

    pub(crate) fn at(self, segment: u32, offset: u64) -> Locator {
        Locator { epoch_ordinal: self.ordinal, segment, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    fn parse(name: &str) -> Option<Self> {
        let (ordinal, epoch) = name.split_once('-')?;
        let dir = Self { ordinal: u16::from_str_radix(ordinal, 16).ok()?, epoch: epoch.parse().ok()? };
        (dir.path().strip_prefix(JOURNAL_DIR)?.strip_prefix('/')? == name).then_some(dir)
    }

    /// The numbers of the segments that are there, ascending.
    pub(crate) fn segments(self, storage: &impl Storage) -> io::Result<Vec<u32>> {
        let names = list_or_none(storage, &self.path())?;
        let number = |name: &String| {
            let number = u32::from_str_radix(name.strip_suffix(".seg")?, 16).ok()?;
            (format!("{number:08x}.seg") == *name).then_some(number)
        };
        let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// The folders of all epochs, oldest first. Those without a segment never came to be and are left out.
pub(crate) fn epochs(storage: &impl Storage) -> io::Result<Vec<EpochDir>> {
    let mut dirs = Vec::new();
    for dir in epoch_dirs(storage)? {
        if !dir.segments(storage)?.is_empty() {
            dirs.push(dir);
        }
    }
    Ok(dirs)
}

/// The folders of all epochs, oldest first, empty ones too.
pub(crate) fn epoch_dirs(storage: &impl Storage) -> io::Result<Vec<EpochDir>> {
    let names = list_or_none(storage, JOURNAL_DIR)?;
    let mut dirs: Vec<EpochDir> = names.iter().filter_map(|name| EpochDir::parse(name)).collect();
    dirs.sort_unstable();
    Ok(dirs)
}

/// How many epochs were ever begun in this journal, whether anything came of them or not.
///
/// # Errors
/// When the folder cannot be read.
pub fn epochs_begun(storage: &impl Storage) -> io::Result<u16> {
    Ok(epoch_dirs(storage)?.last().map_or(0, |dir| dir.ordinal))
}

/// Opens a segment and reads its header. The inner error says that the segment is damaged.
pub(crate) fn open<S: Storage>(
    storage: &S,
    dir: EpochDir,
    number: u32,
    access: Access,
) -> io::Result<Result<(S::File, SegmentHeader), FirstBad>> {
    let bad = |reason| Ok(Err(FirstBad { at: dir.at(number, 0), reason }));
    let file = match storage.open(&dir.segment(number), access) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return bad(Reason::SegmentMissing),
        Err(error) => return Err(error),
    };
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    read_full(&file, &mut bytes, 0)?;
    let Some(header) = SegmentHeader::decode(&bytes) else {
        return bad(Reason::SegmentHeader);
    };
    let in_place =
        header.ordinal == dir.ordinal && header.segment == number && header.chain.epoch == dir.epoch;
    // Offsets are 32 bits wide everywhere.
    if !in_place || header.chain.next_seq == 0 || file.len()? > u64::from(u32::MAX) {
        return bad(Reason::SegmentChain);
    }
    Ok(Ok((file, header)))
}
