//! What the writer has committed and sled has not yet taken in. Reads look here first, so a sale can be read as soon as
//! it was answered.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pos_journal::Evidence;

use super::keys::Put;

/// Keys that may wait for sled before the writer waits with them.
const MOST_WAITING: usize = 400_000;
/// So many keys are drained at once; fewer wait a moment for company, and the writer need not wake anybody.
const ENOUGH: usize = 20_000;

type Map = BTreeMap<Box<[u8]>, Box<[u8]>>;

#[derive(Default)]
struct Layers {
    /// Being filled by the writer.
    filling: Map,
    /// The record up to which `filling` goes.
    upto: Option<Evidence>,
    /// Being written into sled.
    draining: Option<Arc<Map>>,
    records: u64,
    draining_records: u64,
    /// Sled takes nothing for now; waiting for it would be for ever.
    held: bool,
    stopped: bool,
}

/// Committed keys that wait for sled.
#[derive(Default)]
pub(super) struct Overlay {
    layers: Mutex<Layers>,
    changed: Condvar,
}

/// What to write next, and up to which record it goes.
pub(super) struct Drain {
    pub(super) map: Arc<Map>,
    pub(super) upto: Option<Evidence>,
}

impl Overlay {
    fn lock(&self) -> MutexGuard<'_, Layers> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds committed keys; waits while sled is too far behind.
    pub(super) fn add(&self, puts: impl Iterator<Item = Put>, upto: Evidence, records: u64) {
        let full =
            |layers: &mut Layers| layers.filling.len() > MOST_WAITING && !layers.held && !layers.stopped;
        let mut layers = self.changed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        layers.filling.extend(puts);
        layers.upto = Some(upto);
        layers.records += records;
        let enough = layers.filling.len() >= ENOUGH;
        drop(layers);
        if enough {
            self.changed.notify_all();
        }
    }

    /// Gives what came within `patience`, sooner if it is enough; `None`: nothing came.
    pub(super) fn drain(&self, patience: Duration) -> Option<Drain> {
        let idle = |layers: &mut Layers| layers.filling.len() < ENOUGH && !layers.stopped;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, idle);
        let (mut layers, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let upto = layers.upto.take()?;
        let map = Arc::new(std::mem::take(&mut layers.filling));
        layers.draining = Some(map.clone());
        layers.draining_records = std::mem::take(&mut layers.records);
        Some(Drain { map, upto: Some(upto) })
    }

    /// What was drained is in sled.
    pub(super) fn drained(&self) {
        let mut layers = self.lock();
        layers.draining = None;
        layers.draining_records = 0;
        drop(layers);
        self.changed.notify_all();
    }

    /// Whether sled takes nothing for now: the writer does not wait for it then.
    pub(super) fn hold(&self, held: bool) {
        let mut layers = self.lock();
        if layers.held != held {
            layers.held = held;
            drop(layers);
            self.changed.notify_all();
        }
    }

    /// No more waiting on either side.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Whether it is to end, with or without what waits.
    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopped
    }

    /// Whether it is to end, and nothing waits.
    pub(super) fn is_stopped(&self) -> bool {
        let layers = self.lock();
        layers.stopped && layers.upto.is_none()
    }

    /// Records that sled has not taken in.
    pub(super) fn lag(&self) -> u64 {
        let layers = self.lock();
        layers.records + layers.draining_records
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Box<[u8]>> {
        let layers = self.lock();
        let older = || layers.draining.as_ref().and_then(|map| map.get(key));
        layers.filling.get(key).or_else(older).cloned()
    }

    /// Keys from `low` (inclusive) to `high` (exclusive), at most `limit` of each layer, into `found`.
    pub(super) fn scan(&self, low: &[u8], high: &[u8], limit: usize, reverse: bool, found: &mut Map) {
        if low >= high {
            return;
        }
        let layers = self.lock();
        let range = (Bound::Included(low), Bound::Excluded(high));
        let maps = layers.draining.as_deref().into_iter().chain([&layers.filling]);
        for map in maps {
            let entries = map.range::<[u8], _>(range).map(|(key, value)| (key.clone(), value.clone()));
            if reverse {
                found.extend(entries.rev().take(limit));
            } else {
                found.extend(entries.take(limit));
            }
        }
    }
}
