//! What a running receiver asks and notes beside the records.

use cloud_bridge::Address;
use pos_journal::{EpochId, Position};
use tokio_postgres::{Client, Error};

use crate::ingest::MAKE_STORE;
use crate::values::{epoch_bits, position, text};

/// How far an epoch of a store is here; `None`: not at all.
///
/// # Errors
/// The database's.
pub(crate) async fn have(
    client: &Client,
    address: &Address,
    epoch: EpochId,
) -> Result<Option<Position>, Error> {
    let found = client
        .query_opt(
            "SELECT h.epoch, h.seq FROM heads h JOIN stores s ON s.id = h.store_id
             WHERE s.tenant = $1 AND s.store = $2 AND h.epoch = $3",
            &[&address.tenant(), &address.store(), &epoch_bits(epoch)],
        )
        .await?;
    found.map(|row| Ok(position(row.try_get(0)?, row.try_get(1)?))).transpose()
}

/// Counts something of a box that could not be read, and keeps why.
///
/// # Errors
/// The database's.
pub(crate) async fn note_refused(client: &Client, address: &Address, why: &str) -> Result<(), Error> {
    client.execute(MAKE_STORE, &[&address.tenant(), &address.store()]).await?;
    client
        .execute(
            "INSERT INTO boxes AS b (store_id, box, online, refused, refused_why)
             SELECT id, $3, true, 1, $4 FROM stores WHERE tenant = $1 AND store = $2
             ON CONFLICT (store_id, box) DO UPDATE SET refused = b.refused + 1, refused_why = excluded.refused_why",
            &[&address.tenant(), &address.store(), &address.box_name(), &text(why)],
        )
        .await?;
    Ok(())
}
