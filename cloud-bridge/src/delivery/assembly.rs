//! Puts chunks together, in whatever order and how often they come.

use sha2::{Digest as _, Sha256};

use super::{Delivery, DeliveryError, MAX_DELIVERY_BYTES, hex};

/// Chunks of one delivery, until all are here. With each goes a mark `T`: whatever the caller needs to say later that it is done with.
///
/// Only one delivery is open. A newer version takes the place of an older one, and so does another delivery of the same version;
/// a chunk of an older version is settled at once. So at most one less than [`MAX_CHUNKS`](super::MAX_CHUNKS) marks are ever kept, and
/// at most [`MAX_DELIVERY_BYTES`] of text.
#[derive(Debug)]
pub struct Assembly<T> {
    open: Option<Open<T>>,
}

#[derive(Debug)]
struct Open<T> {
    /// What it has in common with all its chunks; no data.
    head: Delivery,
    pieces: Vec<Option<(String, T)>>,
    bytes: usize,
}

/// What came of a chunk.
#[derive(Debug)]
pub struct Taken<T> {
    /// How far the delivery is.
    pub progress: Progress<T>,
    /// Nobody waits for these any more: they came twice, or a newer version took their place.
    pub settled: Vec<T>,
}

/// How far a delivery is.
#[derive(Debug)]
pub enum Progress<T> {
    /// Some of it is not here, or this chunk is not of the newest.
    Waits,
    /// It is here, and its checksum is right. Its marks are to be settled once it is on disk.
    Whole(Whole, Vec<T>),
    /// Nothing of it is kept.
    Refused(DeliveryError, Vec<T>),
}

/// A delivery that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The collection's version, after it.
    pub version: u64,
    /// The version that it changes; `None`: a snapshot.
    pub base: Option<u64>,
    /// The SHA-256 of the text, in hex.
    pub sha256: String,
    /// The documents, one a line.
    pub text: String,
}

impl Whole {
    /// Its documents' texts.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }
}

impl<T> Default for Assembly<T> {
    fn default() -> Self {
        Self { open: None }
    }
}

impl<T> Open<T> {
    fn new(head: Delivery) -> Self {
        let pieces = (0..head.chunks).map(|_| None).collect();
        Self { head, pieces, bytes: 0 }
    }

    fn is_of(&self, chunk: &Delivery) -> bool {
        let head = &self.head;
        (head.version, head.base, head.chunks, &head.sha256)
            == (chunk.version, chunk.base, chunk.chunks, &chunk.sha256)
    }

    fn marks(self) -> Vec<T> {
        self.pieces.into_iter().flatten().map(|(_, mark)| mark).collect()
    }
}

impl<T> Assembly<T> {
    /// Takes a chunk that was [decoded](Delivery::decode).
    pub fn take(&mut self, mut chunk: Delivery, mark: T) -> Taken<T> {
        let mut settled = Vec::new();
        let data = std::mem::take(&mut chunk.data);
        let place = usize::from(chunk.chunk);
        let mut open = match self.open.take() {
            Some(open) if open.is_of(&chunk) => open,
            Some(newer) if newer.head.version > chunk.version => {
                self.open = Some(newer);
                return Taken { progress: Progress::Waits, settled: vec![mark] };
            }
            other => {
                settled.extend(other.map(Open::marks).unwrap_or_default());
                Open::new(chunk)
            }
        };
        if let Some(slot) = open.pieces.get_mut(place) {
            open.bytes += data.len();
            // The later mark is kept: the earlier may be of a connection that is gone.
            if let Some((old, earlier)) = slot.replace((data, mark)) {
                open.bytes -= old.len();
                settled.push(earlier);
            }
        }
        let progress = if open.bytes > MAX_DELIVERY_BYTES {
            Progress::Refused(DeliveryError::Whole(open.bytes), open.marks())
        } else if open.pieces.iter().all(Option::is_some) {
            whole(open)
        } else {
            self.open = Some(open);
            Progress::Waits
        };
        Taken { progress, settled }
    }

    /// How many bytes of text wait here for the rest.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.bytes)
    }
}

fn whole<T>(open: Open<T>) -> Progress<T> {
    let Open { head: Delivery { version, base, sha256, .. }, pieces, bytes } = open;
    let (mut text, mut marks) = (String::with_capacity(bytes), Vec::with_capacity(pieces.len()));
    for (piece, mark) in pieces.into_iter().flatten() {
        text.push_str(&piece);
        marks.push(mark);
    }
    if hex(&Sha256::digest(&text)) != sha256 {
        return Progress::Refused(DeliveryError::Checksum { version }, marks);
    }
    Progress::Whole(Whole { version, base, sha256, text }, marks)
}
