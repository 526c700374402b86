//! Listing and copying segments.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::{BackupError, at};
use super::manifest::hex;

/// Copied at once; zeros of this length are left out of the copy as holes.
const BLOCK: usize = 64 << 10;

/// A segment of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// `journal/EEEE-<epoch>/SSSSSSSS.seg`
    pub(super) path: String,
    pub(super) bytes: u64,
}

/// The segments below a data directory, in the journal's order. Spares and copies of torn groups are none.
pub(super) fn list(root: &Path) -> Result<Vec<Segment>, BackupError> {
    let journal = root.join("journal");
    let mut segments = Vec::new();
    for epoch in names(&journal)? {
        let folder = journal.join(&epoch);
        let numbered = epoch.split_once('-').is_some_and(|(ordinal, _)| ordinal.len() == 4);
        if !numbered || !folder.is_dir() {
            continue;
        }
        for name in names(&folder)?.into_iter().filter(|name| name.ends_with(".seg")) {
            let bytes = at(&folder, fs::metadata(folder.join(&name)))?.len();
            segments.push(Segment { path: format!("journal/{epoch}/{name}"), bytes });
        }
    }
    Ok(segments)
}

fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => at(folder, other)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(at(folder, entry)?.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// Copies a file, made readable by its owner only, and makes it durable. `copied` hears of each piece.
pub(super) fn copy(from: &Path, to: &Path, mut copied: impl FnMut(u64)) -> Result<(), BackupError> {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    let mut source = at(from, File::open(from))?;
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let target = at(to, options)?;
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    loop {
        let read = at(from, read_block(&mut source, &mut block))?;
        let piece = block.get(..read).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        if piece.iter().any(|byte| *byte != 0) {
            at(to, target.write_all_at(piece, offset))?;
        }
        offset += piece.len() as u64;
        copied(piece.len() as u64);
    }
    at(to, target.set_len(offset).and_then(|()| target.sync_all()))
}

/// The SHA-256 of a file, in hex, and its length. `done` hears of each piece.
pub(super) fn hash(path: &Path, mut done: impl FnMut(u64)) -> Result<(String, u64), BackupError> {
    let mut file = at(path, File::open(path))?;
    let mut block = vec![0; BLOCK];
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    loop {
        let read = at(path, read_block(&mut file, &mut block))?;
        if read == 0 {
            return Ok((hex(&digest.finalize()), bytes));
        }
        digest.update(block.get(..read).unwrap_or_default());
        bytes += read as u64;
        done(read as u64);
    }
}

/// Puts zeros from `offset` to the end of a file, by cutting and extending it.
pub(super) fn zero_from(path: &Path, offset: u64) -> Result<(), BackupError> {
    let zeroed = OpenOptions::new().write(true).open(path).and_then(|file| {
        let bytes = file.metadata()?.len();
        file.set_len(offset.min(bytes))?;
        file.set_len(bytes)?;
        file.sync_all()
    });
    at(path, zeroed)
}

/// Makes a folder and those above it, for the owner only.
pub(super) fn make_folder(folder: &Path) -> Result<(), BackupError> {
    at(folder, fs::DirBuilder::new().recursive(true).mode(0o700).create(folder))
}

/// Every folder that holds one of these files, and the root: what must be synced for the names to be durable.
pub(super) fn folders(root: &Path, paths: impl Iterator<Item = String>) -> Vec<PathBuf> {
    let mut folders = vec![root.to_owned(), root.join("journal")];
    for path in paths {
        if let Some(folder) =
            root.join(path).parent().filter(|folder| folders.last().is_none_or(|l| l != folder))
        {
            folders.push(folder.to_owned());
        }
    }
    folders
}

fn read_block(file: &mut File, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
