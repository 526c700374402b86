//! A support bundle: what a technician wants to see of a box, in one file, without anything personal and without secrets.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uuid::Uuid;

use crate::checkout::Shop;
use crate::peripherals::Devices;

/// Bundles that are kept; the oldest go first.
const KEPT: usize = 10;

/// What goes into it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bundle {
    version: &'static str,
    at: String,
    head: Option<String>,
    ready: bool,
    alarms: Vec<String>,
    journal_bytes: u64,
    disk_free: u64,
    view_lag: u64,
    devices: Vec<Device>,
    /// As `edge-daemon check-config` shows it.
    config: String,
}

#[derive(Debug, Serialize)]
struct Device {
    id: String,
    port: String,
    state: serde_json::Value,
    detail: String,
}

impl Bundle {
    pub(super) fn of(shop: &Shop, devices: &Devices, config: &str) -> Self {
        let condition = shop.condition();
        let devices = devices.all().into_iter().map(|device| Device {
            id: device.id.to_string(),
            port: device.port.to_string(),
            state: serde_json::to_value(device.state).unwrap_or_default(),
            detail: device.detail.to_string(),
        });
        Self {
            version: env!("CARGO_PKG_VERSION"),
            at: shop.now().time.rfc3339(),
            head: shop.head().map(|head| head.position.to_string()),
            ready: condition.ready,
            alarms: condition.alarms,
            journal_bytes: condition.journal_bytes,
            disk_free: condition.disk_free,
            view_lag: condition.view_lag,
            devices: devices.collect(),
            config: config.to_owned(),
        }
    }
}

/// Writes a bundle, and takes away the oldest if there are too many.
pub(super) fn write(folder: &Path, id: Uuid, bundle: &Bundle) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let name = format!("{}-{id}.json", bundle.at.replace(':', ""));
    let path = folder.join(name);
    let beside = path.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec_pretty(bundle)?)?;
    std::fs::rename(&beside, &path)?;
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut all = entries.collect::<io::Result<Vec<_>>>()?;
    // Their names begin with the time.
    all.sort();
    for old in all.iter().rev().skip(KEPT) {
        std::fs::remove_file(old)?;
    }
    Ok(path)
}
