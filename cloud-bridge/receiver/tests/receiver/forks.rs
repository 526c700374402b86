//! What contradicts goes into quarantine, and overwrites nothing.

use cloud_receiver::Verdict;
use pos_journal::{EpochId, Position};

use crate::server::Database;
use crate::shop::Shop;
use crate::tables::{self, address, assert_same, store_id};

/// Two boxes that went on with one epoch, as no box does: the disk was copied.
fn twins() -> (Shop, Shop) {
    let mut shop = Shop::new(0xA1);
    (0..5).for_each(|_| drop(shop.sell(&[("milk", 1_000)])));
    let mut twin = shop.clone().with_ids_from(1);
    (0..5).for_each(|_| drop(shop.sell(&[("milk", 1_000)])));
    (0..9).for_each(|_| drop(twin.sell(&[("wine", 1_000)])));
    (shop, twin)
}

#[tokio::test]
async fn other_records_with_the_same_numbers_are_a_fork_and_change_nothing() {
    let Some(database) = Database::new().await else { return };
    let ((shop, twin), address, mut ingest) = (twins(), address("corner"), database.ingest().await);
    ingest.take(&address, &[shop.all()]).await.unwrap();
    let mut before = tables::of(ingest.client(), &address).await;
    let (parts, both) = (shop.records.len() - 5, shop.records.len());
    let first = Position { epoch: shop.epoch, seq: parts as u64 + 1 };
    // All here; ends at the head; reaches beyond it; continues something else.
    for (from, to, at) in [
        (parts, both - 1, first.seq),
        (0, both, first.seq),
        (parts - 2, both + 2, first.seq),
        (both, both + 2, both as u64 + 1),
    ] {
        let verdicts = ingest.take(&address, &[twin.batch(from..to)]).await.unwrap();
        let [Verdict::Fork { at: found, .. }] = &verdicts[..] else { panic!("{verdicts:?}") };
        assert_eq!(*found, Position { seq: at, ..first });
    }
    let mut after = tables::of(ingest.client(), &address).await;
    assert_eq!(after.insert("quarantine", vec![]).unwrap().len(), 4);
    before.insert("quarantine", vec![]);
    assert_same(&before, &after, "after forks");
    // The box that was first goes on.
    let mut shop = shop;
    shop.sell(&[("pen", 1_000)]);
    let last = shop.records.last().unwrap().position();
    assert_eq!(ingest.take(&address, &[shop.batch(both..both + 1)]).await.unwrap(), [Verdict::Taken(last)]);
    assert_eq!(cloud_receiver::verify(ingest.client(), None).await.unwrap().flaws, []);
}

#[tokio::test]
async fn what_is_quarantined_can_be_read_is_kept_once_and_has_a_bound() {
    let Some(database) = Database::new().await else { return };
    let ((shop, mut twin), address, mut ingest) = (twins(), address("corner"), database.ingest().await);
    ingest.take(&address, &[shop.all()]).await.unwrap();
    let from = shop.records.len();
    while twin.records.len() < from + 70 {
        twin.sell(&[("wine", 1_000)]);
    }
    let fork = twin.batch(from..from + 2);
    for _ in 0..3 {
        ingest.take(&address, std::slice::from_ref(&fork)).await.unwrap();
    }
    let row =
        ingest.client().query_one("SELECT envelope, times, why, box FROM quarantine", &[]).await.unwrap();
    assert_eq!(cloud_bridge::Batch::decode(row.get(0)).unwrap(), fork);
    assert_eq!((row.get::<_, i64>(1), row.get::<_, &str>(3)), (3, "box-1"));
    assert!(row.get::<_, &str>(2).starts_with(&fork.first().unwrap().to_string()));
    for end in 1..=70 {
        ingest.take(&address, &[twin.batch(from..from + end)]).await.unwrap();
    }
    assert_eq!(tables::count(ingest.client(), &address, "quarantine").await, 64);
    let store = store_id(ingest.client(), &address).await;
    let forks = ingest.client().query_one("SELECT forks FROM stores WHERE id = $1", &[&store]).await.unwrap();
    assert_eq!(forks.get::<_, i64>(0), 73);
}

#[tokio::test]
async fn an_epoch_that_continues_another_record_than_the_one_here_is_a_fork() {
    let Some(database) = Database::new().await else { return };
    let ((shop, mut twin), address, mut ingest) = (twins(), address("corner"), database.ingest().await);
    ingest.take(&address, &[shop.all()]).await.unwrap();
    twin.records.truncate(shop.records.len());
    twin.new_epoch(0xB2);
    let verdicts = ingest.take(&address, &[twin.all()]).await.unwrap();
    assert!(
        matches!(&verdicts[..], [Verdict::Fork { at, .. }] if *at == Position { epoch: EpochId(0xB2), seq: 1 })
    );
    assert_eq!(tables::count(ingest.client(), &address, "heads").await, 1);
}

#[tokio::test]
async fn a_fork_stops_neither_the_batches_beside_it_nor_other_stores() {
    let Some(database) = Database::new().await else { return };
    let ((shop, twin), address, mut ingest) = (twins(), address("corner"), database.ingest().await);
    let half = shop.records.len() - 2;
    let verdicts = ingest.take(&address, &[shop.batch(0..half), twin.all(), shop.all()]).await.unwrap();
    let last = shop.records.last().unwrap().position();
    assert!(
        matches!(&verdicts[..], [Verdict::Taken(_), Verdict::Fork { .. }, Verdict::Taken(end)] if *end == last)
    );
    let other = tables::address("other");
    assert!(matches!(&ingest.take(&other, &[twin.all()]).await.unwrap()[..], [Verdict::Taken(_)]));
}
