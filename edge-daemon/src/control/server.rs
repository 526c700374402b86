//! The daemon's end of the socket.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Failed, Reply, Request, Status, imports, wire};
use crate::backup;
use crate::catalog_csv;
use crate::checkout::Shop;
use crate::peripherals::Devices;

/// Requests at once; more wait.
const MAX_REQUESTS: usize = 4;
/// A client that says nothing for so long is left.
const PATIENCE: Duration = Duration::from_secs(30);
/// Replies that wait for a slow client.
const REPLIES: usize = 256;
/// The longest path that a socket's address holds, with its end.
const MAX_SOCKET_PATH: usize = 100;

/// What requests are answered from.
#[derive(Clone)]
pub struct Server {
    /// The shop.
    pub shop: Shop,
    /// Its data directory.
    pub root: PathBuf,
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// The devices at the counters.
    pub devices: Devices,
}

/// Serves the socket until the task is aborted. The caller holds the lock of the data directory, so a socket that is
/// there is a leftover.
///
/// # Errors
/// If the socket cannot be made.
pub fn serve(server: Server) -> io::Result<JoinHandle<()>> {
    let path = server.root.join("control.sock");
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (reachable, _folder) = reachable(&path)?;
    let listener = UnixListener::bind(reachable)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(tokio::spawn(accept(listener, server)))
}

/// A path short enough for a socket's address: the system takes 107 bytes only. The file keeps the folder open as
/// long as the path is used.
pub(super) fn reachable(path: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if path.as_os_str().len() <= MAX_SOCKET_PATH {
        return Ok((path.to_owned(), None));
    }
    let folder = File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    Ok((short, Some(folder)))
}

async fn accept(listener: UnixListener, server: Server) {
    let places = Arc::new(Semaphore::new(MAX_REQUESTS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let server = server.clone();
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, server).await {
                        tracing::debug!(%error, "a control connection broke");
                    }
                    drop(place);
                });
            }
            // Out of descriptors, most likely: others need time to give some back.
            Err(error) => {
                tracing::warn!(%error, "the control socket cannot take a connection");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, server: Server) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let request = match timeout(PATIENCE, wire::read::<Request>(&mut reader)).await? {
        Ok(Some(request)) => request,
        Ok(None) => return Ok(()),
        Err(error) => {
            let what =
                format!("the request cannot be read: {error}; use the edge-daemon of the same version");
            return wire::write(&mut writer, &Reply::Failed(Failed { what })).await;
        }
    };
    let (say, mut replies) = mpsc::channel(REPLIES);
    let work: JoinHandle<()> = match request {
        Request::Status => {
            let status = Reply::Status(Box::new(status(&server)));
            return wire::write(&mut writer, &status).await;
        }
        Request::Import { bytes } if bytes > catalog_csv::MAX_FILE_BYTES as u64 => {
            let what = catalog_csv::CsvError::TooLarge.to_string();
            return wire::write(&mut writer, &Reply::Failed(Failed { what })).await;
        }
        Request::Import { bytes } => {
            let mut file = Vec::new();
            let mut content = (&mut reader).take(bytes);
            while file.len() as u64 != bytes {
                if timeout(PATIENCE, content.read_buf(&mut file)).await?? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            tokio::task::spawn_blocking(move || {
                imports::import(&server.shop, &file, &mut |reply| tell(&say, reply));
            })
        }
        Request::Backup { to, keys } => tokio::task::spawn_blocking(move || {
            let head = server.shop.head().map(|head| head.position);
            let mut progress = |progress| tell(&say, Reply::Progress(progress));
            let last = match backup::save(&server.root, &to, keys.as_deref(), head, &mut progress) {
                Ok(saved) => Reply::Saved(saved),
                Err(error) => Reply::Failed(Failed { what: error.to_string() }),
            };
            tell(&say, last);
        }),
    };
    while let Some(reply) = replies.recv().await {
        wire::write(&mut writer, &reply).await?;
    }
    work.await.map_err(io::Error::other)
}

/// Progress may be left out where the client is slow; everything else waits for it. A client that has gone away does
/// not stop what it asked for.
fn tell(say: &mpsc::Sender<Reply>, reply: Reply) {
    if matches!(reply, Reply::Progress(_)) {
        let _ = say.try_send(reply);
    } else {
        let _ = say.blocking_send(reply);
    }
}

fn status(server: &Server) -> Status {
    let condition = server.shop.condition();
    Status {
        software: env!("CARGO_PKG_VERSION").into(),
        process: std::process::id(),
        listen: server.listen.to_string(),
        position: server.shop.head().map(|head| head.position.to_string()),
        ready: condition.ready,
        rebuilding: condition.rebuilding,
        view_lag: condition.view_lag,
        records: condition.records,
        journal_bytes: condition.journal_bytes,
        disk_free: condition.disk_free,
        alarms: condition.alarms,
        devices: server.devices.all(),
    }
}
