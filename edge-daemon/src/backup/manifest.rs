//! The list of a backup's files, `manifest.json`, written last.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::error::{BackupError, at};

/// Its name in the backup's folder.
const NAME: &str = "manifest.json";
/// Larger than that of any journal: 64 million MiB.
const MAX_BYTES: u64 = 256 << 20;

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The form of the backup: 1.
    pub format: u32,
    /// The version of the program that made it.
    pub software: String,
    /// The newest record, as `epoch.seq`.
    pub position: String,
    /// Its SHA-256, in hex.
    pub hash: String,
    /// Records of the chain.
    pub records: u64,
    /// Every file but this one.
    pub files: Vec<ManifestFile>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestFile {
    /// Relative to the backup's folder, with `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// [`BackupError::NoManifest`].
    pub fn load(folder: &Path) -> Result<Self, BackupError> {
        let none = |reason: String| BackupError::NoManifest(folder.to_owned(), reason);
        let mut text = Vec::new();
        let file = File::open(folder.join(NAME)).map_err(|error| none(error.to_string()))?;
        file.take(MAX_BYTES).read_to_end(&mut text).map_err(|error| none(error.to_string()))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| none(error.to_string()))?;
        if manifest.format != 1 {
            return Err(none(format!("its form {} is of a newer program", manifest.format)));
        }
        let inside = |file: &ManifestFile| {
            let mut parts = Path::new(&file.path).components();
            parts.next() == Some(Component::Normal("journal".as_ref()))
                && parts.all(|part| matches!(part, Component::Normal(_)))
        };
        if !manifest.files.iter().all(inside) {
            return Err(none("it names files outside the journal".into()));
        }
        Ok(manifest)
    }

    /// Writes it, durably.
    pub(super) fn store(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(NAME);
        let draft = folder.join("manifest.json.tmp");
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other);
        let written = text.and_then(|text| {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)
        });
        at(&path, written)?;
        sync_folder(folder)
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    at(folder, File::open(folder).and_then(|folder| folder.sync_all()))
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
