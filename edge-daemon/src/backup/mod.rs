//! Copies of a store's data, and putting them back.
//!
//! A backup is a folder with the journal's segments and a manifest that is written last: it names the head and the
//! SHA-256 of every file, so a copy that was interrupted is no backup. Views and checkpoints are not in it; they are
//! made again from the journal. The persons' keys never are: they go into a file of their own, kept elsewhere, so that a
//! stolen or forgotten backup tells nothing about anybody.
//!
//! Copying runs beside the writer. Finished segments do not change any more; of the last one the copy holds whole
//! groups only, and is verified like a journal before the manifest is written.

mod error;
mod manifest;
mod restore;
mod save;
mod segments;
#[cfg(test)]
mod tests;

pub use error::BackupError;
pub use manifest::{Manifest, ManifestFile};
pub use restore::{Keys, RESTORED, Restored, restore};
pub use save::{Saved, save};

use serde::{Deserialize, Serialize};

/// How far a long piece of work has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, for people: `copying`, `verifying`.
    pub stage: String,
    /// In the unit of `total`.
    pub done: u64,
    /// Bytes.
    pub total: u64,
}

impl Progress {
    /// So much of a stage is done.
    #[must_use]
    pub fn new(stage: &str, done: u64, total: u64) -> Self {
        Self { stage: stage.to_owned(), done, total }
    }
}
