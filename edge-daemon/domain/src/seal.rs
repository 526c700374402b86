//! Personal data as the domain sees it: closed envelopes. The rim seals them before a command is decided and opens
//! them when an answer is rendered; no plain name ever reaches an event.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Sealed bytes (XChaCha20-Poly1305), and whose key opens them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose key: a customer's id, or the id of a month's key for free text.
    #[serde(with = "serde_bytes")]
    pub subject: [u8; 16],
    /// The nonce.
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 24],
    /// Ciphertext with its tag.
    #[serde(with = "serde_bytes")]
    pub ciphertext: Vec<u8>,
}
