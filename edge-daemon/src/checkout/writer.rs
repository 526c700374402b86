//! Deciding: commands are taken one after another, each decided against what was decided before it, and gathered into
//! groups. Nothing that is decided here has happened before its group is on disk (see [`super::group`]).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use pos_domain::command::Command;
use pos_domain::decide::{Context, Refusal, RefusalKind, decide};
use pos_domain::event::Event;
use pos_domain::sale::Sale;
use pos_domain::state::State;
use pos_domain::time::{Millis, Now, judge};
use pos_journal::codec::{Author, CommandKey, Entry};
use pos_journal::{Disk, Head, Journal};
use uuid::Uuid;

use super::group::{Group, Member, answer};
use super::reads::ReadError;
use super::shop::{Done, Job, Shared, SubmitError};
use crate::clock::Clock;
use crate::views::{self, Found};

/// Commands per group, and bytes after which no more are taken in.
const MOST_COMMANDS: usize = 512;
const ENOUGH_BYTES: usize = 4 << 20;
/// The most that a single command may write; with what came before it within a group of the journal.
const MOST_BYTES: usize = 27 << 20;
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

    pub(super) fn uptime(&self) -> Duration {
        Duration::from_millis(self.clock.read().monotonic.max(0).unsigned_abs())
    }

    fn recorded(&self) {
        self.last.store(self.clock.read().monotonic, Ordering::Relaxed);
    }
}

/// Decides; one at a time does (see [`super::seat`]).
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) author: Author,
    /// The committed state and what was decided since.
    pub(super) ahead: State,
    pub(super) journal: Journal<Disk>,
    /// The last group found no room.
    pub(super) tight: bool,
    /// When readers were told last how the disk is doing.
    pub(super) told: Option<Instant>,
}

impl Writer {
    /// Whether the group may take more commands in. After a group that found no room they go one by one, so that what
    /// closes the shop gets through.
    pub(super) fn has_place(&self, group: &Group) -> bool {
        let most = if self.tight { 1 } else { MOST_COMMANDS };
        group.members.len() < most && group.bytes.len() < ENOUGH_BYTES
    }

    /// Whether a command must be the first of its group: a Z names the last record before it.
    pub(super) fn begins_group(command: &Command) -> bool {
        matches!(command, Command::CloseShift { .. })
    }

    /// Decides a command into the group, or answers it at once.
    pub(super) fn take(&mut self, job: Job, group: &mut Group) {
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
        if let Err(error) = self.check_new_id(&command, group) {
            return answer(reply, Err(error));
        }
        let closed_sale = match self.closed_sale(&command, key.is_some(), group) {
            Ok(sale) => sale,
            Err(error) => return answer(reply, Err(read_failed(error))),
        };
        let begins = command.new_id();
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
        if !events.is_empty() {
            self.shared.time.recorded();
        }
        let index = group.members.len();
        if let Some(id) = key {
            group.by_key.insert(id.key, index);
        }
        if let Some(id) = begins {
            group.begun.insert(id, index);
        }
        group.erased.extend(erases);
        group.ordinary |= !closes;
        // One that changed nothing waits with the others: what it found may not have happened yet.
        group.members.push(Member { key, reply, again: Vec::new(), events, end: group.entries.len() });
    }

    /// What is made gets an id that was never used for the like. A sale that was sent again has been found before.
    fn check_new_id(&self, command: &Command, group: &Group) -> Result<(), SubmitError> {
        let Some(id) = command.new_id().filter(|_| !matches!(command, Command::Sell(_))) else {
            return Ok(());
        };
        if group.begun.contains_key(&id) || group.closed.contains_key(&id) {
            return Err(id_used(id).into());
        }
        let key = match command {
            Command::ChangeSale { .. } => views::sale_first(id),
            _ => views::made(id),
        };
        match self.shared.views.get_unique(&key) {
            Found::Yes(_) => Err(id_used(id).into()),
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
        detail: format!(
            "The id {id} is used already. Use a new one, or the same Idempotency-Key to ask again."
        ),
    }
}

fn too_large() -> Refusal {
    Refusal {
        kind: RefusalKind::Impossible,
        code: "too-large",
        detail: "This is more than one change may be; split it.".into(),
    }
}
