//! Documents on their way down: what head office has of a collection, versioned, taken whole or not at all.
//!
//! A delivery is a text: documents, one a line, each a JSON object (RFC 8259). It brings a collection to a `version`: from the version
//! `base` (a delta), or from whatever is there (a snapshot). It travels in chunks, JSON objects that a person can read:
//!
//! | field | what |
//! |---|---|
//! | `version` | the collection's, after it |
//! | `base` | the version that it changes; absent: a snapshot |
//! | `chunk`, `chunks` | which piece of the text this is, from 0, and of how many |
//! | `sha256` | of the whole text, in hex |
//! | `data` | the piece |
//!
//! [`cut`] makes chunks, [`Assembly`] makes the text again. Chunks stay unacknowledged with the broker until the whole is on disk: a
//! box that is killed meanwhile gets them again. So there are at most [`MAX_CHUNKS`] of them, as many as a box takes unacknowledged.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub use assembly::{Assembly, Progress, Taken, Whole};
pub use product::{NextPrice, ProductDocument};

mod assembly;
mod product;

/// The longest text of a delivery, bytes.
pub const MAX_DELIVERY_BYTES: usize = 8 << 20;
/// The most chunks of one.
pub const MAX_CHUNKS: u16 = 32;
/// The longest chunk as it travels, bytes: checked before it is read.
pub const MAX_CHUNK_BYTES: usize = 1 << 20;
/// The longest document, bytes.
pub const MAX_DOCUMENT_BYTES: usize = 16 << 10;
/// What a chunk has at most beside its data, bytes.
const FRAME_BYTES: usize = 256;

/// A chunk of a delivery, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The collection's version, after it.
    pub version: u64,
    /// The version that it changes; `None`: a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Which piece this is, from 0.
    pub chunk: u16,
    /// Of how many.
    pub chunks: u16,
    /// The SHA-256 of the whole text, in hex.
    pub sha256: String,
    /// The piece.
    pub data: String,
}

/// A delivery that cannot be sent, or is not taken.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// A chunk is longer than [`MAX_CHUNK_BYTES`].
    #[error("{0} bytes are more than a chunk may have")]
    Chunk(usize),
    /// The whole is longer than [`MAX_DELIVERY_BYTES`], or more than [`MAX_CHUNKS`] chunks.
    #[error("{0} bytes are more than a delivery may have")]
    Whole(usize),
    /// A document is longer than [`MAX_DOCUMENT_BYTES`].
    #[error("{0} bytes are more than a document may have")]
    Document(usize),
    /// No chunk.
    #[error("this is no chunk of a delivery: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Numbers that contradict each other.
    #[error("this is no chunk of a delivery: {0}")]
    Contradictory(&'static str),
    /// The chunks, put together, are not what was cut.
    #[error("the delivery of version {version} is not what its checksum says")]
    Checksum {
        /// Which.
        version: u64,
    },
}

impl Delivery {
    /// Its bytes, as they travel.
    ///
    /// # Errors
    /// [`DeliveryError::Chunk`] where they would be too many.
    pub fn encode(&self) -> Result<Vec<u8>, DeliveryError> {
        let bytes = serde_json::to_vec(self)?;
        if bytes.len() > MAX_CHUNK_BYTES { Err(DeliveryError::Chunk(bytes.len())) } else { Ok(bytes) }
    }

    /// The chunk that bytes are.
    ///
    /// # Errors
    /// [`DeliveryError`] where they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DeliveryError> {
        if bytes.len() > MAX_CHUNK_BYTES {
            return Err(DeliveryError::Chunk(bytes.len()));
        }
        let delivery: Self = serde_json::from_slice(bytes)?;
        if delivery.chunk >= delivery.chunks || delivery.chunks > MAX_CHUNKS {
            return Err(DeliveryError::Contradictory("there are 1 to 32 chunks, counted from 0"));
        }
        if delivery.base.is_some_and(|base| base >= delivery.version) || delivery.version == 0 {
            return Err(DeliveryError::Contradictory("versions grow, from 1"));
        }
        Ok(delivery)
    }
}

/// Cuts a delivery of these documents into chunks of at most `largest` bytes as they travel.
///
/// # Errors
/// [`DeliveryError`] where a document or the whole is too long.
pub fn cut(
    version: u64,
    base: Option<u64>,
    documents: &[impl Serialize],
    largest: usize,
) -> Result<Vec<Delivery>, DeliveryError> {
    let mut text = String::new();
    for document in documents {
        let line = serde_json::to_string(document)?;
        if line.len() > MAX_DOCUMENT_BYTES {
            return Err(DeliveryError::Document(line.len()));
        }
        text.push_str(&line);
        text.push('\n');
        if text.len() > MAX_DELIVERY_BYTES {
            return Err(DeliveryError::Whole(text.len()));
        }
    }
    let room = largest.min(MAX_CHUNK_BYTES).saturating_sub(FRAME_BYTES);
    let pieces = pieces(&text, room);
    let too_many = || DeliveryError::Whole(text.len());
    let chunks =
        u16::try_from(pieces.len()).ok().filter(|count| *count <= MAX_CHUNKS).ok_or_else(too_many)?;
    let sha256 = hex(&Sha256::digest(&text));
    let delivery = |(chunk, data): (u16, &str)| Delivery {
        version,
        base,
        chunk,
        chunks,
        sha256: sha256.clone(),
        data: data.into(),
    };
    Ok((0..chunks).zip(pieces).map(delivery).collect())
}

/// Pieces whose JSON strings have at most `room` bytes each; at least one, which may be empty.
fn pieces(text: &str, room: usize) -> Vec<&str> {
    let (mut pieces, mut start, mut length) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        let more = match letter {
            '"' | '\\' | '\n' => 2,
            letter if letter.is_control() => 6,
            letter => letter.len_utf8(),
        };
        if length + more > room && length > 0 {
            pieces.extend(text.get(start..at));
            (start, length) = (at, 0);
        }
        length += more;
    }
    pieces.extend(text.get(start..));
    pieces
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
