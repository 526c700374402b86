//! What stops a benchmark. A figure is either measured or the run says why not.

use std::io;
use std::path::PathBuf;

/// Why a run gave no figures. Every text says what happened and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file or directory of the bench could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb: "read", "create".
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A contestant's program could not be started or did not become ready.
    #[error("{name} did not start: {reason}")]
    Start {
        /// The contestant.
        name: String,
        /// What is known, with the last lines that the program wrote.
        reason: String,
    },
    /// A contestant broke the protocol or closed the connection.
    #[error("{name} does not answer as HTTP/1.1 with a length: {source}")]
    Connection {
        /// The contestant.
        name: String,
        /// What the socket or the parser said.
        source: io::Error,
    },
    /// A contestant refused what every contestant must accept.
    #[error("{name} answered {status} where {expected} is the only right answer: {excerpt}")]
    Refused {
        /// The contestant.
        name: String,
        /// The status that came.
        status: u16,
        /// The status that had to come.
        expected: u16,
        /// The beginning of the body.
        excerpt: String,
    },
    /// The catalogue is unusable.
    #[error("catalogue {}, line {line}: {reason}", path.display())]
    Catalogue {
        /// Which file.
        path: PathBuf,
        /// Line, from 1; 0 for the file as a whole.
        line: u64,
        /// What is wrong and what is expected.
        reason: String,
    },
    /// A figure is missing where the contestant should have reported it.
    #[error("{name} reports no {what}; looked in {place}")]
    Unreported {
        /// The contestant.
        name: String,
        /// The missing figure.
        what: &'static str,
        /// Where it was expected.
        place: String,
    },
    /// The database of a peer failed.
    #[error("{peer}: {reason}")]
    Database {
        /// Which peer.
        peer: &'static str,
        /// What the database said.
        reason: String,
    },
    /// A thread or task of the bench itself ended without a result.
    #[error("a load generator thread ended early: {0}")]
    Thread(String),
    /// What was asked for on the command line cannot be done.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// Wraps an input/output error with the file that it is about.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
