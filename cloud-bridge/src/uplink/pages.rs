//! The journal's records, as many at a time as are sent at once.

use pos_journal::{Epoch, Position, ReadError, Reader, Record, Records, Start, Storage};

use crate::envelope::{Batch, MAX_PAYLOAD_BYTES, RECORD_OVERHEAD_BYTES};
use crate::outbox::Place;

/// Reads on where it left off; anywhere else at the price of a seek.
pub(super) struct Pages<S: Storage> {
    reader: Reader<S>,
    epochs: Vec<Epoch>,
    reading: Option<Reading<S>>,
}

struct Reading<S: Storage> {
    /// The last record that was given out.
    after: Position,
    records: Records<S>,
    /// One that was read and belongs to the next batch.
    held: Option<Record>,
}

impl<S: Storage> Pages<S> {
    pub(super) fn new(reader: Reader<S>) -> Result<Self, ReadError> {
        let epochs = reader.epochs()?;
        Ok(Self { reader, epochs, reading: None })
    }

    /// Where the journal ends, and the bytes of its newest epoch. A new epoch without a record is not there yet.
    pub(super) fn head(&self) -> (Place, u64) {
        let newest = self.epochs.len().saturating_sub(1);
        match self.reader.head() {
            Some(head) => (Place { epoch: index(newest), seq: head.position.seq }, head.bytes),
            None => {
                let last =
                    newest.checked_sub(1).and_then(|before| Some((before, self.epochs.get(before)?.last?)));
                let place = last.map(|(before, last)| Place { epoch: index(before), seq: last.position.seq });
                (place.unwrap_or_default(), 0)
            }
        }
    }

    /// A place's position.
    pub(super) fn position(&self, place: Place) -> Option<Position> {
        let epoch = self.epochs.get(usize::try_from(place.epoch).ok()?)?;
        Some(Position { epoch: epoch.id, seq: place.seq })
    }

    /// A position's place. One behind the part of an epoch that counts is that part's end: the cloud has all of it, and what a damaged
    /// disk lost besides. `None`: no journal of this box.
    pub(super) fn place(&self, position: Position) -> Option<Place> {
        let at = self.epochs.iter().position(|epoch| epoch.id == position.epoch)?;
        let last = self.epochs.get(at)?.last.map_or(u64::MAX, |last| last.position.seq);
        Some(Place { epoch: index(at), seq: position.seq.min(last) })
    }

    /// How many records stand between two places.
    pub(super) fn between(&self, after: Place, last: Place) -> u64 {
        let epochs = self.epochs.iter().enumerate().map(|(at, epoch)| (index(at), epoch.last));
        let within = epochs.filter(|(at, _)| (after.epoch..=last.epoch).contains(at)).map(|(at, end)| {
            let from = if at == after.epoch { after.seq } else { 0 };
            let to = if at == last.epoch { last.seq } else { end.map_or(0, |end| end.position.seq) };
            to.saturating_sub(from)
        });
        within.sum()
    }

    /// The records behind a place, of one epoch: at most so many bytes, but at least one record. `None` where nothing follows.
    pub(super) fn read(&mut self, after: Place, most: usize) -> Result<Option<(Batch, Place)>, ReadError> {
        let Some(after) = self.position(after) else { return Ok(None) };
        let mut reading = match self.reading.take().filter(|reading| reading.after == after) {
            Some(reading) => reading,
            None => {
                let records = self.reader.records_from(Start::After(after))?;
                Reading { after, records, held: None }
            }
        };
        let most = most.min(MAX_PAYLOAD_BYTES);
        let (mut records, mut bytes) = (Vec::<Record>::new(), 0);
        loop {
            let record = match reading.held.take() {
                Some(record) => record,
                None => match reading.records.next() {
                    Some(record) => record?.1,
                    None => break,
                },
            };
            let size = RECORD_OVERHEAD_BYTES + record.body.len();
            let fits = records.last().is_none_or(|last| last.epoch == record.epoch && bytes + size <= most);
            if !fits {
                reading.held = Some(record);
                break;
            }
            bytes += size;
            records.push(record);
        }
        let Some(last) = records.last().map(Record::position) else {
            self.reading = Some(reading);
            return Ok(None);
        };
        reading.after = last;
        self.reading = Some(reading);
        let parent = self.epochs.iter().find(|epoch| epoch.id == last.epoch).and_then(|epoch| epoch.parent);
        Ok(self.place(last).map(|place| (Batch { parent, records }, place)))
    }
}

fn index(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
