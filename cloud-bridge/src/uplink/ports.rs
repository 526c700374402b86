//! What goes into an uplink and what comes out of it.

use std::path::PathBuf;
use std::time::Duration;

use pos_journal::{Position, ReadError};
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::envelope::{EnvelopeError, Packing};
use crate::messages::State;
use crate::mqtt::{Broker, Message, With};
use crate::outbox::{Limits, Outbox, Place, Standing};
use crate::topics::Address;

/// Where to, as whom, and how much at once.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker; will, session and name there are made here.
    pub broker: Broker,
    /// Which box this is.
    pub address: Address,
    /// The file that keeps how far the cloud has the journal.
    pub cursor: PathBuf,
    /// How much, and for how long.
    pub limits: Limits,
    /// How records travel.
    pub packing: Packing,
}

/// What the daemon tells the uplink while it runs.
pub struct Inputs {
    /// Changes when the journal grew.
    pub grew: watch::Receiver<()>,
    /// How the box stands: what only the daemon knows of it.
    pub state: watch::Receiver<State>,
    /// Whether somebody has it wait.
    pub paused: watch::Receiver<bool>,
    /// What is to be said upwards, such as replies.
    pub answers: mpsc::Receiver<Answer>,
    /// Changes when it is to end.
    pub stop: watch::Receiver<bool>,
}

/// What the uplink tells the daemon.
pub struct Outputs {
    /// How things stand.
    pub standing: watch::Sender<View>,
    /// What came down: commands and documents.
    pub came: mpsc::Sender<Message>,
}

/// Something to be said upwards.
#[derive(Debug)]
pub struct Answer {
    /// To which topic, and what: nothing where a message is only taken.
    pub said: Option<(String, Vec<u8>, With)>,
    /// The message that is done with.
    pub taken: Option<Message>,
}

/// How things stand, as positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// By the outbox.
    pub standing: Standing,
    /// How far the cloud has the journal; `None`: nothing that is known.
    pub acknowledged: Option<Position>,
    /// Records that the cloud does not have.
    pub depth: u64,
    /// For how long the oldest of them has waited, as far as is known.
    pub oldest: Option<Duration>,
    /// Envelopes that were published.
    pub published: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl View {
    /// Before anything is known.
    #[must_use]
    pub fn nothing(limits: Limits) -> Self {
        let standing = Outbox::new(limits, Place::default(), Place::default(), 0).standing();
        Self { standing, acknowledged: None, depth: 0, oldest: None, published: 0, bytes: 0 }
    }
}

/// The uplink cannot go on.
#[derive(Debug, Error)]
pub enum UplinkError {
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(#[from] ReadError),
    /// A record that cannot travel.
    #[error("{at} cannot be sent: {error}")]
    Record {
        /// Which.
        at: Position,
        /// Why.
        error: EnvelopeError,
    },
}
