//! Sends what head office changed down to the boxes that lack it.
//!
//! A box says which version it has, and the receivers keep that in `boxes`. Each look finds the boxes that are connected and have another
//! version than head office, and sends each what it lacks: the rows behind its version, or all of them where it has none. That it was
//! sent says nothing: what counts is the version that the box says next. One that has not moved for a while is sent it again.
//!
//! Any number may run: whoever claims a box in the database sends. Two that send the same do no harm, as a box takes a version once.

use std::time::Duration;

use cloud_bridge::delivery::{self, DeliveryError};
use cloud_bridge::mqtt::{Broker, Connection, LinkError, With};
use cloud_bridge::{Address, BadName, Topic};
use pos_domain::delivery::PRODUCTS;
use thiserror::Error;
use tokio::sync::watch;
use tokio_postgres::{Client, IsolationLevel};

use crate::connection::connect;
use crate::failure::describe;
use crate::values::seq_of;

mod documents;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// Tenant, store, box, and the version that the box has.
const BEHIND: &str =
    "SELECT t.tenant, t.store, b.box, b.store_id, (b.collections ->> 'products')::bigint, v.version
    FROM boxes b JOIN stores t ON t.id = b.store_id JOIN head_office_versions v ON v.tenant = t.tenant
    WHERE b.online AND (b.collections ->> 'products')::bigint IS DISTINCT FROM v.version
    ORDER BY b.store_id, b.box";
/// One thing at a time: the next when the box has moved, or has not for too long.
const CLAIM: &str = "INSERT INTO head_office_sent AS s (store_id, box, base, version, sent_at) VALUES ($1, $2, $3, $4, now())
    ON CONFLICT (store_id, box) DO UPDATE SET base = excluded.base, version = excluded.version, sent_at = excluded.sent_at
    WHERE s.base IS DISTINCT FROM excluded.base OR s.sent_at < now() - $5 * interval '1 millisecond'";
const VERSION: &str = "SELECT version FROM head_office_versions WHERE tenant = $1";
/// Numbers that boxes have already are not given again; all rows are sent once more.
const RAISE: &str = "UPDATE head_office_versions SET version = $2 + 1, changed_by = pg_current_xact_id()
    WHERE tenant = $1 AND version < $2";
const SEND_ALL: &str = "UPDATE head_office_products SET version = 0 WHERE tenant = $1";

/// Where from, where to, and how patiently.
#[derive(Debug, Clone)]
pub struct PublishOptions {
    /// The broker, and as whom.
    pub broker: Broker,
    /// The database.
    pub database: String,
    /// A box that has not moved for so long is sent it again.
    pub patience: Duration,
}

/// Nothing more can be sent now.
#[derive(Debug, Error)]
enum PublishError {
    #[error("the database: {}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Publishes until it is told to stop; counts deliveries. Neither a lost broker nor a lost database ends it.
pub async fn publish(options: PublishOptions, sent: watch::Sender<u64>, mut stop: watch::Receiver<bool>) {
    let mut publisher = Publisher { options, sent, database: None, connection: None };
    let mut failing = false;
    while !*stop.borrow_and_update() {
        match publisher.look().await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "nothing can be published: trying again until it can");
                }
                (publisher.database, publisher.connection) = (None, None);
            }
        }
        let _ = tokio::time::timeout(LOOK, stop.wait_for(|stop| *stop)).await;
    }
    if let Some(connection) = publisher.connection {
        connection.close().await;
    }
}

struct Publisher {
    options: PublishOptions,
    sent: watch::Sender<u64>,
    database: Option<Client>,
    connection: Option<Connection>,
}

/// A box that has another version than head office.
struct Behind {
    address: Address,
    store: i64,
    has: Option<i64>,
    wanted: i64,
}

impl Publisher {
    async fn look(&mut self) -> Result<(), PublishError> {
        let mut database = match self.database.take().filter(|database| !database.is_closed()) {
            Some(database) => database,
            None => connect(&self.options.database).await?,
        };
        for row in database.query(BEHIND, &[]).await? {
            let (tenant, store, name): (&str, &str, &str) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let address: Result<Address, BadName> = Address::new(tenant, store, name);
            let Ok(address) = address else { continue };
            let behind =
                Behind { address, store: row.try_get(3)?, has: row.try_get(4)?, wanted: row.try_get(5)? };
            if let Some(has) = behind.has.filter(|has| *has > behind.wanted) {
                raise(&mut database, behind.address.tenant(), has).await?;
            } else if self.claim(&database, &behind).await? {
                self.send(&mut database, &behind).await?;
            }
        }
        self.database = Some(database);
        Ok(())
    }

    async fn claim(&self, database: &Client, behind: &Behind) -> Result<bool, PublishError> {
        let patience = f64::from(u32::try_from(self.options.patience.as_millis()).unwrap_or(u32::MAX));
        let name = behind.address.box_name();
        let claimed =
            database.execute(CLAIM, &[&behind.store, &name, &behind.has, &behind.wanted, &patience]).await?;
        Ok(claimed > 0)
    }

    async fn send(&mut self, database: &mut Client, behind: &Behind) -> Result<(), PublishError> {
        let address = &behind.address;
        let transaction =
            database.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().await?;
        let version: i64 = transaction.query_one(VERSION, &[&address.tenant()]).await?.try_get(0)?;
        let documents = documents::behind(&transaction, address.tenant(), behind.has.unwrap_or(0)).await?;
        transaction.commit().await?;

        let connection = match &self.connection {
            Some(connection) => connection,
            None => self.connection.insert(Connection::open(&self.options.broker, &[]).await?),
        };
        let cut = delivery::cut(seq_of(version), behind.has.map(seq_of), &documents, connection.largest());
        let chunks = cut.and_then(|chunks| {
            chunks.iter().map(delivery::Delivery::encode).collect::<Result<Vec<_>, DeliveryError>>()
        });
        let chunks = match chunks {
            Ok(chunks) => chunks,
            Err(error) => {
                tracing::error!(%address, version, %error, "it cannot be sent in one piece");
                return Ok(());
            }
        };
        tracing::info!(%address, base = behind.has, version, documents = documents.len(), "publishing");
        let topic = address.topic(Topic::Down(PRODUCTS));
        // What comes later than the next attempt is of no use.
        let expiry = u32::try_from(self.options.patience.as_secs().max(1)).ok();
        for chunk in chunks {
            connection.publish(&topic, chunk, With { expiry, ..With::default() }).await?;
        }
        self.sent.send_modify(|sent| *sent += 1);
        Ok(())
    }
}

/// A box has a version that was not given yet: the database was put back to an earlier day.
async fn raise(database: &mut Client, tenant: &str, has: i64) -> Result<(), PublishError> {
    let transaction = database.transaction().await?;
    if transaction.execute(RAISE, &[&tenant, &has]).await? > 0 {
        tracing::warn!(
            tenant,
            has,
            "a box has a later version than head office: all products are sent again"
        );
        transaction.execute(SEND_ALL, &[&tenant]).await?;
    }
    transaction.commit().await?;
    Ok(())
}
