//! Random days in a small shop: whatever is asked for in whatever order, the books agree.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use super::ledger::{Ledger, check_replay};
use super::shop::*;
use crate::cart::Discount;
use crate::command::{AsSold, Change, Command, LineDraft, ProductDraft, RefundLine};
use crate::event::Event;
use crate::money::Money;
use crate::quantity::Quantity;
use crate::sale::{Kind, Sale, Status};
use crate::shift::MovementKind;
use crate::store::{Loyalty, StoreConfig};
use crate::tax::{Rate, TaxMode, TaxRounding};
use crate::tender::Method;
use crate::time::Millis;

const SKUS: [&str; 5] = ["bread", "wine", "milk", "12345", "pen"];

#[derive(Debug, Clone)]
struct Item {
    sku: &'static str,
    quantity: i64,
    discount: Option<Discount>,
    as_sold: Option<AsSold>,
}

#[derive(Debug, Clone)]
enum Action {
    Ring {
        kind: Kind,
        items: Vec<Item>,
        discount: Option<Discount>,
        paid: Vec<(Method, i64)>,
        customer: bool,
        training: bool,
        hours_ago: i64,
        till: u8,
    },
    Add(Index, Item),
    TakeOff(Index, u16),
    Pay(Index, Method, i64),
    /// Exactly what is due.
    PayRest(Index, Method),
    Change(Index, Change),
    Refund(Index, Vec<(u16, i64)>),
    Adjust(&'static str, i64),
    OpenShift(u8, i64),
    Move(u8, MovementKind, i64),
    CloseShift(u8, i64),
    Wait(i64),
    Reprice(&'static str, i64),
    NewEpoch,
}

fn discounts() -> impl Strategy<Value = Option<Discount>> {
    prop_oneof![
        4 => Just(None),
        1 => (0_i64..3_000).prop_map(|amount| Some(Discount::Amount(Money(amount)))),
        1 => (0_u32..=100_000).prop_map(|rate| Some(Discount::Percent(Rate(rate)))),
    ]
}

fn items() -> impl Strategy<Value = Item> {
    let terms =
        (0_i64..2_000, select(vec![0, 5_000, 20_000]), any::<bool>()).prop_map(|(price, rate, inclusive)| {
            AsSold {
                unit_price: Money(price),
                rate: Rate(rate),
                mode: if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive },
            }
        });
    let quantities = prop_oneof![Just(1000_i64), 1_i64..5_000, (1_i64..40).prop_map(|pieces| pieces * 1000)];
    (select(SKUS.to_vec()), quantities, discounts(), prop::option::weighted(0.2, terms))
        .prop_map(|(sku, quantity, discount, as_sold)| Item { sku, quantity, discount, as_sold })
}

fn rings() -> impl Strategy<Value = Action> {
    let methods = || select(Method::ALL.to_vec());
    let paid = prop_oneof![
        3 => Just(vec![(Method::Cash, 1_000_000)]),
        1 => prop::collection::vec((methods(), 1_i64..3_000), 0..3),
        1 => (methods(), 1_i64..500).prop_map(|part| vec![part, (Method::Cash, 1_000_000)]),
    ];
    let kind = prop_oneof![5 => Just(Kind::Sale), 1 => Just(Kind::Return)];
    let flags =
        (any::<bool>(), prop::bool::weighted(0.1), prop_oneof![4 => Just(0), 1 => 1_i64..40], 1_u8..3);
    (kind, prop::collection::vec(items(), 0..5), discounts(), paid, flags).prop_map(
        |(kind, items, discount, paid, (customer, training, hours_ago, till))| {
            // A return gives no change: it is paid out when it is rung up.
            let paid = if kind == Kind::Return { vec![] } else { paid };
            Action::Ring { kind, items, discount, paid, customer, training, hours_ago, till }
        },
    )
}

fn actions() -> impl Strategy<Value = Action> {
    let methods = || select(Method::ALL.to_vec());
    let refund =
        |index| Action::Change(index, Change::Refund { id: Uuid::nil(), lines: vec![], tenders: vec![] });
    let moves =
        select(vec![MovementKind::PaidIn, MovementKind::PaidOut, MovementKind::Drop, MovementKind::NoSale]);
    let changes =
        select(vec![Change::Complete, Change::Suspend, Change::Resume, Change::Cancel, Change::Void]);
    prop_oneof![
        8 => rings(),
        2 => (any::<Index>(), items()).prop_map(|(index, item)| Action::Add(index, item)),
        2 => (any::<Index>(), 1_u16..5).prop_map(|(index, line)| Action::TakeOff(index, line)),
        2 => (any::<Index>(), methods(), 0_i64..5_000).prop_map(|(index, method, amount)| Action::Pay(index, method, amount)),
        4 => (any::<Index>(), methods()).prop_map(|(index, method)| Action::PayRest(index, method)),
        5 => (any::<Index>(), changes).prop_map(|(index, change)| Action::Change(index, change)),
        2 => any::<Index>().prop_map(refund),
        8 => (any::<Index>(), prop::collection::vec((1_u16..5, prop_oneof![Just(1000_i64), 1_i64..3_000]), 1..3))
            .prop_map(|(index, parts)| Action::Refund(index, parts)),
        1 => (select(SKUS.to_vec()), -20_000_i64..20_000).prop_map(|(sku, change)| Action::Adjust(sku, change)),
        2 => (1_u8..3, 0_i64..20_000).prop_map(|(till, float)| Action::OpenShift(till, float)),
        2 => (1_u8..3, moves, 0_i64..3_000).prop_map(|(till, kind, amount)| Action::Move(till, kind, amount)),
        1 => (1_u8..3, 0_i64..50_000).prop_map(|(till, counted)| Action::CloseShift(till, counted)),
        2 => (0_i64..20).prop_map(Action::Wait),
        1 => (select(SKUS.to_vec()), 0_i64..3_000).prop_map(|(sku, price)| Action::Reprice(sku, price)),
        1 => Just(Action::NewEpoch),
    ]
}

fn stores() -> impl Strategy<Value = StoreConfig> {
    let modes = select(vec![TaxMode::Inclusive, TaxMode::Exclusive]);
    let roundings = select(vec![TaxRounding::Line, TaxRounding::Receipt]);
    let loyalty = prop::option::of(
        (1_i64..200, 0_i64..20)
            .prop_map(|(earn, worth)| Loyalty { earn_per: Money(earn), worth: Money(worth) }),
    );
    let limits = prop::option::of((0_i64..5_000).prop_map(Money));
    (modes, roundings, select(vec![1_i64, 5, 10, 100]), loyalty, limits, prop::bool::weighted(0.2)).prop_map(
        |(tax_mode, tax_rounding, cash_increment, loyalty, unlinked_cash_limit, require_shift)| StoreConfig {
            tax_mode,
            tax_rounding,
            cash_increment,
            loyalty,
            unlinked_cash_limit,
            require_shift,
            ..config()
        },
    )
}

/// The sale that an action means, if there is any yet.
fn pick(shop: &Shop, index: &Index) -> Option<alloc::sync::Arc<Sale>> {
    let sales: Vec<_> = shop.sales.values().cloned().collect();
    (!sales.is_empty()).then(|| index.get(&sales).clone())
}

fn till(number: u8) -> alloc::sync::Arc<str> {
    format!("till-{number}").into()
}

fn line_of(item: Item) -> LineDraft {
    LineDraft {
        quantity: Some(Quantity(item.quantity)),
        discount: item.discount,
        as_sold: item.as_sold,
        ..line(item.sku, "1")
    }
}

/// The command that an action comes to, in the shop as it stands.
fn command(shop: &mut Shop, customer: Uuid, action: Action) -> Option<Command> {
    let shift_of = |shop: &Shop, number| shop.state.shifts.get(&till(number)).map(|shift| shift.id);
    Some(match action {
        Action::Ring { kind, items, discount, paid, customer: known, training, hours_ago, till: number } => {
            let mut ring = shop.ring();
            (ring.0.kind, ring.0.discount, ring.0.training, ring.0.terminal) =
                (kind, discount, training, till(number));
            ring.0.customer = known.then_some(customer);
            ring.0.lines = items.into_iter().map(line_of).collect();
            ring.0.tenders = paid.into_iter().map(|(method, amount)| tender(method, amount)).collect();
            ring.0.started_at = (hours_ago > 0).then(|| Millis(shop.now.time.0 - hours_ago * HOUR));
            Command::Sell(ring.0)
        }
        Action::Add(index, item) => {
            Command::AddLines { sale: pick(shop, &index)?.id, lines: vec![line_of(item)] }
        }
        Action::TakeOff(index, number) => {
            let sale = pick(shop, &index)?;
            Command::VoidLine { sale: sale.id, line: sale.line_id(number) }
        }
        Action::Pay(index, method, amount) => {
            Command::Pay { sale: pick(shop, &index)?.id, tender: tender(method, amount) }
        }
        Action::PayRest(index, method) => {
            let sale = pick(shop, &index)?;
            let increment =
                if method == Method::Cash { shop.state.store.as_ref()?.cash_increment } else { 1 };
            Command::Pay { sale: sale.id, tender: tender(method, sale.due.round_to(increment).0) }
        }
        Action::Change(index, Change::Refund { .. }) => {
            let sale = pick(shop, &index)?.id;
            Command::ChangeSale {
                sale,
                change: shop.refund_of(sale, &[], vec![]),
                reason: None,
                terminal: None,
            }
        }
        Action::Change(index, change) => {
            Command::ChangeSale { sale: pick(shop, &index)?.id, change, reason: None, terminal: None }
        }
        Action::Refund(index, parts) => {
            let sale = pick(shop, &index)?;
            let part =
                |(number, amount)| RefundLine { line: sale.line_id(number), quantity: Quantity(amount) };
            let change = Change::Refund {
                id: shop.id(),
                lines: parts.into_iter().map(part).collect(),
                tenders: vec![],
            };
            Command::ChangeSale { sale: sale.id, change, reason: None, terminal: None }
        }
        Action::Adjust(sku, change) => Command::AdjustStock {
            id: shop.id(),
            product: sku.into(),
            change: Quantity(change),
            reason: "count".into(),
            user: None,
            note: None,
        },
        Action::OpenShift(number, float) => {
            Command::OpenShift { id: shop.id(), drawer: till(number), cashier: None, float: Money(float) }
        }
        Action::Move(number, kind, amount) => Command::MoveCash {
            shift: shift_of(shop, number)?,
            id: shop.id(),
            kind,
            amount: Money(amount),
            reason: None,
        },
        Action::CloseShift(number, counted) => shop.close(shift_of(shop, number)?, counted),
        Action::Wait(hours) => {
            shop.now.time.0 += hours * HOUR;
            return None;
        }
        Action::Reprice(sku, price) => Command::PutProducts {
            products: vec![ProductDraft {
                sku: sku.into(),
                price: Some(Money(price)),
                ..ProductDraft::default()
            }],
            if_version: None,
        },
        Action::NewEpoch => Command::StartEpoch { series: shop.state.series + 1, reason: "restored".into() },
    })
}

/// Whose drawer a movement was in, before it.
fn enter_movements(ledger: &mut Ledger, shop: &Shop, events: &[Event]) {
    for event in events {
        if let Event::CashMoved { shift, movement } = event {
            let drawer = shop.state.shifts.values().find(|open| open.id == *shift).unwrap().drawer.clone();
            ledger.moved(&drawer, movement);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_books_agree_after_every_command(store in stores(), day in prop::collection::vec(actions(), 1..60)) {
        let mut shop = Shop::with(|config| *config = store);
        let customer = shop.customer();
        let mut ledger = Ledger::of(&shop);
        for action in day {
            let Some(command) = command(&mut shop, customer, action) else { continue };
            let before = shop.state.clone();
            let refunds_as_it_came = matches!(&command, Command::ChangeSale { change: Change::Refund { tenders, .. }, .. } if tenders.is_empty());
            match shop.ask(command) {
                Ok(decision) => {
                    enter_movements(&mut ledger, &shop, &decision.events);
                    ledger.take(&shop, &decision);
                }
                Err(refusal) => {
                    prop_assert!(shop.state == before, "a refusal changed something");
                    prop_assert!(!refusal.detail.is_empty());
                    let about_money = ["payout-differs", "no-change", "no-points"].contains(&refusal.code);
                    prop_assert!(!(refunds_as_it_came && about_money), "{}", refusal);
                }
            }
        }
        check_replay(&shop);
    }

    #[test]
    fn what_comes_back_in_parts_comes_back_to_the_cent(
        store in stores(),
        cart in prop::collection::vec((items(), 1_i64..13, 0_i64..30), 1..4),
        discount in discounts(),
        method in select(vec![Method::Cash, Method::Card]),
        parts in prop::collection::vec((1_u16..4, prop_oneof![3 => Just(1000_i64), 1 => 1_i64..4_000]), 0..40),
    ) {
        let mut shop = Shop::with(|config| *config = StoreConfig { require_shift: false, ..store });
        let customer = shop.customer();
        let mut ring = shop.ring().customer(customer);
        for (item, pieces, cents) in cart {
            let terms = AsSold { unit_price: Money(cents), rate: Rate(20_000), mode: TaxMode::Inclusive };
            ring = ring.line(line_of(Item { quantity: pieces * 1000, as_sold: Some(item.as_sold.unwrap_or(terms)), ..item }));
        }
        ring.0.discount = discount;
        let open = shop.sell(ring);
        let increment = if method == Method::Cash { shop.state.store.as_ref().unwrap().cash_increment } else { 1 };
        if open.due.is_positive() {
            shop.pay(open.id, method, open.due.round_to(increment).0);
        } else {
            shop.change(open.id, Change::Complete);
        }
        let mut ledger = Ledger::of(&shop);
        let mut asked: Vec<Vec<(u16, i64)>> = parts.into_iter().map(|part| vec![part]).collect();
        asked.push(vec![]);
        for parts in asked {
            let part = |(number, amount)| RefundLine { line: open.line_id(number), quantity: Quantity(amount) };
            let change = Change::Refund { id: shop.id(), lines: parts.into_iter().map(part).collect(), tenders: vec![] };
            if let Ok(decision) = shop.ask(Command::ChangeSale { sale: open.id, change, reason: None, terminal: None }) {
                ledger.take(&shop, &decision);
            }
        }
        let original = &shop.sales[&open.id];
        prop_assert_eq!(original.status, Status::Refunded);
        prop_assert_eq!(shop.points(customer), 0);
        let returns = || shop.sales.values().filter(|sale| sale.original == Some(open.id));
        let back: Money = returns().flat_map(|sale| &sale.tenders).map(|tender| tender.amount).sum();
        prop_assert_eq!(back, original.total + original.rounding, "not what was paid");
    }
}
