//! A [`Storage`] in memory that forgets as a real machine does. For tests; nothing here runs in a shop.
//!
//! It has two layers. *The page cache* is what programs see; it survives the process. *The platter* is what survives a power
//! cut. Between them stand, per file, the changes since its last sync, and per folder, the names since its last
//! sync. A power cut keeps any of them, drops them, tears them by sectors or bytes, or leaves each sector at a different
//! moment. A failed sync loses changes and yet marks them clean, as Linux does.
//!
//! Every write, sync and change of a name counts as one operation ([`SimDisk::operations`]), and a [`Fault`] can be set
//! to happen at any of them. Everything follows from the seed and the calls.

mod dice;
mod file;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use dice::Dice;
use file::Change;
use world::{NameChange, World};

use crate::storage::{Access, Storage, StorageFile};

/// What happens instead of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process dies; the operation may have been done in part. Every call fails until
    /// [`SimDisk::restart`]. Follow it with [`SimDisk::cut_power`] for a power cut.
    Death,
    /// It fails for want of space; a write may have been done in part, a sync has lost changes.
    NoSpace,
    /// It fails for no good reason; a write may have been done in part, a sync has lost changes.
    Broken,
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::Death => io::Error::other("the process is dead"),
            Self::NoSpace => io::ErrorKind::StorageFull.into(),
            Self::Broken => io::Error::other("the device failed"),
        }
    }
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<World>>);

impl SimDisk {
    /// An empty disk without a limit.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World::new(seed))))
    }

    /// Operations so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.world().operations
    }

    /// Lets the operation with this index, counted from 0 since the beginning, meet a fault.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.world().faults.insert(operation, fault);
    }

    /// Limits the bytes that all files together may have.
    pub fn set_capacity(&self, bytes: u64) {
        self.world().capacity = bytes;
    }

    /// Whether [`Fault::Death`] happened since the last restart.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.world().dead
    }

    /// Ends the process, if a fault has not yet, and starts another on the same machine: what was written is there, synced or
    /// not. Faults that have not happened are forgotten, open files are dead.
    pub fn restart(&self) {
        let mut world = self.world();
        world.dead = false;
        world.boot += 1;
        world.faults = BTreeMap::new();
    }

    /// Cuts the power, and switches it on again.
    pub fn cut_power(&self) {
        self.world().cut_power();
        self.restart();
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rename_something(&self, change: NameChange) -> io::Result<()> {
        let mut world = self.world();
        match world.operation()? {
            None => world.change_name(change),
            Some(fault) => {
                if fault == Fault::Death && world.dice.coin() {
                    // Done, but nobody was told.
                    let _ = world.change_name(change);
                }
                Err(fault.error())
            }
        }
    }
}

impl Storage for SimDisk {
    type File = SimFile;

    fn create_dir(&self, path: &str) -> io::Result<()> {
        if self.world().is_dir(path)? {
            return Ok(());
        }
        self.rename_something(NameChange::Folder { path: path.to_owned() })
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.world().list(dir)
    }

    fn open(&self, path: &str, access: Access) -> io::Result<SimFile> {
        let world = self.world();
        let inode = world.inode(path)?;
        Ok(SimFile { disk: self.clone(), inode, boot: world.boot, writable: access == Access::ReadWrite })
    }

    fn create(&self, path: &str, len: u64) -> io::Result<SimFile> {
        if self.world().exists(path)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = self.world().new_inode();
        self.rename_something(NameChange::File { path: path.to_owned(), inode })?;
        let file = SimFile { disk: self.clone(), inode, boot: self.world().boot, writable: true };
        if len > 0 {
            file.write_at(&vec![0; usize::try_from(len).map_err(io::Error::other)?], 0)?;
        }
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.world().inode(from)?;
        self.rename_something(NameChange::Renamed { from: from.to_owned(), to: to.to_owned() })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.world().inode(path)?;
        self.rename_something(NameChange::Removed { path: path.to_owned() })
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut world = self.world();
        match world.operation()? {
            None => world.sync_dir(dir),
            Some(fault) => Err(fault.error()),
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let world = self.world();
        Ok(world.capacity.saturating_sub(world.used()))
    }
}

/// An open file on a [`SimDisk`].
pub struct SimFile {
    disk: SimDisk,
    inode: usize,
    boot: u64,
    writable: bool,
}

impl SimFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut world = self.disk.world();
        world.alive(self.boot)?;
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let fault = world.operation()?;
        let room = world.room_for(self.inode, &change);
        let fault = fault.or((!room).then_some(Fault::NoSpace));
        let change = match fault {
            None => Some(change),
            Some(_) => change.part(&mut world.dice),
        };
        if let Some(change) = change.filter(|change| world.room_for(self.inode, change)) {
            world.file(self.inode)?.change(change);
        }
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }
}

impl StorageFile for SimFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        world.alive(self.boot)?;
        let file = world.file(self.inode)?;
        let rest =
            usize::try_from(offset).ok().and_then(|offset| file.cache.get(offset..)).unwrap_or_default();
        let length = rest.len().min(into.len());
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(Change::Write { offset, bytes: bytes.to_vec() })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut world = self.disk.world();
        world.alive(self.boot)?;
        match world.operation()? {
            None => world.file(self.inode)?.sync(),
            Some(Fault::Death) => return Err(Fault::Death.error()),
            Some(fault) => {
                world.lose_changes(self.inode);
                return Err(fault.error());
            }
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let mut world = self.disk.world();
        world.alive(self.boot)?;
        Ok(world.file(self.inode)?.cache.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(usize::try_from(len).map_err(io::Error::other)?))
    }
}
