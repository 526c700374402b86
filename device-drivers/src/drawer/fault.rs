//! What can go wrong with a drawer on pins, and whose job that is.

use std::time::Duration;

use thiserror::Error;

use crate::Kind;
use crate::fault::DeviceFault;

/// Why a drawer does not open, or cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DrawerFault {
    /// Its pins cannot be had.
    #[error(transparent)]
    Pins(#[from] DeviceFault),
    /// Its solenoid was driven a moment ago.
    #[error("the drawer's solenoid rests for another {} ms; try again then", .left.as_millis())]
    Resting {
        /// How long it still rests.
        left: Duration,
    },
    /// A pin could not be set or read. Whether the drawer opened is unknown, if it was being opened.
    #[error("a pin of the drawer failed: {reason}; check the box's wiring")]
    Pin {
        /// What the system said.
        reason: String,
    },
}

impl DrawerFault {
    /// Whose job it is to mend it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Pins(fault) => fault.kind(),
            Self::Resting { .. } => Kind::Retry,
            Self::Pin { .. } => Kind::Technician,
        }
    }
}
