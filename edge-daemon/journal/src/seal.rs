//! Sealing what is personal: a random key per person, kept apart from the journal, destroyed to erase.
//!
//! Records hold ciphertext, so that the chain and its totals verify for ever; without the key nobody is readable. A key
//! is durable before it is used, and a tombstone is never removed: an erased subject cannot get a new key.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::keyfile::{self, KeyFile, SecretKey, Slot, WriteFailure};
use crate::position::Hex;
use crate::storage::Storage;

/// An opaque id of a person; not personal itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(pub [u8; 16]);

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Hex(&self.0))
    }
}

/// Sealed bytes (XChaCha20-Poly1305).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Random, once per sealing.
    pub nonce: [u8; 24],
    /// The plaintext's length and 16 bytes of tag.
    pub ciphertext: Vec<u8>,
}

/// The keys could not be read or changed.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The subject was erased: nothing of it may be sealed again.
    #[error("{0:?} was erased and gets no key again: use a new id")]
    Erased(Subject),
    /// The change was not made.
    #[error("the key file could not be written: {0}; free some disk space")]
    NoSpace(#[source] io::Error),
    /// A sync failed, or a write that may have been done: use no key that is not older, and end the process.
    #[error("the disk did not confirm a change of the key file: {0}; stop and start again")]
    SyncFailed(#[source] io::Error),
    /// Refused because of an earlier [`KeyError::SyncFailed`].
    #[error("an earlier change of the key file has an unknown outcome: stop and start again")]
    Poisoned,
    /// Not a key file, or its header is damaged.
    #[error("the key file is damaged: put the backup of the keys in its place")]
    Damaged,
    /// The operating system refused.
    #[error("the key file cannot be read or made durable: {0}; check the disk and the permissions")]
    Io(#[from] io::Error),
}

/// Sealed bytes could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnsealError {
    /// The person was erased.
    #[error("this person's data was erased")]
    Erased,
    /// There is no key for the person: the key file is not the one that belongs to this journal.
    #[error("there is no key for this person: restore the backup of the keys")]
    NoKey,
    /// Key, associated data and bytes do not belong together.
    #[error("the sealed data is damaged or stands in the wrong place")]
    Damaged,
}

/// The persons' keys of a box. Clones share them.
pub struct KeyStore<S: Storage>(Arc<Inner<S>>);

struct Inner<S: Storage> {
    file: Mutex<KeyFile<S>>,
    keys: RwLock<Keys>,
    lookup_key: SecretKey,
    new: bool,
    damaged: usize,
}

struct Keys {
    live: HashMap<Subject, SecretKey>,
    erased: HashSet<Subject>,
    poisoned: bool,
}

impl<S: Storage> Clone for KeyStore<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Storage> fmt::Debug for KeyStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        write!(f, "KeyStore({} live, {} erased)", keys.live.len(), keys.erased.len())
    }
}

impl<S: Storage> KeyStore<S> {
    /// Opens the keys below `keys/`, or makes a new empty file. Erasures that were interrupted are finished.
    ///
    /// # Errors
    /// [`KeyError::Damaged`], or what the operating system says.
    pub fn open(storage: S) -> Result<Self, KeyError> {
        let (mut file, content, new) = KeyFile::open(storage)?.ok_or(KeyError::Damaged)?;
        let mut keys = Keys { live: HashMap::new(), erased: HashSet::new(), poisoned: false };
        for slot in content.slots {
            match slot {
                Slot::Erased(subject) => _ = keys.erased.insert(Subject(subject)),
                Slot::Live(subject, key) => _ = keys.live.entry(Subject(subject)).or_insert(key),
            }
        }
        for subject in &keys.erased {
            file.destroy(&subject.0)
                .map_err(|(WriteFailure::Refused(e) | WriteFailure::Unconfirmed(e))| e)?;
            keys.live.remove(subject);
        }
        Ok(Self(Arc::new(Inner {
            file: Mutex::new(file),
            keys: RwLock::new(keys),
            lookup_key: content.lookup_key,
            new,
            damaged: content.damaged,
        })))
    }

    /// Whether opening found no key file: with a journal that has sealed records, that is a loss.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.0.new
    }

    /// Slots that opening could not read: torn before anybody relied on them, or damaged.
    #[must_use]
    pub fn damaged_slots(&self) -> usize {
        self.0.damaged
    }

    /// Whether the subject has a key.
    #[must_use]
    pub fn has_key(&self, subject: Subject) -> bool {
        self.keys().live.contains_key(&subject)
    }

    /// Whether the subject was erased.
    #[must_use]
    pub fn is_erased(&self, subject: Subject) -> bool {
        self.keys().erased.contains(&subject)
    }

    /// Gives each subject a key that has none, with one sync for all. The keys are durable when this returns.
    ///
    /// # Errors
    /// [`KeyError`]; then none of the new keys is used.
    pub fn create(&self, subjects: &[Subject]) -> Result<(), KeyError> {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut made: HashMap<Subject, SecretKey> = HashMap::new();
        {
            let keys = self.usable_keys()?;
            for subject in subjects {
                if keys.erased.contains(subject) {
                    return Err(KeyError::Erased(*subject));
                }
                if !keys.live.contains_key(subject) && !made.contains_key(subject) {
                    made.insert(*subject, keyfile::random_key()?);
                }
            }
        }
        if made.is_empty() {
            return Ok(());
        }
        let slots: Vec<Slot> = made.iter().map(|(subject, key)| Slot::Live(subject.0, key.clone())).collect();
        file.append(&slots).map_err(|failure| self.failed(failure))?;
        self.keys_mut().live.extend(made);
        Ok(())
    }

    /// Seals bytes for a subject, which gets a key first if it has none. `associated` is what they belong to (the
    /// record's id): they open only with the same.
    ///
    /// # Errors
    /// [`KeyError`]; then nothing was sealed.
    pub fn seal(&self, subject: Subject, associated: &[u8], plaintext: &[u8]) -> Result<Sealed, KeyError> {
        if !self.has_key(subject) {
            self.create(&[subject])?;
        }
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let keys = self.usable_keys()?;
        let key = keys.live.get(&subject).ok_or(KeyError::Erased(subject))?;
        let payload = Payload { msg: plaintext, aad: associated };
        let ciphertext = XChaCha20Poly1305::new((&**key).into()).encrypt(XNonce::from_slice(&nonce), payload);
        let too_long = |_| KeyError::Io(io::ErrorKind::InvalidInput.into());
        Ok(Sealed { nonce, ciphertext: ciphertext.map_err(too_long)? })
    }

    /// Opens what was sealed for a subject.
    ///
    /// # Errors
    /// [`UnsealError`].
    pub fn unseal(
        &self,
        subject: Subject,
        associated: &[u8],
        sealed: &Sealed,
    ) -> Result<Vec<u8>, UnsealError> {
        let keys = self.keys();
        let Some(key) = keys.live.get(&subject) else {
            return Err(if keys.erased.contains(&subject) {
                UnsealError::Erased
            } else {
                UnsealError::NoKey
            });
        };
        let payload = Payload { msg: &sealed.ciphertext, aad: associated };
        let cipher = XChaCha20Poly1305::new((&**key).into());
        cipher.decrypt(XNonce::from_slice(&sealed.nonce), payload).map_err(|_| UnsealError::Damaged)
    }

    /// Destroys a subject's key, durably: first a tombstone is added, then the key overwritten in place. A subject that
    /// has no key gets its tombstone too; doing it again is harmless.
    ///
    /// # Errors
    /// [`KeyError`]; do it again after the next start.
    pub fn erase(&self, subject: Subject) -> Result<(), KeyError> {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.usable_keys()?.erased.contains(&subject) {
            file.append(&[Slot::Erased(subject.0)]).map_err(|failure| self.failed(failure))?;
            let mut keys = self.keys_mut();
            keys.erased.insert(subject);
            keys.live.remove(&subject);
        }
        file.destroy(&subject.0).map_err(|failure| self.failed(failure))
    }

    /// Erases everybody whom another key file has as erased; for a restore of an older one. Returns how many were
    /// not erased here before.
    ///
    /// # Errors
    /// [`KeyError::Damaged`] when `other` is not the content of a key file, and as [`KeyStore::erase`].
    pub fn merge_tombstones_from(&self, other: &[u8]) -> Result<usize, KeyError> {
        let content = keyfile::parse(other).ok_or(KeyError::Damaged)?;
        let mut fresh = 0;
        for slot in content.slots {
            let Slot::Erased(subject) = slot else { continue };
            fresh += usize::from(!self.is_erased(Subject(subject)));
            self.erase(Subject(subject))?;
        }
        Ok(fresh)
    }

    /// Adds the keys of another key file of this box that are missing here, but of nobody who was erased here. Returns how
    /// many were added.
    ///
    /// # Errors
    /// [`KeyError::Damaged`] when `other` is not the content of a key file, and as [`KeyStore::create`].
    pub fn merge_keys_from(&self, other: &[u8]) -> Result<usize, KeyError> {
        let content = keyfile::parse(other).ok_or(KeyError::Damaged)?;
        let erased: HashSet<_> = content
            .slots
            .iter()
            .filter_map(|slot| if let Slot::Erased(id) = slot { Some(*id) } else { None })
            .collect();
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing: HashMap<Subject, SecretKey> = HashMap::new();
        {
            let keys = self.usable_keys()?;
            for slot in content.slots {
                let Slot::Live(id, key) = slot else { continue };
                let subject = Subject(id);
                let known = keys.live.contains_key(&subject) || keys.erased.contains(&subject);
                if !known && !erased.contains(&id) {
                    missing.entry(subject).or_insert(key);
                }
            }
        }
        if missing.is_empty() {
            return Ok(0);
        }
        let slots: Vec<Slot> =
            missing.iter().map(|(subject, key)| Slot::Live(subject.0, key.clone())).collect();
        file.append(&slots).map_err(|failure| self.failed(failure))?;
        let added = missing.len();
        self.keys_mut().live.extend(missing);
        Ok(added)
    }

    /// A keyed hash (HMAC-SHA256, cut to 16 bytes) to find persons by, for example `("email", "a@b.c")`. Without the
    /// box's own key nobody can try out values. `normalised` must be written in one way only.
    #[must_use]
    pub fn lookup_hash(&self, domain: &str, normalised: &str) -> [u8; 16] {
        // A 32-byte key is never refused.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&*self.0.lookup_key) else {
            return [0; 16];
        };
        mac.update(&(domain.len() as u64).to_le_bytes());
        mac.update(domain.as_bytes());
        mac.update(normalised.as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        full.first_chunk().copied().unwrap_or_default()
    }

    fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys_mut(&self) -> RwLockWriteGuard<'_, Keys> {
        self.0.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable_keys(&self) -> Result<RwLockReadGuard<'_, Keys>, KeyError> {
        let keys = self.keys();
        if keys.poisoned { Err(KeyError::Poisoned) } else { Ok(keys) }
    }

    fn failed(&self, failure: WriteFailure) -> KeyError {
        match failure {
            WriteFailure::Refused(error) => KeyError::NoSpace(error),
            WriteFailure::Unconfirmed(error) => {
                self.keys_mut().poisoned = true;
                KeyError::SyncFailed(error)
            }
        }
    }
}
