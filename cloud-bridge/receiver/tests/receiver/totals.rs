//! What the tables say is what the domain says, which folds the same events in its own way.

use std::collections::BTreeMap;

use pos_domain::catalog::ProductId;
use pos_domain::quantity::Quantity;
use pos_domain::report::DayReport;
use pos_domain::sale::{Kind, Status};
use pos_domain::time::Date;
use uuid::Uuid;

use crate::dice::Dice;
use crate::server::Database;
use crate::shop::Shop;
use crate::tables::{address, store_id};

#[tokio::test]
async fn stock_points_and_days_are_those_of_the_domain() {
    let Some(database) = Database::new().await else { return };
    let (mut dice, mut ingest) = (Dice::new("the domain's totals"), database.ingest().await);
    for life in 0..3 {
        let address = address(&format!("store-{life}"));
        let mut shop = Shop::new(0xA1 + life);
        for epoch in 0..3 {
            if epoch > 0 {
                shop.new_epoch(0xE000 + 16 * life + epoch);
            }
            shop.live(&mut dice, 300);
            let mut from = 0;
            while from < shop.records.len() {
                let to = (from + 1 + dice.below(60)).min(shop.records.len());
                ingest.take(&address, &[shop.batch(from..to)]).await.unwrap();
                from = to;
            }
        }
        let store = store_id(ingest.client(), &address).await;
        let kinds: BTreeMap<&str, usize> = shop.sales.values().fold(BTreeMap::new(), |mut kinds, sale| {
            *kinds.entry(sale.status.name()).or_default() += 1;
            kinds
        });
        println!("{kinds:?}");
        stock(&ingest, store, &shop).await;
        points(&ingest, store, &shop).await;
        sales(&ingest, store, &shop).await;
        days(&ingest, store, &shop).await;
    }
}

async fn stock(ingest: &cloud_receiver::Ingest, store: i64, shop: &Shop) {
    let levels: BTreeMap<ProductId, Quantity> = shop.state.stock.clone().into();
    let sku = |id| shop.state.catalog.get(id).unwrap().sku.to_string();
    let want: BTreeMap<String, i64> =
        levels.into_iter().map(|(id, level)| (sku(id), level.0)).filter(|(_, level)| *level != 0).collect();
    let sql = "SELECT sku, quantity_milli FROM stock WHERE store_id = $1 AND quantity_milli <> 0";
    let rows = ingest.client().query(sql, &[&store]).await.unwrap();
    let got: BTreeMap<String, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(!want.is_empty());
    assert_eq!(got, want);
    let view = ingest
        .client()
        .query_one("SELECT (1000 * sum(quantity))::bigint FROM stock_levels WHERE store_id = $1", &[&store])
        .await
        .unwrap();
    assert_eq!(view.get::<_, i64>(0), want.values().sum::<i64>());
}

async fn points(ingest: &cloud_receiver::Ingest, store: i64, shop: &Shop) {
    let accounts = shop.state.customers.iter().map(|(id, account)| (*id, account.points));
    let want: BTreeMap<Uuid, i64> = accounts.filter(|(_, points)| *points != 0).collect();
    let sql = "SELECT customer_id, points FROM customer_points WHERE store_id = $1 AND points <> 0";
    let rows = ingest.client().query(sql, &[&store]).await.unwrap();
    let got: BTreeMap<Uuid, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(!want.is_empty());
    assert_eq!(got, want);
}

async fn sales(ingest: &cloud_receiver::Ingest, store: i64, shop: &Shop) {
    let sql = "SELECT s.id, s.status, s.total_minor, s.receipt,
            (SELECT array_agg(i.id ORDER BY i.number) FROM sale_items i WHERE i.store_id = s.store_id AND i.sale_id = s.id),
            (SELECT array_agg(p.id ORDER BY p.number) FROM payments p WHERE p.store_id = s.store_id AND p.sale_id = s.id)
        FROM sales s WHERE s.store_id = $1 ORDER BY s.id";
    let rows = ingest.client().query(sql, &[&store]).await.unwrap();
    assert_eq!(rows.len(), shop.sales.len());
    for (row, sale) in rows.iter().zip(shop.sales.values()) {
        assert_eq!((row.get::<_, Uuid>(0), row.get::<_, &str>(1)), (sale.id, sale.status.name()));
        assert_eq!(
            (row.get::<_, i64>(2), row.get::<_, Option<String>>(3)),
            (sale.total.0, sale.receipt.map(|r| r.to_string()))
        );
        let lines: Vec<Uuid> = sale.lines.iter().map(|line| sale.line_id(line.number)).collect();
        let payments: Vec<Uuid> = sale.tenders.iter().map(|tender| sale.payment_id(tender.number)).collect();
        let ids = |column| row.get::<_, Option<Vec<Uuid>>>(column).unwrap_or_default();
        assert_eq!((ids(4), ids(5)), (lines, payments));
    }
    let mut found: Vec<Status> = shop.sales.values().map(|sale| sale.status).collect();
    found.dedup();
    assert!(found.len() > 3, "the life was too quiet to show much");
}

async fn days(ingest: &cloud_receiver::Ingest, store: i64, shop: &Shop) {
    let mut want: BTreeMap<Date, DayReport> = BTreeMap::new();
    let mut returns: BTreeMap<Date, i64> = BTreeMap::new();
    for sale in shop.sales.values().filter(|sale| sale.status.counts() && !sale.training) {
        want.entry(sale.business_date).or_default().add(sale, 0);
        *returns.entry(sale.business_date).or_default() += i64::from(sale.kind == Kind::Return);
    }
    let sql = "SELECT (business_date - date '1970-01-01')::integer, sales, returns, gross_minor::bigint, discount_minor::bigint,
            returned_minor::bigint, net_minor::bigint, tax_minor::bigint, rounding_minor::bigint, currency
        FROM daily_sales WHERE store_id = $1 ORDER BY business_date";
    let rows = ingest.client().query(sql, &[&store]).await.unwrap();
    assert_eq!(rows.len(), want.len());
    for (row, (date, day)) in rows.iter().zip(&want) {
        let number = |column| row.get::<_, i64>(column);
        let transactions = i64::try_from(day.transactions).unwrap();
        assert_eq!((row.get::<_, i32>(0), row.get::<_, &str>(9)), (date.0, "EUR"));
        assert_eq!((number(1) + number(2), number(2)), (transactions, returns[date]));
        let got = (number(3), number(4), number(5), number(6), number(7), number(8));
        let sums = (day.gross.0, day.discount.0, day.returned.0, day.net.0, day.tax.0, day.rounding.0);
        assert_eq!(got, sums);
        let tops = "SELECT sku, (quantity * 1000)::bigint, net_minor::bigint, place FROM top_products
            WHERE store_id = $1 AND business_date = date '1970-01-01' + $2::integer ORDER BY place, sku";
        let tops = ingest.client().query(tops, &[&store, &date.0]).await.unwrap();
        assert_eq!(tops.len(), day.products.len());
        for top in &tops {
            let product = &day.products[top.get::<_, &str>(0)];
            assert_eq!((top.get::<_, i64>(1), top.get::<_, i64>(2)), (product.quantity.0, product.net.0));
        }
        assert!(tops.windows(2).all(|pair| pair[0].get::<_, i64>(2) >= pair[1].get::<_, i64>(2)));
    }
}
