//! Whatever is sent how often, in which pieces, in which order, by how many at once: each record counts once.

use std::collections::VecDeque;
use std::time::Duration;

use cloud_bridge::{Address, Batch};
use cloud_receiver::{Ingest, Verdict};
use pos_journal::Position;

use crate::dice::Dice;
use crate::server::Database;
use crate::shop::Shop;
use crate::tables::{self, address, assert_same};

/// Of a shop whose box was replaced once, and of a second box that went on from the same place.
fn lives(dice: &mut Dice) -> Vec<Shop> {
    let mut first = Shop::new(0xA1);
    first.live(dice, 150);
    let mut replaced = first.clone().with_ids_from(1);
    replaced.new_epoch(0xF200_0000_0000_0002);
    replaced.live(dice, 100);
    // The first box was not off after all.
    first.live(dice, 40);
    vec![first, replaced]
}

/// All of it, an epoch at a time.
async fn at_once(ingest: &mut Ingest, address: &Address, lives: &[Shop]) {
    for life in lives {
        let last = life.records.last().unwrap().position();
        assert_eq!(ingest.take(address, &[life.all()]).await.unwrap(), [Verdict::Taken(last)]);
    }
}

/// Pieces that together are all of it, some of them overlapping.
fn pieces(life: &Shop, dice: &mut Dice) -> Vec<Batch> {
    let (mut from, mut pieces) = (0, vec![]);
    while from < life.records.len() {
        let to = (from + 1 + dice.below(40)).min(life.records.len());
        let overlap = if dice.one_in(3) { dice.below(10).min(from) } else { 0 };
        pieces.push(life.batch(from - overlap..to));
        from = to;
    }
    pieces
}

#[tokio::test]
async fn all_of_it_again_is_known_and_changes_nothing() {
    let Some(database) = Database::new().await else { return };
    let mut dice = Dice::new("all of it again");
    let (lives, address, mut ingest) = (lives(&mut dice), address("corner"), database.ingest().await);
    at_once(&mut ingest, &address, &lives).await;
    let before = tables::of(ingest.client(), &address).await;
    for life in &lives {
        let pieces = pieces(life, &mut dice);
        let known: Vec<_> =
            pieces.iter().map(|batch| Verdict::Known(batch.last().unwrap().position)).collect();
        assert_eq!(ingest.take(&address, &pieces).await.unwrap(), known);
    }
    assert_same(&before, &tables::of(ingest.client(), &address).await, "again");
}

#[tokio::test]
async fn however_it_is_cut_repeated_and_mixed_up_the_tables_are_the_same() {
    let Some(database) = Database::new().await else { return };
    let cases =
        std::env::var("TILLBOX_SPLITS").map_or(8, |text| text.parse().expect("TILLBOX_SPLITS is a number"));
    let mut dice = Dice::new("cut, repeated and mixed up");
    let mut ingest = database.ingest().await;
    for case in 0..cases {
        let lives = lives(&mut dice);
        let (whole, cut) = (address(&format!("whole-{case}")), address(&format!("cut-{case}")));
        at_once(&mut ingest, &whole, &lives).await;
        let mut waiting: Vec<Batch> = lives.iter().flat_map(|life| pieces(life, &mut dice)).collect();
        let (mut delivered, mut gaps) = (VecDeque::new(), 0);
        while !waiting.is_empty() {
            // Mostly in order; with luck a gap is closed by one that comes later.
            let near = 4.min(waiting.len());
            let mut some = vec![];
            for _ in 0..(1 + dice.below(3)).min(waiting.len()) {
                some.push(waiting.remove(dice.below(near.min(waiting.len()))));
            }
            let verdicts = ingest.take(&cut, &some).await.unwrap();
            for (batch, verdict) in some.into_iter().zip(verdicts) {
                match verdict {
                    Verdict::Taken(_) | Verdict::Known(_) => delivered.push_back(batch),
                    Verdict::Gap { have } => {
                        assert!(have.seq + 1 < batch.first().unwrap().seq);
                        gaps += 1;
                        waiting.insert(dice.below(near.min(waiting.len())), batch);
                    }
                    Verdict::Fork { at, why } => panic!("{at}: {why}"),
                }
            }
            if dice.one_in(4)
                && let Some(again) = delivered.pop_front()
            {
                waiting.insert(0, again);
            }
        }
        let (whole, cut) =
            (tables::of(ingest.client(), &whole).await, tables::of(ingest.client(), &cut).await);
        assert_same(&whole, &cut, &format!("case {case}, {gaps} gaps"));
    }
}

#[tokio::test]
async fn two_receivers_at_once_for_one_box_leave_exact_rows() {
    let Some(database) = Database::new().await else { return };
    let mut dice = Dice::new("two receivers");
    let (lives, one, both) = (lives(&mut dice), address("one"), address("both"));
    let mut alone = database.ingest().await;
    at_once(&mut alone, &one, &lives).await;
    let mut receivers = vec![];
    for _ in 0..2 {
        let mut pieces: VecDeque<Batch> = lives.iter().flat_map(|life| pieces(life, &mut dice)).collect();
        let (mut ingest, address) = (database.ingest().await, both.clone());
        receivers.push(tokio::spawn(async move {
            let mut taken = 0;
            // What the other has not done yet is a gap: later, then.
            while let Some(batch) = pieces.pop_front() {
                match &ingest.take(&address, std::slice::from_ref(&batch)).await.unwrap()[..] {
                    [Verdict::Taken(_)] => taken += 1,
                    [Verdict::Known(_)] => {}
                    [Verdict::Gap { .. }] => pieces.push_back(batch),
                    other => panic!("{other:?}"),
                }
            }
            taken
        }));
    }
    for receiver in receivers {
        receiver.await.unwrap();
    }
    let (one, both) = (tables::of(alone.client(), &one).await, tables::of(alone.client(), &both).await);
    assert_same(&one, &both, "two at once");
}

#[tokio::test]
async fn a_store_is_one_receivers_at_a_time_and_stores_do_not_wait_for_each_other() {
    let Some(database) = Database::new().await else { return };
    let (shop, corner, other) = (Shop::new(0xA1), address("corner"), address("other"));
    let (mut ingest, client) = (database.ingest().await, database.client().await);
    ingest.take(&corner, &[shop.batch(0..1)]).await.unwrap();
    // As another receiver does that is in the middle of it.
    client
        .batch_execute("BEGIN; SELECT 1 FROM stores WHERE store = 'corner' FOR NO KEY UPDATE")
        .await
        .unwrap();
    assert!(matches!(&ingest.take(&other, &[shop.all()]).await.unwrap()[..], [Verdict::Taken(_)]));
    let rest = [shop.batch(1..3)];
    let mut waits = Box::pin(ingest.take(&corner, &rest));
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut waits).await.is_err());
    client.batch_execute("COMMIT").await.unwrap();
    assert!(matches!(&waits.await.unwrap()[..], [Verdict::Taken(_)]));
}

#[tokio::test]
async fn a_receiver_that_dies_after_the_commit_left_what_the_next_one_knows() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address) = (Shop::new(0xA1), address("corner"));
    shop.sell(&[("wine", 2_000)]);
    let last = shop.records.last().unwrap().position();
    let mut dies = database.ingest().await;
    assert_eq!(dies.take(&address, &[shop.all()]).await.unwrap(), [Verdict::Taken(last)]);
    drop(dies);
    let mut next = database.ingest().await;
    let before = tables::of(next.client(), &address).await;
    assert_eq!(next.take(&address, &[shop.all()]).await.unwrap(), [Verdict::Known(last)]);
    assert_same(&before, &tables::of(next.client(), &address).await, "after a death");
}

#[tokio::test]
async fn a_receiver_that_dies_anywhere_leaves_all_of_a_batch_or_nothing() {
    let Some(database) = Database::new().await else { return };
    let mut dice = Dice::new("dies anywhere");
    let mut shop = Shop::new(0xA1);
    shop.live(&mut dice, 120);
    let (whole, broken) = (address("whole"), address("broken"));
    let mut steady = database.ingest().await;
    at_once(&mut steady, &whole, std::slice::from_ref(&shop)).await;
    let mut deaths = 0;
    for piece in pieces(&shop, &mut dice) {
        for try_ in 0.. {
            let mut ingest = database.ingest().await;
            let patience = Duration::from_micros(300 * (1 + try_) + dice.below(2_000) as u64);
            // Dropped in the middle, with its connection.
            let pieces = [piece.clone()];
            let done = tokio::time::timeout(patience, ingest.take(&broken, &pieces)).await;
            match done {
                Ok(verdicts) => {
                    assert!(verdicts.unwrap().iter().all(|verdict| verdict.acknowledged().is_some()));
                    break;
                }
                Err(_) => deaths += 1,
            }
        }
    }
    println!("{deaths} deaths");
    let (whole, broken) =
        (tables::of(steady.client(), &whole).await, tables::of(steady.client(), &broken).await);
    assert_same(&whole, &broken, "after many deaths");
}

#[tokio::test]
async fn an_overlap_gives_what_is_new_and_a_gap_nothing() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    (0..10).for_each(|_| drop(shop.sell(&[("milk", 1_000)])));
    let at = |seq| Position { epoch: shop.epoch, seq };
    let take = async |ingest: &mut Ingest, batch| ingest.take(&address, &[batch]).await.unwrap().remove(0);
    assert_eq!(take(&mut ingest, shop.batch(3..5)).await, Verdict::Gap { have: at(0) });
    assert_eq!(tables::count(ingest.client(), &address, "heads").await, 0);
    assert_eq!(take(&mut ingest, shop.batch(0..5)).await, Verdict::Taken(at(5)));
    assert_eq!(take(&mut ingest, shop.batch(6..8)).await, Verdict::Gap { have: at(5) });
    assert_eq!(tables::count(ingest.client(), &address, "records").await, 5);
    assert_eq!(take(&mut ingest, shop.batch(2..8)).await, Verdict::Taken(at(8)));
    assert_eq!(take(&mut ingest, shop.batch(1..4)).await, Verdict::Known(at(4)));
    assert_eq!(tables::count(ingest.client(), &address, "records").await, 8);
    // A gap that the call itself closes, in the order in which it came.
    let batches = [shop.batch(10..11), shop.batch(8..10), shop.batch(8..9), shop.batch(10..11)];
    let verdicts = ingest.take(&address, &batches).await.unwrap();
    let want =
        [Verdict::Gap { have: at(8) }, Verdict::Taken(at(10)), Verdict::Known(at(9)), Verdict::Taken(at(11))];
    assert_eq!(verdicts, want);
}
