//! Where a record stands: in the chain ([`Position`]), on disk ([`Locator`]), and how far the chain reaches
//! ([`Head`], [`Evidence`]).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A SHA-256 value.
pub type Digest = [u8; 32];

/// The random name of one epoch: an unbroken run of records written by one box. Never zero. Shown as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochId(pub u64);

impl EpochId {
    /// A fresh id from the operating system's random source.
    ///
    /// # Errors
    /// When the operating system cannot give random bytes.
    pub fn random() -> std::io::Result<Self> {
        loop {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
            let id = u64::from_le_bytes(bytes);
            if id != 0 {
                return Ok(Self(id));
            }
        }
    }
}

impl fmt::Display for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EpochId {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let plain = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let id = if plain { u64::from_str_radix(text, 16).ok() } else { None };
        id.filter(|id| *id != 0).map(Self).ok_or(ParsePositionError)
    }
}

/// A record's place in the chain, written `epoch.seq`, for example `9f3a2c1b00d1e2f3.1042`.
///
/// `seq` counts from 1 in each epoch; 0 means "before the first record of the epoch" and is a valid cursor.
/// The order of two positions means something only within one epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The epoch that the record was written in.
    pub epoch: EpochId,
    /// The record's number in its epoch, from 1.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let (epoch, seq) = text.split_once('.').ok_or(ParsePositionError)?;
        let canonical = seq.bytes().all(|b| b.is_ascii_digit()) && (seq == "0" || !seq.starts_with('0'));
        let seq = if canonical { seq.parse().ok() } else { None };
        Ok(Self { epoch: epoch.parse()?, seq: seq.ok_or(ParsePositionError)? })
    }
}

/// The text is not a position as this crate writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a journal position: expected 16 lower-case hex digits, a dot and a decimal number")]
pub struct ParsePositionError;

/// Where a record's frame starts on disk. The order of locators is the order of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locator {
    /// The ordinal of the epoch's folder, from 1.
    pub epoch_ordinal: u16,
    /// The segment's number within the epoch, from 1.
    pub segment: u32,
    /// Bytes from the start of the segment file.
    pub offset: u32,
}

impl Locator {
    /// Ten bytes, big-endian, so that their order is the journal's order: fit for an index key.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        let fields = self.epoch_ordinal.to_be_bytes().into_iter();
        let fields = fields.chain(self.segment.to_be_bytes()).chain(self.offset.to_be_bytes());
        bytes.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        bytes
    }

    /// The reverse of [`Locator::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 10]) -> Self {
        let [e0, e1, s0, s1, s2, s3, o0, o1, o2, o3] = bytes;
        Self {
            epoch_ordinal: u16::from_be_bytes([e0, e1]),
            segment: u32::from_be_bytes([s0, s1, s2, s3]),
            offset: u32::from_be_bytes([o0, o1, o2, o3]),
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {} segment {:08x} offset {}", self.epoch_ordinal, self.segment, self.offset)
    }
}

/// What somebody has seen as durable: a checkpoint, the views, a clean stop or the cloud.
///
/// The journal may never end before a piece of evidence: if it does, that is damage and not a torn tail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The record that was seen.
    pub position: Position,
    /// That record's hash.
    pub hash: Digest,
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.position, Hex(&self.hash))
    }
}

/// The end of the chain: the newest record that is on disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The newest record.
    pub position: Position,
    /// The newest record's hash.
    pub hash: Digest,
    /// The hash of the newest group's header.
    pub group_hash: Digest,
    /// Records in this epoch.
    pub records: u64,
    /// Bytes of this epoch's groups, with their headers and padding, without segment headers and unused space.
    pub bytes: u64,
}

impl Head {
    /// The head as evidence for a later open.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        Evidence { position: self.position, hash: self.hash }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} records, {} bytes)", self.position, Hex(&self.hash), self.records, self.bytes)
    }
}

/// Bytes shown as lower-case hex.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_written_and_read_as_epoch_dot_seq() {
        let position = Position { epoch: EpochId(0x9f3a_2c1b_00d1_e2f3), seq: 1042 };
        assert_eq!(position.to_string(), "9f3a2c1b00d1e2f3.1042");
        assert_eq!("9f3a2c1b00d1e2f3.1042".parse(), Ok(position));
        for bad in [
            "",
            ".",
            "9f3a2c1b00d1e2f3",
            "9f3a2c1b00d1e2f3.",
            "9f3a2c1b00d1e2f3.-1",
            "9f3a2c1b00d1e2f3.+1",
            "9f3a2c1b00d1e2f3.01",
            "9F3A2C1B00D1E2F3.1",
            "0000000000000000.1",
            "+f3a2c1b00d1e2f3.1",
            "9f3a2c1b00d1e2f3.18446744073709551616",
        ] {
            assert_eq!(bad.parse::<Position>(), Err(ParsePositionError), "{bad}");
        }
    }

    #[test]
    fn locator_bytes_sort_as_the_journal_does() {
        let at = |epoch_ordinal, segment, offset| Locator { epoch_ordinal, segment, offset };
        let ordered =
            [at(1, 1, 256), at(1, 1, 70_000), at(1, 2, 256), at(1, 300, 0), at(2, 1, 256), at(258, 1, 1)];
        for pair in ordered.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].to_bytes() < pair[1].to_bytes());
            assert_eq!(Locator::from_bytes(pair[0].to_bytes()), pair[0]);
        }
        assert_eq!(at(0x0102, 0x0304_0506, 0x0708_090a).to_bytes(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
}
