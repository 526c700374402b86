//! The controllers' keys, one file each, for the box's own user alone.
//!
//! A key opens a drawer: it is in no journal, no backup and no answer. It stands on the controller's label, from where it is
//! enrolled again.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::config::Hardware;

/// A key that box and controller share.
#[derive(Clone, PartialEq, Eq)]
pub struct ControllerKey(pub(super) [u8; 32]);

/// What the box has of a controller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyState {
    /// The controller has none, and needs none.
    None,
    /// It has one, which was not enrolled here.
    Missing,
    /// The one that was enrolled is not the controller's.
    Other,
    /// Both have the same.
    Enrolled,
}

impl ControllerKey {
    /// From 64 hexadecimal digits, as they stand on a label: spaces and dashes between them do not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')).take(65).collect();
        let mut key = [0; 32];
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(key))
    }

    fn fingerprint(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.iter_mut().zip(Sha256::digest(self.0)).for_each(|(to, from)| *to = from);
        half
    }
}

impl std::fmt::Debug for ControllerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ControllerKey(…)")
    }
}

/// The keys, all in memory: nobody waits for a disk while a drawer is to open.
#[derive(Debug)]
pub(super) struct Keys {
    dir: PathBuf,
    known: Mutex<BTreeMap<Hardware, ControllerKey>>,
}

impl Keys {
    /// Reads the keys in this folder, which need not be there. What cannot be read is no key; the log says why.
    pub(super) fn read(dir: PathBuf) -> Self {
        let mut known = BTreeMap::new();
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Some(hardware) = entry.file_name().to_str().and_then(Hardware::parse) else { continue };
            let path = entry.path();
            match std::fs::read_to_string(&path).map(|text| ControllerKey::parse(text.trim())) {
                Ok(Some(key)) => {
                    known.insert(hardware, key);
                }
                Ok(None) => tracing::warn!(path = %path.display(), "the file holds no key; enrol it again"),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "the controller's key cannot be read");
                }
            }
        }
        Self { dir, known: Mutex::new(known) }
    }

    /// The key of a controller.
    pub(super) fn get(&self, hardware: Hardware) -> Option<ControllerKey> {
        self.known().get(&hardware).cloned()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Hardware, ControllerKey>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a key, in the place of the one before: either of them is there whenever the power goes.
    pub(super) fn put(&self, hardware: Hardware, key: &ControllerKey) -> io::Result<()> {
        // One after the other: the file and the memory have the same.
        let mut known = self.known();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let path = self.path(hardware);
        let fresh = path.with_extension("new");
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        let text: String = key.0.iter().map(|byte| format!("{byte:02x}")).collect();
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        sync(&self.dir)?;
        // The folder itself may be new.
        self.dir.parent().map_or(Ok(()), sync)?;
        known.insert(hardware, key.clone());
        Ok(())
    }

    /// What the box has of a key with this fingerprint.
    pub(super) fn state(&self, hardware: Hardware, fingerprint: [u8; 16]) -> KeyState {
        if fingerprint == [0; 16] {
            return KeyState::None;
        }
        match self.get(hardware) {
            None => KeyState::Missing,
            Some(key) if key.fingerprint() == fingerprint => KeyState::Enrolled,
            Some(_) => KeyState::Other,
        }
    }

    fn path(&self, hardware: Hardware) -> PathBuf {
        self.dir.join(hardware.to_string())
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const HARDWARE: Hardware = Hardware([1; 8]);

    #[test]
    fn a_key_is_read_as_it_stands_on_a_label() {
        let spaced = "00010203 04050607 08090a0b 0c0d0e0f-10111213 14151617 18191A1B 1C1D1E1F";
        let key = ControllerKey::parse(spaced).unwrap();
        assert!(key.0.iter().enumerate().all(|(at, byte)| at == usize::from(*byte)));
        assert_eq!(format!("{key:?}"), "ControllerKey(…)", "no log has it");
        let short = "0".repeat(63);
        for wrong in ["", "00", &short, &format!("{short}g"), &format!("{short}00"), &"é".repeat(32)] {
            assert_eq!(ControllerKey::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_key_is_kept_for_the_boxs_user_alone_and_told_by_its_fingerprint() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::read(dir.path().join("keys/controllers"));
        let (one, other) = (ControllerKey([3; 32]), ControllerKey([4; 32]));
        let state = |keys: &Keys| keys.state(HARDWARE, one.fingerprint());
        assert_eq!((state(&keys), keys.state(HARDWARE, [0; 16])), (KeyState::Missing, KeyState::None));
        keys.put(HARDWARE, &other).unwrap();
        assert_eq!(state(&keys), KeyState::Other);
        // A write that was cut short leaves the key as it was, and is in nobody's way.
        std::fs::write(keys.path(HARDWARE).with_extension("new"), "0").unwrap();
        let again = || Keys::read(keys.dir.clone());
        assert_eq!((keys.get(HARDWARE), again().get(HARDWARE)), (Some(other.clone()), Some(other)));
        keys.put(HARDWARE, &one).unwrap();
        assert_eq!((state(&keys), keys.get(HARDWARE)), (KeyState::Enrolled, Some(one.clone())));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&keys.path(HARDWARE)), mode(&keys.dir)), (0o600, 0o700));
        assert_eq!(again().get(HARDWARE), Some(one));
        std::fs::write(keys.path(HARDWARE), "nonsense").unwrap();
        assert_eq!(again().get(HARDWARE), None);
    }
}
