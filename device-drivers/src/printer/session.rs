//! One job's conversation with the printer, as a state machine: time and bytes go in, bytes and an outcome
//! come out; sockets and clocks belong to the caller.
//!
//! ```text
//!  Before ──ready──> Sending ──all sent──> Confirming ──answer in order──> After ──ready──> printed
//!    │ blocked, silent   │ broken              │ blocked, silent, broken     │ the same
//!    v                   v                     v                             v
//!  not printed        not printed, if no    unknown                       unknown
//!                     byte was taken; else
//!                     unknown
//! ```
//!
//! The job is followed by `GS r 1`, which the printer answers *in order*: only when it has worked through
//! all that came before. A real-time answer alone would prove nothing, as it overtakes the job. After the
//! answer the real-time status must be free of faults too.
//!
//! The outcome is *not printed* only while no byte of the job was taken by the transport. From then on all
//! that is not confirmed is *unknown*, and a person decides.

use std::time::{Duration, Instant};

use super::fault::Fault;
use super::proto::ASK_IN_ORDER;
use super::status::{self, Status};

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The printer confirmed, after the job, that it had worked through it and was well.
    Printed,
    /// Nothing of the job can have reached the paper: it may be sent again.
    NotPrinted {
        /// Why not.
        reason: Fault,
    },
    /// Some or all of the job was sent and nobody confirmed it. Never send it again without asking.
    Unknown {
        /// What is known.
        reason: Fault,
    },
}

/// How long to wait for the printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the answer to a status request.
    pub status: Duration,
    /// For the confirmation, counted from the last byte of the job that was taken.
    pub confirm: Duration,
    /// Between two looks at the status while waiting for the confirmation.
    pub look: Duration,
}

impl Default for Patience {
    /// 3 s to connect, 2 s for a status, 30 s for the confirmation with a look each second.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            status: Duration::from_secs(2),
            confirm: Duration::from_secs(30),
            look: Duration::from_secs(1),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Before,
    Sending,
    Confirming,
    After,
    Done,
}

/// The conversation. Call [`Session::poll_output`] and [`Session::poll_timeout`] after each input.
#[derive(Debug)]
pub(crate) struct Session {
    job: Vec<u8>,
    /// Bytes of the job that the transport took.
    taken: usize,
    answers: bool,
    patience: Patience,
    step: Step,
    /// What is left to send of a status request.
    ask: Vec<u8>,
    replies: Vec<u8>,
    /// When the current step fails.
    deadline: Instant,
    next_look: Instant,
    /// Whether an answer to a status request is awaited while confirming.
    looking: bool,
    /// Whether the answer in order has come.
    confirmed: bool,
    /// Bytes still to come of a status that nobody asked for.
    unasked: u8,
    status: Option<Status>,
    outcome: Option<Outcome>,
}

impl Session {
    /// A conversation about `job`, on a connection that was just made.
    pub(crate) fn new(mut job: Vec<u8>, answers: bool, patience: Patience, now: Instant) -> Self {
        if answers {
            job.extend_from_slice(&ASK_IN_ORDER);
        }
        let mut session = Self {
            job,
            taken: 0,
            answers,
            patience,
            step: Step::Before,
            ask: Vec::new(),
            replies: Vec::new(),
            deadline: now,
            next_look: now,
            looking: false,
            confirmed: false,
            unasked: 0,
            status: None,
            outcome: None,
        };
        if answers {
            session.look(Step::Before, now);
        } else {
            session.send(now);
        }
        session
    }

    /// The bytes to send next; empty if there is nothing to send. Say with [`Session::taken`] how many of
    /// them the transport took.
    pub(crate) fn poll_output(&self) -> &[u8] {
        match self.step {
            Step::Done => &[],
            Step::Sending => self.job.get(self.taken..).unwrap_or_default(),
            Step::Before | Step::Confirming | Step::After => &self.ask,
        }
    }

    /// The transport took the first `count` bytes of what [`Session::poll_output`] gave.
    pub(crate) fn taken(&mut self, count: usize, now: Instant) {
        if self.step != Step::Sending {
            self.ask.drain(..count.min(self.ask.len()));
            return;
        }
        self.taken += count;
        self.deadline = now + self.patience.confirm;
        if self.taken < self.job.len() {
            return;
        }
        if self.answers {
            self.step = Step::Confirming;
            self.next_look = now + self.patience.look;
        } else {
            self.finish(Outcome::Unknown { reason: Fault::NoConfirmation });
        }
    }

    /// When [`Session::handle_timeout`] wants to be called, if nothing else happens.
    pub(crate) fn poll_timeout(&self) -> Instant {
        match self.step {
            Step::Confirming => self.deadline.min(self.next_look),
            _ => self.deadline,
        }
    }

    /// Time went by.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.outcome.is_some() {
            return;
        }
        if now >= self.deadline {
            let reason = match self.step {
                Step::Sending | Step::Confirming => Fault::NotConfirmed { waited: self.patience.confirm },
                _ => Fault::NoAnswer { waited: self.patience.status },
            };
            self.fail(reason);
        } else if self.step == Step::Confirming && now >= self.next_look {
            self.next_look = now + self.patience.look;
            if !self.looking {
                self.ask();
            }
        }
    }

    /// The printer said something.
    pub(crate) fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        for byte in bytes {
            if self.outcome.is_some() {
                return;
            }
            if self.unasked > 0 && status::is_in_order(*byte) {
                self.unasked -= 1;
            } else if status::starts_unasked(*byte) {
                self.unasked = 3;
            } else if status::is_real_time(*byte) {
                self.replies.push(*byte);
            } else if status::is_in_order(*byte) && self.step == Step::Confirming {
                self.confirmed = true;
            }
            if let [printer, offline, error, paper] = self.replies[..] {
                self.judge(Status::from_answers([printer, offline, error, paper]), now);
            }
            // An earlier look is answered first, so that its answers are not taken for those of the last.
            if self.confirmed && !self.looking && self.step == Step::Confirming {
                self.look(Step::After, now);
            }
        }
    }

    /// The connection ended or failed.
    pub(crate) fn handle_lost(&mut self, reason: String) {
        self.fail(Fault::ConnectionLost { reason });
    }

    /// How it ended, once it has.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The last status that the printer gave.
    pub(crate) fn status(&self) -> Option<Status> {
        self.status
    }

    /// Asks for the status and gives it its time.
    fn look(&mut self, step: Step, now: Instant) {
        self.step = step;
        self.deadline = now + self.patience.status;
        self.ask();
    }

    fn ask(&mut self) {
        self.looking = true;
        self.replies.clear();
        self.ask = status::ASK.to_vec();
    }

    fn send(&mut self, now: Instant) {
        self.step = Step::Sending;
        self.deadline = now + self.patience.confirm;
    }

    fn judge(&mut self, status: Status, now: Instant) {
        self.looking = false;
        self.replies.clear();
        self.status = Some(status);
        match (status.blocked(), self.step) {
            (Some(reason), _) => self.fail(reason),
            (None, Step::Before) => self.send(now),
            (None, Step::After) => self.finish(Outcome::Printed),
            (None, _) => {}
        }
    }

    fn fail(&mut self, reason: Fault) {
        let outcome =
            if self.taken == 0 { Outcome::NotPrinted { reason } } else { Outcome::Unknown { reason } };
        self.finish(outcome);
    }

    fn finish(&mut self, outcome: Outcome) {
        if self.outcome.is_none() {
            self.step = Step::Done;
            self.outcome = Some(outcome);
        }
    }
}

#[cfg(test)]
mod tests;
