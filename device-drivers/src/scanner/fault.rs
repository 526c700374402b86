//! What can go wrong with a scanner, what to do about it, and whose job that is.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::Kind;

/// Why a scanner gives no scans.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScannerFault {
    /// There is no such port: not plugged in, or its name is wrong.
    #[error("there is no scanner at {path}; plug it in, or correct its port")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Another program has the port, or this one may not use it.
    #[error(
        "the scanner's port {path} cannot be opened: {reason}; end the program that uses it, or add the box's user to the group of the port"
    )]
    Refused {
        /// The port.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It was there and is gone.
    #[error("the scanner was unplugged ({reason}); plug it in again, it goes on by itself")]
    Lost {
        /// What the system said.
        reason: String,
    },
}

impl ScannerFault {
    /// Whose job it is to mend it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } | Self::Lost { .. } => Kind::Operator,
            Self::Refused { .. } => Kind::Technician,
        }
    }

    pub(crate) fn opening(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Refused { path: path.to_owned(), reason: error.to_string() },
        }
    }
}
