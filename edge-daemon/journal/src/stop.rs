//! The clean-stop seal: written after the last group, removed durably before the next one.
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! |      0 |     8 | `TILLSTOP` |
//! |      8 |     8 | epoch of the last record |
//! |     16 |     8 | seq of the last record |
//! |     24 |    32 | hash of the last record |
//! |     56 |     4 | CRC-32C of the bytes before |

use std::io;

use crate::layout::{Fields, checked, seal_with_checksum};
use crate::position::{EpochId, Evidence, Position};
use crate::segment::JOURNAL_DIR;
use crate::storage::{Storage, absent_is_fine};

const PATH: &str = "journal/stop.seal";
const MAGIC: [u8; 8] = *b"TILLSTOP";
const BYTES: usize = 60;

pub(crate) fn save(storage: &impl Storage, evidence: &Evidence) -> io::Result<()> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&evidence.position.epoch.0.to_le_bytes());
    bytes.extend_from_slice(&evidence.position.seq.to_le_bytes());
    bytes.extend_from_slice(&evidence.hash);
    seal_with_checksum(&mut bytes);
    storage.write_atomic(PATH, &bytes)
}

/// The seal, if there is a whole one. A damaged one says nothing.
pub(crate) fn load(storage: &impl Storage) -> io::Result<Option<Evidence>> {
    match storage.read_all(PATH, BYTES as u64) {
        Ok(bytes) => Ok(decode(&bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::FileTooLarge) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Removes the seal; not durable until the folder is synced.
pub(crate) fn remove(storage: &impl Storage) -> io::Result<()> {
    absent_is_fine(storage.remove(PATH))
}

pub(crate) fn sync(storage: &impl Storage) -> io::Result<()> {
    storage.sync_dir(JOURNAL_DIR)
}

fn decode(bytes: &[u8]) -> Option<Evidence> {
    let mut fields = Fields(checked(bytes, BYTES)?);
    if fields.array()? != MAGIC {
        return None;
    }
    let position = Position { epoch: EpochId(fields.u64()?), seq: fields.u64()? };
    Some(Evidence { position, hash: fields.array()? })
}
