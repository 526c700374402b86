//! The chain of a store's records, rebuilt from the database: each record's bytes are made again from its row and the hash of the row
//! before, and hashed. So one changed byte is found, and so is a record that is missing, added or moved.

use std::fmt;

use cloud_bridge::Address;
use pos_journal::{Digest, Evidence, Position, Record};
use tokio_postgres::{Client, Error};

use crate::values::{digest, epoch_bits, epoch_of, evidence, seq_bits, seq_of};

/// Records that are looked at together.
const PAGE: i64 = 1000;

/// What was verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Epochs of the stores.
    pub epochs: u64,
    /// Records whose chain is whole.
    pub records: u64,
    /// What is wrong: the first thing in each epoch.
    pub flaws: Vec<Flaw>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Whose, as `tenant/store`.
    pub store: String,
    /// The record.
    pub at: Position,
    /// What.
    pub what: &'static str,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.store, self.at, self.what)
    }
}

/// An epoch's head.
struct Claim {
    store: i64,
    name: String,
    end: Evidence,
    parent: Option<Evidence>,
}

/// Verifies all records of a store, or of all stores.
///
/// # Errors
/// The database's.
pub async fn verify(client: &Client, store: Option<&Address>) -> Result<Verified, Error> {
    let (tenant, name) = (store.map(Address::tenant), store.map(Address::store));
    let claims = client
        .query(
            "SELECT h.store_id, t.tenant || '/' || t.store, h.epoch, h.seq, h.hash, h.parent_epoch, h.parent_seq, h.parent_hash
             FROM heads h JOIN stores t ON t.id = h.store_id
             WHERE ($1::text IS NULL OR t.tenant = $1) AND ($2::text IS NULL OR t.store = $2) ORDER BY 1, h.series, h.epoch",
            &[&tenant, &name],
        )
        .await?;
    let mut verified = Verified::default();
    for row in claims {
        let position = Position { epoch: epoch_of(row.try_get(2)?), seq: seq_of(row.try_get(3)?) };
        let claim = Claim {
            store: row.try_get(0)?,
            name: row.try_get(1)?,
            end: Evidence { position, hash: digest(row.try_get(4)?) },
            parent: evidence(row.try_get(5)?, row.try_get(6)?, row.try_get(7)?),
        };
        verified.epochs += 1;
        let found = match epoch(client, &claim, &mut verified.records).await? {
            None => parent(client, &claim).await?,
            found => found,
        };
        verified.flaws.extend(found.map(|(at, what)| Flaw { store: claim.name, at, what }));
    }
    Ok(verified)
}

type Found = Option<(Position, &'static str)>;

/// The first thing that is wrong in an epoch.
async fn epoch(client: &Client, claim: &Claim, records: &mut u64) -> Result<Found, Error> {
    let epoch = claim.end.position.epoch;
    let page = client
        .prepare("SELECT seq, hash, body FROM records WHERE store_id = $1 AND epoch = $2 AND seq > $3 AND seq <= $4
             ORDER BY seq LIMIT $5")
        .await?;
    let mut previous: Digest = claim.parent.map_or([0; 32], |parent| parent.hash);
    let mut last = 0;
    loop {
        let rows = client
            .query(
                &page,
                &[
                    &claim.store,
                    &epoch_bits(epoch),
                    &seq_bits(last),
                    &seq_bits(claim.end.position.seq),
                    &PAGE,
                ],
            )
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let at = Position { epoch, seq: last + 1 };
            if seq_of(row.try_get(0)?) != at.seq {
                return Ok(Some((at, "the record is missing")));
            }
            let hash = digest(row.try_get(1)?);
            let rebuilt = Record::new(at, previous, row.try_get(2)?);
            if rebuilt.map(|record| record.hash) != Ok(hash) {
                return Ok(Some((at, "the record is not the one that its hash is of")));
            }
            (previous, last) = (hash, at.seq);
            *records += 1;
        }
    }
    let end = Evidence { position: Position { epoch, seq: last }, hash: previous };
    if claim.end != end {
        return Ok(Some((end.position, "the epoch's head is another record")));
    }
    // In one statement, so that records that come while this runs come with their head.
    let beyond = client
        .query_one(
            "SELECT min(r.seq) FROM records r JOIN heads h ON h.store_id = r.store_id AND h.epoch = r.epoch AND r.seq > h.seq
             WHERE r.store_id = $1 AND r.epoch = $2",
            &[&claim.store, &epoch_bits(epoch)],
        )
        .await?;
    let beyond: Option<i64> = beyond.try_get(0)?;
    Ok(beyond.map(|seq| (Position { epoch, seq: seq_of(seq) }, "the record is beyond the epoch's head")))
}

/// Whether the record that the epoch continues, if it is here, is the one that it names.
async fn parent(client: &Client, claim: &Claim) -> Result<Found, Error> {
    let Some(parent) = claim.parent.filter(|parent| parent.position.seq > 0) else { return Ok(None) };
    let Position { epoch, seq } = parent.position;
    let row = client
        .query_opt(
            "SELECT hash FROM records WHERE store_id = $1 AND epoch = $2 AND seq = $3",
            &[&claim.store, &epoch_bits(epoch), &seq_bits(seq)],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let same = digest(row.try_get(0)?) == parent.hash;
    let first = Position { epoch: claim.end.position.epoch, seq: 1 };
    Ok((!same).then_some((first, "the epoch continues another record than the one that is here")))
}
