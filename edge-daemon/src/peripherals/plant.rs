//! What runs: a task for each device, started and stopped one by one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use device_drivers::{DrawerPins, Patience, Sensing};
use pos_domain::event::DeviceSetup;
use pos_link::Settings;
use tokio::sync::watch;

use super::controllers::{ControllerDrawer, ControllerScanner, Controllers};
use super::devices::Devices;
use super::displaying::Displaying;
use super::drawers::OnPins;
use super::printing::{Jobs, Queue, Worker};
use super::scanning::Scanning;
use super::supervisor::supervise;
use super::weighing::Weighing;
use crate::checkout::Shop;
use crate::config::{self, DeviceConfig, DrawerPort, Model, ScannerPort};

/// Settings of a controller that are for others of its kind, or leave the pulse's cap.
const AS_IT_IS: Settings =
    Settings { symbologies: 0, double_read_ms: 0, open_too_long_s: 0, pulse_cap_ms: 0 };

/// A device's task.
struct Runs {
    id: String,
    port: String,
    stop: watch::Sender<bool>,
    /// Closed when the task has ended.
    ended: watch::Receiver<()>,
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
    /// What was told to stop, and ends by and by.
    ending: Arc<Mutex<Vec<Runs>>>,
}

impl Plant {
    pub(super) fn new(shop: &Shop, keys: PathBuf, patience: Patience) -> Self {
        let jobs = Jobs::none(shop.clone());
        Self {
            shop: shop.clone(),
            devices: Devices::new(Controllers::new(keys)),
            jobs,
            patience,
            running: Arc::default(),
            ending: Arc::default(),
        }
    }

    /// Starts a device; `fixed`: it stands in the configuration file. Must be called within a tokio runtime.
    pub(super) fn start(&self, config: &DeviceConfig, fixed: bool) {
        self.start_in_place_of(None, config, fixed);
    }

    /// Starts a device as soon as whatever had its name or its port has ended; it is known at once. A printer takes what waits
    /// in the queue of the one before it.
    fn start_in_place_of(&self, before: Option<&Arc<Queue>>, config: &DeviceConfig, fixed: bool) {
        let (device, orders) = self.devices.add(&self.shop, config, fixed);
        let (stop, stopped) = watch::channel(false);
        let (id, port) = (config.id.clone(), config.port());
        let free = self.free(&id, &port);
        let mut queue = None;
        let run: Pin<Box<dyn Future<Output = ()> + Send>> = match config.model.clone() {
            Model::Printer(printer) => {
                let Some(route) = printer.route else { return };
                let reach = (route, printer.profile, self.patience);
                let worker = Worker::new(device, self.devices.clone(), reach, stopped);
                if let Some(before) = before {
                    before.hand_over(&worker.queue);
                }
                self.jobs.add(&id, worker.queue.clone());
                queue = Some(worker.queue.clone());
                Box::pin(worker.run(free))
            }
            Model::Drawer(drawer) => {
                match drawer.port {
                    // It is opened by the printer's worker.
                    DrawerPort::Printer(_) => return,
                    DrawerPort::Pins { chip, line, sense_line } => {
                        let sense_line = sense_line.filter(|_| drawer.open_when_high.is_some());
                        let closed_high = drawer.open_when_high == Some(false);
                        let sensing = Sensing { closed_high, ..Sensing::default() };
                        let pins = DrawerPins { chip, line, sense_line, pulse: drawer.pulse, sensing };
                        Box::pin(after(free, supervise(OnPins(pins), device, orders, stopped)))
                    }
                    DrawerPort::Controller(hardware) => {
                        let settings = Settings { open_too_long_s: drawer.open_too_long_s, ..AS_IT_IS };
                        let (controllers, pulse) = (self.devices.controllers.clone(), drawer.pulse.on);
                        let driver = ControllerDrawer { controllers, hardware, settings, pulse };
                        Box::pin(after(free, supervise(driver, device, orders, stopped)))
                    }
                }
            }
            Model::Scanner(scanner) => match &scanner.port {
                None => return,
                Some(ScannerPort::Controller(hardware)) => {
                    let (symbologies, double_read_ms) = (scanner.symbologies, scanner.double_read_ms);
                    let settings = Settings { symbologies, double_read_ms, ..AS_IT_IS };
                    let controllers = self.devices.controllers.clone();
                    let driver = ControllerScanner { controllers, hardware: *hardware, settings };
                    Box::pin(after(free, supervise(driver, device, orders, stopped)))
                }
                Some(ScannerPort::Serial(path)) => {
                    let driver = Scanning::on_line(&scanner, path.clone());
                    Box::pin(after(free, supervise(driver, device, orders, stopped)))
                }
                Some(ScannerPort::Keyboard(path)) => {
                    let driver = Scanning::keyboard(&scanner, path.clone());
                    Box::pin(after(free, supervise(driver, device, orders, stopped)))
                }
            },
            Model::Scale(scale) => {
                let Some(path) = scale.path.clone() else { return };
                Box::pin(after(free, supervise(Weighing::new(&scale, path), device, orders, stopped)))
            }
            Model::Display(display) => {
                let Some(port) = display.port.clone() else { return };
                Box::pin(after(free, supervise(Displaying::new(&display, port), device, orders, stopped)))
            }
        };
        let (running, ended) = watch::channel(());
        let (jobs, left) = (self.jobs.clone(), queue.clone());
        tokio::spawn(async move {
            run.await;
            if let Some(left) = left {
                jobs.ended(&left);
            }
            drop(running);
        });
        self.running().insert(id.clone(), Runs { id, port, stop, ended, queue });
    }

    /// Waits until nothing runs any more that was told to stop and has this name or this port: a port serves one driver at a
    /// time.
    fn free(&self, id: &str, port: &str) -> impl Future<Output = ()> + Send + use<> {
        let ending = self.ending();
        let same = ending.iter().filter(|runs| runs.id == id || runs.port == port);
        let ended: Vec<_> = same.map(|runs| runs.ended.clone()).collect();
        async move {
            for mut ended in ended {
                while ended.changed().await.is_ok() {}
            }
        }
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
            Ok(config) => self.start_in_place_of(before.as_ref(), &config, false),
            Err(problems) => tracing::warn!(device = setup.id, problems, "the device is configured wrongly"),
        }
        self.stop_what_ends();
    }

    /// Stops a device and forgets it; one of the file stays. Does not wait for its end.
    pub(super) fn remove(&self, id: &str) {
        if !self.devices.is_fixed(id) {
            self.take_away(id);
            self.stop_what_ends();
        }
    }

    /// Forgets a device, which is still to be stopped. Gives what waits for it.
    fn take_away(&self, id: &str) -> Option<Arc<Queue>> {
        self.jobs.retire(id);
        self.devices.remove(id);
        let runs = self.running().remove(id)?;
        let queue = runs.queue.clone();
        self.ending().push(runs);
        queue
    }

    fn stop_what_ends(&self) {
        let mut ending = self.ending();
        ending.retain(|runs| runs.ended.has_changed().is_ok());
        for runs in ending.iter() {
            runs.stop.send_replace(true);
        }
    }

    /// Stops all.
    pub(super) async fn stop(&self) {
        let running = std::mem::take(&mut *self.running()).into_values();
        let ending = std::mem::take(&mut *self.ending());
        let all: Vec<_> = running.chain(ending).collect();
        for runs in &all {
            runs.stop.send_replace(true);
        }
        for mut runs in all {
            while runs.ended.changed().await.is_ok() {}
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Runs>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ending(&self) -> MutexGuard<'_, Vec<Runs>> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn after(free: impl Future<Output = ()>, run: impl Future<Output = ()>) {
    free.await;
    run.await;
}
