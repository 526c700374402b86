//! Rows: keys that come in the order of the journal share one key of sled, for an insert costs sled some microseconds.
//!
//! A row holds the keys that differ in their lowest bits only: all sales of a day that begin within the same 8 KiB of a
//! segment, all stock movements there, sixteen receipts. Which row a key belongs to depends on the key alone, so putting a
//! key twice is putting it once.
//!
//! | bytes | what, for each key of the row, ascending |
//! |-------|------------------------------------------|
//! | 2     | the last two bytes of the key            |
//! | 2     | length of its value, n                   |
//! | n     | its value                                |
//!
//! Numbers are big-endian. Rows are at most some kilobytes: a value has at most 4,000 bytes (a sale of 1,000 lines), and
//! then its record takes most of the 8 KiB.

use std::collections::BTreeMap;

/// The length of a key's kind that is kept in rows, and which of its lowest bits the keys of a row differ in.
const fn shape(tag: u8) -> Option<(usize, u16)> {
    match tag {
        // Day and locator; locator.
        b'd' => Some((15, 0x1fff)),
        b'm' => Some((11, 0x1fff)),
        // Series and number.
        b'r' => Some((11, 0xf)),
        _ => None,
    }
}

/// The row that the first key from `key` on is in; `None`: its kind is not kept in rows. `key` may be a prefix.
pub(super) fn row_of(key: &[u8]) -> Option<Vec<u8>> {
    let (length, mask) = shape(*key.first()?)?;
    let mut row = key.to_vec();
    row.resize(length, 0);
    let last = row.last_chunk_mut::<2>()?;
    *last = (u16::from_be_bytes(*last) & !mask).to_be_bytes();
    Some(row)
}

/// Whether keys of this kind are kept in rows.
pub(super) fn has_rows(key: &[u8]) -> bool {
    key.first().is_some_and(|tag| shape(*tag).is_some())
}

/// A row, open for changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row(BTreeMap<[u8; 2], Box<[u8]>>);

impl Row {
    /// `None`: these are not a row's bytes.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut row = Self::default();
        while !bytes.is_empty() {
            let (suffix, rest) = bytes.split_first_chunk::<2>()?;
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            row.0.insert(*suffix, value.into());
            bytes = rest;
        }
        Some(row)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.values().map(|value| 4 + value.len()).sum());
        for (suffix, value) in &self.0 {
            let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(suffix);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend(value.iter().take(usize::from(length)));
        }
        bytes
    }

    /// Puts a key of this row.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        if let Some(suffix) = key.last_chunk() {
            self.0.insert(*suffix, value.into());
        }
    }

    /// The value of a key of this row.
    pub(super) fn get(&self, key: &[u8]) -> Option<Box<[u8]>> {
        self.0.get(key.last_chunk()?).cloned()
    }

    /// Its keys and values; `row` is its own key.
    pub(super) fn keys(self, row: &[u8]) -> impl DoubleEndedIterator<Item = (Box<[u8]>, Box<[u8]>)> {
        let stem = row.get(..row.len().saturating_sub(2)).unwrap_or_default();
        self.0.into_iter().map(move |(suffix, value)| ([stem, &suffix].concat().into(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_keys() {
        let key = |offset: u16| [b"m\0\0\0\0\0\x01\0\0".as_slice(), &offset.to_be_bytes()].concat();
        let mut row = Row::default();
        for (offset, value) in [(0x2345, b"b".as_slice()), (0x2001, b""), (0x3fff, b"ccc"), (0x2345, b"b")] {
            assert_eq!(row_of(&key(offset)).unwrap(), key(0x2000));
            row.put(&key(offset), value);
        }
        let row = Row::decode(&row.encode()).unwrap();
        assert_eq!((row.get(&key(0x2345)), row.get(&key(0x2346))), (Some(b"b".as_slice().into()), None));
        let keys: Vec<_> = row.keys(&key(0x2000)).map(|(key, _)| key.to_vec()).collect();
        assert_eq!(keys, [key(0x2001), key(0x2345), key(0x3fff)]);
        assert_eq!(row_of(&key(0x4000)).unwrap(), key(0x4000));
    }

    #[test]
    fn a_prefix_begins_in_the_row_of_its_first_key() {
        assert_eq!(row_of(b"d").unwrap(), [b"d".as_slice(), &[0; 14]].concat());
        // What comes right after a key.
        assert_eq!(row_of(b"r\0\x01\0\0\0\0\0\0\0\x1f\0").unwrap(), b"r\0\x01\0\0\0\0\0\0\0\x10");
        assert_eq!((row_of(b""), row_of(b"k1234567890123456")), (None, None));
    }

    #[test]
    fn what_is_no_row_is_said_to_be_none() {
        for bytes in [b"1".as_slice(), b"12\0", b"12\0\x02a", b"12\0\0\0"] {
            assert_eq!(Row::decode(bytes), None, "{bytes:?}");
        }
    }
}
