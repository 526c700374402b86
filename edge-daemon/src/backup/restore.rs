//! Putting a backup in place.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use pos_journal::{Disk, KeyError, KeyStore, Report, epochs_begun, verify};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;

use super::Progress;
use super::error::{BackupError, at};
use super::manifest::{Manifest, hex, sync_folder};
use super::save::key_file;
use super::segments;

/// Left in the data directory: the next start begins a new epoch after the record that it names.
pub const RESTORED: &str = "restored.json";

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The newest record of the backup, as `epoch.seq`.
    pub position: String,
    /// Records of the chain.
    pub records: u64,
    /// Where what was in the data directory lies now, if there was anything.
    pub set_aside: Option<PathBuf>,
    /// Where the persons' keys are from.
    pub keys: Keys,
}

/// Where the keys in place are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// They were here, and know who was erased since; what only the backup's knew was added.
    Kept,
    /// From the file that was given.
    Installed {
        /// Persons whom the keys that were here had as erased, and who are erased now too.
        erased_again: usize,
    },
    /// There are none: no person in the backup can be read.
    None,
}

/// Puts the backup in `from` in place of what is below `root`. The caller holds the lock of `root`. What is there is
/// set aside, not deleted. The backup is verified before anything is touched, its copy before it takes the place of what
/// is there; that last step is one rename, so that a power cut leaves either the old journal or the new one.
///
/// # Errors
/// [`BackupError`]; what was in `root` is then where it was, or in the folder `set-aside-N` there.
pub fn restore(
    root: &Path,
    from: &Path,
    keys: Option<&Path>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, BackupError> {
    let manifest = Manifest::load(from)?;
    check_files(from, &manifest, progress)?;
    let report = check_chain(from, &manifest, progress)?;
    let draft = root.join("restoring");
    if draft.exists() {
        // Of a restore that was interrupted; it may hold what that one had replaced.
        at(&draft, fs::rename(&draft, free_folder(root)))?;
    }
    let total = manifest.files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    for file in &manifest.files {
        segments::copy(&from.join(&file.path), &draft.join(&file.path), |bytes| {
            done += bytes;
            progress(Progress::new("copying", done, total));
        })?;
    }
    for folder in segments::folders(&draft, manifest.files.iter().map(|file| file.path.clone())) {
        sync_folder(&folder)?;
    }
    check_chain(&draft, &manifest, progress)?;
    let staged = stage_keys(root, keys)?;
    let set_aside = exchange(root, &draft, &manifest)?;
    let keys = install_keys(root, staged, set_aside.as_deref())?;
    Ok(Restored { position: manifest.position, records: report.records, set_aside, keys })
}

/// Puts the journal in `draft` in place. Returns where the old one went.
fn exchange(root: &Path, draft: &Path, manifest: &Manifest) -> Result<Option<PathBuf>, BackupError> {
    let aside = free_folder(root);
    let old = root.join("journal");
    let anything = ["journal", "views", "checkpoints"].iter().any(|name| root.join(name).exists());
    if anything {
        segments::make_folder(&aside)?;
    }
    // Both are made of the journal and go with it: a checkpoint of another journal would be proof of damage.
    for name in ["views", "checkpoints"].into_iter().filter(|name| root.join(name).exists()) {
        at(&aside, fs::rename(root.join(name), aside.join(name)))?;
    }
    // Before the journal: should the power go now, the old journal opens in a new epoch, which harms nobody.
    let series = at(root, receipt_series_used(root))?;
    let marker = json!({ "parent": manifest.position, "hash": manifest.hash, "seriesUsed": series });
    let path = root.join(RESTORED);
    let written = fs::File::create(&path).and_then(|mut file| {
        writeln!(file, "{marker}")?;
        file.sync_all()
    });
    at(&path, written)?;
    sync_folder(root)?;
    let new = draft.join("journal");
    if old.exists() {
        let swapped = renameat_with(CWD, &new, CWD, &old, RenameFlags::EXCHANGE);
        at(&old, swapped.map_err(std::io::Error::from))?;
        sync_folder(root)?;
        at(&aside, fs::rename(&new, aside.join("journal")))?;
    } else {
        at(&old, fs::rename(&new, &old))?;
    }
    at(draft, fs::remove_dir(draft))?;
    sync_folder(root)?;
    Ok(anything.then_some(aside))
}

/// The highest receipt series that any journal here may have given numbers of: each epoch has one of its own.
fn receipt_series_used(root: &Path) -> std::io::Result<u16> {
    let mut highest = epochs_begun(&Disk::new(root.to_owned()))?;
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("set-aside-")) {
            highest = highest.max(epochs_begun(&Disk::new(root.join(name)))?);
        }
    }
    Ok(highest)
}

/// The first `set-aside-N` that does not exist.
fn free_folder(root: &Path) -> PathBuf {
    let mut number = 1;
    loop {
        let folder = root.join(format!("set-aside-{number}"));
        if !folder.exists() {
            return folder;
        }
        number += 1;
    }
}

fn check_files(
    from: &Path,
    manifest: &Manifest,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), BackupError> {
    let listed = segments::list(from)?;
    let total = manifest.files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    for file in &manifest.files {
        if !listed.iter().any(|segment| segment.path == file.path) {
            return Err(BackupError::FileDiffers(file.path.clone(), "it is missing"));
        }
        let (sha256, bytes) = segments::hash(&from.join(&file.path), |bytes| {
            done += bytes;
            progress(Progress::new("checking", done, total));
        })?;
        if bytes != file.bytes || sha256 != file.sha256 {
            return Err(BackupError::FileDiffers(
                file.path.clone(),
                "its SHA-256 differs from the manifest's",
            ));
        }
    }
    let stray = listed.iter().find(|segment| manifest.files.iter().all(|file| file.path != segment.path));
    match stray {
        Some(segment) => Err(BackupError::FileDiffers(segment.path.clone(), "the manifest does not name it")),
        None => Ok(()),
    }
}

fn check_chain(
    place: &Path,
    manifest: &Manifest,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, BackupError> {
    let report = verify(&Disk::new(place.to_owned()), |at| {
        progress(Progress::new("verifying", at.done, at.total));
    });
    let report = report.map_err(|error| BackupError::Damaged { place: place.to_owned(), error })?;
    let found = report.head.map(|head| (head.position.to_string(), hex(&head.hash)));
    match found {
        Some((position, hash)) if position == manifest.position && hash == manifest.hash => Ok(report),
        other => Err(BackupError::OtherHead {
            expected: manifest.position.clone(),
            found: other.map_or_else(|| "nothing".into(), |(position, _)| position),
        }),
    }
}

/// The given key file, copied to where it can be opened, if it is one.
fn stage_keys(root: &Path, keys: Option<&Path>) -> Result<Option<PathBuf>, BackupError> {
    let Some(file) = keys else {
        return Ok(None);
    };
    let stage = root.join("restoring-keys");
    if stage.exists() {
        at(&stage, fs::remove_dir_all(&stage))?;
    }
    segments::copy(file, &key_file(&stage), |_| {})?;
    match open_keys(&stage) {
        Ok(_) => Ok(Some(stage)),
        Err(error) => {
            at(&stage, fs::remove_dir_all(&stage))?;
            Err(match error {
                BackupError::Keys { error, .. } => BackupError::Keys { place: file.to_owned(), error },
                other => other,
            })
        }
    }
}

fn open_keys(root: &Path) -> Result<KeyStore<Disk>, BackupError> {
    let opened = KeyStore::open(Disk::new(root.to_owned()));
    opened.map_err(|error| BackupError::Keys { place: key_file(root), error })
}

fn install_keys(root: &Path, staged: Option<PathBuf>, aside: Option<&Path>) -> Result<Keys, BackupError> {
    let place = key_file(root);
    let present = match fs::read(&place) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(BackupError::Io { place, error }),
    };
    let Some(stage) = staged else {
        return Ok(if present.is_some() { Keys::Kept } else { Keys::None });
    };
    if present.is_some() && is_same_box(root, &stage)? {
        let file = key_file(&stage);
        let given = at(&file, fs::read(&file))?;
        let merged = open_keys(root)?.merge_keys_from(&given);
        merged.map_err(|error| BackupError::Keys { place, error })?;
        at(&stage, fs::remove_dir_all(&stage))?;
        return Ok(Keys::Kept);
    }
    if let (Some(_), Some(aside)) = (&present, aside) {
        // Another box's: they open only what was set aside with them.
        at(aside, fs::rename(&place, aside.join("persons.keys")))?;
    }
    segments::make_folder(&root.join("keys"))?;
    at(&place, fs::rename(key_file(&stage), &place))?;
    at(&stage, fs::remove_dir_all(&stage))?;
    sync_folder(&root.join("keys"))?;
    let erased_again = match present {
        Some(old) => {
            match open_keys(root)?.merge_tombstones_from(&old) {
                Ok(erased) => erased,
                // Erasures are in the journal too; the next start applies those that it has.
                Err(KeyError::Damaged) => 0,
                Err(error) => return Err(BackupError::Keys { place, error }),
            }
        }
        None => 0,
    };
    Ok(Keys::Installed { erased_again })
}

/// Two key files are of one box if their look-up keys are equal.
fn is_same_box(root: &Path, stage: &Path) -> Result<bool, BackupError> {
    let proof = |keys: KeyStore<Disk>| keys.lookup_hash("same box", "");
    match open_keys(root) {
        Ok(present) => Ok(proof(present) == proof(open_keys(stage)?)),
        // What cannot be opened is no reason to keep it.
        Err(BackupError::Keys { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}
