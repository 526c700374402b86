//! The bytes of a segment file. All integers are little-endian; all checksums are CRC-32C.
//!
//! A segment is a header, groups one after another, and zeros up to the end of the file. Groups start at multiples
//! of 8 bytes; the padding before the next one is zeros. No group spans segments.
//!
//! # Segment header, 256 bytes
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! |      0 |     8 | `TILLSEG1` |
//! |      8 |     2 | ordinal of the epoch, from 1 |
//! |     10 |     2 | zero |
//! |     12 |     4 | number of the segment within the epoch, from 1 |
//! |     16 |     8 | epoch |
//! |     24 |     8 | seq of the first record to come in this segment |
//! |     32 |     8 | bytes of all groups in the epoch's earlier segments |
//! |     40 |    32 | hash of the group before (zeros in the epoch's first segment) |
//! |     72 |    32 | hash of the record before (the parent's in the epoch's first segment) |
//! |    104 |     8 | epoch of the parent record, zero where there is none |
//! |    112 |     8 | seq of the parent record |
//! |    120 |    32 | hash of the parent record |
//! |    152 |   100 | zero |
//! |    252 |     4 | checksum of the bytes before |
//!
//! The header is on disk before the file gets its name, so a named segment always has a good one.
//!
//! # Group header, 104 bytes
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! |      0 |     4 | `TGRP` |
//! |      4 |     4 | version, 1 |
//! |      8 |     8 | epoch |
//! |     16 |     8 | seq of the first record |
//! |     24 |     4 | number of records, at least 1 (last seq = first + number − 1) |
//! |     28 |     4 | bytes of the frames that follow |
//! |     32 |    32 | hash of the group before |
//! |     64 |    32 | hash of the group's last record |
//! |     96 |     4 | zero |
//! |    100 |     4 | checksum of the bytes before |
//!
//! A group's hash is the SHA-256 of its header. The header names the last record's hash, so the headers alone
//! are a chain over all records: a segment can be walked without reading bodies.
//!
//! # Frame
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! |      0 |     4 | length of the record |
//! |      4 |     4 | checksum of the length's four bytes and the record |
//! |      8 | length | the record, see [`Record`](crate::Record) |

use sha2::{Digest as _, Sha256};

use crate::position::{Digest, EpochId, Evidence, Position};

pub(crate) const SEGMENT_HEADER_BYTES: usize = 256;
pub(crate) const GROUP_HEADER_BYTES: usize = 104;
pub(crate) const FRAME_HEADER_BYTES: usize = 8;
pub(crate) const GROUP_ALIGNMENT: usize = 8;
/// The longest group on disk, header and padding included, in bytes.
pub const MAX_GROUP_BYTES: usize = 32 << 20;

const SEGMENT_MAGIC: [u8; 8] = *b"TILLSEG1";
pub(crate) const GROUP_MAGIC: [u8; 4] = *b"TGRP";
const GROUP_VERSION: u32 = 1;

/// What the next record and group must continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) epoch: EpochId,
    pub(crate) next_seq: u64,
    pub(crate) previous: Digest,
    pub(crate) group_hash: Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) ordinal: u16,
    pub(crate) segment: u32,
    pub(crate) bytes_before: u64,
    pub(crate) chain: Chain,
    pub(crate) parent: Option<Evidence>,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(&SEGMENT_MAGIC);
        bytes.extend_from_slice(&self.ordinal.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.segment.to_le_bytes());
        bytes.extend_from_slice(&self.chain.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&self.chain.next_seq.to_le_bytes());
        bytes.extend_from_slice(&self.bytes_before.to_le_bytes());
        bytes.extend_from_slice(&self.chain.group_hash);
        bytes.extend_from_slice(&self.chain.previous);
        let none = Evidence { position: Position { epoch: EpochId(0), seq: 0 }, hash: [0; 32] };
        let parent = self.parent.unwrap_or(none);
        bytes.extend_from_slice(&parent.position.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&parent.position.seq.to_le_bytes());
        bytes.extend_from_slice(&parent.hash);
        bytes.resize(SEGMENT_HEADER_BYTES - 4, 0);
        seal_with_checksum(&mut bytes);
        bytes
    }

    /// `None` unless the bytes start with a whole, undamaged header.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(checked(bytes, SEGMENT_HEADER_BYTES)?);
        if fields.array()? != SEGMENT_MAGIC {
            return None;
        }
        let ordinal = fields.u16()?;
        fields.u16()?;
        let segment = fields.u32()?;
        let epoch = EpochId(fields.u64()?);
        let next_seq = fields.u64()?;
        let bytes_before = fields.u64()?;
        let group_hash = fields.array()?;
        let previous = fields.array()?;
        let parent = Position { epoch: EpochId(fields.u64()?), seq: fields.u64()? };
        let parent = Evidence { position: parent, hash: fields.array()? };
        Some(Self {
            ordinal,
            segment,
            bytes_before,
            chain: Chain { epoch, next_seq, previous, group_hash },
            parent: (parent.position.epoch.0 != 0).then_some(parent),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    pub(crate) epoch: EpochId,
    pub(crate) first_seq: u64,
    pub(crate) count: u32,
    pub(crate) payload_bytes: u32,
    pub(crate) previous_group: Digest,
    pub(crate) last_hash: Digest,
}

impl GroupHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(GROUP_HEADER_BYTES);
        bytes.extend_from_slice(&GROUP_MAGIC);
        bytes.extend_from_slice(&GROUP_VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&self.first_seq.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&self.payload_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.previous_group);
        bytes.extend_from_slice(&self.last_hash);
        bytes.extend_from_slice(&[0; 4]);
        seal_with_checksum(&mut bytes);
        bytes
    }

    /// `None` unless the bytes start with a whole, undamaged header of possible size.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.array()? != GROUP_MAGIC || fields.u32()? != GROUP_VERSION {
            return None;
        }
        let mut fields = Fields(checked(bytes, GROUP_HEADER_BYTES)?.get(8..)?);
        let header = Self {
            epoch: EpochId(fields.u64()?),
            first_seq: fields.u64()?,
            count: fields.u32()?,
            payload_bytes: fields.u32()?,
            previous_group: fields.array()?,
            last_hash: fields.array()?,
        };
        let possible = header.count > 0 && header.disk_bytes() <= MAX_GROUP_BYTES as u64;
        (possible && header.first_seq.checked_add(u64::from(header.count)).is_some()).then_some(header)
    }

    /// Header, frames and padding.
    pub(crate) fn disk_bytes(&self) -> u64 {
        padded(GROUP_HEADER_BYTES as u64 + u64::from(self.payload_bytes))
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.first_seq.saturating_add(u64::from(self.count)).saturating_sub(1)
    }

    pub(crate) fn holds(&self, seq: u64) -> bool {
        (self.first_seq..=self.last_seq()).contains(&seq)
    }

    /// Whether this group may follow what `chain` describes.
    pub(crate) fn continues(&self, chain: &Chain) -> bool {
        self.epoch == chain.epoch
            && self.first_seq == chain.next_seq
            && self.previous_group == chain.group_hash
    }

    /// What must follow this group.
    pub(crate) fn chain_after(&self) -> Chain {
        Chain {
            epoch: self.epoch,
            next_seq: self.last_seq().saturating_add(1),
            previous: self.last_hash,
            group_hash: Sha256::digest(self.encode()).into(),
        }
    }
}

/// A frame's checksum.
pub(crate) fn frame_checksum(length: u32, record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), record)
}

pub(crate) fn padded(bytes: u64) -> u64 {
    bytes.next_multiple_of(GROUP_ALIGNMENT as u64)
}

/// Appends the checksum of what is in `bytes`.
pub(crate) fn seal_with_checksum(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&crc32c::crc32c(bytes).to_le_bytes());
}

/// The first `length` bytes without their trailing checksum, if that is right.
pub(crate) fn checked(bytes: &[u8], length: usize) -> Option<&[u8]> {
    let (content, checksum) = bytes.get(..length)?.split_last_chunk::<4>()?;
    (crc32c::crc32c(content) == u32::from_le_bytes(*checksum)).then_some(content)
}

/// Fixed-size fields taken one by one from the front; `None` when the bytes run out.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
