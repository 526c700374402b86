//! `status`

use super::failure::{Code, Failure};
use super::{Place, data_dir, small_runtime};
use crate::control::{Client, Reply, Request, Status};
use crate::peripherals::OfClass;

pub(super) fn status(place: &Place) -> Result<(), Failure> {
    let dir = data_dir(place)?;
    let last = small_runtime()?
        .block_on(async { Client::connect(&dir).await?.ask(&Request::Status, &[], |_| {}).await })?;
    let Reply::Status(status) = last else {
        return Err(Failure::new(
            Code::Failed,
            format!("unexpected answer {last:?}"),
            "use the same version",
        ));
    };
    print!("{}", text(&status));
    Ok(())
}

fn text(status: &Status) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("daemon", format!("{} as process {} on http://{}", status.software, status.process, status.listen));
    line("ready", if status.ready { "yes".into() } else { "no".into() });
    line(
        "journal",
        format!("{} records in this epoch, {} MiB in all", status.records, status.journal_bytes >> 20),
    );
    line("head", status.position.clone().unwrap_or_else(|| "none".into()));
    line(
        "views",
        match status.rebuilding {
            Some((done, total)) => format!("being made again: {done} of {total} records"),
            None => format!("{} records behind", status.view_lag),
        },
    );
    line("disk", format!("{} MiB free", status.disk_free >> 20));
    for device in &status.devices {
        let waiting = match device.of_class {
            OfClass::Printer { jobs, .. } if jobs > 0 => format!(", {jobs} sheets wait"),
            _ => String::new(),
        };
        line(&device.class, format!("{} at {}: {:?}{waiting}", device.id, device.port, device.state));
        if !device.detail.is_empty() {
            line("", device.detail.clone());
        }
    }
    for alarm in &status.alarms {
        line("ALARM", alarm.clone());
    }
    text
}
