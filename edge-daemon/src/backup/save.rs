//! Making a backup, beside a running writer or alone.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use pos_journal::{Disk, FirstBad, Position, Report, VerifyError, verify};
use serde::{Deserialize, Serialize};

use super::Progress;
use super::error::{BackupError, at};
use super::manifest::{Manifest, ManifestFile, hex, sync_folder};
use super::segments::{self, Segment};

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    /// The newest record of the backup, as `epoch.seq`.
    pub position: String,
    /// Records of the chain.
    pub records: u64,
    /// Bytes of its files; most of the last one may be a hole.
    pub bytes: u64,
    /// Whether the persons' keys were saved too.
    pub keys: bool,
}

/// Copies the journal below `root` to the empty folder `to`, and the keys to the new file `keys`. `head` is the newest
/// durable record as the writer tells it, if there is one in this process: the copy must reach it.
///
/// # Errors
/// [`BackupError`]; what was copied so far lies in `to`, without a manifest.
pub fn save(
    root: &Path,
    to: &Path,
    keys: Option<&Path>,
    head: Option<Position>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Saved, BackupError> {
    let listed = segments::list(root)?;
    if listed.is_empty() {
        return Err(BackupError::NoJournal(root.to_owned()));
    }
    // Without a writer to ask, only the whole journal tells where it ends; a damaged one must not become a short copy.
    let head = match head {
        Some(head) => Some(head),
        None => check(root, progress)?.head.map(|head| head.position),
    };
    segments::make_folder(to)?;
    if at(to, std::fs::read_dir(to))?.next().is_some() {
        return Err(BackupError::NotEmpty(to.to_owned()));
    }
    if let Some(keys) = keys {
        check_key_target(to, keys)?;
    }
    let total = listed.iter().map(|segment| segment.bytes).sum();
    let mut done = 0;
    for Segment { path, .. } in &listed {
        segments::copy(&root.join(path), &to.join(path), |bytes| {
            done += bytes;
            progress(Progress::new("copying", done, total));
        })?;
    }
    let report = settle(to, &listed, progress)?;
    let end = report.head.ok_or_else(|| BackupError::NoJournal(root.to_owned()))?;
    if let Some(head) = head.filter(|head| head.epoch != end.position.epoch || head.seq > end.position.seq) {
        return Err(BackupError::Short { expected: head.to_string(), found: end.position.to_string() });
    }
    let mut files = Vec::with_capacity(listed.len());
    let mut hashed = 0;
    for Segment { path, .. } in &listed {
        let (sha256, bytes) = segments::hash(&to.join(path), |bytes| {
            hashed += bytes;
            progress(Progress::new("hashing", hashed, total));
        })?;
        files.push(ManifestFile { path: path.clone(), bytes, sha256 });
    }
    for folder in segments::folders(to, listed.into_iter().map(|segment| segment.path)) {
        sync_folder(&folder)?;
    }
    // After the journal: a key is durable before the record that needs it.
    let saved_keys = match keys {
        Some(file) => save_keys(root, file)?,
        None => false,
    };
    let manifest = Manifest {
        format: 1,
        software: env!("CARGO_PKG_VERSION").into(),
        position: end.position.to_string(),
        hash: hex(&end.hash),
        records: report.records,
        files,
    };
    manifest.store(to)?;
    Ok(Saved { position: manifest.position, records: report.records, bytes: total, keys: saved_keys })
}

fn check(place: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Report, BackupError> {
    let report = verify(&Disk::new(place.to_owned()), |at| {
        progress(Progress::new("verifying", at.done, at.total));
    });
    report.map_err(|error| BackupError::Damaged { place: place.to_owned(), error })
}

/// Takes what was being written while it was copied off the copy's end, and verifies the copy.
fn settle(to: &Path, listed: &[Segment], progress: &mut dyn FnMut(Progress)) -> Result<Report, BackupError> {
    let first = check(to, progress);
    let unfinished = match &first {
        Ok(report) => report.unfinished,
        Err(BackupError::Damaged { error: VerifyError::Damaged(bad), .. }) if is_last(bad, listed) => {
            Some(*bad)
        }
        Err(_) => None,
    };
    let (Some(bad), Some(last)) = (unfinished, listed.last()) else {
        return first;
    };
    // All from here on was written after the backup began; the caller knows what must be there.
    segments::zero_from(&to.join(&last.path), u64::from(bad.at.offset))?;
    check(to, progress)
}

fn is_last(bad: &FirstBad, listed: &[Segment]) -> bool {
    let name = format!("journal/{:04x}-", bad.at.epoch_ordinal);
    let file = format!("/{:08x}.seg", bad.at.segment);
    listed.last().is_some_and(|last| last.path.starts_with(&name) && last.path.ends_with(&file))
}

fn check_key_target(to: &Path, keys: &Path) -> Result<(), BackupError> {
    let folder = keys.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (inside, outside) = (at(to, to.canonicalize())?, at(folder, folder.canonicalize())?);
    if outside.starts_with(&inside) {
        return Err(BackupError::KeysInside(to.to_owned()));
    }
    if keys.exists() {
        return Err(BackupError::Exists(keys.to_owned()));
    }
    Ok(())
}

/// `false`: there are none.
fn save_keys(root: &Path, to: &Path) -> Result<bool, BackupError> {
    let from = key_file(root);
    let bytes = match std::fs::read(&from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        other => at(&from, other)?,
    };
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut file = at(to, options)?;
    at(to, file.write_all(&bytes).and_then(|()| file.sync_all()))?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        sync_folder(folder)?;
    }
    Ok(true)
}

/// Where the keys of a data directory lie.
pub(super) fn key_file(root: &Path) -> PathBuf {
    root.join("keys/persons.keys")
}
