//! The views: where in the journal a sale, a receipt, a day, a customer's history and a product's movements stand.
//!
//! The journal is the truth; this is an index of it, kept in sled by a thread of its own. What was committed a moment ago
//! is found in the overlay until sled has it. If sled is missing, broken, older than the journal or from another one, it
//! is set aside and made again while the shop sells; until then a key that is not found is [`Found::Unsure`].

mod keys;
mod overlay;
mod rows;
mod tree;
mod worker;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use pos_journal::codec::Entry;
use pos_journal::{Disk, Evidence, Locator, ReadError, Reader, Start};

pub use keys::{
    MOVEMENTS, Put, command, customer, day, made, moves, receipt, sale_first, sale_latest, z_report,
    z_reports,
};
pub use tree::TreeError;

use overlay::Overlay;
use tree::Tree;

/// What a look-up says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There.
    Yes(Box<[u8]>),
    /// Not there.
    No,
    /// Not there yet: the views are still being made.
    Unsure,
}

/// How far the making of the views is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuild {
    /// Records taken in.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

struct Inner {
    folder: PathBuf,
    cache_bytes: u64,
    reader: Reader<Disk>,
    tree: RwLock<Option<Tree>>,
    overlay: Overlay,
    /// While the views are made: fingerprints of all command keys and sale ids of the journal.
    known: RwLock<HashSet<u64>>,
    rebuilding: AtomicBool,
    /// How often sled was given up.
    losses: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
    ticks: AtomicU64,
    trouble: Mutex<Vec<String>>,
}

/// The views. A cheap handle.
#[derive(Clone)]
pub struct Views(Arc<Inner>);

impl Views {
    /// What sled says it goes up to, before the journal is opened: evidence of what was durable. Broken views are set
    /// aside here.
    ///
    /// # Errors
    /// [`TreeError::Io`] if even that is refused.
    pub fn look(folder: PathBuf, cache_bytes: u64) -> Result<Unattached, TreeError> {
        let mut trouble = Vec::new();
        let opened = Tree::open(&folder, cache_bytes);
        let (tree, applied) = match opened.and_then(|tree| Ok((tree.applied()?, tree))) {
            Ok((applied, tree)) => (Some(tree), applied),
            Err(error) => {
                trouble.push(format!("the views were set aside and are made again: {error}"));
                tree::set_aside(&folder)?;
                (None, None)
            }
        };
        Ok(Unattached { folder, cache_bytes, tree, applied, trouble })
    }

    /// Takes committed records in.
    pub fn add<'a>(&self, records: impl Iterator<Item = (&'a Entry, Locator)>, head: Evidence) {
        let (mut puts, mut count) = (Vec::new(), 0);
        for (entry, locator) in records {
            count += 1;
            keys::project(entry, locator, |put| puts.push(put));
        }
        self.0.overlay.add(puts.into_iter(), head, count);
    }

    /// Looks a key up.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Found {
        // Asked before and after: neither may a rebuild end between the two looks, nor one begin.
        let rebuilding = || self.0.rebuilding.load(Ordering::Acquire);
        let was_rebuilding = rebuilding();
        if let Some(value) = self.0.overlay.get(key) {
            return Found::Yes(value);
        }
        let tree = self.0.tree.read().unwrap_or_else(PoisonError::into_inner).clone();
        match tree.map(|tree| tree.get(key)) {
            Some(Ok(Some(value))) => Found::Yes(value),
            Some(Ok(None)) if !was_rebuilding && !rebuilding() => Found::No,
            Some(Ok(None)) | None => Found::Unsure,
            Some(Err(error)) => {
                self.failed(&error);
                Found::Unsure
            }
        }
    }

    /// Looks up a command's key or a sale's records; while the views are made, their fingerprints tell what is certainly
    /// not there.
    #[must_use]
    pub fn get_unique(&self, key: &[u8]) -> Found {
        loop {
            let found = self.get(key);
            if found != Found::Unsure {
                return found;
            }
            let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.contains(&fingerprint(key)) {
                return Found::Unsure;
            }
            if !known.is_empty() {
                return Found::No;
            }
            // Nothing is known: either because the making of the views ended just now, or because it cannot be.
            if self.rebuild().is_some() {
                return Found::Unsure;
            }
        }
    }

    /// Keys from `low` (inclusive) to `high` (exclusive), at most `limit`, in order or from the end.
    ///
    /// # Errors
    /// [`TreeError`] if sled fails or is not open. While the views are made, what is found is not all.
    pub fn scan(&self, low: &[u8], high: &[u8], limit: usize, reverse: bool) -> Result<Vec<Put>, TreeError> {
        if low >= high {
            return Ok(Vec::new());
        }
        let mut found = BTreeMap::new();
        // What is drained between the two looks is found by the second.
        self.0.overlay.scan(low, high, limit, reverse, &mut found);
        let tree = self.0.tree.read().unwrap_or_else(PoisonError::into_inner).clone();
        let tree = tree.ok_or(TreeError::Closed)?;
        let scanned = tree.scan(low, high, limit, reverse, |key, value| {
            found.entry(key).or_insert(value);
        });
        if let Err(error) = scanned {
            self.failed(&error);
            return Err(error);
        }
        Ok(if reverse {
            found.into_iter().rev().take(limit).collect()
        } else {
            found.into_iter().take(limit).collect()
        })
    }

    /// Whether the views are being made again, and how far that is.
    #[must_use]
    pub fn rebuild(&self) -> Option<Rebuild> {
        let inner = &self.0;
        inner.rebuilding.load(Ordering::Acquire).then(|| Rebuild {
            done: inner.done.load(Ordering::Relaxed),
            total: inner.total.load(Ordering::Relaxed),
        })
    }

    /// Changes when sled is given up: what was found by several looks may lack something then.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.0.losses.load(Ordering::Acquire)
    }

    /// Records that sled has not taken in yet.
    #[must_use]
    pub fn lag(&self) -> u64 {
        let behind = self.rebuild().map_or(0, |rebuild| rebuild.total.saturating_sub(rebuild.done));
        self.0.overlay.lag() + behind
    }

    /// Moves while the thread makes progress or has nothing to do.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.0.ticks.load(Ordering::Relaxed)
    }

    /// What went wrong so far, in words.
    #[must_use]
    pub fn trouble(&self) -> Vec<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the thread finish what waits, sync, and end.
    pub fn stop(&self) {
        self.0.overlay.stop();
    }

    /// Gives sled up.
    pub(crate) fn failed(&self, error: &TreeError) {
        let mut trouble = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let words = format!("the views failed: {error}");
        tracing::error!("{words}");
        if trouble.len() < 20 {
            trouble.push(words);
        }
        self.give_up();
    }

    /// The thread sees that the tree is gone and makes it again. Until then nothing that is not found is said to be nowhere.
    fn give_up(&self) {
        self.0.losses.fetch_add(1, Ordering::AcqRel);
        self.0.rebuilding.store(true, Ordering::Release);
        *self.0.tree.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Views that were looked at, not yet told of a journal.
pub struct Unattached {
    folder: PathBuf,
    cache_bytes: u64,
    tree: Option<Tree>,
    /// The record that they go up to.
    pub applied: Option<Evidence>,
    /// What was wrong with them.
    pub trouble: Vec<String>,
}

impl Unattached {
    /// Sets the views aside if they are of another journal, or know more than this one has.
    ///
    /// # Errors
    /// [`TreeError::Io`] if that is refused.
    pub fn of_journal(mut self, reader: &Reader<Disk>) -> Result<Self, TreeError> {
        let Some(applied) = self.applied else { return Ok(self) };
        if matches!(reader.records_from(Start::After(applied.position)), Err(ReadError::UnknownPosition(_))) {
            let words =
                "the views are not of this journal, or ahead of it: they were set aside and are made again";
            tracing::warn!("{words}");
            self.trouble.push(words.into());
            (self.tree, self.applied) = (None, None);
            tree::set_aside(&self.folder)?;
        }
        Ok(self)
    }

    /// Starts the thread that keeps the views, from where they are up to `end`: the journal's newest record, of whichever
    /// epoch. A new epoch has none yet.
    ///
    /// # Errors
    /// [`TreeError`] if not even fresh ones can be made.
    pub fn attach(
        self,
        reader: Reader<Disk>,
        end: Option<Evidence>,
    ) -> Result<(Views, JoinHandle<()>), TreeError> {
        let views = Views(Arc::new(Inner {
            folder: self.folder,
            cache_bytes: self.cache_bytes,
            reader,
            tree: RwLock::new(self.tree),
            overlay: Overlay::default(),
            known: RwLock::default(),
            rebuilding: AtomicBool::new(true),
            losses: AtomicU64::new(0),
            done: AtomicU64::new(0),
            total: AtomicU64::new(end.map_or(0, |end| end.position.seq)),
            ticks: AtomicU64::new(0),
            trouble: Mutex::new(self.trouble),
        }));
        let thread = worker::start(views.clone(), self.applied, end)?;
        Ok((views, thread))
    }
}

/// The first key after all that start with `prefix`.
#[must_use]
pub fn successor(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; 64]
}

fn fingerprint(key: &[u8]) -> u64 {
    // Keys end in sixteen random bytes (a hash, a UUID); the tag before them keeps kinds apart.
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
