//! The devices at the counters, by UnifiedPOS's names and life cycle.
//!
//! ```text
//!  configuration ──> Devices (what is known of each, claims, news) <── http
//!                      │
//!    supervisor ── scanning, weighing, displaying      one life of a driver after the other
//!    controllers ── lines of our own controllers       their drivers sit on a seat there
//!    printing::Worker ── printer and its drawer        one queue each
//!    plant ── starts and stops each of them
//!    listener ── the shop's events become sheets, openings and devices
//!    ports ── what is plugged in, configured or not
//! ```
//!
//! Nothing here decides about money, and no sale waits for a device. What a device is asked to do to the world (print, open
//! a drawer) is journalled before and after; what it says (scans, weights) is news and no more.

mod condition;
mod controllers;
mod device;
mod devices;
mod displaying;
mod drawers;
mod listener;
mod outcomes;
mod plant;
mod ports;
mod printing;
mod scanning;
mod supervisor;
#[cfg(test)]
mod tests;
mod weighing;

use device_drivers::Patience;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use condition::{Condition, Counters, DeviceError, DeviceState, News, OfClass, Order, Remedy};
pub use controllers::{About, ControllerKey, ControllerKind, ControllerLines, KeyState, Update, UpdateState};
pub use devices::Devices;
pub use ports::FoundPort;
pub use printing::{JobError, Jobs, PrintState, PrintView};
pub use scanning::Scan;

use crate::checkout::Shop;
use crate::config::DeviceConfig;
use listener::{Left, Listener};
use outcomes::Outcomes;
use plant::Plant;
use printing::GRACE;

/// The running devices.
pub struct Peripherals {
    plant: Plant,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    ports: JoinHandle<()>,
    lines: Vec<JoinHandle<()>>,
}

impl Peripherals {
    /// Starts the devices of a shop that was just opened: those of the configuration file, and those that were configured
    /// while it ran. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(shop: &Shop, configs: &[DeviceConfig], lines: &ControllerLines, patience: Patience) -> Self {
        let (stop, stopped) = watch::channel(false);
        // From here on nothing is missed; what is in the state now is older.
        let happenings = shop.subscribe();
        let (left, setups) = {
            let state = shop.state();
            let left = Left {
                sheets: state.printing.keys().copied().collect(),
                openings: state.opening.keys().copied().collect(),
            };
            (left, state.devices.values().cloned().collect())
        };
        let seen = shop.head().map(|head| head.position);
        let plant = Plant::new(shop, lines.keys.clone(), patience);
        let served =
            lines.lines.iter().map(|line| plant.devices.controllers.serve(shop, line.clone())).collect();
        configs.iter().for_each(|config| plant.start(config, true));
        let listener = Listener { plant: plant.clone(), outcomes: Outcomes::new(shop.clone()), seen };
        let listener = tokio::spawn(listener.run(left, setups, happenings, stopped));
        let ports = tokio::spawn(plant.devices.clone().watch_ports());
        Self { plant, stop, listener, ports, lines: served }
    }

    /// What is known of the devices, and what they are asked.
    #[must_use]
    pub fn devices(&self) -> Devices {
        self.plant.devices.clone()
    }

    /// The sheets that are not on paper.
    #[must_use]
    pub fn jobs(&self) -> Jobs {
        self.plant.jobs.clone()
    }

    /// Finishes the receipt that is being printed, if that takes seconds only, and ends what waits as *not printed*. To
    /// be called before the shop is stopped.
    pub async fn stop(self) {
        self.ports.abort();
        self.stop.send_replace(true);
        let ended = async {
            let _ = self.listener.await;
            self.plant.stop().await;
        };
        if timeout(GRACE * 2, ended).await.is_err() {
            tracing::warn!(
                "the devices did not end in time; what they had becomes unknown at the next start"
            );
        }
        // What they had not accepted comes again.
        for line in self.lines {
            line.abort();
            let _ = line.await;
        }
    }
}
