//! A small shop in a temporary folder, for tests.

use std::path::Path;
use std::sync::Arc;

use pos_domain::command::{Command, ItemRef, LineDraft, ProductDraft, SaleDraft, TenderDraft};
use pos_domain::money::Money;
use pos_domain::sale::Kind;
use pos_domain::tender::Method;
use pos_domain::time::Millis;
use uuid::Uuid;

use crate::checkout::{self, OpenOptions, Origin, Running, Shop};
use crate::clock::HandClock;
use crate::config::{Config, Flags};

/// 2026-11-23 10:00 UTC.
const MORNING: Millis = Millis(1_795_428_000_000);

/// The configuration of the demo, with its data in `dir`.
pub(crate) fn config(dir: &Path) -> Config {
    let flags = Flags { listen: None, data: Some(dir.to_owned()) };
    Config::read(Some(("demo.toml", crate::demo::CONFIG)), std::iter::empty(), &flags).unwrap()
}

/// Opens the shop in `dir` on a clock that only the test moves.
pub(crate) fn open(dir: &Path) -> (Shop, Running, HandClock) {
    let config = config(dir);
    let clock = HandClock::at(MORNING);
    let options = OpenOptions {
        root: dir.to_owned(),
        segment_bytes: 1 << 20,
        cache_bytes: 8 << 20,
        store: config.store,
        zone: Arc::new(config.zone),
        clock: Arc::new(clock.clone()),
    };
    let (shop, running) = checkout::open(options).unwrap();
    (shop, running, clock)
}

/// Puts one product, `PEN` for 2.50.
pub(crate) fn put_pen(shop: &Shop) {
    let pen = ProductDraft {
        sku: "PEN".into(),
        name: Some("Füller".into()),
        price: Some(Money(250)),
        tax_class: Some("standard".into()),
        department: Some("Stationery".into()),
        barcode: Some("4006381333931".into()),
        ..ProductDraft::default()
    };
    let command = Command::PutProducts { products: vec![pen], if_version: None };
    shop.submit_blocking(None, command, Origin::default()).unwrap();
}

/// A sale of one pen, paid in cash; the test may change it before it is submitted.
pub(crate) fn sale_of_a_pen() -> SaleDraft {
    let pen = LineDraft::of(ItemRef::Sku("PEN".into()));
    let cash = TenderDraft { method: Method::Cash, amount: Money(300), reference: None, foreign: None };
    SaleDraft {
        id: Uuid::now_v7(),
        kind: Kind::Sale,
        terminal: "till-1".into(),
        cashier: None,
        customer: None,
        started_at: None,
        provisional_number: None,
        training: false,
        lines: vec![pen],
        discount: None,
        reason: None,
        tenders: vec![cash],
    }
}

/// Sells it and gives the sale's id.
pub(crate) fn sell(shop: &Shop, draft: SaleDraft) -> Uuid {
    let id = draft.id;
    shop.submit_blocking(None, Command::Sell(draft), Origin::default()).unwrap();
    id
}
