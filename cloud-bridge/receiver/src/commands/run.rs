//! `cloud-receiver run`.

use std::time::Duration;

use cloud_bridge::mqtt::{Broker, Tls};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use uuid::Uuid;

use super::Failure;
use super::failure::{Code, open_any};
use crate::cli::{BrokerArgs, Database};
use crate::receive::{Counters, Options, receive};
use crate::schema;

/// Messages that may be with us at once: what they take stays below some hundred MiB.
const AT_ONCE: u16 = 256;
/// Between two lines that say what was done.
const SAID: Duration = Duration::from_secs(60);

pub(super) async fn run(
    database: &Database,
    args: &BrokerArgs,
    group: String,
    workers: u8,
) -> Result<(), Failure> {
    log();
    let ended = ended()?;
    for name in schema::migrate(&mut open_any(database).await?).await? {
        tracing::info!(name, "applied a migration");
    }
    let options = Options {
        broker: broker(args, "receiver")?,
        group,
        database: database.url.clone(),
        workers: workers.into(),
    };
    let (counters, counted) = watch::channel(Counters::default());
    let (stop, stopped) = watch::channel(false);
    let receiving = tokio::spawn(receive(options, counters, stopped));
    let telling = tokio::spawn(tell(counted));
    ended.await;
    stop.send_replace(true);
    telling.abort();
    let crashed = |error| Failure::new(Code::Failed, error, "start it again and report this");
    receiving.await.map_err(crashed)
}

/// What happens is said on standard error.
pub(super) fn log() {
    // The database's notices are of no use to anybody here.
    let filter = tracing_subscriber::EnvFilter::new("info,tokio_postgres=warn");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

/// Done when somebody wants the program to end.
pub(super) fn ended() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) =
        (handler(SignalKind::terminate())?, handler(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: finishing what is under way"),
            _ = interrupt.recv() => tracing::info!("SIGINT: finishing what is under way"),
        }
    })
}

/// As whom the command line says; nobody else has the name there.
pub(super) fn broker(args: &BrokerArgs, name: &str) -> Result<Broker, Failure> {
    let tls = Tls::read(&args.authority, &args.certificate, &args.key);
    let wrong = |error| Failure::new(Code::Wrong, error, "name PEM files that can be read");
    let (host, port) = args.broker.clone();
    Ok(Broker {
        host,
        port,
        tls: Some(tls.map_err(wrong)?),
        client_id: format!("{name}-{}", Uuid::now_v7().simple()),
        session: Duration::ZERO,
        at_once: AT_ONCE,
        will: None,
    })
}

async fn tell(counted: watch::Receiver<Counters>) {
    let mut before = Counters::default();
    loop {
        tokio::time::sleep(SAID).await;
        let now = *counted.borrow();
        if now != before {
            let Counters { records, refused, forks, resends, connections } = now;
            tracing::info!(records, refused, forks, resends, connections, "since the start");
        }
        before = now;
    }
}

fn handler(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(Code::Failed, error, "free some file descriptors"))
}
