//! Batches of journal records, as they travel.
//!
//! An envelope is a header and a payload; integers are little-endian.
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! |      0 |     4 | `TENV` |
//! |      4 |     1 | form, 1 |
//! |      5 |     1 | the payload is 0: as it is, 1: compressed with Zstandard (RFC 8878) |
//! |      6 |     2 | zero |
//! |      8 |     8 | epoch |
//! |     16 |     8 | seq of the first record |
//! |     24 |     4 | number of records, at least 1 |
//! |     28 |     4 | bytes of the payload before it was compressed |
//! |     32 |     8 | epoch of the epoch's parent record; zero where there is none |
//! |     40 |     8 | seq of that record |
//! |     48 |    32 | hash of that record |
//! |     80 |    32 | hash of the last record |
//! |    112 |     4 | zero |
//! |    116 |     4 | CRC-32C of the header's bytes before and of the payload as it travels |
//!
//! The payload is the records, each with its length in four bytes before it, byte for byte as the journal has them: so
//! whoever receives them verifies the chain that the box wrote. Records of different epochs never share an envelope.
//!
//! An envelope that can be read says nothing false about itself: its records are numbered without a gap, each names the
//! hash of the one before, the last has the hash that the header states, and an epoch's first record continues its parent.

use pos_journal::{Digest, EpochId, Evidence, MAX_BODY_BYTES, Position, RECORD_PREFIX_BYTES, Record};
use thiserror::Error;

use fields::Fields;

mod fields;

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 120;
/// The longest payload, before it is compressed: bytes.
pub const MAX_PAYLOAD_BYTES: usize = 4 << 20;
/// The longest envelope, bytes.
pub const MAX_ENVELOPE_BYTES: usize = HEADER_BYTES + MAX_PAYLOAD_BYTES;
/// Bytes that a record takes beside its body.
pub const RECORD_OVERHEAD_BYTES: usize = 4 + RECORD_PREFIX_BYTES;

const MAGIC: [u8; 4] = *b"TENV";
const FORM: u8 = 1;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// What costs little and takes off most.
const LEVEL: i32 = 1;

/// How the payload travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// Compressed, where that makes it smaller.
    Zstd,
}

/// Records of one epoch, one after another: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What the epoch continues, if anything.
    pub parent: Option<Evidence>,
    /// The records.
    pub records: Vec<Record>,
}

/// Records that make no envelope, or bytes that are none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// Too few bytes, or too many, or not as many as it says.
    #[error("{0} bytes are no envelope: it is cut short or too long")]
    Length(usize),
    /// Something else altogether.
    #[error("this is no envelope of journal records")]
    Magic,
    /// Of newer software.
    #[error("the envelope has form {0}, this software knows {FORM}: update it")]
    Form(u8),
    /// Damaged on the way.
    #[error("the envelope's checksum is wrong")]
    Checksum,
    /// The payload cannot be read.
    #[error("the envelope's payload cannot be read: {0}")]
    Payload(&'static str),
    /// The records are no piece of a chain.
    #[error("{at}: {what}")]
    Chain {
        /// The first record that does not fit.
        at: Position,
        /// Why.
        what: &'static str,
    },
}

impl Batch {
    /// The place of the first record.
    #[must_use]
    pub fn first(&self) -> Option<Position> {
        self.records.first().map(Record::position)
    }

    /// The place and the hash of the last record.
    #[must_use]
    pub fn last(&self) -> Option<Evidence> {
        self.records.last().map(|record| Evidence { position: record.position(), hash: record.hash })
    }

    /// The bytes that are sent.
    ///
    /// # Errors
    /// [`EnvelopeError::Length`] for no records, or more than [`MAX_PAYLOAD_BYTES`]; [`EnvelopeError::Chain`] where they are
    /// no piece of one chain.
    pub fn encode(&self, packing: Packing) -> Result<Vec<u8>, EnvelopeError> {
        self.check()?;
        let (Some(first), Some(last)) = (self.first(), self.last()) else {
            return Err(EnvelopeError::Length(0));
        };
        let sizes = self.records.iter().map(|record| RECORD_OVERHEAD_BYTES + record.body.len());
        let size = sizes.sum::<usize>();
        if size > MAX_PAYLOAD_BYTES {
            return Err(EnvelopeError::Length(size));
        }
        let mut payload = Vec::with_capacity(size);
        for record in &self.records {
            let bytes = record.encode();
            payload.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            payload.extend_from_slice(&bytes);
        }
        let packed = match packing {
            Packing::Plain => None,
            Packing::Zstd => {
                zstd::bulk::compress(&payload, LEVEL).ok().filter(|packed| packed.len() < payload.len())
            }
        };
        let how = if packed.is_some() { ZSTD } else { PLAIN };
        let travels = packed.unwrap_or(payload);

        let none = Evidence { position: Position { epoch: EpochId(0), seq: 0 }, hash: [0; 32] };
        let parent = self.parent.unwrap_or(none);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + travels.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[FORM, how, 0, 0]);
        bytes.extend_from_slice(&first.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&first.seq.to_le_bytes());
        bytes.extend_from_slice(&(self.records.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(size as u32).to_le_bytes());
        bytes.extend_from_slice(&parent.position.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&parent.position.seq.to_le_bytes());
        bytes.extend_from_slice(&parent.hash);
        bytes.extend_from_slice(&last.hash);
        bytes.extend_from_slice(&[0; 4]);
        let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes), &travels);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.extend_from_slice(&travels);
        Ok(bytes)
    }

    /// Reads an envelope: sizes are bounded before anything is made of them.
    ///
    /// # Errors
    /// [`EnvelopeError`], which says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let length = EnvelopeError::Length(bytes.len());
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(length);
        }
        let (header, travels) = bytes.split_at_checked(HEADER_BYTES).ok_or(length.clone())?;
        let mut fields = Fields(header);
        if fields.array() != Some(MAGIC) {
            return Err(EnvelopeError::Magic);
        }
        let [form, how, _, _] = fields.array().ok_or(length.clone())?;
        if form != FORM {
            return Err(EnvelopeError::Form(form));
        }
        let (checked, sum) = header.split_at_checked(HEADER_BYTES - 4).ok_or(length.clone())?;
        let computed = crc32c::crc32c_append(crc32c::crc32c(checked), travels);
        if sum != computed.to_le_bytes() {
            return Err(EnvelopeError::Checksum);
        }
        let first = fields.position().ok_or(length.clone())?;
        let count = fields.u32().ok_or(length.clone())? as usize;
        let size = fields.u32().ok_or(length.clone())? as usize;
        let parent = fields.position().ok_or(length.clone())?;
        let parent = Evidence { position: parent, hash: fields.array().ok_or(length.clone())? };
        let last: Digest = fields.array().ok_or(length)?;
        if size > MAX_PAYLOAD_BYTES || count > size / RECORD_OVERHEAD_BYTES {
            return Err(EnvelopeError::Payload("it says that it is longer than one may be"));
        }
        let unpacked;
        let payload = match how {
            PLAIN => travels,
            ZSTD => {
                unpacked = zstd::bulk::decompress(travels, size)
                    .map_err(|_| EnvelopeError::Payload("it is not what Zstandard makes"))?;
                &unpacked
            }
            _ => return Err(EnvelopeError::Payload("it is packed in a way that is not known")),
        };
        if payload.len() != size {
            return Err(EnvelopeError::Payload("it is not as long as it says"));
        }
        let batch = Self {
            parent: (parent.position.epoch.0 != 0).then_some(parent),
            records: records(payload, count)?,
        };
        batch.check()?;
        match batch.last() {
            Some(end) if batch.first() == Some(first) && end.hash == last => Ok(batch),
            _ => Err(EnvelopeError::Chain {
                at: first,
                what: "the records are not those that the header names",
            }),
        }
    }

    /// Whether the records are a piece of one chain.
    fn check(&self) -> Result<(), EnvelopeError> {
        let wrong = |record: &Record, what| Err(EnvelopeError::Chain { at: record.position(), what });
        let Some(first) = self.records.first() else {
            return Err(EnvelopeError::Payload("it has no records"));
        };
        if first.epoch.0 == 0 || first.seq == 0 {
            return wrong(first, "no record has this place");
        }
        let continued = self.parent.map_or([0; 32], |parent| parent.hash);
        if first.seq == 1 && first.previous != continued {
            return wrong(first, "it does not continue the epoch's parent");
        }
        for pair in self.records.windows(2) {
            let [before, record] = pair else { continue };
            if record.epoch != before.epoch || before.seq.checked_add(1) != Some(record.seq) {
                return wrong(record, "it is not the next one");
            }
            if record.previous != before.hash {
                return wrong(record, "it does not name the record before");
            }
        }
        Ok(())
    }
}

fn records(payload: &[u8], count: usize) -> Result<Vec<Record>, EnvelopeError> {
    let short = EnvelopeError::Payload("it has other records than it says");
    let mut fields = Fields(payload);
    let mut records = Vec::with_capacity(count);
    for _ in 0..count {
        let length = fields.u32().ok_or(short.clone())? as usize;
        if length > RECORD_PREFIX_BYTES + MAX_BODY_BYTES {
            return Err(EnvelopeError::Payload("a record is longer than one may be"));
        }
        let bytes = fields.bytes(length).ok_or(short.clone())?;
        let record = Record::decode(bytes).map_err(|_| EnvelopeError::Payload("a record cannot be read"))?;
        records.push(record);
    }
    if fields.0.is_empty() { Ok(records) } else { Err(short) }
}

#[cfg(test)]
mod tests;
