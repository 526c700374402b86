//! The same request, however often and from however many sides: it happens once, and its answer is the same to the byte.

use std::fs;
use std::sync::{Arc, Barrier};

use serde_json::{Value, json};
use tillbox_tests::{Daemon, Place, Reply, Setup};
use uuid::Uuid;

use crate::till::{TRANSACTIONS, open_sale, sale};

const AT_ONCE: usize = 200;

/// Sends one request from many connections at the same moment.
fn at_once(daemon: &Daemon, key: Option<&str>, body: &Value) -> Vec<Reply> {
    let start = Arc::new(Barrier::new(AT_ONCE));
    let send = || {
        let (client, start, body) = (daemon.client(), start.clone(), body.clone());
        let key = key.map(str::to_owned);
        std::thread::spawn(move || {
            start.wait();
            match key {
                Some(key) => client.change("POST", TRANSACTIONS, &key, &[], &body),
                None => client.post(TRANSACTIONS, &body),
            }
        })
    };
    let threads: Vec<_> = (0..AT_ONCE).map(|_| send()).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// Sends it at once, then after a stop, after a kill and without views: always the first answer, always one sale.
fn happens_once(key: Option<&str>, body: &Value) {
    let place = Place::new(&Setup::default());
    place.stock_up(5);
    let daemon = place.start();
    let replies = at_once(&daemon, key, body);
    let first = replies.first().unwrap().clone();
    assert_eq!(first.status, 201, "{}", first.text());
    assert!(first.position().is_some_and(|position| position.contains('.')));
    let check = |daemon: &Daemon, replies: &[Reply]| {
        for reply in replies {
            assert_eq!(reply.essence(), first.essence());
        }
        let listed = daemon.client().list(TRANSACTIONS, 50);
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0], first.json());
        let stock = daemon.client().get("/api/v1/inventory/sku-1").ok(200);
        assert_eq!(stock["stockQuantity"], "-2.000");
    };
    check(&daemon, &replies);
    daemon.stop();
    let daemon = place.start();
    check(&daemon, &at_once(&daemon, key, body));
    daemon.kill();
    fs::remove_dir_all(place.data().join("views")).unwrap();
    let daemon = place.start();
    daemon.client().when_ready(&format!("{TRANSACTIONS}?limit=1"));
    check(&daemon, &at_once(&daemon, key, body));
    place.verify();
}

#[test]
fn two_hundred_times_at_once_by_id() {
    happens_once(None, &sale(Uuid::now_v7(), &[("sku-1", 2), ("sku-4", 1)], "cash", 1000));
}

#[test]
fn two_hundred_times_at_once_by_header_and_the_box_makes_the_id() {
    let mut body = sale(Uuid::nil(), &[("sku-1", 2)], "card", 202);
    body.as_object_mut().unwrap().remove("id");
    happens_once(Some("scanned-twice-7"), &body);
}

#[test]
fn a_key_belongs_to_one_request_and_a_sale_to_one_content() {
    let place = Place::new(&Setup::default());
    place.stock_up(5);
    let daemon = place.start();
    let client = daemon.client();
    let id = Uuid::now_v7();
    let body = sale(id, &[("sku-0", 1)], "cash", 500);
    let first = client.change("POST", TRANSACTIONS, "key-1", &[], &body);
    first.ok(201);
    let other = sale(Uuid::now_v7(), &[("sku-0", 1)], "cash", 500);
    assert_eq!(client.change("POST", TRANSACTIONS, "key-1", &[], &other).refused(422), "key-reused");
    // The same sale under a new key is the same sale.
    let same = client.change("POST", TRANSACTIONS, "key-2", &[], &body);
    assert_eq!(same.ok(200), first.json());
    assert_eq!(same.body, first.body);
    // Another sale under its id is not.
    let twisted = sale(id, &[("sku-0", 2)], "cash", 500);
    assert_eq!(client.change("POST", TRANSACTIONS, "key-3", &[], &twisted).refused(422), "duplicate-id");
    // A refusal is not remembered: the key may be used again.
    let unknown = sale(Uuid::now_v7(), &[("nothing", 1)], "cash", 500);
    assert_eq!(client.change("POST", TRANSACTIONS, "key-4", &[], &unknown).refused(422), "unknown-product");
    client.change("POST", TRANSACTIONS, "key-4", &[], &other).ok(201);
    assert_eq!(client.list(TRANSACTIONS, 50).len(), 2);
}

/// A change of each kind, as `(method, path, key, body)`.
fn changes_of_each_kind() -> Vec<(&'static str, String, String, Value)> {
    let [paid, parked, refund, shift] = [(); 4].map(|()| Uuid::now_v7());
    let (customer, adjustment, movement) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let at = |path: String| format!("/api/v1/{path}");
    let of = |sale: Uuid| at(format!("transactions/{sale}/status"));
    let changes = [
        ("PUT", at("products/pear".into()), json!({ "name": "Pear", "price": 45, "taxClass": "reduced" })),
        ("PUT", at("products/pear".into()), json!({ "price": 50, "lowStockAt": "3" })),
        ("POST", at("shifts".into()), json!({ "id": shift, "terminalId": "till-1", "float": 5000 })),
        (
            "POST",
            at("inventory/adjustments".into()),
            json!({ "id": adjustment, "sku": "pear", "quantityChange": "4.5", "reason": "receipt", "note": "crate" }),
        ),
        ("POST", at("transactions".into()), sale(paid, &[("pear", 2), ("sku-1", 1)], "cash", 500)),
        ("POST", at("transactions".into()), open_sale(parked, &[("sku-2", 3)])),
        ("POST", at(format!("transactions/{parked}/items")), json!({ "items": [{ "sku": "sku-3" }] })),
        ("PUT", of(parked), json!({ "status": "suspended", "reason": "forgot the purse" })),
        ("PUT", of(parked), json!({ "status": "open" })),
        (
            "POST",
            at("payments/process".into()),
            json!({ "transactionId": parked, "method": "card", "amount": 409 }),
        ),
        ("PUT", of(paid), json!({ "id": refund, "status": "refunded", "reason": "bruised" })),
        (
            "POST",
            at("customers".into()),
            json!({ "id": customer, "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.org" }),
        ),
        ("PUT", at(format!("customers/{customer}")), json!({ "firstName": "Ada", "lastName": "King" })),
        (
            "POST",
            at(format!("shifts/{shift}/movements")),
            json!({ "id": movement, "type": "paidOut", "amount": 120, "reason": "window cleaner" }),
        ),
        ("POST", at(format!("shifts/{shift}/close")), json!({ "counted": 4880 })),
    ];
    let keyed = changes.into_iter().enumerate();
    keyed.map(|(number, (method, path, body))| (method, path, format!("change-{number}"), body)).collect()
}

#[test]
fn each_kind_of_change_is_answered_again_to_the_byte() {
    let place = Place::new(&Setup::default());
    place.stock_up(5);
    let daemon = place.start();
    let changes = changes_of_each_kind();
    let send = |daemon: &Daemon| -> Vec<Reply> {
        let client = daemon.client();
        changes.iter().map(|(method, path, key, body)| client.change(method, path, key, &[], body)).collect()
    };
    let first = send(&daemon);
    for (reply, (method, path, ..)) in first.iter().zip(&changes) {
        assert!(matches!(reply.status, 200 | 201), "{method} {path}: {} {}", reply.status, reply.text());
        assert!(reply.position().is_some(), "{method} {path} changed something and does not say where");
    }
    let same = |replies: &[Reply]| {
        for ((reply, first), (method, path, ..)) in replies.iter().zip(&first).zip(&changes) {
            assert_eq!(reply.text(), first.text(), "{method} {path}");
            assert_eq!(reply.essence(), first.essence(), "{method} {path}");
            assert_eq!(reply.header("etag"), first.header("etag"), "{method} {path}");
        }
    };
    same(&send(&daemon));
    daemon.stop();
    let daemon = place.start();
    same(&send(&daemon));
    daemon.stop();
    fs::remove_dir_all(place.data().join("views")).unwrap();
    let daemon = place.start();
    daemon.client().when_ready(&format!("{TRANSACTIONS}?limit=1"));
    same(&send(&daemon));
}
