//! Ports of this machine that something is plugged into, also where no device is configured for it.
//!
//! Looked for by the names that the system gives to what is plugged in; those `by-id` are the same at whichever socket:
//!
//! | below `/dev` | what hangs there | port |
//! |---|---|---|
//! | `serial/by-id` | scanner, scale, display or printer, by USB or through an adapter | `serial:` |
//! | `input/by-id`, `…-event-kbd` | a keyboard, or a scanner that types | `hid:` |
//! | `usb/lp…` | a printer | `usb:` |
//!
//! Our own controllers are found by themselves, on the lines of `[controllers]`: `controller:` and their number.
//!
//! A built-in serial port is always there and says nothing of what hangs on it; a printer on the network has its address from
//! its own test page. Neither is found.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::condition::News;
use super::controllers::ControllerKind;
use super::devices::Devices;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Where the system names what is plugged in.
const DEV: &str = "/dev";

/// A port that something is plugged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPort {
    /// As the configuration says it.
    pub port: String,
    /// The sections of the configuration whose devices may hang there.
    pub sections: &'static [&'static str],
    /// The device that is configured for it.
    pub device_id: Option<String>,
}

/// What is plugged in below `dev`, by name.
fn plugged(dev: &Path) -> Vec<FoundPort> {
    let mut found = Vec::new();
    let mut add = |folder: &str, kind: &str, sections, fits: fn(&str) -> bool| {
        // A folder that is not there: nothing of the kind is plugged in.
        for entry in std::fs::read_dir(dev.join(folder)).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(fits) {
                let port = format!("{kind}:{}", entry.path().display());
                found.push(FoundPort { port, sections, device_id: None });
            }
        }
    };
    add("serial/by-id", "serial", &["scanner", "scale", "display", "printer"], |_| true);
    add("input/by-id", "hid", &["scanner"], |name| name.ends_with("-event-kbd"));
    add("usb", "usb", &["printer"], |name| name.starts_with("lp"));
    found.sort_by(|a, b| a.port.cmp(&b.port));
    found
}

/// The file behind a port, whichever of its names was used.
fn file(port: &str) -> Option<PathBuf> {
    std::fs::canonicalize(path(port)?).ok()
}

fn path(port: &str) -> Option<&Path> {
    port.split_once(':').map(|(_, path)| Path::new(path))
}

impl Devices {
    /// The ports that something is plugged into, and the devices that are configured for them. May block, for a little.
    #[must_use]
    pub fn found_ports(&self) -> Vec<FoundPort> {
        self.found_below(Path::new(DEV))
    }

    fn found_below(&self, dev: &Path) -> Vec<FoundPort> {
        let configured: Vec<_> =
            self.iter().filter_map(|device| Some((file(&device.config.port())?, device))).collect();
        let mut found = plugged(dev);
        // What hangs on a controllers' line is found by its own number.
        found.retain(|port| !path(&port.port).is_some_and(|path| self.controllers.has_line(path)));
        for port in &mut found {
            let file = file(&port.port);
            let device = configured.iter().find(|(at, _)| Some(at) == file.as_ref());
            port.device_id = device.map(|(_, device)| device.config.id.clone());
        }
        for (hardware, kind) in self.controllers.present() {
            let sections: &[&str] = match kind {
                ControllerKind::Scanner => &["scanner"],
                ControllerKind::Drawer => &["drawer"],
                ControllerKind::Unknown => &[],
            };
            let port = format!("controller:{hardware}");
            let device_id = self
                .iter()
                .find(|device| device.config.port() == port)
                .map(|device| device.config.id.clone());
            found.push(FoundPort { port, sections, device_id });
        }
        found
    }

    /// Tells whenever something is plugged in or out, or a device gets another port. Never ends.
    pub(super) async fn watch_ports(self) {
        let mut known = None;
        loop {
            let devices = self.clone();
            // A look that panics is one that found nothing.
            let found = tokio::task::spawn_blocking(move || devices.found_ports()).await.unwrap_or_default();
            if known.as_ref().is_some_and(|known| *known != found) {
                self.tell(News::Ports(found.clone().into()));
            }
            known = Some(found);
            sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config::{DeviceConfig, Model, ScannerConfig, ScannerPort};
    use crate::trial;

    #[test]
    fn what_is_plugged_in_is_found_by_its_stable_name_with_the_device_that_is_configured_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let dev = dir.path().join("dev");
        for folder in ["serial/by-id", "input/by-id", "usb", "tty"] {
            std::fs::create_dir_all(dev.join(folder)).unwrap();
        }
        let file = |path: &str| std::fs::write(dev.join(path), "").unwrap();
        ["tty/USB0", "tty/USB1", "usb/lp0", "usb/hiddev0", "input/event3"].into_iter().for_each(file);
        let link = |to: &str, name: &str| symlink(dev.join(to), dev.join(name)).unwrap();
        link("tty/USB0", "serial/by-id/usb-scanner");
        link("tty/USB1", "serial/by-id/usb-scale");
        link("input/event3", "input/by-id/usb-wedge-event-kbd");
        link("input/event3", "input/by-id/usb-wedge-event-mouse");

        // Configured by its other name.
        let port = Some(ScannerPort::Serial(dev.join("tty/USB0")));
        let model = Model::Scanner(ScannerConfig::at(port));
        let config = DeviceConfig { id: "front".into(), terminal: None, model };
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let (shop, running, _) = trial::open(&data);
        let devices = Devices::unattended(&shop, &[config]);
        let found = devices.found_below(&dev);
        let root = dev.display().to_string();
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.port.replace(&root, ""), found.sections.len(), found.device_id.as_deref()))
            .collect();
        let expected = [
            ("hid:/input/by-id/usb-wedge-event-kbd", 1, None),
            ("serial:/serial/by-id/usb-scale", 4, None),
            ("serial:/serial/by-id/usb-scanner", 4, Some("front")),
            ("usb:/usb/lp0", 1, None),
        ];
        assert_eq!(found, expected.map(|(port, sections, device)| (port.to_owned(), sections, device)));
        assert_eq!(devices.found_below(&dir.path().join("none")), []);
        running.stop().unwrap();
    }
}
