//! The sale's life: which status may become which.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;

use uuid::Uuid;

use super::shop::*;
use crate::cart::Discount;
use crate::command::{Change, Command};
use crate::decide::RefusalKind;
use crate::money::Money;
use crate::sale::{Sale, Status};
use crate::tax::Rate;
use crate::tender::{Method, PaymentStatus};

const WINE: i64 = 990;

/// A sale of two bottles of wine in every status.
fn in_status(shop: &mut Shop, status: Status) -> Uuid {
    let ring = shop.ring().item("wine", "2");
    let paid = !matches!(status, Status::Open | Status::Suspended | Status::Cancelled);
    let sale = shop.sell(if paid { ring.card(2 * WINE) } else { ring });
    let after = match status {
        Status::Open | Status::Completed => sale.clone(),
        Status::Suspended => shop.change(sale.id, Change::Suspend),
        Status::Cancelled => shop.change(sale.id, Change::Cancel),
        Status::Voided => shop.change(sale.id, Change::Void),
        Status::PartiallyRefunded => {
            shop.refund(sale.id, &[(1, "1")]);
            shop.sales[&sale.id].clone()
        }
        Status::Refunded => {
            shop.refund(sale.id, &[]);
            shop.sales[&sale.id].clone()
        }
    };
    assert_eq!(after.status, status);
    sale.id
}

/// What is asked for, in the table's order.
fn commands(shop: &mut Shop, sale: Uuid) -> [(&'static str, Command); 9] {
    let change = |change| Command::ChangeSale { sale, change, reason: None, terminal: None };
    let refund = Change::Refund { id: shop.id(), lines: vec![], tenders: vec![] };
    let line = shop.sales[&sale].line_id(1);
    [
        ("add", Command::AddLines { sale, lines: vec![line_of_bread()] }),
        ("take off", Command::VoidLine { sale, line }),
        ("pay", Command::Pay { sale, tender: tender(Method::Card, 2 * WINE) }),
        ("complete", change(Change::Complete)),
        ("suspend", change(Change::Suspend)),
        ("resume", change(Change::Resume)),
        ("cancel", change(Change::Cancel)),
        ("void", change(Change::Void)),
        ("refund", change(refund)),
    ]
}

fn line_of_bread() -> crate::command::LineDraft {
    line("bread", "1")
}

/// `+` legal, `-` a conflict, `$` legal but for the money that is missing.
#[test]
fn the_transition_table() {
    #[rustfmt::skip]
    let table = [
        //                           add  take pay  comp susp resu canc void refu
        (Status::Open,              "+    +    +    $    +    -    +    -    -"),
        (Status::Suspended,         "-    -    -    -    -    +    +    -    -"),
        (Status::Completed,         "-    -    -    -    -    -    -    +    +"),
        (Status::Cancelled,         "-    -    -    -    -    -    -    -    -"),
        (Status::Voided,            "-    -    -    -    -    -    -    -    -"),
        (Status::PartiallyRefunded, "-    -    -    -    -    -    -    -    +"),
        (Status::Refunded,          "-    -    -    -    -    -    -    -    -"),
    ];
    for (status, row) in table {
        for (column, expected) in row.split_whitespace().enumerate() {
            let mut shop = Shop::new();
            let sale = in_status(&mut shop, status);
            let (name, command) = commands(&mut shop, sale)[column].clone();
            let found = match shop.ask(command) {
                Ok(_) => "+",
                Err(refusal)
                    if (refusal.kind, refusal.code) == (RefusalKind::Conflict, "illegal-transition") =>
                {
                    assert!(refusal.detail.contains(status.name()), "{refusal}");
                    "-"
                }
                Err(refusal) if refusal.code == "tender-too-small" => "$",
                Err(refusal) => refusal.code,
            };
            assert_eq!(found, expected, "{name} a sale that is {}", status.name());
        }
    }
}

#[test]
fn what_nobody_knows_cannot_change() {
    let mut shop = Shop::new();
    let known = in_status(&mut shop, Status::Open);
    for (name, command) in commands(&mut shop, known) {
        let mut empty = Shop::new();
        assert_eq!(empty.refusal(command), "no-such-transaction", "{name}");
    }
}

#[test]
fn a_parked_sale_is_taken_up_where_it_was_left() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").cash(100);
    let open = shop.sell(draft);
    shop.change(open.id, Change::Suspend);
    let resumed = shop.change(open.id, Change::Resume);
    assert_eq!(*resumed, *open);
    assert_eq!(shop.pay(open.id, Method::Cash, 890).status, Status::Completed);
}

#[test]
fn the_reason_is_kept() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1");
    let id = shop.sell(draft).id;
    let reason = Some(sealed("changed his mind"));
    let decision = shop.run(Command::ChangeSale {
        sale: id,
        change: Change::Cancel,
        reason: reason.clone(),
        terminal: None,
    });
    assert_eq!(decision.sale.unwrap().reason, reason);
    let ring = shop.ring().item("wine", "1").discount(Discount::Percent(Rate(100_000)));
    let gift = shop.sell(ring).id;
    let decision = shop.run(Command::ChangeSale {
        sale: gift,
        change: Change::Complete,
        reason: reason.clone(),
        terminal: None,
    });
    assert_eq!(decision.sale.unwrap().reason, reason);
}

#[test]
fn a_void_takes_everything_back_on_its_business_day_only() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "2").cash(2000);
    let sale = shop.sell(draft);
    assert_eq!(shop.level("wine"), "-2.000");
    // The evening after midnight is still the same business day; 04:00 ends it.
    shop.now.time.0 += 16 * HOUR;
    let before = shop.state.clone();
    shop.now.time.0 += HOUR;
    assert_eq!(shop.change_refusal(sale.id, Change::Void), "void-too-late");
    assert_eq!(shop.state, before);
    shop.now.time.0 -= HOUR;
    let voided = shop.change(sale.id, Change::Void);
    assert_eq!((voided.status, voided.receipt, voided.total), (Status::Voided, sale.receipt, Money(1980)));
    assert!(voided.tenders.iter().all(|tender| tender.status == PaymentStatus::Reversed));
    assert_eq!(shop.level("wine"), "0.000");
}

#[test]
fn a_return_of_a_sale_cannot_be_voided_but_one_without_can() {
    let mut shop = Shop::new();
    let sold = in_status(&mut shop, Status::Completed);
    let back = shop.refund(sold, &[]);
    assert_eq!(shop.change_refusal(back.id, Change::Void), "illegal-transition");
    assert_eq!(
        shop.change_refusal(back.id, Change::Refund { id: sold, lines: vec![], tenders: vec![] }),
        "illegal-transition"
    );
    let draft = shop.ring_return().item("wine", "1").cash(990);
    let unlinked = shop.sell(draft);
    assert_eq!(shop.level("wine"), "1.000");
    assert_eq!(shop.change(unlinked.id, Change::Void).status, Status::Voided);
    assert_eq!(shop.level("wine"), "0.000");
}

#[test]
fn money_that_nobody_is_sure_of_stops_a_void() {
    let mut shop = Shop::new();
    let sold = in_status(&mut shop, Status::Completed);
    for status in [PaymentStatus::Pending, PaymentStatus::Unknown] {
        let mut sale = Sale::clone(&shop.sales[&sold]);
        sale.tenders[0].status = status;
        shop.sales.insert(sold, Arc::new(sale));
        assert_eq!(shop.change_refusal(sold, Change::Void), "money-uncertain");
    }
}

#[test]
fn ids_of_lines_and_payments_are_their_own() {
    let mut shop = Shop::new();
    let draft = shop.ring().item("wine", "1").item("pen", "1").cash(1089);
    let sale = shop.sell(draft);
    let ids = [sale.id, sale.line_id(1), sale.line_id(2), sale.payment_id(1)];
    let mut distinct = ids.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());
    assert_eq!(sale.line_by_id(sale.line_id(2)).map(|line| String::from(&*line.sku)).as_deref(), Some("pen"));
    assert_eq!(sale.line_id(1).get_version_num(), 8);
}
