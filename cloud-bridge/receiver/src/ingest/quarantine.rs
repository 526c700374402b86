//! Envelopes that contradict what is here: kept for whoever has to find out why.
//!
//! Of each store the first 64 different ones are kept, at most 64 MiB of them: the first tell what happened, and a box that goes on
//! along its fork sends no end of them. The store's `forks` counts them all.

use cloud_bridge::Batch;
use pos_journal::Position;

use super::{Visit, seq_bits};
use crate::failure::IngestError;
use crate::values::epoch_bits;

pub(super) const COUNT_FORK: &str = "UPDATE stores SET forks = forks + 1 WHERE id = $1";
pub(super) const AGAIN: &str = "UPDATE quarantine SET times = times + 1, last_at = now()
    WHERE store_id = $1 AND hash = $2 AND first_seq = $3";
pub(super) const KEEP: &str = "INSERT INTO quarantine (store_id, hash, first_seq, epoch, last_seq, why, box, envelope)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8::bytea
    FROM (SELECT count(*) AS kept, coalesce(sum(octet_length(envelope)), 0) AS bytes FROM quarantine WHERE store_id = $1) q
    WHERE q.kept < 64 AND q.bytes + octet_length($8::bytea) <= 64 << 20";

/// Keeps a batch that forks.
pub(super) async fn keep(
    visit: &Visit<'_>,
    batch: &Batch,
    envelope: &[u8],
    at: Position,
    why: &str,
) -> Result<(), IngestError> {
    let (transaction, statements, store) = (visit.transaction, visit.statements, visit.store.id);
    transaction.execute(&statements.count_fork, &[&store]).await?;
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(()) };
    let (hash, first_seq) = (last.hash.as_slice(), seq_bits(first.seq));
    if transaction.execute(&statements.quarantined_again, &[&store, &hash, &first_seq]).await? > 0 {
        return Ok(());
    }
    let (epoch, last_seq) = (epoch_bits(first.epoch), seq_bits(last.position.seq));
    let why = format!("{at}: {why}");
    let sender = visit.address.box_name();
    transaction
        .execute(
            &statements.quarantine,
            &[&store, &hash, &first_seq, &epoch, &last_seq, &why, &sender, &envelope],
        )
        .await?;
    Ok(())
}
