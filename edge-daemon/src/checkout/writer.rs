//! The one writer: takes all commands that wait, decides each against what this group has decided before it, writes them
//! as one group with one sync, and answers. No lock is held while money is decided.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use pos_domain::command::{Change, Command};
use pos_domain::decide::{Context, Refusal, RefusalKind, decide};
use pos_domain::event::Event;
use pos_domain::sale::Sale;
use pos_domain::state::State;
use pos_domain::time::{Millis, Now, judge};
use pos_journal::codec::{Author, CommandKey, Entry};
use pos_journal::{AppendError, Disk, Head, Journal, Room};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::reads::ReadError;
use super::shop::{DiskNews, Done, Happening, Job, Message, Shared, SubmitError};
use crate::clock::Clock;
use crate::views::{self, Found};

/// Commands per group, and bytes after which no more are taken in.
const MOST_COMMANDS: usize = 512;
const ENOUGH_BYTES: usize = 4 << 20;
/// The most that a single command may write.
const MOST_BYTES: usize = 30 << 20;
/// How long the writer sleeps when nothing comes; its pulse for the watchdog.
const PULSE: Duration = Duration::from_millis(500);

type Reply = oneshot::Sender<Result<Done, SubmitError>>;

/// Judges the clock against the time of the last record.
pub(super) struct Timekeeper {
    clock: Arc<dyn Clock>,
    /// The monotonic clock at the last record.
    last: AtomicI64,
}

impl Timekeeper {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: AtomicI64::new(0) }
    }

    pub(super) fn now(&self, last_record: Option<Millis>) -> Now {
        judge(last_record, self.clock.read().since(self.last.load(Ordering::Relaxed)))
    }

    fn recorded(&self) {
        self.last.store(self.clock.read().monotonic, Ordering::Relaxed);
    }
}

/// A command of the group that is being made.
struct Member {
    key: Option<CommandKey>,
    reply: Reply,
    /// The same request, come again meanwhile.
    again: Vec<(Reply, bool)>,
    events: Vec<Arc<Event>>,
    /// Number of its last record in the group.
    last: usize,
}

/// What one sync makes durable.
#[derive(Default)]
struct Group {
    members: Vec<Member>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    by_key: HashMap<[u8; 16], usize>,
    /// Sales that began in this group, by member.
    begun: HashMap<Uuid, usize>,
    /// Sales that are no longer open since this group.
    closed: HashMap<Uuid, Arc<Sale>>,
    erased: Vec<Uuid>,
    ordinary: bool,
}

/// What the writer leaves: the journal to be closed, and the state to be kept in a checkpoint.
pub(super) struct Ended {
    pub(super) journal: Journal<Disk>,
    pub(super) state: State,
}

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) journal: Journal<Disk>,
    pub(super) inbox: Receiver<Message>,
    pub(super) author: Author,
    /// The committed state and what this group has decided.
    pub(super) ahead: State,
    /// The last group found no room: go on one by one, so that what closes the shop gets through.
    pub(super) tight: bool,
}

impl Writer {
    /// Runs until told to stop, or until the disk fails. Gives the journal back to be closed.
    pub(super) fn run(mut self) -> Option<Ended> {
        let mut stop = false;
        let mut news = Instant::now();
        while !stop {
            self.shared.ticks.fetch_add(1, Ordering::Relaxed);
            let mut group = Group::default();
            match self.inbox.recv_timeout(PULSE) {
                Ok(Message::Job(job)) => self.take(*job, &mut group),
                Ok(Message::Stop) => stop = true,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => stop = true,
            }
            while group.members.len() < MOST_COMMANDS && group.bytes.len() < ENOUGH_BYTES && !self.tight {
                match self.inbox.try_recv() {
                    Ok(Message::Job(job)) => self.take(*job, &mut group),
                    Ok(Message::Stop) => stop = true,
                    Err(_) => break,
                }
            }
            if !group.entries.is_empty() && self.commit(group).is_err() {
                self.shared.fatal.store(true, Ordering::Release);
                return None;
            }
            if news.elapsed() > PULSE {
                self.tell_news();
                news = Instant::now();
            }
        }
        Some(Ended { journal: self.journal, state: self.ahead })
    }

    /// Tells readers how the disk is doing.
    pub(super) fn tell_news(&self) {
        if let Ok(condition) = self.journal.condition() {
            *self.shared.disk.lock().unwrap_or_else(PoisonError::into_inner) = DiskNews {
                journal_bytes: condition.bytes,
                segments: condition.segments,
                disk_free: condition.free_bytes,
                spare_ready: condition.spare_ready,
            };
        }
    }

    /// Decides a command into the group, or answers it at once.
    fn take(&mut self, job: Job, group: &mut Group) {
        match self.repeated(&job, group) {
            Ok(Some(Again::Member(index, same_sale))) => {
                if let Some(member) = group.members.get_mut(index) {
                    member.again.push((job.reply, same_sale));
                }
            }
            Ok(Some(Again::Done(done))) => {
                self.shared.figures.repeated.inc();
                answer(job.reply, Ok(done));
            }
            Ok(None) => self.decide(job, group),
            Err(error) => answer(job.reply, Err(error)),
        }
    }

    /// Whether the command, or its sale, came before.
    fn repeated(&self, job: &Job, group: &Group) -> Result<Option<Again>, SubmitError> {
        if let Some(id) = job.key {
            if let Some(index) = group.by_key.get(&id.key) {
                let first = group.members.get(*index).and_then(|member| member.key);
                return if first == Some(id) {
                    Ok(Some(Again::Member(*index, false)))
                } else {
                    Err(SubmitError::KeyReused)
                };
            }
            match self.shared.views.get_unique(&views::command(&id.key)) {
                Found::Yes(place) => {
                    let done = self.again(&place, id, false)?;
                    return done.map(|done| Some(Again::Done(done))).ok_or(SubmitError::KeyReused);
                }
                Found::No => {}
                Found::Unsure => return Err(still_indexing()),
            }
        }
        let (Command::Sell(draft), Some(id)) = (&job.command, job.key) else { return Ok(None) };
        if let Some(index) = group.begun.get(&draft.id) {
            let request = group.members.get(*index).and_then(|member| member.key).map(|key| key.request);
            return if request == Some(id.request) {
                Ok(Some(Again::Member(*index, true)))
            } else {
                Ok(None)
            };
        }
        match self.shared.views.get_unique(&views::sale_first(draft.id)) {
            Found::Yes(place) => {
                let done = self.again(&place, id, true)?;
                done.map(|done| Some(Again::Done(done))).ok_or_else(|| id_used(draft.id).into())
            }
            Found::No => Ok(None),
            Found::Unsure => Err(still_indexing()),
        }
    }

    /// The answer of a command that is in the journal, if it was the same request.
    fn again(&self, place: &[u8], id: CommandKey, same_sale: bool) -> Result<Option<Done>, SubmitError> {
        let records = self.shared.command_at(place).map_err(read_failed)?;
        let request = records.first().and_then(|(_, entry)| entry.command).map(|command| command.request);
        if request != Some(id.request) {
            return Ok(None);
        }
        let position = records.last().map(|(position, _)| *position);
        let events = records.into_iter().map(|(_, entry)| Arc::new(entry.event)).collect();
        Ok(Some(Done { position, events, repeated: true, same_sale }))
    }

    fn decide(&mut self, job: Job, group: &mut Group) {
        let Job { key, command, origin, reply } = job;
        if let Err(error) = self.check_new_ids(&command, group) {
            return answer(reply, Err(error));
        }
        let closed_sale = match self.closed_sale(&command, key.is_some(), group) {
            Ok(sale) => sale,
            Err(error) => return answer(reply, Err(read_failed(error))),
        };
        let begins = match &command {
            Command::Sell(draft) => Some(draft.id),
            _ => None,
        };
        let erases = match &command {
            Command::EraseCustomer(id) => Some(*id),
            _ => None,
        };
        let closes = command.closes();
        let last = Some(self.ahead.time).filter(|time| *time > Millis::default());
        let now = self.shared.time.now(last);
        let head = HeadInWords(self.journal.head());
        let context = Context { now, zone: &*self.shared.zone, closed_sale, head: &head };
        let decision = match decide(&self.ahead, command, &context) {
            Ok(decision) => decision,
            Err(refusal) => {
                self.shared.figures.refused.inc();
                return answer(reply, Err(refusal.into()));
            }
        };
        if decision.events.is_empty() {
            let done = Done { position: None, events: Vec::new(), repeated: false, same_sale: false };
            return answer(reply, Ok(done));
        }
        let first = group.entries.len();
        let (bytes_before, ends_before) = (group.bytes.len(), group.ends.len());
        let parts = u16::try_from(decision.events.len()).unwrap_or(u16::MAX);
        let mut failed = decision.events.len() > usize::from(u16::MAX);
        for (part, event) in (0..).zip(decision.events) {
            let entry = Entry {
                schema: event.version(),
                author: self.author.clone(),
                origin: origin.clone(),
                time: now.time,
                clock_trusted: now.trusted,
                business_date: decision.business_date,
                command: key,
                part,
                parts,
                event,
            };
            failed |=
                entry.encode_into(&mut group.bytes).is_err() || group.bytes.len() - bytes_before > MOST_BYTES;
            if failed {
                break;
            }
            group.ends.push(group.bytes.len());
            group.entries.push(entry);
        }
        if failed {
            group.entries.truncate(first);
            group.bytes.truncate(bytes_before);
            group.ends.truncate(ends_before);
            return answer(reply, Err(too_large().into()));
        }
        let mut events = Vec::with_capacity(usize::from(parts));
        for entry in group.entries.iter().skip(first) {
            self.ahead.apply(&entry.event, entry.time, entry.business_date);
            if let Event::Sale { sale, .. } = &entry.event {
                if sale.status.is_pending() {
                    group.closed.remove(&sale.id);
                } else {
                    group.closed.insert(sale.id, sale.clone());
                }
            }
            events.push(Arc::new(entry.event.clone()));
        }
        self.shared.time.recorded();
        let index = group.members.len();
        if let Some(id) = key {
            group.by_key.insert(id.key, index);
        }
        if let Some(id) = begins {
            group.begun.insert(id, index);
        }
        group.erased.extend(erases);
        group.ordinary |= !closes;
        let last = group.entries.len() - 1;
        group.members.push(Member { key, reply, again: Vec::new(), events, last });
    }

    /// A refund makes a sale of its own, whose id must never have been used.
    fn check_new_ids(&self, command: &Command, group: &Group) -> Result<(), SubmitError> {
        let Command::ChangeSale { change: Change::Refund { id, .. }, .. } = command else { return Ok(()) };
        if group.begun.contains_key(id) || group.closed.contains_key(id) {
            return Err(id_used(*id).into());
        }
        match self.shared.views.get_unique(&views::sale_first(*id)) {
            Found::Yes(_) => Err(id_used(*id).into()),
            Found::No => Ok(()),
            Found::Unsure => Err(still_indexing()),
        }
    }

    /// The sale that the command names, if it is not open.
    fn closed_sale(
        &self,
        command: &Command,
        keyed: bool,
        group: &Group,
    ) -> Result<Option<Arc<Sale>>, ReadError> {
        let Some(id) = command.sale().filter(|id| !self.ahead.open_sales.contains_key(id)) else {
            return Ok(None);
        };
        if let Some(sale) = group.closed.get(&id) {
            return Ok(Some(sale.clone()));
        }
        // A sale that came with a key was looked for already, and is new.
        if keyed && matches!(command, Command::Sell(_)) { Ok(None) } else { self.shared.closed_sale(id) }
    }

    /// Writes the group and answers its members. An error means that the disk is not to be trusted any more: nobody is
    /// answered, the process must end.
    fn commit(&mut self, group: Group) -> Result<(), AppendError> {
        let mut bodies = Vec::with_capacity(group.ends.len());
        let mut start = 0;
        for end in &group.ends {
            bodies.push(group.bytes.get(start..*end).unwrap_or_default());
            start = *end;
        }
        let room = if group.ordinary { Room::Ordinary } else { Room::Reserve };
        let started = Instant::now();
        let appended = match self.journal.append(&bodies, room) {
            Ok(appended) => appended,
            Err(error @ (AppendError::SyncFailed(_) | AppendError::Poisoned | AppendError::NoEpoch)) => {
                tracing::error!("{error}");
                return Err(error);
            }
            Err(error) => {
                self.discard(group, &error);
                return Ok(());
            }
        };
        self.tight = false;
        let figures = &self.shared.figures;
        figures.commit_seconds.observe(started.elapsed().as_secs_f64());
        figures.group_records.observe(group.entries.len() as f64);
        figures.committed.inc_by(group.members.len() as u64);
        // The views first: a sale that is no longer open must be found there.
        let records = group.entries.iter().zip(appended.locators.iter().copied());
        self.shared.views.add(records, appended.head.evidence());
        {
            let mut committed = self.shared.committed.write().unwrap_or_else(PoisonError::into_inner);
            for entry in &group.entries {
                committed.apply(&entry.event, entry.time, entry.business_date);
            }
        }
        for id in &group.erased {
            if let Err(error) = self.shared.keys.erase(pos_journal::Subject(*id.as_bytes())) {
                // The event stands; the next start erases again.
                self.shared.alarm(format!("a customer's key could not be destroyed yet: {error}"));
            }
        }
        self.tell(group, appended.first);
        Ok(())
    }

    fn tell(&self, group: Group, first: pos_journal::Position) {
        let at = |index: usize| pos_journal::Position { seq: first.seq + index as u64, ..first };
        let listened_to = self.shared.happenings.receiver_count() > 0;
        let mut index = 0;
        for member in group.members {
            for event in &member.events {
                if listened_to {
                    let time = group.entries.get(index).map_or(Millis::default(), |entry| entry.time);
                    let happening = Happening { position: at(index), time, event: event.clone() };
                    // Nobody may have been listening after all.
                    let _ = self.shared.happenings.send(Arc::new(happening));
                }
                index += 1;
            }
            let done = Done {
                position: Some(at(member.last)),
                events: member.events,
                repeated: false,
                same_sale: false,
            };
            for (reply, same_sale) in member.again {
                self.shared.figures.repeated.inc();
                answer(reply, Ok(Done { repeated: true, same_sale, ..done.clone() }));
            }
            answer(member.reply, Ok(done));
        }
    }

    /// The group found no room: as if it had never been.
    fn discard(&mut self, group: Group, error: &AppendError) {
        tracing::warn!("{error}");
        self.shared.figures.no_space.inc();
        self.tight = true;
        self.ahead = self.shared.committed.read().unwrap_or_else(PoisonError::into_inner).clone();
        for member in group.members {
            let refused = || SubmitError::NoSpace(error.to_string());
            for (reply, _) in member.again {
                answer(reply, Err(refused()));
            }
            answer(member.reply, Err(refused()));
        }
    }
}

/// Position and hash of the journal's end, as a Z has them; nothing before the first record.
struct HeadInWords(Option<Head>);

impl fmt::Display for HeadInWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(head) = &self.0 else { return Ok(()) };
        write!(f, "{} ", head.position)?;
        head.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How a command came before.
enum Again {
    /// In this group; `true`: the same sale under another key.
    Member(usize, bool),
    /// In the journal.
    Done(Done),
}

fn answer(reply: Reply, result: Result<Done, SubmitError>) {
    // Whoever asked may have gone; what was decided stands all the same.
    let _ = reply.send(result);
}

fn read_failed(error: ReadError) -> SubmitError {
    SubmitError::NotReady(error.to_string())
}

fn still_indexing() -> SubmitError {
    SubmitError::NotReady(
        "Whether this came before is not known until the index is made; ask again in a few seconds.".into(),
    )
}

fn id_used(id: Uuid) -> Refusal {
    Refusal {
        kind: RefusalKind::Impossible,
        code: "duplicate-id",
        detail: format!("There is a transaction {id} already. Use a new id."),
    }
}

fn too_large() -> Refusal {
    Refusal {
        kind: RefusalKind::Impossible,
        code: "too-large",
        detail: "This is more than one change may be; split it.".into(),
    }
}
