//! What is known of a controller.

use std::fmt;

use pos_link::{Identity, Kind, Tally};
use serde::Serialize;

use super::keys::KeyState;
use crate::config::Hardware;

/// What a controller is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ControllerKind {
    /// A scanner.
    Scanner,
    /// A drawer.
    Drawer,
    /// Something that this version does not know.
    Unknown,
}

impl From<Kind> for ControllerKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Scanner => Self::Scanner,
            Kind::Drawer => Self::Drawer,
            Kind::Other(_) => Self::Unknown,
        }
    }
}

impl fmt::Display for ControllerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scanner => "scanner",
            Self::Drawer => "drawer",
            Self::Unknown => "controller of a kind that this version does not know",
        })
    }
}

/// A controller, as it said itself and as the box sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its chip's number, 16 hexadecimal digits.
    pub hardware: String,
    /// What it is for.
    pub kind: ControllerKind,
    /// What runs on it: `1.2.3`.
    pub firmware: String,
    /// The line that it hangs on.
    pub line: String,
    /// What the box has of its key.
    pub key: KeyState,
    /// What it has counted in all its boots.
    pub tally: Tally,
    /// Its last update since the daemon's start.
    pub update: Option<Update>,
    /// The first half of its key's SHA-256.
    pub(super) fingerprint: [u8; 16],
}

/// An update of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What it is to run: `1.2.3`.
    pub version: String,
    /// How far it is.
    pub state: UpdateState,
    /// Bytes that the controller has stored.
    pub stored: usize,
    /// Bytes of the image.
    pub length: usize,
    /// What went wrong and what to do, where it was refused.
    pub detail: String,
}

/// How far an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UpdateState {
    /// It is sent, or waits for the controller to be there.
    Sending,
    /// It runs, and stays.
    Done,
    /// The controller did not want it, or went back to what ran before.
    Refused,
}

impl About {
    pub(super) fn new(identity: &Identity, line: &str, key: KeyState) -> Self {
        Self {
            hardware: Hardware(identity.hardware).to_string(),
            kind: identity.kind.into(),
            firmware: version(identity.firmware),
            line: line.to_owned(),
            key,
            tally: Tally::default(),
            update: None,
            fingerprint: identity.key,
        }
    }
}

impl About {
    /// Without what it counted.
    pub(in super::super) fn uncounted(&self) -> Self {
        Self { tally: Tally::default(), ..self.clone() }
    }
}

pub(super) fn version(version: pos_link::Version) -> String {
    format!("{}.{}.{}", version.major, version.minor, version.patch)
}
