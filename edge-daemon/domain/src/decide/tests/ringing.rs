//! Ringing up: lines, discounts, completion.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::shop::*;
use crate::cart::Discount;
use crate::command::{Change, Command};
use crate::event::{Event, Step};
use crate::money::{MAX_PRICE, Money};
use crate::quantity::Quantity;
use crate::sale::{MAX_LINES, Status};
use crate::tax::{Rate, TaxMode, TaxRounding};
use crate::tender::Method;

fn totals(sale: &crate::sale::Sale) -> Vec<i64> {
    sale.lines.iter().map(|line| line.total.0).collect()
}

#[test]
fn enough_money_completes_a_sale_at_once() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("bread", "2").item("wine", "1").cash(2000);
    let decision = shop.run(Command::Sell(draft.0));
    let steps: Vec<_> = decision.events.iter().map(Event::name).collect();
    assert_eq!(steps, ["terminalSeen", "saleSold"]);
    let sale = decision.sale.unwrap();
    assert_eq!(
        (sale.status, sale.total, sale.due, sale.change),
        (Status::Completed, Money(1490), Money(0), Money(510))
    );
    assert_eq!(sale.tax, Money(24 + 165), "5 % of 5.00 and 20 % of 9.90 are inside the prices");
    assert_eq!(sale.receipt.unwrap().to_string(), "01-000001");
    assert!(shop.state.open_sales.is_empty());
    let draft = shop.ring().item("pen", "1").cash(99);
    let events = shop.run(Command::Sell(draft.0)).events;
    assert!(
        matches!(events.as_slice(), [Event::Sale { step: Step::Sold, .. }]),
        "a till is seen for the first time once"
    );
}

#[test]
fn too_little_money_leaves_it_open_with_what_is_due() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").cash(500);
    let open = shop.sell(draft);
    assert_eq!((open.status, open.due, open.receipt), (Status::Open, Money(490), None));
    assert_eq!(shop.change_refusal(open.id, Change::Complete), "tender-too-small");
    let done = shop.pay(open.id, Method::Card, 490);
    assert_eq!((done.status, done.due, done.tenders.len()), (Status::Completed, Money(0), 2));
}

#[test]
fn lines_are_added_and_taken_off_while_it_is_open() {
    let mut shop = Shop::new();
    let draft = shop.ring();
    let id = shop.sell(draft).id;
    let more = vec![line("bread", "1"), line("wine", "1")];
    let open = shop.run(Command::AddLines { sale: id, lines: more }).sale.unwrap();
    assert_eq!((open.total, open.due), (Money(1240), Money(1240)));
    let wine = open.line_id(2);
    let less = shop.run(Command::VoidLine { sale: id, line: wine }).sale.unwrap();
    assert_eq!((less.total, totals(&less)), (Money(250), vec![250, 0]));
    assert!(less.lines[1].voided, "the line stays recorded");
    assert_eq!(shop.refusal(Command::VoidLine { sale: id, line: wine }), "no-such-item");
    let again = shop.run(Command::AddLines { sale: id, lines: vec![line("pen", "1")] }).sale.unwrap();
    assert_eq!(
        again.lines.iter().map(|l| l.number).collect::<Vec<_>>(),
        [1, 2, 3],
        "numbers are never used again"
    );
    let paid = shop.pay(id, Method::Card, 349);
    assert_eq!((paid.status, paid.total), (Status::Completed, Money(349)));
    assert_eq!(shop.level("wine"), "0.000", "what was taken off did not leave the shop");
}

#[test]
fn adding_nothing_and_completing_nothing_is_refused() {
    let mut shop = Shop::new();
    let draft = shop.ring();
    let id = shop.sell(draft).id;
    assert_eq!(shop.refusal(Command::AddLines { sale: id, lines: vec![] }), "no-items");
    assert_eq!(shop.change_refusal(id, Change::Complete), "no-items");
    assert_eq!(shop.refusal(Command::Pay { sale: id, tender: tender(Method::Cash, 100) }), "no-items");
}

#[test]
fn taking_a_line_off_may_settle_the_rest() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("bread", "1").item("wine", "1").cash(300);
    let open = shop.sell(draft);
    let done = shop.run(Command::VoidLine { sale: open.id, line: open.line_id(2) }).sale.unwrap();
    assert_eq!((done.status, done.change), (Status::Completed, Money(50)));
}

#[test]
fn a_line_paid_by_card_already_cannot_be_taken_off() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("bread", "1").item("wine", "1").card(1000);
    let open = shop.sell(draft);
    assert_eq!(shop.refusal(Command::VoidLine { sale: open.id, line: open.line_id(2) }), "no-change");
}

#[test]
fn a_receipt_discount_is_shared_over_the_lines() {
    let mut shop = Shop::new();
    let draft = shop
        .ring()
        .item("bread", "4")
        .item("wine", "1")
        .item("pen", "1")
        .discount(Discount::Amount(Money(100)))
        .card(1989);
    let sale = shop.sell(draft);
    let shares: Vec<_> = sale.lines.iter().map(|line| line.discount.0).collect();
    assert_eq!(shares, [48, 47, 5]);
    assert_eq!(sale.total, Money(1989));
}

#[test]
fn a_line_discount_comes_off_before_the_receipts() {
    let mut shop = Shop::new();
    let ten_percent = Discount::Percent(Rate(10_000));
    let draft = shop
        .ring()
        .item("wine", "1")
        .line_discount(ten_percent)
        .item("pen", "1")
        .discount(ten_percent)
        .card(891);
    let sale = shop.sell(draft);
    assert_eq!((sale.lines[0].discount, sale.lines[1].discount), (Money(99 + 89), Money(10)));
    assert_eq!(sale.total, Money(891));
}

#[test]
fn tax_is_added_where_prices_are_without_and_rounded_as_configured() {
    let four_lines = |rounding| {
        let mut shop = Shop::with(|store| {
            (store.tax_mode, store.tax_rounding) = (TaxMode::Exclusive, rounding);
            store.tax_classes[0].rate = Rate(21_000);
        });
        let prices = [148, 148, 148, 148, 152, 154, 39];
        let products =
            prices.iter().enumerate().map(|(n, price)| product(&alloc::format!("p{n}"), *price, "standard"));
        shop.put(products.collect());
        let ring = shop.ring();
        let ring = (0..7).fold(ring, |ring, n| ring.item(&alloc::format!("p{n}"), "1"));
        shop.sell(ring).tax
    };
    assert_eq!(four_lines(TaxRounding::Line), Money(196));
    assert_eq!(four_lines(TaxRounding::Receipt), Money(197));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut shop = Shop::new();
    let bread = |shop: &mut Shop, amount: i64| {
        let ring = shop.ring().item("bread", "1");
        let mut ring = ring;
        ring.0.lines[0].quantity = Some(Quantity(amount));
        shop.sell_refusal(ring)
    };
    for amount in [0, -1000, i64::MIN, Quantity::MAX.0 + 1, i64::MAX] {
        assert_eq!(bread(&mut shop, amount), "bad-quantity", "{amount}");
    }
    let unknown = shop.ring().item("caviar", "1");
    assert_eq!(shop.sell_refusal(unknown), "unknown-product");
    for (discount, code) in [
        (Discount::Amount(Money(-1)), "bad-amount"),
        (Discount::Amount(Money(i64::MAX)), "bad-amount"),
        (Discount::Percent(Rate(100_001)), "bad-percent"),
    ] {
        let whole = shop.ring().item("bread", "1").discount(discount);
        assert_eq!(shop.sell_refusal(whole), code);
        let single = shop.ring().item("bread", "1").line_discount(discount);
        assert_eq!(shop.sell_refusal(single), code);
    }
    let ring = shop.ring();
    let many = (0..=MAX_LINES).fold(ring, |ring, _| ring.item("pen", "1"));
    assert_eq!(shop.sell_refusal(many), "too-many-items");
    let mut nameless = shop.ring();
    nameless.0.terminal = "".into();
    assert_eq!(shop.sell_refusal(nameless), "bad-text");
    let stranger = shop.id();
    let ring = shop.ring().customer(stranger);
    assert_eq!(shop.sell_refusal(ring), "unknown-customer");
}

#[test]
fn a_total_has_a_limit_and_a_discount_hides_no_larger_one() {
    let mut shop = Shop::new();
    shop.put(vec![product("yacht", MAX_PRICE.0, "standard")]);
    let fleet = shop.ring().item("yacht", "101");
    assert_eq!(shop.sell_refusal(fleet), "total-too-large");
    let gift = shop.ring().item("yacht", "99999").discount(Discount::Percent(Rate(100_000)));
    assert_eq!(shop.sell_refusal(gift), "total-too-large");
    let one = shop.ring().item("yacht", "1").card(MAX_PRICE.0);
    assert_eq!(shop.sell(one).status, Status::Completed);
}

#[test]
fn an_id_names_one_sale_for_ever() {
    let mut shop = Shop::new();
    let open = shop.ring().item("pen", "1");
    shop.sell(open.clone());
    assert_eq!(shop.sell_refusal(open.clone()), "duplicate-id");
    shop.pay(open.0.id, Method::Cash, 99);
    assert_eq!(shop.sell_refusal(open), "duplicate-id");
}
