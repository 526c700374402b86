//! What waits for one printer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pos_domain::event::{DrawerJob, PrintJob};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::peripherals::condition::Asked;

/// Sheets that may wait. The next one is refused: not printed.
pub(super) const MOST: usize = 1_000;
/// Openings of the drawer that may wait.
const MOST_OPENINGS: usize = 16;

/// What the worker does next.
#[derive(Debug)]
pub(super) enum Next {
    /// Open the drawer.
    Open(Asked<DrawerJob>),
    /// Print.
    Print(Asked<PrintJob>),
}

/// Too much waits already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Why a job cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotWithdrawn {
    /// It is being sent: nobody knows how it will end.
    Sending,
    /// It does not wait here.
    Unknown,
}

#[derive(Debug, Default)]
struct Waiting {
    openings: VecDeque<Asked<DrawerJob>>,
    jobs: VecDeque<Asked<PrintJob>>,
    /// The opening that the worker is about.
    opening: Option<Uuid>,
    /// The sheet that the worker has in its hands.
    current: Option<Asked<PrintJob>>,
    /// Whether bytes of it may be on their way.
    sending: bool,
    /// Where all goes that nothing was sent of, once another printer has taken this one's place.
    successor: Option<Arc<Queue>>,
}

/// What a worker had in its hands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Orphans {
    /// The opening that it was about.
    pub(super) opening: Option<Uuid>,
    /// The sheet that it printed.
    pub(super) sheet: Option<Uuid>,
}

/// A printer's queue. Drawers go before sheets: somebody stands there with money in the hand.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    bell: Notify,
    /// Sheets that wait, with the one in the worker's hands.
    count: watch::Sender<usize>,
}

impl Queue {
    /// Adds a sheet, unless too many wait. One that is here already stays where it is.
    pub(crate) fn push(&self, job: Asked<PrintJob>) -> Result<(), Full> {
        self.change(|waiting| {
            let held = waiting.current.iter().chain(&waiting.jobs).any(|held| held.job.id == job.job.id);
            if held {
                return Ok(());
            }
            if waiting.jobs.len() >= MOST {
                return Err(Full);
            }
            waiting.jobs.push_back(job);
            Ok(())
        })?;
        self.bell.notify_one();
        Ok(())
    }

    /// Adds an opening, unless too many wait.
    pub(crate) fn open(&self, job: Asked<DrawerJob>) -> Result<(), Full> {
        let mut waiting = self.lock();
        if waiting.openings.len() >= MOST_OPENINGS {
            return Err(Full);
        }
        waiting.openings.push_back(job);
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits for work. Safe to cancel.
    pub(super) async fn next(&self) -> Next {
        loop {
            if let Some(job) = self.opening() {
                return Next::Open(job);
            }
            let next = self.change(|waiting| {
                let job = waiting.jobs.pop_front()?;
                (waiting.current, waiting.sending) = (Some(job.clone()), false);
                Some(job)
            });
            if let Some(job) = next {
                return Next::Print(job);
            }
            self.bell.notified().await;
        }
    }

    /// The next opening, also while the worker waits with a sheet.
    pub(super) fn opening(&self) -> Option<Asked<DrawerJob>> {
        let mut waiting = self.lock();
        let next = waiting.openings.pop_front();
        waiting.opening = next.as_ref().map(|next| next.job.id);
        next
    }

    /// The worker's opening has its outcome.
    pub(super) fn opened(&self) {
        self.lock().opening = None;
    }

    /// Waits until something was added or taken back. Safe to cancel.
    pub(super) async fn bell(&self) {
        self.bell.notified().await;
    }

    /// Whether the worker may send its job now; from then on nobody can take it back. `false`: it was taken back.
    pub(super) fn begin(&self, job: Uuid) -> bool {
        let mut waiting = self.lock();
        waiting.sending = waiting.current.as_ref().is_some_and(|current| current.job.id == job);
        waiting.sending
    }

    /// The attempt came to nothing; the job waits in the worker's hands.
    pub(super) fn wait(&self) {
        self.lock().sending = false;
    }

    /// Whether the worker's job was taken back.
    pub(super) fn is_free(&self) -> bool {
        self.lock().current.is_none()
    }

    /// The worker's job has its outcome.
    pub(super) fn done(&self) {
        self.change(|waiting| (waiting.current, waiting.sending) = (None, false));
    }

    /// What a worker that broke down had in its hands.
    pub(super) fn orphans(&self) -> Orphans {
        self.change(|waiting| {
            waiting.sending = false;
            let sheet = waiting.current.take().map(|current| current.job.id);
            Orphans { opening: waiting.opening.take(), sheet }
        })
    }

    /// Puts a sheet first, that was taken back by mistake.
    pub(super) fn put_back(&self, job: Asked<PrintJob>) {
        let successor = self.change(|waiting| {
            waiting.jobs.push_front(job);
            waiting.successor.clone()
        });
        match successor {
            Some(successor) => self.hand_over(&successor),
            None => self.bell.notify_one(),
        }
    }

    /// Takes a job back that nothing was sent of.
    pub(super) fn withdraw(&self, job: Uuid) -> Result<Asked<PrintJob>, NotWithdrawn> {
        let taken = self.change(|waiting| {
            if waiting.current.as_ref().is_some_and(|current| current.job.id == job) {
                if waiting.sending {
                    return Err(NotWithdrawn::Sending);
                }
                return waiting.current.take().ok_or(NotWithdrawn::Unknown);
            }
            let at = waiting.jobs.iter().position(|waiting| waiting.job.id == job);
            at.and_then(|at| waiting.jobs.remove(at)).ok_or(NotWithdrawn::Unknown)
        })?;
        self.bell.notify_one();
        Ok(taken)
    }

    /// Gives all that nothing was sent of to the queue of the printer that takes this one's place, in its order; what is being
    /// sent and comes to nothing follows, by [`Queue::leave`].
    pub(crate) fn hand_over(&self, to: &Arc<Self>) {
        let (mut sheets, openings) = self.change(|waiting| {
            waiting.successor = Some(to.clone());
            let mut sheets = std::mem::take(&mut waiting.jobs);
            if !waiting.sending
                && let Some(current) = waiting.current.take()
            {
                sheets.push_front(current);
            }
            (sheets, std::mem::take(&mut waiting.openings))
        });
        // In front of what is new there.
        to.change(|waiting| {
            sheets.append(&mut waiting.jobs);
            waiting.jobs = sheets;
            waiting.openings.extend(openings);
        });
        self.bell.notify_one();
        to.bell.notify_one();
    }

    /// The worker ends: everything that waits, where nobody has taken its place.
    pub(super) fn leave(&self) -> (Vec<Asked<DrawerJob>>, Vec<Asked<PrintJob>>) {
        self.wait();
        let successor = self.lock().successor.clone();
        if let Some(successor) = successor {
            self.hand_over(&successor);
        }
        self.change(|waiting| {
            let sheets = waiting.current.take().into_iter().chain(waiting.jobs.drain(..));
            (waiting.openings.drain(..).collect(), sheets.collect())
        })
    }

    /// Sheets that wait, with the one in the worker's hands; and each time that it is another number.
    pub(super) fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Changes what waits, and tells how much it is then.
    fn change<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        let mut waiting = self.lock();
        let changed = change(&mut waiting);
        let now = waiting.jobs.len() + usize::from(waiting.current.is_some());
        self.count.send_if_modified(|count| std::mem::replace(count, now) != now);
        changed
    }

    /// A panic elsewhere leaves the queue between two whole steps.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use pos_domain::event::{DrawerReason, Sheet};
    use pos_domain::time::Millis;

    fn job(id: u128) -> Asked<PrintJob> {
        let job = PrintJob {
            id: Uuid::from_u128(id),
            sale: Uuid::nil(),
            printer: "receipts".into(),
            copy: false,
            kick: false,
            at: Millis(0),
            sheet: Sheet::Receipt,
            instead_of: None,
        };
        Asked { job, at: Duration::ZERO }
    }

    fn count(queue: &Queue) -> usize {
        *queue.count().borrow()
    }

    #[tokio::test]
    async fn a_drawer_goes_before_sheets() {
        let queue = Queue::default();
        queue.push(job(1)).unwrap();
        let reason = DrawerReason::Asked("change".into());
        let opening = DrawerJob {
            id: Uuid::from_u128(2),
            drawer: "front".into(),
            terminal: None,
            reason,
            at: Millis(0),
        };
        queue.open(Asked { job: opening, at: Duration::ZERO }).unwrap();
        assert!(matches!(queue.next().await, Next::Open(_)));
        assert!(matches!(queue.next().await, Next::Print(next) if next.job.id.as_u128() == 1));
    }

    #[tokio::test]
    async fn a_job_can_be_taken_back_until_it_is_sent() {
        let queue = Queue::default();
        let id = |id| Uuid::from_u128(id);
        for number in 1..=3 {
            queue.push(job(number)).unwrap();
        }
        queue.next().await;
        assert_eq!(queue.withdraw(id(2)), Ok(job(2)));
        assert_eq!(queue.withdraw(id(2)), Err(NotWithdrawn::Unknown));
        assert!(queue.begin(id(1)));
        assert_eq!(queue.withdraw(id(1)), Err(NotWithdrawn::Sending));
        queue.wait();
        assert_eq!((count(&queue), queue.withdraw(id(1))), (2, Ok(job(1))));
        assert!(!queue.begin(id(1)), "the worker finds that it was taken back");
        assert!(matches!(queue.next().await, Next::Print(next) if next.job.id == id(3)));
        queue.done();
        assert_eq!(count(&queue), 0);
    }

    #[test]
    fn a_printer_that_nobody_feeds_is_no_reason_to_grow() {
        let queue = Queue::default();
        assert!((0..MOST as u128).all(|number| queue.push(job(number)).is_ok()));
        assert_eq!(queue.push(job(9_999)), Err(Full));
    }

    #[tokio::test]
    async fn what_nothing_was_sent_of_goes_to_the_printer_that_takes_its_place() {
        let (old, new) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
        (1..=3).for_each(|number| old.push(job(number)).unwrap());
        new.push(job(4)).unwrap();
        old.next().await;
        old.hand_over(&new);
        assert!(!old.begin(Uuid::from_u128(1)), "the old worker finds that it was taken away");
        assert_eq!((count(&old), count(&new)), (0, 4));
        let sent = new.next().await;
        assert!(matches!(&sent, Next::Print(next) if next.job.id.as_u128() == 1), "{sent:?}");
        assert!(new.begin(Uuid::from_u128(1)));
        let third = Arc::new(Queue::default());
        new.hand_over(&third);
        assert_eq!((count(&third), count(&new)), (3, 1), "what is being sent stays");
        // It came to nothing.
        assert_eq!(new.leave(), (Vec::new(), Vec::new()));
        assert!(matches!(third.next().await, Next::Print(next) if next.job.id.as_u128() == 1));
        third.push(job(1)).unwrap();
        assert_eq!(count(&third), 4, "it is there once");
        assert!(third.begin(Uuid::from_u128(1)));
        assert_eq!(third.orphans(), Orphans { opening: None, sheet: Some(Uuid::from_u128(1)) });
        assert_eq!(third.leave().1, [job(2), job(3), job(4)]);
    }
}
