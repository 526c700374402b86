//! One record: a fixed prefix that carries the chain, then a body that this crate never looks into.
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! |      0 |     1 | version, 1 |
//! |      1 |     8 | epoch, little-endian |
//! |      9 |     8 | seq, little-endian, from 1 |
//! |     17 |    32 | SHA-256 of the record before (the parent's in an epoch's first record; zeros where there is none) |
//! |     49 |   ≤ 1 MiB | body |
//!
//! A record's hash is the SHA-256 of exactly these bytes. Whoever receives them verifies the same chain.

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::layout::Fields;
use crate::position::{Digest, EpochId, Position};

/// Bytes before the body.
pub const RECORD_PREFIX_BYTES: usize = 49;
/// The longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 1 << 20;

pub(crate) const RECORD_VERSION: u8 = 1;

/// A record, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The epoch that it was written in.
    pub epoch: EpochId,
    /// Its number in the epoch, from 1.
    pub seq: u64,
    /// SHA-256 of prefix and body.
    pub hash: Digest,
    /// The hash of the record before.
    pub previous: Digest,
    /// What the writer gave.
    pub body: Vec<u8>,
}

/// Bytes that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Shorter than the prefix or longer than prefix and largest body.
    #[error("a record has 49 to 1048625 bytes, this has {0}")]
    Length(usize),
    /// Written by a newer version of the software.
    #[error("record version {0} is not known here: update the software that reads it")]
    Version(u8),
}

impl Record {
    /// Makes the record that follows one with hash `previous`.
    ///
    /// # Errors
    /// [`RecordError::Length`] when the body is longer than [`MAX_BODY_BYTES`].
    pub fn new(position: Position, previous: Digest, body: Vec<u8>) -> Result<Self, RecordError> {
        let mut record = Self { epoch: position.epoch, seq: position.seq, hash: [0; 32], previous, body };
        let bytes = record.encode();
        check_length(bytes.len())?;
        record.hash = hash(&bytes);
        Ok(record)
    }

    /// Its place in the chain.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.seq }
    }

    /// The bytes that are hashed, stored and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORD_PREFIX_BYTES + self.body.len());
        write_prefix(&mut bytes, self.position(), &self.previous);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads a record from exactly its bytes and computes its hash.
    ///
    /// # Errors
    /// [`RecordError`] when the length or the version is impossible.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        Ok(RecordView::decode(bytes)?.to_record(hash(bytes)))
    }
}

/// A record within a buffer.
#[derive(Clone, Copy)]
pub(crate) struct RecordView<'a> {
    pub(crate) position: Position,
    pub(crate) previous: Digest,
    pub(crate) body: &'a [u8],
}

impl<'a> RecordView<'a> {
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, RecordError> {
        check_length(bytes.len())?;
        let too_short = RecordError::Length(bytes.len());
        let mut fields = Fields(bytes);
        let [version] = fields.array().ok_or(too_short)?;
        if version != RECORD_VERSION {
            return Err(RecordError::Version(version));
        }
        let epoch = EpochId(fields.u64().ok_or(too_short)?);
        let seq = fields.u64().ok_or(too_short)?;
        let previous = fields.array().ok_or(too_short)?;
        Ok(Self { position: Position { epoch, seq }, previous, body: fields.0 })
    }

    pub(crate) fn to_record(self, hash: Digest) -> Record {
        let Position { epoch, seq } = self.position;
        Record { epoch, seq, hash, previous: self.previous, body: self.body.to_vec() }
    }
}

pub(crate) fn write_prefix(into: &mut Vec<u8>, position: Position, previous: &Digest) {
    into.push(RECORD_VERSION);
    into.extend_from_slice(&position.epoch.0.to_le_bytes());
    into.extend_from_slice(&position.seq.to_le_bytes());
    into.extend_from_slice(previous);
}

pub(crate) fn hash(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

fn check_length(bytes: usize) -> Result<(), RecordError> {
    let fits = (RECORD_PREFIX_BYTES..=RECORD_PREFIX_BYTES + MAX_BODY_BYTES).contains(&bytes);
    fits.then_some(()).ok_or(RecordError::Length(bytes))
}
