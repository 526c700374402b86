//! A person's data: never readable on the disk, gone for good once erased, also after an older backup was put back.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tillbox_tests::{Client, Place, Setup};
use uuid::Uuid;

use crate::till::{TRANSACTIONS, sale};

/// What must stand in no file, in lower case: names, addresses and texts of two persons, before and after a change.
const SECRETS: [&str; 14] = [
    "zebedee",
    "quxworthy",
    "obadiah",
    "featherstonehaugh",
    "unmistakable lane",
    "xanadu",
    "marmalade mews",
    "example.org",
    "442079460991",
    "7946-0991",
    "15550143377",
    "555 014 3377",
    "threw the teapot",
    "allergic to walnuts",
];

fn first_customer(id: Uuid) -> Value {
    json!({
        "id": id, "firstName": "Zebedee", "lastName": "Quxworthy", "email": "Zebedee.Quxworthy@Example.ORG",
        "phone": "+44 (20) 7946-0991", "address": "17 Unmistakable Lane\nXanadu", "consent": "newsletter 2026-01-01",
    })
}

fn second_customer(id: Uuid) -> Value {
    json!({
        "id": id, "firstName": "Obadiah", "lastName": "Featherstonehaugh", "email": "obadiah@example.org",
        "phone": "+1 555 014 3377", "address": "3 Marmalade Mews",
    })
}

/// A sale to a customer, with a reason on the receipt and on the line.
fn sell(client: &Client, customer: Uuid, amount: i64) -> Uuid {
    let id = Uuid::now_v7();
    let mut body = sale(id, &[("sku-1", 2)], "cash", amount);
    body["customerId"] = json!(customer);
    body["discount"] = json!({ "amount": 10 });
    body["reason"] = json!("Obadiah is allergic to walnuts");
    body["items"][0]["reason"] = json!("Zebedee threw the teapot");
    client.post(TRANSACTIONS, &body).ok(201);
    id
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files(&entry.path(), found),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

/// Looks through every byte of every file below a folder.
fn nothing_is_readable(folder: &Path) {
    let mut found = Vec::new();
    files(folder, &mut found);
    assert!(!found.is_empty());
    for file in found {
        let bytes = fs::read(&file).unwrap();
        let text: String = bytes.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
        for secret in SECRETS {
            assert!(!text.contains(secret), "{} holds \"{secret}\"", file.display());
        }
    }
}

fn report(client: &Client, sale: Uuid) -> Value {
    let date =
        client.get(&format!("{TRANSACTIONS}/{sale}")).ok(200)["businessDate"].as_str().unwrap().to_owned();
    let mut report = client.when_ready(&format!("/api/v1/reports/sales/daily?date={date}"));
    // The journal has grown since.
    report.as_object_mut().unwrap().remove("head");
    report
}

/// Nothing about an erased person comes out of any door; the sale stands.
fn is_erased(client: &Client, customer: Uuid, sale: Uuid) {
    for part in ["", "/export", "/transactions"] {
        let reply = client.get(&format!("/api/v1/customers/{customer}{part}"));
        assert_eq!(reply.refused(410), "customer-erased", "{part}");
    }
    for query in ["email=zebedee.quxworthy@example.org", "phone=%2B442079460991"] {
        let reply = client.get(&format!("/api/v1/customers?{query}"));
        let nobody = reply.status == 410 || reply.ok(200)["items"] == json!([]);
        assert!(nobody, "{query}: {}", reply.text());
    }
    let sale = client.get(&format!("{TRANSACTIONS}/{sale}"));
    assert_eq!(sale.ok(200)["totalAmount"], 192);
    let text = sale.text().to_lowercase();
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
}

#[test]
fn personal_data_is_unreadable_on_disk_and_gone_after_erasure_and_restore() {
    let place = Place::new(&Setup::default());
    place.stock_up(5);
    let daemon = place.start();
    let client = daemon.client();
    let (zebedee, obadiah) = (Uuid::now_v7(), Uuid::now_v7());
    client.post("/api/v1/customers", &first_customer(zebedee)).ok(201);
    client.post("/api/v1/customers", &second_customer(obadiah)).ok(201);
    let bought = sell(&client, zebedee, 500);
    let other = sell(&client, obadiah, 500);
    let mut changed = second_customer(obadiah);
    changed["address"] = json!("17 Unmistakable Lane\nXanadu");
    client.change("PUT", &format!("/api/v1/customers/{obadiah}"), "moved", &[], &changed).ok(200);
    let note = json!({
        "id": Uuid::now_v7(), "sku": "sku-1", "quantityChange": "-1", "reason": "damage",
        "note": "Zebedee Quxworthy threw the teapot",
    });
    client.post("/api/v1/inventory/adjustments", &note).ok(201);
    let returned = json!({ "status": "refunded", "reason": "Obadiah threw the teapot" });
    client.change("PUT", &format!("{TRANSACTIONS}/{other}/status"), "back", &[], &returned).ok(201);

    // Who may read it can.
    let read = client.get(&format!("/api/v1/customers/{zebedee}")).ok(200);
    assert_eq!((&read["lastName"], &read["phone"]), (&json!("Quxworthy"), &json!("+44 (20) 7946-0991")));
    let found = client.get("/api/v1/customers?email=%20ZEBEDEE.quxworthy@example.org").ok(200);
    assert_eq!(found["items"][0]["id"], zebedee.to_string());
    let sold = client.get(&format!("{TRANSACTIONS}/{bought}")).ok(200);
    assert_eq!(sold["reason"], "Obadiah is allergic to walnuts");
    let export = client.get(&format!("/api/v1/customers/{zebedee}/export")).text();
    assert!(export.contains("Unmistakable Lane") && export.contains(&bought.to_string()), "{export}");

    // The disk cannot, while it runs and afterwards; nor can the log.
    nothing_is_readable(place.data());
    let (backup, keys) = (place.beside("backup"), place.beside("keys"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    place.succeed(&["backup", "--to", &text(&backup), "--keys", &text(&keys)]);
    nothing_is_readable(&backup);
    let day = report(&client, bought);

    let erased = client.delete(&format!("/api/v1/customers/{zebedee}"));
    assert_eq!(erased.status, 204, "{}", erased.text());
    is_erased(&client, zebedee, bought);
    assert_eq!(report(&client, bought), day);
    daemon.stop();
    nothing_is_readable(place.data());
    nothing_is_readable(place.log().parent().unwrap());
    place.verify();

    // The older backup comes back, first with the keys that are here, then with its own from before the erasure.
    for with_keys in [false, true] {
        let mut arguments = vec!["restore".to_owned(), "--from".to_owned(), text(&backup)];
        if with_keys {
            arguments.extend(["--keys".to_owned(), text(&keys)]);
        }
        place.succeed(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        place.verify();
        let daemon = place.start();
        let client = daemon.client();
        client.when_ready(&format!("{TRANSACTIONS}?limit=1"));
        is_erased(&client, zebedee, bought);
        assert_eq!(report(&client, bought), day);
        let kept = client.get(&format!("/api/v1/customers/{obadiah}")).ok(200);
        assert_eq!(kept["lastName"], "Featherstonehaugh");
        daemon.stop();
        nothing_is_readable(place.data());
        place.verify();
    }
}

#[test]
fn a_restored_box_begins_a_new_series_and_repeats_no_number() {
    let place = Place::new(&Setup::default());
    place.stock_up(5);
    let daemon = place.start();
    let client = daemon.client();
    let before = sale(Uuid::now_v7(), &[("sku-1", 1)], "cash", 200);
    let acknowledged = client.post(TRANSACTIONS, &before);
    assert_eq!(acknowledged.ok(201)["receiptNumber"], "01-000001");
    let backup = place.beside("backup");
    place.succeed(&["backup", "--to", backup.to_str().unwrap()]);
    // This one is in no backup: its number must not be given again.
    let lost = client.post(TRANSACTIONS, &sale(Uuid::now_v7(), &[("sku-1", 1)], "cash", 200));
    let position = lost.position().unwrap().to_owned();
    assert_eq!(lost.ok(201)["receiptNumber"], "01-000002");
    daemon.stop();
    place.succeed(&["restore", "--from", backup.to_str().unwrap()]);
    let daemon = place.start();
    let client = daemon.client();
    client.when_ready(&format!("{TRANSACTIONS}?limit=1"));
    assert_eq!(client.post(TRANSACTIONS, &before).essence(), acknowledged.essence());
    let next = client.post(TRANSACTIONS, &sale(Uuid::now_v7(), &[("sku-1", 1)], "cash", 200)).ok(201);
    assert_eq!(next["receiptNumber"], "02-000001");
    // Who followed the old epoch beyond the backup is told to start over.
    assert_eq!(client.events(Some(&position)).next_event().1, "reset");
    daemon.stop();
    place.verify();
}
