//! The caller's snapshots: opaque bytes that stand for all records up to a position.
//!
//! Each is a file of its own under `checkpoints/`, put in place whole or not at all. The two newest are kept; if the newest
//! is damaged, or of another version, the one before serves.
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! |      0 |     8 | `TILLCKP1` |
//! |      8 |     4 | the caller's version, little-endian |
//! |     12 |     8 | epoch of the last record that is in it |
//! |     20 |     8 | seq of that record |
//! |     28 |    32 | hash of that record |
//! |     60 |     n | the snapshot |
//! | 60 + n |    32 | SHA-256 of the bytes before |

use std::io;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::layout::Fields;
use crate::position::{EpochId, Evidence, Position};
use crate::storage::{Storage, list_or_none};

/// The longest snapshot, in bytes.
pub const MAX_CHECKPOINT_BYTES: usize = 256 << 20;

const DIR: &str = "checkpoints";
const MAGIC: [u8; 8] = *b"TILLCKP1";
const HEADER_BYTES: usize = 60;
const KEPT: usize = 2;

/// A checkpoint was not saved; the earlier ones stand.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// Longer than [`MAX_CHECKPOINT_BYTES`].
    #[error("a checkpoint of {0} bytes is not possible, the limit is 268435456")]
    TooLarge(usize),
    /// The operating system refused.
    #[error("the checkpoint could not be saved: {0}; the earlier one stands, free some disk space")]
    Io(#[from] io::Error),
}

/// Saves a snapshot durably, then removes all but the two newest.
///
/// # Errors
/// [`CheckpointError`]; nothing that was there is lost.
pub fn save(
    storage: &impl Storage,
    evidence: &Evidence,
    version: u32,
    snapshot: &[u8],
) -> Result<(), CheckpointError> {
    if snapshot.len() > MAX_CHECKPOINT_BYTES {
        return Err(CheckpointError::TooLarge(snapshot.len()));
    }
    storage.create_dir(DIR)?;
    storage.sync_dir("")?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + snapshot.len() + 32);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&evidence.position.epoch.0.to_le_bytes());
    bytes.extend_from_slice(&evidence.position.seq.to_le_bytes());
    bytes.extend_from_slice(&evidence.hash);
    bytes.extend_from_slice(snapshot);
    let sum: [u8; 32] = Sha256::digest(&bytes).into();
    bytes.extend_from_slice(&sum);
    let numbers = numbers(storage)?;
    let number = numbers.last().map_or(1, |last| last.saturating_add(1));
    storage.write_atomic(&path(number), &bytes)?;
    let surplus = (numbers.len() + 1).saturating_sub(KEPT);
    for old in numbers.iter().take(surplus) {
        storage.remove(&path(*old))?;
    }
    Ok(())
}

/// The newest whole snapshot of this version, and what it proves to have been durable.
///
/// # Errors
/// When the operating system refuses. Damaged files are passed over.
pub fn load_latest(storage: &impl Storage, version: u32) -> io::Result<Option<(Evidence, Vec<u8>)>> {
    for number in numbers(storage)?.iter().rev() {
        let limit = (HEADER_BYTES + MAX_CHECKPOINT_BYTES + 32) as u64;
        let bytes = match storage.read_all(&path(*number), limit) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::FileTooLarge) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(found) = decode(bytes, version) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn decode(mut bytes: Vec<u8>, version: u32) -> Option<(Evidence, Vec<u8>)> {
    let (content, sum) = bytes.split_last_chunk::<32>()?;
    let mut fields = Fields(content);
    if fields.array()? != MAGIC || fields.u32()? != version {
        return None;
    }
    let position = Position { epoch: EpochId(fields.u64()?), seq: fields.u64()? };
    let evidence = Evidence { position, hash: fields.array()? };
    let whole: [u8; 32] = Sha256::digest(content).into();
    if whole != *sum {
        return None;
    }
    bytes.truncate(bytes.len() - 32);
    bytes.drain(..HEADER_BYTES);
    Some((evidence, bytes))
}

fn path(number: u64) -> String {
    format!("{DIR}/{number:016x}.ckpt")
}

fn numbers(storage: &impl Storage) -> io::Result<Vec<u64>> {
    let names = list_or_none(storage, DIR)?;
    let number = |name: &String| {
        let number = u64::from_str_radix(name.strip_suffix(".ckpt")?, 16).ok()?;
        path(number).ends_with(name.as_str()).then_some(number)
    };
    Ok(names.iter().filter_map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::SimDisk;
    use crate::storage::{Access, StorageFile};

    fn evidence(seq: u64) -> Evidence {
        Evidence { position: Position { epoch: EpochId(5), seq }, hash: [9; 32] }
    }

    #[test]
    fn two_are_kept_and_a_damaged_newest_gives_way() {
        let disk = SimDisk::new(1);
        assert_eq!(load_latest(&disk, 1).unwrap(), None);
        for seq in 1..6 {
            save(&disk, &evidence(seq), 1, &[u8::try_from(seq).unwrap(); 70]).unwrap();
        }
        assert_eq!(disk.list(DIR).unwrap().len(), 2);
        assert_eq!(load_latest(&disk, 1).unwrap(), Some((evidence(5), vec![5; 70])));
        assert_eq!(load_latest(&disk, 2).unwrap(), None);
        let name = format!("{DIR}/{}", disk.list(DIR).unwrap()[1]);
        let whole = disk.read_all(&name, 1000).unwrap();
        for offset in 0..whole.len() {
            let file = disk.open(&name, Access::ReadWrite).unwrap();
            file.write_at(&[whole[offset] ^ 0x10], offset as u64).unwrap();
            assert_eq!(load_latest(&disk, 1).unwrap(), Some((evidence(4), vec![4; 70])), "{offset}");
            file.write_at(&whole[offset..=offset], offset as u64).unwrap();
        }
        disk.open(&name, Access::ReadWrite).unwrap().set_len(30).unwrap();
        assert_eq!(load_latest(&disk, 1).unwrap(), Some((evidence(4), vec![4; 70])));
        save(&disk, &evidence(6), 2, b"").unwrap();
        assert_eq!(load_latest(&disk, 2).unwrap(), Some((evidence(6), vec![])));
    }
}
