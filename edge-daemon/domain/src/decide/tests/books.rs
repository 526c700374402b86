//! The store's configuration and its printed receipts.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;

use uuid::Uuid;

use super::shop::*;
use crate::command::{Change, Command, PrintWish};
use crate::decide::RefusalKind;
use crate::event::{DeviceSetup, DrawerOutcome, DrawerReason, Event, PrintOutcome, Sheet};
use crate::money::Currency;
use crate::tax::Rate;

fn print(shop: &mut Shop, sale: Uuid, copy: bool) -> Command {
    Command::AskPrint(PrintWish { copy, ..PrintWish::receipt(shop.id(), sale, "counter") })
}

/// Whether the print that is decided opens the drawer.
fn kicks(shop: &mut Shop, sale: Uuid, copy: bool) -> bool {
    let command = print(shop, sale, copy);
    match shop.run(command).events.as_slice() {
        [Event::PrintAsked(job)] => job.kick,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_without_configuration_sells_nothing() {
    let mut shop = Shop::empty();
    let ring = shop.ring();
    assert_eq!(shop.sell_refusal(ring), "store-not-configured");
}

#[test]
fn the_same_configuration_is_no_event_and_another_is() {
    let mut shop = Shop::new();
    assert!(shop.run(Command::Configure(Arc::new(config()))).events.is_empty());
    let mut store = config();
    store.tax_classes[0].rate = Rate(21_000);
    let events = shop.run(Command::Configure(Arc::new(store))).events;
    assert!(matches!(events.as_slice(), [Event::StoreConfigured(_)]));
    let ring = shop.ring().item("wine", "1").card(990);
    assert_eq!(shop.sell(ring).lines[0].rate, Rate(21_000));
}

#[test]
fn a_stores_currency_stays() {
    let mut shop = Shop::new();
    let mut store = config();
    store.currency = Currency::parse("CHF").unwrap();
    let refusal = shop.ask(Command::Configure(Arc::new(store))).unwrap_err();
    assert_eq!((refusal.kind, refusal.code), (RefusalKind::Conflict, "currency-changed"));
}

#[test]
fn rates_are_frozen_onto_the_sale() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1");
    let open = shop.sell(ring).id;
    let mut store = config();
    store.tax_classes[0].rate = Rate(21_000);
    shop.run(Command::Configure(Arc::new(store)));
    let sale =
        shop.run(Command::AddLines { sale: open, lines: alloc::vec![line("wine", "1")] }).sale.unwrap();
    assert_eq!((sale.lines[0].rate, sale.lines[1].rate), (Rate(20_000), Rate(21_000)));
}

#[test]
fn the_drawer_opens_only_where_cash_moved_and_never_for_a_copy() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1").card(990);
    let card = shop.sell(ring).id;
    let ring = shop.ring().item("wine", "1").card(500).cash(490);
    let cash = shop.sell(ring).id;
    assert!(!kicks(&mut shop, card, false));
    assert!(kicks(&mut shop, cash, false));
    assert!(!kicks(&mut shop, cash, true));
    shop.change(cash, Change::Void);
    assert!(kicks(&mut shop, cash, false), "the cash goes back");
}

#[test]
fn a_job_waits_until_its_outcome_is_known() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1").card(990);
    let sale = shop.sell(ring).id;
    let ask = print(&mut shop, sale, false);
    let Command::AskPrint(PrintWish { id: job, .. }) = ask else { panic!() };
    shop.run(ask);
    assert!(shop.state.printing.contains_key(&job));
    let end =
        Command::EndPrint { job, outcome: PrintOutcome::Unknown, detail: "no answer for 10 s ".repeat(100) };
    match shop.run(end.clone()).events.as_slice() {
        [Event::PrintEnded { outcome: PrintOutcome::Unknown, detail, .. }] => {
            assert_eq!(detail.chars().count(), 200)
        }
        other => panic!("{other:?}"),
    }
    assert!(shop.state.printing.is_empty());
    assert_eq!(shop.refusal(end), "no-such-job", "an outcome is said once");
}

#[test]
fn what_was_not_sold_has_no_receipt() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1");
    let open = shop.sell(ring).id;
    let ask = print(&mut shop, open, false);
    assert_eq!(shop.refusal(ask), "no-receipt");
    shop.change(open, Change::Cancel);
    let ask = print(&mut shop, open, false);
    assert_eq!(shop.refusal(ask), "no-receipt");
    let stranger = shop.id();
    let ask = print(&mut shop, stranger, false);
    assert_eq!(shop.refusal(ask), "no-such-transaction");
}

#[test]
fn what_was_not_printed_is_kept_until_somebody_decides() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1").cash(990);
    let sale = shop.sell(ring).id;
    let end = |shop: &mut Shop, outcome| {
        let id = shop.id();
        shop.run(Command::AskPrint(PrintWish::receipt(id, sale, "counter")));
        shop.run(Command::EndPrint { job: id, outcome, detail: "no paper".into() });
        id
    };
    end(&mut shop, PrintOutcome::Printed);
    assert!(shop.state.unprinted.is_empty());
    let lost = end(&mut shop, PrintOutcome::Unknown);
    assert_eq!(shop.state.unprinted[&lost].detail, "no paper");

    let again = PrintWish { instead_of: Some(lost), ..PrintWish::receipt(shop.id(), sale, "kitchen") };
    let events = shop.run(Command::AskPrint(again.clone())).events;
    assert!(
        matches!(events.as_slice(), [Event::PrintAsked(job)] if !job.kick),
        "the drawer was opened long ago"
    );
    assert!(shop.state.unprinted.is_empty());
    let twice = Command::AskPrint(PrintWish { id: shop.id(), ..again });
    assert_eq!(shop.refusal(twice), "job-settled", "two hands press the same button");

    // One that waits is moved, or taken back, at once.
    let waits = PrintWish::receipt(shop.id(), sale, "counter");
    shop.run(Command::AskPrint(waits.clone()));
    let moved = PrintWish { instead_of: Some(waits.id), ..PrintWish::receipt(shop.id(), sale, "kitchen") };
    let events = shop.run(Command::AskPrint(moved.clone())).events;
    assert!(matches!(events.as_slice(), [Event::PrintEnded { .. }, Event::PrintAsked(_)]), "{events:?}");
    let events = shop.run(Command::SettlePrint(moved.id)).events;
    assert!(matches!(events.as_slice(), [Event::PrintEnded { .. }, Event::PrintSettled(_)]), "{events:?}");
    assert!([waits.id, moved.id].iter().all(|id| !shop.state.printing.contains_key(id)));
    assert!(shop.state.unprinted.is_empty());

    let seen = end(&mut shop, PrintOutcome::Unknown);
    shop.run(Command::SettlePrint(seen));
    assert!(shop.state.unprinted.is_empty());
    assert_eq!(shop.refusal(Command::SettlePrint(seen)), "job-settled");

    for _ in 0..=crate::state::MAX_UNPRINTED {
        end(&mut shop, PrintOutcome::NotPrinted);
    }
    assert_eq!(shop.state.unprinted.len(), crate::state::MAX_UNPRINTED);
}

#[test]
fn a_test_page_needs_no_sale_and_a_slip_never_opens_the_drawer() {
    let mut shop = Shop::new();
    let ring = shop.ring().item("wine", "1").cash(990);
    let sale = shop.sell(ring).id;
    let test = PrintWish { sheet: Sheet::Test, ..PrintWish::receipt(shop.id(), Uuid::nil(), "counter") };
    let slip =
        PrintWish { sheet: Sheet::Orders(vec!["bar".into()]), ..PrintWish::receipt(shop.id(), sale, "bar") };
    for wish in [test, slip] {
        let events = shop.run(Command::AskPrint(wish)).events;
        assert!(matches!(events.as_slice(), [Event::PrintAsked(job)] if !job.kick), "{events:?}");
    }
}

#[test]
fn a_drawer_is_opened_for_a_reason_and_its_outcome_is_said_once() {
    let mut shop = Shop::new();
    let id = shop.id();
    let open = |reason| Command::OpenDrawer { id, drawer: "front".into(), terminal: None, reason };
    assert_eq!(shop.refusal(open(DrawerReason::Asked(String::new()))), "bad-text");
    shop.run(open(DrawerReason::Asked("change for a customer".into())));
    assert!(shop.state.opening.contains_key(&id));
    let end = Command::EndDrawer { job: id, outcome: DrawerOutcome::Opened, detail: String::new() };
    shop.run(end.clone());
    assert!(shop.state.opening.is_empty());
    assert_eq!(shop.refusal(end), "no-such-job");
    let alarm = shop.run(Command::ReportDrawer { drawer: "front".into() }).events;
    assert_eq!(alarm, [Event::DrawerAlarm { drawer: "front".into() }]);
}

#[test]
fn devices_are_configured_and_forgotten() {
    let mut shop = Shop::new();
    let setup = |id: &str, port: &str| DeviceSetup {
        id: id.into(),
        section: "scanner".into(),
        settings: [("port".into(), port.into())].into(),
    };
    shop.run(Command::PutDevice(setup("scanner-9", "serial:/dev/ttyS0")));
    shop.run(Command::PutDevice(setup("scanner-9", "serial:/dev/ttyS1")));
    assert_eq!(shop.state.devices["scanner-9"].settings["port"], "serial:/dev/ttyS1");
    assert_eq!(shop.refusal(Command::PutDevice(setup("", "x"))), "bad-text");
    assert_eq!(shop.refusal(Command::PutDevice(setup("a", &"x".repeat(1_001)))), "bad-text");
    shop.run(Command::RemoveDevice("scanner-9".into()));
    assert!(shop.state.devices.is_empty());
    assert_eq!(shop.refusal(Command::RemoveDevice("scanner-9".into())), "no-such-device");
    for number in 0..200 {
        shop.run(Command::PutDevice(setup(&alloc::format!("s{number}"), "p")));
    }
    assert_eq!(shop.refusal(Command::PutDevice(setup("one-more", "p"))), "too-many-devices");
    shop.run(Command::PutDevice(setup("s7", "q")));
}
