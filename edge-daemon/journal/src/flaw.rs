//! What can be wrong with a journal, and where.

use thiserror::Error;

use crate::position::{Evidence, Locator};

/// Why bytes of the journal cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// A file that the numbering promises is not there.
    #[error("the segment is missing")]
    SegmentMissing,
    /// The first 256 bytes are not a segment header with a right checksum.
    #[error("the segment header is damaged")]
    SegmentHeader,
    /// The segment header is whole but does not continue the segment before, or belongs elsewhere.
    #[error("the segment does not continue the one before it")]
    SegmentChain,
    /// Not a group header with a right checksum.
    #[error("the group header is damaged")]
    GroupHeader,
    /// The group header is whole but does not continue the group before.
    #[error("the group does not continue the one before it")]
    GroupChain,
    /// The group is longer than the file, or its frames do not fill it exactly.
    #[error("the group's length does not fit its records")]
    GroupLength,
    /// A frame's length is impossible.
    #[error("the record's length is impossible")]
    RecordLength,
    /// A frame's checksum is wrong.
    #[error("the record's checksum is wrong")]
    RecordChecksum,
    /// The record's version, epoch or number is not the expected one.
    #[error("the record's version, epoch or number is not the expected one")]
    RecordPrefix,
    /// The record does not name the hash of the one before.
    #[error("the record does not continue the one before it")]
    RecordChain,
    /// The record's bytes do not have the hash that its successor or its group states.
    #[error("the record's bytes do not have the stated hash")]
    RecordHash,
    /// Bytes that should be zero are not.
    #[error("bytes that should be zero are not")]
    StrayBytes,
    /// The bytes after the last whole group are more than one torn group can leave.
    #[error("more bytes follow the last whole group than one unfinished group can leave")]
    TailTooLong,
    /// The epoch ends before the record that its successor names as parent.
    #[error("the epoch ends before the record that the next epoch continues")]
    ParentMissing,
    /// The record that the next epoch names as parent has another hash.
    #[error("the record is not the one that the next epoch continues")]
    ParentDiffers,
    /// The journal ends before a record that was seen as durable.
    #[error("the journal ends before {}, which was already durable", .0.position)]
    EvidenceMissing(Evidence),
    /// The record at that position is not the one that was seen.
    #[error("the record at {} is not the one that was seen there", .0.position)]
    EvidenceDiffers(Evidence),
}

/// The first thing that is wrong, in journal order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{at}: {reason}")]
pub struct FirstBad {
    /// The segment, and the offset of the record, group or header in it.
    pub at: Locator,
    /// What is wrong there.
    pub reason: Reason,
}
