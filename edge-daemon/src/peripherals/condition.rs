//! How a printer is, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// How the receipt printer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrinterCondition {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// What it does.
    pub state: PrinterState,
    /// Why it waits, or what became of the last job, in words.
    pub detail: String,
    /// Jobs in the queue, with the one that is being printed.
    pub jobs: usize,
    /// Receipts that it confirmed since the start.
    pub printed: u64,
}

/// What the printer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrinterState {
    /// Nothing to print.
    Idle,
    /// A receipt is on its way.
    Printing,
    /// A job waits for paper, for a closed cover, for the printer to be switched on…
    Waiting,
}

/// Reads the condition of a printer, from any thread.
#[derive(Debug, Clone)]
pub struct PrinterWatch(Arc<Mutex<PrinterCondition>>);

impl PrinterWatch {
    pub(super) fn new(condition: PrinterCondition) -> Self {
        Self(Arc::new(Mutex::new(condition)))
    }

    /// How it is now.
    #[must_use]
    pub fn condition(&self) -> PrinterCondition {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut PrinterCondition)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
