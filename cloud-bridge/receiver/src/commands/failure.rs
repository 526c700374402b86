//! How a command ends when it does not work: one line says what happened, one what to do, the exit code what kind.

use std::fmt;

use tokio_postgres::Client;

use crate::cli::Database;
use crate::connection::connect;
use crate::failure::{IngestError, describe};
use crate::schema::{self, MigrateError};

/// The exit codes that the command line's help lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Failed = 1,
    Wrong = 2,
    Found = 3,
}

const MIGRATE: &str = "make the tables, or bring them up to date: cloud-receiver migrate";

/// A command that did not work.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    what: String,
    next: String,
}

impl Failure {
    pub(super) fn new(code: Code, what: impl fmt::Display, next: impl Into<String>) -> Self {
        Self { code, what: what.to_string(), next: next.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n  try: {}", self.what, self.next)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let next = match error.code().map(|code| code.code()) {
            // No such table, column or schema.
            Some("42P01" | "42703" | "3F000") => MIGRATE,
            // No such database, or no right to it.
            Some("3D000" | "28000" | "28P01" | "42501") => {
                "look at the database's name, the user and the password"
            }
            _ => "look whether the database runs and can be reached, then repeat the command",
        };
        Self::new(Code::Failed, format!("the database: {}", describe(&error)), next)
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Database(error) => error.into(),
            IngestError::Batch(_) => Self::new(Code::Failed, error, "report this: nothing was sent"),
        }
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Database(error) => error.into(),
            MigrateError::Missing { .. } => Self::new(Code::Failed, error, MIGRATE),
            MigrateError::Newer { .. } => Self::new(Code::Failed, error, "run the newer cloud-receiver"),
            MigrateError::Changed { .. } => Self::new(
                Code::Failed,
                error,
                "use the software that made this database, or another database",
            ),
        }
    }
}

/// Connects to the database of the command line, whose tables are up to date.
pub(super) async fn open(database: &Database) -> Result<Client, Failure> {
    let client = open_any(database).await?;
    schema::check(&client).await?;
    Ok(client)
}

/// Connects to the database of the command line.
pub(super) async fn open_any(database: &Database) -> Result<Client, Failure> {
    if database.url.parse::<tokio_postgres::Config>().is_err() {
        let what = "the database's URL cannot be read";
        return Err(Failure::new(Code::Wrong, what, "write it as postgres://USER@HOST/NAME"));
    }
    Ok(connect(&database.url).await?)
}
