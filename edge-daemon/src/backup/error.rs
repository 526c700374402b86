//! What can go wrong with a backup.

use std::io;
use std::path::{Path, PathBuf};

use pos_journal::{KeyError, VerifyError};
use thiserror::Error;

/// Nothing was saved or put back; what was there before is untouched, or named.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The target of a backup holds something.
    #[error("{0} is not empty; name a new or an empty folder")]
    NotEmpty(PathBuf),
    /// The target of the keys exists.
    #[error("{0} exists already; name a new file for the keys")]
    Exists(PathBuf),
    /// The keys would lie in the backup.
    #[error("the keys must not lie in the backup's folder {0}; name a file on another medium")]
    KeysInside(PathBuf),
    /// There is nothing to save.
    #[error("{0} holds no journal; is it the right data directory?")]
    NoJournal(PathBuf),
    /// The folder is no backup.
    #[error(
        "{0} holds no complete backup: its manifest.json is missing or cannot be read ({1}); use another one"
    )]
    NoManifest(PathBuf, String),
    /// A file of the backup changed since.
    #[error("{0} of the backup is damaged ({1}); use another backup")]
    FileDiffers(String, &'static str),
    /// The backup ends elsewhere than its manifest says.
    #[error("the backup's journal ends at {found}, its manifest says {expected}; use another backup")]
    OtherHead {
        /// What the manifest says.
        expected: String,
        /// What the files say.
        found: String,
    },
    /// The copy lacks records that were durable when it began.
    #[error(
        "the copy ends at {found}, the journal at {expected}: the journal cannot be read in between; verify it"
    )]
    Short {
        /// What the journal's writer says.
        expected: String,
        /// Where the copy ends.
        found: String,
    },
    /// The journal, or the copy of it, is damaged.
    #[error("{place}: {error}")]
    Damaged {
        /// Which one.
        place: PathBuf,
        /// What is wrong.
        error: VerifyError,
    },
    /// The key file.
    #[error("{place}: {error}")]
    Keys {
        /// Which one.
        place: PathBuf,
        /// What is wrong.
        error: KeyError,
    },
    /// The operating system refused.
    #[error("{place}: {error}; check permissions and free space")]
    Io {
        /// Where.
        place: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// Names the place in an error of the operating system.
pub(super) fn at<T>(place: &Path, result: io::Result<T>) -> Result<T, BackupError> {
    result.map_err(|error| BackupError::Io { place: place.to_owned(), error })
}
