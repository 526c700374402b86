//! Groups: the unit that is written, synced and torn. Encoding into, and checking within, one buffer.

use crate::flaw::Reason;
use crate::layout::{
    Chain, FRAME_HEADER_BYTES, Fields, GROUP_HEADER_BYTES, GroupHeader, frame_checksum, padded,
};
use crate::position::{Digest, Position};
use crate::record::{self, RECORD_PREFIX_BYTES, RecordView};

/// How much of a group is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Checksums, numbers and the stated chain.
    Frames,
    /// All that, and each record's SHA-256.
    Hashes,
}

/// Something wrong within a group, at an offset from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupFlaw {
    pub(crate) offset: usize,
    pub(crate) reason: Reason,
}

/// What the encoder knows of one record that it wrote.
pub(crate) struct Placed {
    /// From the group's start to the frame.
    pub(crate) offset: usize,
    pub(crate) hash: Digest,
}

/// Bytes on disk of a group with these bodies.
pub(crate) fn disk_bytes(bodies: &[&[u8]]) -> u64 {
    let frames = bodies.iter().map(|body| (FRAME_HEADER_BYTES + RECORD_PREFIX_BYTES + body.len()) as u64);
    padded(GROUP_HEADER_BYTES as u64 + frames.sum::<u64>())
}

/// Writes a group into `buffer` and returns what follows it. Sizes have been checked.
pub(crate) fn encode(buffer: &mut Vec<u8>, chain: &Chain, bodies: &[&[u8]]) -> (Chain, Vec<Placed>) {
    buffer.clear();
    buffer.resize(GROUP_HEADER_BYTES, 0);
    let mut placed = Vec::with_capacity(bodies.len());
    let mut next = *chain;
    for body in bodies {
        let offset = buffer.len();
        let length = (RECORD_PREFIX_BYTES + body.len()) as u32;
        buffer.extend_from_slice(&length.to_le_bytes());
        buffer.extend_from_slice(&[0; 4]);
        record::write_prefix(buffer, Position { epoch: chain.epoch, seq: next.next_seq }, &next.previous);
        buffer.extend_from_slice(body);
        let bytes = buffer.get(offset + FRAME_HEADER_BYTES..).unwrap_or_default();
        let hash = record::hash(bytes);
        let checksum = frame_checksum(length, bytes).to_le_bytes();
        if let Some(field) = buffer.get_mut(offset + 4..offset + 8) {
            field.copy_from_slice(&checksum);
        }
        placed.push(Placed { offset, hash });
        next.previous = hash;
        next.next_seq += 1;
    }
    let header = GroupHeader {
        epoch: chain.epoch,
        first_seq: chain.next_seq,
        count: bodies.len() as u32,
        payload_bytes: (buffer.len() - GROUP_HEADER_BYTES) as u32,
        previous_group: chain.group_hash,
        last_hash: next.previous,
    };
    if let Some(front) = buffer.get_mut(..GROUP_HEADER_BYTES) {
        front.copy_from_slice(&header.encode());
    }
    buffer.resize(padded(buffer.len() as u64) as usize, 0);
    (header.chain_after(), placed)
}

/// Checks a group that `header` describes; `bytes` reach from the header to the end of the padding.
pub(crate) fn check(
    bytes: &[u8],
    header: &GroupHeader,
    chain: &Chain,
    check: Check,
) -> Result<(), GroupFlaw> {
    let flaw = |offset, reason| GroupFlaw { offset, reason };
    if !header.continues(chain) {
        return Err(flaw(0, Reason::GroupChain));
    }
    let end = GROUP_HEADER_BYTES + header.payload_bytes as usize;
    let payload = bytes.get(..end).ok_or(flaw(0, Reason::GroupLength))?;
    let mut offset = GROUP_HEADER_BYTES;
    let mut computed: Option<(usize, Digest)> = None;
    for number in 0..u64::from(header.count) {
        let (frame, record) = frame_at(payload, offset).map_err(|reason| flaw(offset, reason))?;
        if record.position != (Position { epoch: header.epoch, seq: header.first_seq + number }) {
            return Err(flaw(offset, Reason::RecordPrefix));
        }
        match computed {
            None if number == 0 && record.previous != chain.previous => {
                return Err(flaw(offset, Reason::RecordChain));
            }
            Some((at, hash)) if record.previous != hash => return Err(flaw(at, Reason::RecordHash)),
            _ => {}
        }
        if check == Check::Hashes {
            computed = Some((offset, record::hash(frame)));
        }
        offset += FRAME_HEADER_BYTES + frame.len();
    }
    if offset != end {
        return Err(flaw(0, Reason::GroupLength));
    }
    match computed {
        Some((at, hash)) if hash != header.last_hash => return Err(flaw(at, Reason::RecordHash)),
        _ => {}
    }
    let padding = bytes.get(end..).unwrap_or_default();
    if padding.iter().any(|byte| *byte != 0) { Err(flaw(end, Reason::StrayBytes)) } else { Ok(()) }
}

/// The record's bytes and the record whose frame starts at `offset`, its checksum checked.
pub(crate) fn frame_at(bytes: &[u8], offset: usize) -> Result<(&[u8], RecordView<'_>), Reason> {
    let mut fields = Fields(bytes.get(offset..).unwrap_or_default());
    let length = fields.u32().ok_or(Reason::RecordLength)?;
    let checksum = fields.u32().ok_or(Reason::RecordLength)?;
    let frame = fields.0.get(..length as usize).ok_or(Reason::RecordLength)?;
    if frame_checksum(length, frame) != checksum {
        return Err(Reason::RecordChecksum);
    }
    Ok((frame, RecordView::decode(frame).map_err(|_| Reason::RecordPrefix)?))
}

/// The record at `offset` of a group that was checked, and its hash as its successor or the header states it.
pub(crate) fn checked_record_at<'a>(
    group: &'a [u8],
    header: &GroupHeader,
    offset: usize,
) -> Option<(RecordView<'a>, Digest, usize)> {
    let end = GROUP_HEADER_BYTES + header.payload_bytes as usize;
    let frame_len = |at: usize| -> Option<usize> { Some(Fields(group.get(at..end)?).u32()? as usize) };
    let start = offset + FRAME_HEADER_BYTES;
    let next = start + frame_len(offset)?;
    let record = RecordView::decode(group.get(start..next)?).ok()?;
    let hash = match frame_len(next) {
        Some(length) => {
            let start = next + FRAME_HEADER_BYTES;
            RecordView::decode(group.get(start..start + length)?).ok()?.previous
        }
        None => header.last_hash,
    };
    Some((record, hash, next))
}
