//! What waits for one printer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pos_domain::event::{DrawerJob, PrintJob};
use tokio::sync::Notify;
use uuid::Uuid;

/// Sheets that may wait. The next one is refused: not printed.
pub(super) const MOST: usize = 1_000;
/// Openings of the drawer that may wait.
const MOST_OPENINGS: usize = 16;

/// What the worker does next.
#[derive(Debug)]
pub(super) enum Next {
    /// Open the drawer.
    Open(DrawerJob),
    /// Print.
    Print(PrintJob),
}

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
    openings: VecDeque<DrawerJob>,
    jobs: VecDeque<PrintJob>,
    /// The job that the worker has in its hands.
    current: Option<Uuid>,
    /// Whether bytes of it may be on their way.
    sending: bool,
}

/// A printer's queue. Drawers go before sheets: somebody stands there with money in the hand.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

impl Queue {
    /// Adds a sheet; gives it back where too many wait.
    pub(crate) fn push(&self, job: PrintJob) -> Result<(), PrintJob> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= MOST {
            return Err(job);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Adds an opening; gives it back where too many wait.
    pub(crate) fn open(&self, job: DrawerJob) -> Result<(), DrawerJob> {
        let mut waiting = self.lock();
        if waiting.openings.len() >= MOST_OPENINGS {
            return Err(job);
        }
        waiting.openings.push_back(job);
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits for work. Safe to cancel.
    pub(super) async fn next(&self) -> Next {
        loop {
            {
                let mut waiting = self.lock();
                if let Some(job) = waiting.openings.pop_front() {
                    return Next::Open(job);
                }
                if let Some(job) = waiting.jobs.pop_front() {
                    (waiting.current, waiting.sending) = (Some(job.id), false);
                    return Next::Print(job);
                }
            }
            self.bell.notified().await;
        }
    }

    /// An opening that came while the worker waits with a sheet.
    pub(super) fn opening(&self) -> Option<DrawerJob> {
        self.lock().openings.pop_front()
    }

    /// Waits until something was added. Safe to cancel.
    pub(super) async fn bell(&self) {
        self.bell.notified().await;
    }

    /// Whether the worker may send its job now; from then on nobody can take it back. `false`: it was taken back.
    pub(super) fn begin(&self, job: Uuid) -> bool {
        let mut waiting = self.lock();
        waiting.sending = waiting.current == Some(job);
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
        let mut waiting = self.lock();
        (waiting.current, waiting.sending) = (None, false);
    }

    /// The job whose worker broke down.
    pub(super) fn orphan(&self) -> Option<Uuid> {
        let mut waiting = self.lock();
        waiting.sending = false;
        waiting.current.take()
    }

    /// Takes a job back that nothing was sent of.
    pub(super) fn withdraw(&self, job: Uuid) -> Result<(), NotWithdrawn> {
        let mut waiting = self.lock();
        if waiting.current == Some(job) {
            if waiting.sending {
                return Err(NotWithdrawn::Sending);
            }
            waiting.current = None;
            drop(waiting);
            self.bell.notify_one();
            return Ok(());
        }
        let at = waiting.jobs.iter().position(|waiting| waiting.id == job).ok_or(NotWithdrawn::Unknown)?;
        waiting.jobs.remove(at);
        Ok(())
    }

    /// Everything that waits, at the end of the day.
    pub(super) fn drain(&self) -> (Vec<DrawerJob>, Vec<PrintJob>) {
        let mut waiting = self.lock();
        (waiting.openings.drain(..).collect(), waiting.jobs.drain(..).collect())
    }

    /// Sheets that wait, with the one in the worker's hands.
    pub(super) fn len(&self) -> usize {
        let waiting = self.lock();
        waiting.jobs.len() + usize::from(waiting.current.is_some())
    }

    /// A panic elsewhere leaves the queue between two whole steps.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pos_domain::event::{DrawerReason, Sheet};
    use pos_domain::time::Millis;

    fn job(id: u128) -> PrintJob {
        PrintJob {
            id: Uuid::from_u128(id),
            sale: Uuid::nil(),
            printer: "receipts".into(),
            copy: false,
            kick: false,
            at: Millis(0),
            sheet: Sheet::Receipt,
            instead_of: None,
        }
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
        queue.open(opening).unwrap();
        assert!(matches!(queue.next().await, Next::Open(_)));
        assert!(matches!(queue.next().await, Next::Print(job) if job.id.as_u128() == 1));
    }

    #[tokio::test]
    async fn a_job_can_be_taken_back_until_it_is_sent() {
        let queue = Queue::default();
        let id = |id| Uuid::from_u128(id);
        for number in 1..=3 {
            queue.push(job(number)).unwrap();
        }
        queue.next().await;
        assert_eq!(queue.withdraw(id(2)), Ok(()));
        assert_eq!(queue.withdraw(id(2)), Err(NotWithdrawn::Unknown));
        assert!(queue.begin(id(1)));
        assert_eq!(queue.withdraw(id(1)), Err(NotWithdrawn::Sending));
        queue.wait();
        assert_eq!((queue.len(), queue.withdraw(id(1))), (2, Ok(())));
        assert!(!queue.begin(id(1)), "the worker finds that it was taken back");
        assert!(matches!(queue.next().await, Next::Print(job) if job.id == id(3)));
        queue.done();
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_printer_that_nobody_feeds_is_no_reason_to_grow() {
        let queue = Queue::default();
        assert!((0..MOST as u128).all(|number| queue.push(job(number)).is_ok()));
        assert_eq!(queue.push(job(9_999)).unwrap_err().id.as_u128(), 9_999);
    }
}
