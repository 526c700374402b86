//! `run`, and the life of a daemon that `demo` shares: open, serve, wait for a signal, drain, close. While it opens, HTTP
//! says so, and a signal ends it at once.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use device_drivers::Patience;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::failure::{Code, Failure};
use crate::checkout::{self, OpenOptions, Running, Shop};
use crate::cli::Place;
use crate::clock::SystemClock;
use crate::cloud::{self, Cloud, CloudError};
use crate::config::Config;
use crate::control::{self, Server};
use crate::http::{self, HttpOptions};
use crate::peripherals::{ControllerLines, Peripherals};
use crate::{descriptors, lock, notify, telemetry};

/// Between two looks at whether the disk failed.
const LOOK: Duration = Duration::from_millis(250);

pub(super) fn run(place: &Place, listen: Option<String>) -> Result<(), Failure> {
    let config = Config::load(&place.config, &place.flags(listen))?;
    start_log(&config)?;
    if let Some(device) = config.devices.iter().find(|device| device.is_virtual()) {
        let what = format!("{} has the port \"virtual\"", device.id);
        return Err(Failure::new(
            Code::Wrong,
            what,
            "name its port, or use `edge-daemon demo`, which plugs it in",
        ));
    }
    block_on(serve(config, None, |_, address| {
        tracing::info!("ready on http://{address}");
        Ok(())
    }))
}

pub(super) fn start_log(config: &Config) -> Result<(), Failure> {
    telemetry::start(&config.log).map_err(|error| Failure::new(Code::Wrong, error, "correct [log] level"))
}

pub(super) fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let out_of = |error| Failure::new(Code::Failed, error, "free some memory or file descriptors");
    built.map_err(out_of)?.block_on(work)
}

/// Serves until a signal comes or the disk fails. `ready` is called once everything stands, on a thread that may wait.
pub(super) async fn serve(
    config: Config,
    counter_pages: Option<Router>,
    ready: impl FnOnce(&Shop, SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // First of all, so that no signal finds nobody.
    let mut stop = Signals::new()?;
    let max_connections = descriptors::connections(config.http.max_connections, descriptors::take_all());
    let _lock = lock::take(&config.data.dir)?;
    let listener = TcpListener::bind(config.http.listen).await.map_err(|error| taken(&config, &error))?;
    let address = listener.local_addr().map_err(|error| taken(&config, &error))?;
    let options = OpenOptions {
        root: config.data.dir.clone(),
        segment_bytes: config.data.segment_bytes,
        cache_bytes: config.data.cache_bytes,
        store: config.store.clone(),
        zone: Arc::new(config.zone.clone()),
        clock: Arc::new(SystemClock::new()),
    };
    notify::status("opening the journal");
    let opening = tokio::task::spawn_blocking(move || checkout::open(options));
    let opened = tokio::select! {
        opened = http::while_opening(&listener, opening) => opened,
        name = stop.wait() => stop_at_once(name),
    };
    let (shop, running) = opened.map_err(|error| crashed(&error))??;
    let running = Arc::new(running);

    let lines =
        ControllerLines { lines: config.controllers.clone(), keys: config.data.dir.join("keys/controllers") };
    let peripherals = Peripherals::start(&shop, &config.devices, &lines, Patience::default());
    let (cloud, uplink) = match &config.cloud {
        Some(cloud) => {
            let effective = config.effective().to_string();
            let started = Cloud::start(&shop, cloud, &effective, &peripherals.devices(), &config.data.dir);
            let (cloud, uplink) = started.map_err(no_way)?;
            (cloud, Some(uplink))
        }
        None => (Cloud::none(), None),
    };
    let control = control::serve(Server {
        shop: shop.clone(),
        root: config.data.dir.clone(),
        listen: address,
        devices: peripherals.devices(),
    });
    let control = control.map_err(|error| {
        let what = format!("cannot make {}: {error}", config.data.dir.join("control.sock").display());
        Failure::new(Code::Failed, what, "look at the directory's owner and permissions")
    })?;
    let options = HttpOptions {
        max_connections,
        loopback_only: address.ip().is_loopback(),
        counter_pages,
        peripherals: Some((peripherals.devices(), peripherals.jobs())),
        cloud,
    };
    let (stopping, mut stopped) = watch::channel(false);
    let shutdown = async move {
        // Also when nobody is left to say it.
        let _ = stopped.wait_for(|stopping| *stopping).await;
    };
    let serving = tokio::spawn(http::serve(listener, shop.clone(), options, shutdown));
    let fed = running.clone();
    let watchdog = tokio::spawn(notify::watch(move || fed.progress()));

    notify::ready(&format!("serving on http://{address}"));
    let greeted = tokio::task::block_in_place(|| ready(&shop, address));
    let disk_failed = greeted.is_ok()
        && tokio::select! {
            name = stop.wait() => {
                tracing::info!("{name}: finishing what is running");
                false
            }
            () = asked_to_restart(uplink.as_ref()) => {
                tracing::info!("head office wants a fresh start: finishing what is running");
                false
            }
            () = fatal(&running) => true,
        };
    if disk_failed {
        // Nothing may be said any more: what was asked last may be on disk or not.
        let what = "the disk did not confirm a write: the outcome of the last commands is unknown";
        return Err(Failure::new(
            Code::Disk,
            what,
            "start again, it tells what is durable; look at the disk's log",
        ));
    }
    notify::stopping();
    stopping.send_replace(true);
    if let Err(error) = serving.await {
        tracing::error!(%error, "serving ended badly");
    }
    control.abort();
    // Only tidiness: the next start removes one that is left.
    let _ = std::fs::remove_file(config.data.dir.join("control.sock"));
    peripherals.stop().await;
    if let Some(uplink) = uplink {
        uplink.stop().await;
    }
    watchdog.abort();
    let _ = watchdog.await;
    close(running).await?;
    greeted
}

/// Nothing was promised to anybody yet, and opening survives a power cut at any point: so it survives this. The thread
/// that opens cannot be told to stop, and would be waited for by anything gentler.
fn stop_at_once(name: &str) -> ! {
    tracing::info!("{name} while the journal was opened: stopping at once");
    std::process::exit(0)
}

async fn close(running: Arc<Running>) -> Result<(), Failure> {
    let Some(running) = Arc::into_inner(running) else {
        // The watchdog's task was the only other owner, and it has ended.
        return Err(Failure::new(Code::Failed, "the journal was not sealed", "start again; nothing is lost"));
    };
    let stopped = tokio::task::spawn_blocking(move || (running.is_fatal(), running.stop())).await;
    let (fatal, stopped) = stopped.map_err(|error| crashed(&error))?;
    let code = if fatal { Code::Disk } else { Code::Failed };
    let unsealed = |error| Failure::new(code, error, "start again; nothing acknowledged is lost");
    stopped.map_err(unsealed)?;
    tracing::info!("closed");
    Ok(())
}

/// The system starts a daemon again that ends.
async fn asked_to_restart(uplink: Option<&cloud::Running>) {
    let asked = uplink.map(|uplink| uplink.restart.clone());
    if let Some(mut asked) = asked
        && asked.wait_for(|restart| *restart).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

async fn fatal(running: &Running) {
    let mut looks = tokio::time::interval(LOOK);
    while !running.is_fatal() {
        looks.tick().await;
    }
}

fn taken(config: &Config, error: &std::io::Error) -> Failure {
    let what = format!("cannot listen on {}: {error}", config.http.listen);
    Failure::new(
        Code::Failed,
        what,
        "stop what listens there, or use another --listen; port 0 takes a free one",
    )
}

fn no_way(error: CloudError) -> Failure {
    let what = format!("the way to the cloud cannot be opened: {error}");
    Failure::new(Code::Wrong, what, "correct [cloud], or take `broker` out: the shop sells without it")
}

fn crashed(error: &tokio::task::JoinError) -> Failure {
    Failure::new(
        Code::Failed,
        format!("a part of the daemon crashed: {error}"),
        "start again and report this",
    )
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::new(Code::Failed, error, "free some file descriptors"))
        };
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
