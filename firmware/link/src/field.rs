//! Fields of fixed layout: little-endian numbers and bytes, read from one end and written to the other.

use heapless::Vec;

/// The longest message, bytes.
pub const LONGEST_MESSAGE: usize = 192;

/// A message's bytes.
pub type Bytes = Vec<u8, LONGEST_MESSAGE>;

/// Reads fields one after the other. What stands behind the last one is a later version's, and is not read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes behind one that says how many they are.
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let count = self.u8()?;
        let (field, rest) = self.0.split_at_checked(usize::from(count))?;
        self.0 = rest;
        Some(field)
    }
}

/// Writes fields one after the other.
///
/// Every message fits by the bounds of its fields; the tests write the longest of each.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Bytes);

impl Writer {
    pub(crate) fn array<const N: usize>(mut self, field: [u8; N]) -> Self {
        let fits = self.0.extend_from_slice(&field);
        debug_assert!(fits.is_ok(), "a message is too long");
        self
    }

    pub(crate) fn u8(self, field: u8) -> Self {
        self.array([field])
    }

    pub(crate) fn u16(self, field: u16) -> Self {
        self.array(field.to_le_bytes())
    }

    pub(crate) fn u32(self, field: u32) -> Self {
        self.array(field.to_le_bytes())
    }

    pub(crate) fn u64(self, field: u64) -> Self {
        self.array(field.to_le_bytes())
    }

    /// Bytes behind one that says how many they are.
    pub(crate) fn counted<const N: usize>(self, field: &Vec<u8, N>) -> Self {
        const { assert!(N <= 255, "one byte counts them") };
        let mut written = self.u8(u8::try_from(field.len()).unwrap_or(u8::MAX));
        let fits = written.0.extend_from_slice(field);
        debug_assert!(fits.is_ok(), "a message is too long");
        written
    }
}
