//! What is in the tables of one store, as text that can be compared.

use std::collections::BTreeMap;

use cloud_bridge::Address;
use tokio_postgres::Client;

/// Each table and what it has that does not follow from the records.
const TABLES: [(&str, &str); 14] = [
    ("heads", "{box,updated_at}"),
    ("records", "{}"),
    ("not_understood", "{}"),
    ("quarantine", "{first_at,last_at}"),
    ("sales", "{}"),
    ("sale_items", "{}"),
    ("payments", "{}"),
    ("products", "{}"),
    ("stock", "{}"),
    ("inventory_adjustments", "{}"),
    ("customers", "{}"),
    ("customer_points", "{}"),
    ("product_losses", "{}"),
    ("refused_products", "{}"),
];

pub(crate) fn address(store: &str) -> Address {
    Address::new("acme", store, "box-1").unwrap()
}

pub(crate) async fn store_id(client: &Client, address: &Address) -> i64 {
    let row = client
        .query_one(
            "SELECT id FROM stores WHERE tenant = $1 AND store = $2",
            &[&address.tenant(), &address.store()],
        )
        .await;
    row.unwrap().get(0)
}

/// All rows of a store, table by table, in an order of their own.
pub(crate) async fn of(client: &Client, address: &Address) -> BTreeMap<&'static str, Vec<String>> {
    let store = store_id(client, address).await;
    let mut tables = BTreeMap::new();
    for (table, without) in TABLES {
        // What moved to nothing may have no row.
        let filter = match table {
            "stock" => "AND quantity_milli <> 0",
            "customer_points" => "AND points <> 0",
            _ => "",
        };
        let sql = format!(
            "SELECT row FROM (SELECT (to_jsonb(t) - 'store_id' - '{without}'::text[])::text FROM {table} t
                 WHERE store_id = $1 {filter}) AS rows (row) ORDER BY row COLLATE \"C\""
        );
        let rows = client.query(&sql, &[&store]).await.unwrap();
        tables.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    let sql =
        "SELECT (to_jsonb(t) - '{id,store,created_at,forks}'::text[])::text FROM stores t WHERE id = $1";
    tables.insert("stores", vec![client.query_one(sql, &[&store]).await.unwrap().get(0)]);
    tables
}

/// Says which row of which table differs.
pub(crate) fn assert_same(
    left: &BTreeMap<&'static str, Vec<String>>,
    right: &BTreeMap<&'static str, Vec<String>>,
    why: &str,
) {
    for (table, rows) in left {
        let other = &right[table];
        if let Some((one, two)) = rows.iter().zip(other).find(|(one, two)| one != two) {
            panic!("{why}: {table} differs:\n{one}\n{two}");
        }
        assert_eq!(rows.len(), other.len(), "{why}: rows of {table}");
    }
}

pub(crate) async fn count(client: &Client, address: &Address, table: &str) -> usize {
    let store = store_id(client, address).await;
    let row = client.query_one(&format!("SELECT count(*) FROM {table} WHERE store_id = $1"), &[&store]).await;
    usize::try_from(row.unwrap().get::<_, i64>(0)).unwrap()
}
