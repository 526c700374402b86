//! A journal on a real disk: appending, rolling, reopening, reading, epochs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use pos_journal::{
    AppendError, Disk, Epoch, EpochId, Evidence, Journal, Options, Outcome, Position, Preparation, ReadError,
    Reader, Room, Start, verify,
};

const OPTIONS: Options = Options { segment_bytes: 16 << 10, preparation: Preparation::Inline };

fn disk() -> (tempfile::TempDir, Disk) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path().to_owned());
    (folder, disk)
}

fn body(number: u64) -> Vec<u8> {
    let length = usize::try_from(number * 37 % 1500).unwrap();
    let mut body = number.to_le_bytes().to_vec();
    body.resize(8 + length, (number % 251) as u8);
    body
}

/// Appends groups of 1, 2, 3, 1, 2, 3… records until `count` are written; bodies are numbered from `from`.
fn fill(journal: &mut Journal<Disk>, from: u64, count: u64) {
    let mut number = from;
    while number < from + count {
        let size = (number % 3 + 1).min(from + count - number);
        let bodies: Vec<Vec<u8>> = (number..number + size).map(body).collect();
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let expected = journal.next_position().unwrap();
        let appended = journal.append(&bodies, Room::Ordinary).unwrap();
        assert_eq!(appended.first, expected);
        assert_eq!(appended.head.position.seq, expected.seq + size - 1);
        let reader = journal.reader();
        for ((locator, hash), body) in appended.locators.iter().zip(&appended.hashes).zip(&bodies) {
            let record = reader.read(*locator).unwrap();
            assert_eq!((&record.body[..], &record.hash), (*body, hash));
        }
        number += size;
    }
}

fn numbers(reader: &Reader<Disk>, start: Start) -> Vec<u64> {
    let records = reader.records_from(start).unwrap().map(|found| found.unwrap().1);
    let mut previous = None;
    let number = records.map(|record| {
        assert!(previous.is_none_or(|hash| hash == record.previous));
        previous = Some(record.hash);
        u64::from_le_bytes(*record.body.first_chunk().unwrap())
    });
    number.collect()
}

#[test]
fn what_was_appended_is_read_again_in_order_after_any_number_of_reopenings() {
    let (_folder, disk) = disk();
    let (mut journal, opened) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    assert_eq!(opened.outcome, Outcome::Fresh);
    assert!(matches!(journal.append(&[b"x"], Room::Ordinary), Err(AppendError::NoEpoch)));
    journal.start_epoch(None).unwrap();
    fill(&mut journal, 0, 100);
    for round in 1..5 {
        let head = journal.head();
        let clean = round % 2 == 0;
        if clean {
            journal.close().unwrap()
        } else {
            drop(journal)
        }
        let opened;
        (journal, opened) = Journal::open(disk.clone(), OPTIONS, &[head.unwrap().evidence()]).unwrap();
        assert_eq!(opened.head, head);
        assert_eq!(opened.outcome, if clean { Outcome::SealedStop } else { Outcome::Clean });
        fill(&mut journal, round * 100, 100);
    }
    let everything: Vec<u64> = (0..500).collect();
    assert_eq!(numbers(&journal.reader(), Start::Beginning), everything);
    assert_eq!(numbers(&Reader::open(disk.clone()), Start::Beginning), everything);
    let report = verify(&disk, |_| {}).unwrap();
    assert_eq!((report.records, report.head), (500, journal.head()));
    assert_eq!(report.bytes, journal.head().unwrap().bytes);
    assert!(report.segments > 10);
}

#[test]
fn reading_starts_after_any_record_and_at_any_record() {
    let (_folder, disk) = disk();
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    let epoch = journal.start_epoch(None).unwrap();
    fill(&mut journal, 0, 120);
    let locators: Vec<_> =
        journal.reader().records_from(Start::Beginning).unwrap().map(|found| found.unwrap().0).collect();
    assert!(locators.windows(2).all(|pair| pair[0] < pair[1]));
    for reader in [journal.reader(), Reader::open(disk)] {
        for seq in 0..=120 {
            let rest: Vec<u64> = (seq..120).collect();
            assert_eq!(numbers(&reader, Start::After(Position { epoch, seq })), rest);
            if let Some(locator) = locators.get(usize::try_from(seq).unwrap()) {
                assert_eq!(numbers(&reader, Start::At(*locator)), rest);
                let mut off = *locator;
                off.offset += 4;
                assert!(reader.read(off).is_err());
            }
        }
        for unknown in [Position { epoch, seq: 121 }, Position { epoch: EpochId(7), seq: 1 }] {
            let error = reader.records_from(Start::After(unknown)).err().unwrap();
            assert!(matches!(error, ReadError::UnknownPosition(position) if position == unknown));
        }
    }
}

#[test]
fn an_iterator_goes_on_when_the_journal_grows() {
    let (_folder, disk) = disk();
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    let mut early = Reader::open(disk.clone()).records_from(Start::Beginning).unwrap();
    assert!(early.next().is_none());
    journal.start_epoch(None).unwrap();
    let mut inside = journal.reader().records_from(Start::Beginning).unwrap();
    for round in 0..30 {
        assert!(inside.next().is_none() && early.next().is_none());
        fill(&mut journal, round * 10, 10);
        for records in [&mut inside, &mut early] {
            let seqs: Vec<u64> = records.by_ref().map(|found| found.unwrap().1.seq).collect();
            assert_eq!(seqs, (round * 10 + 1..=round * 10 + 10).collect::<Vec<_>>());
        }
    }
}

#[test]
fn an_epoch_continues_its_parent_and_leaves_the_rest_behind() {
    let (_folder, disk) = disk();
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    let first = journal.start_epoch(None).unwrap();
    fill(&mut journal, 0, 60);
    let reader = journal.reader();
    let before: Vec<_> = reader.records_from(Start::Beginning).unwrap().map(|found| found.unwrap()).collect();
    let parent = Evidence { position: before[39].1.position(), hash: before[39].1.hash };
    let mut following = reader.records_from(Start::After(before[59].1.position())).unwrap();
    let second = journal.start_epoch(Some(parent)).unwrap();
    assert_eq!(journal.head(), None);
    assert_eq!(journal.parent(), Some(parent));
    fill(&mut journal, 1000, 50);
    assert!(matches!(following.next(), Some(Err(ReadError::UnknownPosition(_)))));

    let older = Epoch { id: first, parent: None, last: Some(parent) };
    assert_eq!(reader.epochs().unwrap(), [older, Epoch { id: second, parent: Some(parent), last: None }]);
    let chain: Vec<u64> = (0..40).chain(1000..1050).collect();
    assert_eq!(numbers(&reader, Start::Beginning), chain);
    assert_eq!(numbers(&Reader::open(disk.clone()), Start::Beginning), chain);
    assert_eq!(numbers(&reader, Start::After(parent.position)), (1000..1050).collect::<Vec<_>>());
    let left_behind = Position { epoch: first, seq: 41 };
    for start in [Start::After(left_behind), Start::At(before[40].0)] {
        assert!(matches!(reader.records_from(start), Err(ReadError::UnknownPosition(p)) if p == left_behind));
    }
    // They are still there for who has a locator.
    assert_eq!(reader.read(before[50].0).unwrap(), before[50].1);
    let report = verify(&disk, |_| {}).unwrap();
    assert_eq!((report.epochs, report.records), (2, 90));
    drop(journal);
    let old = before[59].1.position();
    let (journal, opened) =
        Journal::open(disk, OPTIONS, &[Evidence { position: old, hash: before[59].1.hash }]).unwrap();
    assert_eq!(opened.outcome, Outcome::Clean);
    assert_eq!(journal.next_position(), Some(Position { epoch: second, seq: 51 }));
}

#[test]
fn an_epoch_without_a_record_never_was() {
    let (_folder, disk) = disk();
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    journal.start_epoch(None).unwrap();
    drop(journal);
    let (mut journal, opened) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    assert_eq!(opened.outcome, Outcome::Fresh);
    journal.start_epoch(None).unwrap();
    fill(&mut journal, 0, 5);
    let head = journal.head();
    journal.start_epoch(head.map(|head| head.evidence())).unwrap();
    drop(journal);
    let (mut journal, opened) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    assert_eq!((opened.outcome, opened.head), (Outcome::Clean, head));
    fill(&mut journal, 5, 5);
    assert_eq!(verify(&disk, |_| {}).unwrap().records, 10);
}

#[test]
fn sizes_are_bounded_and_a_large_group_gets_a_segment_of_its_own() {
    let (_folder, disk) = disk();
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    journal.start_epoch(None).unwrap();
    let largest = vec![7; 1 << 20];
    let too_large = vec![7; (1 << 20) + 1];
    assert!(matches!(journal.append(&[], Room::Ordinary), Err(AppendError::Empty)));
    assert!(matches!(journal.append(&[&too_large], Room::Ordinary), Err(AppendError::TooLarge { .. })));
    assert!(matches!(
        journal.append(&vec![&largest[..]; 32], Room::Ordinary),
        Err(AppendError::TooLarge { .. })
    ));
    journal.append(&[b"before"], Room::Ordinary).unwrap();
    journal.append(&vec![&largest[..]; 31], Room::Ordinary).unwrap();
    journal.append(&[b"after"], Room::Ordinary).unwrap();
    let records: Vec<_> =
        journal.reader().records_from(Start::Beginning).unwrap().map(|found| found.unwrap()).collect();
    assert_eq!(records.len(), 33);
    assert!(records[1..32].iter().all(|(_, record)| record.body == largest));
    assert_eq!(records.iter().map(|(locator, _)| locator.segment).max(), Some(3));
    assert_eq!(journal.reader().read(records[31].0).unwrap(), records[31].1);
    assert_eq!(verify(&disk, |_| {}).unwrap().records, 33);
    drop(journal);
    assert_eq!(Journal::open(disk, OPTIONS, &[]).unwrap().1.outcome, Outcome::Clean);
}

#[test]
fn spares_are_made_in_the_background() {
    let (_folder, disk) = disk();
    let options = Options { preparation: Preparation::Background, ..OPTIONS };
    let (mut journal, _) = Journal::open(disk.clone(), options, &[]).unwrap();
    journal.start_epoch(None).unwrap();
    fill(&mut journal, 0, 400);
    while !journal.condition().unwrap().spare_ready {
        std::thread::yield_now();
    }
    let condition = journal.condition().unwrap();
    assert_eq!(condition.bytes, condition.segments * OPTIONS.segment_bytes);
    assert!(condition.segments > 10 && condition.free_bytes > 0);
    assert_eq!(numbers(&journal.reader(), Start::Beginning), (0..400).collect::<Vec<_>>());
}
