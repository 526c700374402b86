//! Customers and their points.

use alloc::vec;

use uuid::Uuid;

use super::shop::*;
use crate::command::{Change, Command};
use crate::event::Event;
use crate::money::Money;
use crate::store::Loyalty;
use crate::tender::Method;

/// A point for each whole euro of net value, each worth ten cents.
fn shop_with_points() -> (Shop, Uuid) {
    let mut shop =
        Shop::with(|store| store.loyalty = Some(Loyalty { earn_per: Money(100), worth: Money(10) }));
    let customer = shop.customer();
    (shop, customer)
}

/// A customer who bought a hundred bottles of wine, 825.00 net.
fn regular() -> (Shop, Uuid) {
    let (mut shop, customer) = shop_with_points();
    let ring = shop.ring().item("wine", "100").customer(customer).card(99_000);
    shop.sell(ring);
    assert_eq!(shop.points(customer), 825);
    (shop, customer)
}

#[test]
fn points_are_earned_on_the_net_and_taken_back_with_the_goods() {
    let (mut shop, customer) = shop_with_points();
    // Net 2 × 8.25 = 16.50.
    let ring = shop.ring().item("wine", "2").customer(customer).card(1980);
    let sale = shop.sell(ring);
    assert_eq!((sale.points, shop.points(customer)), (16, 16));
    // What is left is 8.25: 8 points.
    assert_eq!(shop.refund(sale.id, &[(1, "1")]).points, 8);
    assert_eq!(shop.points(customer), 8);
    shop.refund(sale.id, &[]);
    assert_eq!(shop.points(customer), 0);
    let ring = shop.ring().item("wine", "2").customer(customer).card(1980);
    let sale = shop.sell(ring).id;
    shop.change(sale, Change::Void);
    assert_eq!(shop.points(customer), 0);
}

#[test]
fn a_scheme_that_was_changed_takes_back_no_more_than_was_given() {
    let (mut shop, customer) = shop_with_points();
    let ring = shop.ring().item("wine", "2").customer(customer).card(1980);
    let sale = shop.sell(ring).id;
    let mut store = config();
    store.loyalty = Some(Loyalty { earn_per: Money(1), worth: Money(10) });
    shop.run(Command::Configure(store.into()));
    shop.refund(sale, &[(1, "1")]);
    assert!(shop.points(customer) >= 0);
    shop.refund(sale, &[]);
    assert_eq!(shop.points(customer), 0);
}

#[test]
fn points_pay_like_money_and_return_with_a_void() {
    let (mut shop, customer) = regular();
    let ring = shop.ring().item("wine", "1").customer(customer).paid(Method::Points, 500).cash(490);
    let sale = shop.sell(ring);
    assert_eq!(shop.points(customer), 825 - 50 + 8);
    shop.change(sale.id, Change::Void);
    assert_eq!(shop.points(customer), 825);
}

#[test]
fn points_split_over_tenders_are_all_spent() {
    let (mut shop, customer) = regular();
    let ring = shop
        .ring()
        .item("wine", "1")
        .customer(customer)
        .paid(Method::Points, 5)
        .paid(Method::Points, 5)
        .cash(980);
    shop.sell(ring);
    assert_eq!(shop.points(customer), 825 - 1 + 8);
}

#[test]
fn nobody_spends_points_that_are_not_there() {
    let (mut shop, customer) = regular();
    let ring = shop.ring().item("wine", "9").customer(customer).paid(Method::Points, 8260).cash(1000);
    assert_eq!(shop.sell_refusal(ring), "points-short");
    let ring = shop.ring().item("wine", "1").customer(customer).paid(Method::Points, 495).cash(1000);
    assert_eq!(shop.sell_refusal(ring), "no-points", "half a point is none");
    let ring = shop.ring().item("wine", "1").paid(Method::Points, 990);
    assert_eq!(shop.sell_refusal(ring), "no-points", "whose?");
    // Two sales at once cannot spend the same points: the second is refused when it completes.
    let half = |shop: &mut Shop| {
        let ring = shop.ring().item("wine", "9").customer(customer).paid(Method::Points, 5000);
        shop.sell(ring).id
    };
    let (first, second) = (half(&mut shop), half(&mut shop));
    shop.pay(first, Method::Cash, 3910);
    assert_eq!(
        shop.refusal(Command::Pay { sale: second, tender: tender(Method::Cash, 3910) }),
        "points-short"
    );
    let mut without = Shop::new();
    let customer = without.customer();
    let ring = without.ring().item("wine", "1").customer(customer).paid(Method::Points, 990);
    assert_eq!(without.sell_refusal(ring), "no-points", "this store has no scheme");
}

#[test]
fn what_was_paid_in_points_goes_back_in_whole_points_and_the_rest_in_cash() {
    let (mut shop, customer) = regular();
    let ring = shop.ring().item("pen", "10").customer(customer).paid(Method::Points, 990);
    let sale = shop.sell(ring).id;
    let before = shop.points(customer);
    let back = shop.refund(sale, &[(1, "1")]);
    let parts: alloc::vec::Vec<_> = back.money().collect();
    assert_eq!(parts, [(Method::Points, Money(90)), (Method::Cash, Money(9))]);
    assert_eq!(shop.points(customer), before + 9 - back.points);
}

#[test]
fn a_customer_is_made_once_and_changed_by_version() {
    let mut shop = Shop::new();
    let id = shop.customer();
    assert_eq!(shop.refusal(Command::PutCustomer(customer_draft(id))), "customer-exists");
    let mut edit = customer_draft(id);
    (edit.new, edit.if_version, edit.email_hash, edit.phone_hash) = (false, Some(1), None, Some([9; 16]));
    shop.run(Command::PutCustomer(edit.clone()));
    assert_eq!(shop.state.customers[&id].customer.as_ref().unwrap().version, 2);
    assert_eq!((shop.state.by_email.len(), shop.state.by_phone.get(&[9; 16])), (0, Some(&id)));
    assert_eq!(shop.refusal(Command::PutCustomer(edit)), "stale");
    let mut stranger = customer_draft(shop.id());
    stranger.new = false;
    assert_eq!(shop.refusal(Command::PutCustomer(stranger)), "no-such-customer");
}

#[test]
fn an_erased_customer_stays_erased() {
    let (mut shop, id) = regular();
    let events = shop.run(Command::EraseCustomer(id)).events;
    assert!(matches!(events.as_slice(), [Event::CustomerErased(erased)] if *erased == id));
    assert!(shop.state.by_email.is_empty() && shop.state.customers[&id].customer.is_none());
    assert_eq!(shop.run(Command::EraseCustomer(id)).events, vec![], "asking twice is no error");
    assert_eq!(shop.refusal(Command::PutCustomer(customer_draft(id))), "customer-exists");
    let mut edit = customer_draft(id);
    edit.new = false;
    assert_eq!(shop.refusal(Command::PutCustomer(edit)), "no-such-customer");
    let ring = shop.ring().customer(id);
    assert_eq!(shop.sell_refusal(ring), "unknown-customer");
    let stranger = shop.id();
    assert_eq!(shop.refusal(Command::EraseCustomer(stranger)), "no-such-customer");
}

#[test]
fn what_an_erased_customer_bought_can_still_come_back() {
    let (mut shop, id) = shop_with_points();
    let ring = shop.ring().item("wine", "2").customer(id).card(1980);
    let sale = shop.sell(ring).id;
    shop.run(Command::EraseCustomer(id));
    assert_eq!(shop.refund(sale, &[]).points, 16);
    assert_eq!(shop.points(id), 0);
}
