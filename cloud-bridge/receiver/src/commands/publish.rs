//! `cloud-receiver publish`.

use std::time::Duration;

use tokio::sync::watch;

use super::Failure;
use super::failure::{Code, open_any};
use super::run::{broker, ended, log};
use crate::cli::{BrokerArgs, Database};
use crate::publish::{PublishOptions, publish as run};
use crate::schema;

pub(super) async fn publish(database: &Database, args: &BrokerArgs, patience: u16) -> Result<(), Failure> {
    log();
    let ended = ended()?;
    for name in schema::migrate(&mut open_any(database).await?).await? {
        tracing::info!(name, "applied a migration");
    }
    let options = PublishOptions {
        broker: broker(args, "publisher")?,
        database: database.url.clone(),
        patience: Duration::from_secs(patience.into()),
    };
    let (sent, _) = watch::channel(0);
    let (stop, stopped) = watch::channel(false);
    let publishing = tokio::spawn(run(options, sent, stopped));
    ended.await;
    stop.send_replace(true);
    publishing.await.map_err(|error| Failure::new(Code::Failed, error, "start it again and report this"))
}
