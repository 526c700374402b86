//! The devices at the counters, by UnifiedPOS's names and life cycle.
//!
//! ```text
//!  configuration ──> Devices (what is known of each, claims, news) <── http
//!                      │
//!    supervisor ── scanning, weighing, displaying      one life of a driver after the other
//!    printing::Worker ── printer and its drawer        one queue each
//!    listener ── the shop's events become sheets and openings
//! ```
//!
//! Nothing here decides about money, and no sale waits for a device. What a device is asked to do to the world (print, open
//! a drawer) is journalled before and after; what it says (scans, weights) is news and no more.

mod condition;
mod devices;
mod displaying;
mod drawers;
mod listener;
mod outcomes;
mod printing;
mod scanning;
mod supervisor;
#[cfg(test)]
mod tests;
mod weighing;

use std::collections::BTreeMap;

use device_drivers::{DrawerPins, Patience, Sensing};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use condition::{Condition, Counters, DeviceError, DeviceState, News, OfClass, Order, Remedy};
pub use devices::Devices;
pub use printing::{JobError, Jobs, PrintState, PrintView};
pub use scanning::Scan;

use crate::checkout::Shop;
use crate::config::{DeviceConfig, DrawerPort, Model};
use displaying::Displaying;
use drawers::OnPins;
use listener::{Left, Listener};
use outcomes::Outcomes;
use printing::{GRACE, Worker};
use scanning::Scanning;
use supervisor::supervise;
use weighing::Weighing;

/// The running devices.
pub struct Peripherals {
    devices: Devices,
    jobs: Jobs,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
}

impl Peripherals {
    /// Starts the devices of a shop that was just opened. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(shop: &Shop, configs: &[DeviceConfig], patience: Patience) -> Self {
        let (stop, stopped) = watch::channel(false);
        // From here on nothing is missed; what is in the state now is older.
        let happenings = shop.subscribe();
        let left = {
            let state = shop.state();
            Left {
                sheets: state.printing.keys().copied().collect(),
                openings: state.opening.keys().copied().collect(),
            }
        };
        let seen = shop.head().map(|head| head.position);
        let (devices, inboxes) = Devices::new(shop, configs);
        let (mut tasks, mut queues) = (Vec::new(), BTreeMap::new());
        for (device, orders) in inboxes {
            let config = device.config.clone();
            match config.model {
                Model::Printer(printer) => {
                    let Some(route) = printer.route else { continue };
                    let hangs_here = |other: &DeviceConfig| match &other.model {
                        Model::Drawer(drawer) => drawer.port == DrawerPort::Printer(config.id.clone()),
                        _ => false,
                    };
                    let drawers = devices.iter().filter(|other| hangs_here(&other.config)).cloned().collect();
                    let worker =
                        Worker::new(device, drawers, (route, printer.profile, patience), stopped.clone());
                    queues.insert(config.id, worker.queue.clone());
                    tasks.push(tokio::spawn(worker.run()));
                }
                Model::Drawer(drawer) => {
                    // One on a printer is opened by the printer's worker.
                    let DrawerPort::Pins { chip, line, sense_line } = drawer.port else { continue };
                    let sense_line = sense_line.filter(|_| drawer.open_when_high.is_some());
                    let closed_high = drawer.open_when_high == Some(false);
                    let sensing = Sensing { closed_high, ..Sensing::default() };
                    let pins = DrawerPins { chip, line, sense_line, pulse: drawer.pulse, sensing };
                    tasks.push(tokio::spawn(supervise(OnPins(pins), device, orders, stopped.clone())));
                }
                Model::Scanner(scanner) => {
                    let Some(port) = scanner.port.clone() else { continue };
                    let driver = Scanning::new(&scanner, port);
                    tasks.push(tokio::spawn(supervise(driver, device, orders, stopped.clone())));
                }
                Model::Scale(scale) => {
                    let Some(path) = scale.path.clone() else { continue };
                    let driver = Weighing::new(&scale, path);
                    tasks.push(tokio::spawn(supervise(driver, device, orders, stopped.clone())));
                }
                Model::Display(display) => {
                    let Some(path) = display.path.clone() else { continue };
                    let driver = Displaying::new(&display, path);
                    tasks.push(tokio::spawn(supervise(driver, device, orders, stopped.clone())));
                }
            }
        }
        let jobs = Jobs::new(shop.clone(), queues);
        let outcomes = Outcomes::new(shop.clone());
        let listener =
            Listener { shop: shop.clone(), devices: devices.clone(), jobs: jobs.clone(), outcomes, seen };
        let listener = tokio::spawn(listener.run(left, happenings, stopped));
        Self { devices, jobs, stop, listener, tasks }
    }

    /// What is known of the devices, and what they are asked.
    #[must_use]
    pub fn devices(&self) -> Devices {
        self.devices.clone()
    }

    /// The sheets that are not on paper.
    #[must_use]
    pub fn jobs(&self) -> Jobs {
        self.jobs.clone()
    }

    /// Finishes the receipt that is being printed, if that takes seconds only, and ends what waits as *not printed*. To
    /// be called before the shop is stopped.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let ended = async {
            let _ = self.listener.await;
            for task in self.tasks {
                let _ = task.await;
            }
        };
        if timeout(GRACE * 2, ended).await.is_err() {
            tracing::warn!(
                "the devices did not end in time; what they had becomes unknown at the next start"
            );
        }
    }
}
