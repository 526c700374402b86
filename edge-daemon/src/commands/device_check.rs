//! What `doctor` says of the devices at the counters.

use std::path::Path;

use device_drivers::{Patience, PosPrinter, SerialScanner};

use super::doctor::Finding::{self, Bad, Good, Remark};
use super::failure::Failure;
use super::small_runtime;
use crate::config::{DeviceConfig, DisplayPort, DrawerPort, Model, PrinterConfig, ScannerPort};
use crate::peripherals::{Condition, DeviceState, OfClass};

const NEXT: &str = "see to it, then look again";

/// Looks at a device that no daemon has.
pub(super) fn free(device: &DeviceConfig) -> Result<Finding, Failure> {
    let name = format!("{} at {}", device.id, device.port());
    Ok(match &device.model {
        Model::Printer(config) => printer(name, config)?,
        Model::Drawer(config) => match &config.port {
            DrawerPort::Printer(_) => Good(format!("{name}: opened by its printer")),
            DrawerPort::Controller(_) => on_controller(name),
            DrawerPort::Pins { chip, .. } => there(name, chip),
        },
        Model::Scanner(config) => match &config.port {
            Some(ScannerPort::Keyboard(path)) => there(name, path),
            Some(ScannerPort::Serial(path)) => serial(name, Some(path))?,
            Some(ScannerPort::Controller(_)) => on_controller(name),
            None => virtual_one(name),
        },
        Model::Scale(config) => serial(name, config.path.as_deref())?,
        Model::Display(config) => match &config.port {
            Some(DisplayPort::I2c(bus, _)) => there(name, bus),
            Some(DisplayPort::Serial(path)) => serial(name, Some(path))?,
            None => virtual_one(name),
        },
    })
}

fn printer(name: String, config: &PrinterConfig) -> Result<Finding, Failure> {
    let Some(route) = config.route.clone() else { return Ok(virtual_one(name)) };
    if !config.profile.answers_status {
        return Ok(Remark(format!("{name} answers no questions, so no receipt can be confirmed")));
    }
    let printer = PosPrinter::new(route, config.profile.clone(), Patience::default());
    Ok(match small_runtime()?.block_on(printer.status()) {
        Ok(status) => match status.blocked() {
            None if status.paper_near_end => {
                Remark(format!("{name} is ready; its paper is nearly at its end"))
            }
            None => Good(format!("{name} is ready")),
            Some(fault) => Bad { what: format!("{name}: {fault}"), next: NEXT },
        },
        Err(fault) => Bad { what: format!("{name}: {fault}"), next: NEXT },
    })
}

fn serial(name: String, path: Option<&Path>) -> Result<Finding, Failure> {
    let Some(path) = path else { return Ok(virtual_one(name)) };
    // Any serial device: all that is tried is its port.
    let opened = small_runtime()?.block_on(async { SerialScanner::new(path.to_owned()).open() });
    Ok(match opened {
        Ok(_) => Good(format!("{name}: its port can be opened")),
        Err(fault) => Bad { what: format!("{name}: {fault}"), next: NEXT },
    })
}

/// Taking it would take it away from who uses it.
fn there(name: String, path: &Path) -> Finding {
    match path.metadata() {
        Ok(_) => Good(format!("{name} is there")),
        Err(error) => Bad { what: format!("{name}: {error}"), next: NEXT },
    }
}

fn on_controller(name: String) -> Finding {
    Remark(format!("{name}: the daemon talks to its controller; start it, then look again"))
}

fn virtual_one(name: String) -> Finding {
    Remark(format!("{name}: only `edge-daemon demo` plugs in virtual devices"))
}

/// The daemon has the device, so it is not touched.
pub(super) fn taken(device: &Condition) -> Finding {
    let name = format!("{} at {}", device.id, device.port);
    match (device.state, &device.of_class) {
        (DeviceState::Waiting, OfClass::Printer { jobs, .. }) => {
            let what = format!("{name}: {jobs} sheets wait: {}", device.detail);
            Bad { what, next: "see to it; they are printed then" }
        }
        (DeviceState::Absent | DeviceState::Faulty | DeviceState::Waiting, _) => {
            Bad { what: format!("{name}: {}", device.detail), next: NEXT }
        }
        (DeviceState::Disabled, _) => Remark(format!("{name} is disabled")),
        (DeviceState::Ready | DeviceState::Busy, _) => {
            Good(format!("{name} is ready; {} done since the start", device.counters.done))
        }
    }
}

pub(super) fn none() -> Finding {
    Remark("none are configured; receipts are shown, not printed".into())
}
