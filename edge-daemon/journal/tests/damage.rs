//! Flipped bits, holes and missing files: `verify` names the place, opening reports damage and touches nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use pos_journal::sim::{Dice, SimDisk};
use pos_journal::{
    Access, Appended, EpochId, Evidence, FirstBad, Journal, Locator, Options, Outcome, Preparation, Reader,
    Reason, Room, Start, Storage, StorageFile, VerifyError, verify,
};

const OPTIONS: Options = Options { segment_bytes: 4096, preparation: Preparation::Inline };
const EPOCH: EpochId = EpochId(0xabcd);
const GROUP_HEADER: u32 = 104;

struct Built {
    disk: SimDisk,
    groups: Vec<Appended>,
}

/// Twelve groups of two records of 300 bytes: four to a segment, the third one full but for its padding.
fn build() -> Built {
    let disk = SimDisk::new(1);
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    journal.start_epoch_as(EPOCH, None).unwrap();
    let groups =
        (0..12u8).map(|n| journal.append(&[&[n; 300], &[n; 301]], Room::Ordinary).unwrap()).collect();
    journal.close().unwrap();
    Built { disk, groups }
}

impl Built {
    fn path(segment: u32) -> String {
        format!("journal/0001-{EPOCH}/{segment:08x}.seg")
    }

    fn flip(&self, segment: u32, offset: u32, bits: u8) {
        let file = self.disk.open(&Self::path(segment), Access::ReadWrite).unwrap();
        let mut byte = [0];
        file.read_at(&mut byte, offset.into()).unwrap();
        file.write_at(&[byte[0] ^ bits], offset.into()).unwrap();
    }

    /// Where a flaw at an offset must be reported: the segment's header, the group's header or the record.
    fn owner(&self, segment: u32, offset: u32) -> u32 {
        let records = self.groups.iter().flat_map(|group| &group.locators);
        let before = records.filter(|l| l.segment == segment && l.offset <= offset).map(|l| l.offset).max();
        let groups = self.groups.iter().map(|group| group.locators[0]);
        let headers = groups.filter(|l| l.segment == segment).map(|l| l.offset - GROUP_HEADER);
        let header = headers.filter(|start| *start <= offset).max();
        before.max(header).unwrap_or(0)
    }
}

fn first_bad(disk: &SimDisk) -> Option<FirstBad> {
    match verify(disk, |_| {}) {
        Ok(_) => None,
        Err(VerifyError::Damaged(bad)) => Some(bad),
        Err(other) => panic!("{other}"),
    }
}

fn at(segment: u32, offset: u32) -> Locator {
    Locator { epoch_ordinal: 1, segment, offset }
}

#[test]
fn verify_names_the_place_of_any_flipped_bit() {
    let built = build();
    assert_eq!(verify(&built.disk, |_| {}).unwrap().records, 24);
    let last_segment = built.groups.last().unwrap().locators[0].segment;
    let mut dice = Dice::new(7);
    for segment in 1..=last_segment {
        let records = built.groups.iter().flat_map(|group| &group.locators).filter(|l| l.segment == segment);
        let end = records.map(|l| l.offset + 8 + 49 + 301).max().unwrap();
        for offset in 0..end {
            let bits = 1 << dice.upto(7);
            built.flip(segment, offset, bits);
            let bad = first_bad(&built.disk).unwrap_or_else(|| panic!("{segment} {offset} is not noticed"));
            let owner = built.owner(segment, offset);
            // Padding between groups is reported where it is.
            let place = if bad.reason == Reason::StrayBytes { offset & !7..=offset } else { owner..=owner };
            assert!(
                bad.at.segment == segment && place.contains(&bad.at.offset),
                "{offset}: {bad}, owner {owner}"
            );
            built.flip(segment, offset, bits);
        }
        // Space that no group has used must be zero, where nothing is written any more.
        if segment < last_segment {
            built.flip(segment, 4090, 1);
            assert_eq!(
                first_bad(&built.disk),
                Some(FirstBad { at: at(segment, 4090), reason: Reason::StrayBytes })
            );
            built.flip(segment, 4090, 1);
        }
    }
    assert_eq!(first_bad(&built.disk), None);
}

#[test]
fn a_forged_record_with_right_checksums_breaks_the_chain() {
    let built = build();
    let record = built.groups[5].locators[0];
    let file = built.disk.open(&Built::path(record.segment), Access::ReadWrite).unwrap();
    let mut frame = vec![0; 8 + 49 + 300];
    file.read_at(&mut frame, record.offset.into()).unwrap();
    frame[100] ^= 1;
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..]);
    frame[4..8].copy_from_slice(&checksum.to_le_bytes());
    file.write_at(&frame, record.offset.into()).unwrap();
    assert_eq!(first_bad(&built.disk), Some(FirstBad { at: record, reason: Reason::RecordHash }));
}

#[test]
fn opening_tells_damage_from_a_torn_tail_and_touches_only_the_latter() {
    let head = build().groups.last().unwrap().head;
    let last = build().groups[11].locators[0];
    let before = build().groups[10].locators[0];
    assert_eq!(last.segment, before.segment, "the last two groups share a segment");
    for (place, evidence, damaged) in [
        // The last group, and nobody saw it.
        (last, None, false),
        // The last group, and somebody saw it.
        (last, Some(head.evidence()), true),
        // The group before: the last one follows it.
        (before, None, true),
    ] {
        for offset in [place.offset - GROUP_HEADER, place.offset - 40, place.offset, place.offset + 99] {
            let built = build();
            built.disk.remove("journal/stop.seal").unwrap();
            built.flip(place.segment, offset, 0x80);
            let bytes = built.disk.read_all(&Built::path(place.segment), 1 << 20).unwrap();
            let evidence: Vec<Evidence> = evidence.into_iter().collect();
            let (mut journal, opened) = Journal::open(built.disk.clone(), OPTIONS, &evidence).unwrap();
            let after = built.disk.read_all(&Built::path(place.segment), 1 << 20).unwrap();
            if !damaged {
                let Outcome::TornTail { kept_aside: Some(path), .. } = opened.outcome else {
                    panic!("{opened:?}");
                };
                let start = (place.offset - GROUP_HEADER) as usize;
                let aside = built.disk.read_all(&path, 1 << 20).unwrap();
                assert_eq!(aside, bytes[start..start + aside.len()]);
                assert!(bytes[start + aside.len()..].iter().all(|byte| *byte == 0));
                assert!(after[start..].iter().all(|byte| *byte == 0));
                assert_eq!(opened.head, Some(built.groups[10].head));
                journal.append(&[b"on"], Room::Ordinary).unwrap();
                assert_eq!(verify(&built.disk, |_| {}).unwrap().records, 23);
                continue;
            }
            let Outcome::Damaged { bad, evidence: proof } = opened.outcome else { panic!("{opened:?}") };
            assert_eq!((bad.at.segment, proof), (place.segment, evidence.first().copied()));
            assert_eq!(bytes, after);
            // The shop goes on in a new epoch, from the last good record.
            let parent = opened.head.unwrap().evidence();
            journal.start_epoch(Some(parent)).unwrap();
            journal.append(&[b"on"], Room::Ordinary).unwrap();
            let records =
                journal.reader().records_from(Start::Beginning).unwrap().map(|record| record.unwrap());
            assert_eq!(records.count() as u64, parent.position.seq + 1);
            drop(journal);
            let (_, opened) = Journal::open(built.disk.clone(), OPTIONS, &evidence).unwrap();
            assert_eq!(opened.outcome, Outcome::Clean);
            let report = verify(&built.disk, |_| {}).unwrap();
            assert_eq!(report.records, parent.position.seq + 1);
            assert_eq!(bytes, built.disk.read_all(&Built::path(place.segment), 1 << 20).unwrap());
        }
    }
}

#[test]
fn beside_a_writer_an_unfinished_group_is_the_end_and_no_damage() {
    let built = build();
    let last = built.groups[11].locators[1];
    built.flip(last.segment, last.offset + 60, 1);
    let unfinished = Some((last, Reason::RecordChecksum));
    assert!(first_bad(&built.disk).is_some(), "after a clean stop nothing is unfinished");
    built.disk.remove("journal/stop.seal").unwrap();
    let mut records = Reader::open(built.disk.clone()).records_from(Start::Beginning).unwrap();
    assert_eq!(records.by_ref().filter(Result::is_ok).count(), 22);
    let report = verify(&built.disk, |_| {}).unwrap();
    assert_eq!((report.records, report.unfinished.map(|bad| (bad.at, bad.reason))), (22, unfinished));
    // The writer finishes it.
    built.flip(last.segment, last.offset + 60, 1);
    assert_eq!(records.filter(Result::is_ok).count(), 2);
}

#[test]
fn a_hole_of_zeros_before_a_good_group_is_damage() {
    let built = build();
    built.disk.remove("journal/stop.seal").unwrap();
    let (from, to) = (built.groups[10].locators[0], built.groups[11].locators[0]);
    let file = built.disk.open(&Built::path(from.segment), Access::ReadWrite).unwrap();
    file.write_at(&vec![0; (to.offset - from.offset) as usize], u64::from(from.offset - GROUP_HEADER))
        .unwrap();
    let bad = FirstBad { at: at(from.segment, from.offset - GROUP_HEADER), reason: Reason::GroupHeader };
    assert_eq!(first_bad(&built.disk), Some(bad));
    let (_, opened) = Journal::open(built.disk.clone(), OPTIONS, &[]).unwrap();
    assert_eq!(opened.outcome, Outcome::Damaged { bad, evidence: None });
}

#[test]
fn evidence_that_the_journal_does_not_have_is_damage() {
    let built = build();
    let head = built.groups[11].head.evidence();
    let old = built.groups[0].head.evidence();
    let other_hash = |evidence: Evidence| Evidence { hash: [1; 32], ..evidence };
    let mut later = head;
    later.position.seq += 1;
    let mut stranger = head;
    stranger.position.epoch = EpochId(0x1234);
    for (given, reason) in [
        (other_hash(head), Reason::EvidenceDiffers(other_hash(head))),
        (other_hash(old), Reason::EvidenceDiffers(other_hash(old))),
        (later, Reason::EvidenceMissing(later)),
        (stranger, Reason::EvidenceMissing(stranger)),
    ] {
        let (_, opened) = Journal::open(built.disk.clone(), OPTIONS, &[head, given]).unwrap();
        let Outcome::Damaged { bad, evidence } = opened.outcome else { panic!("{opened:?}") };
        assert_eq!((bad.reason, evidence), (reason, Some(given)));
    }
    let (_, opened) = Journal::open(built.disk.clone(), OPTIONS, &[head, old]).unwrap();
    assert_eq!(opened.outcome, Outcome::SealedStop);
}

#[test]
fn missing_segments_are_named() {
    for missing in 1..=2 {
        let built = build();
        built.disk.remove(&Built::path(missing)).unwrap();
        let bad = FirstBad { at: at(missing, 0), reason: Reason::SegmentMissing };
        assert_eq!(first_bad(&built.disk), Some(bad));
        let (_, opened) = Journal::open(built.disk, OPTIONS, &[]).unwrap();
        assert_eq!(opened.outcome, Outcome::Damaged { bad, evidence: None });
    }
}

#[test]
fn a_reader_reports_damage_in_the_middle_and_never_skips_it() {
    let built = build();
    let place = built.groups[4].locators[1];
    built.flip(place.segment, place.offset + 80, 4);
    let mut records = Reader::open(built.disk.clone()).records_from(Start::Beginning).unwrap();
    for _ in 0..8 {
        records.next().unwrap().unwrap();
    }
    let error = records.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
    assert!(records.next().is_none());
    let error = Reader::open(built.disk.clone()).read(place).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
    assert!(Reader::open(built.disk).read(built.groups[5].locators[0]).is_ok());
}

/// Any bytes in place of the files: opening, reading and checking answer, and do not panic.
#[test]
fn who_asks_for_it_gets_what_follows_the_damage() {
    let built = build();
    let (mut journal, _) = Journal::open(built.disk.clone(), OPTIONS, &[]).unwrap();
    let head = journal.head().unwrap();
    journal.start_epoch_as(EpochId(0xdcba), Some(head.evidence())).unwrap();
    journal.append(&[&[99; 300]], Room::Ordinary).unwrap();
    journal.close().unwrap();
    let seen_past = |segment: u32, offset: u32| {
        built.flip(segment, offset, 0x10);
        let mut records = Reader::open(built.disk.clone()).records_from(Start::Beginning).unwrap();
        let (mut bodies, mut flaws) = (Vec::new(), 0);
        loop {
            match records.next() {
                Some(Ok((_, record))) => bodies.push(record.body[0]),
                Some(Err(pos_journal::ReadError::Damaged(bad))) => {
                    flaws += 1;
                    assert!(records.go_on_behind(&bad).unwrap(), "an epoch follows");
                }
                Some(Err(error)) => panic!("{error}"),
                None => break,
            }
        }
        built.flip(segment, offset, 0x10);
        (bodies, flaws)
    };
    let twice = |range: std::ops::Range<u8>| range.flat_map(|n| [n, n]).collect::<Vec<_>>();
    // In the third group: the rest of its segment is lost, the other two are not.
    let third = built.groups[2].locators[0];
    assert_eq!(seen_past(1, third.offset + 60), ([twice(0..2), twice(4..12), vec![99]].concat(), 1));
    assert_eq!(seen_past(2, 10), ([twice(0..4), twice(8..12), vec![99]].concat(), 1), "a segment's header");
    assert_eq!(seen_past(3, 10), ([twice(0..8), vec![99]].concat(), 1), "the last one's");
}

#[test]
fn garbage_is_answered() {
    let seed = std::env::var("TILLBOX_SEED").map_or(11, |text| text.parse().unwrap());
    println!("TILLBOX_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut damaged = 0;
    for round in 0..200 {
        let built = build();
        let segment = 1 + dice.upto(2) as u32;
        let file = built.disk.open(&Built::path(segment), Access::ReadWrite).unwrap();
        let length = 1 + dice.upto(900);
        let bytes: Vec<u8> = (0..length).map(|_| dice.any() as u8).collect();
        let at = if round % 2 == 0 { dice.upto(300) } else { dice.upto(4000) };
        file.write_at(&bytes, at as u64).unwrap();
        if dice.coin() {
            file.set_len(dice.upto(4096) as u64).unwrap();
        }
        let _ = verify(&built.disk, |_| {});
        if let Ok(records) = Reader::open(built.disk.clone()).records_from(Start::Beginning) {
            assert!(records.count() <= 25);
        }
        let (_, opened) = Journal::open(built.disk, OPTIONS, &[built.groups[11].head.evidence()]).unwrap();
        match opened.outcome {
            Outcome::Damaged { .. } => damaged += 1,
            // Where the garbage lies in segments that opening does not read, or in unused space.
            _ => assert_eq!(opened.head, Some(built.groups[11].head)),
        }
    }
    assert!(damaged > 20, "{damaged}");
}
