//! What head office sent down comes up again: products as they stand, losses and refusals by name.

use pos_domain::command::{Command, ProductDraft};
use pos_domain::delivery::{Document, ProductDelivery};
use pos_domain::money::Money;
use pos_domain::time::Millis;

use crate::server::Database;
use crate::shop::{Shop, product};
use crate::tables::{self, address};

#[tokio::test]
async fn products_of_head_office_losses_and_refusals_are_rows() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    shop.now += 60_000;
    let said = |product, at| Document { product, at: Millis(at), ..Document::default() };
    let document = |sku, price| said(product(sku, price), shop.now);
    let nameless = said(ProductDraft { sku: "oil".into(), ..ProductDraft::default() }, shop.now);
    let old = said(ProductDraft { name: None, ..product("pen", 50) }, 1);
    let documents = vec![document("tea", 300), document("milk", 129), nameless, old];
    let next = Document { next_price: Some((Money(350), Millis(shop.now + 1_000))), ..document("tea", 300) };
    let delivery = |base, version, documents| {
        Command::TakeDelivery(ProductDelivery { version, base, documents, refused: vec![] })
    };
    let commands = [delivery(None, 1, documents), delivery(Some(1), 2, vec![next])];
    commands.into_iter().for_each(|command| drop(shop.run(command)));
    shop.now += 1_000;
    shop.run(Command::PutPricesInForce);
    ingest.take(&address, &[shop.all()]).await.unwrap();

    let rows = |sql: &'static str| {
        let client = ingest.client();
        async move {
            let rows = client.query(sql, &[]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
        }
    };
    let prices = rows(
        "SELECT sku || ' ' || price_minor FROM products WHERE sku IN ('tea', 'milk', 'pen') ORDER BY sku",
    );
    assert_eq!(prices.await, ["milk 129", "pen 99", "tea 350"]);
    let losses =
        "SELECT concat_ws(' ', sku, field, kept, given_up, stores) FROM product_losses ORDER BY seq, number";
    assert_eq!(rows(losses).await, ["milk price 129 119 t", "pen price 99 50 f"]);
    assert_eq!(rows("SELECT sku FROM refused_products").await, ["oil"]);
    assert_eq!(tables::count(ingest.client(), &address, "not_understood").await, 0);
}
