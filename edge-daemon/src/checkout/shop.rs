//! [`Shop`], the handle that the rest of the daemon holds.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use pos_domain::command::Command;
use pos_domain::decide::Refusal;
use pos_domain::event::Event;
use pos_domain::sale::Sale;
use pos_domain::seal::Sealed;
use pos_domain::state::State;
use pos_domain::store::StoreConfig;
use pos_domain::time::{Date, Millis, Now, Zone};
use pos_journal::codec::{CommandKey, Origin};
use pos_journal::{Disk, Head, KeyError, KeyStore, Position, Reader};
use thiserror::Error;
use tokio::sync::{broadcast, oneshot};
use uuid::Uuid;

use super::authorize::authorize;
use super::figures::Figures;
use super::seat::Seat;
use super::writer::Timekeeper;
use crate::views::{self, Found, Views};

/// What a command did.
#[derive(Debug, Clone)]
pub struct Done {
    /// The last record that it made, on disk; `None`: nothing changed.
    pub position: Option<Position>,
    /// What happened, in order.
    pub events: Vec<Arc<Event>>,
    /// The same request came before: this is its answer again.
    pub repeated: bool,
    /// The same sale came before under another key.
    pub same_sale: bool,
}

impl Done {
    /// The sale that the command was about: of its first event about one.
    #[must_use]
    pub fn sale(&self) -> Option<&Arc<Sale>> {
        self.events.iter().find_map(|event| match &**event {
            Event::Sale { sale, .. } => Some(sale),
            _ => None,
        })
    }
}

/// Why a command was not carried out (or nobody knows).
#[derive(Debug, Clone, Error)]
pub enum SubmitError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The idempotency key belongs to another request.
    #[error("this idempotency key was used for another request; use a new one")]
    KeyReused,
    /// Not now; later.
    #[error("{0}")]
    NotReady(String),
    /// No room on the disk.
    #[error("there is no room on the disk: {0}")]
    NoSpace(String),
    /// The disk did not confirm: ask again with the same key after the restart.
    #[error("the disk did not confirm the write; ask again with the same key, it happens at most once")]
    OutcomeUnknown,
    /// The daemon is stopping.
    #[error("the daemon is stopping; ask again in a moment")]
    Stopping,
}

/// Something that happened, for whoever listens.
#[derive(Debug, Clone)]
pub struct Happening {
    /// Its record.
    pub position: Position,
    /// When.
    pub time: Millis,
    /// What.
    pub event: Arc<Event>,
}

/// Whose key seals a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A customer's own: erasing the customer destroys it.
    Customer(Uuid),
    /// This month's, for free text that belongs to nobody in particular.
    Text,
}

/// Why something could not be sealed.
#[derive(Debug, Error)]
pub enum SealError {
    /// The person was erased.
    #[error("this customer was erased; use a new id")]
    Erased,
    /// The keys could not be written.
    #[error("the key file cannot be used: {0}")]
    Keys(KeyError),
}

/// How the store is doing.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Whether commands are accepted.
    pub ready: bool,
    /// Records taken in, of how many, while the views are made again.
    pub rebuilding: Option<(u64, u64)>,
    /// Records that the views have not taken in.
    pub view_lag: u64,
    /// Records of the current epoch.
    pub records: u64,
    /// Bytes of the journal's files.
    pub journal_bytes: u64,
    /// Its segments.
    pub segments: u64,
    /// Bytes free on its disk.
    pub disk_free: u64,
    /// Whether the reserve for closing stands.
    pub spare_ready: bool,
    /// What a technician should know, in words.
    pub alarms: Vec<String>,
}

/// Where a command's answer comes.
type Answer = oneshot::Receiver<Result<Done, SubmitError>>;

/// A command on its way to the writer.
pub(super) struct Job {
    pub(super) key: Option<CommandKey>,
    pub(super) command: Command,
    pub(super) origin: Origin,
    pub(super) reply: oneshot::Sender<Result<Done, SubmitError>>,
}

/// What the writer tells about its disk now and then.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DiskNews {
    pub(super) journal_bytes: u64,
    pub(super) segments: u64,
    pub(super) disk_free: u64,
    pub(super) spare_ready: bool,
}

pub(super) struct Shared {
    pub(super) store: Arc<StoreConfig>,
    pub(super) committed: RwLock<State>,
    pub(super) views: Views,
    pub(super) reader: Reader<Disk>,
    pub(super) keys: KeyStore<Disk>,
    pub(super) zone: Arc<dyn Zone + Send + Sync>,
    pub(super) time: Timekeeper,
    pub(super) happenings: broadcast::Sender<Arc<Happening>>,
    pub(super) figures: Figures,
    pub(super) disk: Mutex<DiskNews>,
    pub(super) alarms: Mutex<Vec<String>>,
    pub(super) segment_bytes: u64,
    pub(super) stopping: AtomicBool,
    pub(super) fatal: AtomicBool,
    pub(super) ticks: AtomicU64,
    /// Customers whose keys could not be destroyed yet.
    pub(super) unerased: Mutex<Vec<Uuid>>,
}

/// The store: commands in, reads out. A cheap handle.
#[derive(Clone)]
pub struct Shop {
    pub(super) shared: Arc<Shared>,
    pub(super) seat: Arc<Seat>,
}

impl Shop {
    /// Has a command decided, written and answered. What comes back is on disk.
    ///
    /// # Errors
    /// [`SubmitError`]; except for `OutcomeUnknown`, nothing happened.
    pub async fn submit(
        &self,
        key: Option<CommandKey>,
        command: Command,
        origin: Origin,
    ) -> Result<Done, SubmitError> {
        let (job, answer) = self.job(key, command, origin)?;
        if self.seat.is_quiet() {
            self.seat.at_once(job).or_else(|job| self.seat.put(job))?;
        } else {
            self.seat.put(job)?;
        }
        answer.await.unwrap_or(Err(SubmitError::OutcomeUnknown))
    }

    /// The same, for threads that may wait.
    ///
    /// # Errors
    /// As [`Shop::submit`].
    pub fn submit_blocking(
        &self,
        key: Option<CommandKey>,
        command: Command,
        origin: Origin,
    ) -> Result<Done, SubmitError> {
        let (job, answer) = self.job(key, command, origin)?;
        self.seat.put(job)?;
        answer.blocking_recv().unwrap_or(Err(SubmitError::OutcomeUnknown))
    }

    fn job(
        &self,
        key: Option<CommandKey>,
        command: Command,
        origin: Origin,
    ) -> Result<(Box<Job>, Answer), SubmitError> {
        if self.shared.stopping.load(Ordering::Acquire) {
            return Err(SubmitError::Stopping);
        }
        authorize(&origin, &command)?;
        let (reply, answer) = oneshot::channel();
        Ok((Box::new(Job { key, command, origin, reply }), answer))
    }

    /// The committed state. Never hold it across an await.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.shared.committed.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration in force; it was put in force before the shop opened.
    #[must_use]
    pub fn store(&self) -> Arc<StoreConfig> {
        self.shared.store.clone()
    }

    /// The store's time zone.
    #[must_use]
    pub fn zone(&self) -> &(dyn Zone + Send + Sync) {
        &*self.shared.zone
    }

    /// Journal time now.
    #[must_use]
    pub fn now(&self) -> Now {
        let last = self.state().time;
        self.shared.time.now(Some(last).filter(|time| *time > Millis::default()))
    }

    /// Whether a request with this key was carried out before. Not so far: it may be on its way.
    #[must_use]
    pub fn was_done(&self, key: &CommandKey) -> bool {
        matches!(self.shared.views.get_unique(&views::command(&key.key)), Found::Yes(_))
    }

    /// How long the box has been counting time: goes on evenly, whatever is done to its clock.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.shared.time.uptime()
    }

    /// The business date now.
    #[must_use]
    pub fn business_date(&self) -> Date {
        let now = self.now();
        if now.trusted {
            return now.time.business_date(self.zone(), self.shared.store.cut_off_minutes);
        }
        self.state().business_date
    }

    /// The journal's records, as far as they are on disk.
    #[must_use]
    pub fn reader(&self) -> Reader<Disk> {
        self.shared.reader.clone()
    }

    /// The end of the journal.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.shared.reader.head()
    }

    /// Listens to what happens from here on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Happening>> {
        self.shared.happenings.subscribe()
    }

    /// Seals a text about `record` (a sale, a customer). May make a key, durably, first.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, subject: Subject, record: Uuid, plaintext: &[u8]) -> Result<Sealed, SealError> {
        let id = match subject {
            Subject::Customer(id) => *id.as_bytes(),
            Subject::Text => {
                let (year, month, _) = self.now().time.business_date(self.zone(), 0).civil();
                text_subject(year, month)
            }
        };
        let sealed = self.shared.keys.seal(pos_journal::Subject(id), record.as_bytes(), plaintext);
        let sealed = sealed.map_err(|error| match error {
            KeyError::Erased(_) => SealError::Erased,
            other => SealError::Keys(other),
        })?;
        Ok(Sealed { subject: id, nonce: sealed.nonce, ciphertext: sealed.ciphertext })
    }

    /// Opens a sealed text about `record`; `None`: its key was destroyed.
    #[must_use]
    pub fn open_sealed(&self, record: Uuid, sealed: &Sealed) -> Option<Vec<u8>> {
        let bytes = pos_journal::Sealed { nonce: sealed.nonce, ciphertext: sealed.ciphertext.clone() };
        let opened = self.shared.keys.unseal(pos_journal::Subject(sealed.subject), record.as_bytes(), &bytes);
        opened.map(|plain| plain.to_vec()).ok()
    }

    /// The keyed hash that a customer is found by.
    #[must_use]
    pub fn lookup_hash(&self, kind: &str, normalised: &str) -> [u8; 16] {
        self.shared.keys.lookup_hash(kind, normalised)
    }

    /// How the store is doing.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let shared = &self.shared;
        let disk = *shared.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alarms = shared.alarms.lock().unwrap_or_else(PoisonError::into_inner).clone();
        alarms.extend(shared.views.trouble());
        // Right after a start, or a roll, the next reserve is only being made.
        if !disk.spare_ready && disk.disk_free < shared.segment_bytes.saturating_mul(2) {
            alarms.push("the disk is nearly full: only what closes the shop may still be written".into());
        }
        Condition {
            ready: !shared.stopping.load(Ordering::Acquire) && !shared.fatal.load(Ordering::Acquire),
            rebuilding: shared.views.rebuild().map(|rebuild| (rebuild.done, rebuild.total)),
            view_lag: shared.views.lag(),
            records: self.head().map_or(0, |head| head.records),
            journal_bytes: disk.journal_bytes,
            segments: disk.segments,
            disk_free: disk.disk_free,
            spare_ready: disk.spare_ready,
            alarms,
        }
    }

    /// The metrics.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }
}

/// The subject of a month's free text.
fn text_subject(year: i32, month: u8) -> [u8; 16] {
    let mut id = *b"text/\0\0\0\0\0\0\0\0\0\0\0";
    if let Some(rest) = id.get_mut(5..10) {
        let [a, b, c, d] = year.to_be_bytes();
        rest.copy_from_slice(&[a, b, c, d, month]);
    }
    id
}
