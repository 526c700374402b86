//! A receipt printer: one connection per job, as port 9100 serves one client at a time and a port one program.

use std::time::Duration;

use pos_domain::receipt::Document;
use tokio::time::timeout;

use super::fault::Fault;
use super::outcome::{Outcome, Patience};
use super::profile::Profile;
use super::proto::{Job, encode};
use super::session::Session;
use super::status::Status;
use crate::moment::{Moment, until};
use crate::rim::clock::SystemClock;
use crate::rim::exchange::Moved;
use crate::rim::link::{Link, Route};

/// A POSPrinter reached over the network, a serial line or a device file.
#[derive(Clone, Debug)]
pub struct PosPrinter {
    route: Route,
    profile: Profile,
    patience: Patience,
    operator: Duration,
}

/// What printing a document came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Printed, not printed, or unknown.
    pub outcome: Outcome,
    /// The last status the printer gave, if it gave one: look at it for paper near end.
    pub status: Option<Status>,
    /// Letters printed as a similar one.
    pub similar: usize,
    /// Letters printed as `?`.
    pub lost: usize,
    /// Pictures and drawer pulses for which the printer has no words.
    pub left_out: usize,
}

impl PosPrinter {
    /// A printer at the end of this route: an address, usually with port 9100, or another [`Route`]. Nothing is sent yet.
    pub fn new(route: impl Into<Route>, profile: Profile, patience: Patience) -> Self {
        Self { route: route.into(), profile, patience, operator: Duration::ZERO }
    }

    /// The same printer, with a person at hand who may take so long to see to it when it stops in the middle of a job: to put
    /// in paper, to close the cover, to clear the knife. It goes on then, and the job is confirmed. Without one the outcome
    /// of such a job is unknown at once.
    #[must_use]
    pub fn with_operator(self, patience: Duration) -> Self {
        Self { operator: patience, ..self }
    }

    /// Where the printer is.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// What is known about its model.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Prints a document and waits until its outcome is known or given up. It always ends: the time is
    /// bounded by the patience (also the operator's), as long as the printer takes the bytes. Dropping the future leaves the
    /// outcome unknown.
    pub async fn print(&self, document: &Document) -> Report {
        self.send(encode(document, &self.profile)).await
    }

    /// Prints a job that was encoded earlier, for this printer's profile.
    pub async fn send(&self, job: Job) -> Report {
        self.send_telling(job, |_| ()).await
    }

    /// The same, and tells whenever the printer begins to wait for a person, and why, and when it goes on.
    pub async fn send_telling(&self, job: Job, tell: impl FnMut(Option<&Fault>)) -> Report {
        let Job { bytes, similar, lost, left_out } = job;
        let (outcome, status) = match self.connect().await {
            Ok(link) => self.converse(link, bytes, tell).await,
            Err(reason) => (Outcome::NotPrinted { reason }, None),
        };
        Report { outcome, status, similar, lost, left_out }
    }

    /// Asks the printer how it is. Nothing is printed.
    ///
    /// # Errors
    /// If it cannot be reached, breaks the connection, or does not answer in time.
    pub async fn status(&self) -> Result<Status, Fault> {
        let mut link = self.connect().await?;
        let asked = timeout(self.patience.status, ask(&mut link)).await;
        asked.unwrap_or(Err(Fault::NoAnswer { waited: self.patience.status }))
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    pub(super) async fn connect(&self) -> Result<Link, Fault> {
        let unreachable = |error: std::io::Error| Fault::Unreachable {
            route: self.route.clone(),
            reason: error.to_string(),
        };
        Link::open(&self.route, self.patience.connect).await.map_err(unreachable)
    }

    async fn converse(
        &self,
        mut link: Link,
        job: Vec<u8>,
        mut tell: impl FnMut(Option<&Fault>),
    ) -> (Outcome, Option<Status>) {
        let answers = self.profile.answers();
        let mut session = Session::new(job, answers, self.patience, self.operator, Moment::now());
        let (mut told, mut clock) = (None, SystemClock);
        let mut buffer = [0; 64];
        let outcome = loop {
            if let Some(outcome) = session.outcome() {
                break outcome.clone();
            }
            if session.trouble() != told.as_ref() {
                told = session.trouble().cloned();
                tell(told.as_ref());
            }
            tokio::select! {
                moved = link.exchange(&mut buffer, session.poll_output()) => match moved {
                    Ok(Moved::Read(count)) => {
                        session.handle_input(buffer.get(..count).unwrap_or_default(), Moment::now());
                    }
                    Ok(Moved::Written(count)) => session.taken(count, Moment::now()),
                    Err(error) => session.handle_lost(error.to_string()),
                },
                () = until(&mut clock, Some(session.poll_timeout())) => session.handle_timeout(Moment::now()),
            }
        };
        // The outcome stands, whatever happens now.
        match (&outcome, &link) {
            // The printer has it all and said so.
            (Outcome::Printed, _) => drop(link),
            (_, Link::Tcp(_)) => link.finish(self.patience.status).await,
            // Nobody waits for an answer: then for the line, which is slow.
            (Outcome::Unknown { reason: Fault::NoConfirmation }, _) => {
                link.finish(self.patience.confirm).await
            }
            // Nobody could say when the rest would come out, or in front of what.
            _ => link.abandon(),
        }
        (outcome, session.status())
    }
}

pub(super) fn lost(error: std::io::Error) -> Fault {
    Fault::ConnectionLost { reason: error.to_string() }
}

pub(super) async fn ask(link: &mut Link) -> Result<Status, Fault> {
    let mut request = super::status::ASK.as_slice();
    let mut replies = Vec::new();
    let mut buffer = [0; 64];
    loop {
        match link.exchange(&mut buffer, request).await.map_err(lost)? {
            Moved::Written(count) => request = request.get(count..).unwrap_or_default(),
            Moved::Read(count) => {
                let said = buffer.get(..count).unwrap_or_default();
                replies.extend(said.iter().copied().filter(|byte| super::status::is_real_time(*byte)));
            }
        }
        if let [printer, offline, error, paper, ..] = replies[..] {
            return Ok(Status::from_answers([printer, offline, error, paper]));
        }
    }
}
