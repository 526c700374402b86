//! Sheets that are not on paper yet, for people: looked at, taken back, printed elsewhere, settled.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use pos_domain::command::{Command, PrintWish};
use pos_domain::event::{PrintJob, PrintOutcome};
use pos_domain::time::Millis;
use thiserror::Error;
use uuid::Uuid;

use super::queue::{NotWithdrawn, Queue};
use crate::checkout::{CommandKey, Done, Origin, Shop, SubmitError};
use crate::peripherals::condition::Asked;

/// How far a sheet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintState {
    /// It waits, or is being printed.
    Pending,
    /// It ended so.
    Ended(PrintOutcome),
}

/// A sheet that is not, or perhaps not, on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintView {
    /// What it is.
    pub job: PrintJob,
    /// How far it is.
    pub state: PrintState,
    /// Why, in words.
    pub detail: String,
    /// When it ended.
    pub ended: Option<Millis>,
}

/// Why nothing was done about a sheet.
#[derive(Debug, Error)]
pub enum JobError {
    /// It is being sent just now.
    #[error("Job {0} is being printed just now; wait for its outcome.")]
    Sending(Uuid),
    /// There is no printer of this name.
    #[error("There is no printer called {0}; look at GET /api/v1/devices.")]
    NoPrinter(String),
    /// The shop refused it.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

/// The sheets of all printers. A cheap handle.
#[derive(Clone)]
pub struct Jobs {
    shop: Shop,
    queues: Arc<RwLock<BTreeMap<String, Arc<Queue>>>>,
}

impl Jobs {
    /// No printers.
    #[must_use]
    pub fn none(shop: Shop) -> Self {
        Self { shop, queues: Arc::default() }
    }

    pub(in crate::peripherals) fn add(&self, printer: &str, queue: Arc<Queue>) {
        self.queues.write().unwrap_or_else(PoisonError::into_inner).insert(printer.to_owned(), queue);
    }

    pub(in crate::peripherals) fn remove(&self, printer: &str) -> Option<Arc<Queue>> {
        self.queues.write().unwrap_or_else(PoisonError::into_inner).remove(printer)
    }

    /// The printer's queue, if there is such a printer.
    pub(in crate::peripherals) fn queue(&self, printer: &str) -> Option<Arc<Queue>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner).get(printer).cloned()
    }

    /// What is not on paper, the oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<PrintView> {
        let state = self.shop.state();
        let pending = state.printing.values().map(|job| PrintView {
            job: job.clone(),
            state: PrintState::Pending,
            detail: String::new(),
            ended: None,
        });
        let left = state.unprinted.values().map(|left| PrintView {
            job: left.job.clone(),
            state: PrintState::Ended(left.outcome),
            detail: left.detail.clone(),
            ended: Some(left.at),
        });
        let mut all: Vec<_> = pending.chain(left).collect();
        all.sort_by_key(|view| view.job.id);
        all
    }

    /// Takes a waiting sheet back, or settles one that ended unprinted.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn cancel(&self, job: Uuid, key: Option<CommandKey>) -> Result<Done, JobError> {
        self.withdraw(job)?;
        self.carry_out(job, key, Command::SettlePrint(job)).await
    }

    /// Prints a sheet again that ended unprinted, or moves one that waits: on the same or another printer. Where nobody
    /// knows what is on the paper already, the new one is marked COPY.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn retry(
        &self,
        job: Uuid,
        printer: Option<&str>,
        key: Option<CommandKey>,
    ) -> Result<Done, JobError> {
        if let Some(printer) = printer.filter(|printer| self.queue(printer).is_none()) {
            return Err(JobError::NoPrinter(printer.to_owned()));
        }
        let waits = self.withdraw(job)?.map(|pending| (pending, PrintOutcome::NotPrinted));
        let left = || {
            let state = self.shop.state();
            state.unprinted.get(&job).map(|left| (left.job.clone(), left.outcome))
        };
        let wish = match waits.or_else(left) {
            Some((old, outcome)) => PrintWish {
                id: Uuid::now_v7(),
                sale: old.sale,
                printer: printer.map_or(old.printer, str::to_owned),
                sheet: old.sheet,
                copy: old.copy || outcome == PrintOutcome::Unknown,
                may_kick: false,
                instead_of: Some(job),
            },
            // A request that comes again finds nothing left, and is answered by its key.
            None => PrintWish {
                instead_of: Some(job),
                ..PrintWish::receipt(Uuid::now_v7(), Uuid::nil(), printer.unwrap_or("none"))
            },
        };
        self.carry_out(job, key, Command::AskPrint(wish)).await
    }

    /// Submits to the end, also when who asked has gone. What is refused leaves a sheet that waited waiting.
    async fn carry_out(
        &self,
        job: Uuid,
        key: Option<CommandKey>,
        command: Command,
    ) -> Result<Done, JobError> {
        let jobs = self.clone();
        let carried = tokio::spawn(async move {
            let done = jobs.shop.submit(key, command, Origin::default()).await;
            let still = jobs.shop.state().printing.get(&job).cloned();
            if let Some(job) = still.filter(|_| done.is_err())
                && let Some(queue) = jobs.queue(&job.printer)
            {
                // Full: it has no outcome until the next start.
                let _ = queue.push(Asked { job, at: jobs.shop.uptime() });
            }
            done
        });
        Ok(carried.await.unwrap_or(Err(SubmitError::OutcomeUnknown))?)
    }

    /// Takes a sheet out of its queue; `None`: it is not pending. One that no queue has is nobody's.
    fn withdraw(&self, job: Uuid) -> Result<Option<PrintJob>, JobError> {
        let Some(pending) = self.shop.state().printing.get(&job).cloned() else { return Ok(None) };
        match self.queue(&pending.printer).map_or(Err(NotWithdrawn::Unknown), |queue| queue.withdraw(job)) {
            Ok(()) | Err(NotWithdrawn::Unknown) => Ok(Some(pending)),
            Err(NotWithdrawn::Sending) => Err(JobError::Sending(job)),
        }
    }
}
