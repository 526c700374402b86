//! Returns without their sale, and sales that were made elsewhere.

use super::shop::*;
use crate::cart::Discount;
use crate::command::{AsSold, Command, LineDraft};
use crate::money::Money;
use crate::sale::{Kind, Status};
use crate::tax::{Rate, TaxMode};
use crate::tender::Method;

fn as_sold(sku: &str, amount: &str, price: i64) -> LineDraft {
    let terms = AsSold { unit_price: Money(price), rate: Rate(10_000), mode: TaxMode::Inclusive };
    LineDraft { as_sold: Some(terms), original_reference: Some("536365".into()), ..line(sku, amount) }
}

#[test]
fn a_return_without_its_sale_is_flagged() {
    let mut shop = Shop::new();
    let draft = shop.ring_return().item("wine", "1").cash(990);
    let back = shop.sell(draft);
    assert_eq!((back.kind, back.status, back.unlinked), (Kind::Return, Status::Completed, true));
    assert_eq!(
        (back.total, back.original),
        (Money(990), None),
        "amounts are positive: the kind tells the direction"
    );
    assert_eq!(shop.level("wine"), "1.000");
}

#[test]
fn it_pays_out_exactly_and_gives_no_change() {
    let mut shop = Shop::new();
    let draft = shop.ring_return().item("wine", "1").cash(1000);
    assert_eq!(shop.sell_refusal(draft), "payout-differs");
    let draft = shop.ring_return().item("wine", "1").card(1000);
    assert_eq!(shop.sell_refusal(draft), "no-change");
}

#[test]
fn its_cash_is_limited_however_it_is_asked_for() {
    let mut shop = Shop::with(|store| store.unlinked_cash_limit = Some(Money(1000)));
    let draft = shop.ring_return().item("wine", "2").cash(1980);
    assert_eq!(shop.sell_refusal(draft), "unlinked-cash-limit");
    let draft = shop.ring_return().item("wine", "2").paid(Method::Voucher, 1980);
    assert_eq!(shop.sell(draft).status, Status::Completed);
    let draft = shop.ring_return().item("wine", "1").cash(990);
    assert_eq!(shop.sell(draft).status, Status::Completed);
    // Not in two steps either.
    let draft = shop.ring_return().item("wine", "2").cash(990);
    let open = shop.sell(draft).id;
    assert_eq!(
        shop.refusal(Command::Pay { sale: open, tender: tender(Method::Cash, 990) }),
        "unlinked-cash-limit"
    );
    assert_eq!(shop.pay(open, Method::Voucher, 990).status, Status::Completed);
    // What an offline till has paid out already happened.
    let mut draft = shop.ring_return().item("wine", "2").cash(1980);
    draft.0.provisional_number = Some("till-1-0007".into());
    assert_eq!(shop.sell(draft).status, Status::Completed);
    // A refund of a sale is no such return.
    let draft = shop.ring().item("wine", "2").cash(1980);
    let sale = shop.sell(draft).id;
    assert_eq!(shop.refund(sale, &[]).status, Status::Completed);
}

#[test]
fn amounts_of_elsewhere_stand_and_todays_price_is_noted() {
    let mut shop = Shop::new();
    let draft = shop.ring().line(as_sold("wine", "2", 880)).line(as_sold("pen", "1", 99)).card(1859);
    let sale = shop.sell(draft);
    assert_eq!((sale.total, sale.status), (Money(1859), Status::Completed));
    let wine = &sale.lines[0];
    assert_eq!((wine.unit_price, wine.rate, wine.list_price), (Money(880), Rate(10_000), Some(Money(990))));
    assert_eq!(wine.original_reference.as_deref(), Some("536365"));
    assert_eq!(sale.lines[1].list_price, None, "the same price is no difference");
    assert_eq!(shop.level("wine"), "-2.000");
}

#[test]
fn goods_that_the_catalogue_does_not_know_were_sold_all_the_same() {
    let mut shop = Shop::new();
    let draft = shop
        .ring()
        .line(as_sold("85123A", "6", 255))
        .line(LineDraft { as_sold: as_sold("", "1", 100).as_sold, ..scan("4012345678901") });
    let draft = draft.discount(Discount::Amount(Money(30))).card(1600);
    let sale = shop.sell(draft);
    assert_eq!((sale.status, sale.total), (Status::Completed, Money(1600)));
    assert_eq!(
        (sale.lines[0].product, &*sale.lines[0].sku, &*sale.lines[0].name),
        (None, "85123A", "85123A")
    );
    assert_eq!(&*sale.lines[1].sku, "4012345678901");
    let back = shop.refund(sale.id, &[(1, "6")]);
    assert_eq!(back.total, sale.lines[0].total);
}

#[test]
fn terms_that_cannot_have_been_are_refused() {
    let mut shop = Shop::new();
    for price in [-1, i64::MAX] {
        let draft = shop.ring().line(as_sold("wine", "1", price));
        assert_eq!(shop.sell_refusal(draft), "bad-amount");
    }
    let mut taxed = as_sold("wine", "1", 1);
    taxed.as_sold.as_mut().unwrap().rate = Rate(1_000_000);
    let draft = shop.ring().line(taxed);
    assert_eq!(shop.sell_refusal(draft), "bad-percent");
    let draft = shop.ring().line(as_sold("", "1", 1));
    assert_eq!(shop.sell_refusal(draft), "bad-text");
}
