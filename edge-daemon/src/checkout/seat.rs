//! Who decides and writes: at any moment one, whoever holds the seat.
//!
//! Mostly that is a thread, which takes all commands that wait in the inbox as one group. When the shop is quiet, the
//! caller takes the seat for its own command: on the way to the thread and back it would wait for two threads to wake,
//! which takes longer than deciding. It waits for the disk itself then, and with it whatever else its thread serves: so
//! only where the disk was quick the last time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use pos_domain::state::State;
use pos_journal::{Disk, Journal};

use super::group::Group;
use super::shop::{Job, Shared, SubmitError};
use super::writer::Writer;

/// Commands that may wait.
const MOST_WAITING: usize = 8_192;
/// How long the thread sleeps when nothing comes; its pulse for the watchdog.
const PULSE: Duration = Duration::from_millis(500);

/// A group that was on disk within this time came from a quick disk.
const QUICK: Duration = Duration::from_millis(2);

/// What is left in the end: the journal to be closed, and the state to be kept in a checkpoint.
pub(super) struct Ended {
    pub(super) journal: Journal<Disk>,
    pub(super) state: State,
}

/// The writer's seat, and the inbox beside it. Locks are taken in this order: writer, inbox.
pub(super) struct Seat {
    shared: Arc<Shared>,
    /// `None`: the disk failed, or it is over.
    writer: Mutex<Option<Writer>>,
    inbox: Mutex<Inbox>,
    /// Something came.
    bell: Condvar,
    /// The last group was of one command, and quickly on disk.
    quiet: AtomicBool,
}

/// Commands that wait.
#[derive(Default)]
struct Inbox {
    jobs: VecDeque<Box<Job>>,
    stopped: bool,
    /// The thread waits for the bell.
    asleep: bool,
}

impl Seat {
    pub(super) fn new(writer: Writer) -> Self {
        Self {
            shared: writer.shared.clone(),
            writer: Mutex::new(Some(writer)),
            inbox: Mutex::default(),
            bell: Condvar::new(),
            quiet: AtomicBool::new(true),
        }
    }

    /// Puts a command into the inbox.
    pub(super) fn put(&self, job: Box<Job>) -> Result<(), SubmitError> {
        let Ok(mut inbox) = self.inbox.lock() else { return Err(SubmitError::Stopping) };
        if inbox.stopped {
            return Err(SubmitError::Stopping);
        }
        if inbox.jobs.len() >= MOST_WAITING {
            return Err(SubmitError::NotReady("The box is busy; ask again in a second.".into()));
        }
        inbox.jobs.push_back(job);
        self.ring(inbox);
        Ok(())
    }

    /// Takes no more commands; those that wait are carried out, then the thread ends.
    pub(super) fn stop(&self) {
        if let Ok(mut inbox) = self.inbox.lock() {
            inbox.stopped = true;
            self.ring(inbox);
        }
    }

    fn ring(&self, mut inbox: MutexGuard<'_, Inbox>) {
        if std::mem::take(&mut inbox.asleep) {
            drop(inbox);
            self.bell.notify_one();
        }
    }

    /// Whether [`Seat::at_once`] is likely to be worth a try.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    /// Has the command decided, written and answered by the calling thread. Gives it back if somebody else has the seat.
    pub(super) fn at_once(&self, job: Box<Job>) -> Result<(), Box<Job>> {
        let Ok(mut seat) = self.writer.try_lock() else { return Err(job) };
        let Some(writer) = seat.as_mut() else { return Err(job) };
        let mut group = Group::default();
        writer.take(*job, &mut group);
        self.commit(&mut seat, group);
        Ok(())
    }

    /// The thread: runs until it is told to stop and nothing waits, or until the disk fails.
    pub(super) fn run(&self) {
        // A panic elsewhere has left half of a decision behind: only a start from the journal helps.
        if self.take_turns().is_none() {
            self.shared.fatal.store(true, Ordering::Release);
        }
    }

    /// `None`: a lock is poisoned, or the disk failed.
    fn take_turns(&self) -> Option<()> {
        loop {
            self.shared.ticks.fetch_add(1, Ordering::Relaxed);
            let mut inbox = self.inbox.lock().ok()?;
            if inbox.jobs.is_empty() {
                if inbox.stopped {
                    return Some(());
                }
                inbox.asleep = true;
                inbox = self.bell.wait_timeout(inbox, PULSE).ok()?.0;
            }
            drop(inbox);
            // Also when nothing came: who sits here and does not get on must be missed by the watchdog.
            let mut seat = self.writer.lock().ok()?;
            let writer = seat.as_mut()?;
            let mut group = Group::default();
            while writer.has_place(&group) {
                let mut inbox = self.inbox.lock().ok()?;
                let Some(job) = inbox.jobs.pop_front() else { break };
                if Writer::begins_group(&job.command) && !group.is_empty() {
                    inbox.jobs.push_front(job);
                    break;
                }
                drop(inbox);
                writer.take(*job, &mut group);
            }
            self.commit(&mut seat, group);
        }
    }

    fn commit(&self, seat: &mut Option<Writer>, group: Group) {
        let (alone, started) = (group.len() <= 1, Instant::now());
        if seat.as_mut().is_some_and(|writer| writer.commit(group).is_err()) {
            self.shared.fatal.store(true, Ordering::Release);
            *seat = None;
        }
        self.quiet.store(alone && started.elapsed() < QUICK, Ordering::Relaxed);
    }

    /// What is left, once the thread has ended; `None` if the disk failed.
    pub(super) fn end(&self) -> Option<Ended> {
        let writer = self.writer.lock().ok()?.take()?;
        Some(Ended { journal: writer.journal, state: writer.ahead })
    }
}
