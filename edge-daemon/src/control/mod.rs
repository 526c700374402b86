//! The local socket, by which the command line asks a running daemon for what only the owner of the data directory can
//! do: `DATA/control.sock`, for the owner of the data directory only.
//!
//! One request per connection. The request is one line of JSON, for an import followed by the bytes of the file; the
//! answer is any number of lines of JSON, the last of which is a result or a failure:
//!
//! ```text
//! > {"do":"import","bytes":1234567}␊ …1234567 bytes…
//! < {"say":"progress","stage":"reading","done":524288,"total":1234567}␊
//! < {"say":"skipped","line":17,"reason":"the name is empty"}␊
//! < {"say":"imported","products":19998,"changed":19998,"skipped":2}␊
//! ```

mod client;
mod imports;
mod server;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{Client, ClientError};
pub use imports::{Imported, import};
pub use server::{Server, serve};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::backup::{Progress, Saved};
use crate::catalog_csv::Note;
use crate::peripherals::Condition;

/// What may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", deny_unknown_fields)]
pub enum Request {
    /// Put the products of a CSV file, which follows.
    Import {
        /// Its length.
        bytes: u64,
    },
    /// Make a backup.
    Backup {
        /// An absolute path: the daemon has another working directory.
        to: PathBuf,
        /// Where the keys go, absolute too.
        keys: Option<PathBuf>,
    },
    /// Say how it is.
    Status,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "camelCase")]
pub enum Reply {
    /// It goes on.
    Progress(Progress),
    /// A line of the file was left out.
    Skipped(Note),
    /// A line was taken, but changed.
    Warning(Note),
    /// The import is done.
    Imported(Imported),
    /// The backup is done.
    Saved(Saved),
    /// How it is.
    Status(Box<Status>),
    /// It did not work; nothing was changed.
    Failed(Failed),
}

impl Reply {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Imported(_) | Self::Saved(_) | Self::Status(_) | Self::Failed(_))
    }
}

/// Why something did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// What happened and what to do.
    pub what: String,
}

/// How a running daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its version.
    pub software: String,
    /// Its process number.
    pub process: u32,
    /// Where it listens for HTTP.
    pub listen: String,
    /// The newest record.
    pub position: Option<String>,
    /// Whether commands are taken.
    pub ready: bool,
    /// Records that are in the views, of all, while they are made again.
    pub rebuilding: Option<(u64, u64)>,
    /// Records that the views have not taken in yet.
    pub view_lag: u64,
    /// Records of the current epoch.
    pub records: u64,
    /// Size of the journal on disk.
    pub journal_bytes: u64,
    /// Free for the data directory.
    pub disk_free: u64,
    /// What somebody should look at.
    pub alarms: Vec<String>,
    /// The devices at the counters.
    pub devices: Vec<Condition>,
}
