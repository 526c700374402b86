//! Sheets that are not on paper yet, for people: looked at, taken back, printed elsewhere, settled.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use pos_domain::command::{Command, PrintWish};
use pos_domain::event::{PrintJob, PrintOutcome, Sheet};
use pos_domain::state::Unprinted;
use pos_domain::time::Millis;
use thiserror::Error;
use uuid::Uuid;

use super::queue::{NotWithdrawn, Queue};
use crate::checkout::{CommandKey, Done, Origin, Shop, SubmitError};
use crate::peripherals::outcomes::Outcomes;

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
    /// No such job is pending or left unprinted.
    #[error("There is no print job {0} that waits or was left unprinted.")]
    Unknown(Uuid),
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

    pub(in crate::peripherals) fn remove(&self, printer: &str) {
        self.queues.write().unwrap_or_else(PoisonError::into_inner).remove(printer);
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
        let pending = self.withdraw(job)?;
        let command = match &pending {
            Some(_) => {
                let detail = "taken back by hand".to_owned();
                Command::EndPrint { job, outcome: PrintOutcome::NotPrinted, detail }
            }
            None => Command::SettlePrint(job),
        };
        match self.shop.submit(key, command, Origin::default()).await {
            Ok(done) => {
                if let Some(_taken_back) = pending {
                    // Who takes it back has decided already.
                    self.shop.submit(None, Command::SettlePrint(job), Origin::default()).await?;
                }
                Ok(done)
            }
            Err(error) => {
                // As if nobody had asked.
                if let Some((queue, job)) = pending {
                    let _ = queue.push(job);
                }
                Err(error.into())
            }
        }
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
        if let Some((_, pending)) = self.withdraw(job)? {
            let detail = format!("moved to {}", printer.unwrap_or(&pending.printer));
            Outcomes::new(self.shop.clone()).printed(job, PrintOutcome::NotPrinted, &detail).await;
        }
        let left = self.shop.state().unprinted.get(&job).cloned();
        // A request that comes again finds nothing left, and is answered by its key.
        let (old, copy) = match left {
            Some(Unprinted { job, outcome, .. }) => {
                let copy = job.copy || outcome == PrintOutcome::Unknown;
                (Some(job), copy)
            }
            None => (None, false),
        };
        let wish = PrintWish {
            sheet: old.as_ref().map_or(Sheet::Receipt, |old| old.sheet.clone()),
            copy,
            may_kick: false,
            instead_of: Some(job),
            ..PrintWish::receipt(
                Uuid::now_v7(),
                old.as_ref().map_or(Uuid::nil(), |old| old.sale),
                printer.map_or_else(|| old.map_or_else(|| "none".into(), |old| old.printer), str::to_owned),
            )
        };
        Ok(self.shop.submit(key, Command::AskPrint(wish), Origin::default()).await?)
    }

    /// Takes a sheet out of its queue; `None`: it is not pending.
    fn withdraw(&self, job: Uuid) -> Result<Option<(Arc<Queue>, PrintJob)>, JobError> {
        let Some(pending) = self.shop.state().printing.get(&job).cloned() else { return Ok(None) };
        let queue = self.queue(&pending.printer).ok_or(JobError::Unknown(job))?;
        match queue.withdraw(job) {
            Ok(()) => Ok(Some((queue, pending))),
            Err(NotWithdrawn::Sending) => Err(JobError::Sending(job)),
            Err(NotWithdrawn::Unknown) => Err(JobError::Unknown(job)),
        }
    }
}
