//! Head office on the same machine: a broker, a database and a receiver, for as long as the demo runs.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud_trial::{Authority, BrokerError, Database, DatabaseError, End, Mosquitto, Persistence, Tether};
use thiserror::Error;

use crate::config::{CloudConfig, Config};

/// The receiver's program, which is built beside this one.
const RECEIVER: &str = "cloud-receiver";

/// There is no head office.
#[derive(Debug, Error)]
pub enum HeadOfficeError {
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The receiver's program is not beside this one.
    #[error("there is no {RECEIVER} beside this program: cargo build -p cloud-receiver")]
    Receiver,
    /// What the operating system says.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What runs; it ends with this value.
pub struct HeadOffice {
    /// How the database is reached.
    pub database: String,
    /// The receiver's program.
    pub receiver: PathBuf,
    // In this order: who asks ends before who is asked.
    _receiver: Tether,
    _broker: Mosquitto,
    _database: Database,
}

impl HeadOffice {
    /// Starts all of it in a folder, and has this shop send there. It may take seconds.
    ///
    /// # Errors
    /// [`HeadOfficeError`], which says what is missing.
    pub fn open(folder: &Path, config: &mut Config) -> Result<Self, HeadOfficeError> {
        let receiver = std::env::current_exe()?.with_file_name(RECEIVER);
        if !receiver.is_file() {
            return Err(HeadOfficeError::Receiver);
        }
        let folder = folder.join("head-office");
        std::fs::create_dir_all(&folder)?;
        let authority = Authority::new(&folder.join("keys"))?;
        let name = format!("{}/{}/{}", config.store.tenant, config.store.store, config.store.box_name);
        let broker = Mosquitto::start(&folder.join("broker"), &authority, &[&name], Persistence::Kept)?;
        let database = Database::start(&folder.join("database"))?;
        let (ours, theirs) = (authority.identity("box", &name)?, authority.identity("cloud", "cloud")?);
        let words = [
            receiver.clone().into_os_string(),
            "run".into(),
            "--broker".into(),
            format!("localhost:{}", broker.port()).into(),
            "--authority".into(),
            theirs.authority.into(),
            "--certificate".into(),
            theirs.certificate.into(),
            "--key".into(),
            theirs.key.into(),
        ];
        let url = database.url();
        let variables = [("TILLBOX_DATABASE", url.as_str()), ("NO_COLOR", "1")];
        let running = Tether::start(words, &variables, End::Terminate, &folder.join("receiver.log"), None)?;
        config.cloud = Some(CloudConfig {
            broker: ("localhost".to_owned(), broker.port()),
            authority: ours.authority,
            certificate: ours.certificate,
            key: ours.key,
            compress: true,
            alarm_after: Duration::from_secs(60),
            alarm_bytes: 64 << 20,
        });
        Ok(Self { database: url, receiver, _receiver: running, _broker: broker, _database: database })
    }
}
