//! The views are derived: deleted, cut short or full of garbage, the shop opens, nothing is missing, every answer is the
//! same.

use std::fs;
use std::path::Path;

use tillbox_tests::{Client, Dice, Ledger, Place, Selling, Setup};

use crate::till::TRANSACTIONS;

/// Reads whose answers must not depend on the views' fate.
fn answers(client: &Client, sale: &str) -> Vec<(u16, String)> {
    client.when_ready(&format!("{TRANSACTIONS}?limit=1"));
    let paths = [
        format!("{TRANSACTIONS}?limit=500"),
        format!("{TRANSACTIONS}?terminalId=till-2&limit=20"),
        format!("{TRANSACTIONS}?receiptNumber=01-000017"),
        format!("{TRANSACTIONS}/{sale}"),
        format!("{TRANSACTIONS}/{sale}/receipt"),
        "/api/v1/products?limit=500".to_owned(),
        "/api/v1/products/sku-3".to_owned(),
        "/api/v1/inventory/sku-3/movements?limit=100".to_owned(),
    ];
    paths.iter().map(|path| client.get(path)).map(|reply| (reply.status, reply.text())).collect()
}

fn make_no_difference(damage: impl FnOnce(&Path)) {
    let mut dice = Dice::new("views");
    let place = Place::new(&Setup::default());
    place.stock_up(20);
    let daemon = place.start();
    let selling = Selling::begin(daemon.address(), 4, 20, &mut dice);
    selling.until_acknowledged(150);
    let notes = selling.end();
    let (sale, ..) = notes.acknowledged.first().unwrap();
    let sale = sale.to_string();
    let mut ledger = Ledger::default();
    ledger.take(&daemon.client(), notes);
    let before = answers(&daemon.client(), &sale);
    assert!(before.iter().all(|(status, _)| *status == 200), "{before:?}");
    daemon.stop();

    damage(&place.data().join("views"));

    let daemon = place.start();
    let after = answers(&daemon.client(), &sale);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    ledger.compare(&daemon.client(), &mut dice);
    // It goes on selling, and the views take it in.
    let selling = Selling::begin(daemon.address(), 4, 20, &mut dice);
    selling.until_acknowledged(50);
    ledger.take(&daemon.client(), selling.end());
    ledger.compare(&daemon.client(), &mut dice);
    daemon.stop();
    place.verify();
}

#[test]
fn deleted_views_make_no_difference() {
    make_no_difference(|views| fs::remove_dir_all(views).unwrap());
}

#[test]
fn views_cut_short_make_no_difference() {
    make_no_difference(|views| {
        let db = fs::OpenOptions::new().write(true).open(views.join("db")).unwrap();
        db.set_len(db.metadata().unwrap().len() / 2 + 13).unwrap();
    });
}

#[test]
fn views_full_of_garbage_make_no_difference() {
    make_no_difference(|views| {
        let mut dice = Dice::new("garbage");
        for file in
            fs::read_dir(views).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
        {
            let garbage: Vec<u8> = (0..50_000).map(|_| dice.below(256) as u8).collect();
            fs::write(file, garbage).unwrap();
        }
    });
}

#[test]
fn without_checkpoints_the_shop_is_the_same() {
    make_no_difference(|views| {
        let checkpoints = views.parent().unwrap().join("checkpoints");
        fs::remove_dir_all(checkpoints).unwrap();
        fs::remove_dir_all(views).unwrap();
    });
}
