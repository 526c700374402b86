//! Products: new, changed, imported.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::shop::*;
use crate::command::{Command, ProductDraft};
use crate::event::Event;
use crate::money::{MAX_PRICE, Money};

fn refused(shop: &mut Shop, products: Vec<ProductDraft>) -> &'static str {
    shop.refusal(Command::PutProducts { products, if_version: None })
}

fn with_barcode(sku: &str, barcode: &str) -> ProductDraft {
    ProductDraft { barcode: Some(barcode.into()), ..product(sku, 100, "standard") }
}

#[test]
fn a_new_product_needs_a_name_a_price_and_a_tax_class() {
    let mut shop = Shop::new();
    let full = product("tea", 300, "standard");
    for draft in [
        ProductDraft { name: None, ..full.clone() },
        ProductDraft { price: None, ..full.clone() },
        ProductDraft { tax_class: None, ..full.clone() },
    ] {
        assert_eq!(refused(&mut shop, vec![draft]), "product-incomplete");
    }
    assert_eq!(refused(&mut shop, vec![product("tea", 300, "luxury")]), "unknown-tax-class");
    for price in [-1, MAX_PRICE.0 + 1, i64::MAX] {
        assert_eq!(refused(&mut shop, vec![product("tea", price, "standard")]), "bad-amount");
    }
    assert_eq!(refused(&mut shop, vec![product("", 300, "standard")]), "bad-text");
    assert_eq!(refused(&mut shop, vec![product("a\nb", 300, "standard")]), "bad-text");
    shop.put(vec![full]);
    assert_eq!(shop.state.catalog.by_sku("tea").unwrap().id.to_string(), "6");
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_else() {
    let mut shop = Shop::new();
    let before = shop.state.catalog.by_sku("milk").unwrap().clone();
    shop.put(vec![ProductDraft { sku: "milk".into(), price: Some(Money(129)), ..ProductDraft::default() }]);
    let after = shop.state.catalog.by_sku("milk").unwrap().clone();
    let expected =
        crate::catalog::Product { price: Money(129), version: 2, ..crate::catalog::Product::clone(&before) };
    assert_eq!(*after, expected);
    let same = ProductDraft { sku: "milk".into(), price: Some(Money(129)), ..ProductDraft::default() };
    let said_again = shop.put(vec![same.clone()]).events;
    assert_eq!(said_again, [Event::ProductKept(after.clone())], "so that its key is remembered");
    let import = shop.put(vec![same, product("wine", 990, "standard")]);
    assert!(import.events.is_empty(), "what is so already in an import is no event");
}

#[test]
fn an_edit_of_something_that_was_changed_meanwhile_is_stale() {
    let mut shop = Shop::new();
    let edit = |price, version| Command::PutProducts {
        products: vec![ProductDraft {
            sku: "milk".into(),
            price: Some(Money(price)),
            ..ProductDraft::default()
        }],
        if_version: Some(version),
    };
    shop.run(edit(129, 1));
    assert_eq!(shop.refusal(edit(139, 1)), "stale");
    shop.run(edit(139, 2));
    let new = Command::PutProducts { products: vec![product("tea", 1, "zero")], if_version: Some(1) };
    assert_eq!(shop.refusal(new), "stale");
}

#[test]
fn a_barcode_belongs_to_one_product() {
    let mut shop = Shop::new();
    assert_eq!(refused(&mut shop, vec![with_barcode("oat", "4006381333931")]), "barcode-taken");
    assert_eq!(
        refused(&mut shop, vec![with_barcode("oat", "04006381333931")]),
        "barcode-taken",
        "in any spelling"
    );
    let twins = vec![with_barcode("a", "96385074"), with_barcode("b", "96385074")];
    assert_eq!(refused(&mut shop, twins), "barcode-taken", "within one import");
    let words = vec![with_barcode("a", "PLU-7"), with_barcode("b", "PLU-7")];
    assert_eq!(refused(&mut shop, words), "barcode-taken", "a code that is no item number likewise");
    shop.put(vec![with_barcode("a", "PLU-7")]);
    assert_eq!(refused(&mut shop, vec![with_barcode("b", "PLU-7")]), "barcode-taken");
    // Given up, it is free again.
    shop.put(vec![with_barcode("milk", "96385074"), with_barcode("a", "PLU-8")]);
    shop.put(vec![with_barcode("oat", "4006381333931"), with_barcode("b", "PLU-7")]);
    let found = |code: &str| shop.state.catalog.find(code, &config().embedded).unwrap().sku.to_string();
    assert_eq!(
        [found("4006381333931"), found("96385074"), found("PLU-7"), found("PLU-8")],
        ["oat", "milk", "b", "a"]
    );
}

#[test]
fn an_import_is_all_or_nothing_in_events_of_two_hundred() {
    let mut shop = Shop::new();
    let mut import: Vec<_> = (0..450).map(|n| product(&format!("item-{n}"), n, "zero")).collect();
    import.push(product("bad", -1, "zero"));
    assert_eq!(refused(&mut shop, import.clone()), "bad-amount");
    assert_eq!(shop.state.catalog.len(), 5);
    import.pop();
    let sizes: Vec<_> = shop
        .put(import)
        .events
        .iter()
        .map(|event| match event {
            Event::ProductsPut(products) => products.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sizes, [200, 200, 50]);
    assert_eq!(shop.state.catalog.len(), 455);
    assert_eq!(shop.state.catalog.next_id().0, 456);
}

#[test]
fn a_product_twice_in_one_import_is_changed_twice() {
    let mut shop = Shop::new();
    let cheaper = ProductDraft { sku: "tea".into(), price: Some(Money(1)), ..ProductDraft::default() };
    let renamed =
        ProductDraft { sku: "tea".into(), name: Some("Green tea".into()), ..ProductDraft::default() };
    shop.put(vec![product("tea", 300, "zero"), cheaper, renamed]);
    let tea = shop.state.catalog.by_sku("tea").unwrap();
    assert_eq!((tea.price, &*tea.name, tea.version), (Money(1), "Green tea", 3));
    assert_eq!(shop.state.catalog.len(), 6);
}
