//! Which records belong to the chain when there are several epochs.
//!
//! An epoch continues a parent record, which is not always the last one of the epoch before: after damage or a
//! restore, records may stand after the parent. They stay on disk, but are no longer part of the chain.

use std::io;

use crate::flaw::{FirstBad, Reason};
use crate::position::Evidence;
use crate::segment::{self, EpochDir};
use crate::storage::{Access, Storage};

/// One epoch's part of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leg {
    pub(crate) dir: EpochDir,
    /// The record that it continues, which another box may have written.
    pub(crate) parent: Option<Evidence>,
    /// The record that the next leg continues; `None` in the newest epoch.
    pub(crate) last: Option<Evidence>,
}

/// The chain's epochs, oldest first; empty where there is no journal.
pub(crate) fn lineage(storage: &impl Storage) -> io::Result<Result<Vec<Leg>, FirstBad>> {
    let dirs = segment::epochs(storage)?;
    let mut legs = Vec::new();
    let mut next = dirs.last().map(|dir| Leg { dir: *dir, parent: None, last: None });
    while let Some(mut leg) = next {
        let (_, header) = match segment::open(storage, leg.dir, 1, Access::Read)? {
            Ok(opened) => opened,
            Err(bad) => return Ok(Err(bad)),
        };
        leg.parent = header.parent;
        next = header.parent.and_then(|parent| {
            let dir =
                dirs.iter().find(|d| d.epoch == parent.position.epoch && d.ordinal < leg.dir.ordinal)?;
            Some(Leg { dir: *dir, parent: None, last: Some(parent) })
        });
        legs.push(leg);
    }
    legs.reverse();
    Ok(Ok(legs))
}

/// The segment that holds a record, or would hold it if it existed: the last one that starts at or before it.
pub(crate) fn segment_of(
    storage: &impl Storage,
    dir: EpochDir,
    seq: u64,
) -> io::Result<Result<u32, FirstBad>> {
    let segments = dir.segments(storage)?;
    let (mut low, mut high) = (1, u32::try_from(segments.len()).unwrap_or(u32::MAX));
    if high == 0 {
        return Ok(Err(FirstBad { at: dir.at(1, 0), reason: Reason::SegmentMissing }));
    }
    // The answer is within low..=high.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let (_, header) = match segment::open(storage, dir, middle, Access::Read)? {
            Ok(opened) => opened,
            Err(bad) => return Ok(Err(bad)),
        };
        if header.chain.next_seq <= seq { low = middle } else { high = middle - 1 }
    }
    Ok(Ok(low))
}
