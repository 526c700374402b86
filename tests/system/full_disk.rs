//! A disk that fills up: sales are refused with a clear problem, the shop can still be closed and read, and sells again
//! once there is room.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use serde_json::json;
use tillbox_tests::{Client, Dice, Ledger, LoopDisk, Place, Selling, Setup, patiently};
use uuid::Uuid;

use crate::till::{TRANSACTIONS, open_sale, sale};

const PRODUCTS: usize = 30;
const DISK_MIB: u64 = 48;
const BALLAST_MIB: usize = 30;
/// More single pieces than fit onto what the ballast leaves.
const MOST_PIECES: usize = 30_000;

#[test]
fn a_full_disk_stops_sales_but_not_the_shop() {
    let Some(disk) = LoopDisk::new("full_disk", DISK_MIB) else { return };
    let mut dice = Dice::new("full_disk");
    let place = Place::on(disk.path().join("data"), &Setup::default().segments(1));
    place.stock_up(PRODUCTS);
    let ballast = disk.path().join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    file.write_all(&vec![7; BALLAST_MIB << 20]).unwrap();
    file.sync_all().unwrap();
    drop(file);

    let mut daemon = place.start();
    let client = daemon.client();
    let (shift, parked) = (Uuid::now_v7(), Uuid::now_v7());
    let open = json!({ "id": shift, "terminalId": "till-9", "float": 1000 });
    client.post("/api/v1/shifts", &open).ok(201);
    client.post(TRANSACTIONS, &open_sale(parked, &[("sku-2", 1)])).ok(201);
    let selling = Selling::begin(daemon.address(), 4, PRODUCTS, &mut dice);
    selling.until_no_room(20);
    let notes = selling.end();
    assert!(notes.unanswered.is_empty(), "a full disk leaves nobody without an answer");
    assert!(daemon.is_alive());

    // Reading goes on, and so does what closes the shop.
    let (bought, ..) = notes.acknowledged.last().unwrap();
    client.get(&format!("{TRANSACTIONS}/{bought}")).ok(200);
    client.get("/api/v1/products/sku-3").ok(200);
    assert_eq!(client.get("/readyz").status, 200);
    let paid = json!({ "transactionId": parked, "method": "card", "amount": 102 });
    let paid = client.change("POST", "/api/v1/payments/process", "last-one", &[], &paid).ok(201);
    assert_eq!(paid["transaction"]["status"], "completed");
    let counted = json!({ "counted": 1000 });
    let closed = client.change("POST", &format!("/api/v1/shifts/{shift}/close"), "z", &[], &counted).ok(201);
    assert_eq!(closed["number"], 1);
    let mut beside = vec![parked];
    until_refused(&client, &mut beside);

    // Killed, stopped and started on the full disk, it is the same shop.
    daemon.kill();
    let daemon = place.start();
    until_refused(&daemon.client(), &mut beside);
    daemon.stop();
    let mut daemon = place.start();
    let client = daemon.client();
    client.get("/api/v1/products/sku-3").ok(200);
    until_refused(&client, &mut beside);
    assert_eq!(client.get(&format!("/api/v1/shifts/{shift}/x")).status, 200);

    // With room again it sells, and is as it was.
    fs::remove_file(&ballast).unwrap();
    let first = Uuid::now_v7();
    let body = sale(first, &[("sku-1", 1)], "cash", 500);
    patiently(Duration::from_secs(30), "it sells again", || match client.post(TRANSACTIONS, &body) {
        reply if matches!(reply.status, 503 | 507) => None,
        reply => Some(reply.ok(201)),
    });
    beside.push(first);
    let sold = notes.acknowledged.len();
    let mut ledger = Ledger::default();
    ledger.take(&client, notes);
    for id in beside {
        let path = format!("{TRANSACTIONS}/{id}");
        client.when_ready(&path);
        let reply = client.get(&path);
        ledger.beside(id, reply);
    }
    ledger.compare(&client, &mut dice);
    daemon.stop();
    place.verify();
    daemon = place.start();
    ledger.compare(&daemon.client(), &mut dice);
    daemon.stop();
    println!("full after {sold} sales");
}

/// Sells single pieces until there is no room for another: after a larger sale was refused, smaller ones may still fit,
/// as many as the segment has room for.
fn until_refused(client: &Client, sold: &mut Vec<Uuid>) {
    let sell = || {
        let id = Uuid::now_v7();
        (id, client.post(TRANSACTIONS, &sale(id, &[("sku-1", 1)], "cash", 500)))
    };
    for _ in 0..MOST_PIECES {
        let (id, reply) = patiently(Duration::from_secs(30), "the shop answers", || {
            Some(sell()).filter(|(_, reply)| reply.status != 503)
        });
        if reply.status != 201 {
            assert_eq!(reply.refused(507), "no-space");
            return;
        }
        sold.push(id);
    }
    panic!("{MOST_PIECES} sales fit onto a full disk");
}
