//! A PostgreSQL server for the tests: one for the whole run, a database for each test.
//!
//! A small shell script makes it, starts it and waits for the end of its own input, which comes when the test process ends, however
//! it ends; then it stops the server by its process id and removes its folder.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cloud_receiver::{Ingest, connect, schema};
use tokio_postgres::Client;

const SCRIPT: &str = r#"
"$BIN/initdb" --pgdata="$DIR/data" --username=tillbox --auth=trust --encoding=UTF8 --locale=C --no-sync >"$DIR/initdb.log" 2>&1 || exit 1
"$BIN/postgres" -D "$DIR/data" -c listen_addresses= -c unix_socket_directories="$DIR" -c fsync=off -c max_connections=200 \
    >"$DIR/postgres.log" 2>&1 </dev/null &
server=$!
read -r end
kill -INT "$server"
wait "$server"
rm -rf "$DIR"
"#;

/// How long the server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    sockets: PathBuf,
    /// Holds the script's input open.
    _script: Child,
}

/// A database with tables, of one test.
pub(crate) struct Database {
    pub(crate) url: String,
}

impl Database {
    /// With all tables; `None`, and said so, where there is no PostgreSQL.
    pub(crate) async fn new() -> Option<Self> {
        let database = Self::empty().await?;
        schema::migrate(&mut database.client().await).await.unwrap();
        Some(database)
    }

    /// Without any table.
    pub(crate) async fn empty() -> Option<Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Some(server) = SERVER.get_or_init(Server::start) else {
            eprintln!(
                "skipped: no PostgreSQL server programs (initdb, postgres) here; install Debian's postgresql"
            );
            return None;
        };
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let url = |name: &str| format!("host={} user=tillbox dbname={name}", server.sockets.display());
        let first = patiently(&url("postgres")).await;
        first.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        Some(Self { url: url(&name) })
    }

    pub(crate) async fn client(&self) -> Client {
        connect(&self.url).await.unwrap()
    }

    pub(crate) async fn ingest(&self) -> Ingest {
        Ingest::prepare(self.client().await).await.unwrap()
    }
}

async fn patiently(url: &str) -> Client {
    let begin = Instant::now();
    loop {
        match connect(url).await {
            Ok(client) => return client,
            Err(error) if begin.elapsed() > PATIENCE => panic!("the server does not answer: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

impl Server {
    fn start() -> Option<Self> {
        let programs = programs()?;
        let directory = tempfile::tempdir().unwrap().keep();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        let mut script = Command::new("sh");
        script.arg("-c").arg(SCRIPT).env("BIN", &programs).env("DIR", &directory);
        script.current_dir("/").stdin(Stdio::piped()).process_group(0);
        if let Some((user, group)) = ordinary_user() {
            chown(&directory, Some(user), Some(group)).unwrap();
            script.uid(user).gid(group);
        }
        Some(Self { _script: script.spawn().unwrap(), sockets: directory })
    }
}

/// The newest under `/usr/lib/postgresql`, or those on the `PATH`.
fn programs() -> Option<PathBuf> {
    let has_both = |path: &Path| path.join("initdb").is_file() && path.join("postgres").is_file();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        Some((version, path.join("bin")))
    });
    let newest = debian.filter(|(_, path)| has_both(path)).max().map(|(_, path)| path);
    newest.or_else(|| std::env::split_paths(&std::env::var_os("PATH")?).find(|path| has_both(path)))
}

/// Where the tests run as root, which PostgreSQL refuses to.
fn ordinary_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let named = |name: &str| {
        let mut fields = users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    named("postgres").or_else(|| named("nobody"))
}
