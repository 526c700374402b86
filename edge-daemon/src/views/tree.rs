//! sled, held at arm's length: it may refuse to open, panic or fail at any time, and then it is set aside. What it holds
//! can be made again from the journal.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use pos_journal::{EpochId, Evidence, Position};
use thiserror::Error;

use super::keys::{APPLIED, FORM, FORM_KEY};
use super::rows::{self, Row, has_rows, row_of};

/// Why sled cannot be used.
#[derive(Debug, Error)]
pub enum TreeError {
    /// It says so.
    #[error("sled failed: {0}")]
    Sled(#[from] sled::Error),
    /// It panicked.
    #[error("sled panicked")]
    Panicked,
    /// It was set aside and there is no other yet.
    #[error("sled is not open")]
    Closed,
    /// The file system refused.
    #[error("the views' folder cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// What it says about itself makes no sense, or is of another version.
    #[error("sled holds something else than this version's views")]
    Nonsense,
}

/// An open tree.
#[derive(Clone)]
pub(super) struct Tree {
    db: sled::Db,
    folder: PathBuf,
}

/// Runs `work`; a panic becomes an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, TreeError>) -> Result<T, TreeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(TreeError::Panicked))
}

impl Tree {
    /// Opens the tree in `folder`, making it if need be.
    pub(super) fn open(folder: &Path, cache_bytes: u64) -> Result<Self, TreeError> {
        guarded(|| {
            let config = sled::Config::new()
                .path(folder)
                .cache_capacity(cache_bytes)
                .segment_size(2 << 20)
                .mode(sled::Mode::HighThroughput)
                .flush_every_ms(None);
            let db = config.open()?;
            if db.is_empty() {
                db.insert(FORM_KEY, FORM)?;
            }
            if db.get(FORM_KEY)?.as_deref() != Some(FORM) {
                return Err(TreeError::Nonsense);
            }
            // sled writes this once and never syncs it; empty, it costs a rebuild.
            File::open(folder.join("conf"))?.sync_all()?;
            let tree = Self { db, folder: folder.to_owned() };
            tree.applied()?;
            Ok(tree)
        })
    }

    /// The record up to which the tree goes.
    pub(super) fn applied(&self) -> Result<Option<Evidence>, TreeError> {
        let Some(value) = self.get(APPLIED)? else { return Ok(None) };
        decode_evidence(&value).map(Some).ok_or(TreeError::Nonsense)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Box<[u8]>>, TreeError> {
        guarded(|| {
            let own = |key: &[u8]| Ok(self.db.get(key)?.map(|value| value.as_ref().into()));
            let Some(row) = row_of(key) else { return own(key) };
            let Some(bytes) = self.db.get(row)? else { return Ok(None) };
            match rows::find(&bytes, key) {
                Some(value) => Ok(Some(value.into())),
                None if rows::is_full(&bytes) => own(&rows::alone(key)),
                None => Ok(None),
            }
        })
    }

    fn row(&self, row: &[u8]) -> Result<Row, TreeError> {
        let bytes = self.db.get(row)?;
        Row::decode(row, bytes.as_deref().unwrap_or_default()).ok_or(TreeError::Nonsense)
    }

    /// Keys of one kind from `low` (inclusive) to `high` (exclusive) in order, or from the end.
    pub(super) fn scan(
        &self,
        low: &[u8],
        high: &[u8],
        limit: usize,
        reverse: bool,
        mut found: impl FnMut(Box<[u8]>, Box<[u8]>),
    ) -> Result<(), TreeError> {
        guarded(|| {
            let from = row_of(low).unwrap_or_else(|| low.to_vec());
            let range = self.db.range(from.as_slice()..high);
            let range: Box<dyn Iterator<Item = _>> =
                if reverse { Box::new(range.rev()) } else { Box::new(range) };
            let mut left = limit;
            for item in range {
                let (key, value) = item?;
                let mut keys = match has_rows(&key) {
                    true => Row::decode(&key, &value).ok_or(TreeError::Nonsense)?.into_keys().collect(),
                    false => vec![(key.as_ref().into(), value.as_ref().into())],
                };
                keys.retain(|(key, _): &(Box<[u8]>, _)| **key >= *low && **key < *high);
                if reverse {
                    keys.reverse();
                }
                keys.truncate(left);
                left -= keys.len();
                keys.into_iter().for_each(|(key, value)| found(key, value));
                if left == 0 {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Writes keys, ascending. Not as one of sled's batches: while it applies one, nobody can look anything up, and the
    /// writer would wait. Keys that are taken in by half are taken in again, for the position is written after them.
    pub(super) fn apply<'a>(
        &self,
        puts: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), TreeError> {
        guarded(|| {
            let mut open: Option<Row> = None;
            for (key, value) in puts {
                let Some(row) = row_of(key) else {
                    self.db.insert(key, value)?;
                    continue;
                };
                if open.as_ref().is_none_or(|open| open.key() != row) {
                    let next = self.row(&row)?;
                    if let Some(done) = open.replace(next) {
                        self.db.insert(done.key(), done.encode())?;
                    }
                }
                if open.as_mut().is_some_and(|open| !open.put(key, value)) {
                    self.db.insert(rows::alone(key), value)?;
                }
            }
            if let Some(done) = open {
                self.db.insert(done.key(), done.encode())?;
            }
            Ok(())
        })
    }

    /// Makes what was applied durable, and only then says that it goes up to `upto`. sled's own flush ends in
    /// `sync_file_range`, which promises nothing after a power cut, so its file and folder are synced here.
    pub(super) fn sync(&self, upto: Option<Evidence>) -> Result<(), TreeError> {
        guarded(|| {
            self.flush()?;
            if let Some(evidence) = upto {
                self.db.insert(APPLIED, encode_evidence(evidence).as_slice())?;
            }
            Ok(())
        })
    }

    /// As [`Tree::sync`], and the position is durable, too.
    pub(super) fn close(&self, upto: Option<Evidence>) -> Result<(), TreeError> {
        self.sync(upto)?;
        guarded(|| self.flush())
    }

    fn flush(&self) -> Result<(), TreeError> {
        self.db.flush()?;
        File::open(self.folder.join("db"))?.sync_data()?;
        File::open(&self.folder)?.sync_all()?;
        Ok(())
    }
}

fn encode_evidence(evidence: Evidence) -> [u8; 48] {
    let mut bytes = [0; 48];
    let (epoch, rest) = bytes.split_at_mut(8);
    let (seq, hash) = rest.split_at_mut(8);
    epoch.copy_from_slice(&evidence.position.epoch.0.to_be_bytes());
    seq.copy_from_slice(&evidence.position.seq.to_be_bytes());
    hash.copy_from_slice(&evidence.hash);
    bytes
}

fn decode_evidence(bytes: &[u8]) -> Option<Evidence> {
    let (epoch, rest) = bytes.split_first_chunk::<8>()?;
    let (seq, hash) = rest.split_first_chunk::<8>()?;
    let position = Position { epoch: EpochId(u64::from_be_bytes(*epoch)), seq: u64::from_be_bytes(*seq) };
    Some(Evidence { position, hash: hash.try_into().ok()? })
}

/// Moves a folder that cannot be used out of the way, keeping the newest one for whoever wants to look.
pub(super) fn set_aside(folder: &Path) -> Result<(), TreeError> {
    let aside = folder.with_extension("set-aside");
    if aside.exists() {
        std::fs::remove_dir_all(&aside)?;
    }
    if folder.is_dir() {
        std::fs::rename(folder, &aside)?;
    } else if folder.exists() {
        std::fs::remove_file(folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_sled_is_an_error_like_any_other() {
        let outcome: Result<(), TreeError> =
            guarded(|| panic!("as sled does on a file that it cannot make sense of"));
        assert!(matches!(outcome, Err(TreeError::Panicked)), "{outcome:?}");
    }

    #[test]
    fn keys_in_rows_are_found_and_scanned_like_any_others() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::open(folder.path(), 8 << 20).unwrap();
        let key = |n: u32| [b"m\0\0\0\0\0\x01".as_slice(), &(n * 1000).to_be_bytes()].concat();
        for half in [(0..60).step_by(2), (1..60).step_by(2)] {
            let keys: Vec<_> = half.map(|n| (key(n), n.to_string())).collect();
            // Twice is once.
            for _ in 0..2 {
                tree.apply(keys.iter().map(|(key, value)| (key.as_slice(), value.as_bytes()))).unwrap();
            }
        }
        let scan = |low: &[u8], high: &[u8], limit, reverse| {
            let mut found = Vec::new();
            tree.scan(low, high, limit, reverse, |_, value| {
                found.push(String::from_utf8(value.into()).unwrap())
            })
            .unwrap();
            found
        };
        let names =
            |numbers: &mut dyn Iterator<Item = u32>| numbers.map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(scan(b"m", b"n", 99, false), names(&mut (0..60)));
        assert_eq!(scan(&key(7), &key(55), 30, false), names(&mut (7..37)));
        assert_eq!(scan(&key(7), &key(55), 30, true), names(&mut (25..55).rev()));
        assert_eq!(tree.get(&key(33)).unwrap().as_deref(), Some(b"33".as_slice()));
        assert_eq!(tree.get(&[key(33), vec![0]].concat()).unwrap().as_deref(), None);
    }

    #[test]
    fn more_ids_of_one_instant_than_a_row_holds_are_all_found() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::open(folder.path(), 8 << 20).unwrap();
        let key = |n: u32| [b"kAAAAAAAAAAAA".as_slice(), &n.to_be_bytes()].concat();
        for part in 0..4 {
            let keys: Vec<_> = (part * 300..part * 300 + 300).map(|n| (key(n), n.to_string())).collect();
            tree.apply(keys.iter().map(|(key, value)| (key.as_slice(), value.as_bytes()))).unwrap();
        }
        for n in 0..1200 {
            assert_eq!(tree.get(&key(n)).unwrap().as_deref(), Some(n.to_string().as_bytes()), "{n}");
        }
        assert_eq!(tree.get(&key(1200)).unwrap(), None);
    }

    #[test]
    fn a_tree_of_another_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::open(folder.path(), 8 << 20).unwrap();
        tree.db.insert(FORM_KEY, b"1").unwrap();
        drop(tree);
        // sled's own threads give its lock back a moment later.
        let begun = std::time::Instant::now();
        let refused = loop {
            match Tree::open(folder.path(), 8 << 20).map(drop) {
                Err(TreeError::Sled(_)) if begun.elapsed().as_secs() < 30 => std::thread::yield_now(),
                other => break other,
            }
        };
        assert!(matches!(refused, Err(TreeError::Nonsense)), "{refused:?}");
    }
}
