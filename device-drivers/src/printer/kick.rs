//! Opening the drawer on a printer's connector: at once, and with what its switch says.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::driver::{PosPrinter, ask, lost};
use super::fault::Fault;
use super::proto::real_time_pulse;
use super::status::Status;
use crate::rim::exchange::Moved;
use crate::rim::link::Link;

/// What a pulse for the drawer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kicked {
    /// The drawer's switch says that it is open; without a switch: the printer took the pulse.
    Opened {
        /// The printer's status then.
        status: Status,
    },
    /// No pulse was sent, or the switch says that the drawer stayed shut.
    NotOpened {
        /// Why.
        reason: Fault,
    },
    /// The pulse was sent, perhaps; look at the drawer.
    Unknown {
        /// What is known.
        reason: Fault,
    },
}

/// Between two looks at the drawer's switch.
const SENSE: Duration = Duration::from_millis(40);

impl PosPrinter {
    /// Has the printer pulse the drawer's solenoid, at once: also while its paper is out or its cover open. Then waits
    /// until the drawer's switch says that it is open, if `open_is_high` tells which level of the sense pin that is.
    pub async fn kick(&self, open_is_high: Option<bool>) -> Kicked {
        let mut link = match self.connect().await {
            Ok(link) => link,
            Err(reason) => return Kicked::NotOpened { reason },
        };
        let kicked = self.pulse(&mut link, open_is_high).await;
        match &kicked {
            Kicked::Opened { .. } | Kicked::NotOpened { .. } => drop(link),
            Kicked::Unknown { reason: Fault::NoConfirmation } => link.finish(self.patience().status).await,
            // A pulse that has not left yet must not open the drawer later.
            Kicked::Unknown { .. } => link.abandon(),
        }
        kicked
    }

    async fn pulse(&self, link: &mut Link, open_is_high: Option<bool>) -> Kicked {
        let silent = Fault::NoAnswer { waited: self.patience().status };
        let pulse = real_time_pulse(self.profile());
        match timeout(self.patience().status, send_all(link, &pulse)).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Kicked::Unknown { reason },
            Err(_) => return Kicked::Unknown { reason: silent },
        }
        if !self.profile().answers_status {
            return Kicked::Unknown { reason: Fault::NoConfirmation };
        }
        let deadline = Instant::now() + self.patience().status;
        loop {
            let asked = timeout(self.patience().status, ask(link)).await;
            let status = match asked.unwrap_or(Err(silent.clone())) {
                Ok(status) => status,
                Err(reason) => return Kicked::Unknown { reason },
            };
            match open_is_high {
                // Without a switch the printer's word that it is there and took the pulse is all there is.
                None => return Kicked::Opened { status },
                Some(level) if status.drawer_pin_high == level => return Kicked::Opened { status },
                Some(_) if Instant::now() >= deadline => {
                    return Kicked::NotOpened { reason: Fault::DrawerShut };
                }
                Some(_) => sleep(SENSE).await,
            }
        }
    }
}

/// Says all of it; what the printer says meanwhile answers nothing.
async fn send_all(link: &mut Link, mut bytes: &[u8]) -> Result<(), Fault> {
    let mut buffer = [0; 64];
    while !bytes.is_empty() {
        if let Moved::Written(count) = link.exchange(&mut buffer, bytes).await.map_err(lost)? {
            bytes = bytes.get(count..).unwrap_or_default();
        }
    }
    Ok(())
}
