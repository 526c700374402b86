//! How far each epoch of a store is here.

use std::collections::BTreeMap;

use pos_journal::{Digest, EpochId, Evidence};
use tokio_postgres::Transaction;

use super::{Statements, Visit, seq_bits};
use crate::failure::IngestError;
use crate::values::{digest, epoch_bits, epoch_of, evidence, seq_of};

/// The last record of an epoch that is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: Digest,
    pub(super) parent: Option<Evidence>,
    pub(super) series: i32,
}

impl Head {
    /// Of an epoch that begins: its first record follows its parent.
    pub(super) fn before(parent: Option<Evidence>) -> Self {
        Self { seq: 0, hash: parent.map_or([0; 32], |parent| parent.hash), parent, series: 0 }
    }
}

pub(super) const OF_STORE: &str =
    "SELECT epoch, seq, hash, parent_epoch, parent_seq, parent_hash, series FROM heads WHERE store_id = $1";
pub(super) const PUT: &str = "INSERT INTO heads (store_id, epoch, seq, hash, parent_epoch, parent_seq, parent_hash, series, box)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (store_id, epoch) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, series = excluded.series,
        box = excluded.box, updated_at = now()";

/// All heads of a store.
pub(super) async fn of_store(
    transaction: &Transaction<'_>,
    statements: &Statements,
    store: i64,
) -> Result<BTreeMap<EpochId, Head>, IngestError> {
    let mut heads = BTreeMap::new();
    for row in transaction.query(&statements.heads, &[&store]).await? {
        let head = Head {
            seq: seq_of(row.try_get(1)?),
            hash: digest(row.try_get(2)?),
            parent: evidence(row.try_get(3)?, row.try_get(4)?, row.try_get(5)?),
            series: row.try_get(6)?,
        };
        heads.insert(epoch_of(row.try_get(0)?), head);
    }
    Ok(heads)
}

/// Moves an epoch's head.
pub(super) async fn put(visit: &Visit<'_>, epoch: EpochId, head: &Head) -> Result<(), IngestError> {
    let parent = head.parent.map(|parent| parent.position);
    let parent_epoch = parent.map(|parent| epoch_bits(parent.epoch));
    let parent_seq = parent.map(|parent| seq_bits(parent.seq));
    let parent_hash = head.parent.as_ref().map(|parent| parent.hash.as_slice());
    let (seq, hash) = (seq_bits(head.seq), head.hash.as_slice());
    let (epoch, store) = (epoch_bits(epoch), visit.store.id);
    visit
        .transaction
        .execute(
            &visit.statements.put_head,
            &[
                &store,
                &epoch,
                &seq,
                &hash,
                &parent_epoch,
                &parent_seq,
                &parent_hash,
                &head.series,
                &visit.address.box_name(),
            ],
        )
        .await?;
    Ok(())
}
