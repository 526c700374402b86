//! How a command ends when it does not work: one line says what happened, one what to do, the exit code what kind.

use std::fmt;

use crate::backup::BackupError;
use crate::checkout::OpenError;
use crate::config::ConfigError;
use crate::control::ClientError;
use crate::lock::LockError;

/// The exit codes that the command line's help lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Failed = 1,
    Wrong = 2,
    Found = 3,
    Busy = 4,
    Disk = 5,
}

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

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let next = match &error {
            ConfigError::Unreadable { .. } => {
                "name the file by --config FILE; the project's edge-daemon/config.example.toml is one to start from"
            }
            _ => "correct the configuration, then look at it with `edge-daemon check-config`",
        };
        Self::new(Code::Wrong, error, next)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Taken { .. } => {
                Self::new(Code::Busy, error, "stop that one first, or use another --data")
            }
            LockError::Refused { .. } => Self::new(
                Code::Failed,
                error,
                "look at the directory's owner and permissions, or use another --data",
            ),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(Code::Failed, error, "run `edge-daemon doctor`; nothing was deleted")
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let (code, next) = match &error {
            BackupError::Damaged { .. }
            | BackupError::Short { .. }
            | BackupError::FileDiffers(..)
            | BackupError::OtherHead { .. } => (Code::Found, "keep what is there, and use another copy"),
            BackupError::NotEmpty(_) | BackupError::Exists(_) | BackupError::KeysInside(_) => {
                (Code::Wrong, "repeat the command with another name")
            }
            _ => (Code::Failed, "mend that, then repeat the command"),
        };
        Self::new(code, error, next)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new(
            Code::Failed,
            error,
            "start it (edge-daemon run), name the same --config that it runs with, or, if it was just started, try again in a moment",
        )
    }
}
