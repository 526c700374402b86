//! What can go wrong between a batch and its commit. Nothing of the call is in the database then.

use std::error::Error as _;

use cloud_bridge::EnvelopeError;
use thiserror::Error;
use tokio_postgres::error::SqlState;

/// Records that were not taken.
#[derive(Debug, Error)]
pub enum IngestError {
    /// They are no piece of one chain, which no envelope that was decoded holds.
    #[error("the records are no piece of a chain: {0}")]
    Batch(#[from] EnvelopeError),
    /// The database said no, or nothing.
    #[error("the database: {}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
}

impl IngestError {
    /// Whether the same call can succeed later: the connection was lost, the server stops or starts, somebody else was in the way,
    /// memory or disk is full. If not, waiting changes nothing, and other boxes can go on.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Batch(_) => false,
            Self::Database(error) => is_retryable(error),
        }
    }

    /// Whether the connection is of no more use.
    #[must_use]
    pub fn lost_connection(&self) -> bool {
        match self {
            Self::Batch(_) => false,
            Self::Database(error) => {
                error.is_closed()
                    || error.as_db_error().is_none() && is_io(error)
                    || error
                        .code()
                        .is_some_and(|code| class(code) == "57" && *code != SqlState::QUERY_CANCELED)
            }
        }
    }

    /// Whether it is the rows themselves that the database does not take.
    pub(crate) fn is_about_rows(&self) -> bool {
        match self {
            Self::Batch(_) => false,
            // A value that cannot be written, or data exceptions, one row twice, violated constraints, exceeded limits.
            Self::Database(error) => match error.code() {
                Some(code) => matches!(class(code), "21" | "22" | "23" | "54"),
                None => !error.is_closed() && !is_io(error),
            },
        }
    }
}

fn is_retryable(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        return error.is_closed() || is_io(error);
    };
    // Connection, rollback for serialization or deadlock, resources, operator's intervention, system.
    matches!(class(code), "08" | "40" | "53" | "57" | "58")
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|source| source.is::<std::io::Error>())
}

fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// The server's own words where there are any: the error alone says only "db error".
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => format!("{}: {}", said.code().code(), said.message()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
