//! How far each store is here, and what its boxes say about themselves.

use std::time::{Duration, SystemTime};

use cloud_bridge::{Address, State};
use pos_domain::time::Millis;
use pos_journal::Position;
use tokio_postgres::{Client, Error, Row};

use crate::ingest::MAKE_STORE;
use crate::model::{Moment, Value};
use crate::values::{epoch_bits, position, seq_bits, seq_of, text};

/// How far a store is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// Its owner.
    pub tenant: String,
    /// Its short name.
    pub store: String,
    /// What stands on its receipts, if its configuration came.
    pub name: Option<String>,
    /// The last record of its newest epoch; none came yet otherwise.
    pub newest: Option<Position>,
    /// Records, of all epochs.
    pub records: u64,
    /// Of them, those that this software could not read.
    pub not_understood: u64,
    /// Envelopes that contradicted what is here: look at the table `quarantine`.
    pub forks: u64,
    /// When the last record came.
    pub last_received: Option<SystemTime>,
    /// How long ago that is, by the database's clock.
    pub age: Option<Duration>,
    /// Its boxes, by name.
    pub boxes: Vec<BoxStatus>,
}

/// What a box said about itself, and how far behind it the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxStatus {
    /// Its name.
    pub name: String,
    /// Whether it is connected.
    pub online: bool,
    /// Of its software.
    pub version: Option<String>,
    /// Its journal's newest record.
    pub head: Option<Position>,
    /// Records of the head's epoch that are not here yet.
    pub lag: Option<u64>,
    /// Free on its disk, bytes.
    pub disk_free: Option<u64>,
    /// When it was heard of.
    pub noted: SystemTime,
}

const NOTE: &str = "INSERT INTO boxes AS b (store_id, box, online, version, head_epoch, head_seq, acknowledged_epoch, acknowledged_seq,
        disk_free, devices, collections, said_at)
    SELECT id, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::json, $12::text::json, $13
    FROM stores WHERE tenant = $1 AND store = $2
    ON CONFLICT (store_id, box) DO UPDATE SET online = excluded.online, version = coalesce(excluded.version, b.version),
        head_epoch = coalesce(excluded.head_epoch, b.head_epoch), head_seq = coalesce(excluded.head_seq, b.head_seq),
        acknowledged_epoch = coalesce(excluded.acknowledged_epoch, b.acknowledged_epoch),
        acknowledged_seq = coalesce(excluded.acknowledged_seq, b.acknowledged_seq),
        disk_free = coalesce(excluded.disk_free, b.disk_free), devices = coalesce(excluded.devices, b.devices),
        collections = CASE WHEN excluded.online THEN excluded.collections ELSE b.collections END,
        said_at = coalesce(excluded.said_at, b.said_at), noted_at = now()";

/// Keeps what a box says about itself. What it leaves out stays as it was: the broker says only that a box is gone. A box that is there
/// and names no collection has none.
///
/// # Errors
/// The database's.
pub async fn note_state(client: &Client, address: &Address, state: &State) -> Result<(), Error> {
    let place = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Position>().ok());
    let (head, acknowledged) = (place(&state.head), place(&state.acknowledged));
    let columns = |at: Option<Position>| (at.map(|at| epoch_bits(at.epoch)), at.map(|at| seq_bits(at.seq)));
    let ((head_epoch, head_seq), (acknowledged_epoch, acknowledged_seq)) =
        (columns(head), columns(acknowledged));
    let (tenant, store, sender) = (address.tenant(), address.store(), address.box_name());
    let disk_free = state.disk_free.map(seq_bits);
    let version = state.version.as_deref().map(text);
    // A map of text is always JSON.
    let devices =
        (!state.devices.is_empty()).then(|| serde_json::to_string(&state.devices).unwrap_or_default());
    let collections = (!state.collections.is_empty())
        .then(|| serde_json::to_string(&state.collections).unwrap_or_default());
    let said_at = state.at.map(|at| Moment::from(Millis(at)));
    let values: [Value<'_>; 13] = [
        &tenant,
        &store,
        &sender,
        &state.online,
        &version,
        &head_epoch,
        &head_seq,
        &acknowledged_epoch,
        &acknowledged_seq,
        &disk_free,
        &devices,
        &collections,
        &said_at,
    ];
    if client.execute(NOTE, &values).await? == 0 {
        client.execute(MAKE_STORE, &[&address.tenant(), &address.store()]).await?;
        client.execute(NOTE, &values).await?;
    }
    Ok(())
}

const STORES: &str = "SELECT t.tenant, t.store, t.name, n.epoch, n.seq, coalesce(h.records, 0)::bigint,
        (SELECT count(*) FROM not_understood u WHERE u.store_id = t.id), t.forks, h.last,
        (extract(epoch FROM now() - h.last) * 1000)::bigint
    FROM stores t
    LEFT JOIN (SELECT store_id, sum(seq) AS records, max(updated_at) AS last FROM heads GROUP BY store_id) h
        ON h.store_id = t.id
    LEFT JOIN LATERAL (SELECT epoch, seq FROM heads WHERE store_id = t.id ORDER BY series DESC, updated_at DESC LIMIT 1) n ON true
    ORDER BY t.tenant, t.store";
const BOXES: &str = "SELECT t.tenant, t.store, b.box, b.online, b.version, b.head_epoch, b.head_seq,
        greatest(b.head_seq - coalesce(h.seq, 0), 0), b.disk_free, b.noted_at
    FROM boxes b JOIN stores t ON t.id = b.store_id
    LEFT JOIN heads h ON h.store_id = b.store_id AND h.epoch = b.head_epoch
    ORDER BY t.tenant, t.store, b.box";

/// How far each store is here, by name.
///
/// # Errors
/// The database's.
pub async fn status(client: &Client) -> Result<Vec<StoreStatus>, Error> {
    let stores = client.query(STORES, &[]).await?;
    let mut stores = stores.iter().map(store).collect::<Result<Vec<_>, Error>>()?;
    for row in client.query(BOXES, &[]).await? {
        let (tenant, store): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        if let Some(store) = stores.iter_mut().find(|one| one.tenant == tenant && one.store == store) {
            store.boxes.push(sender(&row)?);
        }
    }
    Ok(stores)
}

fn store(row: &Row) -> Result<StoreStatus, Error> {
    let newest: (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
    let age: Option<i64> = row.try_get(9)?;
    Ok(StoreStatus {
        tenant: row.try_get(0)?,
        store: row.try_get(1)?,
        name: row.try_get(2)?,
        newest: newest.0.zip(newest.1).map(|(epoch, seq)| position(epoch, seq)),
        records: seq_of(row.try_get(5)?),
        not_understood: seq_of(row.try_get(6)?),
        forks: seq_of(row.try_get(7)?),
        last_received: row.try_get(8)?,
        age: age.map(|age| Duration::from_millis(seq_of(age))),
        boxes: Vec::new(),
    })
}

fn sender(row: &Row) -> Result<BoxStatus, Error> {
    let head: (Option<i64>, Option<i64>) = (row.try_get(5)?, row.try_get(6)?);
    let count = |column| row.try_get::<_, Option<i64>>(column).map(|count| count.map(seq_of));
    Ok(BoxStatus {
        name: row.try_get(2)?,
        online: row.try_get(3)?,
        version: row.try_get(4)?,
        head: head.0.zip(head.1).map(|(epoch, seq)| position(epoch, seq)),
        lag: count(7)?,
        disk_free: count(8)?,
        noted: row.try_get(9)?,
    })
}
