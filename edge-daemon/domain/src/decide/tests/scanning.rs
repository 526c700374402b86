//! What the scanner sends: item numbers, and codes that carry a price, a weight or a count.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use super::shop::*;
use crate::barcode::check_digit;
use crate::command::LineDraft;
use crate::money::Money;

/// The shop's own label: prefix, item, value, and the check digit that the scale prints.
fn label(prefix: &str, item: u32, value: u32) -> String {
    let body = format!("{prefix}{item:05}{value:05}");
    let digit = check_digit(body.parse().unwrap());
    format!("{body}{digit}")
}

/// Quantity, price per unit and total of the one line that a scan makes.
fn rung(shop: &mut Shop, draft: LineDraft) -> (String, i64, i64) {
    let ring = shop.ring().line(draft);
    let sale = shop.sell(ring);
    let line = &sale.lines[0];
    (line.quantity.to_string(), line.unit_price.0, line.total.0)
}

#[test]
fn a_scan_is_one_piece_at_the_shelf_price() {
    let mut shop = Shop::new();
    for code in ["4006381333931", "]E04006381333931", "04006381333931", "4 006381 333931"] {
        assert_eq!(rung(&mut shop, scan(code)), ("1.000".into(), 119, 119), "{code}");
    }
    let three = LineDraft { quantity: Some(quantity("3")), ..scan("4006381333931") };
    assert_eq!(rung(&mut shop, three), ("3.000".into(), 119, 357));
}

#[test]
fn a_label_with_a_price_is_one_piece_for_it() {
    let mut shop = Shop::new();
    assert_eq!(label("02", 12_345, 125), "0212345001257");
    assert_eq!(rung(&mut shop, scan("0212345001257")), ("1.000".into(), 125, 125));
}

#[test]
fn a_label_with_a_weight_is_so_many_kilograms() {
    let mut shop = Shop::new();
    let code = label("21", 12_345, 475);
    assert_eq!(rung(&mut shop, scan(&code)), ("0.475".into(), 1290, 613));
    assert_eq!(
        shop.state.level(shop.state.catalog.by_sku("12345").unwrap().id).to_string(),
        "0.000",
        "not paid yet"
    );
}

#[test]
fn a_quantity_beside_a_label_is_its_own_or_a_number_of_labels() {
    let mut shop = Shop::new();
    let asked = |code: &str, text| LineDraft { quantity: Some(quantity(text)), ..scan(code) };
    let weight = label("21", 12_345, 475);
    for (text, sold) in [("1", "0.475"), ("2", "0.950"), ("0.475", "0.475")] {
        assert_eq!(rung(&mut shop, asked(&weight, text)).0, sold, "{text}");
    }
    let count = label("22", 12_345, 6);
    for (text, sold) in [("1", "6.000"), ("6", "6.000"), ("2", "12.000")] {
        assert_eq!(rung(&mut shop, asked(&count, text)).0, sold, "{text}");
    }
    for (code, text, refusal) in [
        (&weight, "0.5", "label-differs"),
        (&weight, "0", "bad-quantity"),
        (&weight, "-1", "bad-quantity"),
        (&count, "99999", "bad-quantity"),
    ] {
        let ring = shop.ring().line(asked(code, text));
        assert_eq!(shop.sell_refusal(ring), refusal, "{text}");
    }
}

#[test]
fn a_label_with_a_count_is_so_many_pieces() {
    let mut shop = Shop::new();
    assert_eq!(rung(&mut shop, scan(&label("22", 12_345, 6))), ("6.000".into(), 1290, 7740));
}

#[test]
fn a_label_that_weighs_nothing_is_refused() {
    let mut shop = Shop::new();
    let ring = shop.ring().line(scan(&label("21", 12_345, 0)));
    assert_eq!(shop.sell_refusal(ring), "bad-quantity");
}

#[test]
fn an_element_string_tells_weight_and_price() {
    let mut shop = Shop::new();
    assert_eq!(rung(&mut shop, scan("(01)04006381333931(3103)001250")), ("1.250".into(), 119, 149));
    assert_eq!(rung(&mut shop, scan("(01)04006381333931(30)4")), ("4.000".into(), 119, 476));
    assert_eq!(rung(&mut shop, scan("(01)04006381333931(3103)001250(3922)333")), ("1.000".into(), 333, 333));
    assert_eq!(rung(&mut shop, scan("(01)04006381333931(10)LOT7")), ("1.000".into(), 119, 119));
}

#[test]
fn codes_of_the_shops_own_making_are_found_as_they_stand() {
    let mut shop = Shop::new();
    let mut draft = product("flower", 300, "zero");
    draft.barcode = Some("FLOWER-7".into());
    shop.put(vec![draft]);
    assert_eq!(rung(&mut shop, scan("FLOWER-7")), ("1.000".into(), 300, 300));
    assert_eq!(rung(&mut shop, scan("pen")), ("1.000".into(), 99, 99), "a typed SKU will do");
}

#[test]
fn a_code_that_nobody_has_or_that_was_misread_sells_nothing() {
    let mut shop = Shop::new();
    for code in ["4012345678901", "4006381333932", "", "\u{7}", "no such thing"] {
        let ring = shop.ring().line(scan(code));
        assert_eq!(shop.sell_refusal(ring), "unknown-product", "{code:?}");
    }
}

#[test]
fn a_discount_comes_off_a_labels_price() {
    let mut shop = Shop::new();
    let ring = shop
        .ring()
        .line(scan("0212345001257"))
        .line_discount(crate::cart::Discount::Amount(Money(25)))
        .cash(100);
    assert_eq!(shop.sell(ring).total, Money(100));
}
