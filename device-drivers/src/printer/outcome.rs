//! What can become of a job, and how long that may take.

use std::time::Duration;

use super::fault::Fault;

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
