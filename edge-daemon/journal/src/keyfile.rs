//! The file of persons' keys: `keys/persons.keys`, slots of 64 bytes, the first one the header.
//!
//! | offset | bytes | header |
//! |-------:|------:|--------|
//! |      0 |     8 | `TILLKEY1` |
//! |      8 |    32 | key of the look-up hashes |
//! |     40 |    20 | zero |
//! |     60 |     4 | CRC-32C of the bytes before |
//!
//! | offset | bytes | slot |
//! |-------:|------:|------|
//! |      0 |     4 | 1 = live, 2 = erased; little-endian |
//! |      4 |    16 | subject |
//! |     20 |    32 | key; zeros when erased |
//! |     52 |     8 | zero |
//! |     60 |     4 | CRC-32C of the bytes before |
//!
//! A slot of zeros is free; the file grows by 64 KiB of them. A slot with a wrong checksum was torn by a power cut
//! before anybody relied on it, or is damaged; its subject's bytes still tell whose key material it may hold.

use std::io;

use zeroize::Zeroizing;

use crate::layout::{Fields, checked, seal_with_checksum};
use crate::storage::{Access, Storage, StorageFile};

pub(crate) const KEY_DIR: &str = "keys";
const PATH: &str = "keys/persons.keys";
const MAGIC: [u8; 8] = *b"TILLKEY1";
const SLOT_BYTES: usize = 64;
const GROWTH_BYTES: usize = 64 << 10;
/// Enough for a million persons.
const MAX_FILE_BYTES: usize = 64 << 20;

pub(crate) type SecretKey = Zeroizing<[u8; 32]>;
pub(crate) type SubjectBytes = [u8; 16];

/// What a slot holds.
pub(crate) enum Slot {
    Live(SubjectBytes, SecretKey),
    Erased(SubjectBytes),
}

impl Slot {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let (state, subject, key) = match self {
            Self::Live(subject, key) => (1u32, subject, **key),
            Self::Erased(subject) => (2, subject, [0; 32]),
        };
        // At full capacity from the start, so that no copy of the key is left behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(SLOT_BYTES));
        bytes.extend_from_slice(&state.to_le_bytes());
        bytes.extend_from_slice(subject);
        bytes.extend_from_slice(&key);
        bytes.extend_from_slice(&[0; 8]);
        seal_with_checksum(&mut bytes);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(checked(bytes, SLOT_BYTES)?);
        let state = fields.u32()?;
        let subject = fields.array()?;
        match state {
            1 => Some(Self::Live(subject, Zeroizing::new(fields.array()?))),
            2 => Some(Self::Erased(subject)),
            _ => None,
        }
    }
}

/// The content of a key file.
pub(crate) struct Content {
    pub(crate) lookup_key: SecretKey,
    /// All slots with a right checksum, in the order of the file.
    pub(crate) slots: Vec<Slot>,
    /// Slots with a wrong one.
    pub(crate) damaged: usize,
    used_bytes: usize,
}

/// `None` when the header is damaged.
pub(crate) fn parse(bytes: &[u8]) -> Option<Content> {
    let mut fields = Fields(checked(bytes, SLOT_BYTES)?);
    if fields.array()? != MAGIC {
        return None;
    }
    let lookup_key = Zeroizing::new(fields.array()?);
    let mut content = Content { lookup_key, slots: Vec::new(), damaged: 0, used_bytes: SLOT_BYTES };
    for (number, slot) in bytes.chunks(SLOT_BYTES).enumerate().skip(1) {
        if slot.iter().all(|byte| *byte == 0) {
            continue;
        }
        content.used_bytes = (number + 1) * SLOT_BYTES;
        match Slot::decode(slot) {
            Some(slot) => content.slots.push(slot),
            None => content.damaged += 1,
        }
    }
    Some(content)
}

/// The open file.
pub(crate) struct KeyFile<S: Storage> {
    storage: S,
    file: S::File,
    /// Where the next slot goes.
    next: usize,
}

/// How a change of the file failed.
pub(crate) enum WriteFailure {
    /// Not done.
    Refused(io::Error),
    /// Unknown.
    Unconfirmed(io::Error),
}

impl<S: Storage> KeyFile<S> {
    /// Opens the file, or makes it; the flag tells which. `None` when its header is damaged.
    ///
    /// All of it is written again and synced: after a kill, a slot may be in the page cache only, and a key must
    /// not be used before it is durable. The same bytes over the same bytes cannot be torn.
    pub(crate) fn open(storage: S) -> io::Result<Option<(Self, Content, bool)>> {
        storage.create_dir(KEY_DIR)?;
        storage.sync_dir("")?;
        let mut made = false;
        let bytes = match storage.read_all(PATH, MAX_FILE_BYTES as u64) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                made = true;
                let bytes = new_file()?;
                storage.write_atomic(PATH, &bytes)?;
                bytes
            }
            other => Zeroizing::new(other?),
        };
        let Some(content) = parse(&bytes) else {
            return Ok(None);
        };
        let file = storage.open(PATH, Access::ReadWrite)?;
        file.write_at(&bytes, 0)?;
        file.sync_data()?;
        storage.sync_dir(KEY_DIR)?;
        let next = content.used_bytes;
        Ok(Some((Self { storage, file, next }, content, made)))
    }

    /// Adds slots, durable when this returns.
    pub(crate) fn append(&mut self, slots: &[Slot]) -> Result<(), WriteFailure> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(slots.len() * SLOT_BYTES));
        for slot in slots {
            bytes.extend_from_slice(&slot.encode());
        }
        let end = self.next + bytes.len();
        if end > MAX_FILE_BYTES {
            return Err(WriteFailure::Refused(io::ErrorKind::FileTooLarge.into()));
        }
        self.grow_to(end).map_err(WriteFailure::Refused)?;
        // After a write in part, the next attempt overwrites what was left.
        self.file.write_at(&bytes, self.next as u64).map_err(WriteFailure::Refused)?;
        self.file.sync_data().map_err(WriteFailure::Unconfirmed)?;
        self.next = end;
        Ok(())
    }

    /// Overwrites all that the file holds of a subject with its tombstone, durable when this returns.
    pub(crate) fn destroy(&mut self, subject: &SubjectBytes) -> Result<(), WriteFailure> {
        let read = self.storage.read_all(PATH, MAX_FILE_BYTES as u64).map_err(WriteFailure::Refused)?;
        let bytes = Zeroizing::new(read);
        let tombstone = Slot::Erased(*subject).encode();
        let mut overwritten = false;
        for (number, slot) in bytes.chunks_exact(SLOT_BYTES).enumerate().skip(1) {
            let used = slot.iter().any(|byte| *byte != 0);
            if used && slot.get(4..20) == Some(subject) && slot != tombstone.as_slice() {
                let offset = (number * SLOT_BYTES) as u64;
                self.file.write_at(&tombstone, offset).map_err(WriteFailure::Unconfirmed)?;
                overwritten = true;
            }
        }
        if overwritten { self.file.sync_data().map_err(WriteFailure::Unconfirmed) } else { Ok(()) }
    }

    fn grow_to(&self, end: usize) -> io::Result<()> {
        let len = usize::try_from(self.file.len()?).map_err(io::Error::other)?;
        if end > len {
            let target = end.next_multiple_of(GROWTH_BYTES);
            self.file.write_at(&vec![0; target - len], len as u64)?;
        }
        Ok(())
    }
}

fn new_file() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(GROWTH_BYTES));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&*random_key()?);
    bytes.resize(SLOT_BYTES - 4, 0);
    seal_with_checksum(&mut bytes);
    bytes.resize(GROWTH_BYTES, 0);
    Ok(bytes)
}

pub(crate) fn random_key() -> io::Result<SecretKey> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key).map_err(io::Error::other)?;
    Ok(key)
}
