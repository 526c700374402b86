//! What runs: a task for each device, started and stopped one by one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use device_drivers::{DrawerPins, Patience, Sensing};
use pos_domain::event::DeviceSetup;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::devices::Devices;
use super::displaying::Displaying;
use super::drawers::OnPins;
use super::printing::{Jobs, Queue, Worker};
use super::scanning::Scanning;
use super::supervisor::supervise;
use super::weighing::Weighing;
use crate::checkout::Shop;
use crate::config::{self, DeviceConfig, DrawerPort, Model};

struct Runs {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What was in a device's place, and ends by and by.
#[derive(Default)]
struct Before {
    task: Option<JoinHandle<()>>,
    /// What waits for it, where it is a printer.
    queue: Option<Arc<Queue>>,
}

/// The devices' tasks. A cheap handle.
#[derive(Clone)]
pub(super) struct Plant {
    pub(super) shop: Shop,
    pub(super) devices: Devices,
    pub(super) jobs: Jobs,
    patience: Patience,
    running: Arc<Mutex<BTreeMap<String, Runs>>>,
    ending: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Plant {
    pub(super) fn new(shop: &Shop, patience: Patience) -> Self {
        let jobs = Jobs::none(shop.clone());
        Self {
            shop: shop.clone(),
            devices: Devices::none(),
            jobs,
            patience,
            running: Arc::default(),
            ending: Arc::default(),
        }
    }

    /// Starts a device; `fixed`: it stands in the configuration file. Must be called within a tokio runtime.
    pub(super) fn start(&self, config: &DeviceConfig, fixed: bool) {
        self.start_after(Before::default(), config, fixed);
    }

    /// Starts a device when what was in its place has ended; it is known at once.
    fn start_after(&self, before: Before, config: &DeviceConfig, fixed: bool) {
        let (device, orders) = self.devices.add(&self.shop, config, fixed);
        let Before { task: before, queue } = before;
        let (stop, stopped) = watch::channel(false);
        let config = config.clone();
        let task = match config.model {
            Model::Printer(printer) => {
                let Some(route) = printer.route else { return self.let_end(Before { task: before, queue }) };
                let reach = (route, printer.profile, self.patience);
                let worker = Worker::new(device, self.devices.clone(), reach, stopped);
                if let Some(queue) = queue {
                    queue.hand_over(&worker.queue);
                }
                self.jobs.add(&config.id, worker.queue.clone());
                tokio::spawn(after(before, worker.run()))
            }
            Model::Drawer(drawer) => {
                // One on a printer is opened by the printer's worker.
                let DrawerPort::Pins { chip, line, sense_line } = drawer.port else {
                    return self.let_end(Before { task: before, queue });
                };
                let sense_line = sense_line.filter(|_| drawer.open_when_high.is_some());
                let closed_high = drawer.open_when_high == Some(false);
                let sensing = Sensing { closed_high, ..Sensing::default() };
                let pins = DrawerPins { chip, line, sense_line, pulse: drawer.pulse, sensing };
                tokio::spawn(after(before, supervise(OnPins(pins), device, orders, stopped)))
            }
            Model::Scanner(scanner) => {
                let Some(port) = scanner.port.clone() else {
                    return self.let_end(Before { task: before, queue });
                };
                tokio::spawn(after(before, supervise(Scanning::new(&scanner, port), device, orders, stopped)))
            }
            Model::Scale(scale) => {
                let Some(path) = scale.path.clone() else {
                    return self.let_end(Before { task: before, queue });
                };
                tokio::spawn(after(before, supervise(Weighing::new(&scale, path), device, orders, stopped)))
            }
            Model::Display(display) => {
                let Some(port) = display.port.clone() else {
                    return self.let_end(Before { task: before, queue });
                };
                tokio::spawn(after(
                    before,
                    supervise(Displaying::new(&display, port), device, orders, stopped),
                ))
            }
        };
        self.running().insert(config.id, Runs { stop, task });
    }

    /// Starts a device that was configured while the box ran, in the place of what was called so; one of the file stays. Does
    /// not wait: other devices' work is behind it.
    pub(super) fn put(&self, setup: &DeviceSetup) {
        if self.devices.is_fixed(&setup.id) {
            return;
        }
        let config = config::device_of(setup);
        let same = self.devices.device(&setup.id).is_ok_and(|device| config.as_ref() == Ok(&device.config));
        if same {
            return;
        }
        let before = self.take_away(&setup.id);
        match config {
            Ok(config) => self.start_after(before, &config, false),
            Err(problems) => {
                self.let_end(before);
                tracing::warn!(device = setup.id, problems, "the device is configured wrongly");
            }
        }
    }

    /// Stops a device and forgets it; one of the file stays. Does not wait for its end.
    pub(super) fn remove(&self, id: &str) {
        if !self.devices.is_fixed(id) {
            let before = self.take_away(id);
            self.let_end(before);
        }
    }

    fn take_away(&self, id: &str) -> Before {
        let queue = self.jobs.remove(id);
        self.devices.remove(id);
        let task = self.running().remove(id).map(|Runs { stop, task }| {
            stop.send_replace(true);
            task
        });
        Before { task, queue }
    }

    /// Something has nothing in its place now, and ends by and by.
    fn let_end(&self, before: Before) {
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        ending.retain(|task| !task.is_finished());
        ending.extend(before.task);
    }

    /// Stops all.
    pub(super) async fn stop(&self) {
        let all = std::mem::take(&mut *self.running());
        for Runs { stop, .. } in all.values() {
            stop.send_replace(true);
        }
        let ending = std::mem::take(&mut *self.ending.lock().unwrap_or_else(PoisonError::into_inner));
        for task in all.into_values().map(|runs| runs.task).chain(ending) {
            let _ = task.await;
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Runs>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs something when what was in its place has ended: a port serves one driver at a time.
async fn after(before: Option<JoinHandle<()>>, run: impl Future<Output = ()>) {
    if let Some(before) = before {
        let _ = before.await;
    }
    run.await;
}
