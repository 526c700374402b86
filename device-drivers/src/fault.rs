//! What can go wrong with a device on a port, what to do about it, and whose job that is.
//!
//! Scanner, scale and display fail alike: the port is not there, somebody else has it, it goes away, or nothing comes
//! from the device. So they share one fault, which says whose it is. A printer has more to tell: [`crate::Fault`].

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::wire::WireFault;

/// Who can mend a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Time: the same job may be sent again, if its outcome is *not printed*.
    Retry,
    /// The person at the counter: paper, cover, power.
    Operator,
    /// Somebody who may change the configuration or the network.
    Technician,
    /// Nobody here: the device needs service.
    Broken,
}

/// A device of the counter that hangs on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// Reads barcodes.
    Scanner,
    /// Weighs.
    Scale,
    /// Shows the customer two lines.
    Display,
    /// Holds the cash.
    Drawer,
    /// One of our own, for a scanner or a drawer.
    Controller,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scanner => "scanner",
            Self::Scale => "scale",
            Self::Display => "display",
            Self::Drawer => "drawer",
            Self::Controller => "controller",
        })
    }
}

/// Why a device on a port does not do its work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeviceFault {
    /// There is no such port: not plugged in, or its name is wrong.
    #[error("there is no {device} at {path}; plug it in, or correct its port")]
    Missing {
        /// What was looked for.
        device: Device,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Another program has the port, or this one may not use it.
    #[error(
        "the {device}'s port {path} cannot be opened: {reason}; end the program that uses it, or add the box's user to the group of the port"
    )]
    Refused {
        /// What was to be opened.
        device: Device,
        /// The port.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It was there and is gone.
    #[error("the {device} was unplugged ({reason}); plug it in again, it goes on by itself")]
    Lost {
        /// What was there.
        device: Device,
        /// What the system said.
        reason: String,
    },
    /// The port is there, but nothing sensible came from the device, or it took nothing.
    #[error("the {device} was silent for {} ms; check that it is switched on, its cable, and its port's settings", .waited.as_millis())]
    Silent {
        /// What is silent.
        device: Device,
        /// How long was waited.
        waited: Duration,
    },
}

impl DeviceFault {
    /// Whose job it is to mend it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } | Self::Lost { .. } | Self::Silent { .. } => Kind::Operator,
            Self::Refused { .. } => Kind::Technician,
        }
    }

    pub(crate) fn opening(device: Device, path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { device, path },
            _ => Self::Refused { device, path, reason: error.to_string() },
        }
    }

    pub(crate) fn lost(device: Device, error: &io::Error) -> Self {
        Self::Lost { device, reason: error.to_string() }
    }

    pub(crate) fn on_wire(device: Device, fault: WireFault<io::Error>) -> Self {
        match fault {
            WireFault::Ended => Self::Lost { device, reason: "the line ended".to_owned() },
            WireFault::Failed(error) => Self::lost(device, &error),
            WireFault::Silent { waited } => Self::Silent { device, waited },
        }
    }
}
