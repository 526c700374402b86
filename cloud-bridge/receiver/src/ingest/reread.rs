//! Records that could not be read when they came, read again: after an update of this software.
//!
//! They take effect as if they had come in their place: what stands does not depend on the order in which records arrive.

use pos_journal::Record;

use super::{Ingest, Store, heads, write};
use crate::failure::IngestError;
use crate::model::Changes;
use crate::values::{epoch_bits, position, seq_bits};
use cloud_bridge::Address;

pub(super) const UNREAD: &str = "SELECT n.epoch, n.seq, r.hash, r.body FROM not_understood n
    JOIN records r ON r.store_id = n.store_id AND r.epoch = n.epoch AND r.seq = n.seq
    WHERE n.store_id = $1 AND (n.epoch, n.seq) > ($2, $3) ORDER BY n.epoch, n.seq LIMIT 1";
pub(super) const SERIES: &str =
    "UPDATE heads SET series = $3 WHERE store_id = $1 AND epoch = $2 AND series <> $3";
pub(super) const READ: &str = "DELETE FROM not_understood WHERE store_id = $1 AND epoch = $2 AND seq = $3";

impl Ingest {
    /// Reads a store's records again that were not understood; gives how many were this time. Each is a transaction of its own.
    ///
    /// # Errors
    /// [`IngestError::Database`]; what was read until then stays read.
    pub async fn reread(&mut self, address: &Address) -> Result<u64, IngestError> {
        let (mut after, mut read) = ((i64::MIN, 0), 0);
        loop {
            match self.reread_next(address, after).await {
                Ok(None) => return Ok(read),
                Ok(Some((place, understood))) => {
                    after = place;
                    read += u64::from(understood);
                }
                // The rows of this one are still refused.
                Err((place, error)) if error.is_about_rows() && place != after => after = place,
                Err((_, error)) => return Err(error),
            }
        }
    }

    /// The next one behind a place: where it stands, and whether it was understood.
    async fn reread_next(
        &mut self,
        address: &Address,
        after: (i64, i64),
    ) -> Result<Option<((i64, i64), bool)>, ((i64, i64), IngestError)> {
        let mut place = after;
        let done = self.reread_one(address, after, &mut place).await;
        done.map_err(|error| (place, error))
    }

    async fn reread_one(
        &mut self,
        address: &Address,
        after: (i64, i64),
        place: &mut (i64, i64),
    ) -> Result<Option<((i64, i64), bool)>, IngestError> {
        let transaction = self.client.transaction().await?;
        let statements = &self.statements;
        let mut store = Store::lock(&transaction, statements, address).await?;
        let next = transaction.query_opt(&statements.unread, &[&store.id, &after.0, &after.1]).await?;
        let Some(row) = next else {
            transaction.commit().await?;
            return Ok(None);
        };
        *place = (row.try_get(0)?, row.try_get(1)?);
        let at = position(place.0, place.1);
        let hash = crate::values::digest(row.try_get(2)?);
        // Only the body is read: what the record follows is the chain's matter.
        let record = Record { epoch: at.epoch, seq: at.seq, hash, previous: [0; 32], body: row.try_get(3)? };
        let heads = heads::of_store(&transaction, statements, store.id).await?;
        let series = heads.get(&at.epoch).map_or(0, |head| head.series);
        let changes = Changes::of([&record], store.ground(series));
        if !changes.not_understood.is_empty() {
            transaction.commit().await?;
            return Ok(Some((*place, false)));
        }
        write::changes(&transaction, statements, &mut store, at.epoch, &changes, false).await?;
        let epoch = epoch_bits(at.epoch);
        transaction.execute(&statements.series, &[&store.id, &epoch, &changes.ground.series]).await?;
        transaction.execute(&statements.read, &[&store.id, &epoch, &seq_bits(at.seq)]).await?;
        transaction.commit().await?;
        Ok(Some((*place, true)))
    }
}
