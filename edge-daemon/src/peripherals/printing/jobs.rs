//! Sheets that are not on paper yet, for people: looked at, taken back, printed elsewhere, settled.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

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
    queues: Arc<RwLock<Queues>>,
    /// Sheets that somebody is taking back. Held while a sheet is taken out of a queue or put into one: so that none is put in
    /// that was not found a moment before.
    taking_back: Arc<Mutex<HashSet<Uuid>>>,
}

/// A sheet that was taken out of a queue.
type Withdrawn = (Arc<Queue>, Asked<PrintJob>);

#[derive(Default)]
struct Queues {
    by_printer: BTreeMap<String, Arc<Queue>>,
    /// Those of printers that were taken away and have a sheet in their hands, perhaps.
    ending: Vec<Arc<Queue>>,
}

impl Jobs {
    /// No printers.
    #[must_use]
    pub fn none(shop: Shop) -> Self {
        Self { shop, queues: Arc::default(), taking_back: Arc::default() }
    }

    pub(in crate::peripherals) fn add(&self, printer: &str, queue: Arc<Queue>) {
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        queues.by_printer.insert(printer.to_owned(), queue);
    }

    /// The printer is taken away. What is being printed is still found, until [`Jobs::ended`].
    pub(in crate::peripherals) fn retire(&self, printer: &str) {
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        let retired = queues.by_printer.remove(printer);
        queues.ending.extend(retired);
    }

    /// The worker of a retired printer has ended.
    pub(in crate::peripherals) fn ended(&self, queue: &Arc<Queue>) {
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        queues.ending.retain(|ending| !Arc::ptr_eq(ending, queue));
    }

    /// Gives a sheet to its printer.
    ///
    /// # Errors
    /// Why it does not get there, in words.
    pub(in crate::peripherals) fn push(&self, sheet: Asked<PrintJob>) -> Result<(), String> {
        let taking_back = self.taking_back();
        if taking_back.contains(&sheet.job.id) {
            return Ok(());
        }
        let no_printer = || format!("there is no printer called {}", sheet.job.printer);
        let queue = self.queue(&sheet.job.printer).ok_or_else(no_printer)?;
        queue.push(sheet).map_err(|_| "too many sheets wait for the printer already".to_owned())
    }

    /// The printer's queue, if there is such a printer.
    pub(in crate::peripherals) fn queue(&self, printer: &str) -> Option<Arc<Queue>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner).by_printer.get(printer).cloned()
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
        let withdrawn = self.withdraw(job)?;
        self.carry_out(job, withdrawn, key, Command::SettlePrint(job)).await
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
        let withdrawn = self.withdraw(job)?;
        let pending = self.shop.state().printing.get(&job).cloned();
        let waits = pending.map(|pending| (pending, PrintOutcome::NotPrinted));
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
        self.carry_out(job, withdrawn, key, Command::AskPrint(wish)).await
    }

    /// Submits to the end, also when who asked has gone. What is refused leaves a sheet that waited waiting.
    async fn carry_out(
        &self,
        job: Uuid,
        withdrawn: Option<Withdrawn>,
        key: Option<CommandKey>,
        command: Command,
    ) -> Result<Done, JobError> {
        let jobs = self.clone();
        let carried = tokio::spawn(async move {
            let done = jobs.shop.submit(key, command, Origin::default()).await;
            let mut taking_back = jobs.taking_back();
            taking_back.remove(&job);
            let still = jobs.shop.state().printing.get(&job).cloned();
            let Some(still) = still.filter(|_| done.is_err()) else { return done };
            match withdrawn {
                Some((queue, sheet)) => queue.put_back(sheet),
                // Whoever was about to put it in has been kept from it.
                None => {
                    if let Some(queue) = jobs.queue(&still.printer) {
                        // Full: it has no outcome until the next start.
                        let _ = queue.push(Asked { job: still, at: jobs.shop.uptime() });
                    }
                }
            }
            done
        });
        Ok(carried.await.unwrap_or(Err(SubmitError::OutcomeUnknown))?)
    }

    /// Takes a sheet out of the queue that has it. `None`: no queue has it; it is on its way into one, and kept from it now, or
    /// it is nobody's. To be followed by [`Jobs::carry_out`].
    fn withdraw(&self, job: Uuid) -> Result<Option<Withdrawn>, JobError> {
        let mut taking_back = self.taking_back();
        if !self.shop.state().printing.contains_key(&job) {
            return Ok(None);
        }
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        for queue in queues.by_printer.values().chain(&queues.ending) {
            match queue.withdraw(job) {
                Ok(sheet) => return Ok(Some((queue.clone(), sheet))),
                Err(NotWithdrawn::Sending) => return Err(JobError::Sending(job)),
                Err(NotWithdrawn::Unknown) => {}
            }
        }
        taking_back.insert(job);
        Ok(None)
    }

    /// A panic elsewhere leaves the set between two whole steps.
    fn taking_back(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.taking_back.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
