//! Several boxes, one after the other or, after a restore, beside each other: nothing is lost, nothing is counted twice, and it does
//! not matter whose records come first.

use cloud_receiver::{Ingest, Verdict};
use pos_domain::command::{Change, Command};

use crate::server::Database;
use crate::shop::{Shop, product, tender};
use crate::tables::{self, address, assert_same, store_id};
use pos_domain::tender::Method;

/// Takes both lives in both orders, and gives the connection and the store of one.
async fn either_order(database: &Database, one: &Shop, other: &Shop) -> Ingest {
    let mut ingest = database.ingest().await;
    let (first, second) = (address("corner"), address("mirror"));
    for (address, lives) in [(&first, [one, other]), (&second, [other, one])] {
        for life in lives {
            let verdicts = ingest.take(address, &[life.all()]).await.unwrap();
            assert!(matches!(&verdicts[..], [Verdict::Taken(_)]), "{verdicts:?}");
        }
    }
    let (a, b) = (tables::of(ingest.client(), &first).await, tables::of(ingest.client(), &second).await);
    assert_same(&a, &b, "in the other order");
    ingest
}

async fn stock(ingest: &Ingest, sku: &str) -> i64 {
    let store = store_id(ingest.client(), &address("corner")).await;
    let sql = "SELECT quantity_milli FROM stock WHERE store_id = $1 AND sku = $2";
    ingest.client().query_opt(sql, &[&store, &sku]).await.unwrap().map_or(0, |row| row.get(0))
}

async fn status(ingest: &Ingest, sale: uuid::Uuid) -> String {
    let store = store_id(ingest.client(), &address("corner")).await;
    let sql = "SELECT status FROM sales WHERE store_id = $1 AND id = $2";
    ingest.client().query_one(sql, &[&store, &sale]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_sale_that_was_taken_along_and_paid_on_the_new_box_is_one_sale() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let sale = old.ring(&[("wine", 2_000)]);
    old.change(sale, Change::Suspend);
    let mut new = old.clone();
    new.new_epoch(0xB2);
    new.change(sale, Change::Resume);
    new.pay(sale);
    let ingest = either_order(&database, &old, &new).await;
    assert_eq!((status(&ingest, sale).await.as_str(), stock(&ingest, "wine").await), ("completed", -2_000));
}

#[tokio::test]
async fn in_the_very_same_millisecond_the_receipt_series_tells_which_is_the_later() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let sale = old.ring(&[("wine", 2_000)]);
    old.change(sale, Change::Suspend);
    let mut new = old.clone();
    // Neither its number nor its records' would tell.
    new.new_epoch(0x02);
    new.change(sale, Change::Resume);
    let ingest = either_order(&database, &old, &new).await;
    assert_eq!(status(&ingest, sale).await, "open");
}

#[tokio::test]
async fn a_sale_that_both_boxes_completed_moves_goods_once_as_the_later_has_it() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let sale = old.ring(&[("wine", 2_000)]);
    let mut new = old.clone().with_ids_from(1);
    new.new_epoch(0xB2);
    old.now += 1_000;
    old.pay(sale);
    old.sell(&[("pen", 3_000)]);
    new.now += 2_000;
    new.run(Command::AddLines { sale, lines: vec![crate::shop::line("bread", 1_000)] });
    new.pay(sale);
    let ingest = either_order(&database, &old, &new).await;
    assert_eq!((stock(&ingest, "wine").await, stock(&ingest, "bread").await), (-2_000, -1_000));
    assert_eq!(stock(&ingest, "pen").await, -3_000, "what only the old box sold was sold");
}

#[tokio::test]
async fn a_sale_that_was_paid_stays_so_though_a_restored_box_gave_it_up_later() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let sale = old.ring(&[("wine", 2_000)]);
    let mut new = old.clone();
    new.new_epoch(0xB2);
    old.pay(sale);
    new.now += 60_000;
    new.change(sale, Change::Cancel);
    let ingest = either_order(&database, &old, &new).await;
    assert_eq!((status(&ingest, sale).await.as_str(), stock(&ingest, "wine").await), ("completed", -2_000));
}

#[tokio::test]
async fn a_sale_that_was_voided_after_the_backup_moves_nothing() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let sale = old.sell(&[("wine", 2_000)]).id;
    let mut new = old.clone();
    new.new_epoch(0xB2);
    new.sell(&[("pen", 1_000)]);
    old.now += 60_000;
    old.change(sale, Change::Void);
    let ingest = either_order(&database, &old, &new).await;
    assert_eq!((status(&ingest, sale).await.as_str(), stock(&ingest, "wine").await), ("voided", 0));
}

#[tokio::test]
async fn what_a_till_sends_again_to_the_restored_box_counts_once() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let mut new = old.clone();
    new.new_epoch(0xB2);
    let mut draft = old.draft(&[("cheese", 1_500)]);
    draft.tenders.push(tender(Method::Card, 1_935));
    let adjustment = Command::AdjustStock {
        id: old.id(),
        product: "milk".into(),
        change: "12".parse().unwrap(),
        reason: "delivery".into(),
        user: None,
        note: None,
    };
    for shop in [&mut old, &mut new] {
        shop.run(Command::Sell(draft.clone()));
        shop.run(adjustment.clone());
        shop.now += 10_000;
    }
    let ingest = either_order(&database, &old, &new).await;
    assert_eq!((stock(&ingest, "cheese").await, stock(&ingest, "milk").await), (-1_500, 12_000));
    let client = ingest.client();
    for (table, rows) in [("sales", 1), ("sale_items", 1), ("payments", 1), ("inventory_adjustments", 1)] {
        assert_eq!(tables::count(client, &address("corner"), table).await, rows, "{table}");
    }
}

#[tokio::test]
async fn two_products_that_got_one_number_are_two_products() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let mut new = old.clone().with_ids_from(1);
    new.new_epoch(0xB2);
    for (shop, sku) in [(&mut old, "tea"), (&mut new, "jam")] {
        shop.run(Command::PutProducts { products: vec![product(sku, 300)], if_version: None });
        shop.sell(&[(sku, 1_000)]);
    }
    let ingest = either_order(&database, &old, &new).await;
    assert_eq!((stock(&ingest, "tea").await, stock(&ingest, "jam").await), (-1_000, -1_000));
    let sql = "SELECT count(DISTINCT number) FROM products WHERE sku IN ('tea', 'jam')";
    assert_eq!(ingest.client().query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn the_newest_configuration_and_price_stand() {
    let Some(database) = Database::new().await else { return };
    let mut old = Shop::new(0xA1);
    let mut new = old.clone();
    new.new_epoch(0xB2);
    new.now += 10_000;
    new.run(Command::Configure(std::sync::Arc::new(pos_domain::store::StoreConfig {
        name: "Moved".into(),
        ..crate::shop::config()
    })));
    new.run(Command::PutProducts { products: vec![product("milk", 131)], if_version: None });
    old.run(Command::PutProducts { products: vec![product("milk", 125)], if_version: None });
    let ingest = either_order(&database, &old, &new).await;
    let sql = "SELECT t.name, p.price_minor FROM stores t JOIN products p ON p.store_id = t.id
        WHERE t.store = 'corner' AND p.sku = 'milk'";
    let row = ingest.client().query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1)), ("Moved", 131));
}
