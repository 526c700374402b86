//! What a batch is to what is here. A record's hash stands for all records before it: so one comparison, of the last record that both
//! have, compares them all.

use std::collections::BTreeMap;

use cloud_bridge::{Batch, EnvelopeError};
use pos_journal::{Digest, EpochId, Evidence, Position};
use tokio_postgres::Transaction;

use super::heads::Head;
use super::{Statements, seq_bits};
use crate::failure::IngestError;
use crate::values::{digest, epoch_bits, seq_of};

const OTHER_RECORDS: &str = "other records with these numbers are here";
const OTHER_CHAIN: &str = "it does not continue the last record that is here";
const OTHER_PARENT: &str = "the record that its epoch continues is another one here";

/// What a batch is to what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// The records from this index on are new.
    Take { from: usize },
    /// All of it is here.
    Known(Position),
    /// Records before it are missing behind this one.
    Gap(Position),
    /// It contradicts.
    Fork { at: Position, why: &'static str },
}

/// What can be said of a batch without asking the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// All.
    Clear(Finding),
    /// It depends on a record.
    Ask(Question),
}

/// A record that has to be here with a certain hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    record: Evidence,
    then: Finding,
    /// What it means if it is not.
    otherwise: &'static str,
}

pub(super) const RECORD: &str = "SELECT hash FROM records WHERE store_id = $1 AND epoch = $2 AND seq = $3";
pub(super) const HASHES: &str =
    "SELECT seq, hash FROM records WHERE store_id = $1 AND epoch = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq";

/// Whether the records are numbered without a gap and each names the one before: an envelope that was decoded always is.
pub(super) fn check(batch: &Batch) -> Result<(), EnvelopeError> {
    let (Some(first), Some(_)) = (batch.records.first(), batch.last()) else {
        return Err(EnvelopeError::Payload("it has no records"));
    };
    let wrong = |at, what| Err(EnvelopeError::Chain { at, what });
    let begins = batch.parent.map_or([0; 32], |parent| parent.hash);
    if first.epoch.0 == 0 || first.seq == 0 || first.seq == 1 && first.previous != begins {
        return wrong(first.position(), "it does not continue the epoch's parent");
    }
    for pair in batch.records.windows(2) {
        let [before, record] = pair else { continue };
        let follows = record.epoch == before.epoch && before.seq.checked_add(1) == Some(record.seq);
        if !follows || record.previous != before.hash {
            return wrong(record.position(), "it does not follow the one before");
        }
    }
    Ok(())
}

/// Judges a batch that was [checked](check).
pub(super) fn judge(batch: &Batch, heads: &BTreeMap<EpochId, Head>) -> Judgement {
    let (Some(first), Some(last)) = (batch.records.first(), batch.last()) else {
        return Judgement::Clear(Finding::Gap(super::NOWHERE));
    };
    let known = heads.get(&first.epoch);
    let head = known.copied().unwrap_or(Head::before(batch.parent));
    let gap = Judgement::Clear(Finding::Gap(Position { epoch: first.epoch, seq: head.seq }));
    if last.position.seq <= head.seq {
        let then = Finding::Known(last.position);
        let at_head = last.position.seq == head.seq && last.hash == head.hash;
        let ask = Question { record: last, then, otherwise: OTHER_RECORDS };
        return if at_head { Judgement::Clear(then) } else { Judgement::Ask(ask) };
    }
    if first.seq > head.seq.saturating_add(1) {
        return gap;
    }
    // So many of its records are here: none of the next batch.
    let from = usize::try_from(head.seq + 1 - first.seq).unwrap_or(usize::MAX);
    let Some(next) = batch.records.get(from) else { return gap };
    let take = Finding::Take { from };
    if next.previous != head.hash {
        let end = from.checked_sub(1).and_then(|end| batch.records.get(end));
        let fork = Judgement::Clear(Finding::Fork { at: next.position(), why: OTHER_CHAIN });
        return end.map_or(fork, |end| {
            let record = Evidence { position: end.position(), hash: end.hash };
            Judgement::Ask(Question { record, then: take, otherwise: OTHER_RECORDS })
        });
    }
    // What an epoch continues must not be another record here. If it is not here yet, it may still come.
    let parent = batch.parent.filter(|parent| known.is_none() && parent.position.seq > 0);
    let is_here = |parent: &Evidence| {
        heads.get(&parent.position.epoch).is_some_and(|head| head.seq >= parent.position.seq)
    };
    parent.filter(is_here).map_or(Judgement::Clear(take), |record| {
        Judgement::Ask(Question { record, then: take, otherwise: OTHER_PARENT })
    })
}

impl Question {
    /// Looks the record up.
    pub(super) async fn answer(
        self,
        transaction: &Transaction<'_>,
        statements: &Statements,
        store: i64,
        batch: &Batch,
    ) -> Result<Finding, IngestError> {
        let Position { epoch, seq } = self.record.position;
        let row = transaction
            .query_opt(&statements.record_hash, &[&store, &epoch_bits(epoch), &seq_bits(seq)])
            .await?;
        let here: Option<Digest> = row.map(|row| row.try_get(0).map(digest)).transpose()?;
        if here == Some(self.record.hash) {
            return Ok(self.then);
        }
        let at = first_difference(transaction, statements, store, batch).await?;
        Ok(Finding::Fork { at: at.or(batch.first()).unwrap_or(super::NOWHERE), why: self.otherwise })
    }
}

/// The first record of a batch that is another one here.
async fn first_difference(
    transaction: &Transaction<'_>,
    statements: &Statements,
    store: i64,
    batch: &Batch,
) -> Result<Option<Position>, IngestError> {
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(None) };
    let (from, to) = (seq_bits(first.seq), seq_bits(last.position.seq));
    let rows = transaction.query(&statements.hashes, &[&store, &epoch_bits(first.epoch), &from, &to]).await?;
    for (row, record) in rows.iter().zip(&batch.records) {
        if seq_of(row.try_get(0)?) != record.seq || digest(row.try_get(1)?) != record.hash {
            return Ok(Some(record.position()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
