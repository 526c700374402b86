//! Which batches are given to the database when: those of one box one after another, boxes beside each other, and what came out of order
//! waits until what is missing has come.
//!
//! Told what happened and what time it is, it says what to do; it does nothing. With several receivers on one subscription a box's batches
//! arrive here and there: a gap closes by itself when another receiver has committed the piece between, so it is asked for only when it
//! stays.

use std::collections::{BTreeMap, VecDeque};

use cloud_bridge::{Address, Batch, Micros};
use pos_journal::{EpochId, Position};

use crate::ingest::Verdict;

/// A gap that stays for so long is asked for.
const GAP_PATIENCE: Micros = 5_000_000;
/// Between two looks at whether a gap has closed.
const GAP_LOOK: Micros = 50_000;
/// Records that go into one transaction, at most, but for a single batch that has more.
const MOST_RECORDS: usize = 20_000;

/// What came of a round, for one box.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Round<T> {
    /// How far each epoch is committed.
    pub(super) acknowledged: Vec<Position>,
    /// The messages that are done with.
    pub(super) taken: Vec<T>,
    /// The box is to send what stands behind this place again.
    pub(super) resend: Option<Position>,
    /// What contradicts what is here.
    pub(super) forks: Vec<(Position, &'static str)>,
}

/// Batches by their boxes. `T` is what a batch came in.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    lanes: BTreeMap<Address, Lane<T>>,
    /// Boxes of which something waits, in the order in which it is their turn.
    turns: VecDeque<Address>,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: Vec<(Batch, T)>,
    busy: bool,
    /// Since when something is missing.
    gap_since: Option<Micros>,
    /// Not before then, unless what is missing comes.
    not_before: Micros,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { lanes: BTreeMap::new(), turns: VecDeque::new() }
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), busy: false, gap_since: None, not_before: 0 }
    }
}

impl<T> Lanes<T> {
    /// A batch came.
    pub(super) fn push(&mut self, address: Address, batch: Batch, came_in: T) {
        let lane = self.lanes.entry(address.clone()).or_default();
        let closes = match (place(&batch), lane.waiting.iter().map(|(batch, _)| place(batch)).min()) {
            (new, Some(first)) => new < first || new.0 != first.0,
            (_, None) => true,
        };
        if closes {
            lane.not_before = 0;
        }
        lane.waiting.push((batch, came_in));
        if !self.turns.contains(&address) {
            self.turns.push_back(address);
        }
    }

    /// The next box whose batches can be given to the database, and they: in the order of their places. Say [`Lanes::done`] afterwards.
    pub(super) fn next(&mut self, now: Micros) -> Option<(Address, Vec<(Batch, T)>)> {
        for _ in 0..self.turns.len() {
            let address = self.turns.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&address).filter(|lane| !lane.waiting.is_empty()) else {
                continue;
            };
            if lane.busy || now < lane.not_before {
                self.turns.push_back(address);
                continue;
            }
            // An epoch's records are in order of their numbers; epochs stay in the order in which they came.
            let order: Vec<EpochId> = lane.waiting.iter().map(|(batch, _)| place(batch).0).collect();
            let rank = |epoch: EpochId| order.iter().position(|known| *known == epoch);
            lane.waiting.sort_by_key(|(batch, _)| {
                let (epoch, seq) = place(batch);
                (rank(epoch), seq)
            });
            let mut records = 0;
            let fits = lane.waiting.iter().take_while(|(batch, _)| {
                let first = records == 0;
                records += batch.records.len();
                first || records <= MOST_RECORDS
            });
            let count = fits.count();
            let rest = lane.waiting.split_off(count);
            let batches = std::mem::replace(&mut lane.waiting, rest);
            lane.busy = true;
            self.turns.push_back(address.clone());
            return Some((address, batches));
        }
        None
    }

    /// What the database made of them.
    pub(super) fn done(
        &mut self,
        address: &Address,
        judged: Vec<(Batch, T, Verdict)>,
        now: Micros,
    ) -> Round<T> {
        let mut round =
            Round { acknowledged: Vec::new(), taken: Vec::new(), resend: None, forks: Vec::new() };
        let lane = self.lanes.entry(address.clone()).or_default();
        lane.busy = false;
        let mut gap: Option<Position> = None;
        let mut moved = false;
        for (batch, came_in, verdict) in judged {
            match verdict {
                Verdict::Taken(position) | Verdict::Known(position) => {
                    moved |= matches!(verdict, Verdict::Taken(_));
                    match round.acknowledged.iter_mut().find(|known| known.epoch == position.epoch) {
                        Some(known) => known.seq = known.seq.max(position.seq),
                        None => round.acknowledged.push(position),
                    }
                    round.taken.push(came_in);
                }
                Verdict::Fork { at, why } => {
                    round.forks.push((at, why));
                    round.taken.push(came_in);
                }
                Verdict::Gap { have } => {
                    gap = Some(gap.map_or(have, |known| known.min(have)));
                    lane.waiting.push((batch, came_in));
                }
            }
        }
        match gap {
            None => lane.gap_since = None,
            Some(have) => {
                if moved {
                    lane.gap_since = None;
                }
                let since = *lane.gap_since.get_or_insert(now);
                lane.not_before = now.saturating_add(GAP_LOOK);
                if now.saturating_sub(since) >= GAP_PATIENCE {
                    // All of it is sent again: what is parked here would only be known then.
                    round.resend = Some(have);
                    round.taken.extend(lane.waiting.drain(..).map(|(_, came_in)| came_in));
                    lane.gap_since = None;
                }
            }
        }
        if lane.waiting.is_empty() {
            self.turns.retain(|turn| turn != address);
            self.lanes.remove(address);
        }
        round
    }

    /// They could not be given to the database, and never can.
    pub(super) fn gave_up(&mut self, address: &Address) {
        if let Some(lane) = self.lanes.get_mut(address) {
            lane.busy = false;
        }
    }

    /// When to ask [`Lanes::next`] again at the latest, if nothing happens before.
    pub(super) fn poll_timeout(&self) -> Option<Micros> {
        let waits = self.lanes.values().filter(|lane| !lane.busy && !lane.waiting.is_empty());
        waits.map(|lane| lane.not_before).min()
    }

    /// The connection that all of it came over has ended: it will come again. What the database is busy with stays so.
    pub(super) fn forget(&mut self) {
        self.turns.clear();
        self.lanes.retain(|_, lane| {
            lane.waiting.clear();
            lane.busy
        });
    }

    /// Batches that wait.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.lanes.values().map(|lane| lane.waiting.len()).sum()
    }
}

fn place(batch: &Batch) -> (EpochId, u64) {
    batch.first().map_or((EpochId(0), 0), |first| (first.epoch, first.seq))
}

#[cfg(test)]
mod tests;
