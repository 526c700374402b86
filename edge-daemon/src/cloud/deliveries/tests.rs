//! Deliveries without a broker: taken whole, acknowledged after the disk, refused without harm.

use cloud_bridge::delivery::{NextPrice, cut};
use cloud_bridge::mqtt::With;
use tempfile::TempDir;

use super::*;
use crate::checkout::Running;
use crate::clock::HandClock;
use crate::trial;

struct Store {
    shop: Shop,
    running: Running,
    clock: HandClock,
    deliveries: Deliveries,
    refusals: Refusals,
}

impl Store {
    fn open(folder: &TempDir) -> Self {
        let (shop, running, clock) = tokio::task::block_in_place(|| trial::open(folder.path()));
        let refusals = Refusals::default();
        let deliveries = Deliveries::new(shop.clone(), refusals.clone());
        Self { shop, running, clock, deliveries, refusals }
    }

    fn close(self) {
        drop(self.deliveries);
        tokio::task::block_in_place(|| self.running.stop()).unwrap();
    }

    /// How many messages were acknowledged.
    async fn send(&mut self, collection: &str, payload: &[u8]) -> usize {
        let topic = format!("pos/v1/acme/corner/box-1/down/{collection}");
        let answers = self.deliveries.take(collection, Message::of(&topic, payload, With::default())).await;
        assert!(answers.iter().all(|answer| answer.said.is_none() && answer.taken.is_some()));
        answers.len()
    }

    async fn deliver(&mut self, version: u64, base: Option<u64>, documents: &[ProductDocument]) -> usize {
        let mut taken = 0;
        for chunk in cut(version, base, documents, 400).unwrap() {
            taken += self.send(PRODUCTS, &chunk.encode().unwrap()).await;
        }
        taken
    }

    fn at(&self) -> i64 {
        self.shop.now().time.0
    }

    fn price(&self, sku: &str) -> Option<i64> {
        Some(self.shop.state().catalog.by_sku(sku)?.price.0)
    }

    fn version(&self) -> Option<u64> {
        self.shop.state().collections.get(PRODUCTS).copied()
    }
}

fn product(sku: &str, price: i64, at: i64) -> ProductDocument {
    ProductDocument {
        sku: sku.into(),
        at,
        name: Some(sku.into()),
        price: Some(price),
        tax_class: Some("standard".into()),
        ..ProductDocument::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_are_acknowledged_once_the_whole_is_on_disk_and_it_survives_a_restart() {
    let folder = TempDir::new().unwrap();
    let mut store = Store::open(&folder);
    let documents: Vec<_> = (0..20).map(|n| product(&format!("item-{n}"), n, store.at())).collect();
    let chunks = cut(3, None, &documents, 400).unwrap();
    assert!(chunks.len() > 3);
    let (last, first) = chunks.split_last().unwrap();
    for chunk in first {
        assert_eq!(store.send(PRODUCTS, &chunk.encode().unwrap()).await, 0);
    }
    assert_eq!((store.price("item-0"), store.version()), (None, None), "not before it is whole");
    assert_eq!(store.send(PRODUCTS, &last.encode().unwrap()).await, chunks.len());
    assert_eq!((store.price("item-19"), store.version()), (Some(19), Some(3)));
    store.close();
    let mut store = Store::open(&folder);
    assert_eq!((store.price("item-19"), store.version()), (Some(19), Some(3)));
    let records = store.shop.head().unwrap().position.seq;
    assert_eq!(store.deliver(3, None, &documents).await, chunks.len(), "it came again");
    assert_eq!((store.shop.head().unwrap().position.seq, store.refusals.count()), (records, 0));
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_is_refused_counted_and_acknowledged() {
    let folder = TempDir::new().unwrap();
    let mut store = Store::open(&folder);
    let records = store.shop.head().unwrap().position.seq;
    assert_eq!(store.send("promotions", b"{}").await, 1);
    for broken in [&b""[..], b"{}", b"\xff", &vec![b' '; (1 << 20) + 1]] {
        assert_eq!(store.send(PRODUCTS, broken).await, 1);
    }
    assert_eq!(store.deliver(3, Some(2), &[product("tea", 1, 1)]).await, 1, "another base");
    let mut chunk = cut(3, None, &[product("tea", 1, 1)], 1_000).unwrap().remove(0);
    chunk.data = chunk.data.replace("tea", "TEA");
    assert_eq!(store.send(PRODUCTS, &chunk.encode().unwrap()).await, 1, "another checksum");
    assert_eq!((store.refusals.count(), store.version()), (7, None));
    assert_eq!(store.shop.head().unwrap().position.seq, records);
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_read_is_named_and_the_rest_is_taken() {
    let folder = TempDir::new().unwrap();
    let mut store = Store::open(&folder);
    let good = serde_json::to_value(product("tea", 300, 1)).unwrap();
    let odd = serde_json::json!({ "sku": "odd", "at": 1, "price": "much" });
    let documents = [odd, serde_json::json!([1]), good];
    let mut happenings = store.shop.subscribe();
    for chunk in cut(1, None, &documents, 1_000).unwrap() {
        assert_eq!(store.send(PRODUCTS, &chunk.encode().unwrap()).await, 1);
    }
    assert_eq!((store.price("tea"), store.version()), (Some(300), Some(1)));
    let happening = happenings.recv().await.unwrap();
    let Event::ProductsDelivered(part) = &*happening.event else { panic!("{happening:?}") };
    let named: Vec<_> = part.refused.iter().map(|refused| &*refused.sku).collect();
    assert_eq!(named, ["odd", "[1]"]);
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_to_come_comes_into_force_by_itself() {
    let folder = TempDir::new().unwrap();
    let mut store = Store::open(&folder);
    let (at, from) = (store.at(), store.at() + 60_000);
    let tea = ProductDocument {
        next_price: Some(NextPrice { price: 350, valid_from: from }),
        ..product("tea", 300, at)
    };
    store.deliver(1, None, &[tea]).await;
    assert_eq!(store.price("tea"), Some(300));
    store.clock.advance(60_000);
    let begun = std::time::Instant::now();
    while store.price("tea") != Some(350) {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "never");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    store.close();
}
