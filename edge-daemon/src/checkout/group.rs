//! A group: commands that were decided one upon another, and go to the disk with one write and one sync. Only then have
//! they happened, and are answered.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use pos_domain::event::Event;
use pos_domain::sale::Sale;
use pos_journal::codec::{CommandKey, Entry};
use pos_journal::{AppendError, KeyError, Position, Room};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::shop::{DiskNews, Done, Happening, SubmitError};
use super::writer::Writer;

/// How often readers are told how the disk is doing.
const NEWS_EVERY: Duration = Duration::from_millis(500);

pub(super) type Reply = oneshot::Sender<Result<Done, SubmitError>>;

pub(super) fn answer(reply: Reply, result: Result<Done, SubmitError>) {
    // Whoever asked may have gone; what was decided stands all the same.
    let _ = reply.send(result);
}

/// A command of a group.
pub(super) struct Member {
    pub(super) key: Option<CommandKey>,
    pub(super) reply: Reply,
    /// The same request, come again meanwhile; `true`: the same sale under another key.
    pub(super) again: Vec<(Reply, bool)>,
    pub(super) events: Vec<Arc<Event>>,
    /// The group's records up to and with its own.
    pub(super) end: usize,
}

/// What one sync makes durable.
#[derive(Default)]
pub(super) struct Group {
    pub(super) members: Vec<Member>,
    pub(super) entries: Vec<Entry>,
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
    pub(super) by_key: HashMap<[u8; 16], usize>,
    /// Sales that began in this group, by member.
    pub(super) begun: HashMap<Uuid, usize>,
    /// Sales that are no longer open since this group.
    pub(super) closed: HashMap<Uuid, Arc<Sale>>,
    pub(super) erased: Vec<Uuid>,
    pub(super) ordinary: bool,
}

impl Group {
    /// Commands in it.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// It never was.
    fn refuse(self, error: &SubmitError) {
        for member in self.members {
            for (reply, _) in member.again {
                answer(reply, Err(error.clone()));
            }
            answer(member.reply, Err(error.clone()));
        }
    }
}

impl Writer {
    /// Writes the group and answers its members. An error means that the disk is not to be trusted any more: nobody is
    /// answered, the process must end.
    pub(super) fn commit(&mut self, group: Group) -> Result<(), AppendError> {
        if group.entries.is_empty() {
            self.tell(group, None);
            self.tell_news();
            return Ok(());
        }
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
                tracing::warn!("{error}");
                self.shared.figures.no_space.inc();
                self.tight = true;
                self.ahead = self.shared.committed.read().unwrap_or_else(PoisonError::into_inner).clone();
                group.refuse(&SubmitError::NoSpace(error.to_string()));
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
                // The event stands; housekeeping tries again, and so does the next start.
                self.shared.alarm(format!("a customer's key could not be destroyed yet: {error}"));
                if matches!(error, KeyError::SyncFailed(_) | KeyError::Poisoned) {
                    self.shared.fatal.store(true, Ordering::Release);
                }
                self.shared.unerased.lock().unwrap_or_else(PoisonError::into_inner).push(*id);
            }
        }
        self.tell(group, Some(appended.first));
        self.tell_news();
        Ok(())
    }

    /// Answers; `first` is the position of the group's first record.
    fn tell(&self, group: Group, first: Option<Position>) {
        let at = |index: usize| first.map(|first| Position { seq: first.seq + index as u64, ..first });
        let listened_to = self.shared.happenings.receiver_count() > 0;
        for member in group.members {
            let begin = member.end - member.events.len();
            for (index, event) in (begin..).zip(&member.events).filter(|_| listened_to) {
                if let (Some(position), Some(entry)) = (at(index), group.entries.get(index)) {
                    let happening = Happening { position, time: entry.time, event: event.clone() };
                    // Nobody may be listening after all.
                    let _ = self.shared.happenings.send(Arc::new(happening));
                }
            }
            let position = (begin < member.end).then(|| at(member.end - 1)).flatten();
            let done = Done { position, events: member.events, repeated: false, same_sale: false };
            for (reply, same_sale) in member.again {
                self.shared.figures.repeated.inc();
                answer(reply, Ok(Done { repeated: true, same_sale, ..done.clone() }));
            }
            answer(member.reply, Ok(done));
        }
    }

    /// Tells readers how the disk is doing, now and then.
    pub(super) fn tell_news(&mut self) {
        if self.told.is_some_and(|told| told.elapsed() < NEWS_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        if let Ok(condition) = self.journal.condition() {
            *self.shared.disk.lock().unwrap_or_else(PoisonError::into_inner) = DiskNews {
                journal_bytes: condition.bytes,
                segments: condition.segments,
                disk_free: condition.free_bytes,
                spare_ready: condition.spare_ready,
            };
        }
    }
}
