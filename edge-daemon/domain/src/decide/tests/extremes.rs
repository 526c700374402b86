//! Anything at all: texts, numbers at their ends, ids of other things. Nothing panics, nothing is lost in saturation,
//! and what is accepted still adds up.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as many;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::ledger::{Ledger, check_replay};
use super::shop::*;
use crate::cart::Discount;
use crate::command::{
    AsSold, Change, Command, CustomerDraft, ItemRef, LineDraft, PrintWish, ProductDraft, RefundLine,
    SaleDraft, TenderDraft,
};
use crate::delivery::{Document, ProductDelivery};
use crate::event::{DrawerOutcome, DrawerReason, Event, PrintOutcome};
use crate::money::{Currency, MAX_PRICE, MAX_TOTAL, Money};
use crate::quantity::Quantity;
use crate::sale::{Kind, Sale};
use crate::seal::Sealed;
use crate::shift::MovementKind;
use crate::store::{Loyalty, StoreConfig};
use crate::tax::{Rate, TaxMode, TaxRounding};
use crate::tender::{Foreign, Method};
use crate::time::Millis;

fn numbers() -> impl Strategy<Value = i64> {
    let ends = select(vec![
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        999,
        1000,
        MAX_PRICE.0,
        MAX_PRICE.0 + 1,
        MAX_TOTAL.0,
        Quantity::MAX.0,
        i64::MAX,
    ]);
    prop_oneof![16 => 1_i64..100_000, 1 => ends, 1 => any::<i64>()]
}

fn texts() -> impl Strategy<Value = String> {
    let wild = prop_oneof![".{0,20}", Just("x".repeat(201)), "[0-9]{0,14}", Just(String::new())];
    prop_oneof![9 => select(vec!["bread", "milk", "till-1"]).prop_map(String::from), 1 => wild]
}

/// What a line may name.
fn goods() -> impl Strategy<Value = String> {
    let codes =
        ["bread", "wine", "pen", "12345", "0212345001257", "4006381333931", "(01)04006381333931(3100)999999"];
    prop_oneof![30 => select(codes.to_vec()).prop_map(String::from), 1 => texts()]
}

/// Ids from a drawer of six, so that things meet.
fn ids() -> impl Strategy<Value = Uuid> {
    (1_u128..7).prop_map(|id| Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + (id << 32)))
}

fn seals() -> impl Strategy<Value = Option<Sealed>> {
    option::weighted(0.2, Just(sealed("why")))
}

fn rates() -> impl Strategy<Value = Rate> {
    let ends = select(vec![100_000, 100_001, 999_999, 1_000_000, u32::MAX]);
    prop_oneof![12 => 0_u32..30_000, 1 => ends, 1 => any::<u32>()].prop_map(Rate)
}

fn discounts() -> impl Strategy<Value = Option<Discount>> {
    let amounts = numbers().prop_map(|amount| Discount::Amount(Money(amount)));
    option::weighted(0.4, prop_oneof![amounts, rates().prop_map(Discount::Percent)])
}

fn lines() -> impl Strategy<Value = LineDraft> {
    let modes = select(vec![TaxMode::Inclusive, TaxMode::Exclusive]);
    let terms = (numbers(), rates(), modes).prop_map(|(price, rate, mode)| AsSold {
        unit_price: Money(price),
        rate,
        mode,
    });
    let item = prop_oneof![goods().prop_map(ItemRef::Sku), goods().prop_map(ItemRef::Barcode)];
    (
        item,
        option::weighted(0.4, numbers().prop_map(Quantity)),
        discounts(),
        seals(),
        option::weighted(0.3, terms),
        option::weighted(0.2, texts()),
    )
        .prop_map(|(item, quantity, discount, reason, as_sold, original_reference)| LineDraft {
            item,
            quantity,
            discount,
            reason,
            as_sold,
            original_reference,
        })
}

fn tenders() -> impl Strategy<Value = TenderDraft> {
    let foreign = (numbers(), texts()).prop_map(|(amount, rate)| Foreign {
        currency: Currency::EUR,
        amount: Money(amount),
        rate,
    });
    (select(Method::ALL.to_vec()), numbers(), option::weighted(0.2, texts()), option::weighted(0.1, foreign))
        .prop_map(|(method, amount, reference, foreign)| TenderDraft {
            method,
            amount: Money(amount),
            reference,
            foreign,
        })
}

fn sales() -> impl Strategy<Value = SaleDraft> {
    let who = (
        prop_oneof![9 => Just(String::from(TILL)), 1 => texts()],
        option::weighted(0.2, texts()),
        option::weighted(0.1, ids()),
    );
    let how = (
        option::weighted(0.3, numbers().prop_map(Millis)),
        option::weighted(0.1, texts()),
        prop::bool::weighted(0.2),
        seals(),
    );
    let kinds = select(vec![Kind::Sale, Kind::Sale, Kind::Return]);
    (ids(), kinds, who, how, many(lines(), 0..4), discounts(), many(tenders(), 0..3)).prop_map(
        |(
            id,
            kind,
            (terminal, cashier, customer),
            (started_at, provisional_number, training, reason),
            lines,
            discount,
            tenders,
        )| SaleDraft {
            id,
            kind,
            terminal: terminal.into(),
            cashier: cashier.map(Into::into),
            customer,
            started_at,
            provisional_number,
            training,
            lines,
            discount,
            reason,
            tenders,
        },
    )
}

fn products() -> impl Strategy<Value = ProductDraft> {
    let classes = prop_oneof![4 => Just(String::from("standard")), 1 => texts()];
    let text = || option::weighted(0.3, texts());
    let told = (text(), text(), text(), option::of(any::<bool>()), option::of(numbers().prop_map(Quantity)));
    (texts(), text(), option::of(numbers().prop_map(Money)), option::of(classes), told).prop_map(
        |(sku, name, price, tax_class, (department, barcode, description, by_weight, low_stock_at))| {
            ProductDraft {
                sku,
                name,
                price,
                tax_class,
                department,
                barcode,
                description,
                by_weight,
                low_stock_at,
            }
        },
    )
}

fn customers() -> impl Strategy<Value = CustomerDraft> {
    let version = option::weighted(0.2, 0_u32..3);
    (ids(), option::of(any::<u8>()), option::weighted(0.1, texts()), any::<bool>(), version).prop_map(
        |(id, hash, consent, new, if_version)| {
            let email_hash = hash.map(|byte| [byte; 16]);
            CustomerDraft {
                email_hash,
                phone_hash: email_hash,
                consent,
                new,
                if_version,
                ..customer_draft(id)
            }
        },
    )
}

/// What is asked for; a line is a number until the sale is known.
fn documents() -> impl Strategy<Value = Document> {
    let next_price = option::of((numbers().prop_map(Money), numbers().prop_map(Millis)));
    (products(), numbers(), next_price).prop_map(|(product, at, next_price)| Document {
        product,
        at: Millis(at),
        field_at: vec![],
        next_price,
    })
}

#[derive(Debug, Clone)]
enum Ask {
    Command(Command),
    TakeOff(Uuid, u16),
    /// Exactly what is due.
    PayRest(Uuid, Method),
    Refund(Uuid, Uuid, Vec<(u16, i64)>, Vec<TenderDraft>),
    Step(i64, bool),
}

fn asks() -> impl Strategy<Value = Ask> {
    let kinds =
        select(vec![MovementKind::PaidIn, MovementKind::PaidOut, MovementKind::Drop, MovementKind::NoSale]);
    let outcomes = select(vec![PrintOutcome::Printed, PrintOutcome::NotPrinted, PrintOutcome::Unknown]);
    let changes =
        select(vec![Change::Complete, Change::Suspend, Change::Resume, Change::Cancel, Change::Void]);
    let refund_ids = (100_u128..150)
        .prop_map(|id| Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + (id << 32)));
    let parts = prop_oneof![many((1_u16..5, prop_oneof![1_i64..1000, numbers()]), 0..3), Just(vec![])];
    let payouts = prop_oneof![5 => Just(vec![]), 1 => many(tenders(), 1..3)];
    let about_sales = prop_oneof![
        6 => sales().prop_map(Command::Sell),
        2 => (ids(), many(lines(), 0..3)).prop_map(|(sale, lines)| Command::AddLines { sale, lines }),
        4 => (ids(), tenders()).prop_map(|(sale, tender)| Command::Pay { sale, tender }),
        4 => (ids(), changes, seals()).prop_map(|(sale, change, reason)| Command::ChangeSale { sale, change, reason, terminal: None }),
        1 => (ids(), ids(), texts(), any::<bool>(), option::weighted(0.2, ids())).prop_map(|(id, sale, printer, copy, instead_of)| {
            Command::AskPrint(PrintWish { copy, instead_of, ..PrintWish::receipt(id, sale, printer) })
        }),
        1 => (ids(), outcomes, texts()).prop_map(|(job, outcome, detail)| Command::EndPrint { job, outcome, detail }),
        1 => (ids(), texts(), texts()).prop_map(|(id, drawer, why)| Command::OpenDrawer { id, drawer, terminal: None, reason: DrawerReason::Asked(why) }),
        1 => (ids(), texts()).prop_map(|(job, detail)| Command::EndDrawer { job, outcome: DrawerOutcome::Unknown, detail }),
    ];
    let about_the_rest = prop_oneof![
        2 => (many(products(), 0..3), option::weighted(0.2, 0_u32..3)).prop_map(|(products, if_version)| Command::PutProducts { products, if_version }),
        2 => (many(documents(), 0..4), option::of(0_u64..3), 0_u64..4).prop_map(|(documents, base, version)| {
            Command::TakeDelivery(ProductDelivery { version, base, documents, refused: vec![] })
        }),
        1 => Just(Command::PutPricesInForce),
        1 => (ids(), texts(), numbers(), texts(), option::weighted(0.2, texts())).prop_map(|(id, product, change, reason, user)| {
            Command::AdjustStock { id, product, change: Quantity(change), reason, user, note: None }
        }),
        2 => customers().prop_map(Command::PutCustomer),
        1 => ids().prop_map(Command::EraseCustomer),
        2 => (ids(), texts(), numbers()).prop_map(|(id, drawer, float)| Command::OpenShift { id, drawer: drawer.into(), cashier: None, float: Money(float) }),
        2 => (ids(), ids(), kinds, numbers()).prop_map(|(shift, id, kind, amount)| Command::MoveCash { shift, id, kind, amount: Money(amount), reason: None }),
        1 => (ids(), numbers(), any::<bool>()).prop_map(|(shift, counted, confirm_clock)| Command::CloseShift { shift, cashier: None, counted: Money(counted), confirm_clock }),
    ];
    prop_oneof![
        10 => about_sales.prop_map(Ask::Command),
        5 => about_the_rest.prop_map(Ask::Command),
        1 => (ids(), 1_u16..5).prop_map(|(sale, line)| Ask::TakeOff(sale, line)),
        6 => (ids(), select(Method::ALL.to_vec())).prop_map(|(sale, method)| Ask::PayRest(sale, method)),
        6 => (ids(), refund_ids, parts, payouts).prop_map(|(sale, id, parts, tenders)| Ask::Refund(sale, id, parts, tenders)),
        1 => (0_i64..48 * HOUR, any::<bool>()).prop_map(|(later, trusted)| Ask::Step(later, trusted)),
    ]
}

fn stores() -> impl Strategy<Value = StoreConfig> {
    let loyalty = option::of(
        (numbers(), numbers())
            .prop_map(|(earn, worth)| Loyalty { earn_per: Money(earn), worth: Money(worth) }),
    );
    let tax = (
        select(vec![TaxMode::Inclusive, TaxMode::Exclusive]),
        select(vec![TaxRounding::Line, TaxRounding::Receipt]),
    );
    (tax, numbers(), loyalty, option::of(numbers().prop_map(Money)), any::<u16>(), rates()).prop_map(
        |((tax_mode, tax_rounding), cash_increment, loyalty, unlinked_cash_limit, cut_off_minutes, rate)| {
            let mut store = StoreConfig {
                tax_mode,
                tax_rounding,
                cash_increment,
                loyalty,
                unlinked_cash_limit,
                cut_off_minutes,
                ..config()
            };
            store.tax_classes[0].rate = rate;
            store
        },
    )
}

fn command(shop: &Shop, ask: Ask) -> Command {
    let line = |sale: &Uuid, number| {
        shop.sales.get(sale).map_or(Uuid::nil(), |sale: &alloc::sync::Arc<Sale>| sale.line_id(number))
    };
    match ask {
        Ask::Command(command) => command,
        Ask::TakeOff(sale, number) => Command::VoidLine { sale, line: line(&sale, number) },
        Ask::Refund(sale, id, parts, tenders) => {
            let part =
                |(number, amount)| RefundLine { line: line(&sale, number), quantity: Quantity(amount) };
            let lines = parts.into_iter().map(part).collect();
            Command::ChangeSale {
                sale,
                change: Change::Refund { id, lines, tenders },
                reason: None,
                terminal: None,
            }
        }
        Ask::PayRest(sale, method) => {
            let due = shop.sales.get(&sale).map_or(0, |sale| sale.due.0);
            Command::Pay { sale, tender: tender(method, due) }
        }
        Ask::Step(..) => Command::EraseCustomer(Uuid::nil()),
    }
}

/// What the daemon sees to before it asks: that a refund's id was never used.
fn used_before(shop: &Shop, command: &Command) -> bool {
    matches!(command, Command::ChangeSale { change: Change::Refund { id, .. }, .. } if shop.sales.contains_key(id))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_what_is_accepted_adds_up(store in stores(), asks in many(asks(), 1..80)) {
        let mut shop = Shop::with(|config| *config = store);
        let mut ledger = Ledger::of(&shop);
        for ask in asks {
            if let Ask::Step(later, trusted) = ask {
                shop.now.time.0 += later;
                shop.now.trusted = trusted;
            }
            let command = command(&shop, ask);
            if used_before(&shop, &command) {
                continue;
            }
            let before = shop.state.clone();
            match shop.ask(command) {
                Ok(decision) => {
                    for event in &decision.events {
                        if let Event::CashMoved { shift, movement } = event {
                            let drawer = before.shifts.values().find(|open| open.id == *shift).unwrap().drawer.clone();
                            ledger.moved(&drawer, movement);
                        }
                    }
                    ledger.take(&shop, &decision);
                }
                Err(_) => prop_assert!(shop.state == before, "a refusal changed something"),
            }
        }
        check_replay(&shop);
    }
}
