//! Who competes: programs of their own, each on a free loopback port with a fresh data directory.

mod daemon;
mod raw;

pub use daemon::{Daemon, Rebuilt};
pub use raw::{Space, append};

use crate::failure::Failure;
use crate::load::open_loop::Connection;
use crate::load::request;
use crate::peer::Kind;
use crate::process::{self, Running};
use clap::ValueEnum as _;
use rustix::process::Signal;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a contestant may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Where a run happens.
#[derive(Debug, Clone)]
pub struct Workplace {
    /// Data directories of the contestants are made in here, all on the same file system.
    pub directory: PathBuf,
    /// The catalogue that all sell.
    pub catalogue: PathBuf,
    /// The bench's own program, which is also the peers'.
    pub bench: PathBuf,
    /// The daemon's program, where there is one.
    pub daemon: Option<PathBuf>,
}

impl Workplace {
    /// A new, empty directory for `name`; what an earlier run left there is removed.
    ///
    /// # Errors
    /// It cannot be removed or made.
    pub fn fresh(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.directory.join(name);
        match fs::remove_dir_all(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::file("remove", &path)(e));
            }
            _ => {}
        }
        fs::create_dir_all(&path).map_err(Failure::file("create", &path))?;
        Ok(path)
    }
}

/// A running contestant that answers HTTP. Dropping it stops it.
#[derive(Debug)]
pub struct Contestant {
    name: String,
    address: SocketAddr,
    running: Running,
}

impl Contestant {
    /// Starts a peer in `data`, which stays as it is: a peer goes on with the tables that it finds.
    ///
    /// # Errors
    /// It does not start; its last lines are in the failure.
    pub fn peer(kind: Kind, place: &Workplace, data: &Path) -> Result<Self, Failure> {
        let kind = kind.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let name = format!("peer-{kind}");
        let mut command = Command::new(&place.bench);
        command.args(["peer", &kind, "--data"]).arg(data).arg("--catalog").arg(&place.catalogue);
        let log = data.join("log");
        // The address of an earlier start must not be taken for that of this one.
        fs::write(&log, "").map_err(Failure::file("empty", &log))?;
        let mut running = Running::start(&name, &mut command, Signal::TERM, &log)?;
        let address = running.until(START_PATIENCE, |running| {
            let text = running.output()?;
            let whole_lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            Ok(whole_lines.filter_map(|line| line.strip_prefix("listening ")).find_map(|at| at.parse().ok()))
        })?;
        Ok(Self { name, address, running })
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Processor time that it and its children have used since they started.
    pub fn processor_time(&self) -> Duration {
        process::processor_time(self.id())
    }

    /// The body of a GET that is answered with 200.
    ///
    /// # Errors
    /// It is not.
    pub fn get(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Connection::open(&self.name, self.address)?.ask(&self.name, &request::get(path), 200)
    }

    /// Waits until it has nothing left to do (it used no measurable processor time for 100 ms), at most `patience`.
    pub async fn settle(&self, patience: Duration) {
        const QUIET: Duration = Duration::from_millis(100);
        let begin = Instant::now();
        loop {
            let before = self.processor_time();
            tokio::time::sleep(QUIET).await;
            if self.processor_time() <= before || begin.elapsed() > patience {
                return;
            }
        }
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// It ends with a failure, or must be killed.
    pub fn stop(self) -> Result<(), Failure> {
        self.running.stop()
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(self) -> Result<(), Failure> {
        let source_of = Failure::file("kill", &self.name);
        self.running.kill().map_err(source_of)
    }
}
