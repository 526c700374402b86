//! A full disk: what was not written is as if never tried, and the last spare segment lets the shop close.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use pos_journal::sim::SimDisk;
use pos_journal::{AppendError, Journal, Options, Outcome, Preparation, Room, verify};

const OPTIONS: Options = Options { segment_bytes: 16 << 10, preparation: Preparation::Inline };
const CAPACITY: u64 = 5 * (16 << 10);

#[test]
fn ordinary_appends_leave_the_reserve_and_go_on_when_there_is_space_again() {
    let disk = SimDisk::new(3);
    disk.set_capacity(CAPACITY);
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    journal.start_epoch(None).unwrap();
    let mut written = 0;
    let error = loop {
        match journal.append(&[&[7; 1000]], Room::Ordinary) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::NoSpace(_)), "{error}");
    let condition = journal.condition().unwrap();
    assert!(condition.spare_ready && !condition.poisoned);
    assert_eq!(condition.segments, 4);
    for _ in 0..3 {
        let refused = journal.append(&[&[7; 1000]], Room::Ordinary);
        assert!(matches!(refused, Err(AppendError::NoSpace(_))));
    }
    let mut reserve = 0;
    while journal.append(&[&[8; 1000]], Room::Reserve).is_ok() {
        reserve += 1;
    }
    assert_eq!(reserve, 13);
    assert!(!journal.condition().unwrap().spare_ready);
    journal.close().unwrap_err();

    let (mut journal, opened) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    assert_eq!(opened.outcome, Outcome::Clean);
    assert!(journal.append(&[&[7; 1000]], Room::Reserve).is_err());
    disk.set_capacity(2 * CAPACITY);
    journal.prepare().unwrap();
    assert!(journal.condition().unwrap().spare_ready);
    journal.append(&[&[7; 1000]], Room::Ordinary).unwrap();
    let report = verify(&disk, |_| {}).unwrap();
    assert_eq!(report.records, written + reserve + 1);
}

#[test]
fn a_new_epoch_can_begin_on_a_full_disk() {
    let disk = SimDisk::new(3);
    disk.set_capacity(CAPACITY);
    let (mut journal, _) = Journal::open(disk, OPTIONS, &[]).unwrap();
    journal.start_epoch(None).unwrap();
    while journal.append(&[&[7; 1000]], Room::Ordinary).is_ok() {}
    let head = journal.head().unwrap();
    journal.start_epoch(Some(head.evidence())).unwrap();
    journal.append(&[b"closed"], Room::Reserve).unwrap();
}
