//! Stock: moved by sales and by hand, never in the way of a sale.

use alloc::string::String;
use alloc::vec::Vec;

use super::shop::*;
use crate::command::Command;
use crate::decide::Decision;
use crate::event::Event;
use crate::quantity::Quantity;

fn adjust(shop: &mut Shop, code: &str, change: Quantity) -> Command {
    Command::AdjustStock {
        id: shop.id(),
        product: code.into(),
        change,
        reason: "receipt".into(),
        user: None,
        note: None,
    }
}

fn low(decision: &Decision) -> Vec<String> {
    let level = |event: &Event| match event {
        Event::StockLow { level, .. } => Some(alloc::format!("{level}")),
        _ => None,
    };
    decision.events.iter().filter_map(level).collect()
}

fn sell_milk(shop: &mut Shop, amounts: &[&str]) -> Decision {
    let ring = shop.ring();
    let ring = amounts.iter().fold(ring, |ring, amount| ring.item("milk", amount)).cash(10_000);
    shop.run(Command::Sell(ring.0))
}

#[test]
fn goods_on_the_counter_are_sold_whatever_the_books_say() {
    let mut shop = Shop::new();
    sell_milk(&mut shop, &["3"]);
    assert_eq!(shop.level("milk"), "-3.000");
    let command = adjust(&mut shop, "milk", quantity("10"));
    shop.run(command);
    assert_eq!(shop.level("milk"), "7.000");
}

#[test]
fn the_warning_comes_once_when_the_level_is_crossed() {
    let mut shop = Shop::new();
    let command = adjust(&mut shop, "milk", quantity("10"));
    assert!(low(&shop.run(command)).is_empty());
    assert!(low(&sell_milk(&mut shop, &["4"])).is_empty(), "6 left, warned at 5");
    assert_eq!(low(&sell_milk(&mut shop, &["0.5", "0.5", "1"])), ["4.000"], "three lines, one warning");
    assert!(low(&sell_milk(&mut shop, &["1"])).is_empty(), "it was said");
    let command = adjust(&mut shop, "milk", quantity("7"));
    assert!(low(&shop.run(command)).is_empty());
    let command = adjust(&mut shop, "milk", quantity("-5"));
    assert_eq!(low(&shop.run(command)), ["5.000"], "by hand, too");
}

#[test]
fn practice_and_returns_warn_of_nothing() {
    let mut shop = Shop::new();
    let command = adjust(&mut shop, "milk", quantity("6"));
    shop.run(command);
    let ring = shop.ring().item("milk", "6").training().cash(1000);
    assert!(low(&shop.run(Command::Sell(ring.0))).is_empty());
    assert_eq!(shop.level("milk"), "6.000");
    let ring = shop.ring_return().item("milk", "1").cash(119);
    assert!(low(&shop.run(Command::Sell(ring.0))).is_empty());
    assert_eq!(shop.level("milk"), "7.000");
}

#[test]
fn an_adjustment_names_its_product_by_sku_barcode_or_number() {
    let mut shop = Shop::new();
    for code in ["milk", "4006381333931", "3"] {
        let command = adjust(&mut shop, code, Quantity::ONE);
        shop.run(command);
    }
    assert_eq!(shop.level("milk"), "3.000");
    let command = adjust(&mut shop, "milk", quantity("-0.250"));
    match shop.run(command).events.as_slice() {
        [Event::StockAdjusted(adjustment), Event::StockLow { .. }] => {
            panic!("3 was below 5 already: {adjustment:?}")
        }
        [Event::StockAdjusted(adjustment)] => assert_eq!(adjustment.level, quantity("2.750")),
        other => panic!("{other:?}"),
    }
    let command = adjust(&mut shop, "caviar", Quantity::ONE);
    assert_eq!(shop.refusal(command), "unknown-product");
    for change in [0, i64::MAX, i64::MIN] {
        let command = adjust(&mut shop, "milk", Quantity(change));
        assert_eq!(shop.refusal(command), "bad-quantity", "{change}");
    }
}
