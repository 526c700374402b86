//! PostgreSQL, as it is installed here: a server of one's own that only this machine's user reaches, by a socket in a folder.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use thiserror::Error;

use crate::tether::{End, Ordinary, Tether};

/// For the server to answer.
const PATIENCE: Duration = Duration::from_secs(60);
const USER: &str = "tillbox";

/// There is no database.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// Its programs are not here.
    #[error("PostgreSQL's server programs (initdb, postgres) are not installed: apt-get install postgresql")]
    Missing,
    /// It does not start.
    #[error("PostgreSQL does not start: {0}")]
    Failed(String),
    /// What the operating system says.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A running server; it ends with this value.
pub struct Database {
    socket: PathBuf,
    // In this order: the server ends before its folder goes.
    _server: Tether,
    _folder: Option<Passing>,
}

/// A folder that goes away with this value.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Database {
    /// Starts the server whose tables are in this folder, and makes it first where there is none. To root the server is another user, who
    /// cannot reach any folder: then its tables are among the temporary files, for as long as it runs.
    ///
    /// # Errors
    /// [`DatabaseError`] if there is none, or it does not start.
    pub fn start(folder: &Path) -> Result<Self, DatabaseError> {
        let programs = find().ok_or(DatabaseError::Missing)?;
        let user = Ordinary::needed();
        let passing = user.map(|_| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let name = format!("tillbox-database-{}-{}", std::process::id(), since.subsec_nanos());
            Passing(std::env::temp_dir().join(name))
        });
        let folder = passing.as_ref().map_or(folder, |passing| passing.0.as_path());
        let (tables, socket) = (folder.join("tables"), folder.join("socket"));
        std::fs::create_dir_all(folder)?;
        for path in [folder, &tables, &socket] {
            std::fs::create_dir_all(path)?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
            if let Some(user) = user {
                user.own(path)?;
            }
        }
        if socket.as_os_str().len() > 80 {
            let what = format!("the path of its socket is too long: {}", socket.display());
            return Err(DatabaseError::Failed(what));
        }
        if !tables.join("PG_VERSION").exists() {
            let mut make = Command::new(programs.join("initdb"));
            make.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--username", USER, "--pgdata"]);
            make.arg(&tables).current_dir("/");
            if let Some(user) = user {
                let (user, group) = user.ids();
                make.uid(user).gid(group);
            }
            let made = make.output()?;
            if !made.status.success() {
                let said = String::from_utf8_lossy(&made.stderr);
                return Err(DatabaseError::Failed(said.trim().to_owned()));
            }
        }
        let log = folder.join("postgres.log");
        let words = [
            programs.join("postgres").into_os_string(),
            "-D".into(),
            tables.into_os_string(),
            "-c".into(),
            "listen_addresses=".into(),
            "-c".into(),
            format!("unix_socket_directories={}", socket.display()).into(),
        ];
        let mut server = Tether::start(words, &[], End::Interrupt, &log, user)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && !server.has_ended()? {
            if UnixStream::connect(socket.join(".s.PGSQL.5432")).is_ok() {
                return Ok(Self { socket, _server: server, _folder: passing });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        Err(DatabaseError::Failed(said.lines().last().unwrap_or("it says nothing").to_owned()))
    }

    /// How the server's own database is reached.
    #[must_use]
    pub fn url(&self) -> String {
        format!("host={} user={USER} dbname=postgres", self.socket.display())
    }
}

/// The newest under `/usr/lib/postgresql`, or those on the `PATH`.
fn find() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        Some((version, path.join("bin")))
    });
    let whole = |path: &Path| path.join("initdb").is_file() && path.join("postgres").is_file();
    let newest = debian.filter(|(_, path)| whole(path)).max().map(|(_, path)| path);
    newest.or_else(|| std::env::split_paths(&std::env::var_os("PATH")?).find(|path| whole(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_starts_answers_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = match Database::start(folder.path()) {
            Err(DatabaseError::Missing) => return eprintln!("skipped: {}", DatabaseError::Missing),
            database => database.unwrap(),
        };
        let socket = database.socket.clone();
        assert!(UnixStream::connect(socket.join(".s.PGSQL.5432")).is_ok());
        drop(database);
        assert!(!socket.join(".s.PGSQL.5432").exists());
    }
}
