//! Backup and restore on real journals.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pos_domain::command::{Command, CustomerDraft};
use pos_journal::{Disk, verify};
use uuid::Uuid;

use super::*;
use crate::checkout::{Origin, Shop, Subject};
use crate::trial;

struct Folders {
    _root: tempfile::TempDir,
    data: PathBuf,
    copy: PathBuf,
    keys: PathBuf,
}

fn folders() -> Folders {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    let (data, copy, keys) = (at("data"), at("copy"), at("box.keys"));
    fs::create_dir(&data).unwrap();
    Folders { _root: root, data, copy, keys }
}

fn put_customer(shop: &Shop, name: &str) -> Uuid {
    let id = Uuid::now_v7();
    let profile = shop.seal(Subject::Customer(id), id, name.as_bytes()).unwrap();
    let draft = CustomerDraft {
        id,
        profile,
        email_hash: None,
        phone_hash: None,
        consent: None,
        new: true,
        if_version: None,
    };
    shop.submit_blocking(None, Command::PutCustomer(draft), Origin::default()).unwrap();
    id
}

/// After a restore they are made again while the shop is open already.
fn wait_for_views(shop: &Shop) {
    let begun = Instant::now();
    while shop.condition().rebuilding.is_some() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", shop.condition());
        std::thread::yield_now();
    }
}

fn name_of(shop: &Shop, id: Uuid) -> Option<String> {
    let profile = shop.state().customers.get(&id)?.customer.as_ref()?.profile.clone();
    shop.open_sealed(id, &profile).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn quiet() -> impl FnMut(Progress) {
    |_| {}
}

#[test]
fn a_backup_beside_a_busy_writer_is_whole_and_comes_back_in_a_new_epoch() {
    let places = folders();
    let (shop, running, _clock) = trial::open(&places.data);
    trial::put_pen(&shop);
    let customer = put_customer(&shop, "Ada Lovelace");
    let first = trial::sell(&shop, trial::sale_of_a_pen());
    let saved = std::thread::scope(|scope| {
        let busy =
            scope.spawn(|| (0..200).map(|_| trial::sell(&shop, trial::sale_of_a_pen())).collect::<Vec<_>>());
        let head = shop.head().map(|head| head.position);
        let saved = save(&places.data, &places.copy, Some(&places.keys), head, &mut quiet()).unwrap();
        assert_eq!(busy.join().unwrap().len(), 200);
        saved
    });
    assert!(saved.keys && saved.records >= 5, "{saved:?}");
    let late = trial::sell(&shop, trial::sale_of_a_pen());
    let old_epoch = shop.head().unwrap().position.epoch;
    drop(shop);
    running.stop().unwrap();

    let restored = restore(&places.data, &places.copy, Some(&places.keys), &mut quiet()).unwrap();
    assert_eq!((restored.position.as_str(), restored.keys), (saved.position.as_str(), Keys::Kept));
    assert!(restored.set_aside.unwrap().join("journal").is_dir());
    let (shop, running, _clock) = trial::open(&places.data);
    wait_for_views(&shop);
    assert!(shop.sale(first).unwrap().is_some(), "{:?}", shop.condition());
    assert!(shop.sale(late).unwrap().is_none());
    assert_ne!(shop.head().unwrap().position.epoch, old_epoch);
    assert_eq!(shop.state().series, 2);
    assert_eq!(name_of(&shop, customer).as_deref(), Some("Ada Lovelace"));
    assert!(!places.data.join(RESTORED).exists(), "the mark was taken");
    drop(shop);
    running.stop().unwrap();
}

#[test]
fn no_receipt_number_comes_twice_however_often_the_same_backup_is_put_back() {
    let places = folders();
    let (shop, running, _clock) = trial::open(&places.data);
    trial::put_pen(&shop);
    trial::sell(&shop, trial::sale_of_a_pen());
    save(&places.data, &places.copy, Some(&places.keys), None, &mut quiet()).unwrap();
    running.stop().unwrap();
    let mut series = Vec::new();
    for _ in 0..3 {
        restore(&places.data, &places.copy, Some(&places.keys), &mut quiet()).unwrap();
        let (shop, running, _clock) = trial::open(&places.data);
        let id = trial::sell(&shop, trial::sale_of_a_pen());
        series.push(shop.sale(id).unwrap().unwrap().receipt.unwrap().series);
        running.stop().unwrap();
    }
    assert_eq!(series, [2, 3, 4]);
}

#[test]
fn keys_that_only_a_later_backup_has_are_added() {
    let places = folders();
    let (shop, running, _clock) = trial::open(&places.data);
    save(&places.data, &places.copy, Some(&places.keys), None, &mut quiet()).unwrap();
    let customer = put_customer(&shop, "Ada Lovelace");
    let later = (places.copy.with_extension("later"), places.keys.with_extension("later"));
    save(&places.data, &later.0, Some(&later.1), None, &mut quiet()).unwrap();
    running.stop().unwrap();
    // A new box: first the old backup, then the later one.
    let place = tempfile::tempdir().unwrap();
    restore(place.path(), &places.copy, Some(&places.keys), &mut quiet()).unwrap();
    let restored = restore(place.path(), &later.0, Some(&later.1), &mut quiet()).unwrap();
    assert_eq!(restored.keys, Keys::Kept);
    let (shop, running, _clock) = trial::open(place.path());
    assert_eq!(name_of(&shop, customer).as_deref(), Some("Ada Lovelace"));
    running.stop().unwrap();
}

#[test]
fn who_was_erased_after_the_backup_stays_erased() {
    let places = folders();
    let (shop, running, _clock) = trial::open(&places.data);
    let (ada, grace) = (put_customer(&shop, "Ada"), put_customer(&shop, "Grace"));
    save(&places.data, &places.copy, Some(&places.keys), None, &mut quiet()).unwrap();
    shop.submit_blocking(None, Command::EraseCustomer(ada), Origin::default()).unwrap();
    drop(shop);
    running.stop().unwrap();
    restore(&places.data, &places.copy, Some(&places.keys), &mut quiet()).unwrap();
    let (shop, running, _clock) = trial::open(&places.data);
    assert_eq!(name_of(&shop, ada), None);
    assert_eq!(name_of(&shop, grace).as_deref(), Some("Grace"));
    drop(shop);
    running.stop().unwrap();
}

#[test]
fn another_box_reads_nobody_without_the_keys_and_everybody_with_them() {
    let places = folders();
    let (shop, running, _clock) = trial::open(&places.data);
    let ada = put_customer(&shop, "Ada");
    save(&places.data, &places.copy, Some(&places.keys), None, &mut quiet()).unwrap();
    drop(shop);
    running.stop().unwrap();
    for (folder, keys, readable) in
        [("without", None, None), ("with", Some(places.keys.as_path()), Some("Ada"))]
    {
        let data = places.data.with_file_name(folder);
        fs::create_dir(&data).unwrap();
        restore(&data, &places.copy, keys, &mut quiet()).unwrap();
        let (shop, running, _clock) = trial::open(&data);
        assert_eq!(name_of(&shop, ada).as_deref(), readable);
        drop(shop);
        running.stop().unwrap();
    }
    let copied = fs::read(&places.keys).unwrap();
    assert!(!copied.windows(3).any(|bytes| bytes == b"Ada"));
}

#[test]
fn a_damaged_or_interrupted_backup_is_refused_and_nothing_is_touched() {
    let places = folders();
    let (shop, running, _clock) = trial::open(&places.data);
    trial::put_pen(&shop);
    trial::sell(&shop, trial::sale_of_a_pen());
    save(&places.data, &places.copy, None, None, &mut quiet()).unwrap();
    drop(shop);
    running.stop().unwrap();
    let before = segments::list(&places.data).unwrap();

    let segment = places.copy.join(&segments::list(&places.copy).unwrap()[0].path);
    let good = fs::read(&segment).unwrap();
    let mut bad = good.clone();
    bad[700] ^= 1;
    fs::write(&segment, &bad).unwrap();
    let error = restore(&places.data, &places.copy, None, &mut quiet()).unwrap_err();
    assert!(matches!(error, BackupError::FileDiffers(..)), "{error}");
    fs::write(&segment, &good).unwrap();
    fs::rename(places.copy.join("manifest.json"), places.copy.join("else")).unwrap();
    let error = restore(&places.data, &places.copy, None, &mut quiet()).unwrap_err();
    assert!(matches!(error, BackupError::NoManifest(..)), "{error}");
    assert_eq!(segments::list(&places.data).unwrap(), before);
    assert!(!places.data.join(RESTORED).exists() && !places.data.join("set-aside-1").exists());
}

#[test]
fn a_backup_overwrites_nothing_and_keeps_the_keys_apart() {
    let places = folders();
    let (shop, running, _clock) = trial::open(&places.data);
    fs::create_dir(&places.copy).unwrap();
    let inside = places.copy.join("box.keys");
    let error = save(&places.data, &places.copy, Some(&inside), None, &mut quiet()).unwrap_err();
    assert!(matches!(error, BackupError::KeysInside(_)), "{error}");
    fs::write(&places.keys, "old").unwrap();
    let error = save(&places.data, &places.copy, Some(&places.keys), None, &mut quiet()).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");
    fs::write(places.copy.join("x"), "").unwrap();
    let error = save(&places.data, &places.copy, None, None, &mut quiet()).unwrap_err();
    assert!(matches!(error, BackupError::NotEmpty(_)), "{error}");
    let nowhere = save(&places.keys, &places.copy.join("y"), None, None, &mut quiet());
    assert!(nowhere.is_err());
    drop(shop);
    running.stop().unwrap();
}

/// A shop with three sales, closed; the end of what its one segment holds.
fn closed_shop(data: &Path) -> (PathBuf, usize) {
    let (shop, running, _clock) = trial::open(data);
    trial::put_pen(&shop);
    for _ in 0..3 {
        trial::sell(&shop, trial::sale_of_a_pen());
    }
    drop(shop);
    running.stop().unwrap();
    let segment = data.join(&segments::list(data).unwrap()[0].path);
    let bytes = fs::read(&segment).unwrap();
    (segment, bytes.iter().rposition(|byte| *byte != 0).unwrap())
}

fn write_at(file: &Path, offset: usize, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    fs::OpenOptions::new().write(true).open(file).unwrap().write_all_at(bytes, offset as u64).unwrap();
}

#[test]
fn what_is_half_written_at_the_end_is_not_in_the_copy() {
    let places = folders();
    let (segment, end) = closed_shop(&places.data);
    let whole = verify(&Disk::new(places.data.clone()), |_| {}).unwrap();
    write_at(&segment, (end + 64) / 64 * 64, &[0xaa; 300]);
    let saved = save(&places.data, &places.copy, None, None, &mut quiet()).unwrap();
    assert_eq!(saved.position, whole.head.unwrap().position.to_string());
    let copy = verify(&Disk::new(places.copy.clone()), |_| {}).unwrap();
    assert_eq!((copy.head, copy.unfinished), (whole.head, None));
}

#[test]
fn a_damaged_journal_does_not_become_a_shorter_backup() {
    let places = folders();
    let (segment, end) = closed_shop(&places.data);
    let head = verify(&Disk::new(places.data.clone()), |_| {}).unwrap().head.unwrap().position;
    write_at(&segment, end / 2, &[0xff; 8]);
    let error = save(&places.data, &places.copy, None, None, &mut quiet()).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    let error = save(&places.data, &places.copy, None, Some(head), &mut quiet()).unwrap_err();
    assert!(matches!(error, BackupError::Short { .. }), "{error}");
    assert!(!places.copy.join("manifest.json").exists());
}

#[test]
fn a_manifest_cannot_name_files_elsewhere() {
    let places = folders();
    fs::create_dir(&places.copy).unwrap();
    let file = |path: &str| ManifestFile { path: path.into(), bytes: 0, sha256: String::new() };
    for path in ["../etc/passwd", "/etc/passwd", "journal/../../x", "keys/persons.keys"] {
        let manifest = Manifest {
            format: 1,
            software: "0".into(),
            position: "0".into(),
            hash: String::new(),
            records: 0,
            files: vec![file(path)],
        };
        manifest.store(&places.copy).unwrap();
        assert!(matches!(Manifest::load(&places.copy), Err(BackupError::NoManifest(..))), "{path}");
    }
}
