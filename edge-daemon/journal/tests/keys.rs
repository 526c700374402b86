//! Persons' keys: durable before use, gone after erasure, never twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use pos_journal::sim::{Fault, SimDisk};
use pos_journal::{Disk, KeyError, KeyStore, Storage, Subject, UnsealError};

const FILE: &str = "keys/persons.keys";

#[test]
fn sealed_data_opens_with_its_key_and_its_place_only() {
    let keys = KeyStore::open(SimDisk::new(1)).unwrap();
    assert!(keys.is_new());
    let (anna, bert) = (Subject([1; 16]), Subject([2; 16]));
    let sealed = keys.seal(anna, b"record 1", b"Anna Example").unwrap();
    keys.seal(bert, b"record 2", b"Bert").unwrap();
    assert_eq!(keys.unseal(anna, b"record 1", &sealed).unwrap(), b"Anna Example");
    assert_eq!(keys.unseal(anna, b"record 2", &sealed), Err(UnsealError::Damaged));
    assert_eq!(keys.unseal(bert, b"record 1", &sealed), Err(UnsealError::Damaged));
    assert_eq!(keys.unseal(Subject([3; 16]), b"record 1", &sealed), Err(UnsealError::NoKey));
    let mut forged = sealed.clone();
    forged.ciphertext[0] ^= 1;
    assert_eq!(keys.unseal(anna, b"record 1", &forged), Err(UnsealError::Damaged));
    let again = keys.seal(anna, b"record 1", b"Anna Example").unwrap();
    assert!(again.nonce != sealed.nonce && again.ciphertext != sealed.ciphertext);
    assert_eq!(format!("{keys:?}"), "KeyStore(2 live, 0 erased)");
}

#[test]
fn erasing_destroys_the_bytes_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path().to_owned());
    let keys = KeyStore::open(disk.clone()).unwrap();
    // A subject of zeros looks like a free slot, but is none.
    let subjects: Vec<Subject> = (0..1500u16)
        .map(|n| {
            Subject([0; 14].iter().chain(&n.to_be_bytes()).copied().collect::<Vec<_>>().try_into().unwrap())
        })
        .collect();
    keys.create(&subjects).unwrap();
    let before = disk.read_all(FILE, 1 << 20).unwrap();
    assert_eq!(before.len(), 128 << 10);
    let sealed = keys.seal(subjects[0], b"", b"x").unwrap();
    let other = keys.seal(subjects[1499], b"", b"y").unwrap();
    let slot = before.chunks(64).find(|slot| slot[..20] == [&[1, 0, 0, 0][..], &[0; 16]].concat()).unwrap();
    keys.erase(subjects[0]).unwrap();
    keys.erase(subjects[0]).unwrap();
    let after = disk.read_all(FILE, 1 << 20).unwrap();
    let key = &slot[20..52];
    assert!(before.windows(32).any(|bytes| bytes == key) && !after.windows(32).any(|bytes| bytes == key));
    assert_eq!(before.chunks(64).zip(after.chunks(64)).filter(|(a, b)| a != b).count(), 2);
    for keys in [keys, KeyStore::open(disk.clone()).unwrap()] {
        assert_eq!(keys.unseal(subjects[0], b"", &sealed), Err(UnsealError::Erased));
        assert!(matches!(keys.seal(subjects[0], b"", b"x"), Err(KeyError::Erased(_))));
        assert_eq!(keys.unseal(subjects[1499], b"", &other).unwrap(), b"y");
    }
    assert!(!KeyStore::open(disk).unwrap().is_new());
}

#[test]
fn tombstones_win_over_an_older_backup() {
    let disk = SimDisk::new(1);
    let keys = KeyStore::open(disk.clone()).unwrap();
    let (anna, bert, never) = (Subject([1; 16]), Subject([2; 16]), Subject([3; 16]));
    let sealed = keys.seal(anna, b"", b"Anna").unwrap();
    keys.seal(bert, b"", b"Bert").unwrap();
    let backup = disk.read_all(FILE, 1 << 20).unwrap();
    keys.erase(anna).unwrap();
    keys.erase(never).unwrap();
    let newer = disk.read_all(FILE, 1 << 20).unwrap();
    drop(keys);
    disk.write_atomic(FILE, &backup).unwrap();
    let keys = KeyStore::open(disk.clone()).unwrap();
    assert_eq!(keys.unseal(anna, b"", &sealed).unwrap(), b"Anna");
    assert_eq!(keys.merge_tombstones_from(&newer).unwrap(), 2);
    assert_eq!(keys.merge_tombstones_from(&newer).unwrap(), 0);
    assert_eq!(keys.unseal(anna, b"", &sealed), Err(UnsealError::Erased));
    assert!(keys.has_key(bert) && keys.is_erased(never));
    assert!(matches!(keys.merge_tombstones_from(b"no key file"), Err(KeyError::Damaged)));
}

#[test]
fn a_key_that_was_seen_is_durable_even_if_its_own_sync_had_failed() {
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let subject = Subject([4; 16]);
        let keys = KeyStore::open(disk.clone()).unwrap();
        // The write, then the sync.
        disk.fail_at(disk.operations() + 1, Fault::Broken);
        assert!(matches!(keys.create(&[subject]), Err(KeyError::SyncFailed(_))));
        assert!(matches!(keys.create(&[Subject([5; 16])]), Err(KeyError::Poisoned)));
        disk.restart();
        let keys = KeyStore::open(disk.clone()).unwrap();
        assert!(keys.has_key(subject), "the page cache has it");
        let sealed = keys.seal(subject, b"", b"text").unwrap();
        disk.cut_power();
        let keys = KeyStore::open(disk).unwrap();
        assert_eq!(keys.unseal(subject, b"", &sealed).unwrap(), b"text", "seed {seed}");
    }
}

#[test]
fn a_damaged_slot_costs_one_key_and_a_damaged_header_is_an_error() {
    let disk = SimDisk::new(1);
    let keys = KeyStore::open(disk.clone()).unwrap();
    let (anna, bert) = (Subject([1; 16]), Subject([2; 16]));
    keys.create(&[anna]).unwrap();
    keys.create(&[bert]).unwrap();
    let mut bytes = disk.read_all(FILE, 1 << 20).unwrap();
    bytes[64 + 30] ^= 1;
    disk.write_atomic(FILE, &bytes).unwrap();
    let keys = KeyStore::open(disk.clone()).unwrap();
    assert_eq!((keys.damaged_slots(), keys.has_key(anna), keys.has_key(bert)), (1, false, true));
    // What is left of the key goes with the person.
    let torn_key = bytes[64 + 20..64 + 52].to_vec();
    keys.erase(anna).unwrap();
    assert!(!disk.read_all(FILE, 1 << 20).unwrap().windows(32).any(|window| window == torn_key));
    bytes[20] ^= 1;
    disk.write_atomic(FILE, &bytes).unwrap();
    assert!(matches!(KeyStore::open(disk), Err(KeyError::Damaged)));
}

#[test]
fn lookup_hashes_depend_on_box_domain_and_value() {
    let disk = SimDisk::new(1);
    let keys = KeyStore::open(disk.clone()).unwrap();
    let hash = keys.lookup_hash("email", "anna@example.org");
    assert_eq!(hash, KeyStore::open(disk).unwrap().lookup_hash("email", "anna@example.org"));
    for other in [
        keys.lookup_hash("email", "anna@example.com"),
        keys.lookup_hash("phone", "anna@example.org"),
        keys.lookup_hash("emaila", "nna@example.org"),
        KeyStore::open(SimDisk::new(1)).unwrap().lookup_hash("email", "anna@example.org"),
    ] {
        assert_ne!(hash, other);
    }
}
