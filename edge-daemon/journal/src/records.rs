//! The records of the chain in order: across groups, segments and epochs, and on as the journal grows.

use crate::flaw::{FirstBad, Reason};
use crate::group::{Check, checked_record_at};
use crate::layout::{Chain, GROUP_HEADER_BYTES};
use crate::lineage::{Leg, lineage, segment_of};
use crate::position::{Locator, Position};
use crate::reader::{ReadError, Reader};
use crate::record::Record;
use crate::scan::{Group, Scan, Step};
use crate::segment::{self, EpochDir};
use crate::storage::{Access, Storage, StorageFile};

/// Records in order; see [`Reader::records_from`].
pub struct Records<S: Storage> {
    reader: Reader<S>,
    legs: Vec<Leg>,
    /// Which of the legs is being read.
    leg: usize,
    scan: Option<Scan<S::File>>,
    /// The group being shown, and the offset of its next frame.
    group: Option<(Group, usize)>,
    /// Records of the current leg before this number are passed over.
    skip_to: u64,
    ended: bool,
}

impl<S: Storage> Iterator for Records<S> {
    type Item = Result<(Locator, Record), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance();
        self.ended = next.is_err();
        next.transpose()
    }
}

impl<S: Storage> Records<S> {
    pub(crate) fn new(reader: Reader<S>, legs: Vec<Leg>) -> Self {
        Self { reader, legs, leg: 0, scan: None, group: None, skip_to: 0, ended: false }
    }

    /// After [`ReadError::Damaged`]: goes on with the next segment, or epoch, that can be read, for who would rather know
    /// the rest than nothing. What lies between is not shown. `false`: nothing follows.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn go_on_behind(&mut self, bad: &FirstBad) -> Result<bool, ReadError> {
        let Some(leg) = self.current() else { return Ok(false) };
        (self.group, self.scan) = (None, None);
        for number in leg.dir.segments(self.reader.storage())? {
            if bad.at.epoch_ordinal != leg.dir.ordinal || number <= bad.at.segment {
                continue;
            }
            match self.open(leg.dir, number) {
                Ok(scan) => {
                    (self.scan, self.ended) = (Some(scan), false);
                    return Ok(true);
                }
                Err(ReadError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if leg.last.is_none() {
            return Ok(false);
        }
        (self.leg, self.skip_to, self.ended) = (self.leg + 1, 0, false);
        Ok(true)
    }

    pub(crate) fn after(reader: Reader<S>, legs: Vec<Leg>, position: Position) -> Result<Self, ReadError> {
        let unknown = ReadError::UnknownPosition(position);
        let Some(index) = legs.iter().position(|leg| leg.dir.epoch == position.epoch) else {
            return Err(unknown);
        };
        let mut records = Self::new(reader, legs);
        records.leg = index;
        let Some(leg) = records.current() else {
            return Err(unknown);
        };
        if let Some(last) = leg.last.map(|last| last.position.seq) {
            if position.seq > last {
                return Err(unknown);
            }
            if position.seq == last {
                records.leg += 1;
                return Ok(records);
            }
        }
        records.skip_to = position.seq.saturating_add(1);
        if let Some(scan) = records.at_head(position)? {
            records.scan = Some(scan);
            return Ok(records);
        }
        let number = segment_of(records.reader.storage(), leg.dir, records.skip_to)??;
        let mut scan = records.open(leg.dir, number)?;
        while !matches!(scan.seek(records.skip_to)?, Ok(true)) {
            // The headers do not lead there: because it is damaged, half written, or the end?
            match records.step(&mut scan)? {
                Step::Group(_) => {}
                // The end is right only directly before the next record to come.
                Step::End if scan.chain.next_seq == records.skip_to => break,
                Step::End => return Err(unknown),
                Step::Flaw(bad) => return Err(bad.into()),
            }
        }
        records.scan = Some(scan);
        Ok(records)
    }

    /// The way that followers of the newest records come: straight to the end, without walking the segment.
    fn at_head(&self, position: Position) -> Result<Option<Scan<S::File>>, ReadError> {
        let Some((tail, head, dir)) = self.reader.tail().and_then(|tail| Some((tail, tail.head?, tail.dir?)))
        else {
            return Ok(None);
        };
        if head.position != position {
            return Ok(None);
        }
        let mut scan = self.open(dir, tail.segment)?;
        scan.offset = tail.end;
        scan.chain = Chain {
            epoch: position.epoch,
            next_seq: self.skip_to,
            previous: head.hash,
            group_hash: head.group_hash,
        };
        Ok(Some(scan))
    }

    fn current(&self) -> Option<Leg> {
        self.legs.get(self.leg).copied()
    }

    fn advance(&mut self) -> Result<Option<(Locator, Record)>, ReadError> {
        loop {
            if let Some(found) = self.next_in_group()? {
                return Ok(Some(found));
            }
            let Some(leg) = self.current() else {
                self.legs = lineage(self.reader.storage())??;
                if self.legs.is_empty() {
                    return Ok(None);
                }
                continue;
            };
            let mut scan = match self.scan.take() {
                Some(scan) => scan,
                None => self.open(leg.dir, 1)?,
            };
            if leg.last.is_some_and(|last| scan.chain.next_seq > last.position.seq) {
                self.leg += 1;
                self.skip_to = 0;
                continue;
            }
            match self.step_or_successor(&mut scan)? {
                Step::Group(group) => self.group = Some((group, GROUP_HEADER_BYTES)),
                Step::Flaw(bad) => return Err(bad.into()),
                Step::End if leg.last.is_some() => {
                    return Err(scan.flaw(scan.offset, Reason::ParentMissing).into());
                }
                Step::End => {
                    let next_seq = scan.chain.next_seq;
                    self.scan = Some(scan);
                    if !self.epoch_begun_after(&leg, next_seq)? {
                        return Ok(None);
                    }
                    continue;
                }
            }
            self.scan = Some(scan);
        }
    }

    /// The next record of the group at hand, if it is still part of the chain.
    fn next_in_group(&mut self) -> Result<Option<(Locator, Record)>, ReadError> {
        let (Some((group, offset)), Some(scan), Some(leg)) =
            (&mut self.group, &self.scan, self.legs.get(self.leg))
        else {
            return Ok(None);
        };
        while let Some((view, hash, next)) =
            checked_record_at(scan.group_bytes(group), &group.header, *offset)
        {
            let at = scan.dir.at(scan.number, group.at + *offset as u64);
            *offset = next;
            let seq = view.position.seq;
            match leg.last {
                Some(last) if seq > last.position.seq => break,
                Some(last) if seq == last.position.seq && hash != last.hash => {
                    return Err(FirstBad { at, reason: Reason::ParentDiffers }.into());
                }
                _ if seq >= self.skip_to => return Ok(Some((at, view.to_record(hash)))),
                _ => {}
            }
        }
        self.group = None;
        Ok(None)
    }

    /// The next group of this segment or of those after it, to which `scan` moves.
    fn step_or_successor(&self, scan: &mut Scan<S::File>) -> Result<Step, ReadError> {
        loop {
            let step = self.step(scan)?;
            if !matches!(step, Step::End) || !scan.has_successor(self.reader.storage())? {
                return Ok(step);
            }
            // The writer may have filled this segment between the two looks, so look again, now at its final state.
            let step = self.step(scan)?;
            if !matches!(step, Step::End) {
                return Ok(step);
            }
            let next = self.open(scan.dir, scan.number.saturating_add(1))?;
            if next.chain != scan.chain {
                return Ok(Step::Flaw(next.flaw(0, Reason::SegmentChain)));
            }
            *scan = next;
        }
    }

    fn step(&self, scan: &mut Scan<S::File>) -> Result<Step, ReadError> {
        Ok(match self.reader.tail() {
            Some(tail) => {
                scan.limit = tail.limit(scan.dir, scan.number, scan.file.len()?);
                scan.next_group()?
            }
            None => scan.next_settled(self.reader.storage())?,
        })
    }

    fn open(&self, dir: EpochDir, number: u32) -> Result<Scan<S::File>, ReadError> {
        let (file, header) = segment::open(self.reader.storage(), dir, number, Access::Read)??;
        let len = file.len()?;
        let limit = self.reader.tail().map_or(len, |tail| tail.limit(dir, number, len));
        Ok(Scan::new(dir, file, &header, limit, Check::Frames))
    }

    /// At the end of the newest known epoch: whether another has begun that continues from here.
    fn epoch_begun_after(&mut self, leg: &Leg, next_seq: u64) -> Result<bool, ReadError> {
        if self.reader.tail().is_some_and(|tail| tail.dir.is_none_or(|dir| dir == leg.dir)) {
            return Ok(false);
        }
        let legs = lineage(self.reader.storage())??;
        let at = Position { epoch: leg.dir.epoch, seq: next_seq.saturating_sub(1) };
        let here = legs.iter().position(|other| other.dir == leg.dir);
        let last = here.and_then(|index| legs.get(index)).map(|leg| leg.last);
        match (here, last) {
            (Some(_), Some(None)) => Ok(false),
            (Some(index), Some(Some(last))) if last.position.seq >= at.seq => {
                (self.legs, self.leg) = (legs, index);
                Ok(true)
            }
            _ => Err(ReadError::UnknownPosition(at)),
        }
    }
}
