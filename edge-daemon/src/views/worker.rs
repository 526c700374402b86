//! The thread that keeps sled up with the journal: first what is missing, then what the writer commits.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pos_journal::codec::Entry;
use pos_journal::{Disk, Evidence, Locator, ReadError, Record, Records, Start};

use super::keys::{self, Put};
use super::tree::{self, Tree, TreeError};
use super::{Views, fingerprint};

/// Records that are taken in before the shop opens rather than behind it.
const CATCH_UP_FIRST: u64 = 5_000;
/// Records that are kept in memory at the start, where sled has no room for them.
const HOLD_FIRST: u64 = 100_000;
/// Keys per batch of a rebuild.
const BATCH: usize = 5_000;
/// How long keys wait for company before they go into sled.
const COMPANY: Duration = Duration::from_millis(100);
/// The thread's nice value: a third of the weight of those that sell.
const BEHIND_SELLING: i32 = 5;
/// How often what was applied is made durable.
const SYNC_EVERY: Duration = Duration::from_secs(2);
/// Sled is not given the last of the disk, in bytes: the journal needs it, and sled breaks where there is none.
const LEAVE_FREE: u64 = 8 << 20;
/// Between two looks whether there is room again.
const LOOK: Duration = Duration::from_millis(200);
/// The first and the longest pause after views that could not be made.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Starts the thread; a short gap is closed before this returns.
pub(super) fn start(
    views: Views,
    applied: Option<Evidence>,
    end: Option<Evidence>,
) -> Result<JoinHandle<()>, TreeError> {
    let gap = match (applied, end) {
        (_, None) => 0,
        (Some(applied), Some(end)) if applied.position.epoch == end.position.epoch => {
            end.position.seq.saturating_sub(applied.position.seq)
        }
        (_, Some(end)) => end.position.seq,
    };
    let mut applied = applied;
    let room = has_room(&views);
    // The shop opens without; the thread makes them when it can.
    if let Err(error) = ensure_tree(&views) {
        note(&views, format!("the views cannot be opened: {error}"));
    }
    if room && is_usable(&views) && gap <= CATCH_UP_FIRST && (applied.is_some() || end.is_none()) {
        match catch_up(&views, applied, end) {
            Ok(()) => finish(&views),
            Err(error) => {
                applied = None;
                if let Err(error) = begin_again(&views, &error) {
                    note(&views, format!("the views cannot be made: {error}"));
                }
            }
        }
    }
    if !room && is_usable(&views) && gap <= HOLD_FIRST && applied.is_some() {
        match hold(&views, applied, end) {
            Ok(()) => finish(&views),
            Err(error) => tracing::warn!("what the views lack cannot be read: {error}"),
        }
    }
    if views.rebuild().is_some() {
        learn_known(&views);
    }
    let spawned = std::thread::Builder::new().name("views".into()).spawn(move || run(&views, applied, end));
    Ok(spawned?)
}

/// Whether the disk has room for more than the journal. One that does not say is taken to have.
fn has_room(views: &Views) -> bool {
    let folder = views.0.folder.parent().unwrap_or(&views.0.folder);
    rustix::fs::statvfs(folder).map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= LEAVE_FREE)
}

/// Does nothing for a while, but is alive and heeds a stop.
fn rest(views: &Views, pause: Duration) {
    let began = Instant::now();
    while began.elapsed() < pause && !views.0.overlay.is_stopping() {
        views.0.ticks.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(LOOK.min(pause));
    }
}

fn is_usable(views: &Views) -> bool {
    views.0.tree.read().unwrap_or_else(PoisonError::into_inner).is_some()
}

fn ensure_tree(views: &Views) -> Result<(), TreeError> {
    let mut tree = views.0.tree.write().unwrap_or_else(PoisonError::into_inner);
    if tree.is_none() {
        *tree = Some(Tree::open(&views.0.folder, views.0.cache_bytes)?);
    }
    Ok(())
}

/// Sets sled aside and opens an empty one.
fn begin_again(views: &Views, error: &dyn std::fmt::Display) -> Result<(), TreeError> {
    note(views, format!("the views are set aside and made again: {error}"));
    views.give_up();
    tree::set_aside(&views.0.folder)?;
    let tree = Tree::open(&views.0.folder, views.0.cache_bytes)?;
    *views.0.tree.write().unwrap_or_else(PoisonError::into_inner) = Some(tree);
    Ok(())
}

/// Tells the log and whoever asks for the shop's condition.
fn note(views: &Views, words: String) {
    tracing::warn!("{words}");
    let mut trouble = views.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
    if trouble.len() < 20 && !trouble.contains(&words) {
        trouble.push(words);
    }
}

fn finish(views: &Views) {
    views.0.rebuilding.store(false, Ordering::Release);
    *views.0.known.write().unwrap_or_else(PoisonError::into_inner) = HashSet::new();
}

/// Takes the records after `applied` into memory, until there is room for them.
fn hold(views: &Views, applied: Option<Evidence>, end: Option<Evidence>) -> Result<(), CatchUpError> {
    let (mut puts, mut count) = (Vec::new(), 0);
    for_each_record(views, applied, |entry, locator| {
        keys::project(&entry, locator, |put| puts.push(put));
        count += 1;
        Ok(())
    })?;
    if let Some(end) = end.filter(|_| count > 0) {
        views.0.overlay.add(puts.into_iter(), end, count);
    }
    Ok(())
}

/// Reads the journal once, quickly, for the ids that must not come twice.
fn learn_known(views: &Views) {
    let mut known = HashSet::new();
    // Never empty, which would mean that nothing is known.
    known.insert(0);
    let outcome = for_each_record(views, None, |entry, locator| {
        keys::project(&entry, locator, |(key, _)| {
            if matches!(key.first(), Some(b'k' | b's' | b'l' | b'i')) {
                known.insert(fingerprint(&key));
            }
        });
        Ok(())
    });
    match outcome {
        Ok(()) => *views.0.known.write().unwrap_or_else(PoisonError::into_inner) = known,
        Err(error) => tracing::error!("the journal's ids cannot be read: {error}"),
    }
}

#[derive(Debug, thiserror::Error)]
enum CatchUpError {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("a record cannot be read: {0}")]
    Codec(#[from] pos_journal::codec::CodecError),
    #[error("the disk is nearly full")]
    NoRoom,
}

fn for_each_record(
    views: &Views,
    after: Option<Evidence>,
    mut each: impl FnMut(Entry, Locator) -> Result<(), CatchUpError>,
) -> Result<(), CatchUpError> {
    let start = after.map_or(Start::Beginning, |evidence| Start::After(evidence.position));
    let mut records = views.0.reader.records_from(start)?;
    while let Some((locator, record)) = next(&mut records)? {
        each(Entry::decode(&record.body)?, locator)?;
        views.0.done.fetch_add(1, Ordering::Relaxed);
        views.0.ticks.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// The next record; what is damaged is passed over: opening, or `journal verify`, has told of it.
fn next(records: &mut Records<Disk>) -> Result<Option<(Locator, Record)>, ReadError> {
    loop {
        match records.next().transpose() {
            Err(ReadError::Damaged(bad)) => {
                tracing::error!("the views lack what is damaged: {bad}");
                if !records.go_on_behind(&bad)? {
                    return Ok(None);
                }
            }
            other => return other,
        }
    }
}

/// Takes in the records after `applied`. Those that come meanwhile are in the overlay, too: taking them in twice writes
/// the same keys again.
fn catch_up(views: &Views, applied: Option<Evidence>, end: Option<Evidence>) -> Result<(), CatchUpError> {
    let Some(end) = end else { return Ok(()) };
    let tree = views.0.tree.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(tree) = tree else { return Err(TreeError::Closed.into()) };
    let already = applied
        .filter(|evidence| evidence.position.epoch == end.position.epoch)
        .map_or(0, |e| e.position.seq);
    views.0.done.store(already, Ordering::Relaxed);
    let mut puts: Vec<Put> = Vec::with_capacity(BATCH);
    let mut last_sync = Instant::now();
    let start = applied.map_or(Start::Beginning, |evidence| Start::After(evidence.position));
    let mut records = views.0.reader.records_from(start)?;
    while let Some((locator, record)) = next(&mut records)? {
        keys::project(&Entry::decode(&record.body)?, locator, |put| puts.push(put));
        views.0.done.fetch_add(1, Ordering::Relaxed);
        views.0.ticks.fetch_add(1, Ordering::Relaxed);
        let last = record.position() == end.position;
        if puts.len() >= BATCH || last {
            if !has_room(views) {
                return Err(CatchUpError::NoRoom);
            }
            puts.sort_unstable();
            tree.apply(puts.iter().map(|(key, value)| (&**key, &**value)))?;
            puts.clear();
            if last || last_sync.elapsed() >= SYNC_EVERY {
                tree.sync(Some(Evidence { position: record.position(), hash: record.hash }))?;
                last_sync = Instant::now();
            }
        }
        if last {
            break;
        }
    }
    Ok(())
}

fn run(views: &Views, applied: Option<Evidence>, end: Option<Evidence>) {
    // Where the processor is short, selling goes first. It works as well without.
    let _ = rustix::process::setpriority_process(None, BEHIND_SELLING);
    let mut from = applied;
    let mut upto = end;
    let mut last_sync = Instant::now();
    // What sled was given since it was synced.
    let mut unsynced = None;
    let mut pause = PAUSES.0;
    while !views.0.overlay.is_stopped() {
        let room = has_room(views);
        views.0.overlay.hold(!room || !is_usable(views));
        if !is_usable(views) && views.0.known.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            // So that it goes on selling meanwhile.
            learn_known(views);
        }
        if !room {
            if views.0.overlay.is_stopping() {
                break;
            }
            rest(views, LOOK);
            continue;
        }
        if !is_usable(views) && begin_again(views, &"sled failed while it ran").is_err() {
            if views.0.overlay.is_stopping() {
                break;
            }
            rest(views, pause);
            pause = (pause * 2).min(PAUSES.1);
            continue;
        }
        if views.rebuild().is_some() {
            upto = views.0.reader.head().map(|head| head.evidence()).or(upto);
            views.0.total.store(upto.map_or(0, |end| end.position.seq), Ordering::Relaxed);
            let started = Instant::now();
            match catch_up(views, from, upto) {
                Ok(()) => {
                    let records = upto.map_or(0, |end| end.position.seq);
                    tracing::info!(records, seconds = started.elapsed().as_secs_f64(), "views rebuilt");
                    finish(views);
                    pause = PAUSES.0;
                }
                Err(error) => {
                    from = None;
                    if begin_again(views, &error).is_err() {
                        tracing::warn!("the views cannot be made now");
                    }
                    if views.0.overlay.is_stopping() {
                        break;
                    }
                    rest(views, pause);
                    pause = (pause * 2).min(PAUSES.1);
                    continue;
                }
            }
        }
        // A rebuild that is needed later starts from the beginning.
        from = None;
        views.0.ticks.fetch_add(1, Ordering::Relaxed);
        if let Some(drain) = views.0.overlay.drain(COMPANY) {
            let tree = views.0.tree.read().unwrap_or_else(PoisonError::into_inner).clone();
            let puts = drain.map.iter().map(|(key, value)| (&**key, &**value));
            match tree.map(|tree| tree.apply(puts)) {
                Some(Ok(())) => {
                    unsynced = drain.upto;
                    views.0.overlay.drained();
                }
                // The overlay keeps what was drained until the rebuild has read it from the journal.
                Some(Err(error)) => views.failed(&error),
                None => {}
            }
        }
        if unsynced.is_some() && last_sync.elapsed() >= SYNC_EVERY {
            with_tree(views, |tree| tree.sync(unsynced));
            (last_sync, unsynced) = (Instant::now(), None);
        }
    }
    with_tree(views, |tree| tree.close(unsynced));
}

fn with_tree(views: &Views, work: impl FnOnce(&Tree) -> Result<(), TreeError>) {
    let tree = views.0.tree.read().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(Err(error)) = tree.as_ref().map(work) {
        views.failed(&error);
    }
}
