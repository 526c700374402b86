//! Mosquitto, as Debian has it.

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::authority::{Authority, Identity};
use crate::tether::{End, Tether};

/// For the broker to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the broker remembers over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// What clients subscribed to and what is queued for them, written down at each change.
    Kept,
    /// Nothing.
    None,
}

/// There is no broker.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// Its program is not here.
    #[error("mosquitto is not installed: apt-get install mosquitto")]
    Missing,
    /// It does not start.
    #[error("mosquitto does not start: {0}")]
    Failed(String),
    /// What the operating system says.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A running broker; it ends with this value.
pub struct Mosquitto {
    folder: PathBuf,
    program: PathBuf,
    port: u16,
    process: Option<Tether>,
}

impl Mosquitto {
    /// Starts one in this folder. `boxes` are those that have topics of their own, as `tenant/store/box`; a client whose certificate is
    /// named `cloud` may use them all, and nobody else anything.
    ///
    /// # Errors
    /// [`BrokerError`] if there is none, or it does not start.
    pub fn start(
        folder: &Path,
        authority: &Authority,
        boxes: &[&str],
        persistence: Persistence,
    ) -> Result<Self, BrokerError> {
        std::fs::create_dir_all(folder)?;
        let identity = authority.identity("broker", "broker")?;
        std::fs::write(folder.join("access"), access(boxes))?;
        Self::start_with(folder, |port| settings(folder, port, &identity, persistence))
    }

    /// Starts one without certificates, for whoever is on this machine, with these settings beside those that it needs.
    ///
    /// # Errors
    /// [`BrokerError`] if there is none, or it does not start.
    pub fn start_open(folder: &Path, more: &str) -> Result<Self, BrokerError> {
        let at = folder.display();
        Self::start_with(folder, |port| {
            format!(
                "listener {port} 127.0.0.1\nuser root\nallow_anonymous true\npersistence true\n\
                 persistence_location {at}/\nset_tcp_nodelay true\n{more}"
            )
        })
    }

    fn start_with(folder: &Path, settings: impl Fn(u16) -> String) -> Result<Self, BrokerError> {
        let program = find().ok_or(BrokerError::Missing)?;
        std::fs::create_dir_all(folder)?;
        let mut failed = BrokerError::Missing;
        // The port is free when it is looked up: somebody else may take it before the broker does.
        for _ in 0..5 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            std::fs::write(folder.join("mosquitto.conf"), settings(port))?;
            let mut broker =
                Self { folder: folder.to_owned(), program: program.clone(), port, process: None };
            match broker.begin() {
                Ok(()) => return Ok(broker),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Its port on the loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on its port, as it was configured.
    ///
    /// # Errors
    /// [`BrokerError`] if it does not start.
    pub fn begin(&mut self) -> Result<(), BrokerError> {
        self.kill();
        let words = [self.program.as_os_str(), "-c".as_ref(), self.folder.join("mosquitto.conf").as_os_str()]
            .map(ToOwned::to_owned);
        self.process = Some(Tether::start(words, &[], End::Kill, &self.log(), None)?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.process.as_mut().map_or(Ok(true), Tether::has_ended)? {
                break;
            }
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        Err(BrokerError::Failed(said.lines().last().unwrap_or("it says nothing").to_owned()))
    }

    /// What it says.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("mosquitto.log")
    }
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian puts it where only root looks.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("mosquitto")).find(|program| program.is_file())
}

fn settings(folder: &Path, port: u16, identity: &Identity, persistence: Persistence) -> String {
    let folder = folder.display();
    let kept = match persistence {
        Persistence::Kept => format!(
            "persistence true\npersistence_location {folder}/\nautosave_on_changes true\nautosave_interval 1\n"
        ),
        Persistence::None => "persistence false\n".to_owned(),
    };
    format!(
        "listener {port} 127.0.0.1\nuser root\nallow_anonymous false\ncafile {}\ncertfile {}\nkeyfile {}\n\
         require_certificate true\nuse_identity_as_username true\nacl_file {folder}/access\n\
         max_queued_messages 100000\nset_tcp_nodelay true\n{kept}",
        identity.authority.display(),
        identity.certificate.display(),
        identity.key.display(),
    )
}

/// Each certificate's own topics, and the cloud's.
fn access(boxes: &[&str]) -> String {
    let mut list = String::from(
        "user cloud\ntopic read pos/v1/+/+/+/evt\ntopic read pos/v1/+/+/+/state\ntopic read pos/v1/+/+/+/reply/+\n\
         topic write pos/v1/+/+/+/ack\ntopic write pos/v1/+/+/+/cmd/+\ntopic write pos/v1/+/+/+/down/+\n",
    );
    for name in boxes {
        let root = format!("pos/v1/{name}");
        let _ = write!(list, "\nuser {name}\n");
        for write in ["evt", "state", "reply/+"] {
            let _ = writeln!(list, "topic write {root}/{write}");
        }
        for read in ["ack", "cmd/+", "down/+"] {
            let _ = writeln!(list, "topic read {root}/{read}");
        }
    }
    list
}
