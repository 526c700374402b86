//! Refunds of sales: wholly, by line, in parts; what goes back and how.

use alloc::string::ToString;
use alloc::vec;

use super::shop::*;
use crate::cart::Discount;
use crate::command::{Change, Command};
use crate::event::Event;
use crate::money::Money;
use crate::sale::{Kind, MAX_LINES, Sale, Status};
use crate::tax::{Rate, TaxMode, TaxRounding};
use crate::tender::Method;

fn money_of(sale: &Sale) -> alloc::vec::Vec<(Method, i64)> {
    sale.money().map(|(method, amount)| (method, amount.0)).collect()
}

#[test]
fn a_whole_refund_is_a_return_of_its_own() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("bread", "2").item("wine", "1").card(1490);
    let sale = shop.sell(draft);
    let change = shop.refund_of(sale.id, &[], vec![]);
    let decision = shop.run(Command::ChangeSale {
        sale: sale.id,
        change,
        reason: Some(sealed("corked")),
        terminal: None,
    });
    assert_eq!(
        decision.events.iter().map(Event::name).collect::<alloc::vec::Vec<_>>(),
        ["saleSold", "saleRefunded"]
    );
    let back = decision.sale.unwrap();
    assert_eq!((back.kind, back.status, back.original), (Kind::Return, Status::Completed, Some(sale.id)));
    assert_eq!((back.total, back.tax, back.unlinked), (sale.total, sale.tax, false));
    assert_eq!(back.receipt.unwrap().to_string(), "01-000002");
    assert_eq!(back.reason, Some(sealed("corked")));
    assert_eq!(money_of(&back), [(Method::Card, 1490)]);
    assert_eq!(shop.sales[&sale.id].status, Status::Refunded);
    assert_eq!((shop.level("bread"), shop.level("wine")), ("0.000".into(), "0.000".into()));
    assert_eq!(
        shop.change_refusal(sale.id, Change::Refund { id: back.id, lines: vec![], tenders: vec![] }),
        "illegal-transition"
    );
}

#[test]
fn the_last_part_takes_the_remainder() {
    let mut shop = Shop::new();
    shop.put(vec![product("trio", 100, "standard")]);
    let draft = shop.ring().item("trio", "3").discount(Discount::Amount(Money(200))).card(100);
    let sale = shop.sell(draft);
    assert_eq!((sale.lines[0].total, sale.lines[0].tax), (Money(100), Money(17)));
    let parts: alloc::vec::Vec<_> = (0..3)
        .map(|_| {
            let back = shop.refund(sale.id, &[(1, "1")]);
            (back.total.0, back.tax.0, back.lines[0].discount.0)
        })
        .collect();
    assert_eq!(parts, [(33, 6, 67), (33, 5, 67), (34, 6, 66)]);
    assert_eq!(shop.sales[&sale.id].status, Status::Refunded);
}

/// Twelve pieces for six cents: half a cent each, and the tax is a cent on the whole.
#[test]
fn tiny_parts_give_back_the_tax_to_the_cent() {
    let mut shop = Shop::new();
    shop.put(vec![product("nail", 1, "standard")]);
    let draft = shop.ring().item("nail", "12").discount(Discount::Amount(Money(6))).card(6);
    let sale = shop.sell(draft);
    assert_eq!((sale.total, sale.tax), (Money(6), Money(1)));
    let (mut total, mut tax) = (Money::ZERO, Money::ZERO);
    for _ in 0..12 {
        let back = shop.refund(sale.id, &[(1, "1")]);
        assert!(back.tax <= back.total);
        total += back.total;
        tax += back.tax;
    }
    assert_eq!((total, tax), (Money(6), Money(1)));
}

#[test]
fn no_more_comes_back_than_was_sold() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "2").item("pen", "1").card(2079);
    let sale = shop.sell(draft);
    let too_much = |shop: &mut Shop, parts: &[(u16, &str)]| {
        let change = shop.refund_of(sale.id, parts, vec![]);
        shop.change_refusal(sale.id, change)
    };
    assert_eq!(too_much(&mut shop, &[(1, "2.001")]), "refund-too-much");
    assert_eq!(
        too_much(&mut shop, &[(1, "1"), (1, "1.5")]),
        "refund-too-much",
        "the same line twice counts together"
    );
    assert_eq!(too_much(&mut shop, &[(1, "0")]), "bad-quantity");
    assert_eq!(too_much(&mut shop, &[(1, "-1")]), "bad-quantity");
    assert_eq!(too_much(&mut shop, &[(3, "1")]), "no-such-item");
    assert_eq!(too_much(&mut shop, &[(1, "0.001"); MAX_LINES + 1]), "too-many-items");
    shop.refund(sale.id, &[(1, "2")]);
    assert_eq!(too_much(&mut shop, &[(1, "0.001")]), "refund-too-much");
    let rest = shop.refund(sale.id, &[]);
    assert_eq!((rest.total, rest.lines.len()), (Money(99), 1));
}

#[test]
fn lines_taken_off_before_the_sale_do_not_come_back() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").item("pen", "1");
    let open = shop.sell(draft);
    shop.run(Command::VoidLine { sale: open.id, line: open.line_id(1) });
    shop.pay(open.id, Method::Card, 99);
    let change = shop.refund_of(open.id, &[(1, "1")], vec![]);
    assert_eq!(shop.change_refusal(open.id, change), "no-such-item");
    assert_eq!(shop.refund(open.id, &[]).total, Money(99));
    assert_eq!(shop.sales[&open.id].status, Status::Refunded);
}

#[test]
fn the_money_goes_back_as_it_came() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").cash(2000);
    let cash = shop.sell(draft).id;
    assert_eq!(money_of(&shop.refund(cash, &[])), [(Method::Cash, 990)], "the change stays where it is");
    let draft = shop.ring().item("wine", "2").card(1200).cash(1000);
    let mixed = shop.sell(draft).id;
    assert_eq!(money_of(&shop.refund(mixed, &[])), [(Method::Card, 1200), (Method::Cash, 780)]);
    let draft = shop.ring().item("wine", "2").card(1200).cash(1000);
    let mixed = shop.sell(draft).id;
    assert_eq!(money_of(&shop.refund(mixed, &[(1, "1")])), [(Method::Card, 990)]);
    let second = shop.refund(mixed, &[]);
    assert_eq!(
        money_of(&second),
        [(Method::Card, 210), (Method::Cash, 780)],
        "a card gets back no more than it paid"
    );
}

#[test]
fn cash_is_paid_out_rounded() {
    let mut shop = Shop::with(|store| store.cash_increment = 5);
    let draft = shop.ring().item("milk", "1").cash(120);
    let sale = shop.sell(draft);
    let back = shop.refund(sale.id, &[]);
    assert_eq!((back.total, back.rounding, back.change), (Money(119), Money(1), Money(0)));
    assert_eq!(money_of(&back), [(Method::Cash, 120)]);
}

#[test]
fn the_till_may_pay_out_otherwise_but_exactly() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").card(990);
    let sale = shop.sell(draft).id;
    for wrong in
        [vec![tender(Method::Cash, 989)], vec![tender(Method::Cash, 991)], vec![tender(Method::Voucher, 991)]]
    {
        let change = shop.refund_of(sale, &[], wrong);
        assert_eq!(shop.change_refusal(sale, change), "payout-differs");
    }
    let change = shop.refund_of(sale, &[], vec![tender(Method::Voucher, 500), tender(Method::Cash, 490)]);
    assert_eq!(money_of(&shop.change(sale, change)), [(Method::Voucher, 500), (Method::Cash, 490)]);
}

#[test]
fn what_was_free_comes_back_for_nothing() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").discount(Discount::Percent(Rate(100_000))).cash(0);
    let sale = shop.sell(draft);
    let back = shop.refund(sale.id, &[]);
    assert_eq!((back.total, back.status, back.tenders.len()), (Money(0), Status::Completed, 0));
    assert_eq!(shop.level("wine"), "0.000");
}

#[test]
fn a_refund_gives_back_the_line_as_it_was_paid_with_tax_rounded_per_receipt() {
    let mut shop = Shop::with(|store| {
        (store.tax_mode, store.tax_rounding) = (TaxMode::Exclusive, TaxRounding::Receipt);
    });
    let draft = shop
        .ring()
        .item("pen", "1")
        .item("pen", "1")
        .item("wine", "1")
        .discount(Discount::Percent(Rate(10_000)));
    let open = shop.sell(draft);
    let sale = shop.pay(open.id, Method::Card, open.due.0);
    // Net 89 + 89 + 891, tax 20 % of 1069 = 213.8.
    assert_eq!((sale.total, sale.tax), (Money(1283), Money(214)));
    let mut given = (Money::ZERO, Money::ZERO);
    for number in 1..=3 {
        let back = shop.refund(sale.id, &[(number, "1")]);
        let paid = &sale.lines[usize::from(number) - 1];
        assert_eq!((back.total, back.tax), (paid.total, paid.tax));
        given = (given.0 + back.total, given.1 + back.tax);
    }
    assert_eq!(given, (sale.total, sale.tax));
}

#[test]
fn a_later_price_changes_nothing() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").card(990);
    let sale = shop.sell(draft).id;
    shop.put(vec![product("wine", 1, "zero")]);
    let back = shop.refund(sale, &[]);
    assert_eq!((back.total, back.tax), (Money(990), Money(165)));
}

#[test]
fn a_refunds_id_is_new() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").card(990);
    let sale = shop.sell(draft).id;
    let parked = shop.ring().item("pen", "1");
    let parked = shop.sell(parked).id;
    for id in [sale, parked] {
        assert_eq!(
            shop.change_refusal(sale, Change::Refund { id, lines: vec![], tenders: vec![] }),
            "duplicate-id"
        );
    }
}
