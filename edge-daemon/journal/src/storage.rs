//! The only way this crate touches files, small enough to be simulated.
//!
//! The contract is the one of Linux, and no more is relied on:
//! - What was written may be lost, torn or reordered by a power cut until [`StorageFile::sync_data`] returned `Ok`.
//! - A file's name may be lost until [`Storage::sync_dir`] of its folder returned `Ok`.
//! - A failed `sync_data` may have marked lost bytes as clean: a second call that succeeds proves nothing.
//! - What was written survives the process, not the power.

use std::io;

/// How to open a file that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For reading only.
    Read,
    /// For reading and writing.
    ReadWrite,
}

/// A folder tree. Paths are relative to its root, with `/` between parts; the root itself is the empty path.
pub trait Storage: Clone + Send + Sync + 'static {
    /// An open file.
    type File: StorageFile;

    /// Makes a folder; its parent must exist. An existing folder is fine.
    ///
    /// # Errors
    /// What the operating system says.
    fn create_dir(&self, path: &str) -> io::Result<()>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// `NotFound` when there is no such folder.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Opens a file that exists.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn open(&self, path: &str, access: Access) -> io::Result<Self::File>;

    /// Makes a new file of `len` bytes, really filled with zeros, so that writing into it later changes
    /// no metadata. Not synced.
    ///
    /// # Errors
    /// `AlreadyExists`; `StorageFull`, then a partial file may be left.
    fn create(&self, path: &str, len: u64) -> io::Result<Self::File>;

    /// Renames a file atomically, replacing one that is there.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// What the operating system says; the outcome is then unknown.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Bytes that an ordinary user may still write.
    ///
    /// # Errors
    /// What the operating system says.
    fn free_bytes(&self) -> io::Result<u64>;

    /// The whole of a file that has at most `limit` bytes.
    ///
    /// # Errors
    /// `NotFound`; `FileTooLarge` over the limit.
    fn read_all(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let file = self.open(path, Access::Read)?;
        let len = file.len()?;
        if len > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{path}: {len} bytes, at most {limit}"),
            ));
        }
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        let read = read_full(&file, &mut bytes, 0)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Puts a file in place, whole or not at all, durable when this returns.
    ///
    /// # Errors
    /// What the operating system says; the old content, if any, then still stands or the new one does.
    fn write_atomic(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = format!("{path}.tmp");
        absent_is_fine(self.remove(&draft))?;
        let file = self.create(&draft, 0)?;
        let written = file.write_at(bytes, 0).and_then(|()| file.sync_data());
        if let Err(error) = written.and_then(|()| self.rename(&draft, path)) {
            // Only tidiness: a draft that stays is removed by the next attempt.
            let _ = self.remove(&draft);
            return Err(error);
        }
        self.sync_dir(folder_of(path))
    }
}

/// An open file.
pub trait StorageFile: Send + Sync + 'static {
    /// Reads at most `into.len()` bytes from `offset`; 0 at the end of the file.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all bytes at `offset`.
    ///
    /// # Errors
    /// `StorageFull` and what else the operating system says; some of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the file's content and length durable (`fdatasync`).
    ///
    /// # Errors
    /// What the operating system says; the outcome is then unknown.
    fn sync_data(&self) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// What the operating system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// What the operating system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file or extends it with zeros.
    ///
    /// # Errors
    /// What the operating system says.
    fn set_len(&self, len: u64) -> io::Result<()>;
}

/// Fills `into` as far as the file reaches and says how far.
pub(crate) fn read_full(file: &impl StorageFile, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Takes "there was none" as done.
pub(crate) fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The names in a folder, none if there is no folder.
pub(crate) fn list_or_none(storage: &impl Storage, dir: &str) -> io::Result<Vec<String>> {
    match storage.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}
