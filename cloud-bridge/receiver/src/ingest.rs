//! From batches to rows, exactly once.
//!
//! One transaction takes all batches of a call. It begins by locking the store's row, so whatever two receivers do at once for one
//! store happens one after the other; stores do not wait for each other. Then, for each batch, [`judge()`] says what it is to what is
//! here; records that are new are stored, and their rows written ([`mod@write`]).
//!
//! What the database refuses although it understood the question (a value out of range, a key that is too long) must not stop a box
//! for ever. Such a call is done again batch by batch: first without the shortcut for sales that are certainly new, then without
//! rows, the records marked as not understood.

use std::collections::BTreeMap;

use cloud_bridge::{Address, Batch, Packing};
use pos_journal::{EpochId, Position, Record};
use tokio_postgres::{Client, Transaction};

use crate::failure::IngestError;
use crate::model::{Changes, NotUnderstood};
use crate::values::seq_bits;
use heads::Head;
use judge::{Finding, Judgement, judge};
use statements::Statements;
use store::Store;

mod heads;
mod judge;
mod quarantine;
mod reread;
mod statements;
mod store;
mod write;

pub(crate) use store::MAKE as MAKE_STORE;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is in the database now, up to this record.
    Taken(Position),
    /// All of it was there already, up to this record: it can be acknowledged again.
    Known(Position),
    /// Records before it are missing; it was not taken. Send those behind this place again.
    Gap {
        /// The last that is here; `seq` 0 where the epoch is not here yet.
        have: Position,
    },
    /// It contradicts what is here, and is in quarantine. Nothing was overwritten; a person has to look.
    Fork {
        /// The first record that contradicts.
        at: Position,
        /// How.
        why: &'static str,
    },
}

impl Verdict {
    /// What can be acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> Option<Position> {
        match self {
            Self::Taken(position) | Self::Known(position) => Some(*position),
            Self::Gap { .. } | Self::Fork { .. } => None,
        }
    }
}

/// A connection that takes batches, with its statements prepared.
#[derive(Debug)]
pub struct Ingest {
    client: Client,
    statements: Statements,
}

/// How the rows of records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Sales that certainly are new are copied without looking.
    Quick,
    /// Nothing is taken for new.
    Careful,
    /// There are none: the records are marked as not understood.
    RecordsOnly,
}

impl Ingest {
    /// Prepares a connection to a database whose tables are up to date.
    ///
    /// # Errors
    /// [`IngestError::Database`], for example where there are no tables.
    pub async fn prepare(client: Client) -> Result<Self, IngestError> {
        let statements = Statements::prepare(&client).await?;
        Ok(Self { client, statements })
    }

    /// The connection, for other questions.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Takes batches of one box, in the order in which they came, in one transaction; gives a verdict for each. Batches from one
    /// box may be given to several receivers at once.
    ///
    /// # Errors
    /// [`IngestError`]: nothing can be acknowledged then. The batches can be given again, to this connection unless it was lost;
    /// those that were taken nevertheless are known then.
    pub async fn take(&mut self, address: &Address, batches: &[Batch]) -> Result<Vec<Verdict>, IngestError> {
        for batch in batches {
            judge::check(batch)?;
        }
        match self.attempt(address, batches, Care::Quick).await {
            Err(error) if error.is_about_rows() => {}
            done => return done,
        }
        let mut verdicts = Vec::with_capacity(batches.len());
        for batch in batches {
            let one = std::slice::from_ref(batch);
            let done = match self.attempt(address, one, Care::Careful).await {
                Err(error) if error.is_about_rows() => self.attempt(address, one, Care::RecordsOnly).await,
                done => done,
            };
            verdicts.extend(done?);
        }
        Ok(verdicts)
    }

    async fn attempt(
        &mut self,
        address: &Address,
        batches: &[Batch],
        care: Care,
    ) -> Result<Vec<Verdict>, IngestError> {
        if batches.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = self.client.transaction().await?;
        let store = Store::lock(&transaction, &self.statements, address).await?;
        let heads = heads::of_store(&transaction, &self.statements, store.id).await?;
        let mut visit = Visit {
            transaction: &transaction,
            statements: &self.statements,
            store,
            heads,
            address,
            care,
            run: vec![],
        };
        let mut verdicts = Vec::with_capacity(batches.len());
        for batch in batches {
            verdicts.push(visit.take(batch).await?);
        }
        visit.flush().await?;
        transaction.commit().await?;
        Ok(verdicts)
    }
}

/// One transaction's work for a store.
struct Visit<'a> {
    transaction: &'a Transaction<'a>,
    statements: &'a Statements,
    store: Store,
    heads: BTreeMap<EpochId, Head>,
    address: &'a Address,
    care: Care,
    /// Records of one epoch that were judged to be taken, and whose rows are not written yet.
    run: Vec<&'a Record>,
}

impl<'a> Visit<'a> {
    async fn take(&mut self, batch: &'a Batch) -> Result<Verdict, IngestError> {
        let finding = match judge(batch, &self.heads) {
            Judgement::Clear(finding) => finding,
            Judgement::Ask(question) => {
                // What it asks for may be among the records that are not written yet.
                self.flush().await?;
                question.answer(self.transaction, self.statements, self.store.id, batch).await?
            }
        };
        match finding {
            Finding::Take { from } => self.append(batch, from).await,
            Finding::Known(position) => Ok(Verdict::Known(position)),
            Finding::Gap(have) => Ok(Verdict::Gap { have }),
            Finding::Fork { at, why } => {
                let envelope = batch.encode(Packing::Zstd)?;
                quarantine::keep(self, batch, &envelope, at, why).await?;
                Ok(Verdict::Fork { at, why })
            }
        }
    }

    async fn append(&mut self, batch: &'a Batch, from: usize) -> Result<Verdict, IngestError> {
        let new = batch.records.get(from..).unwrap_or_default();
        let Some(last) = new.last() else { return Ok(Verdict::Known(NOWHERE)) };
        if self.run.first().is_some_and(|first| first.epoch != last.epoch) {
            self.flush().await?;
        }
        self.run.extend(new);
        let head = self.heads.entry(last.epoch).or_insert_with(|| Head::before(batch.parent));
        (head.seq, head.hash) = (last.seq, last.hash);
        Ok(Verdict::Taken(last.position()))
    }

    /// Writes what was judged to be taken.
    async fn flush(&mut self) -> Result<(), IngestError> {
        let run = std::mem::take(&mut self.run);
        let Some(epoch) = run.first().map(|record| record.epoch) else { return Ok(()) };
        let Some(head) = self.heads.get_mut(&epoch) else { return Ok(()) };
        write::records(self.transaction, self.statements, self.store.id, &run).await?;
        let mut changes = Changes::of(run.iter().copied(), self.store.ground(head.series));
        head.series = changes.ground.series;
        if self.care == Care::RecordsOnly {
            let why = "its rows could not be written";
            let all = run.iter().map(|record| NotUnderstood { seq: record.seq, why: why.to_owned() });
            changes = Changes { not_understood: all.collect(), ..Changes::default() };
        }
        let quick = self.care == Care::Quick && self.heads.len() == 1;
        write::changes(self.transaction, self.statements, &mut self.store, epoch, &changes, quick).await?;
        if let Some(head) = self.heads.get(&epoch) {
            heads::put(self, epoch, head).await?;
        }
        Ok(())
    }
}

/// No record's place.
const NOWHERE: Position = Position { epoch: EpochId(0), seq: 0 };

#[cfg(test)]
mod tests {
    use super::*;

    fn on_any_thread<T: Send>(_: T) {}

    #[test]
    fn batches_can_be_taken_by_a_task_that_moves_between_threads() {
        // Whether this compiles is the test.
        let _ = |mut ingest: Ingest, address: Address, batches: Vec<Batch>| {
            on_any_thread(ingest.take(&address, &batches));
            on_any_thread(ingest.reread(&address));
        };
    }
}
