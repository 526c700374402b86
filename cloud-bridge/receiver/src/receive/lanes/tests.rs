//! Boxes whose batches come in any order, and what is done with them when, in virtual time.

use pos_journal::Record;

use super::*;

const SECOND: Micros = 1_000_000;
const EPOCH: EpochId = EpochId(7);

fn address(store: &str) -> Address {
    Address::new("acme", store, "box").unwrap()
}

/// Two records, of which this is the first.
fn batch(first: u64) -> Batch {
    let one = Record::new(Position { epoch: EPOCH, seq: first }, [0; 32], vec![1]).unwrap();
    let two = Record::new(Position { epoch: EPOCH, seq: first + 1 }, one.hash, vec![2]).unwrap();
    Batch { parent: None, records: vec![one, two] }
}

fn at(seq: u64) -> Position {
    Position { epoch: EPOCH, seq }
}

/// A database that has so many records, and what it makes of batches.
fn judge(have: &mut u64, batches: Vec<(Batch, u64)>) -> Vec<(Batch, u64, Verdict)> {
    let judged = batches.into_iter().map(|(batch, came_in)| {
        let (first, last) = (batch.records[0].seq, batch.records[1].seq);
        let verdict = if last <= *have {
            Verdict::Known(at(last))
        } else if first == *have + 1 {
            *have = last;
            Verdict::Taken(at(last))
        } else {
            Verdict::Gap { have: at(*have) }
        };
        (batch, came_in, verdict)
    });
    judged.collect()
}

fn numbers(batches: &[(Batch, u64)]) -> Vec<u64> {
    batches.iter().map(|(batch, _)| batch.records[0].seq).collect()
}

#[test]
fn a_boxs_batches_are_given_in_order_and_only_while_none_of_them_are_out() {
    let mut lanes = Lanes::default();
    for first in [3, 1, 5] {
        lanes.push(address("a"), batch(first), first);
    }
    lanes.push(address("b"), batch(1), 9);
    let (a, batches) = lanes.next(0).unwrap();
    assert_eq!((a.store(), numbers(&batches)), ("a", vec![1, 3, 5]));
    lanes.push(address("a"), batch(7), 7);
    let (b, others) = lanes.next(0).unwrap();
    assert_eq!(b.store(), "b");
    assert_eq!(lanes.next(0), None, "both are out");
    let mut have = 0;
    let round = lanes.done(&a, judge(&mut have, batches), 0);
    assert_eq!((round.acknowledged, round.taken, round.resend), (vec![at(6)], vec![1, 3, 5], None));
    assert_eq!(numbers(&lanes.next(0).unwrap().1), [7]);
    let round = lanes.done(&b, judge(&mut 0, others), 0);
    assert_eq!((round.acknowledged, round.taken), (vec![at(2)], vec![9]));
}

#[test]
fn what_comes_too_early_waits_for_what_another_receiver_has() {
    let mut lanes = Lanes::default();
    lanes.push(address("a"), batch(3), 3);
    let (a, batches) = lanes.next(0).unwrap();
    let mut have = 0;
    let round = lanes.done(&a, judge(&mut have, batches), 0);
    assert_eq!((round.acknowledged, round.taken, round.resend), (vec![], vec![], None));
    assert_eq!(lanes.next(0), None, "not at once");
    let soon = lanes.poll_timeout().unwrap();
    assert!(soon <= SECOND / 10);
    // The other receiver commits it.
    have = 2;
    let (a, batches) = lanes.next(soon).unwrap();
    let round = lanes.done(&a, judge(&mut have, batches), soon);
    assert_eq!((round.acknowledged, round.taken), (vec![at(4)], vec![3]));
    assert_eq!((lanes.waiting(), lanes.poll_timeout()), (0, None));
}

#[test]
fn what_was_missing_is_taken_at_once_when_it_comes() {
    let mut lanes = Lanes::default();
    lanes.push(address("a"), batch(3), 3);
    let (a, batches) = lanes.next(0).unwrap();
    let mut have = 0;
    lanes.done(&a, judge(&mut have, batches), 0);
    lanes.push(address("a"), batch(1), 1);
    let (a, batches) = lanes.next(0).unwrap();
    assert_eq!(numbers(&batches), [1, 3]);
    let round = lanes.done(&a, judge(&mut have, batches), 0);
    assert_eq!((round.acknowledged, round.taken), (vec![at(4)], vec![1, 3]));
}

#[test]
fn a_gap_that_stays_is_asked_for_once_in_five_seconds() {
    let mut lanes = Lanes::default();
    let (mut have, mut asked) = (0, Vec::new());
    let mut now = 0;
    while now < 12 * SECOND {
        if lanes.waiting() == 0 {
            lanes.push(address("a"), batch(3), 3);
            lanes.push(address("a"), batch(5), 5);
        }
        if let Some((a, batches)) = lanes.next(now) {
            let round = lanes.done(&a, judge(&mut have, batches), now);
            assert!(round.acknowledged.is_empty());
            if let Some(after) = round.resend {
                assert_eq!((after, round.taken), (at(0), vec![3, 5]));
                asked.push(now);
            }
        }
        now = lanes.poll_timeout().map_or(now, |at| at.max(now + 1));
    }
    assert_eq!(asked.len(), 2);
    assert!((GAP_PATIENCE..GAP_PATIENCE + SECOND).contains(&asked[0]), "{asked:?}");
}

#[test]
fn a_box_whose_gaps_close_again_and_again_is_not_asked() {
    let mut lanes = Lanes::default();
    let (mut have, mut now) = (0, 0);
    for first in (1..200).step_by(4) {
        // Each second batch comes later than the one after it.
        lanes.push(address("a"), batch(first + 2), first + 2);
        for late in [false, true] {
            if late {
                lanes.push(address("a"), batch(first), first);
            }
            let (a, batches) = lanes.next(now).unwrap();
            assert_eq!(lanes.done(&a, judge(&mut have, batches), now).resend, None);
        }
        now += SECOND;
    }
    assert_eq!(have, 202 - 2);
}

#[test]
fn a_lost_connection_forgets_what_waits_and_not_what_is_out() {
    let mut lanes = Lanes::default();
    lanes.push(address("a"), batch(1), 1);
    lanes.push(address("b"), batch(1), 2);
    let (a, batches) = lanes.next(0).unwrap();
    lanes.push(address("a"), batch(3), 3);
    lanes.forget();
    assert_eq!((lanes.waiting(), lanes.next(0)), (0, None));
    lanes.push(address("a"), batch(1), 4);
    assert_eq!(lanes.next(0), None, "it is still out");
    let mut have = 0;
    lanes.done(&a, judge(&mut have, batches), 0);
    let (a, batches) = lanes.next(0).unwrap();
    assert_eq!(lanes.done(&a, judge(&mut have, batches), 0).acknowledged, [at(2)]);
}

#[test]
fn a_fork_is_done_with_and_named() {
    let mut lanes = Lanes::default();
    lanes.push(address("a"), batch(1), 1);
    let (a, mut batches) = lanes.next(0).unwrap();
    let (batch, came_in) = batches.remove(0);
    let fork = Verdict::Fork { at: at(1), why: "another record is there" };
    let round = lanes.done(&a, vec![(batch, came_in, fork)], 0);
    assert_eq!((round.forks.len(), round.taken, round.acknowledged), (1, vec![1], vec![]));
}
