//! One process has a data directory: an advisory lock (`flock`) on the file `lock` in it, which holds the owner's
//! process number for people to read. The lock goes with the process, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use thiserror::Error;

/// The data directory is ours until this is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "holds the lock while it is open")] File);

/// The data directory cannot be had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another edge-daemon (process {owner}) has {dir}")]
    Taken {
        /// The data directory.
        dir: PathBuf,
        /// The other's process number, as far as it says.
        owner: String,
    },
    /// The operating system refused.
    #[error("cannot use the data directory {dir}: {reason}")]
    Refused {
        /// The data directory.
        dir: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// Takes a data directory, made if need be, readable by its owner only.
///
/// # Errors
/// [`LockError::Taken`] at once if another process has it; there is no waiting.
pub fn take(dir: &Path) -> Result<Lock, LockError> {
    let refused = |reason| LockError::Refused { dir: dir.to_owned(), reason };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(refused)?;
    let path = dir.join("lock");
    let options =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let mut file = options.map_err(refused)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            return Err(LockError::Taken { dir: dir.to_owned(), owner: owner(&mut file) });
        }
        Err(error) => return Err(refused(error.into())),
    }
    let written =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    match written {
        // The number is for people only: a full disk must not keep the shop closed.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
        Err(error) => return Err(refused(error)),
    }
    Ok(Lock(file))
}

fn owner(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    let number = text.trim();
    if read.is_ok() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        number.to_owned()
    } else {
        "of unknown number".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_has_one_owner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("new/data");
        let lock = take(&place).unwrap();
        let error = take(&place).unwrap_err();
        let expected = format!("another edge-daemon (process {}) has ", std::process::id());
        assert!(error.to_string().starts_with(&expected), "{error}");
        drop(lock);
        take(&place).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_had_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let error = take(&dir.path().join("file")).unwrap_err();
        assert!(matches!(&error, LockError::Refused { .. }), "{error}");
    }
}
