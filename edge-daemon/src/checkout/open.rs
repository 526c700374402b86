//! Opening: evidence, journal, state, views, in this order; then the writer runs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use pos_domain::command::Command;
use pos_domain::state::{APPLY_VERSION, State};
use pos_domain::store::StoreConfig;
use pos_domain::time::Zone;
use pos_journal::codec::{self, Author, CodecError, Entry, Origin};
use pos_journal::{
    Disk, Evidence, FirstBad, Journal, KeyError, KeyStore, Options, Outcome, Position, Preparation,
    ReadError, Reader, Start, checkpoint, epochs_begun,
};
use thiserror::Error;
use tokio::sync::broadcast;

use super::figures::Figures;
use super::seat::{Ended, Seat};
use super::shop::{DiskNews, Shared, Shop, SubmitError};
use super::writer::{Timekeeper, Writer};
use crate::clock::Clock;
use crate::views::{TreeError, Views};

/// Records after which a running shop makes a checkpoint when it is quiet, and when it is not: so many are read in
/// about two seconds after a crash.
const CHECKPOINT_EVERY: u64 = 50_000;
const CHECKPOINT_AT_LAST: u64 = 250_000;
/// How often it looks, and how few records between two looks are quiet.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const QUIET_RECORDS: u64 = 200;
/// Happenings that a slow listener may be behind before it reads from the journal.
const HAPPENINGS: usize = 4_096;
/// Written by a restore, taken by the next start: the shop goes on in a new epoch.
const RESTORED: &str = "restored.json";

/// What is needed to open a shop.
pub struct OpenOptions {
    /// The data directory; the caller holds its lock.
    pub root: PathBuf,
    /// Bytes of a journal segment.
    pub segment_bytes: u64,
    /// Bytes of sled's cache.
    pub cache_bytes: u64,
    /// The configuration to put in force.
    pub store: Arc<StoreConfig>,
    /// Its time zone.
    pub zone: Arc<dyn Zone + Send + Sync>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
}

/// The shop cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The journal's files.
    #[error(transparent)]
    Journal(#[from] pos_journal::OpenError),
    /// The journal cannot be written.
    #[error(transparent)]
    Append(#[from] pos_journal::AppendError),
    /// The journal cannot be read.
    #[error("{0}; run `edge-daemon journal verify`")]
    Read(#[from] ReadError),
    /// A record cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The views.
    #[error(transparent)]
    Views(#[from] TreeError),
    /// The data directory.
    #[error("the data directory {path} cannot be used: {error}; check its owner and permissions")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The configuration was refused.
    #[error("the configuration cannot be put in force: {0}")]
    Configure(SubmitError),
}

/// A running shop's threads.
pub struct Running {
    shop: Shop,
    writer: Option<JoinHandle<()>>,
    views: Option<JoinHandle<()>>,
    housekeeping: Option<JoinHandle<()>>,
    disk: Disk,
}

/// Opens the shop in a data directory: from nothing, from a clean stop, after a crash, with or without views.
///
/// # Errors
/// [`OpenError`]. Damage is no error: the shop goes on in a new epoch and raises an alarm.
pub fn open(options: OpenOptions) -> Result<(Shop, Running), OpenError> {
    let folder = |error| OpenError::Folder { path: options.root.clone(), error };
    std::fs::create_dir_all(&options.root).map_err(folder)?;
    let disk = Disk::new(options.root.clone());
    let keys = KeyStore::open(disk.clone())?;
    let mut alarms = Vec::new();
    let saved = checkpoint::load_latest(&disk, APPLY_VERSION).map_err(folder)?;
    let saved = saved.and_then(|(evidence, bytes)| match codec::decode_state(&bytes) {
        Ok(state) => Some((evidence, state)),
        Err(error) => {
            tracing::warn!("a checkpoint is passed over: {error}");
            None
        }
    });
    let views = Views::look(options.root.join("views"), options.cache_bytes)?;
    // What views of another journal say is no evidence about this one.
    let epoch_is_here = |evidence: &Evidence| {
        let beginning = Position { seq: 0, ..evidence.position };
        Reader::open(disk.clone()).records_from(Start::After(beginning)).is_ok()
    };
    let of_views = views.applied.filter(epoch_is_here);
    let evidence: Vec<Evidence> = saved.iter().map(|(evidence, _)| *evidence).chain(of_views).collect();
    let journal_options =
        Options { segment_bytes: options.segment_bytes, preparation: Preparation::Background };
    let (mut journal, opened) = Journal::open(disk.clone(), journal_options, &evidence)?;
    let reader = journal.reader();
    let (mut state, mut last) = match saved {
        Some((evidence, state)) => (state, Some(evidence)),
        None => (State::default(), None),
    };
    let gaps = replay(&reader, &mut state, &mut last, &opened.outcome)?;
    let reason = match &opened.outcome {
        Outcome::Fresh => Some("first"),
        Outcome::Damaged { bad, .. } => {
            alarms.push(format!(
                "the journal is damaged ({bad}); selling goes on in a new epoch, the old files are untouched"
            ));
            Some("damage")
        }
        Outcome::TornTail { kept_aside, bytes } => {
            tracing::warn!(
                bytes,
                ?kept_aside,
                "an unfinished group was cut; nobody was told that it is durable"
            );
            None
        }
        Outcome::Clean | Outcome::SealedStop => None,
    };
    let restored = options.root.join(RESTORED);
    for bad in &gaps {
        alarms.push(format!(
            "the journal is damaged ({bad}); stock, points and shifts lack what stood there: put a backup back, or count"
        ));
    }
    let reason = reason.or((!gaps.is_empty()).then_some("damage"));
    let reason = reason.or_else(|| restored.exists().then_some("restored"));
    // Above every series that this box may have given receipts of: in what was restored, in what was set aside for it, and
    // in epochs that can no longer be read.
    let used = epochs_begun(&disk).map_err(folder)?.max(series_set_aside(&restored)).max(state.series);
    if reason.is_some() {
        journal.number_epochs_above(used);
        journal.start_epoch(last)?;
    }
    for trouble in &views.trouble {
        tracing::warn!("{trouble}");
    }
    // Views that know more than the journal has, or another journal, are made again.
    let views = views.of_journal(&reader)?;
    let (views, views_thread) = views.attach(reader.clone(), last)?;
    erase_again(&state, &keys, &mut alarms);
    let forgotten = erased_elsewhere(&state, &keys);
    let series = used.saturating_add(1);
    let author = Author {
        tenant: options.store.tenant.as_str().into(),
        store: options.store.store.as_str().into(),
        box_name: options.store.box_name.as_str().into(),
        software: env!("CARGO_PKG_VERSION").into(),
    };
    let shared = Arc::new(Shared {
        store: options.store.clone(),
        committed: RwLock::new(state.clone()),
        views,
        reader,
        keys,
        zone: options.zone,
        time: Timekeeper::new(options.clock),
        happenings: broadcast::channel(HAPPENINGS).0,
        figures: Figures::default(),
        disk: Mutex::new(DiskNews::default()),
        alarms: Mutex::new(alarms),
        segment_bytes: options.segment_bytes,
        stopping: AtomicBool::new(false),
        fatal: AtomicBool::new(false),
        ticks: AtomicU64::new(0),
        unerased: Mutex::default(),
    });
    let mut writer =
        Writer { shared: shared.clone(), author, ahead: state, journal, tight: false, told: None };
    writer.tell_news();
    let seat = Arc::new(Seat::new(writer));
    let shop = Shop { shared: shared.clone(), seat: seat.clone() };
    let writer =
        std::thread::Builder::new().name("writer".into()).spawn(move || seat.run()).map_err(folder)?;
    let keeper = shop.clone();
    let keeper_disk = disk.clone();
    let housekeeping = std::thread::Builder::new()
        .name("housekeeping".into())
        .spawn(move || keep_house(&keeper, &keeper_disk))
        .map_err(folder)?;
    let running = Running {
        shop: shop.clone(),
        writer: Some(writer),
        views: Some(views_thread),
        housekeeping: Some(housekeeping),
        disk,
    };
    let submit =
        |command| shop.submit_blocking(None, command, Origin::default()).map_err(OpenError::Configure);
    if let Some(reason) = reason {
        submit(Command::StartEpoch { series, reason: reason.into() })?;
        if restored.exists() {
            std::fs::remove_file(&restored)
                .map_err(|error| OpenError::Folder { path: restored.clone(), error })?;
        }
    }
    submit(Command::Configure(options.store))?;
    for id in forgotten {
        submit(Command::EraseCustomer(id))?;
    }
    Ok((shop, running))
}

/// Brings `state` from `last` up to the end of the journal. Returns damage within, which is passed over: a shop that knows
/// all but that is better than none.
fn replay(
    reader: &Reader<Disk>,
    state: &mut State,
    last: &mut Option<Evidence>,
    outcome: &Outcome,
) -> Result<Vec<FirstBad>, OpenError> {
    let damaged = matches!(outcome, Outcome::Damaged { .. });
    let start = last.map_or(Start::Beginning, |evidence| Start::After(evidence.position));
    let mut gaps = Vec::new();
    let mut records = match reader.records_from(start) {
        Ok(records) => records,
        // The checkpoint is all that is left.
        Err(_) if damaged => return Ok(gaps),
        Err(error) => return Err(error.into()),
    };
    while let Some(record) = records.next() {
        let record = match record {
            Ok((_, record)) => record,
            Err(_) if damaged => return Ok(gaps),
            Err(ReadError::Damaged(bad)) if records.go_on_behind(&bad)? => {
                gaps.push(bad);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let entry = Entry::decode(&record.body)?;
        state.apply(&entry.event, entry.time, entry.business_date);
        *last = Some(Evidence { position: record.position(), hash: record.hash });
    }
    Ok(gaps)
}

/// The highest receipt series of the journals that a restore has set aside.
fn series_set_aside(restored: &Path) -> u16 {
    let marker = std::fs::read(restored).ok();
    let marker = marker.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let used = marker.as_ref().and_then(|marker| marker.get("seriesUsed")?.as_u64());
    used.and_then(|series| u16::try_from(series).ok()).unwrap_or(0)
}

/// Destroys the keys of everybody who was erased: a restore may have brought one back.
fn erase_again(state: &State, keys: &KeyStore<Disk>, alarms: &mut Vec<String>) {
    for (id, _) in state.customers.iter().filter(|(_, account)| account.customer.is_none()) {
        let subject = pos_journal::Subject(*id.as_bytes());
        if keys.has_key(subject)
            && let Err(error) = keys.erase(subject)
        {
            alarms.push(format!("an erased customer's key could not be destroyed: {error}"));
        }
    }
}

/// Customers whom the journal still has, but whose keys were destroyed: an older backup was put back after they were
/// erased.
fn erased_elsewhere(state: &State, keys: &KeyStore<Disk>) -> Vec<uuid::Uuid> {
    let known = state.customers.iter().filter(|(_, account)| account.customer.is_some());
    let erased = known.filter(|(id, _)| keys.is_erased(pos_journal::Subject(*id.as_bytes())));
    erased.map(|(id, _)| *id).collect()
}

/// Puts head office's prices in force whose time has come. A sale never waits for that: it takes the price that stands.
fn put_prices_in_force(shop: &Shop) {
    let is_due = || {
        let now = shop.now().time;
        shop.state().coming_prices.due(now).next().is_some()
    };
    while is_due() {
        match shop.submit_blocking(None, Command::PutPricesInForce, Origin::default()) {
            Ok(done) if done.events.is_empty() => return,
            Ok(_) => {}
            Err(error) => return tracing::warn!(%error, "prices whose time has come are tried again"),
        }
    }
}

/// Makes checkpoints while the shop runs, from the one before and the journal: never from the views. When the shop is
/// busy it waits for a quieter moment, but not for ever.
fn keep_house(shop: &Shop, disk: &Disk) {
    let records = || shop.head().map_or(0, |head| head.records);
    let mut folded = records();
    let mut seen = folded;
    while !shop.shared.stopping.load(Ordering::Acquire) && !shop.shared.fatal.load(Ordering::Acquire) {
        std::thread::park_timeout(LOOK_EVERY);
        let still = |id: &uuid::Uuid| shop.shared.keys.erase(pos_journal::Subject(*id.as_bytes())).is_err();
        shop.shared.unerased.lock().unwrap_or_else(PoisonError::into_inner).retain(still);
        put_prices_in_force(shop);
        let now = records();
        let quiet = now.saturating_sub(seen) < QUIET_RECORDS;
        seen = now;
        let behind = now.saturating_sub(folded);
        if behind < CHECKPOINT_EVERY || (behind < CHECKPOINT_AT_LAST && !quiet) {
            continue;
        }
        folded = now;
        if let Err(error) = fold(disk, &shop.shared.reader) {
            shop.shared.alarm(format!("no checkpoint could be made: {error}"));
        }
    }
}

fn fold(disk: &Disk, reader: &Reader<Disk>) -> Result<(), Box<dyn std::error::Error>> {
    let (mut state, mut last) = match checkpoint::load_latest(disk, APPLY_VERSION)? {
        Some((evidence, bytes)) => (codec::decode_state(&bytes)?, Some(evidence)),
        None => (State::default(), None),
    };
    if let Some(bad) = replay(reader, &mut state, &mut last, &Outcome::Clean)?.first() {
        return Err(bad.to_string().into());
    }
    if let Some(evidence) = last {
        checkpoint::save(disk, &evidence, APPLY_VERSION, &codec::encode_state(&state)?)?;
    }
    Ok(())
}

impl Shared {
    pub(super) fn alarm(&self, words: String) {
        tracing::error!("{words}");
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        if alarms.len() < 50 && !alarms.contains(&words) {
            alarms.push(words);
        }
    }
}

impl Running {
    /// Moves only while the writer and the views' thread get on (each at least twice a second).
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.shop.shared.ticks.load(Ordering::Relaxed), self.shop.shared.views.ticks())
    }

    /// Whether the disk failed: the process must end with an error.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.shop.shared.fatal.load(Ordering::Acquire)
    }

    /// Takes no more commands, finishes those that wait, seals the journal, makes a checkpoint, syncs the views.
    ///
    /// # Errors
    /// When the last words could not be written; nothing acknowledged is lost by that.
    pub fn stop(mut self) -> std::io::Result<()> {
        let shared = self.shop.shared.clone();
        shared.stopping.store(true, Ordering::Release);
        self.shop.seat.stop();
        if let Some(thread) = self.writer.take() {
            let _ = thread.join();
        }
        let ended = self.shop.seat.end();
        if let Some(thread) = self.housekeeping.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
        shared.views.stop();
        if let Some(thread) = self.views.take() {
            let _ = thread.join();
        }
        let Some(Ended { journal, state }) = ended else {
            return Err(std::io::Error::other(
                "the journal's disk failed; the next start tells what is durable",
            ));
        };
        if let Some(head) = journal.head() {
            let bytes = codec::encode_state(&state).map_err(std::io::Error::other)?;
            checkpoint::save(&self.disk, &head.evidence(), APPLY_VERSION, &bytes)
                .map_err(std::io::Error::other)?;
        }
        journal.close()
    }
}
