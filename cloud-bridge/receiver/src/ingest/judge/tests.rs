//! What a batch is to what is here, without a database.
#![allow(clippy::indexing_slicing, reason = "a test that looks at what is not there has failed")]

use pos_journal::Record;

use super::*;

const EPOCH: EpochId = EpochId(0xA1);

/// Records with one byte each.
fn chain(epoch: EpochId, first: Digest, bodies: &[u8]) -> Vec<Record> {
    let mut previous = first;
    let record = |(seq, body): (u64, &u8)| {
        let record = Record::new(Position { epoch, seq }, previous, vec![*body]).unwrap();
        previous = record.hash;
        record
    };
    (1..).zip(bodies).map(record).collect()
}

fn heads(records: &[Record]) -> BTreeMap<EpochId, Head> {
    let head = |record: &Record| Head { seq: record.seq, hash: record.hash, parent: None, series: 1 };
    records.last().map(|record| (record.epoch, head(record))).into_iter().collect()
}

fn batch(records: &[Record]) -> Batch {
    Batch { parent: None, records: records.to_vec() }
}

fn at(seq: u64) -> Position {
    Position { epoch: EPOCH, seq }
}

#[test]
fn what_is_next_is_taken_what_is_here_is_known_and_what_is_beyond_is_a_gap() {
    let all = chain(EPOCH, [0; 32], b"abcdef");
    let here = heads(&all[..3]);
    let judged = |from: usize, to: usize| judge(&batch(&all[from..to]), &here);
    assert_eq!(judged(3, 6), Judgement::Clear(Finding::Take { from: 0 }));
    assert_eq!(judged(1, 6), Judgement::Clear(Finding::Take { from: 2 }));
    assert_eq!(judged(0, 4), Judgement::Clear(Finding::Take { from: 3 }));
    assert_eq!(judged(0, 3), Judgement::Clear(Finding::Known(at(3))));
    assert_eq!(judged(4, 6), Judgement::Clear(Finding::Gap(at(3))));
    assert!(matches!(judged(0, 2), Judgement::Ask(Question { record, .. }) if record.position == at(2)));
    let nothing = BTreeMap::new();
    assert_eq!(judge(&batch(&all[..2]), &nothing), Judgement::Clear(Finding::Take { from: 0 }));
    assert_eq!(judge(&batch(&all[1..]), &nothing), Judgement::Clear(Finding::Gap(at(0))));
}

#[test]
fn what_contradicts_is_never_taken_nor_known() {
    let (all, other) = (chain(EPOCH, [0; 32], b"abcdef"), chain(EPOCH, [0; 32], b"abXdef"));
    let here = heads(&all[..4]);
    assert_eq!(
        judge(&batch(&other[4..]), &here),
        Judgement::Clear(Finding::Fork { at: at(5), why: OTHER_CHAIN })
    );
    for (from, to) in [(0, 3), (2, 4), (0, 6), (3, 5)] {
        let Judgement::Ask(question) = judge(&batch(&other[from..to]), &here) else { panic!("{from}..{to}") };
        // The record that is asked for is not the one that is here.
        let asked = &question.record;
        assert!(all.iter().all(|record| record.position() != asked.position || record.hash != asked.hash));
    }
}

#[test]
fn an_epoch_that_begins_must_continue_the_record_that_is_here_unless_it_is_not_here_yet() {
    let old = chain(EPOCH, [0; 32], b"abc");
    let parent = Evidence { position: at(3), hash: old[2].hash };
    let begun = Batch { parent: Some(parent), records: chain(EpochId(0xB2), parent.hash, b"xy") };
    assert_eq!(judge(&begun, &heads(&old[..2])), Judgement::Clear(Finding::Take { from: 0 }));
    let judged = judge(&begun, &heads(&old));
    let take = Finding::Take { from: 0 };
    assert_eq!(judged, Judgement::Ask(Question { record: parent, then: take, otherwise: OTHER_PARENT }));
}

#[test]
fn records_that_are_no_chain_are_refused_before_anything_is_asked() {
    let all = chain(EPOCH, [0; 32], b"abcd");
    let refused = |records: Vec<Record>, parent| check(&Batch { parent, records }).is_err();
    assert!(!refused(all.clone(), None));
    assert!(refused(vec![], None));
    assert!(refused(vec![all[0].clone(), all[2].clone()], None));
    assert!(refused(vec![all[1].clone(), all[0].clone()], None));
    let mut other = all.clone();
    other[2].previous = [7; 32];
    assert!(refused(other, None));
    let parent = Evidence { position: Position { epoch: EpochId(2), seq: 9 }, hash: [7; 32] };
    assert!(refused(all.clone(), Some(parent)));
    let zero = chain(EpochId(0), [0; 32], b"a");
    assert!(refused(zero, None));
}
