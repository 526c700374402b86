//! Tenders: what is due, what goes back, what is refused.

use super::shop::*;
use crate::cart::Discount;
use crate::command::{Change, Command};
use crate::money::{MAX_PRICE, Money};
use crate::sale::Status;
use crate::tax::Rate;
use crate::tender::{Method, PaymentStatus};

#[test]
fn a_card_pays_no_more_than_the_total() {
    let mut shop = Shop::new();
    for method in [Method::Card, Method::Mobile, Method::Voucher] {
        let draft = shop.ring().item("pen", "1").paid(method, 100);
        assert_eq!(shop.sell_refusal(draft), "no-change", "{method:?}");
    }
    let open = shop.ring().item("pen", "1");
    let id = shop.sell(open).id;
    assert_eq!(shop.refusal(Command::Pay { sale: id, tender: tender(Method::Card, 100) }), "no-change");
    assert!(shop.state.open_sales[&id].tenders.is_empty(), "what is refused changes nothing");
}

#[test]
fn cash_gives_change_also_beside_a_card() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").card(500).cash(1000);
    let sale = shop.sell(draft);
    assert_eq!((sale.status, sale.change), (Status::Completed, Money(510)));
    let tendered: Money = sale.money().map(|(_, amount)| amount).sum();
    assert_eq!(tendered - sale.change, sale.total + sale.rounding);
}

#[test]
fn only_cash_is_rounded_and_only_its_part() {
    let mut shop = Shop::with(|store| store.cash_increment = 5);
    let draft = shop.ring().item("milk", "1").card(119);
    assert_eq!(shop.sell(draft).rounding, Money(0));
    let draft = shop.ring().item("milk", "1").cash(200);
    let sale = shop.sell(draft);
    assert_eq!((sale.total, sale.rounding, sale.change), (Money(119), Money(1), Money(80)));
    let draft = shop.ring().item("milk", "1").card(17).cash(100);
    let sale = shop.sell(draft);
    assert_eq!((sale.rounding, sale.change), (Money(-2), Money(0)));
}

#[test]
fn a_rest_below_half_the_smallest_coin_is_settled_by_no_coin() {
    let mut shop = Shop::with(|store| store.cash_increment = 5);
    let draft = shop.ring().item("milk", "1").card(117).cash(0);
    let sale = shop.sell(draft);
    assert_eq!((sale.status, sale.rounding, sale.change), (Status::Completed, Money(-2), Money(0)));
}

#[test]
fn what_costs_nothing_completes_when_it_is_said() {
    let mut shop = Shop::new();
    let gift = Discount::Percent(Rate(100_000));
    let draft = shop.ring().item("wine", "1").discount(gift);
    let open = shop.sell(draft);
    assert_eq!((open.status, open.due), (Status::Open, Money(0)), "nobody said that it is all");
    let done = shop.change(open.id, Change::Complete);
    assert_eq!((done.status, done.tenders.len()), (Status::Completed, 0));
    let draft = shop.ring().item("wine", "1").discount(gift).cash(0);
    assert_eq!(shop.sell(draft).status, Status::Completed);
    let draft = shop.ring().item("wine", "1").discount(gift).cash(500);
    assert_eq!(shop.sell(draft).change, Money(500));
    let draft = shop.ring().item("wine", "1").discount(gift).card(1);
    assert_eq!(shop.sell_refusal(draft), "no-change");
}

#[test]
fn money_before_goods_waits_for_them() {
    let mut shop = Shop::new();
    let draft = shop.ring().cash(500);
    let open = shop.sell(draft);
    assert_eq!(open.status, Status::Open);
    let done =
        shop.run(Command::AddLines { sale: open.id, lines: alloc::vec![line("bread", "1")] }).sale.unwrap();
    assert_eq!((done.status, done.change), (Status::Completed, Money(250)));
}

#[test]
fn amounts_have_limits() {
    let mut shop = Shop::new();
    for amount in [-1, i64::MIN, MAX_PRICE.0 + 1, i64::MAX] {
        let draft = shop.ring().item("pen", "1").cash(amount);
        assert_eq!(shop.sell_refusal(draft), "bad-amount", "{amount}");
    }
    let draft = shop.ring().item("pen", "1").card(0);
    assert_eq!(shop.sell_refusal(draft), "bad-amount");
    let ring = shop.ring().item("wine", "1");
    let draft = (0..101).fold(ring, |ring, _| ring.card(1));
    assert_eq!(shop.sell_refusal(draft), "too-many-tenders");
}

#[test]
fn a_cancelled_sale_gives_its_money_back() {
    let mut shop = Shop::new();
    let shift = shop.open_shift(10_000);
    let draft = shop.ring().item("wine", "1").card(300).cash(100);
    let open = shop.sell(draft);
    let cancelled = shop.change(open.id, Change::Cancel);
    assert_eq!((cancelled.status, cancelled.due, cancelled.receipt), (Status::Cancelled, Money(0), None));
    assert!(cancelled.tenders.iter().all(|tender| tender.status == PaymentStatus::Reversed));
    assert!(shop.state.open_sales.is_empty());
    assert_eq!(shop.level("wine"), "0.000");
    let open_shift = shop.state.shifts.values().find(|s| s.id == shift).unwrap();
    assert_eq!(open_shift.expected_cash(), Money(10_000));
}
