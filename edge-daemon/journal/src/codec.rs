//! The one form of a record's body: a version byte, then the [`Entry`] in packed CBOR (RFC 8949; fields and variants by
//! their position, integers in the shortest form).
//!
//! | byte | what |
//! |------|------|
//! | 0    | form of the body, now [`FORM`] |
//! | 1…   | the entry: a map of field numbers, absent where optional and empty |
//!
//! Position decides, so a field that moves swaps money silently: fields and variants are **append only**, each event is
//! pinned to literal bytes by a test (`tests/pinned_events.rs`), and a form that means something else gets a new number
//! and an upcaster here. Stored bytes are hashed, never re-encoded ones.
//!
//! The crate behind it (serde_cbor) is no longer maintained (RUSTSEC-2021-0127). What that means is contained here:
//! typed values only, never its `Value`; a size bound before decoding; nobody else names it.

use std::sync::Arc;

use pos_domain::event::Event;
use pos_domain::state::State;
use pos_domain::time::{Date, Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use uuid::Uuid;

use crate::position::Digest;
use crate::record::MAX_BODY_BYTES;

/// The form that is written.
pub const FORM: u8 = 1;
/// The largest checkpoint that is read, in bytes.
const MAX_STATE_BYTES: usize = 1 << 30;

/// The command that made a record: enough to recognise it when it comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommandKey {
    /// The first 16 bytes of the SHA-256 of the idempotency key.
    #[serde(with = "serde_bytes")]
    pub key: [u8; 16],
    /// The SHA-256 of the request: method, path, body.
    #[serde(with = "serde_bytes")]
    pub request: [u8; 32],
}

/// Whose box wrote a record, with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The owner of the store.
    pub tenant: Arc<str>,
    /// The store.
    pub store: Arc<str>,
    /// The box.
    pub box_name: Arc<str>,
    /// The version of the software.
    pub software: Arc<str>,
}

/// Where a command came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Arc<str>>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Arc<str>>,
    /// Who allowed it, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<Arc<str>>,
    /// In which role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Arc<str>>,
    /// The time on the device that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_time: Option<Millis>,
    /// Practice.
    #[serde(default)]
    pub training: bool,
    /// What this belongs to (a till's session, a batch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Uuid>,
    /// What this follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Uuid>,
}

/// What a record says, beside its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of the event's form.
    pub schema: u8,
    /// Who wrote it.
    pub author: Author,
    /// Where it came from.
    pub origin: Origin,
    /// Journal time: never goes back.
    pub time: Millis,
    /// Whether the clock could be believed.
    pub clock_trusted: bool,
    /// The business date.
    pub business_date: Date,
    /// The command, and how many records it made, of which this is number `part` from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandKey>,
    /// This record's number among the command's.
    pub part: u16,
    /// How many records the command made.
    pub parts: u16,
    /// What happened.
    pub event: Event,
}

/// A body that cannot be read.
#[derive(Debug, Error)]
pub enum CodecError {
    /// Written by newer software.
    #[error("the record has form {0}, this software knows up to {FORM}: update it")]
    Form(u8),
    /// Not an entry.
    #[error("the record is no entry of the journal: {0}")]
    Malformed(#[from] serde_cbor::Error),
    /// Beyond the bound.
    #[error("{bytes} bytes are more than a record may have")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
}

impl Entry {
    /// Appends the entry's bytes to `out`.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`] beyond [`MAX_BODY_BYTES`]; `out` is unchanged then.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        out.push(FORM);
        let written = {
            let mut serializer = serde_cbor::Serializer::new(&mut *out).packed_format();
            self.serialize(&mut serializer)
        };
        let bytes = out.len() - start;
        if written.is_err() || bytes > MAX_BODY_BYTES {
            out.truncate(start);
        }
        written?;
        if bytes > MAX_BODY_BYTES { Err(CodecError::TooLarge { bytes }) } else { Ok(()) }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`CodecError`] if it is not one, or newer than this software.
    pub fn decode(body: &[u8]) -> Result<Self, CodecError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(CodecError::TooLarge { bytes: body.len() });
        }
        match body.split_first() {
            Some((&FORM, entry)) => Ok(serde_cbor::from_slice(entry)?),
            Some((form, _)) => Err(CodecError::Form(*form)),
            None => Err(CodecError::TooLarge { bytes: 0 }),
        }
    }
}

/// The bytes of a state, for a checkpoint.
///
/// # Errors
/// [`CodecError::Malformed`] if it cannot be written.
pub fn encode_state(state: &State) -> Result<Vec<u8>, CodecError> {
    Ok(serde_cbor::ser::to_vec_packed(state)?)
}

/// A state from a checkpoint's bytes.
///
/// # Errors
/// [`CodecError`] if they are none.
pub fn decode_state(bytes: &[u8]) -> Result<State, CodecError> {
    if bytes.len() > MAX_STATE_BYTES {
        return Err(CodecError::TooLarge { bytes: bytes.len() });
    }
    Ok(serde_cbor::from_slice(bytes)?)
}

/// The digest of a state: equal states have equal digests, for its maps are ordered.
///
/// # Errors
/// [`CodecError::Malformed`] if the state cannot be written.
pub fn state_digest(state: &State) -> Result<Digest, CodecError> {
    Ok(Sha256::digest(encode_state(state)?).into())
}
