//! An image that comes in: what it is said to be, and what of it waits to be written.

use heapless::Vec;
use pos_link::{ToController, UpdateRefusal, Version};

use super::super::image::{HEADER, Header, fingerprint};
use super::super::store::{UNIT, UNIT_BYTES};

/// Bytes of an image that wait to be written.
const WAITING: usize = UNIT + ToController::LONGEST_CHUNK;

/// What the host says about an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) length: u32,
    pub(super) version: Version,
    pub(super) fingerprint: Option<[u8; 16]>,
}

impl Announced {
    /// Whether this is the header of that image.
    pub(super) fn is(self, bytes: &[u8; HEADER], header: &Header) -> bool {
        header.image_length() == u64::from(self.length)
            && header.version == self.version
            && self.fingerprint.is_none_or(|wanted| wanted == fingerprint(bytes))
    }
}

#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) image: Announced,
    /// So many bytes are in the slot.
    pub(super) stored: u32,
    waiting: Vec<u8, WAITING>,
    /// The host says that this was all.
    pub(super) ended: bool,
}

impl Incoming {
    /// It goes on behind what is stored.
    pub(super) fn new(image: Announced, stored: u32) -> Self {
        Self { image, stored, waiting: Vec::new(), ended: false }
    }

    /// Whether a chunk of any length can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < UNIT && !self.ended
    }

    /// Takes what is new of a chunk. What came before is not looked at again: the image's hash is.
    pub(super) fn take(&mut self, offset: u32, data: &[u8]) -> Result<(), UpdateRefusal> {
        let known = self.position().checked_sub(offset).and_then(|known| usize::try_from(known).ok());
        let new = data.get(known.ok_or(UpdateRefusal::BadOffset)?..).unwrap_or_default();
        let left = usize::try_from(self.image.length.saturating_sub(self.position()));
        if left.is_ok_and(|left| new.len() > left) {
            return Err(UpdateRefusal::BadOffset);
        }
        self.waiting.extend_from_slice(new).map_err(|_| UpdateRefusal::BadOffset)
    }

    /// The unit that is to be written, filled up as if it were blank.
    pub(super) fn unit(&self) -> [u8; UNIT] {
        let mut unit = [0xff; UNIT];
        unit.iter_mut().zip(&self.waiting).for_each(|(to, from)| *to = *from);
        unit
    }

    /// That unit was written.
    pub(super) fn written(&mut self) {
        let behind = self.waiting.get(UNIT..).unwrap_or_default();
        self.waiting = behind.iter().copied().collect();
        self.stored = self.stored.saturating_add(UNIT_BYTES).min(self.image.length);
    }

    /// Where the next byte belongs.
    pub(super) fn position(&self) -> u32 {
        self.stored.saturating_add(u32::try_from(self.waiting.len()).unwrap_or(u32::MAX))
    }

    /// Whether there is a unit to write: a whole one, or the last one.
    pub(super) fn has_unit(&self) -> bool {
        let last = self.position() >= self.image.length && !self.waiting.is_empty();
        self.waiting.len() >= UNIT || last
    }
}
