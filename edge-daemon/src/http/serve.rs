//! The accept loop: bounded connections, a deadline for heads, and a drain that ends.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{App, HttpOptions, Metrics, routes};
use crate::checkout::Shop;

/// How long a client may take to send a request's head, and how long an idle connection is kept.
pub(super) const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long running requests may take once the daemon stops.
const DRAIN: Duration = Duration::from_secs(10);
/// The pause after an accept that failed for want of descriptors or memory.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Serves the shop until `shutdown` is done; then takes no more connections, ends the streams of events and waits for
/// running requests, at most 10 seconds.
pub async fn serve(
    listener: TcpListener,
    shop: Shop,
    options: HttpOptions,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopping) = watch::channel(false);
    let metrics = Arc::new(Metrics::new(shop.figures()));
    let app = App::new(shop, &options, metrics.clone(), stopping);
    let router = routes(app, &options);
    let places = Arc::new(Semaphore::new(options.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
    let drain = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let counted = Counted::new(metrics.connections.clone());
                tokio::spawn(converse(stream, peer, router.clone(), &drain, (place, counted)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    // Nobody listening is no error.
    let _ = stop.send(true);
    if tokio::time::timeout(DRAIN, drain.shutdown()).await.is_err() {
        tracing::warn!("some requests were still running when the time to drain was over");
    }
}

/// The next connection, once there is a place for it.
pub(super) async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Serves one connection; `held` is given back when it ends.
fn converse<H: Send>(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    drain: &GracefulShutdown,
    held: H,
) -> impl Future<Output = ()> + Send + use<H> {
    // Answers are small and written whole: waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .keep_alive(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let watched = drain.watch(connection);
    async move {
        let _held = held;
        if let Err(error) = watched.await {
            tracing::debug!(%peer, %error, "a connection ended early");
        }
    }
}

/// Counts a connection for as long as it is there.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
