//! [`Storage`] on a real file system.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::storage::{Access, Storage, StorageFile};

/// Zeros are written in pieces of this size,
const FILL_BYTES: usize = 1 << 20;
/// and synced this often, so that a large fill never holds up somebody else's sync for long.
const FILL_SYNC_BYTES: u64 = 4 << 20;

/// A folder of the real file system. Files are readable by their owner only.
#[derive(Debug, Clone)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The folder must exist.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, relative: &str) -> io::Result<PathBuf> {
        let plain = relative.is_empty()
            || relative.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if plain { Ok(self.root.join(relative)) } else { Err(io::Error::from(io::ErrorKind::InvalidInput)) }
    }
}

impl Storage for Disk {
    type File = File;

    fn create_dir(&self, path: &str) -> io::Result<()> {
        match fs::DirBuilder::new().mode(0o700).create(self.path(path)?) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.path(dir)?)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        let mut names = entries.filter_map(Result::transpose).collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn open(&self, path: &str, access: Access) -> io::Result<File> {
        OpenOptions::new().read(true).write(access == Access::ReadWrite).open(self.path(path)?)
    }

    fn create(&self, path: &str, len: u64) -> io::Result<File> {
        let path = self.path(path)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        if len == 0 {
            return Ok(file);
        }
        match fallocate(&file, FallocateFlags::empty(), 0, len) {
            // Not every file system can reserve space; the zeros below do it too, only slower.
            Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
        let zeros = vec![0; FILL_BYTES];
        let mut offset = 0;
        while offset < len {
            let piece = zeros.get(..usize::try_from(len - offset).unwrap_or(FILL_BYTES)).unwrap_or(&zeros);
            file.write_all_at(piece, offset)?;
            offset += piece.len() as u64;
            if offset.is_multiple_of(FILL_SYNC_BYTES) {
                file.sync_data()?;
            }
        }
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from)?, self.path(to)?)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.path(path)?)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        File::open(self.path(dir)?)?.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = statvfs(&self.root)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

impl StorageFile for File {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, into, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_below_its_root_and_fills_with_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path().to_owned());
        for path in ["../x", "/etc/x", "a//b", "a/../../x", "."] {
            assert_eq!(disk.create(path, 1).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path}");
        }
        disk.create_dir("a").unwrap();
        disk.create_dir("a").unwrap();
        let file = disk.create("a/b", 5_000_001).unwrap();
        assert_eq!(file.len().unwrap(), 5_000_001);
        assert_eq!(disk.read_all("a/b", 5_000_001).unwrap(), vec![0; 5_000_001]);
        assert_eq!(disk.read_all("a/b", 5_000_000).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(disk.create("a/b", 1).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        disk.write_atomic("a/b", b"new").unwrap();
        assert_eq!(disk.read_all("a/b", 10).unwrap(), b"new");
        assert_eq!(disk.list("a").unwrap(), ["b"]);
        assert!(disk.free_bytes().unwrap() > 0);
    }
}
