//! What can go wrong with a printer, what to do about it, and whose job that is.

use std::time::Duration;

use thiserror::Error;

use crate::Kind;
use crate::rim::link::Route;

/// Why a job was not, or was perhaps not, printed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection.
    #[error(
        "cannot reach the printer at {route}: {reason}; check that it is switched on and its cable plugged in"
    )]
    Unreachable {
        /// Where it was looked for.
        route: Route,
        /// What the system said.
        reason: String,
    },
    /// Connected, but a status request was not answered.
    #[error("the printer did not answer a status request within {} ms; switch it off and on, and if its model never answers, set `answers_status = false` in [printer]", .waited.as_millis())]
    NoAnswer {
        /// How long was waited.
        waited: Duration,
    },
    /// The connection ended, or a write failed.
    #[error("the connection to the printer broke: {reason}; check its cable, then look at the paper")]
    ConnectionLost {
        /// What the system said.
        reason: String,
    },
    /// All was sent, but the printer did not say that it got through it.
    #[error("the printer did not confirm the job within {} ms; look at the paper before printing again", .waited.as_millis())]
    NotConfirmed {
        /// How long was waited.
        waited: Duration,
    },
    /// The profile says that this model never answers.
    #[error("this printer gives no confirmation; look at the paper before printing again")]
    NoConfirmation,
    /// No paper.
    #[error("the printer is out of paper; put in a new roll")]
    PaperEnd,
    /// Cover open.
    #[error("the printer's cover is open; close it")]
    CoverOpen,
    /// Offline without a reason, for instance while somebody holds the feed button.
    #[error("the printer is offline; check that nobody holds its feed button, else switch it off and on")]
    Offline,
    /// The knife is jammed.
    #[error("the printer's cutter is jammed; clear it, then close the cover")]
    Cutter,
    /// The pulse was sent and the drawer's switch says that it stayed shut.
    #[error("the drawer stayed shut: is it locked by its key, or its cable out of the printer?")]
    DrawerShut,
    /// It will be well again by itself.
    #[error("the printer is recovering, perhaps from heat; it will go on by itself")]
    Recovering,
    /// Another error that a hand can mend.
    #[error("the printer reports an error; open and close its cover, else switch it off and on")]
    Error,
    /// An error that only service can mend.
    #[error("the printer reports an unrecoverable error; have it serviced")]
    Unrecoverable,
}

impl Fault {
    /// Who can mend it. Whether a job may be sent again is decided by its outcome, not by this.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } => Kind::Retry,
            Self::ConnectionLost { .. } | Self::Recovering => Kind::Retry,
            Self::NotConfirmed { .. } | Self::NoConfirmation => Kind::Operator,
            Self::PaperEnd | Self::CoverOpen | Self::Offline | Self::Cutter | Self::Error => Kind::Operator,
            Self::DrawerShut => Kind::Operator,
            Self::Unrecoverable => Kind::Broken,
        }
    }
}
