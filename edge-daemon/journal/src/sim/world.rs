//! The simulated machine: names, files, the clockwork of operations and faults.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::Fault;
use super::dice::Dice;
use super::file::{Change, File};
use crate::storage::folder_of;

#[derive(Debug, Clone)]
pub(super) enum NameChange {
    Folder { path: String },
    File { path: String, inode: usize },
    Renamed { from: String, to: String },
    Removed { path: String },
}

impl NameChange {
    fn folders(&self) -> BTreeSet<String> {
        let paths = match self {
            Self::Folder { path } | Self::File { path, .. } | Self::Removed { path } => vec![path],
            Self::Renamed { from, to } => vec![from, to],
        };
        paths.into_iter().map(|path| folder_of(path).to_owned()).collect()
    }
}

#[derive(Debug, Clone, Default)]
struct Names {
    folders: BTreeSet<String>,
    files: BTreeMap<String, usize>,
}

impl Names {
    fn apply(&mut self, change: &NameChange) -> io::Result<()> {
        let has_folder = |path: &str| folder_of(path).is_empty() || self.folders.contains(folder_of(path));
        match change {
            NameChange::Folder { path } if has_folder(path) => {
                self.folders.insert(path.clone());
            }
            NameChange::File { path, inode } if has_folder(path) => {
                self.files.insert(path.clone(), *inode);
            }
            NameChange::Renamed { from, to } if has_folder(to) => {
                let inode = self.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
                self.files.insert(to.clone(), inode);
            }
            NameChange::Removed { path } => {
                self.files.remove(path).ok_or(io::ErrorKind::NotFound)?;
            }
            _ => return Err(io::ErrorKind::NotFound.into()),
        }
        Ok(())
    }
}

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) operations: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    pub(super) capacity: u64,
    pub(super) dead: bool,
    /// Open files of an earlier process are dead.
    pub(super) boot: u64,
    files: Vec<File>,
    seen: Names,
    durable: Names,
    /// Changes since the folders' last syncs, each with the folders that are still to be synced.
    pending: Vec<(NameChange, BTreeSet<String>)>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            operations: 0,
            faults: BTreeMap::new(),
            capacity: u64::MAX,
            dead: false,
            boot: 0,
            files: Vec::new(),
            seen: Names::default(),
            durable: Names::default(),
            pending: Vec::new(),
        }
    }

    pub(super) fn alive(&self, boot: u64) -> io::Result<()> {
        if self.dead || boot != self.boot { Err(Fault::Death.error()) } else { Ok(()) }
    }

    /// Counts an operation and says what happens instead of it.
    pub(super) fn operation(&mut self) -> io::Result<Option<Fault>> {
        self.alive(self.boot)?;
        let fault = self.faults.remove(&self.operations);
        self.operations += 1;
        self.dead = fault == Some(Fault::Death);
        Ok(fault)
    }

    pub(super) fn cut_power(&mut self) {
        // Of each folder's changes, the first few are kept.
        let mut kept: BTreeMap<String, usize> = BTreeMap::new();
        for folder in self.pending.iter().flat_map(|(_, folders)| folders) {
            *kept.entry(folder.clone()).or_default() += 1;
        }
        kept.values_mut().for_each(|count| *count = self.dice.upto(*count));
        for (change, folders) in self.pending.drain(..) {
            let mut keep = true;
            for folder in &folders {
                if let Some(count) = kept.get_mut(folder) {
                    keep &= *count > 0;
                    *count = count.saturating_sub(1);
                }
            }
            if keep {
                // What it builds on may be lost: then it is lost too.
                let _ = self.durable.apply(&change);
            }
        }
        self.seen = self.durable.clone();
        for file in &mut self.files {
            file.cut_power(&mut self.dice);
        }
    }

    pub(super) fn change_name(&mut self, change: NameChange) -> io::Result<()> {
        self.seen.apply(&change)?;
        let folders = change.folders();
        self.pending.push((change, folders));
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, dir: &str) -> io::Result<()> {
        if !self.is_dir(dir)? {
            return Err(io::ErrorKind::NotFound.into());
        }
        for (change, mut folders) in std::mem::take(&mut self.pending) {
            folders.remove(dir);
            if folders.is_empty() && self.durable.apply(&change).is_err() {
                // The folder itself has not reached its own folder yet.
                folders.insert(folder_of(dir).to_owned());
            }
            if !folders.is_empty() {
                self.pending.push((change, folders));
            }
        }
        Ok(())
    }

    pub(super) fn is_dir(&self, path: &str) -> io::Result<bool> {
        self.alive(self.boot)?;
        Ok(path.is_empty() || self.seen.folders.contains(path))
    }

    pub(super) fn exists(&self, path: &str) -> io::Result<bool> {
        self.alive(self.boot)?;
        Ok(self.seen.files.contains_key(path))
    }

    pub(super) fn inode(&self, path: &str) -> io::Result<usize> {
        self.alive(self.boot)?;
        self.seen.files.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        if !self.is_dir(dir)? {
            return Err(io::ErrorKind::NotFound.into());
        }
        let paths = self.seen.folders.iter().chain(self.seen.files.keys());
        let mut names: Vec<String> = paths
            .filter(|path| folder_of(path) == dir)
            .map(|path| path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name).to_owned())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    pub(super) fn new_inode(&mut self) -> usize {
        self.files.push(File::default());
        self.files.len() - 1
    }

    pub(super) fn file(&mut self, inode: usize) -> io::Result<&mut File> {
        self.files.get_mut(inode).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn lose_changes(&mut self, inode: usize) {
        if let Some(file) = self.files.get_mut(inode) {
            file.lose_changes(&mut self.dice);
        }
    }

    pub(super) fn used(&self) -> u64 {
        let files = self.seen.files.values().filter_map(|inode| self.files.get(*inode));
        files.map(|file| file.cache.len() as u64).sum()
    }

    /// Whether the disk is large enough for a change.
    pub(super) fn room_for(&self, inode: usize, change: &Change) -> bool {
        let has = self.files.get(inode).map_or(0, |file| file.cache.len());
        let grows = change.end().saturating_sub(has) as u64;
        grows == 0 || self.used().saturating_add(grows) <= self.capacity
    }
}
