//! Segments made ahead: zero-filled, synced and named, so that rolling to one costs a header and a rename.
//!
//! Up to two stand ready. Ordinary appends take one only while another stays: **the last spare is the reserve**
//! that lets a shop close its day on a full disk.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::segment::JOURNAL_DIR;
use crate::storage::{Access, Storage, StorageFile, absent_is_fine};

const SPARES: usize = 2;
/// Where a segment for one outsize group is made.
pub(crate) const LARGE_DRAFT: &str = "journal/large.tmp";

/// Who makes spare segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// A thread, as soon as one is missing.
    Background,
    /// The caller, in [`Journal::prepare`](crate::Journal::prepare) and when an append finds none. No thread: what
    /// happens depends on the calls alone.
    Inline,
}

/// What an append may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// All but the last spare segment.
    Ordinary,
    /// The last spare segment too: for what lets the shop close.
    Reserve,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Empty,
    Ready,
    Lent,
}

struct Stock {
    slots: [Slot; SPARES],
    wanted: bool,
    stop: bool,
    failure: Option<io::Error>,
}

impl Stock {
    fn count(&self, state: Slot) -> usize {
        self.slots.iter().filter(|slot| **slot == state).count()
    }

    fn find(&self, state: Slot) -> Option<usize> {
        self.slots.iter().position(|slot| *slot == state)
    }

    fn set(&mut self, number: usize, state: Slot) {
        if let Some(slot) = self.slots.get_mut(number) {
            *slot = state;
        }
    }
}

struct Shared<S> {
    storage: S,
    segment_bytes: u64,
    stock: Mutex<Stock>,
    changed: Condvar,
}

pub(crate) struct Spares<S: Storage> {
    shared: Arc<Shared<S>>,
    worker: Option<JoinHandle<()>>,
}

pub(crate) fn path(number: usize) -> String {
    format!("{JOURNAL_DIR}/spare-{number}.seg")
}

impl<S: Storage> Spares<S> {
    /// Takes over the spares that are there. Their content needs no look: it was synced before they got their names.
    pub(crate) fn open(storage: S, segment_bytes: u64, preparation: Preparation) -> io::Result<Self> {
        let mut slots = [Slot::Empty; SPARES];
        for (number, slot) in slots.iter_mut().enumerate() {
            match storage.open(&path(number), Access::Read) {
                Ok(file) if file.len()? == segment_bytes => *slot = Slot::Ready,
                Ok(_) => storage.remove(&path(number))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        absent_is_fine(storage.remove(LARGE_DRAFT))?;
        let stock = Stock { slots, wanted: true, stop: false, failure: None };
        let shared =
            Arc::new(Shared { storage, segment_bytes, stock: Mutex::new(stock), changed: Condvar::new() });
        let worker = match preparation {
            Preparation::Inline => None,
            Preparation::Background => {
                let shared = Arc::clone(&shared);
                Some(thread::Builder::new().name("journal-spares".into()).spawn(move || shared.work())?)
            }
        };
        Ok(Self { shared, worker })
    }

    pub(crate) fn ready(&self) -> usize {
        self.shared.lock().count(Slot::Ready)
    }

    /// Makes what is missing, or has it made.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let mut stock = self.shared.lock();
        stock.wanted = true;
        stock.failure = None;
        if self.worker.is_some() {
            self.shared.changed.notify_all();
            return Ok(());
        }
        while let Some(number) = stock.find(Slot::Empty) {
            self.shared.fill(number)?;
            stock.set(number, Slot::Ready);
        }
        Ok(())
    }

    /// Lends a spare, waiting for one that is being made.
    pub(crate) fn lend(&self, room: Room) -> io::Result<usize> {
        let needed = match room {
            Room::Ordinary => SPARES,
            Room::Reserve => 1,
        };
        let prepared = if self.ready() < needed { self.prepare() } else { Ok(()) };
        let mut stock = self.shared.lock();
        while stock.count(Slot::Ready) < needed {
            if let Some(error) = stock.failure.take() {
                return Err(error);
            }
            if self.worker.is_none() {
                return Err(prepared.err().unwrap_or(io::ErrorKind::StorageFull.into()));
            }
            stock = self.shared.changed.wait(stock).unwrap_or_else(PoisonError::into_inner);
        }
        let number = stock.find(Slot::Ready).ok_or(io::ErrorKind::StorageFull)?;
        stock.set(number, Slot::Lent);
        Ok(number)
    }

    /// Ends a loan: the file was renamed away, or is still there.
    pub(crate) fn settle(&self, number: usize, used: bool) {
        let mut stock = self.shared.lock();
        stock.set(number, if used { Slot::Empty } else { Slot::Ready });
        stock.wanted = true;
        self.shared.changed.notify_all();
    }
}

impl<S: Storage> Drop for Spares<S> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(worker) = self.worker.take() {
            // A worker that panicked has nothing left to clean up.
            let _ = worker.join();
        }
    }
}

impl<S: Storage> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, number: usize) -> io::Result<()> {
        let draft = format!("{JOURNAL_DIR}/spare-{number}.tmp");
        absent_is_fine(self.storage.remove(&draft))?;
        let made = self.storage.create(&draft, self.segment_bytes).and_then(|file| file.sync_data());
        if let Err(error) = made.and_then(|()| self.storage.rename(&draft, &path(number))) {
            // A draft is worthless, and on a full disk its space is needed.
            let _ = self.storage.remove(&draft);
            return Err(error);
        }
        self.storage.sync_dir(JOURNAL_DIR)
    }

    fn work(&self) {
        let mut stock = self.lock();
        while !stock.stop {
            match stock.find(Slot::Empty) {
                Some(number) if stock.wanted => {
                    drop(stock);
                    let made = self.fill(number);
                    stock = self.lock();
                    match made {
                        Ok(()) => stock.set(number, Slot::Ready),
                        Err(error) => {
                            stock.failure = Some(error);
                            stock.wanted = false;
                        }
                    }
                    self.changed.notify_all();
                }
                _ => stock = self.changed.wait(stock).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}
