//! A connection to the database that batches are given to, and that comes back when the database does.

use std::time::Duration;

use cloud_bridge::messages::State;
use cloud_bridge::{Address, Batch};
use pos_journal::Position;
use tokio::sync::{mpsc, watch};

use super::Arrival;
use crate::failure::IngestError;
use crate::ingest::{Ingest, Verdict};
use crate::{connect, notes, status};

/// The first wait before another attempt, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Something for the database.
pub(super) enum Job {
    /// Batches of a box.
    Take(Address, Vec<(Batch, Arrival)>),
    /// What a box says of itself; the answer is how far its journal is here.
    Note(Address, Box<(State, Arrival)>),
    /// Something that was refused.
    Refused(Address, String),
}

/// What came of it.
pub(super) enum Outcome {
    Judged(Address, Vec<(Batch, Arrival, Verdict)>),
    /// They can never be taken.
    Impossible(Address, Vec<(Batch, Arrival)>, String),
    Noted(Address, Noted, Box<Arrival>),
    Nothing,
}

/// How far a box's journal is here.
#[derive(Default)]
pub(super) struct Noted {
    /// The last record of its newest epoch that is here.
    pub(super) have: Option<Position>,
    /// The last that is here, where the box says that it is connected and has more.
    pub(super) lacks: Option<Position>,
}

/// Works until there is nobody to work for. A job is kept through failures of the database.
pub(super) async fn work(
    url: String,
    mut jobs: mpsc::Receiver<Job>,
    outcomes: mpsc::Sender<Outcome>,
    mut stop: watch::Receiver<bool>,
) {
    let mut ingest = None;
    while let Some(job) = jobs.recv().await {
        let mut wait = WAITS.0;
        let outcome = loop {
            match attempt(&url, &mut ingest, &job).await {
                Ok(done) => break done.of(job),
                Err(error) if error.is_retryable() => {
                    if wait == WAITS.0 {
                        tracing::warn!(%error, "the database does not take it: trying again until it does");
                    }
                    // It is sent again by its box, to whoever is there then.
                    if tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok() {
                        return;
                    }
                    wait = (wait * 2).min(WAITS.1);
                    if error.lost_connection() {
                        ingest = None;
                    }
                }
                Err(error) => break Done::Impossible(error.to_string()).of(job),
            }
        };
        if outcomes.send(outcome).await.is_err() {
            return;
        }
    }
}

enum Done {
    Judged(Vec<Verdict>),
    Noted(Noted),
    Nothing,
    Impossible(String),
}

impl Done {
    fn of(self, job: Job) -> Outcome {
        match (self, job) {
            (Self::Judged(verdicts), Job::Take(address, batches)) => {
                let judged = batches.into_iter().zip(verdicts);
                Outcome::Judged(
                    address,
                    judged.map(|((batch, came_in), verdict)| (batch, came_in, verdict)).collect(),
                )
            }
            (Self::Impossible(why), Job::Take(address, batches)) => {
                Outcome::Impossible(address, batches, why)
            }
            (Self::Noted(have), Job::Note(address, said)) => Outcome::Noted(address, have, Box::new(said.1)),
            (_, Job::Note(address, said)) => Outcome::Noted(address, Noted::default(), Box::new(said.1)),
            _ => Outcome::Nothing,
        }
    }
}

async fn attempt(url: &str, kept: &mut Option<Ingest>, job: &Job) -> Result<Done, IngestError> {
    let ingest = match kept {
        Some(ingest) => ingest,
        None => kept.insert(Ingest::prepare(connect(url).await?).await?),
    };
    match job {
        Job::Take(address, batches) => {
            let batches: Vec<_> = batches.iter().map(|(batch, _)| batch.clone()).collect();
            Ok(Done::Judged(ingest.take(address, &batches).await?))
        }
        Job::Note(address, said) => {
            let state = &said.0;
            status::note_state(ingest.client(), address, state).await?;
            let head = state.head.as_deref().and_then(|head| head.parse::<Position>().ok());
            let Some(head) = head else { return Ok(Done::Noted(Noted::default())) };
            let have = notes::have(ingest.client(), address, head.epoch).await?;
            let last = have.unwrap_or(Position { seq: 0, ..head });
            let lacks = (state.online && last.seq < head.seq).then_some(last);
            Ok(Done::Noted(Noted { have, lacks }))
        }
        Job::Refused(address, why) => {
            notes::note_refused(ingest.client(), address, why).await?;
            Ok(Done::Nothing)
        }
    }
}
