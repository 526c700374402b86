//! How fast sales go in, beside bare `COPY` of the same rows into the same tables. A figure, not a promise:
//! `cargo test --release -p cloud-receiver -- --ignored --nocapture pace`.

use std::time::Instant;

use crate::server::Database;
use crate::shop::{PRODUCTS, Shop};
use crate::tables::{self, address};

const TABLES: [&str; 4] = ["records", "sales", "sale_items", "payments"];

#[tokio::test]
#[ignore = "takes minutes and promises nothing"]
async fn pace() {
    let Some(database) = Database::new().await else { return };
    let sales = std::env::var("TILLBOX_SALES")
        .map_or(20_000, |text| text.parse().expect("TILLBOX_SALES is a number"));
    let mut shop = Shop::new(0xA1);
    for number in 0..sales {
        shop.now += 1_000;
        let lines: Vec<_> = PRODUCTS.iter().skip(number % 3).map(|(sku, _)| (*sku, 1_000)).collect();
        shop.sell(&lines);
    }
    let mut ingest = database.ingest().await;
    for size in [10, 100, 1_000, 5_000] {
        let address = address(&format!("batches-of-{size}"));
        let begin = Instant::now();
        for from in (0..shop.records.len()).step_by(size) {
            let batch = shop.batch(from..(from + size).min(shop.records.len()));
            ingest.take(&address, &[batch]).await.unwrap();
        }
        told(&format!("batches of {size}"), sales, begin);
        assert_eq!(tables::count(ingest.client(), &address, "sales").await, sales);
    }
    let (client, bare) = (ingest.client(), Database::new().await.unwrap());
    let store = tables::store_id(client, &address("batches-of-1000")).await;
    let other = bare.client().await;
    let folder = database.folder().display();
    for table in TABLES {
        let rows = format!(
            "COPY (SELECT * FROM {table} WHERE store_id = {store}) TO '{folder}/{table}' (FORMAT binary)"
        );
        client.batch_execute(&rows).await.unwrap();
    }
    let begin = Instant::now();
    for table in TABLES {
        other.batch_execute(&format!("COPY {table} FROM '{folder}/{table}' (FORMAT binary)")).await.unwrap();
    }
    told("bare COPY from files", sales, begin);
}

fn told(what: &str, sales: usize, begin: Instant) {
    let seconds = begin.elapsed().as_secs_f64();
    println!("{what}: {:.0} sales a second", sales as f64 / seconds);
}
