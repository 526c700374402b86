//! A receipt printer on the network: one connection per job, as port 9100 serves one client at a time.

use std::net::SocketAddr;
use std::time::Instant;

use pos_domain::receipt::Document;
use tokio::time::{sleep_until, timeout};

use super::fault::Fault;
use super::profile::Profile;
use super::proto::{Job, encode, real_time_pulse};
use super::session::{Outcome, Patience, Session};
use super::status::Status;
use crate::rim::tcp::{self, Connection};

/// A POSPrinter reached over TCP.
#[derive(Clone, Debug)]
pub struct PosPrinter {
    address: SocketAddr,
    profile: Profile,
    patience: Patience,
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
}

/// What a pulse for the drawer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kicked {
    /// The drawer's switch says that it is open; without a switch: the printer took the pulse.
    Opened {
        /// The printer's status then.
        status: Status,
    },
    /// No pulse was sent, or the switch says that the drawer stayed shut.
    NotOpened {
        /// Why.
        reason: Fault,
    },
    /// The pulse was sent, perhaps; look at the drawer.
    Unknown {
        /// What is known.
        reason: Fault,
    },
}

/// Between two looks at the drawer's switch.
const SENSE: std::time::Duration = std::time::Duration::from_millis(40);

impl PosPrinter {
    /// A printer at this address, usually port 9100. Nothing is sent yet.
    pub fn new(address: SocketAddr, profile: Profile, patience: Patience) -> Self {
        Self { address, profile, patience }
    }

    /// Where the printer is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is known about its model.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Prints a document and waits until its outcome is known or given up. It always ends: the time is
    /// bounded by the patience, as long as the printer takes the bytes. Dropping the future leaves the
    /// outcome unknown.
    pub async fn print(&self, document: &Document) -> Report {
        self.send(encode(document, &self.profile)).await
    }

    /// Prints a job that was encoded earlier, for this printer's profile.
    pub async fn send(&self, job: Job) -> Report {
        let Job { bytes, similar, lost } = job;
        let (outcome, status) = match self.connect().await {
            Ok(connection) => self.converse(connection, bytes).await,
            Err(reason) => (Outcome::NotPrinted { reason }, None),
        };
        Report { outcome, status, similar, lost }
    }

    /// Asks the printer how it is. Nothing is printed.
    ///
    /// # Errors
    /// If it cannot be reached, breaks the connection, or does not answer in time.
    pub async fn status(&self) -> Result<Status, Fault> {
        let mut connection = self.connect().await?;
        let asked = timeout(self.patience.status, ask(&mut connection)).await;
        asked.unwrap_or(Err(Fault::NoAnswer { waited: self.patience.status }))
    }

    /// Has the printer pulse the drawer's solenoid, at once: also while its paper is out or its cover open. Then waits
    /// until the drawer's switch says that it is open, if `open_is_high` tells which level of the sense pin that is.
    pub async fn kick(&self, open_is_high: Option<bool>) -> Kicked {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(reason) => return Kicked::NotOpened { reason },
        };
        let pulse = real_time_pulse(&self.profile);
        let sent = timeout(self.patience.status, send_all(&mut connection, &pulse)).await;
        if !matches!(sent, Ok(Ok(()))) {
            let reason = sent.map_or(Fault::NoAnswer { waited: self.patience.status }, |sent| {
                sent.err().unwrap_or(Fault::NoConfirmation)
            });
            return Kicked::Unknown { reason };
        }
        if !self.profile.answers_status {
            let _ = connection.writer.finish().await;
            return Kicked::Unknown { reason: Fault::NoConfirmation };
        }
        let deadline = tokio::time::Instant::now() + self.patience.status;
        loop {
            let asked = timeout(self.patience.status, ask(&mut connection)).await;
            let status = match asked.unwrap_or(Err(Fault::NoAnswer { waited: self.patience.status })) {
                Ok(status) => status,
                Err(reason) => return Kicked::Unknown { reason },
            };
            match open_is_high {
                // Without a switch the printer's word that it is there and took the pulse is all there is.
                None => return Kicked::Opened { status },
                Some(level) if status.drawer_pin_high == level => return Kicked::Opened { status },
                Some(_) if tokio::time::Instant::now() >= deadline => {
                    return Kicked::NotOpened { reason: Fault::DrawerShut };
                }
                Some(_) => tokio::time::sleep(SENSE).await,
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let unreachable =
            |error: std::io::Error| Fault::Unreachable { address: self.address, reason: error.to_string() };
        tcp::connect(self.address, self.patience.connect).await.map_err(unreachable)
    }

    async fn converse(&self, connection: Connection, job: Vec<u8>) -> (Outcome, Option<Status>) {
        let Connection { mut reader, mut writer } = connection;
        let mut session = Session::new(job, self.profile.answers_status, self.patience, Instant::now());
        let mut buffer = [0; 64];
        let outcome = loop {
            if let Some(outcome) = session.outcome() {
                break outcome.clone();
            }
            let wake = sleep_until(session.poll_timeout().into());
            let output = session.poll_output();
            let writing = async {
                if output.is_empty() { std::future::pending().await } else { writer.write(output).await }
            };
            tokio::select! {
                read = reader.read(&mut buffer) => match read {
                    Ok(count) => session.handle_input(buffer.get(..count).unwrap_or_default(), Instant::now()),
                    Err(error) => session.handle_lost(error.to_string()),
                },
                written = writing => match written {
                    Ok(count) => session.taken(count, Instant::now()),
                    Err(error) => session.handle_lost(error.to_string()),
                },
                () = wake => session.handle_timeout(Instant::now()),
            }
        };
        let status = session.status();
        // The outcome stands, whatever happens now. But closing a connection with unread answers would reset
        // it and could take bytes from the printer that it has not read yet: so let it close first.
        let settled = outcome == Outcome::Printed;
        let farewell = async {
            writer.finish().await?;
            if !settled {
                while reader.read(&mut buffer).await? > 0 {}
            }
            Ok::<_, std::io::Error>(())
        };
        let _ = timeout(self.patience.status, farewell).await;
        (outcome, status)
    }
}

async fn send_all(connection: &mut Connection, mut bytes: &[u8]) -> Result<(), Fault> {
    while !bytes.is_empty() {
        let count = connection.writer.write(bytes).await.map_err(lost)?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

fn lost(error: std::io::Error) -> Fault {
    Fault::ConnectionLost { reason: error.to_string() }
}

async fn ask(connection: &mut Connection) -> Result<Status, Fault> {
    send_all(connection, &super::status::ASK).await?;
    let mut replies = Vec::new();
    let mut buffer = [0; 64];
    loop {
        let count = connection.reader.read(&mut buffer).await.map_err(lost)?;
        let said = buffer.get(..count).unwrap_or_default();
        replies.extend(said.iter().copied().filter(|byte| super::status::is_real_time(*byte)));
        if let [printer, offline, error, paper, ..] = replies[..] {
            return Ok(Status::from_answers([printer, offline, error, paper]));
        }
    }
}
