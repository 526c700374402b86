//! Where a driver sits that serves a controller: what it is told, and what it says.

use device_drivers::Kind;
use pos_link::{Id, ToController, ToHost};
use tokio::sync::{mpsc, watch};

use super::about::About;
use super::clock::Age;
use crate::config::Hardware;
use crate::peripherals::supervisor::Trouble;

/// What is told and not taken: the line's ledger ends before.
pub(super) const TOLD: usize = 4_096;

/// Something that a controller told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) id: Id,
    pub(super) message: ToHost,
    /// How long ago it happened, where the message has a stamp.
    pub(super) age: Option<Age>,
}

/// What a line's task is asked.
#[derive(Debug)]
pub(super) enum Word {
    /// Somebody serves the controller from now on.
    Attach(Hardware, mpsc::Sender<Told>),
    /// What follows from a message is in the journal, or nothing follows.
    Done(Id),
    /// Say this.
    Say(ToController),
    /// There may be an update to send.
    Update,
}

/// The seat of one driver. It is over when the controller is gone, or another driver took it.
#[derive(Debug)]
pub(in super::super) struct Seat {
    told: mpsc::Receiver<Told>,
    line: mpsc::Sender<Word>,
    about: watch::Receiver<About>,
}

/// Why a driver's seat is over.
pub(super) fn gone(hardware: Hardware) -> Trouble {
    let detail = format!("controller {hardware} does not answer any more; check its power and its cable");
    Trouble { kind: Kind::Operator, detail, gone: true }
}

/// The seat is over.
#[derive(Debug)]
pub(super) struct Over;

impl Seat {
    pub(super) fn new(
        told: mpsc::Receiver<Told>,
        line: mpsc::Sender<Word>,
        about: watch::Receiver<About>,
    ) -> Self {
        Self { told, line, about }
    }

    /// What the controller tells next; `None` when something else is known of it. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<Option<Told>, Over> {
        tokio::select! {
            // The controllers' book outlives every seat.
            Ok(()) = self.about.changed() => Ok(None),
            told = self.told.recv() => told.map(Some).ok_or(Over),
        }
    }

    /// What follows from this message is in the journal, or nothing follows.
    pub(super) async fn done(&self, id: Id) -> Result<(), Over> {
        self.line.send(Word::Done(id)).await.map_err(|_| Over)
    }

    /// Says something to the controller.
    pub(super) async fn say(&self, said: ToController) -> Result<(), Over> {
        self.line.send(Word::Say(said)).await.map_err(|_| Over)
    }

    /// What is known of the controller now.
    pub(super) fn about(&mut self) -> About {
        self.about.borrow_and_update().clone()
    }
}
