//! A box, a broker that lies, and a cloud, in virtual time.

use proptest::prelude::*;

use super::*;

const SECOND: Micros = 1_000_000;
/// Bytes of each record.
const RECORD: usize = 100;

const LIMITS: Limits = Limits {
    batch: 1_000,
    window: 5_000,
    linger: SECOND / 5,
    patience: 30 * SECOND,
    first_wait: SECOND / 2,
    longest_wait: 60 * SECOND,
};

fn at(seq: u64) -> Place {
    Place { epoch: 0, seq }
}

/// One that is connected, with so many records that wait.
fn connected(records: u64) -> Outbox {
    let mut outbox = Outbox::new(LIMITS, at(0), at(records), 0);
    assert_eq!(outbox.poll(0), Some(Todo::Connect));
    outbox.connected(0);
    outbox
}

/// Sends all that may be sent now; the places before each batch.
fn send(outbox: &mut Outbox, now: Micros) -> Vec<u64> {
    let mut begun = Vec::new();
    while let Some(Todo::Send { after, most }) = outbox.poll(now) {
        begun.push(after.seq);
        let records = u64::try_from(most / RECORD).unwrap();
        let last = Place { seq: (after.seq + records).min(outbox.head.seq), ..after };
        let bytes = usize::try_from(last.seq - after.seq).unwrap() * RECORD;
        outbox.sent(last, bytes, now);
    }
    begun
}

#[test]
fn a_window_is_sent_and_no_more_until_the_cloud_has_some() {
    let mut outbox = connected(100);
    assert_eq!(send(&mut outbox, 0), [0, 10, 20, 30, 40]);
    assert_eq!(outbox.acknowledged(at(15), true, 1), Acknowledged::Moved(at(15)));
    assert_eq!(send(&mut outbox, 1), [50], "a batch of which it has a half is still under way");
    assert_eq!(outbox.acknowledged(at(60), true, 2), Acknowledged::Moved(at(60)));
    assert_eq!(send(&mut outbox, 2), [60, 70, 80, 90]);
    assert_eq!(outbox.acknowledged(at(100), true, 3), Acknowledged::Moved(at(100)));
    let standing = outbox.standing();
    assert_eq!((standing.under_way, standing.behind_since), (0, None));
}

#[test]
fn what_is_new_waits_for_company_but_not_for_long() {
    let mut outbox = connected(0);
    outbox.grew(at(1), RECORD, SECOND);
    assert_eq!(outbox.poll(SECOND), None);
    assert_eq!(outbox.poll_timeout(), Some(SECOND + LIMITS.linger));
    assert_eq!(send(&mut outbox, SECOND + LIMITS.linger), [0]);
    // Ten fill a batch.
    for seq in 2..=11 {
        assert_eq!(outbox.poll(2 * SECOND), None, "{seq}");
        outbox.grew(at(seq), RECORD, 2 * SECOND);
    }
    assert_eq!(send(&mut outbox, 2 * SECOND), [1]);
}

#[test]
fn a_lost_connection_sends_all_again_and_waits_longer_each_time_it_fails() {
    let mut outbox = connected(30);
    assert_eq!(send(&mut outbox, 0), [0, 10, 20]);
    outbox.acknowledged(at(10), true, 0);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..9 {
        outbox.lost(255, now);
        let until = outbox.poll_timeout().unwrap();
        assert_eq!(outbox.poll(until - 1), None);
        assert_eq!(outbox.poll(until), Some(Todo::Connect));
        waits.push((until - now) / (SECOND / 2));
        now = until;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 120, 120]);
    outbox.connected(now);
    assert_eq!(send(&mut outbox, now), [10, 20], "the broker may have forgotten what it took");
    outbox.acknowledged(at(30), true, now);
    outbox.lost(0, now);
    assert_eq!(outbox.poll_timeout(), Some(now + SECOND / 4), "it was good: half of the first wait");
}

#[test]
fn a_connection_over_which_nothing_comes_back_is_given_up() {
    let mut outbox = connected(10);
    send(&mut outbox, 5);
    assert_eq!(outbox.poll_timeout(), Some(5 + LIMITS.patience));
    assert_eq!(outbox.poll(4 + LIMITS.patience), None);
    assert_eq!(outbox.poll(5 + LIMITS.patience), Some(Todo::Disconnect));
    assert_eq!(outbox.poll(6 + LIMITS.patience), Some(Todo::Disconnect), "until it is");
    // With nothing under way it may be quiet for ever.
    let mut idle = connected(0);
    assert_eq!((idle.poll(1_000 * SECOND), idle.poll_timeout()), (None, None));
}

#[test]
fn what_the_cloud_lost_is_sent_again_even_if_it_had_it() {
    let mut outbox = connected(20);
    assert_eq!(send(&mut outbox, 0), [0, 10]);
    outbox.acknowledged(at(20), true, SECOND);
    assert_eq!(outbox.poll(SECOND), None);
    // A batch was lost on the way.
    outbox.resend(at(20), SECOND);
    assert_eq!(outbox.poll(SECOND), None);
    // The cloud's database came back from a copy.
    outbox.resend(at(5), SECOND);
    assert_eq!(outbox.standing().acknowledged, at(5));
    assert_eq!(send(&mut outbox, SECOND), [5, 15]);
    assert_eq!(outbox.acknowledged(at(20), true, SECOND), Acknowledged::Moved(at(20)));
    // More than there is.
    outbox.resend(at(99), SECOND);
    assert_eq!((outbox.standing().acknowledged, outbox.poll(SECOND)), (at(20), None));
}

#[test]
fn an_acknowledgement_moves_the_cursor_only_to_what_the_journal_has() {
    let mut outbox = connected(30);
    assert_eq!(outbox.acknowledged(at(31), true, 0), Acknowledged::Unknown);
    assert_eq!(outbox.acknowledged(at(5), false, 0), Acknowledged::Unknown, "another box's");
    assert_eq!(outbox.acknowledged(at(0), true, 0), Acknowledged::Known);
    // The cursor was lost with the power, but the cloud knows.
    assert_eq!(outbox.acknowledged(at(20), true, 0), Acknowledged::Moved(at(20)));
    assert_eq!(send(&mut outbox, 0), [20]);
    assert_eq!(outbox.acknowledged(at(20), true, 0), Acknowledged::Known);
    outbox.grew(at(31), RECORD, 0);
    assert_eq!(outbox.acknowledged(at(31), true, 0), Acknowledged::Moved(at(31)));
    assert_eq!((outbox.standing().waiting, outbox.poll_timeout()), (0, None));
}

#[test]
fn while_it_is_paused_nothing_new_is_sent() {
    let mut outbox = connected(30);
    outbox.pause(true);
    assert_eq!((outbox.poll(SECOND), outbox.poll_timeout(), outbox.standing().paused), (None, None, true));
    outbox.pause(false);
    assert_eq!(send(&mut outbox, SECOND), [0, 10, 20]);
}

/// What the world does next.
#[derive(Debug, Clone)]
enum Step {
    /// The shop sells so much.
    Sell(u8),
    /// Time goes by.
    Wait(u32),
    /// The broker hands the next batch to the cloud, or one that it has handed over before.
    Deliver(bool),
    /// The cloud's word arrives.
    Acknowledge,
    /// The connection is lost, and what the broker had with it.
    Lose(u8),
    /// The daemon is killed: the cursor is what was stored.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..40_u8).prop_map(Step::Sell),
        4 => (0..20_000_000_u32).prop_map(Step::Wait),
        6 => any::<bool>().prop_map(Step::Deliver),
        4 => Just(Step::Acknowledge),
        2 => any::<u8>().prop_map(Step::Lose),
        1 => Just(Step::Restart),
    ]
}

/// A box, its broker and the cloud.
struct World {
    outbox: Outbox,
    now: Micros,
    head: u64,
    /// What is stored on the box.
    cursor: Place,
    /// Batches that the broker has: the place before, and the last.
    broker: VecDeque<(u64, u64)>,
    handed: Vec<(u64, u64)>,
    /// How far the cloud has the journal, without a gap.
    cloud: u64,
}

impl World {
    fn new() -> Self {
        let outbox = Outbox::new(LIMITS, at(0), at(0), 0);
        let (broker, handed) = (VecDeque::new(), Vec::new());
        Self { outbox, now: 0, head: 0, cursor: at(0), broker, handed, cloud: 0 }
    }

    /// The box does what is to be done.
    fn work(&mut self) {
        while let Some(todo) = self.outbox.poll(self.now) {
            match todo {
                Todo::Connect => self.outbox.connected(self.now),
                Todo::Disconnect => self.lose(7),
                Todo::Send { after, most } => {
                    let records = u64::try_from(most / RECORD).unwrap();
                    let last = (after.seq + records).min(self.head);
                    assert!(last > after.seq, "there is something to send");
                    self.broker.push_back((after.seq, last));
                    let bytes = usize::try_from(last - after.seq).unwrap() * RECORD;
                    self.outbox.sent(at(last), bytes, self.now);
                }
            }
            let standing = self.outbox.standing();
            assert!(standing.under_way <= LIMITS.window + LIMITS.batch, "{standing:?}");
        }
    }

    fn lose(&mut self, chance: u8) {
        self.broker.clear();
        self.outbox.lost(chance, self.now);
    }

    fn deliver(&mut self, again: bool) {
        let batch = if again { self.handed.last().copied() } else { self.broker.pop_front() };
        let Some((after, last)) = batch else { return };
        self.handed.push((after, last));
        // One behind a gap is asked for again, which the next connection does.
        if after <= self.cloud {
            self.cloud = self.cloud.max(last);
        }
    }

    fn acknowledge(&mut self) {
        if let Acknowledged::Moved(place) = self.outbox.acknowledged(at(self.cloud), true, self.now) {
            assert!(place.seq <= self.cloud && place > self.cursor, "never beyond what the cloud has");
            self.cursor = place;
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Sell(records) => {
                self.head += u64::from(*records);
                self.outbox.grew(at(self.head), usize::from(*records) * RECORD, self.now);
            }
            Step::Wait(micros) => self.now += u64::from(*micros),
            Step::Deliver(again) => self.deliver(*again),
            Step::Acknowledge => self.acknowledge(),
            Step::Lose(chance) => self.lose(*chance),
            Step::Restart => {
                self.broker.clear();
                self.outbox = Outbox::new(LIMITS, self.cursor, at(self.head), self.now);
            }
        }
        self.work();
    }
}

proptest! {
    #[test]
    fn whatever_the_link_does_the_cloud_has_all_in_the_end(steps in proptest::collection::vec(step(), 0..300)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        // The weather clears up.
        for _ in 0..10_000 {
            if world.cursor == at(world.head) {
                break;
            }
            world.deliver(false);
            world.acknowledge();
            if let Some(at) = world.outbox.poll_timeout().filter(|_| world.broker.is_empty()) {
                world.now = world.now.max(at);
            }
            world.work();
        }
        prop_assert_eq!((world.cursor, world.cloud), (at(world.head), world.head));
        let standing = world.outbox.standing();
        prop_assert_eq!((standing.under_way, standing.waiting, standing.behind_since), (0, 0, None));
    }
}
