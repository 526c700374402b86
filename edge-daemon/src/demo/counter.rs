//! The virtual devices of a demo: one for each device of the configuration whose port is `virtual`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use device_drivers::{VirtualDisplay, VirtualPrinter, VirtualScale, VirtualScanner};
use tokio::sync::Mutex;

use crate::config::{DeviceConfig, DisplayPort, DrawerPort, Model, ScannerPort};

/// The folder beside the demo's data in which the virtual serial lines have their names.
const PORTS: &str = "ports";

/// A serial device that can be unplugged.
pub(super) struct Pluggable<T> {
    /// The name of its port.
    pub(super) path: PathBuf,
    /// `None` while it is unplugged.
    pub(super) device: Mutex<Option<T>>,
}

/// All virtual devices, by their names.
#[derive(Default)]
pub struct VirtualCounter {
    pub(super) printers: BTreeMap<String, Arc<VirtualPrinter>>,
    /// Which printer a drawer hangs on.
    pub(super) drawers: BTreeMap<String, Arc<VirtualPrinter>>,
    pub(super) scanners: BTreeMap<String, Pluggable<VirtualScanner>>,
    pub(super) scales: BTreeMap<String, VirtualScale>,
    pub(super) displays: BTreeMap<String, VirtualDisplay>,
}

impl VirtualCounter {
    /// Plugs a virtual device in for each that is to be one, and writes into the configuration how it is reached. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// When there is no free port, or no pseudo-terminal.
    pub async fn plug(devices: &mut [DeviceConfig], dir: &Path) -> io::Result<Self> {
        let ports = dir.join(PORTS);
        // What a demo that was killed left behind.
        match fs::remove_dir_all(&ports) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&ports)?,
        }
        let mut counter = Self::default();
        for device in devices.iter_mut() {
            let name = ports.join(&device.id);
            match &mut device.model {
                Model::Printer(printer) if printer.route.is_none() => {
                    let free = ([127, 0, 0, 1], 0).into();
                    let plugged = VirtualPrinter::start(free, printer.profile.clone()).await?;
                    printer.route = Some(plugged.address().into());
                    counter.printers.insert(device.id.clone(), Arc::new(plugged));
                }
                Model::Scanner(scanner) if scanner.port.is_none() => {
                    let plugged = VirtualScanner::plug(&name)?;
                    scanner.port = Some(ScannerPort::Serial(name.clone()));
                    let pluggable = Pluggable { path: name, device: Mutex::new(Some(plugged)) };
                    counter.scanners.insert(device.id.clone(), pluggable);
                }
                Model::Scale(scale) if scale.path.is_none() => {
                    let plugged = VirtualScale::plug(&name, scale.talk)?;
                    scale.path = Some(name);
                    counter.scales.insert(device.id.clone(), plugged);
                }
                Model::Display(display) if display.port.is_none() => {
                    let plugged = VirtualDisplay::plug(&name, display.dialect)?;
                    display.port = Some(DisplayPort::Serial(name));
                    counter.displays.insert(device.id.clone(), plugged);
                }
                _ => {}
            }
        }
        for device in devices.iter() {
            if let Model::Drawer(drawer) = &device.model
                && let DrawerPort::Printer(id) = &drawer.port
                && let Some(printer) = counter.printers.get(id)
            {
                counter.drawers.insert(device.id.clone(), printer.clone());
            }
        }
        Ok(counter)
    }
}
