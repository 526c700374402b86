//! Bad input: each gets a clear problem, nothing is half-written, and the daemon goes on serving.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tillbox_tests::{Client, Daemon, Place, Setup, raw};
use uuid::Uuid;

use crate::till::{TRANSACTIONS, open_sale, sale};

/// All that a refused request must leave as it was.
fn everything(client: &Client) -> Vec<Value> {
    let paths = [
        "/api/v1/transactions?limit=500",
        "/api/v1/products?limit=500",
        "/api/v1/reports/sales/daily",
        "/api/v1/inventory/sku-1/movements",
        "/api/v1/shifts",
        "/api/v1/store",
    ];
    paths.iter().map(|path| client.get(path).ok(200)).collect()
}

fn shop() -> (Place, Daemon, Client) {
    let place = Place::new(&Setup::default());
    place.stock_up(5);
    let daemon = place.start();
    let client = daemon.client();
    client.post(TRANSACTIONS, &sale(Uuid::now_v7(), &[("sku-1", 1)], "cash", 200)).ok(201);
    (place, daemon, client)
}

/// A good sale with one thing changed.
fn but(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = sale(Uuid::now_v7(), &[("sku-1", 2)], "cash", 1000);
    change(&mut body);
    body
}

#[test]
fn a_sale_that_makes_no_sense_is_refused_by_a_clear_problem() {
    let (place, daemon, client) = shop();
    let before = everything(&client);
    let set =
        |pointer: &'static str, value: Value| but(move |body| *body.pointer_mut(pointer).unwrap() = value);
    let add = |name: &'static str, value: Value| but(move |body| body[name] = value);
    let item = |name: &'static str, value: Value| but(move |body| body["items"][0][name] = value);
    let cases = [
        ("a negative quantity", 422, "bad-quantity", set("/items/0/quantity", json!(-1))),
        ("no quantity", 422, "bad-quantity", set("/items/0/quantity", json!("0"))),
        ("a huge quantity", 422, "bad-quantity", set("/items/0/quantity", json!(100_000))),
        (
            "a quantity beyond 64 bits",
            422,
            "bad-quantity",
            set("/items/0/quantity", json!("99999999999999999999")),
        ),
        ("a float as quantity", 400, "wrong-shape", set("/items/0/quantity", json!(1.5))),
        ("four decimals", 400, "wrong-shape", set("/items/0/quantity", json!("0.0001"))),
        ("an object as quantity", 400, "wrong-shape", set("/items/0/quantity", json!({}))),
        ("an unknown SKU", 422, "unknown-product", set("/items/0/sku", json!("no-such-thing"))),
        ("an unknown barcode", 422, "unknown-product", {
            but(|body| body["items"][0] = json!({ "barcode": "4006381333931", "quantity": 1 }))
        }),
        ("SKU and barcode", 400, "item-needs-code", item("barcode", json!("4006381333931"))),
        (
            "neither SKU nor barcode",
            400,
            "item-needs-code",
            but(|body| body["items"][0] = json!({ "quantity": 1 })),
        ),
        ("an unknown field", 400, "wrong-shape", add("itmes", json!([]))),
        ("an unknown field of an item", 400, "wrong-shape", item("qty", json!(2))),
        ("an id that is none", 400, "wrong-shape", set("/id", json!("seven"))),
        ("money as text", 400, "wrong-shape", set("/tenders/0/amount", json!("1000"))),
        ("money with a fraction", 400, "wrong-shape", set("/tenders/0/amount", json!(10.5))),
        ("negative money", 422, "bad-amount", set("/tenders/0/amount", json!(-1000))),
        ("more money than there is", 422, "bad-amount", set("/tenders/0/amount", json!(i64::MAX))),
        ("money beyond 64 bits", 400, "wrong-shape", set("/tenders/0/amount", json!(1e30))),
        ("an unknown way to pay", 400, "wrong-shape", set("/tenders/0/method", json!("seashells"))),
        ("too much on the card", 422, "no-change", set("/tenders/0/method", json!("card"))),
        ("items that are no list", 400, "wrong-shape", set("/items", json!("sku-1"))),
        ("an unknown type", 400, "wrong-shape", add("type", json!("gift"))),
        ("a date that is none", 400, "wrong-shape", add("startedAt", json!("yesterday"))),
        ("a discount over 100 percent", 422, "bad-percent", add("discount", json!({ "percent": "101" }))),
        ("a negative discount", 422, "bad-amount", add("discount", json!({ "amount": -5 }))),
        ("an unknown customer", 422, "unknown-customer", add("customerId", json!(Uuid::now_v7()))),
        ("a till without a name", 422, "bad-text", set("/terminalId", json!(""))),
        ("a till with a line feed", 422, "bad-text", set("/terminalId", json!("till\n1"))),
        ("no till", 400, "wrong-shape", but(|body| drop(body.as_object_mut().unwrap().remove("terminalId")))),
        ("a total beyond all bounds", 422, "total-too-large", {
            item("asSold", json!({ "unitPrice": 10_000_000_000_i64, "taxRate": "0" }))
        }),
        ("a list", 400, "wrong-shape", json!([1, 2, 3])),
    ];
    for (what, status, code, body) in &cases {
        // A total that is too large needs more than two pieces.
        let mut body = body.clone();
        if *code == "total-too-large" {
            body["items"][0]["quantity"] = json!(99_999);
        }
        let reply = client.change("POST", TRANSACTIONS, &format!("bad {what}"), &[], &body);
        let refused = reply.refused(*status);
        assert_eq!(refused, *code, "{what}: {}", reply.text());
    }
    let no_id = but(|body| drop(body.as_object_mut().unwrap().remove("id")));
    assert_eq!(client.post(TRANSACTIONS, &no_id).refused(400), "idempotency-key-missing");
    assert_eq!(everything(&client), before);
    daemon.stop();
    place.verify();
}

#[test]
fn bodies_that_are_too_large_too_many_or_no_json_are_refused() {
    let (_place, _daemon, client) = shop();
    let before = everything(&client);
    let send = |body: &[u8]| {
        let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
        client.send("POST", TRANSACTIONS, &headers, Some(body)).unwrap()
    };
    assert_eq!(send(b"{\"terminalId\": \"till-1\", \"items\": [").refused(400), "malformed-json");
    assert_eq!(send(b"").refused(400), "malformed-json");
    assert_eq!(send(b"sell something").refused(400), "malformed-json");
    assert_eq!(send(b"{\"terminalId\": \"\xff\xfe\xc3\x28\"}").refused(400), "malformed-json");
    assert_eq!(send("{\"items\":".repeat(200_000).get(..1_000_000).unwrap().as_bytes()).status, 400);
    send("[".repeat(100_000).as_bytes()).refused(400);
    assert_eq!(send(&vec![b' '; 8 << 20]).refused(413), "body-too-large");
    let ten_thousand = open_sale(Uuid::now_v7(), &vec![("sku-1", 1); 10_000]);
    assert_eq!(send(ten_thousand.to_string().as_bytes()).refused(422), "too-many-items");
    let form = client.send("POST", TRANSACTIONS, &[("content-type", "text/plain")], Some(b"{}")).unwrap();
    assert_eq!(form.refused(415), "not-json");
    let key = "k".repeat(201);
    let long = client.change("POST", TRANSACTIONS, &key, &[], &but(|_| {}));
    assert_eq!(long.refused(400), "bad-idempotency-key");
    assert_eq!(everything(&client), before);
    client.post(TRANSACTIONS, &but(|_| {})).ok(201);
}

#[test]
fn addresses_methods_and_queries_that_are_none_are_problems_too() {
    let (_place, _daemon, client) = shop();
    let before = everything(&client);
    client.get("/api/v1/nothing").refused(404);
    client.get("/api/v2/transactions").refused(404);
    client.get("/..%2f..%2fetc/passwd").refused(404);
    client.delete(TRANSACTIONS).refused(405);
    client.get("/api/v1/payments/process").refused(405);
    client.get(&format!("{TRANSACTIONS}/seven")).refused(400);
    client.get(&format!("{TRANSACTIONS}/{}", Uuid::now_v7())).refused(404);
    client.get("/api/v1/products/nothing").refused(404);
    client.get("/api/v1/inventory/nothing").refused(404);
    client.get(&format!("/api/v1/customers/{}", Uuid::now_v7())).refused(404);
    client.get(&format!("/api/v1/shifts/{}/x", Uuid::now_v7())).refused(404);
    for query in [
        "limit=0",
        "limit=501",
        "limit=many",
        "cursor=nonsense",
        "date=2026-02-30",
        "colour=red",
        "status=odd",
    ] {
        client.get(&format!("{TRANSACTIONS}?{query}")).refused(400);
    }
    client.get("/api/v1/reports/sales/daily?from=2026-01-01").refused(400);
    client.get("/api/v1/reports/sales/daily?from=2026-01-02&to=2026-01-01").refused(422);
    client.get("/api/v1/reports/sales/daily?storeId=elsewhere").refused(404);
    let put = json!({ "name": "Thing", "price": 1, "taxClass": "luxury" });
    client.change("PUT", "/api/v1/products/x", "p1", &[], &put).refused(422);
    client.change("PUT", "/api/v1/products/x", "p2", &[], &json!({ "price": 1 })).refused(422);
    client
        .change("PUT", "/api/v1/products/sku-1", "p3", &[("if-match", "7")], &json!({ "price": 1 }))
        .refused(400);
    client
        .change("PUT", "/api/v1/products/sku-1", "p4", &[("if-match", "\"7\"")], &json!({ "price": 1 }))
        .refused(412);
    let adjustment = json!({ "sku": "sku-1", "quantityChange": "0", "reason": "stocktake" });
    client.change("POST", "/api/v1/inventory/adjustments", "a1", &[], &adjustment).refused(422);
    let payment = json!({ "transactionId": Uuid::now_v7(), "method": "cash", "amount": 1 });
    client.change("POST", "/api/v1/payments/process", "y1", &[], &payment).refused(404);
    assert_eq!(everything(&client), before);
}

#[test]
fn what_is_no_http_at_all_ends_quietly() {
    let (_place, daemon, client) = shop();
    let before = everything(&client);
    let at = daemon.address();
    let random: Vec<u8> = (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let long_header = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let many_headers = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(5_000));
    for (bytes, statuses) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[400][..]),
        (&random, &[400]),
        (b"GET / HTTP/9.9\r\n\r\n", &[400, 505]),
        (b"SELL everything\r\n\r\n", &[400]),
        (long_header.as_bytes(), &[400, 431]),
        (many_headers.as_bytes(), &[400, 431]),
        (b"POST /api/v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n", &[400]),
        (b"POST /api/v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", &[400]),
    ] {
        if let Some(reply) = raw::say(at, bytes) {
            let line = String::from_utf8_lossy(bytes.get(..20).unwrap_or(bytes)).into_owned();
            assert!(statuses.contains(&reply.status), "{line:?}: {}", reply.status);
        }
    }
    assert_eq!(everything(&client), before);
}

#[test]
fn half_a_request_and_silence_keeps_nobody_else_waiting() {
    let (_place, daemon, client) = shop();
    let head = "POST /api/v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let halves = [
        head.to_owned(),
        format!("{head}Content-Length: 500\r\n\r\n{{\"terminalId\": \"till-1\", \"items\": ["),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n10\r\n{{\"term"),
        String::new(),
    ];
    let silent: Vec<_> = (0..40)
        .zip(halves.iter().cycle())
        .map(|(_, half)| {
            let mut stream = raw::connect(daemon.address());
            stream.write_all(half.as_bytes()).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    for _ in 0..20 {
        client.post(TRANSACTIONS, &but(|_| {})).ok(201);
    }
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "the silent ones were waited for: {:?}",
        began.elapsed()
    );
    // A head that never ends is not waited for either.
    let mut first = silent.into_iter().next().unwrap();
    let mut heard = Vec::new();
    let ended = first.read_to_end(&mut heard);
    assert!(ended.is_ok(), "a connection with half a head is kept: {ended:?}");
    assert_eq!(client.list(TRANSACTIONS, 500).len(), 21);
}
