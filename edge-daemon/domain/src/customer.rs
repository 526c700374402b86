//! Customers: an id, closed envelopes, keyed hashes to look them up by, and points.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::seal::Sealed;

/// A keyed hash of a normalised e-mail address or telephone number.
pub type LookupHash = [u8; 16];

/// A customer as the box keeps it: nothing of it can be read without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Made by the client, or by the box.
    pub id: Uuid,
    /// Name, address, e-mail, telephone: one envelope.
    pub profile: Sealed,
    /// To find the customer by e-mail.
    pub email_hash: Option<LookupHash>,
    /// To find the customer by telephone.
    pub phone_hash: Option<LookupHash>,
    /// What the customer agreed to, by name.
    pub consent: Option<String>,
    /// Counts changes, from 1: the ETag of edits.
    pub version: u32,
}

/// A customer and the counters that sales move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `None` once erased.
    pub customer: Option<Customer>,
    /// The balance of points; may be negative after a refund of points already spent.
    pub points: i64,
}
