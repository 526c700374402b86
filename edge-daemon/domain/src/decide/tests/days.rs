//! Business days, receipt numbers, practice, and sales that come late.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::shop::*;
use crate::command::{Change, Command};
use crate::money::Money;
use crate::sale::{Sale, Status};
use crate::tender::Method;
use crate::time::Millis;

fn pen(shop: &mut Shop) -> alloc::sync::Arc<Sale> {
    let ring = shop.ring().item("pen", "1").cash(99);
    shop.sell(ring)
}

fn numbers(shop: &mut Shop, count: usize) -> Vec<String> {
    (0..count).map(|_| pen(shop).receipt.unwrap().to_string()).collect()
}

#[test]
fn receipt_numbers_are_consecutive_and_given_at_completion() {
    let mut shop = Shop::new();
    assert_eq!(numbers(&mut shop, 2), ["01-000001", "01-000002"]);
    let ring = shop.ring().item("wine", "1");
    let open = shop.sell(ring).id;
    let ring = shop.ring().item("wine", "1");
    let given_up = shop.sell(ring).id;
    shop.change(given_up, Change::Cancel);
    assert_eq!(numbers(&mut shop, 1), ["01-000003"]);
    assert_eq!(shop.pay(open, Method::Card, 990).receipt.unwrap().number, 4);
    shop.change(open, Change::Void);
    assert_eq!(numbers(&mut shop, 1), ["01-000005"], "a voided sale keeps its number");
}

#[test]
fn a_new_epoch_starts_a_new_series() {
    let mut shop = Shop::new();
    numbers(&mut shop, 3);
    shop.run(Command::StartEpoch { series: 2, reason: "restored".into() });
    assert_eq!(numbers(&mut shop, 2), ["02-000001", "02-000002"]);
}

#[test]
fn practice_has_numbers_of_its_own_and_never_counts() {
    let mut shop = Shop::new();
    let customer = shop.customer();
    let shift = shop.open_shift(10_000);
    let ring = shop.ring().item("wine", "1").customer(customer).training().cash(1000);
    let practice = shop.sell(ring);
    assert_eq!(practice.receipt.unwrap().to_string(), "T-000001");
    assert_eq!(numbers(&mut shop, 1), ["01-000001"]);
    let ring = shop.ring().item("wine", "1").training().cash(990);
    let second = shop.sell(ring);
    assert_eq!(second.receipt.unwrap().to_string(), "T-000002");
    shop.change(second.id, Change::Void);
    let back = shop.refund(practice.id, &[]);
    assert!(back.training);
    assert_eq!(back.receipt.unwrap().to_string(), "T-000003");
    assert_eq!((shop.level("wine"), shop.points(customer)), ("0.000".into(), 0));
    let totals = &shop.state.shifts[TILL].totals;
    assert_eq!((totals.sales, totals.returns, totals.voids, totals.sold), (1, 0, 0, Money(99)));
    assert_eq!(shop.state.shifts[TILL].expected_cash(), Money(10_099));
    assert_eq!(shop.state.shifts[TILL].id, shift);
}

#[test]
fn a_business_day_ends_at_the_cut_off() {
    let mut shop = Shop::new();
    let date_at = |shop: &mut Shop, hours: i64| {
        shop.now.time = Millis(MORNING.0 + hours * HOUR);
        pen(shop).business_date.to_string()
    };
    assert_eq!(date_at(&mut shop, 0), "2026-11-23");
    assert_eq!(date_at(&mut shop, 16), "2026-11-23", "03:00 belongs to the evening before");
    assert_eq!(date_at(&mut shop, 17), "2026-11-24", "04:00 does not");
}

#[test]
fn a_sale_keeps_the_day_on_which_it_began() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1");
    let open = shop.sell(ring).id;
    shop.now.time.0 += 18 * HOUR;
    let done = shop.pay(open, Method::Cash, 990);
    assert_eq!(done.business_date.to_string(), "2026-11-23");
    assert_eq!(done.completed_at, Some(shop.now.time));
    assert_eq!(shop.change_refusal(open, Change::Void), "void-too-late");
}

#[test]
fn the_date_is_held_while_the_clock_is_not_believed() {
    let mut shop = Shop::new();
    pen(&mut shop);
    shop.now.time.0 += 48 * HOUR;
    shop.now.trusted = false;
    assert_eq!(pen(&mut shop).business_date.to_string(), "2026-11-23");
    shop.now.trusted = true;
    assert_eq!(pen(&mut shop).business_date.to_string(), "2026-11-25");
}

#[test]
fn a_start_in_the_future_is_now() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("pen", "1").started(Millis(MORNING.0 + 1)).cash(99);
    assert_eq!(shop.sell(ring).started_at, MORNING);
    for wild in [i64::MIN, i64::MAX] {
        let ring = shop.ring().item("pen", "1").started(Millis(wild)).cash(99);
        let sale = shop.sell(ring);
        assert!(sale.started_at <= shop.now.time && sale.completed_at >= Some(sale.started_at));
    }
}

/// Closes the day at 20:00 and opens the next shift in the morning.
fn next_morning(shop: &mut Shop) {
    let shift = shop.open_shift(0);
    shop.now.time.0 += 9 * HOUR;
    let close = shop.close(shift, 0);
    shop.run(close);
    shop.now.time.0 += 12 * HOUR;
    shop.open_shift(0);
}

#[test]
fn a_sale_that_comes_after_its_z_is_late_and_enters_the_next() {
    let mut shop = Shop::new();
    next_morning(&mut shop);
    let offline = shop.ring().item("wine", "1").started(Millis(MORNING.0 + HOUR)).cash(990);
    let late = shop.sell(offline);
    assert_eq!((late.business_date.to_string().as_str(), late.late), ("2026-11-23", true));
    let prompt = pen(&mut shop);
    assert_eq!((prompt.business_date.to_string().as_str(), prompt.late), ("2026-11-24", false));
    let totals = &shop.state.shifts[TILL].totals;
    assert_eq!((totals.late, totals.sold), (Money(990), Money(1089)));
}

#[test]
fn a_sale_left_open_over_the_z_is_late_when_it_is_paid() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1");
    let open = shop.sell(ring).id;
    next_morning(&mut shop);
    let done = shop.pay(open, Method::Cash, 990);
    assert_eq!((done.status, done.late), (Status::Completed, true));
    assert_eq!(shop.state.shifts[TILL].totals.late, Money(990));
}

#[test]
fn the_second_shift_of_a_day_is_not_late() {
    let mut shop = Shop::new();
    let early = shop.open_shift(0);
    shop.now.time.0 += 3 * HOUR;
    let close = shop.close(early, 0);
    shop.run(close);
    shop.open_shift(0);
    shop.now.time.0 += HOUR;
    let sale = pen(&mut shop);
    assert!(!sale.late, "the day has a Z, but this sale began in the shift that it enters");
    assert!(!shop.refund(sale.id, &[]).late);
    let morning = shop.ring().item("pen", "1").started(Millis(MORNING.0 + HOUR)).cash(99);
    assert!(shop.sell(morning).late, "this one belongs to the first Z");
}
