//! What head office edits: each transaction is a version, and each field knows when it was written.

use tokio_postgres::Client;

use crate::server::Database;

async fn ask(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

const ROWS: &str = "SELECT concat_ws(' ', sku, version) FROM head_office_products ORDER BY sku, tenant";

#[tokio::test]
async fn a_transaction_is_a_version_and_a_field_knows_when_it_was_written() {
    let Some(database) = Database::new().await else { return };
    let client = database.client().await;
    let edit = |sql: &'static str| {
        let client = &client;
        async move { client.batch_execute(sql).await.unwrap() }
    };
    edit(
        "INSERT INTO head_office_products (tenant, sku, name, price_minor)
         VALUES ('acme', 'milk', 'Milk', 119), ('acme', 'tea', 'Tea', 300), ('other', 'tea', 'Tea', 1)",
    )
    .await;
    assert_eq!(ask(&client, ROWS).await, ["milk 1", "tea 1", "tea 1"], "each tenant has its own");
    let written = "SELECT (field_at ->> 'name') || ' ' || (field_at ->> 'price') FROM head_office_products
        WHERE tenant = 'acme' AND sku = 'milk'";
    let before = ask(&client, written).await;
    edit("SELECT pg_sleep(0.01); UPDATE head_office_products SET price_minor = 129 WHERE sku = 'milk'").await;
    edit("UPDATE head_office_products SET price_minor = 129, name = 'Tea' WHERE sku IN ('milk', 'tea') AND false").await;
    edit("UPDATE head_office_products SET price_minor = 129 WHERE sku = 'milk'").await;
    assert_eq!(
        ask(&client, ROWS).await,
        ["milk 2", "tea 1", "tea 1"],
        "an edit that changes nothing is none"
    );
    let after = ask(&client, written).await;
    let words = |text: &[String]| text[0].split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&before)[0], words(&after)[0], "the name was not written");
    assert!(words(&before)[1] < words(&after)[1]);
    // A price to come does not make the present one new.
    edit("UPDATE head_office_products SET next_price_minor = 1, next_price_from = now() WHERE sku = 'milk'")
        .await;
    assert_eq!(
        (ask(&client, ROWS).await[0].clone(), ask(&client, written).await),
        ("milk 3".into(), after.clone())
    );
    // Sent again as it is.
    edit("UPDATE head_office_products SET version = 0 WHERE tenant = 'acme'").await;
    assert_eq!(ask(&client, ROWS).await, ["milk 4", "tea 4", "tea 1"]);
    assert_eq!(ask(&client, written).await, after);
    for wrong in [
        "UPDATE head_office_products SET sku = 'coffee' WHERE sku = 'milk'",
        "UPDATE head_office_products SET next_price_from = NULL WHERE sku = 'milk'",
    ] {
        assert!(client.batch_execute(wrong).await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn who_sees_a_version_sees_all_before_it() {
    let Some(database) = Database::new().await else { return };
    let (mut one, other) = (database.client().await, database.client().await);
    let first = one.transaction().await.unwrap();
    first
        .batch_execute("INSERT INTO head_office_products (tenant, sku, name) VALUES ('acme', 'a', 'A')")
        .await
        .unwrap();
    other.batch_execute("SET lock_timeout = '200ms'").await.unwrap();
    let second = "INSERT INTO head_office_products (tenant, sku, name) VALUES ('acme', 'b', 'B')";
    assert!(other.batch_execute(second).await.is_err(), "it waits for the one before");
    first.commit().await.unwrap();
    other.batch_execute(second).await.unwrap();
    assert_eq!(ask(&other, ROWS).await, ["a 1", "b 2"]);
}
