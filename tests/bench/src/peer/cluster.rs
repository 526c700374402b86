//! A PostgreSQL server of the bench's own: made, tuned, started as an ordinary user, stopped by its own process id.

use crate::failure::Failure;
use crate::process::Running;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Config, NoTls};

const NAME: &str = "peer-postgres";
const ROLE: &str = "bench";

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Settings away from the defaults. Durability is the defaults' (`fsync`, `full_page_writes`, `synchronous_commit` on); the
/// rest is what a careful administrator would set for many small commits, and no checkpoint falls into a run.
const SETTINGS: [(&str, &str); 17] = [
    ("listen_addresses", ""),
    ("max_connections", "24"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("wal_sync_method", "fdatasync"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("wal_buffers", "64MB"),
    ("wal_recycle", "on"),
    ("max_wal_size", "16GB"),
    ("min_wal_size", "2GB"),
    ("checkpoint_timeout", "1h"),
    ("shared_buffers", "512MB"),
    ("jit", "off"),
    ("track_activities", "off"),
    ("update_process_title", "off"),
];

/// Where `initdb` and `postgres` are.
#[derive(Debug, Clone)]
pub struct ServerPrograms {
    directory: PathBuf,
}

impl ServerPrograms {
    /// The newest under `/usr/lib/postgresql`, or those on the `PATH`.
    ///
    /// # Errors
    /// There are none.
    pub fn find() -> Result<Self, Failure> {
        let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| {
            let path = entry.ok()?.path();
            let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        });
        let newest = debian.filter(|(_, path)| path.join("initdb").is_file()).max().map(|(_, path)| path);
        let on_path = || {
            std::env::split_paths(&std::env::var_os("PATH")?)
                .find(|path| path.join("initdb").is_file() && path.join("postgres").is_file())
        };
        let directory = newest.or_else(on_path).ok_or_else(|| Failure::Start {
            name: NAME.to_owned(),
            reason: "no PostgreSQL server programs (initdb, postgres) here; install Debian's postgresql"
                .to_owned(),
        })?;
        Ok(Self { directory })
    }

    /// What the server calls itself, such as "postgres (PostgreSQL) 15.3".
    pub fn version(&self) -> Option<String> {
        let output = Command::new(self.directory.join("postgres")).arg("--version").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn command(&self, program: &str, user: Option<Unprivileged>) -> Command {
        let mut command = Command::new(self.directory.join(program));
        if let Some(Unprivileged { user, group }) = user {
            command.uid(user).gid(group);
        }
        command
    }
}

/// An ordinary user to run the server as where the bench itself is root, which PostgreSQL refuses to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unprivileged {
    user: u32,
    group: u32,
}

impl Unprivileged {
    /// `None` where the bench is an ordinary user already.
    ///
    /// # Errors
    /// The bench is root, and the system has neither a user `postgres` nor a user `nobody`.
    pub fn find() -> Result<Option<Self>, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(Failure::file("read", "/etc/passwd"))?;
        let found = ["postgres", "nobody"].iter().find_map(|name| Self::named(&users, name));
        found.map(Some).ok_or_else(|| Failure::Start {
            name: NAME.to_owned(),
            reason: "PostgreSQL refuses to run as root and there is no user postgres or nobody".to_owned(),
        })
    }

    fn named(users: &str, name: &str) -> Option<Self> {
        let mut fields = users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
        Some(Self { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    }
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Cluster {
    running: Running,
    /// In the system's directory for temporary files: the path of a socket is limited to 107 bytes.
    socket: tempfile::TempDir,
}

impl Cluster {
    /// Starts the server whose tables are in `directory`, and makes it first where there is none.
    ///
    /// # Errors
    /// Its programs are missing, or it does not start.
    pub async fn start(directory: &Path) -> Result<Self, Failure> {
        let programs = ServerPrograms::find()?;
        let user = Unprivileged::find()?;
        let tables = directory.join("cluster");
        let socket = tempfile::tempdir().map_err(Failure::file("create", "a directory for the socket"))?;
        fs::create_dir_all(&tables).map_err(Failure::file("create", &tables))?;
        for path in [tables.as_path(), socket.path()] {
            if let Some(Unprivileged { user, group }) = user {
                chown(path, Some(user), Some(group)).map_err(Failure::file("give away", path))?;
            }
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                .map_err(Failure::file("protect", path))?;
        }
        if !tables.join("PG_VERSION").is_file() {
            make(&programs, user, &tables)?;
        }
        let mut command = programs.command("postgres", user);
        command.current_dir(&tables).arg("-D").arg(&tables);
        for (name, value) in SETTINGS {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.arg("-c").arg(format!("unix_socket_directories={}", socket.path().display()));
        // SIGINT is PostgreSQL's fast shutdown: it ends its sessions and writes a checkpoint.
        let running = Running::start(NAME, &mut command, Signal::INT, &directory.join("postgres.log"))?;
        let mut cluster = Self { running, socket };
        cluster.ready().await?;
        Ok(cluster)
    }

    /// A connection. Its task ends with the client.
    pub(super) async fn connect(&self) -> Result<Client, Failure> {
        let mut config = Config::new();
        config.host_path(self.socket.path()).user(ROLE).dbname("postgres");
        let failed = |e: tokio_postgres::Error| Failure::Database { peer: NAME, reason: describe(&e) };
        let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
        tokio::spawn(async move {
            if let Err(e) = connection.await {
                eprintln!("{NAME}: a connection ended: {}", describe(&e));
            }
        });
        Ok(client)
    }

    /// Makes a database.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn make(&self, name: &str) -> Result<(), Failure> {
        let made = self.connect().await?.batch_execute(&format!("CREATE DATABASE {name}")).await;
        made.map_err(|e| Failure::Database { peer: NAME, reason: describe(&e) })
    }

    /// How another program reaches a database.
    pub fn url(&self, name: &str) -> String {
        format!("host={} user={ROLE} dbname={name}", self.socket.path().display())
    }

    /// A folder that the server can write into.
    pub fn folder(&self) -> &Path {
        self.socket.path()
    }

    /// A connection to a database. Its task ends with the client.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn connect_to(&self, name: &str) -> Result<Client, Failure> {
        let failed = |e: tokio_postgres::Error| Failure::Database { peer: NAME, reason: describe(&e) };
        let (client, connection) = tokio_postgres::connect(&self.url(name), NoTls).await.map_err(failed)?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Stops the server in order.
    ///
    /// # Errors
    /// It does not stop.
    pub async fn stop(self) -> Result<(), Failure> {
        let stopping = tokio::task::spawn_blocking(move || self.running.stop());
        stopping.await.map_err(|e| Failure::Thread(e.to_string()))?
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        let begin = Instant::now();
        while self.connect().await.is_err() {
            let out_of_patience = begin.elapsed() > PATIENCE;
            // Fails when the server has ended; otherwise the probe is content at once.
            let looks = if out_of_patience { Duration::ZERO } else { PATIENCE };
            let mut asked = false;
            self.running.until(looks, |_| {
                let again = std::mem::replace(&mut asked, true);
                Ok((again && !out_of_patience).then_some(()))
            })?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

fn make(programs: &ServerPrograms, user: Option<Unprivileged>, tables: &Path) -> Result<(), Failure> {
    let mut command = programs.command("initdb", user);
    command.args(["--username", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"]);
    let made = command.arg(tables).current_dir("/").output().map_err(Failure::file("run", "initdb"))?;
    if made.status.success() {
        return Ok(());
    }
    let reason = format!("initdb: {}", String::from_utf8_lossy(&made.stderr).trim());
    Err(Failure::Start { name: NAME.to_owned(), reason })
}

/// The server's own words where there are any: the error alone says only "db error".
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |said| format!("{}: {}", said.code().code(), said.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\nnobody2:x:7:8::/:\nnobody:x:65534:65533:n:/:/x\n";
        assert_eq!(Unprivileged::named(users, "nobody"), Some(Unprivileged { user: 65534, group: 65533 }));
        assert_eq!(Unprivileged::named(users, "postgres"), None);
    }
}
