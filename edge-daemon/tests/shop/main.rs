//! The shop without its doors: opens, sells, stops, crashes, loses its views, and is the same shop after all of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod views;

use std::path::Path;
use std::sync::Arc;

use edge_daemon::checkout::{CommandKey, Done, OpenOptions, Origin, Running, Shop, SubmitError, open};
use edge_daemon::clock::SystemClock;
use pos_domain::command::{Command, ItemRef, LineDraft, ProductDraft, SaleDraft, TenderDraft};
use pos_domain::money::{Currency, Money};
use pos_domain::quantity::Quantity;
use pos_domain::sale::Kind;
use pos_domain::store::StoreConfig;
use pos_domain::tax::{Rate, TaxClass, TaxMode, TaxRounding};
use pos_domain::tender::Method;
use pos_domain::time::FixedZone;
use pos_journal::codec::state_digest;
use uuid::Uuid;

fn store() -> Arc<StoreConfig> {
    Arc::new(StoreConfig {
        tenant: "acme".into(),
        store: "corner".into(),
        box_name: "box-1".into(),
        name: "Corner Shop".into(),
        address: vec![],
        footer: vec![],
        currency: Currency::EUR,
        time_zone: "UTC".into(),
        cut_off_minutes: 240,
        tax_mode: TaxMode::Inclusive,
        tax_rounding: TaxRounding::Line,
        tax_classes: vec![TaxClass::new("standard", Rate(20_000))],
        cash_increment: 1,
        require_shift: false,
        unlinked_cash_limit: None,
        embedded: Default::default(),
        loyalty: None,
    })
}

fn open_shop(root: &Path) -> (Shop, Running) {
    let options = OpenOptions {
        root: root.to_owned(),
        segment_bytes: 1 << 20,
        cache_bytes: 16 << 20,
        store: store(),
        zone: Arc::new(FixedZone(0)),
        clock: Arc::new(SystemClock::new()),
    };
    open(options).unwrap()
}

fn add_products(shop: &Shop, count: usize) {
    let products = (0..count)
        .map(|number| ProductDraft {
            sku: format!("sku-{number}"),
            name: Some(format!("Thing {number}")),
            price: Some(Money(100 + number as i64)),
            tax_class: Some("standard".into()),
            ..ProductDraft::default()
        })
        .collect();
    shop.submit_blocking(None, Command::PutProducts { products, if_version: None }, Origin::default())
        .unwrap();
}

fn draft(id: Uuid, items: &[usize], cash: i64) -> SaleDraft {
    let line = |number: &usize| LineDraft {
        item: ItemRef::Sku(format!("sku-{number}")),
        quantity: Some(Quantity::ONE),
        discount: None,
        reason: None,
        as_sold: None,
        original_reference: None,
    };
    SaleDraft {
        id,
        kind: Kind::Sale,
        terminal: "till-1".into(),
        cashier: None,
        customer: None,
        started_at: None,
        provisional_number: None,
        training: false,
        lines: items.iter().map(line).collect(),
        discount: None,
        reason: None,
        tenders: vec![TenderDraft {
            method: Method::Cash,
            amount: Money(cash),
            reference: None,
            foreign: None,
        }],
    }
}

fn key_of(id: Uuid) -> CommandKey {
    let mut request = [7; 32];
    request[..16].copy_from_slice(id.as_bytes());
    CommandKey { key: *id.as_bytes(), request }
}

fn sell(shop: &Shop, id: Uuid) -> Result<Done, SubmitError> {
    shop.submit_blocking(Some(key_of(id)), Command::Sell(draft(id, &[0, 1, 2], 1000)), Origin::default())
}

#[test]
fn sells_and_finds_it_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running) = open_shop(folder.path());
    add_products(&shop, 500);
    let id = Uuid::now_v7();
    let done = sell(&shop, id).unwrap();
    let receipt = done.sale().unwrap().receipt.unwrap();
    assert_eq!(receipt.to_string(), "01-000001");
    assert_eq!(shop.sale(id).unwrap().unwrap().total, Money(303));
    let digest = state_digest(&shop.state()).unwrap();
    running.stop().unwrap();
    drop(shop);

    let (shop, running) = open_shop(folder.path());
    assert_eq!(state_digest(&shop.state()).unwrap(), digest);
    assert_eq!(shop.sale_by_receipt(receipt).unwrap().unwrap().id, id);
    let again = sell(&shop, id).unwrap();
    assert!(again.repeated);
    assert_eq!(again.position, done.position);
    assert_eq!(again.events, done.events);
    let other = Command::Sell(draft(id, &[0], 1000));
    let reused =
        shop.submit_blocking(Some(CommandKey { request: [1; 32], ..key_of(id) }), other, Origin::default());
    assert!(matches!(reused, Err(SubmitError::KeyReused)));
    let next = sell(&shop, Uuid::now_v7()).unwrap();
    assert_eq!(next.sale().unwrap().receipt.unwrap().to_string(), "01-000002");
    running.stop().unwrap();
}

#[test]
fn a_state_made_by_replay_alone_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running) = open_shop(folder.path());
    add_products(&shop, 50);
    for _ in 0..200 {
        sell(&shop, Uuid::now_v7()).unwrap();
    }
    let digest = state_digest(&shop.state()).unwrap();
    running.stop().unwrap();
    drop(shop);
    std::fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    let (shop, running) = open_shop(folder.path());
    assert_eq!(state_digest(&shop.state()).unwrap(), digest);
    running.stop().unwrap();
}

#[test]
fn old_damage_that_nobody_noticed_does_not_keep_the_shop_shut() {
    use std::os::unix::fs::FileExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (shop, running) = open_shop(folder.path());
    add_products(&shop, 500);
    let sold: Vec<Uuid> = (0..6_000).map(|_| Uuid::now_v7()).collect();
    std::thread::scope(|scope| {
        for part in sold.chunks(500) {
            let shop = &shop;
            scope.spawn(move || part.iter().for_each(|id| _ = sell(shop, *id).unwrap()));
        }
    });
    running.stop().unwrap();
    drop(shop);
    // Rot in the first of several segments, and everything gone that was made of it.
    let epoch = std::fs::read_dir(folder.path().join("journal")).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.file_name()?.to_str()?.starts_with("0001-").then_some(path)
    });
    let epoch = epoch.unwrap();
    assert!(std::fs::read_dir(&epoch).unwrap().count() > 2);
    let segment = std::fs::OpenOptions::new().write(true).open(epoch.join("00000001.seg")).unwrap();
    segment.write_all_at(&[0xAA; 64], 500_000).unwrap();
    for made in ["checkpoints", "views"] {
        std::fs::remove_dir_all(folder.path().join(made)).unwrap();
    }
    let (shop, running) = open_shop(folder.path());
    let alarms = shop.condition().alarms;
    assert!(alarms.iter().any(|alarm| alarm.contains("damaged") && alarm.contains("segment")), "{alarms:?}");
    let new = Uuid::now_v7();
    let begun = std::time::Instant::now();
    let done = loop {
        match sell(&shop, new) {
            Ok(done) => break done,
            Err(SubmitError::NotReady(_)) => assert!(begun.elapsed().as_secs() < 60),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(done.sale().unwrap().receipt.unwrap().to_string(), "02-000001", "a new epoch");
    // What was sold last stands behind the damage.
    let last = shop.sale(*sold.last().unwrap());
    assert!(matches!(last, Ok(Some(_)) | Err(_)), "{last:?}");
    while shop.condition().rebuilding.is_some() {
        std::thread::yield_now();
    }
    let found = sold.iter().filter(|id| shop.sale(**id).unwrap().is_some()).count();
    assert!((3_000..6_000).contains(&found), "{found} of 6,000 found");
    running.stop().unwrap();
}

#[test]
fn the_same_sale_at_once_from_many_sides_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running) = open_shop(folder.path());
    add_products(&shop, 5);
    let id = Uuid::now_v7();
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let shop = shop.clone();
            std::thread::spawn(move || sell(&shop, id).unwrap())
        })
        .collect();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(answers.iter().filter(|done| !done.repeated).count(), 1);
    assert!(answers.iter().all(|done| done.events == answers[0].events));
    assert_eq!(shop.state().receipts, 1);
    running.stop().unwrap();
}
