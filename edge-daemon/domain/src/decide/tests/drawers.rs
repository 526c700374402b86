//! Shifts: the drawer from its float to its Z.

use alloc::string::ToString;
use alloc::vec;

use uuid::Uuid;

use super::shop::*;
use crate::cart::Discount;
use crate::command::{Change, Command};
use crate::event::Event;
use crate::money::{MAX_PRICE, Money};
use crate::shift::{MovementKind, ZReport};
use crate::tax::Rate;
use crate::tender::Method;

fn moves(shop: &mut Shop, shift: Uuid, kind: MovementKind, amount: i64) -> Command {
    Command::MoveCash { shift, id: shop.id(), kind, amount: Money(amount), reason: None }
}

fn z(shop: &mut Shop, shift: Uuid, counted: i64) -> ZReport {
    let close = shop.close(shift, counted);
    match shop.run(close).events.as_slice() {
        [Event::ShiftClosed(report)] => report.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_drawer_holds_its_float_and_what_came_and_went() {
    let mut shop = Shop::with(|store| store.cash_increment = 5);
    let shift = shop.open_shift(10_000);
    let ring = shop.ring().item("wine", "1").cash(2000);
    shop.sell(ring); // +990
    let ring = shop.ring().item("milk", "1").cash(120);
    shop.sell(ring); // +120, a cent of it rounding
    let ring = shop.ring().item("wine", "2").discount(Discount::Amount(Money(80))).card(1000).cash(900);
    let mixed = shop.sell(ring).id; // +900
    shop.refund(mixed, &[(1, "1")]); // 950 to the card
    let ring = shop.ring().item("bread", "1").cash(250);
    let mistake = shop.sell(ring).id;
    shop.change(mistake, Change::Void); // 0
    let ring = shop.ring_return().item("pen", "1").cash(100);
    shop.sell(ring); // -100
    for (kind, amount) in [
        (MovementKind::PaidIn, 500),
        (MovementKind::PaidOut, 300),
        (MovementKind::Drop, 5000),
        (MovementKind::NoSale, 0),
    ] {
        let command = moves(&mut shop, shift, kind, amount);
        shop.run(command);
    }
    let x = shop.state.shifts[TILL].clone();
    assert_eq!(x.expected_cash(), Money(10_000 + 990 + 120 + 900 - 100 + 500 - 300 - 5000));
    let t = &x.totals;
    assert_eq!((t.sales, t.returns, t.voids, t.no_sales), (4, 2, 1, 1));
    assert_eq!((t.sold, t.returned, t.voided), (Money(990 + 119 + 1900 + 250), Money(950 + 99), Money(250)));
    assert_eq!((t.discounts, t.rounding), (Money(80), Money(1 - 1)));
    assert_eq!(t.tenders[&Method::Card], Money(1000 - 950));
    assert_eq!(t.cash(), Money(990 + 120 + 900 - 100));
    let taxed: Money = t.taxes.values().map(|sum| sum.base + sum.amount).sum();
    assert_eq!(taxed, t.sold - t.returned - t.voided);
    assert_eq!(t.taxes[&Rate(5000)].base + t.taxes[&Rate(5000)].amount, Money(119));

    let report = z(&mut shop, shift, 7_100);
    assert_eq!((report.number, report.expected, report.counted), (1, x.expected_cash(), Money(7_100)));
    assert_eq!((&report.shift, report.head.as_str(), report.clock_trusted), (&x, "1.7 abc", true));
    assert!(shop.state.shifts.is_empty());
    assert_eq!(shop.state.closed_through.unwrap().to_string(), "2026-11-23");
}

#[test]
fn a_shift_needs_no_sale_and_a_z_is_numbered() {
    let mut shop = Shop::new();
    for number in 1..=3 {
        let shift = shop.open_shift(0);
        assert_eq!(z(&mut shop, shift, 0).number, number);
        let again = shop.close(shift, 0);
        assert_eq!(shop.refusal(again), "no-such-shift", "a Z is final");
    }
}

#[test]
fn each_drawer_has_one_shift_and_its_own_money() {
    let mut shop = Shop::new();
    let first = shop.open_shift(1000);
    let id = shop.id();
    let open = |id, drawer: &str| Command::OpenShift {
        id,
        drawer: drawer.into(),
        cashier: None,
        float: Money(2000),
    };
    assert_eq!(shop.refusal(open(id, TILL)), "shift-open");
    assert_eq!(shop.refusal(open(first, "till-2")), "shift-open", "an id names one shift");
    shop.run(open(id, "till-2"));
    let mut ring = shop.ring().item("pen", "1").cash(99);
    ring.0.terminal = "till-2".into();
    let sale = shop.sell(ring);
    assert_eq!(sale.shift, Some(id));
    assert_eq!(shop.state.shifts[TILL].expected_cash(), Money(1000));
    assert_eq!(shop.state.shifts["till-2"].expected_cash(), Money(2099));
}

#[test]
fn money_that_goes_back_at_another_till_leaves_its_drawer() {
    let mut shop = Shop::with(|store| store.require_shift = true);
    let own = shop.open_shift(10_000);
    let draft = shop.ring().item("wine", "2").cash(1980);
    let sale = shop.sell(draft);
    let draft = shop.ring().item("pen", "1").cash(99);
    let pen = shop.sell(draft);
    let other = shop.id();
    let till = || Some("till-2".into());
    let elsewhere = |sale, change| Command::ChangeSale { sale, change, reason: None, terminal: till() };
    let back = shop.refund_of(sale.id, &[(1, "1")], vec![]);
    assert_eq!(shop.refusal(elsewhere(sale.id, back.clone())), "shift-needed");
    shop.run(Command::OpenShift { id: other, drawer: "till-2".into(), cashier: None, float: Money(5_000) });
    let returned = shop.run(elsewhere(sale.id, back)).sale.unwrap();
    assert_eq!((&*returned.terminal, returned.shift), ("till-2", Some(other)));
    let voided = shop.run(elsewhere(pen.id, Change::Void)).sale.unwrap();
    assert_eq!((voided.shift, &*voided.terminal), (Some(other), &*pen.terminal));
    let cash = |id| shop.state.shifts.values().find(|shift| shift.id == id).unwrap().expected_cash().0;
    assert_eq!((cash(own), cash(other)), (10_000 + 1980 + 99, 5_000 - 990 - 99));
}

#[test]
fn a_void_after_the_z_leaves_the_drawer_that_is_open_now() {
    let mut shop = Shop::new();
    let first = shop.open_shift(0);
    let ring = shop.ring().item("wine", "1").cash(990);
    let sale = shop.sell(ring).id;
    let report = z(&mut shop, first, 990);
    let second = shop.open_shift(2000);
    assert_eq!(shop.change(sale, Change::Void).shift, Some(second));
    assert_eq!(shop.state.shifts[TILL].expected_cash(), Money(2000 - 990));
    assert_eq!(report.expected, Money(990), "the Z stands");
}

#[test]
fn where_a_shift_is_needed_no_money_moves_without() {
    let mut shop = Shop::with(|store| store.require_shift = true);
    let ring = shop.ring().item("pen", "1").cash(99);
    assert_eq!(shop.sell_refusal(ring), "shift-needed");
    let practice = shop.ring().item("pen", "1").training().cash(99);
    shop.sell(practice);
    let open = shop.ring().item("pen", "1");
    let open = shop.sell(open).id;
    assert_eq!(shop.refusal(Command::Pay { sale: open, tender: tender(Method::Cash, 99) }), "shift-needed");
    let shift = shop.open_shift(0);
    shop.pay(open, Method::Cash, 99);
    z(&mut shop, shift, 99);
    assert_eq!(shop.change_refusal(open, Change::Void), "shift-needed");
    let refund = shop.refund_of(open, &[], alloc::vec![]);
    assert_eq!(shop.change_refusal(open, refund.clone()), "shift-needed");
    shop.open_shift(0);
    shop.change(open, refund);
}

#[test]
fn a_z_on_a_doubtful_clock_asks_first() {
    let mut shop = Shop::new();
    let shift = shop.open_shift(0);
    shop.now.trusted = false;
    let close = shop.close(shift, 0);
    assert_eq!(shop.refusal(close), "clock-untrusted");
    let confirmed =
        Command::CloseShift { shift, cashier: Some("anna".into()), counted: Money(0), confirm_clock: true };
    let events = shop.run(confirmed).events;
    assert!(matches!(events.as_slice(), [Event::ShiftClosed(report)] if !report.clock_trusted));
}

#[test]
fn amounts_of_movements_make_sense() {
    let mut shop = Shop::new();
    let shift = shop.open_shift(0);
    for (kind, amount) in [
        (MovementKind::PaidIn, 0),
        (MovementKind::PaidOut, -1),
        (MovementKind::Drop, MAX_PRICE.0 + 1),
        (MovementKind::NoSale, 1),
        (MovementKind::PaidIn, i64::MIN),
    ] {
        let command = moves(&mut shop, shift, kind, amount);
        assert_eq!(shop.refusal(command), "bad-amount", "{kind:?} {amount}");
    }
    let stranger = shop.id();
    let command = moves(&mut shop, stranger, MovementKind::PaidIn, 1);
    assert_eq!(shop.refusal(command), "no-such-shift");
    let id = shop.id();
    let open = Command::OpenShift { id, drawer: "till-9".into(), cashier: None, float: Money(-1) };
    assert_eq!(shop.refusal(open), "bad-amount");
    let close = shop.close(shift, -1);
    assert_eq!(shop.refusal(close), "bad-amount");
}
