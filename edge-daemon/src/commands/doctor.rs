//! `doctor`: looks at everything that a box needs, in the order in which it is needed.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use pos_journal::Disk;
use rustix::fs::{Access, access, statfs, statvfs};

use super::failure::{Code, Failure};
use super::{Place, device_check, small_runtime};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::control::{Client, Reply, Request, Status};
use crate::lock::{self, LockError};
use crate::views::Views;

/// Below this, in bytes, it is time to act: some segments' worth.
const ENOUGH_SPACE: u64 = 512 << 20;

/// What a check found.
pub(super) enum Finding {
    Good(String),
    /// It works; somebody should know.
    Remark(String),
    Bad {
        what: String,
        next: &'static str,
    },
}
use Finding::{Bad, Good, Remark};

pub(super) fn doctor(place: &Place) -> Result<(), Failure> {
    let mut sheet = Sheet { bad: 0 };
    let config = match Config::load(&place.config, &place.flags(None)) {
        Ok(config) => config,
        Err(error) => {
            let next = "correct it; edge-daemon/config.example.toml explains every key";
            sheet.put("configuration", Bad { what: error.to_string(), next });
            return sheet.end();
        }
    };
    sheet.put("configuration", Good(place.config.display().to_string()));
    let dir = &config.data.dir;
    sheet.put("clock", clock());
    if dir.is_dir() {
        sheet.put("data directory", owner(dir));
        sheet.put("file system", file_system(dir));
        sheet.put("free space", space(dir));
    } else {
        sheet.put("data directory", to_be_made(dir));
    }
    // Asked first: who takes the lock also sees whether somebody has it.
    let locked = if dir.is_dir() { Some(lock::take(dir)) } else { None };
    match locked {
        Some(Err(LockError::Taken { .. })) => {
            running(&mut sheet, dir)?;
            return sheet.end();
        }
        Some(Err(error)) => sheet.put("lock", Bad { what: error.to_string(), next: "mend its permissions" }),
        Some(Ok(_lock)) => {
            sheet.put("journal", journal(dir));
            sheet.put("views", views(dir, config.data.cache_bytes));
            sheet.put("port", port(&config));
        }
        None => sheet.put("port", port(&config)),
    }
    for device in &config.devices {
        sheet.put(device.class(), device_check::free(device)?);
    }
    if config.devices.is_empty() {
        sheet.put("devices", device_check::none());
    }
    sheet.end()
}

struct Sheet {
    bad: u32,
}

impl Sheet {
    fn put(&mut self, name: &str, finding: Finding) {
        match finding {
            Good(what) => println!("✓ {name}: {what}"),
            Remark(what) => println!("! {name}: {what}"),
            Bad { what, next } => {
                self.bad += 1;
                println!("✗ {name}: {what}\n    try: {next}");
            }
        }
    }

    fn end(self) -> Result<(), Failure> {
        match self.bad {
            0 => Ok(()),
            count => {
                let what = format!("{count} {} failed", if count == 1 { "check" } else { "checks" });
                Err(Failure::new(Code::Found, what, "see the lines marked ✗"))
            }
        }
    }
}

fn clock() -> Finding {
    let reading = SystemClock::new().read();
    let shown = reading.wall.rfc3339();
    // 2026-01-01: this program is younger.
    if reading.wall.0 < 1_767_225_600_000 {
        return Bad { what: format!("it says {shown}"), next: "set it, or connect the box to a time server" };
    }
    if reading.synchronised {
        return Good(format!("{shown}, set by a time server"));
    }
    Remark(format!("{shown}; no time server has set it (`timedatectl` tells more)"))
}

fn owner(dir: &Path) -> Finding {
    let metadata = match std::fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(error) => return Bad { what: error.to_string(), next: "look at its permissions" },
    };
    let (mode, owner) = (metadata.permissions().mode() & 0o777, metadata.uid());
    let us = rustix::process::geteuid().as_raw();
    if us != 0 && owner != us {
        let what = format!("{} belongs to user {owner}, this is user {us}", dir.display());
        return Bad { what, next: "run this as the user of the daemon" };
    }
    if mode & 0o077 != 0 {
        let what = format!("{} is open to other users (mode {mode:o})", dir.display());
        return Bad { what, next: "chmod 700 it" };
    }
    Good(format!("{}, for its owner only", dir.display()))
}

/// A data directory that is not there yet: whether the first start can make it.
fn to_be_made(dir: &Path) -> Finding {
    let next = "name a folder in [data] dir that you may write to, or have the administrator make this one for the daemon's user (mode 700)";
    // A relative one stands in the working directory, which has an empty name here.
    let above =
        dir.ancestors().skip(1).map(|above| if above == Path::new("") { Path::new(".") } else { above });
    let Some(above) = above.into_iter().find(|above| above.exists()) else {
        return Bad { what: format!("{} has no folder above it", dir.display()), next };
    };
    if dir.exists() || !above.is_dir() {
        let what = format!("{} cannot be made: there is a file in its place", dir.display());
        return Bad { what, next };
    }
    match access(above, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Remark(format!("{} does not exist; the first start makes it", dir.display())),
        Err(error) => {
            let what = format!("{} cannot be made in {}: {error}", dir.display(), above.display());
            Bad { what, next }
        }
    }
}

fn file_system(dir: &Path) -> Finding {
    let kind = match statfs(dir) {
        Ok(found) => found.f_type as u64 & 0xffff_ffff,
        Err(error) => return Bad { what: error.to_string(), next: "look at the disk" },
    };
    let durable = "move the data directory to a local ext4, xfs, btrfs or f2fs";
    match kind {
        0xef53 => Good("ext4".into()),
        0x5846_5342 => Good("xfs".into()),
        0x9123_683e => Good("btrfs".into()),
        0xf2f5_2010 => Good("f2fs".into()),
        0x2fc1_2fc1 => Good("zfs".into()),
        0x0102_1994 | 0x8584_58f6 => {
            Bad { what: "in memory: everything is gone when the power is".into(), next: durable }
        }
        0x6969 | 0xff53_4d42 | 0xfe53_4d42 | 0x517b => Bad { what: "on a network".into(), next: durable },
        0x4d44 | 0x2011_bab0 => {
            Bad { what: "FAT or exFAT: no permissions, no journal".into(), next: durable }
        }
        0x794c_7630 => Remark("an overlay, as in a container: mount a volume if the data is to stay".into()),
        other => Remark(format!("of unknown type {other:x}; make sure that it keeps what was synced")),
    }
}

fn space(dir: &Path) -> Finding {
    match statvfs(dir) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let shown = format!("{} MiB", free >> 20);
            if free < ENOUGH_SPACE {
                Bad { what: shown, next: "free some, or add a disk" }
            } else {
                Good(shown)
            }
        }
        Err(error) => Bad { what: error.to_string(), next: "look at the disk" },
    }
}

fn journal(dir: &Path) -> Finding {
    if !dir.join("journal").is_dir() {
        return Remark("none yet; the first start makes it".into());
    }
    match pos_journal::verify(&Disk::new(dir.to_owned()), |_| {}) {
        Ok(report) => {
            let head = report.head.map_or_else(|| "empty".into(), |head| head.position.to_string());
            Good(format!("{} records, whole, up to {head}", report.records))
        }
        Err(error) => {
            Bad { what: error.to_string(), next: "restore a backup, or start: it goes on in a new epoch" }
        }
    }
}

fn views(dir: &Path, cache_bytes: u64) -> Finding {
    let folder = dir.join("views");
    if !folder.is_dir() {
        return Remark("none yet; they are made from the journal".into());
    }
    match Views::look(folder, cache_bytes) {
        Ok(found) if found.trouble.is_empty() => match found.applied {
            Some(applied) => Good(format!("they open, up to {}", applied.position)),
            None => Remark("empty; they are made from the journal".into()),
        },
        Ok(found) => Remark(found.trouble.join("; ")),
        Err(error) => Bad { what: error.to_string(), next: "move the folder `views` away; it is made again" },
    }
}

fn port(config: &Config) -> Finding {
    match TcpListener::bind(config.http.listen) {
        Ok(_) => Good(format!("{} is free", config.http.listen)),
        Err(error) => {
            let what = format!("{}: {error}", config.http.listen);
            Bad { what, next: "stop what listens there (ss -ltnp tells), or change [http] listen" }
        }
    }
}

/// A daemon has the data: it knows better.
fn running(sheet: &mut Sheet, dir: &Path) -> Result<(), Failure> {
    let asked = small_runtime()?
        .block_on(async { Client::connect(dir).await?.ask(&Request::Status, &[], |_| {}).await });
    match asked {
        Ok(Reply::Status(status)) => report(sheet, &status),
        Ok(other) => {
            let what = format!("it answered {other:?}");
            sheet.put("daemon", Bad { what, next: "use the edge-daemon of the same version" });
        }
        Err(error) => {
            sheet.put("daemon", Bad { what: error.to_string(), next: "look at its log, perhaps restart it" });
        }
    }
    Ok(())
}

fn report(sheet: &mut Sheet, status: &Status) {
    let who = format!("process {} on http://{}", status.process, status.listen);
    sheet.put(
        "daemon",
        if status.ready {
            Good(format!("{who} is ready"))
        } else {
            Bad { what: format!("{who} is not ready"), next: "wait, and look at its log" }
        },
    );
    let position = status.position.clone().unwrap_or_else(|| "empty".into());
    sheet.put("journal", Good(format!("{} records up to {position}", status.records)));
    sheet.put(
        "views",
        match status.rebuilding {
            Some((done, total)) => {
                Remark(format!("being made again: {done} of {total} records; selling goes on"))
            }
            None => Good(format!("{} records behind", status.view_lag)),
        },
    );
    for device in &status.devices {
        sheet.put(&device.class, device_check::taken(device));
    }
    if status.devices.is_empty() {
        sheet.put("devices", device_check::none());
    }
    for alarm in &status.alarms {
        sheet.put("alarm", Bad { what: alarm.clone(), next: "see to it; the daemon's log tells more" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_that_cannot_be_made_is_found_before_the_first_start() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(
            matches!(to_be_made(&at("a/b/c")), Remark(what) if what.contains("the first start makes it"))
        );
        assert!(matches!(to_be_made(Path::new("no-such-folder")), Remark(_)));
        std::fs::write(at("file"), "").unwrap();
        for name in ["file", "file/data"] {
            assert!(
                matches!(to_be_made(&at(name)), Bad { what, .. } if what.contains("a file in its place")),
                "{name}"
            );
        }
        // Root may write everywhere.
        if !rustix::process::geteuid().is_root() {
            assert!(
                matches!(to_be_made(Path::new("/no-such-folder")), Bad { what, .. } if what.contains("in /:"))
            );
        }
    }
}
