//! What was so when a sale began stays so, whatever is configured, erased or revalued meanwhile.

use alloc::sync::Arc;
use alloc::vec;

use super::shop::*;
use crate::cart::Discount;
use crate::command::{Change, Command, TenderDraft};

use crate::money::{Currency, Money};
use crate::sale::{Sale, Status};
use crate::store::{Loyalty, StoreConfig};
use crate::tax::{TaxMode, TaxRounding};
use crate::tender::{Foreign, Method};

fn configure(shop: &mut Shop, change: impl FnOnce(&mut StoreConfig)) {
    let mut store = shop.state.store.as_deref().unwrap().clone();
    change(&mut store);
    shop.run(Command::Configure(Arc::new(store)));
}

#[test]
fn data_stays_with_its_store() {
    let mut shop = Shop::new();
    let store = shop.state.store.as_deref().unwrap().clone();
    for other in [
        StoreConfig { store: "elsewhere".into(), ..store.clone() },
        StoreConfig { tenant: "somebody".into(), ..store.clone() },
    ] {
        assert_eq!(shop.refusal(Command::Configure(Arc::new(other))), "store-changed");
    }
    // What it is called may change, and a box may be replaced.
    let renamed = StoreConfig { name: "New name".into(), box_name: "box-2".into(), ..store };
    shop.run(Command::Configure(Arc::new(renamed)));
}

fn cash_of(sale: &Sale) -> i64 {
    sale.tenders.iter().filter(|tender| tender.method == Method::Cash).map(|tender| tender.amount.0).sum()
}

#[test]
fn an_open_sale_keeps_the_tax_rules_that_it_began_with() {
    let mut shop = Shop::with(|store| {
        (store.tax_mode, store.tax_rounding) = (TaxMode::Exclusive, TaxRounding::Line);
    });
    let ring = shop.ring().item("pen", "1").item("pen", "1").item("pen", "1");
    let open = shop.sell(ring);
    configure(&mut shop, |store| {
        (store.tax_mode, store.tax_rounding) = (TaxMode::Inclusive, TaxRounding::Receipt);
    });
    let more = Command::AddLines { sale: open.id, lines: vec![line("pen", "1")] };
    let sale = shop.run(more).sale.unwrap();
    let each = open.total.0 / 3;
    assert_eq!((open.total.0 % 3, sale.total.0), (0, each * 4), "the fourth is priced as the first three");
    assert!(sale.lines.iter().all(|line| line.mode == TaxMode::Exclusive && line.tax == sale.lines[0].tax));
}

#[test]
fn in_parts_no_more_cash_comes_back_than_was_paid() {
    let mut shop = Shop::with(|store| store.cash_increment = 5);
    let ring = shop.ring().item("pen", "2").discount(Discount::Amount(Money(192))).cash(5);
    let sale = shop.sell(ring);
    assert_eq!((sale.total, sale.rounding), (Money(6), Money(-1)));
    let first = shop.refund(sale.id, &[(1, "1")]);
    let second = shop.refund(sale.id, &[(1, "1")]);
    assert_eq!((cash_of(&first), cash_of(&second)), (5, 0), "5 was paid");
    assert_eq!((first.rounding, second.rounding), (Money(2), Money(-3)));
}

#[test]
fn what_is_due_in_cash_pays() {
    let mut shop = Shop::with(|store| store.cash_increment = 5);
    let ring = shop.ring().item("milk", "1").cash(100);
    let open = shop.sell(ring);
    assert_eq!((open.status, open.due), (Status::Open, Money(20)));
    assert_eq!(shop.pay(open.id, Method::Cash, 20).status, Status::Completed);
}

#[test]
fn a_voided_return_leaves_a_drawer_as_it_was() {
    let mut shop = Shop::new();
    let shift = shop.open_shift(10_000);
    let mut ring = shop.ring_return().item("wine", "1").discount(Discount::Amount(Money(90)));
    ring = ring.cash(900);
    let back = shop.sell(ring);
    shop.change(back.id, Change::Void);
    let totals = &shop.state.shifts.values().find(|open| open.id == shift).unwrap().totals;
    assert_eq!(totals.discounts, Money::ZERO);
    assert_eq!(totals.sold - totals.returned - totals.voided, Money::ZERO);
    assert_eq!(totals.cash(), Money::ZERO);
}

#[test]
fn points_come_back_at_what_they_were_worth() {
    let loyalty = |worth| Some(Loyalty { earn_per: Money(100_000), worth: Money(worth) });
    let mut shop = Shop::with(|store| store.loyalty = Some(Loyalty { earn_per: Money(1), worth: Money(10) }));
    let customer = shop.customer();
    let ring = shop.ring().customer(customer).item("wine", "1").cash(990);
    shop.sell(ring);
    configure(&mut shop, |store| store.loyalty = loyalty(10));
    let before = shop.points(customer);
    let ring = shop.ring().customer(customer).item("wine", "1").paid(Method::Points, 990);
    let sale = shop.sell(ring);
    assert_eq!(shop.points(customer), before - 99);
    configure(&mut shop, |store| store.loyalty = loyalty(20));
    shop.change(sale.id, Change::Void);
    assert_eq!(shop.points(customer), before);
}

#[test]
fn a_sale_of_an_offline_till_stands_though_its_customer_was_erased() {
    let mut shop = Shop::new();
    let customer = shop.customer();
    shop.run(Command::EraseCustomer(customer));
    let ring = shop.ring().customer(customer).item("pen", "1").cash(99);
    assert_eq!(shop.sell_refusal(ring), "unknown-customer");
    let mut ring = shop.ring().customer(customer).item("pen", "1").cash(99);
    ring.0.provisional_number = Some("P-7".into());
    let sale = shop.sell(ring);
    assert_eq!((sale.status, sale.customer), (Status::Completed, None));
}

#[test]
fn foreign_money_is_an_amount_at_a_rate() {
    let mut shop = Shop::new();
    let usd: Currency = Currency::parse("USD").unwrap();
    let mut ring = |amount, rate: &str| {
        let foreign = Some(Foreign { currency: usd, amount: Money(amount), rate: rate.into() });
        let tender = TenderDraft { foreign, ..tender(Method::Cash, 99) };
        let mut ring = shop.ring().item("pen", "1");
        ring.0.tenders.push(tender);
        shop.ask(Command::Sell(ring.0)).map_err(|refusal| refusal.code)
    };
    for (amount, rate) in [(0, "1.08"), (-5, "1.08"), (107, "banana"), (107, "0"), (107, "-1"), (107, "")] {
        assert_eq!(ring(amount, rate).unwrap_err(), "bad-foreign", "{amount} at {rate}");
    }
    assert!(ring(107, "1.0850").is_ok());
}
