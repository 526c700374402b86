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
//! A printer that stops in the middle waits for a person, and so does the session, for as long as it is told to: it looks
//! from time to time, and when the printer is well again, waits for its answer as before. After paper and cover a printer
//! goes on by itself; after an error of its mechanics it wants to be told (`DLE ENQ 1`), which is done when the cover was
//! closed again, and every few looks besides. A job that meets such an error before it was sent has it tried once.
//!
//! The outcome is *not printed* only while no byte of the job was taken by the transport. From then on all
//! that is not confirmed is *unknown*, and a person decides.

use core::time::Duration;

use super::fault::Fault;
use super::outcome::{Outcome, Patience};
use super::proto::ASK_IN_ORDER;
use super::status::{self, Status};
use crate::moment::Moment;

/// Looks between two attempts to have a printer go on after an error of its mechanics: each attempt moves them.
const LOOKS_PER_RETRY: u32 = 5;

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
pub struct Session {
    job: Vec<u8>,
    /// Bytes of the job that the transport took.
    taken: usize,
    answers: bool,
    patience: Patience,
    /// How long a person may take to see to a printer that stopped in the middle.
    operator: Duration,
    step: Step,
    /// What is left to send of a status request.
    ask: Vec<u8>,
    replies: Vec<u8>,
    /// When the current step fails.
    deadline: Moment,
    next_look: Moment,
    /// Whether an answer to a status request is awaited while confirming.
    looking: bool,
    /// Whether the answer in order has come.
    confirmed: bool,
    /// Why the printer stopped in the middle, if it did.
    trouble: Option<Fault>,
    /// When it is told to go on, if it still reports an error of its mechanics.
    next_retry: Moment,
    /// Whether it was told to go on before the job.
    retried: bool,
    cover_open: bool,
    /// Bytes still to come of a status that nobody asked for.
    unasked: u8,
    status: Option<Status>,
    outcome: Option<Outcome>,
}

impl Session {
    /// A conversation about `job`, on a connection that was just made. `operator` is how long a person may take to see to a
    /// printer that stopped in the middle.
    #[must_use]
    pub fn new(mut job: Vec<u8>, answers: bool, patience: Patience, operator: Duration, now: Moment) -> Self {
        if answers {
            job.extend_from_slice(&ASK_IN_ORDER);
        }
        let mut session = Self {
            job,
            taken: 0,
            answers,
            patience,
            operator,
            step: Step::Before,
            ask: Vec::new(),
            replies: Vec::new(),
            deadline: now,
            next_look: now,
            looking: false,
            confirmed: false,
            trouble: None,
            next_retry: now,
            retried: false,
            cover_open: false,
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
    #[must_use]
    pub fn poll_output(&self) -> &[u8] {
        match self.step {
            Step::Done => &[],
            Step::Sending => self.job.get(self.taken..).unwrap_or_default(),
            Step::Before | Step::Confirming | Step::After => &self.ask,
        }
    }

    /// The transport took the first `count` bytes of what [`Session::poll_output`] gave.
    pub fn taken(&mut self, count: usize, now: Moment) {
        if self.step != Step::Sending {
            self.ask.drain(..count.min(self.ask.len()));
            return;
        }
        self.taken += count;
        self.deadline = now + self.patience.confirm.max(self.operator);
        if self.taken < self.job.len() {
            return;
        }
        if self.answers {
            self.step = Step::Confirming;
            self.deadline = now + self.patience.confirm;
            self.next_look = now + self.patience.look;
        } else {
            self.finish(Outcome::Unknown { reason: Fault::NoConfirmation });
        }
    }

    /// When [`Session::handle_timeout`] wants to be called, if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Moment {
        match self.step {
            Step::Confirming => self.deadline.min(self.next_look),
            Step::Before if !self.looking => self.next_look,
            _ => self.deadline,
        }
    }

    /// Time went by.
    pub fn handle_timeout(&mut self, now: Moment) {
        if self.outcome.is_some() {
            return;
        }
        if now >= self.deadline {
            let reason = match (self.trouble.take(), self.step) {
                (Some(trouble), _) => trouble,
                (None, Step::Sending) => {
                    Fault::NotConfirmed { waited: self.patience.confirm.max(self.operator) }
                }
                (None, Step::Confirming) => Fault::NotConfirmed { waited: self.patience.confirm },
                _ => Fault::NoAnswer { waited: self.patience.status },
            };
            self.fail(reason);
        } else if now >= self.next_look {
            self.next_look = now + self.patience.look;
            match self.step {
                Step::Before if !self.looking => self.look(Step::Before, now),
                Step::Confirming if !self.looking => self.ask(),
                _ => {}
            }
        }
    }

    /// The printer said something.
    pub fn handle_input(&mut self, bytes: &[u8], now: Moment) {
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
                self.trouble = None;
                self.look(Step::After, now);
            }
        }
    }

    /// The connection ended or failed.
    pub fn handle_lost(&mut self, reason: String) {
        self.fail(Fault::ConnectionLost { reason });
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Why the printer stopped in the middle of the job, while a person may still see to it.
    #[must_use]
    pub fn trouble(&self) -> Option<&Fault> {
        self.trouble.as_ref()
    }

    /// The last status that the printer gave.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// Asks for the status and gives it its time.
    fn look(&mut self, step: Step, now: Moment) {
        self.step = step;
        self.deadline = now + self.patience.status;
        self.ask();
    }

    fn ask(&mut self) {
        self.looking = true;
        self.replies.clear();
        self.ask.extend_from_slice(&status::ASK);
    }

    fn send(&mut self, now: Moment) {
        self.step = Step::Sending;
        self.deadline = now + self.patience.confirm.max(self.operator);
    }

    fn judge(&mut self, status: Status, now: Moment) {
        self.looking = false;
        self.replies.clear();
        self.status = Some(status);
        match (status.blocked(), self.step) {
            (Some(Fault::Cutter | Fault::Error), Step::Before) if !self.retried => {
                self.retried = true;
                self.ask.extend_from_slice(&status::GO_ON);
                self.next_look = now + self.patience.look;
                self.deadline = self.next_look + self.patience.status;
            }
            (Some(Fault::Unrecoverable), _) => self.fail(Fault::Unrecoverable),
            (Some(reason), Step::Confirming) if !self.operator.is_zero() => {
                self.stopped(reason, status.cover_open, now);
            }
            (Some(reason), _) => self.fail(reason),
            (None, Step::Before) => self.send(now),
            (None, Step::After) => self.finish(Outcome::Printed),
            (None, _) => {
                if self.trouble.take().is_some() {
                    self.deadline = now + self.patience.confirm;
                }
            }
        }
    }

    /// The printer stopped in the middle of the job: wait for a person, and have it go on where it wants to be told.
    fn stopped(&mut self, reason: Fault, cover_open: bool, now: Moment) {
        let pause = self.patience.look * LOOKS_PER_RETRY;
        if self.trouble.is_none() {
            self.deadline = now + self.operator;
            self.next_retry = now + pause;
        }
        let closed = std::mem::replace(&mut self.cover_open, cover_open) && !cover_open;
        if matches!(reason, Fault::Cutter | Fault::Error) && (closed || now >= self.next_retry) {
            self.ask.extend_from_slice(&status::GO_ON);
            self.next_retry = now + pause;
        }
        self.trouble = Some(reason);
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
