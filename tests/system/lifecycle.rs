//! A day in the shop, over HTTP: from the float to the Z. What was asked is compared with the API's document.

use serde_json::{Value, json};
use tillbox_tests::{Client, Place, Setup};
use uuid::Uuid;

use crate::document::compare_with_the_document;
use crate::stream::{follow, resume};
use crate::till::{TRANSACTIONS, open_sale, sale};

fn put(client: &Client, path: &str, key: &str, body: &Value) -> Value {
    let reply = client.change("PUT", path, key, &[], body);
    assert!(matches!(reply.status, 200 | 201), "{path}: {} {}", reply.status, reply.text());
    reply.json()
}

fn status(client: &Client, id: Uuid, body: &Value) -> tillbox_tests::Reply {
    client.change("PUT", &format!("{TRANSACTIONS}/{id}/status"), &Uuid::now_v7().to_string(), &[], body)
}

fn stock(client: &Client) -> Value {
    client.get("/api/v1/inventory/apple").ok(200)["stockQuantity"].clone()
}

/// The catalogue is edited: versions, conflicts, repetition.
fn edit_the_catalogue(client: &Client) {
    let path = "/api/v1/products/apple";
    let apple = json!({ "name": "Äpfel", "price": 250, "taxClass": "standard", "category": "fruit", "lowStockAt": "5", "barcode": "4006381333931" });
    let made = client.change("PUT", path, "apple-1", &[], &apple);
    assert_eq!((made.ok(201)["version"].clone(), made.header("etag")), (json!(1), Some("\"1\"")));
    let again = client.change("PUT", path, "apple-1", &[], &apple);
    assert_eq!(again.essence(), made.essence());
    // The same once more under another key changes nothing.
    let same = client.change("PUT", path, "apple-2", &[], &apple);
    assert_eq!(same.ok(200)["version"], 1);
    let dearer = json!({ "price": 260 });
    let edited = client.change("PUT", path, "apple-3", &[("if-match", "\"1\"")], &dearer);
    assert_eq!((edited.ok(200)["price"].clone(), edited.header("etag")), (json!(260), Some("\"2\"")));
    // Its reply was lost, say: asked again it is answered the same, and does not make the apples cheap again.
    assert_eq!(client.change("PUT", path, "apple-2", &[], &apple).essence(), same.essence());
    let stale = client.change("PUT", path, "apple-4", &[("if-match", "\"1\"")], &json!({ "price": 1 }));
    assert_eq!(stale.refused(412), "stale");
    let read = client.get("/api/v1/products/4006381333931");
    assert_eq!((read.ok(200)["sku"].clone(), read.header("etag")), (json!("apple"), Some("\"2\"")));
    assert_eq!(client.get("/api/v1/products/04006381333931").ok(200)["price"], 260);
    assert_eq!(client.get("/api/v1/products?q=%C3%A4PF").ok(200)["items"][0]["sku"], "apple");
    assert_eq!(client.get("/api/v1/products?category=fruit").ok(200)["items"].as_array().unwrap().len(), 1);
    let categories = client.get("/api/v1/categories").ok(200);
    let counts: Vec<_> =
        categories["items"].as_array().unwrap().iter().map(|row| row["productCount"].as_u64()).collect();
    assert_eq!(counts.iter().flatten().sum::<u64>(), 11);
}

/// A sale that grows, waits and is paid at last.
fn ring_up_slowly(client: &Client) {
    let id = Uuid::now_v7();
    let empty = json!({ "id": id, "terminalId": "till-1" });
    let opened = client.post(TRANSACTIONS, &empty).ok(201);
    assert_eq!(
        (&opened["status"], &opened["dueAmount"], &opened["receiptNumber"]),
        (&json!("open"), &json!(0), &Value::Null)
    );
    let items = json!({ "items": [{ "sku": "apple" }, { "sku": "sku-0", "quantity": "2" }] });
    let grown = client.change("POST", &format!("{TRANSACTIONS}/{id}/items"), "grow", &[], &items).ok(201);
    assert_eq!(grown["dueAmount"], 460);
    let line = grown["items"][1]["id"].as_str().unwrap();
    let voided = client.delete(&format!("{TRANSACTIONS}/{id}/items/{line}")).ok(200);
    assert_eq!((&voided["dueAmount"], &voided["items"].as_array().unwrap().len()), (&json!(260), &1));
    client.delete(&format!("{TRANSACTIONS}/{id}/items/{line}")).refused(404);
    assert_eq!(status(client, id, &json!({ "status": "suspended" })).ok(200)["status"], "suspended");
    assert_eq!(status(client, id, &json!({ "status": "suspended" })).refused(409), "illegal-transition");
    let payment = json!({ "transactionId": id, "method": "mobile", "amount": 260, "reference": "m-77" });
    client.change("POST", "/api/v1/payments/process", "too-early", &[], &payment).refused(409);
    assert_eq!(status(client, id, &json!({ "status": "open" })).ok(200)["status"], "open");
    assert_eq!(status(client, id, &json!({ "status": "completed" })).refused(422), "tender-too-small");
    let paid = client.change("POST", "/api/v1/payments/process", "pay", &[], &payment).ok(201);
    assert_eq!(
        (&paid["payment"]["gatewayReference"], &paid["payment"]["status"]),
        (&json!("m-77"), &json!("approved"))
    );
    assert_eq!(
        (&paid["transaction"]["status"], &paid["transaction"]["totalAmount"]),
        (&json!("completed"), &json!(260))
    );
    let given_up = Uuid::now_v7();
    client.post(TRANSACTIONS, &open_sale(given_up, &[("sku-1", 1)])).ok(201);
    assert_eq!(
        status(client, given_up, &json!({ "status": "cancelled", "reason": "changed mind" })).ok(200)["status"],
        "cancelled"
    );
    assert_eq!(status(client, given_up, &json!({ "status": "open" })).refused(409), "illegal-transition");
}

/// The receipt, in each of its forms.
fn look_at_the_receipt(client: &Client, id: Uuid, number: &str) {
    let path = format!("{TRANSACTIONS}/{id}/receipt");
    let text = client.get_as(&path, "text/plain");
    assert_eq!(text.status, 200);
    assert!(text.text().contains("Corner Shop") && text.text().contains(number), "{}", text.text());
    assert!(text.text().contains("Äpfel") && text.text().contains("5.20"), "{}", text.text());
    let svg = client.get_as(&path, "image/svg+xml");
    assert_eq!((svg.status, svg.header("content-type")), (200, Some("image/svg+xml")));
    assert!(svg.text().trim_start().starts_with("<svg") && svg.text().contains("</svg>"));
    let wire = client.get_as(&path, "application/vnd.escpos");
    // ESC @ begins, GS V cuts.
    assert!(
        wire.status == 200
            && wire.body.starts_with(b"\x1b@")
            && wire.body.windows(2).any(|two| two == b"\x1dV")
    );
    assert_eq!(client.get_as(&path, "application/json").refused(406), "not-acceptable");
    let reprint = client.change("POST", &format!("{TRANSACTIONS}/{id}/reprint"), "copy", &[], &Value::Null);
    assert_eq!(reprint.refused(409), "no-printer");
}

fn close_the_day(client: &Client, shift: Uuid) -> Value {
    let movements = format!("/api/v1/shifts/{shift}/movements");
    let paid_out = json!({ "id": Uuid::now_v7(), "type": "paidOut", "amount": 150, "reason": "milk" });
    client.post(&movements, &paid_out).ok(201);
    let no_sale = json!({ "id": Uuid::now_v7(), "type": "noSale" });
    client.post(&movements, &no_sale).ok(201);
    let x = client.get(&format!("/api/v1/shifts/{shift}/x")).ok(200);
    // Float, two cash parts, less a refund and the milk.
    assert_eq!(x["expectedAmount"], 10_000 + 520 + 220 - 260 - 150, "{x}");
    assert_eq!((&x["status"], &x["totals"]["noSaleCount"]), (&json!("open"), &json!(1)));
    assert_eq!((&x["totals"]["voidAmount"], &x["totals"]["returnAmount"]), (&json!(260), &json!(260)));
    let close = format!("/api/v1/shifts/{shift}/close");
    let z = client.change("POST", &close, "z", &[], &json!({ "counted": 10_325 })).ok(201);
    assert_eq!(
        (&z["number"], &z["differenceAmount"], &z["status"]),
        (&json!(1), &json!(-5), &json!("closed"))
    );
    is_head(&z["head"]);
    assert_eq!(
        client.change("POST", &close, "z2", &[], &json!({ "counted": 0 })).refused(404),
        "no-such-shift"
    );
    assert_eq!(client.get(&format!("/api/v1/shifts/{shift}/x")).ok(200), z);
    assert_eq!(client.get("/api/v1/shifts").ok(200)["items"], json!([]));
    z
}

/// `epoch.seq hash`
fn is_head(head: &Value) {
    let text = head.as_str().unwrap_or_default();
    let parts = text.split_once(' ').and_then(|(position, hash)| Some((position.split_once('.')?, hash)));
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fine = parts.is_some_and(|((epoch, seq), hash)| {
        hex(epoch) && seq.parse::<u64>().is_ok() && hash.len() == 64 && hex(hash)
    });
    assert!(fine, "{text:?} is no \"epoch.seq hash\"");
}

fn read_the_report(client: &Client) {
    let report = client.get("/api/v1/reports/sales/daily?storeId=corner").ok(200);
    let amounts = ["grossAmount", "discountAmount", "returnAmount", "netAmount", "lateAmount"]
        .map(|name| report[name].as_i64());
    assert_eq!(amounts, [1_300, 0, 260, 1_040, 0].map(Some), "{report}");
    assert_eq!((&report["transactionCount"], &report["itemCount"]), (&json!(4), &json!(3)));
    let tenders = json!([
        { "method": "cash", "amount": 480 }, { "method": "card", "amount": 300 }, { "method": "mobile", "amount": 260 },
    ]);
    assert_eq!(report["tenders"], tenders, "{report}");
    let tax = &report["taxes"][0];
    assert_eq!(tax["base"].as_i64().unwrap() + tax["amount"].as_i64().unwrap(), 1_040, "{report}");
    assert_eq!(report["taxAmount"], tax["amount"]);
    assert_eq!(report["topProducts"][0]["sku"], "apple");
    is_head(&report["head"]);
    let csv = client.get_as("/api/v1/reports/sales/daily", "text/csv");
    assert!(
        csv.status == 200 && csv.text().contains("netAmount") && csv.text().contains("1040"),
        "{}",
        csv.text()
    );
}

#[test]
fn a_day_in_the_shop() {
    let place = Place::new(&Setup::default());
    place.stock_up(10);
    let daemon = place.start();
    let client = daemon.client();
    let mut events = client.events(None);
    let (begun, name, _) = events.next_event();
    assert_eq!(name, "ready");
    edit_the_catalogue(&client);
    let delivery = json!({ "id": Uuid::now_v7(), "sku": "apple", "quantityChange": 10, "reason": "receipt" });
    assert_eq!(client.post("/api/v1/inventory/adjustments", &delivery).ok(201)["stockQuantity"], "10.000");

    let (shift, customer) = (Uuid::now_v7(), Uuid::now_v7());
    let float = json!({ "id": shift, "terminalId": "till-1", "cashierId": "kim", "float": 10_000 });
    client.post("/api/v1/shifts", &float).ok(201);
    let second = json!({ "id": Uuid::now_v7(), "terminalId": "till-1", "float": 1 });
    assert_eq!(client.post("/api/v1/shifts", &second).refused(409), "shift-open");
    let person = json!({ "id": customer, "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.org", "phone": "020 7946 0000" });
    client.post("/api/v1/customers", &person).ok(201);
    assert_eq!(
        client.get("/api/v1/customers?email=ADA@example.org").ok(200)["items"][0]["lastName"],
        "Lovelace"
    );
    assert_eq!(
        client.get("/api/v1/customers?phone=02079460000").ok(200)["items"][0]["id"],
        customer.to_string()
    );
    let name = json!({ "firstName": "Ada", "lastName": "King" });
    assert_eq!(put(&client, &format!("/api/v1/customers/{customer}"), "married", &name)["lastName"], "King");

    let in_cash = Uuid::now_v7();
    let sold = client.post(TRANSACTIONS, &sale(in_cash, &[("apple", 2)], "cash", 1_000)).ok(201);
    assert_eq!((&sold["changeAmount"], &sold["receiptNumber"]), (&json!(480), &json!("01-000001")));
    assert_eq!(
        (&sold["totalAmount"], &sold["taxAmount"], &sold["currency"]),
        (&json!(520), &json!(87), &json!("EUR"))
    );
    look_at_the_receipt(&client, in_cash, "01-000001");
    let by_card = Uuid::now_v7();
    let mut card = sale(by_card, &[("apple", 1)], "card", 260);
    card["customerId"] = json!(customer);
    client.post(TRANSACTIONS, &card).ok(201);
    let bought = client.get(&format!("/api/v1/customers/{customer}/transactions")).ok(200);
    assert_eq!(bought["items"][0]["id"], by_card.to_string());
    let split = Uuid::now_v7();
    let mut parts = open_sale(split, &[("apple", 2)]);
    parts["tenders"] = json!([{ "method": "card", "amount": 300 }, { "method": "cash", "amount": 500 }]);
    assert_eq!(client.post(TRANSACTIONS, &parts).ok(201)["changeAmount"], 280);
    assert_eq!(stock(&client), "5.000");
    let low = client.get("/api/v1/inventory/low-stock").ok(200);
    assert_eq!(low["items"][0]["sku"], "apple");
    ring_up_slowly(&client);

    let line = sold["items"][0]["id"].clone();
    let back =
        json!({ "status": "refunded", "items": [{ "id": line, "quantity": "1" }], "reason": "bruised" });
    let returned = status(&client, in_cash, &back).ok(201);
    assert_eq!((&returned["type"], &returned["totalAmount"]), (&json!("return"), &json!(260)));
    assert_eq!(returned["originalId"], in_cash.to_string());
    assert_eq!(client.get(&format!("{TRANSACTIONS}/{in_cash}")).ok(200)["status"], "partiallyRefunded");
    let too_much = json!({ "status": "refunded", "items": [{ "id": line, "quantity": "2" }] });
    assert_eq!(status(&client, in_cash, &too_much).refused(422), "refund-too-much");
    assert_eq!(
        status(&client, by_card, &json!({ "status": "voided", "reason": "wrong till" })).ok(200)["status"],
        "voided"
    );
    assert_eq!(status(&client, by_card, &json!({ "status": "voided" })).refused(409), "illegal-transition");
    assert_eq!(stock(&client), "6.000");
    let causes: Vec<String> = client
        .list("/api/v1/inventory/apple/movements", 2)
        .iter()
        .map(|moved| {
            format!("{} {}", moved["cause"].as_str().unwrap(), moved["quantityChange"].as_str().unwrap())
        })
        .collect();
    let expected = [
        "void 1.000",
        "return 1.000",
        "sale -1.000",
        "sale -2.000",
        "sale -1.000",
        "sale -2.000",
        "adjustment 10.000",
    ];
    assert_eq!(causes, expected);
    assert_eq!(
        client.get(&format!("{TRANSACTIONS}?receiptNumber=01-000003")).ok(200)["items"][0]["id"],
        split.to_string()
    );
    assert_eq!(client.list(&format!("{TRANSACTIONS}?status=voided"), 1).len(), 1);

    close_the_day(&client, shift);
    read_the_report(&client);
    let names = follow(&mut events, "shiftClosed");
    for name in [
        "productsPut",
        "stockAdjusted",
        "shiftOpened",
        "customerPut",
        "saleSold",
        "stockLow",
        "saleOpened",
        "saleLineVoided",
        "saleSuspended",
        "saleResumed",
        "saleCompleted",
        "saleCancelled",
        "saleRefunded",
        "saleVoided",
        "cashMoved",
    ] {
        assert!(names.iter().any(|(_, seen)| seen == name), "no event {name} in {names:?}");
    }
    resume(&client, &begun, &names);
    let time = client.get("/api/v1/time").ok(200);
    assert_eq!((&time["timeZone"], &time["businessDate"]), (&json!("UTC"), &sold["businessDate"]));
    assert_eq!(client.get("/api/v1/store").ok(200)["terminals"], json!(["till-1"]));
    assert!(client.get("/metrics").text().contains("tillbox_"));
    assert_eq!(client.get("/livez").status, 200);
    compare_with_the_document(&client);
    daemon.stop();
    place.verify();
}
