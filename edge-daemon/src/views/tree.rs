//! sled, held at arm's length: it may refuse to open, panic or fail at any time, and then it is set aside. What it holds
//! can be made again from the journal.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use pos_journal::{EpochId, Evidence, Position};
use thiserror::Error;

use super::keys::APPLIED;

/// Why sled cannot be used.
#[derive(Debug, Error)]
pub enum TreeError {
    /// It says so.
    #[error("sled failed: {0}")]
    Sled(#[from] sled::Error),
    /// It panicked.
    #[error("sled panicked")]
    Panicked,
    /// The file system refused.
    #[error("the views' folder cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// What it says about itself makes no sense.
    #[error("sled holds an unreadable position")]
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
            let tree = Self { db: config.open()?, folder: folder.to_owned() };
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
        guarded(|| Ok(self.db.get(key)?.map(|value| value.as_ref().into())))
    }

    /// Keys from `low` (inclusive) to `high` (exclusive) in order, or from the end.
    pub(super) fn scan(
        &self,
        low: &[u8],
        high: &[u8],
        limit: usize,
        reverse: bool,
        mut found: impl FnMut(Box<[u8]>, Box<[u8]>),
    ) -> Result<(), TreeError> {
        guarded(|| {
            let range = self.db.range(low..high);
            let range: Box<dyn Iterator<Item = _>> =
                if reverse { Box::new(range.rev()) } else { Box::new(range) };
            for item in range.take(limit) {
                let (key, value) = item?;
                found(key.as_ref().into(), value.as_ref().into());
            }
            Ok(())
        })
    }

    /// Writes keys and the position they go up to, all or none.
    pub(super) fn apply<'a>(
        &self,
        puts: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        upto: Option<Evidence>,
    ) -> Result<(), TreeError> {
        guarded(|| {
            let mut batch = sled::Batch::default();
            for (key, value) in puts {
                batch.insert(key, value);
            }
            if let Some(evidence) = upto {
                batch.insert(APPLIED, encode_evidence(evidence).as_slice());
            }
            self.db.apply_batch(batch)?;
            Ok(())
        })
    }

    /// Makes what was applied durable. sled's own flush ends in `sync_file_range`, which promises nothing after a power
    /// cut, so its file and folder are synced here.
    pub(super) fn sync(&self) -> Result<(), TreeError> {
        guarded(|| {
            self.db.flush()?;
            File::open(self.folder.join("db"))?.sync_data()?;
            File::open(&self.folder)?.sync_all()?;
            Ok(())
        })
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
