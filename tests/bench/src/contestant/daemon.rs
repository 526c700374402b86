//! The daemon: how it is configured, started and asked. All that the bench knows about it stands in this file.

use super::{Contestant, START_PATIENCE, Workplace};
use crate::failure::Failure;
use crate::process::{self, Running};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const NAME: &str = "edge-daemon";

/// The line that the daemon logs once its views are complete, at every start; `records` and `seconds` stand beside it.
const REBUILT: &str = "views rebuilt";

/// Bytes of a segment that are looked at together.
const CHUNK: u64 = 1 << 20;

/// How long the views of the largest journal of the bench may take.
const REBUILD_PATIENCE: Duration = Duration::from_secs(600);

/// A data directory of the daemon, whether it runs or not.
#[derive(Debug)]
pub struct Daemon {
    program: PathBuf,
    directory: PathBuf,
    catalogue: PathBuf,
}

/// What the daemon says about making its views complete.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rebuilt {
    /// Journal records that were read.
    pub records: u64,
    /// How long that took, in seconds.
    pub seconds: f64,
}

impl Daemon {
    /// A fresh data directory; `None` where the run has no daemon.
    ///
    /// # Errors
    /// The directory cannot be made, or the program is not there.
    pub fn fresh(place: &Workplace, name: &str) -> Result<Option<Self>, Failure> {
        let Some(program) = &place.daemon else { return Ok(None) };
        let directory = place.fresh(name)?;
        fs::metadata(program).map_err(Failure::file("find the daemon", program))?;
        Ok(Some(Self { program: program.clone(), directory, catalogue: place.catalogue.clone() }))
    }

    /// Puts the catalogue in place. The daemon must not run: the import starts and stops the store by itself.
    ///
    /// # Errors
    /// The import fails; its words are in the failure.
    pub fn import_catalogue(&self) -> Result<(), Failure> {
        let config = self.write_config(0, "")?;
        let mut command = Command::new(&self.program);
        command.args(["catalog", "import"]).arg(&self.catalogue).arg("--config").arg(config);
        let done = command.output().map_err(Failure::file("run", &self.program))?;
        if done.status.success() {
            return Ok(());
        }
        let said = [done.stdout, done.stderr].concat();
        let reason = format!("catalog import: {}; {}", done.status, String::from_utf8_lossy(&said).trim());
        Err(Failure::Start { name: NAME.to_owned(), reason })
    }

    /// Starts it and waits until it is ready to sell. The time is from the start of the process to the first
    /// readiness that it reports.
    ///
    /// # Errors
    /// It does not start; its last lines are in the failure.
    pub fn start(&self) -> Result<(Contestant, Duration), Failure> {
        self.start_with("")
    }

    /// The same, with more sections in its configuration.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub fn start_with(&self, sections: &str) -> Result<(Contestant, Duration), Failure> {
        let address = free_address()?;
        let config = self.write_config(address.port(), sections)?;
        let log = self.log();
        fs::write(&log, "").map_err(Failure::file("empty", &log))?;
        let mut command = Command::new(&self.program);
        let begin = Instant::now();
        let mut running =
            Running::start(NAME, command.arg("run").arg("--config").arg(config), Signal::TERM, &log)?;
        running.until(START_PATIENCE, |_| Ok(ready(address).then_some(())))?;
        let took = begin.elapsed();
        Ok((Contestant { name: NAME.to_owned(), address, running }, took))
    }

    /// Waits until the daemon that was last started here has its views complete.
    ///
    /// # Errors
    /// It ends, or its log does not say so within 10 minutes.
    pub fn rebuilt(&self, contestant: &mut Contestant) -> Result<Rebuilt, Failure> {
        contestant.running.until(REBUILD_PATIENCE, |running| Ok(find_rebuilt(&running.output()?)))
    }

    /// Removes the derived views. The daemon must not run.
    ///
    /// # Errors
    /// There are none, or they cannot be removed.
    pub fn delete_views(&self) -> Result<(), Failure> {
        let views = self.data().join("views");
        fs::remove_dir_all(&views).map_err(Failure::file("remove", &views))
    }

    /// Bytes of the views on disk.
    ///
    /// # Errors
    /// There are none.
    pub fn view_bytes(&self) -> Result<u64, Failure> {
        process::disk_use(&self.data().join("views"))
    }

    /// Bytes of the journal that are in use, whether the daemon runs or not: up to the last byte of each segment that is
    /// not zero. A segment is preallocated with zeros, so neither its length nor the daemon's metric says how full it is.
    ///
    /// # Errors
    /// A segment cannot be read, or nothing is written: then a figure by sale would be wrong without a sign of it.
    pub fn journal_bytes(&self) -> Result<u64, Failure> {
        let journal = self.data().join("journal");
        let mut bytes = 0;
        for epoch in fs::read_dir(&journal).map_err(Failure::file("read", &journal))?.flatten() {
            // Beside the epochs' directories there are spare segments, which hold nothing yet.
            let Ok(segments) = fs::read_dir(epoch.path()) else { continue };
            for segment in segments.flatten().map(|entry| entry.path()) {
                bytes += used_bytes(&segment).map_err(Failure::file("read", &segment))?;
            }
        }
        if bytes == 0 {
            let place = journal.display().to_string();
            return Err(Failure::Unreported { name: NAME.to_owned(), what: "journal bytes", place });
        }
        Ok(bytes)
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn write_config(&self, port: u16, sections: &str) -> Result<PathBuf, Failure> {
        let path = self.directory.join("shop.toml");
        fs::write(&path, config_text(&self.data(), port) + sections)
            .map_err(Failure::file("write", &path))?;
        Ok(path)
    }
}

/// The configuration: the catalogue's tax classes, everything that is not named at its default.
fn config_text(data: &Path, port: u16) -> String {
    let dir = toml_string(&data.to_string_lossy());
    format!(
        r#"[store]
tenant = "bench"
store = "store-1"
name = "Bench"
currency = "EUR"
time_zone = "Europe/Berlin"

[tax]
standard = "20.00"
reduced = "5.00"
zero = "0"

[data]
dir = {dir}

[http]
listen = "127.0.0.1:{port}"

[log]
level = "info"
format = "json"
"#
    )
}

/// A text as a TOML basic string; TOML takes JSON's escapes.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A loopback address that nobody listens on now.
fn free_address() -> Result<SocketAddr, Failure> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map_err(|source| Failure::Connection { name: NAME.to_owned(), source })
}

fn ready(address: SocketAddr) -> bool {
    let asked = crate::load::open_loop::Connection::open(NAME, address)
        .and_then(|mut connection| connection.ask(NAME, &crate::load::request::get("/readyz"), 200));
    asked.is_ok()
}

/// The last report of complete views in a log of one JSON object per line.
fn find_rebuilt(log: &str) -> Option<Rebuilt> {
    log.lines().rev().find_map(|line| {
        let entry: serde_json::Value = serde_json::from_str(line).ok()?;
        if entry.get("message")?.as_str()? != REBUILT {
            return None;
        }
        Some(Rebuilt { records: entry.get("records")?.as_u64()?, seconds: entry.get("seconds")?.as_f64()? })
    })
}

/// Bytes of a file up to its last one that is not zero.
fn used_bytes(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut end = file.metadata()?.len();
    let mut chunk = Vec::new();
    while end > 0 {
        let begin = end.saturating_sub(CHUNK);
        chunk.clear();
        file.seek(SeekFrom::Start(begin))?;
        (&mut file).take(end - begin).read_to_end(&mut chunk)?;
        if let Some(last) = chunk.iter().rposition(|&byte| byte != 0) {
            return Ok(begin + last as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rebuild_is_read_from_the_log() {
        let log = concat!(
            "{\"level\":\"INFO\",\"message\":\"views rebuilt\",\"records\":1,\"seconds\":0.5}\n",
            "{\"level\":\"INFO\",\"message\":\"views rebuilt\",\"records\":200003,\"seconds\":4.25}\n",
            "{\"level\":\"INFO\",\"message\":\"listening\"}\nnot json\n",
        );
        assert_eq!(find_rebuilt(log), Some(Rebuilt { records: 200_003, seconds: 4.25 }));
        assert_eq!(find_rebuilt("{\"message\":\"listening\"}"), None);
    }

    #[test]
    fn only_what_is_written_of_a_segment_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("00000001.seg");
        let mut bytes = vec![0; 3 << 20];
        fs::write(&path, &bytes).unwrap();
        assert_eq!(used_bytes(&path).unwrap(), 0);
        for at in [0, 4_095, (1 << 20) - 1, 1 << 20, (3 << 20) - 1] {
            bytes[at] = 7;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(used_bytes(&path).unwrap(), at as u64 + 1);
        }
    }

    #[test]
    fn a_journal_without_a_byte_is_no_figure() {
        let directory = tempfile::tempdir().unwrap();
        let epoch = directory.path().join("data/journal/0001-ab");
        fs::create_dir_all(&epoch).unwrap();
        fs::write(epoch.join("00000001.seg"), [0; 4096]).unwrap();
        fs::write(directory.path().join("data/journal/spare-0.seg"), [1; 4096]).unwrap();
        let (program, catalogue) = (PathBuf::new(), PathBuf::new());
        let daemon = Daemon { program, directory: directory.path().to_owned(), catalogue };
        assert!(matches!(daemon.journal_bytes(), Err(Failure::Unreported { .. })));
        fs::write(epoch.join("00000001.seg"), [1; 100]).unwrap();
        assert_eq!(daemon.journal_bytes().unwrap(), 100);
    }

    #[test]
    fn a_path_with_quotes_is_still_a_path() {
        assert!(config_text(Path::new("/a \"b\""), 1).contains(r#"dir = "/a \"b\"""#));
    }
}
