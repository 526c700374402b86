//! The peers: the same endpoint, `POST /api/v1/transactions`, on what a shop would otherwise keep its sales in.
//!
//! They are meant to be beaten honestly, so each is as fast as it could be made without giving up durability: an answer goes
//! out after a commit that is on disk. They are favoured where it is not about storage: no authentication, no
//! shifts, no live events, no hash chain, no sealing of personal data, fewer indexes than reports would need, and
//! a doubled idempotency key is refused (409) instead of answered again.
//!
//! - `null` prices the sale and stores nothing: what HTTP and the load generator alone allow.
//! - `sqlite`: tables in WAL mode with `synchronous=FULL`; one writer takes all that wait into one transaction.
//! - `postgres`: tables with `synchronous_commit=on`; pipelined transactions of all that wait.
//!
//! A peer is a process of its own (`tillbox-bench peer sqlite …`). It prints `listening ADDRESS` on standard output and
//! ends when its standard input does: it never outlives the bench, however that ends.

mod cluster;
mod endpoint;
mod postgres;
mod pricing;
mod sqlite;

pub use cluster::{Cluster, ServerPrograms, Unprivileged};
pub use sqlite::{SYNC_CALL, version as sqlite_version};

use crate::catalogue;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Which peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Stores nothing.
    Null,
    /// SQLite tables.
    Sqlite,
    /// PostgreSQL tables, in a cluster of its own.
    Postgres,
}

/// What a peer needs.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// What the peer stores sales in
    pub kind: Kind,
    /// The peer's own directory; must exist
    #[arg(long)]
    pub data: PathBuf,
    /// The catalogue, a CSV file
    #[arg(long)]
    pub catalog: PathBuf,
    /// The loopback port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// PostgreSQL: connections that write
    #[arg(long, default_value_t = postgres::DEFAULT_WRITERS)]
    pub writers: usize,
}

/// Runs a peer until its standard input ends or it is told to stop.
///
/// # Errors
/// The catalogue or the data directory is unusable, the database does not start, or the port is taken.
pub async fn run(options: Options) -> Result<(), Failure> {
    // Dropped in the middle, it stops the database that it has started.
    tokio::select! {
        ended = serve_on(options) => ended,
        () = told_to_stop() => Ok(()),
    }
}

async fn serve_on(options: Options) -> Result<(), Failure> {
    let products = catalogue::read(&options.catalog)?;
    let address = (Ipv4Addr::LOCALHOST, options.port);
    let listener = TcpListener::bind(address).await.map_err(|e| {
        let reason = format!("cannot listen on 127.0.0.1:{}: {e}; choose another --port", options.port);
        Failure::Start { name: "peer".to_owned(), reason }
    })?;
    match options.kind {
        Kind::Null => serve(listener, endpoint::router(&products, endpoint::Forget::default())).await,
        Kind::Sqlite => {
            let ledger = sqlite::Ledger::open(&options.data.join("sales.sqlite"), &products)?;
            serve(listener, endpoint::router(&products, ledger)).await
        }
        Kind::Postgres => {
            let cluster = cluster::Cluster::start(&options.data).await?;
            let ledger = postgres::Ledger::open(&cluster, &products, options.writers).await?;
            let served = serve(listener, endpoint::router(&products, ledger)).await;
            cluster.stop().await?;
            served
        }
    }
}

async fn serve(listener: TcpListener, router: axum::Router) -> Result<(), Failure> {
    use axum::serve::ListenerExt as _;
    let failed = |source| Failure::Connection { name: "peer".to_owned(), source };
    let address = listener.local_addr().map_err(failed)?;
    writeln!(std::io::stdout(), "listening {address}").map_err(failed)?;
    let listener = listener.tap_io(|stream| {
        // Without it small answers may wait for the client's acknowledgement; where it cannot be set they do.
        let _ = stream.set_nodelay(true);
    });
    tokio::select! {
        served = axum::serve(listener, router) => served.map_err(failed),
        () = parent_is_gone() => Ok(()),
    }
}

/// Ends when standard input does.
async fn parent_is_gone() {
    let (gone, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = gone.send(());
    });
    let _ = wait.await;
}

/// Ends on SIGTERM or SIGINT; never where they cannot be listened for.
pub async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
}
