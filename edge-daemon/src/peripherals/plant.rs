//! What runs: a task for each device, started and stopped one by one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use device_drivers::{DrawerPins, Patience, Sensing};
use pos_domain::event::DeviceSetup;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::devices::Devices;
use super::displaying::Displaying;
use super::drawers::OnPins;
use super::printing::{Jobs, Worker};
use super::scanning::Scanning;
use super::supervisor::supervise;
use super::weighing::Weighing;
use crate::checkout::Shop;
use crate::config::{self, DeviceConfig, DrawerPort, Model};

struct Runs {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// The devices' tasks. A cheap handle.
#[derive(Clone)]
pub(super) struct Plant {
    pub(super) shop: Shop,
    pub(super) devices: Devices,
    pub(super) jobs: Jobs,
    patience: Patience,
    running: Arc<Mutex<BTreeMap<String, Runs>>>,
}

impl Plant {
    pub(super) fn new(shop: &Shop, patience: Patience) -> Self {
        let jobs = Jobs::none(shop.clone());
        Self { shop: shop.clone(), devices: Devices::none(), jobs, patience, running: Arc::default() }
    }

    /// Starts a device; `fixed`: it stands in the configuration file. Must be called within a tokio runtime.
    pub(super) fn start(&self, config: &DeviceConfig, fixed: bool) {
        let (device, orders) = self.devices.add(&self.shop, config, fixed);
        let (stop, stopped) = watch::channel(false);
        let config = config.clone();
        let task = match config.model {
            Model::Printer(printer) => {
                let Some(route) = printer.route else { return };
                let reach = (route, printer.profile, self.patience);
                let worker = Worker::new(device, self.devices.clone(), reach, stopped);
                self.jobs.add(&config.id, worker.queue.clone());
                tokio::spawn(worker.run())
            }
            Model::Drawer(drawer) => {
                // One on a printer is opened by the printer's worker.
                let DrawerPort::Pins { chip, line, sense_line } = drawer.port else { return };
                let sense_line = sense_line.filter(|_| drawer.open_when_high.is_some());
                let closed_high = drawer.open_when_high == Some(false);
                let sensing = Sensing { closed_high, ..Sensing::default() };
                let pins = DrawerPins { chip, line, sense_line, pulse: drawer.pulse, sensing };
                tokio::spawn(supervise(OnPins(pins), device, orders, stopped))
            }
            Model::Scanner(scanner) => {
                let Some(port) = scanner.port.clone() else { return };
                tokio::spawn(supervise(Scanning::new(&scanner, port), device, orders, stopped))
            }
            Model::Scale(scale) => {
                let Some(path) = scale.path.clone() else { return };
                tokio::spawn(supervise(Weighing::new(&scale, path), device, orders, stopped))
            }
            Model::Display(display) => {
                let Some(port) = display.port.clone() else { return };
                tokio::spawn(supervise(Displaying::new(&display, port), device, orders, stopped))
            }
        };
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(config.id, Runs { stop, task });
    }

    /// Starts a device that was configured while the box ran, in the place of what was called so; one of the file stays.
    pub(super) async fn put(&self, setup: &DeviceSetup) {
        if self.devices.is_fixed(&setup.id) {
            return;
        }
        let config = config::device_of(setup);
        let same = self.devices.device(&setup.id).is_ok_and(|device| config.as_ref() == Ok(&device.config));
        if same {
            return;
        }
        self.remove(&setup.id).await;
        match config {
            Ok(config) => self.start(&config, false),
            Err(problems) => tracing::warn!(device = setup.id, problems, "the device is configured wrongly"),
        }
    }

    /// Stops a device and forgets it.
    pub(super) async fn remove(&self, id: &str) {
        if self.devices.is_fixed(id) {
            return;
        }
        let runs = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(Runs { stop, task }) = runs {
            stop.send_replace(true);
            let _ = task.await;
        }
        self.jobs.remove(id);
        self.devices.remove(id);
    }

    /// Stops all.
    pub(super) async fn stop(&self) {
        let all = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for Runs { stop, .. } in all.values() {
            stop.send_replace(true);
        }
        for Runs { task, .. } in all.into_values() {
            let _ = task.await;
        }
    }
}
