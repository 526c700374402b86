//! The running program.

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;
use crate::patience::patiently;
use crate::place::{Place, program};

/// How long a start may take before the test gives up; what is promised is asserted where it matters.
const START: Duration = Duration::from_secs(60);
/// How long a stop may take.
const STOP: Duration = Duration::from_secs(30);
/// What stands before the address that it listens on, in its log or on the demo's first page.
const READY: &str = "http://";

/// A daemon that serves. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    /// From the start of the process to its first readiness.
    pub took: Duration,
}

impl Daemon {
    pub(crate) fn start(place: &Place) -> Self {
        let mut command = Command::new(program());
        command.arg("run").arg("--config").arg(place.config());
        Self::spawn(command, place.log())
    }

    /// Starts any command that ends in a serving daemon which logs its address.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn spawn(mut command: Command, log: PathBuf) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let before = file.metadata().unwrap().len();
        let began = Instant::now();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut child = command.spawn().unwrap();
        let said = |log: &PathBuf| {
            let all = fs::read(log).unwrap_or_default();
            let from = usize::try_from(before).unwrap_or(0).min(all.len());
            String::from_utf8_lossy(all.split_at(from).1).into_owned()
        };
        let address = patiently(START, "the daemon logs where it listens", || {
            let said = said(&log);
            if let Some(address) = listens_on(&said) {
                return Some(address);
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended at its start ({ended:?}): {said}");
            None
        });
        let mut daemon = Self { child, address, log, took: Duration::ZERO };
        let client = daemon.client();
        patiently(START, "the daemon is ready", || {
            assert!(daemon.is_alive(), "the daemon ended before it was ready: {}", daemon.last_words());
            client.try_get("/readyz").ok().filter(|reply| reply.status == 200)
        });
        daemon.took = began.elapsed();
        daemon
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::of(self.address)
    }

    /// Whether the process is there.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// If it had ended before.
    pub fn kill(mut self) {
        assert!(self.is_alive(), "the daemon ended by itself: {}", self.last_words());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: a clean stop.
    ///
    /// # Panics
    /// If it does not end with 0 in time.
    pub fn stop(mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        let status = self.wait();
        assert!(status.success(), "the daemon ended with {status}: {}", self.last_words());
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// If it does not in time.
    pub fn wait(&mut self) -> ExitStatus {
        patiently(STOP, "the daemon ends", || self.child.try_wait().unwrap())
    }

    /// The end of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let all = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(all.split_at(all.len().saturating_sub(4_000)).1).into_owned()
    }
}

fn listens_on(said: &str) -> Option<SocketAddr> {
    let rest = said.split_once(READY)?.1;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || ".:[]".contains(c)))?;
    rest.get(..end)?.parse().ok()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Whichever way it ended already, it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the daemon's last words\n{}", self.last_words());
        }
    }
}
