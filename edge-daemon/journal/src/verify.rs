//! The full check: every byte of every epoch, with all hashes.

use std::io;

use thiserror::Error;

use crate::flaw::{FirstBad, Reason};
use crate::group::Check;
use crate::layout::{Chain, SegmentHeader};
use crate::lineage::lineage;
use crate::position::{Evidence, Head};
use crate::recovery::{head_of, record_in_group};
use crate::scan::{Extent, Scan, Step, first_stray, torn_extent};
use crate::segment::{self, EpochDir};
use crate::stop;
use crate::storage::{Access, Storage, StorageFile};

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of segments that are done.
    pub done: u64,
    /// Bytes of all segments.
    pub total: u64,
}

/// A journal in which nothing is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Epochs on disk.
    pub epochs: u64,
    /// Segments on disk.
    pub segments: u64,
    /// Records of the chain.
    pub records: u64,
    /// Bytes of the groups of the chain.
    pub bytes: u64,
    /// The end of the chain.
    pub head: Option<Head>,
    /// What is wrong in records that a newer epoch left behind: the reason, as a rule, why it was started.
    pub left_behind: Vec<FirstBad>,
    /// Bytes after the last whole group, as a group leaves them that is being written or was cut short by a crash: the
    /// next open cuts them. After a crash nothing tells them from damage to the very last group.
    pub unfinished: Option<FirstBad>,
}

/// The journal is not verified.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// Something is wrong; this is the first of it.
    #[error("the journal is damaged: {0}")]
    Damaged(#[from] FirstBad),
    /// The operating system refused.
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Checks the whole chain: headers, checksums, numbers, SHA-256, parents, the clean-stop seal, and that what follows the
/// groups of a finished segment is zero. Runs beside a writer in another process.
///
/// # Errors
/// [`VerifyError::Damaged`] names the first thing that is wrong, in journal order.
pub fn verify<S: Storage>(storage: &S, mut progress: impl FnMut(Progress)) -> Result<Report, VerifyError> {
    let seal = stop::load(storage)?;
    let dirs = segment::epochs(storage)?;
    let mut check = Verifier { storage, progress: &mut progress, at: Progress { done: 0, total: 0 } };
    let mut report = Report { epochs: dirs.len() as u64, ..Report::default() };
    for dir in &dirs {
        for number in dir.segments(storage)? {
            report.segments += 1;
            check.at.total += storage.open(&dir.segment(number), Access::Read)?.len()?;
        }
    }
    let legs = lineage(storage)?;
    for dir in &dirs {
        let leg = legs.as_ref().ok().and_then(|legs| legs.iter().find(|leg| leg.dir == *dir));
        // Where the lineage itself is damaged, everything counts as part of it.
        let in_chain = leg.is_some() || legs.is_err();
        let last = leg.and_then(|leg| leg.last);
        let mut found =
            EpochEnd { parent_passed: last.is_some_and(|l| l.position.seq == 0), ..EpochEnd::default() };
        match check.epoch(*dir, last, &mut found)? {
            Err(bad) if in_chain && !found.parent_passed => return Err(bad.into()),
            Err(bad) => report.left_behind.push(bad),
            Ok(()) => {}
        }
        if in_chain {
            report.records += found.records;
            report.bytes += found.bytes;
            report.head = found.head.or(report.head);
            report.unfinished = found.unfinished;
        }
    }
    let newest = dirs.last().map(|dir| dir.epoch);
    let sealed = seal.filter(|seal| Some(seal.position.epoch) == newest);
    let reached = report.head.map(|head| head.position).filter(|position| Some(position.epoch) == newest);
    match (legs, report.unfinished, sealed) {
        (Err(bad), _, _) => Err(bad.into()),
        (Ok(_), Some(bad), Some(seal)) if reached.is_none_or(|at| at < seal.position) => Err(bad.into()),
        _ => Ok(report),
    }
}

struct Verifier<'a, S> {
    storage: &'a S,
    progress: &'a mut dyn FnMut(Progress),
    at: Progress,
}

/// What was found of an epoch's part of the chain.
#[derive(Default)]
struct EpochEnd {
    /// Whether the record that the next epoch continues was found good.
    parent_passed: bool,
    records: u64,
    bytes: u64,
    head: Option<Head>,
    unfinished: Option<FirstBad>,
}

impl<S: Storage> Verifier<'_, S> {
    fn epoch(
        &mut self,
        dir: EpochDir,
        parent: Option<Evidence>,
        found: &mut EpochEnd,
    ) -> io::Result<Result<(), FirstBad>> {
        let mut before: Option<(Chain, u64)> = None;
        for number in 1.. {
            let (file, header) = match segment::open(self.storage, dir, number, Access::Read)? {
                Ok(opened) => opened,
                Err(bad) => return Ok(Err(bad)),
            };
            let continues = match before {
                Some((chain, bytes)) => header.chain == chain && header.bytes_before == bytes,
                None => begins_epoch(&header),
            };
            if !continues {
                return Ok(Err(FirstBad { at: dir.at(number, 0), reason: Reason::SegmentChain }));
            }
            let len = file.len()?;
            let segment_end = self.at.done + len;
            let mut scan = Scan::new(dir, file, &header, len, Check::Hashes);
            if let Err(bad) = self.groups(&mut scan, &header, parent, found)? {
                return Ok(Err(bad));
            }
            if !scan.has_successor(self.storage)? {
                return self.end_of_epoch(scan, parent, found);
            }
            // Only now is the segment in its final state: a writer may have added to it and gone on to the next.
            if let Err(bad) = self.groups(&mut scan, &header, parent, found)? {
                return Ok(Err(bad));
            }
            if let Some(offset) = first_stray(&scan.file, scan.offset)? {
                return Ok(Err(scan.flaw(offset, Reason::StrayBytes)));
            }
            before = Some((scan.chain, scan.bytes(&header)));
            self.at.done = segment_end;
            (self.progress)(self.at);
        }
        Ok(Ok(()))
    }

    fn end_of_epoch(
        &mut self,
        mut scan: Scan<S::File>,
        parent: Option<Evidence>,
        found: &mut EpochEnd,
    ) -> io::Result<Result<(), FirstBad>> {
        let segments = scan.dir.segments(self.storage)?;
        let next = scan.number.saturating_add(1);
        if segments.last().is_some_and(|last| *last > next) {
            return Ok(Err(FirstBad { at: scan.dir.at(next, 0), reason: Reason::SegmentMissing }));
        }
        let end = scan.offset;
        let bad = match scan.next_group()? {
            Step::Flaw(bad) => bad,
            Step::End => scan.flaw(end, Reason::GroupHeader),
            // A writer has just added it.
            Step::Group(_) => return Ok(Ok(())),
        };
        match torn_extent(&scan.file, end, &scan.chain)? {
            Extent::Torn { end: torn_end } => found.unfinished = (torn_end > end).then_some(bad),
            Extent::TooLong => return Ok(Err(scan.flaw(end, Reason::TailTooLong))),
            Extent::Followed if matches!(scan.next_group()?, Step::Group(_)) => return Ok(Ok(())),
            Extent::Followed => return Ok(Err(bad)),
        }
        let missing = parent.is_some() && !found.parent_passed;
        Ok(if missing {
            Err(found.unfinished.unwrap_or(scan.flaw(end, Reason::ParentMissing)))
        } else {
            Ok(())
        })
    }

    fn groups(
        &mut self,
        scan: &mut Scan<S::File>,
        header: &SegmentHeader,
        parent: Option<Evidence>,
        found: &mut EpochEnd,
    ) -> io::Result<Result<(), FirstBad>> {
        loop {
            let group = match scan.next_settled(self.storage)? {
                Step::Flaw(bad) => return Ok(Err(bad)),
                Step::End => return Ok(Ok(())),
                Step::Group(group) => group,
            };
            let done = self.at.done + scan.offset;
            (self.progress)(Progress { done, ..self.at });
            if found.parent_passed {
                continue;
            }
            found.head = head_of(&scan.chain, scan.bytes(header));
            found.bytes = scan.bytes(header);
            found.records = group.header.last_seq();
            let Some(parent) = parent.filter(|parent| group.header.holds(parent.position.seq)) else {
                continue;
            };
            found.records = parent.position.seq;
            found.parent_passed = true;
            let bytes = scan.group_bytes(&group);
            if let Some((offset, hash)) = record_in_group(bytes, &group, parent.position.seq)
                && hash != parent.hash
            {
                found.parent_passed = false;
                return Ok(Err(scan.flaw(group.at + offset as u64, Reason::ParentDiffers)));
            }
        }
    }
}

/// Whether this may be the header of an epoch's first segment.
fn begins_epoch(header: &SegmentHeader) -> bool {
    let previous = header.parent.map_or([0; 32], |parent| parent.hash);
    let Chain { next_seq, group_hash, .. } = header.chain;
    next_seq == 1 && header.bytes_before == 0 && group_hash == [0; 32] && header.chain.previous == previous
}
