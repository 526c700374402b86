//! Rows: keys that come at about the same time share one key of sled, for an insert costs sled some microseconds.
//!
//! A row holds the keys that differ in their lowest bits only: all sales of a day that begin within the same 8 KiB of a
//! segment, all stock movements there, sixteen receipts; of commands and sales those whose ids were made within the same 16
//! milliseconds (RFC 9562, section 5.7: a UUID of version 7 begins with them). Which row a key belongs to depends on the
//! key alone, so putting a key twice is putting it once.
//!
//! | bytes | what, for each key of the row, ascending |
//! |-------|------------------------------------------|
//! | s     | the end of the key, as long for all of its kind |
//! | 2     | length of its value, n                   |
//! | n     | its value                                |
//!
//! Numbers are big-endian. A client may make as many ids as it likes within one instant, so rows of ids are bounded: a key
//! that finds its row full stands for itself ([`alone`]). The others are at most some kilobytes: a value has at most
//! 4,000 bytes (a sale of 1,000 lines), and then its record takes most of the 8 KiB.

use std::collections::BTreeMap;

/// A row of ids takes no more keys from so many bytes on.
const FULL: usize = 6 * 1024;

/// How keys of one kind are put into rows.
#[derive(Clone, Copy)]
struct Shape {
    /// Bytes of a key.
    length: usize,
    /// Bytes of a key that all keys of a row begin with, but for `mask`.
    stem: usize,
    /// Bits of the two bytes behind the stem in which the keys of a row differ.
    mask: u16,
}

/// The shape of a key's kind that is kept in rows.
const fn shape(tag: u8) -> Option<Shape> {
    match tag {
        // Day and locator; locator.
        b'd' => Some(Shape { length: 15, stem: 13, mask: 0x1fff }),
        b'm' => Some(Shape { length: 11, stem: 9, mask: 0x1fff }),
        // Series and number.
        b'r' => Some(Shape { length: 11, stem: 9, mask: 0xf }),
        // Ids: the first 48 bits are milliseconds.
        b'k' | b's' => Some(Shape { length: 17, stem: 5, mask: 0xf }),
        _ => None,
    }
}

fn shape_of(key: &[u8]) -> Option<Shape> {
    key.first().and_then(|tag| shape(*tag))
}

/// The row that the first key from `key` on is in; `None`: its kind is not kept in rows. `key` may be a prefix.
pub(super) fn row_of(key: &[u8]) -> Option<Vec<u8>> {
    let Shape { stem, mask, .. } = shape_of(key)?;
    let mut row = key.to_vec();
    row.resize(stem + 2, 0);
    let last = row.last_chunk_mut::<2>()?;
    *last = (u16::from_be_bytes(*last) & !mask).to_be_bytes();
    Some(row)
}

/// Whether keys of this kind are kept in rows.
pub(super) fn has_rows(key: &[u8]) -> bool {
    shape_of(key).is_some()
}

/// Where a key stands that found its row full.
pub(super) fn alone(key: &[u8]) -> Vec<u8> {
    [b"+", key].concat()
}

/// Whether a row may have been found full by a key.
pub(super) fn is_full(bytes: &[u8]) -> bool {
    bytes.len() >= FULL
}

/// The value of a key in its row's bytes.
pub(super) fn find<'a>(mut bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let shape = shape_of(key).filter(|shape| shape.length == key.len())?;
    let wanted = key.get(shape.stem..)?;
    while let Some((suffix, value, rest)) = first(bytes, shape) {
        if suffix == wanted {
            return Some(value);
        }
        bytes = rest;
    }
    None
}

/// The first key's end, its value, and what follows.
fn first(bytes: &[u8], shape: Shape) -> Option<(&[u8], &[u8], &[u8])> {
    let (suffix, rest) = bytes.split_at_checked(shape.length - shape.stem)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((suffix, value, rest))
}

/// A row, open for changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    key: Vec<u8>,
    stem: usize,
    keys: BTreeMap<Box<[u8]>, Box<[u8]>>,
    bytes: usize,
}

impl Row {
    /// The row with the key `row`. `None`: these are not a row's bytes.
    pub(super) fn decode(row: &[u8], mut bytes: &[u8]) -> Option<Self> {
        let shape = shape_of(row)?;
        let mut keys = BTreeMap::new();
        let length = bytes.len();
        while !bytes.is_empty() {
            let (suffix, value, rest) = first(bytes, shape)?;
            keys.insert(suffix.into(), value.into());
            bytes = rest;
        }
        Some(Self { key: row.to_vec(), stem: shape.stem, keys, bytes: length })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes);
        for (suffix, value) in &self.keys {
            let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(suffix);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend(value.iter().take(usize::from(length)));
        }
        bytes
    }

    /// Its own key.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Puts a key of this row; `false`: it is full, and the key is to stand alone.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) -> bool {
        let Some(suffix) = key.get(self.stem..) else { return false };
        if let Some(old) = self.keys.get_mut(suffix) {
            self.bytes = self.bytes + value.len() - old.len();
            *old = value.into();
            return true;
        }
        let bounded = matches!(key.first(), Some(b'k' | b's'));
        if bounded && self.bytes >= FULL {
            return false;
        }
        self.bytes += suffix.len() + 2 + value.len();
        self.keys.insert(suffix.into(), value.into());
        true
    }

    /// Its keys and values.
    pub(super) fn into_keys(self) -> impl DoubleEndedIterator<Item = (Box<[u8]>, Box<[u8]>)> {
        let Self { key, stem, keys, .. } = self;
        keys.into_iter().map(move |(suffix, value)| {
            ([key.get(..stem).unwrap_or_default(), &suffix].concat().into(), value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(tag: u8, millis: u64, random: u64) -> Vec<u8> {
        let mut key = vec![tag];
        key.extend_from_slice(&millis.to_be_bytes()[2..]);
        key.extend_from_slice(&[0x70, 0]);
        key.extend_from_slice(&random.to_be_bytes());
        key
    }

    #[test]
    fn a_row_is_its_keys() {
        let key = |offset: u16| [b"m\0\0\0\0\0\x01\0\0".as_slice(), &offset.to_be_bytes()].concat();
        let mut row = Row::decode(&key(0x2000), b"").unwrap();
        for (offset, value) in [(0x2345, b"b".as_slice()), (0x2001, b""), (0x3fff, b"ccc"), (0x2345, b"bb")] {
            assert_eq!(row_of(&key(offset)).unwrap(), key(0x2000));
            assert!(row.put(&key(offset), value));
        }
        let bytes = row.encode();
        assert_eq!(bytes.len(), row.bytes);
        assert_eq!((find(&bytes, &key(0x2345)), find(&bytes, &key(0x2346))), (Some(b"bb".as_slice()), None));
        let row = Row::decode(&key(0x2000), &bytes).unwrap();
        let keys: Vec<_> = row.into_keys().map(|(key, _)| key.to_vec()).collect();
        assert_eq!(keys, [key(0x2001), key(0x2345), key(0x3fff)]);
        assert_eq!(row_of(&key(0x4000)).unwrap(), key(0x4000));
    }

    #[test]
    fn ids_made_at_about_the_same_time_share_a_row_of_bounded_size() {
        let row_key = row_of(&id(b'k', 0x1234_5678_9ab3, 1)).unwrap();
        assert_eq!(row_of(&id(b'k', 0x1234_5678_9abf, 2)).unwrap(), row_key);
        assert_ne!(row_of(&id(b'k', 0x1234_5678_9ac0, 2)).unwrap(), row_key);
        let mut row = Row::decode(&row_key, b"").unwrap();
        let taken =
            (0..1_000).take_while(|n| row.put(&id(b'k', 0x1234_5678_9ab1, *n), b"0123456789")).count();
        assert!(taken > 200 && is_full(&row.encode()), "{taken}");
        // One that is in it can still be put again.
        assert!(row.put(&id(b'k', 0x1234_5678_9ab1, 7), b"9876543210"));
        assert_eq!(find(&row.encode(), &id(b'k', 0x1234_5678_9ab1, 7)), Some(b"9876543210".as_slice()));
    }

    #[test]
    fn a_prefix_begins_in_the_row_of_its_first_key() {
        assert_eq!(row_of(b"d").unwrap(), [b"d".as_slice(), &[0; 14]].concat());
        // What comes right after a key.
        assert_eq!(row_of(b"r\0\x01\0\0\0\0\0\0\0\x1f\0").unwrap(), b"r\0\x01\0\0\0\0\0\0\0\x10");
        assert_eq!((row_of(b""), row_of(b"l1234567890123456")), (None, None));
    }

    #[test]
    fn what_is_no_row_is_said_to_be_none() {
        for bytes in [b"1".as_slice(), b"12\0", b"12\0\x02a", b"12\0\0\0"] {
            assert_eq!(Row::decode(b"m", bytes), None, "{bytes:?}");
        }
    }
}
