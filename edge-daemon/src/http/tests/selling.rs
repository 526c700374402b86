//! Sales, products, stock, shifts and reports through the router.

use serde_json::{Value, json};

use super::Counter;

const SALES: &str = "/api/v1/transactions";

fn sum(rows: &Value, field: &str) -> i64 {
    rows.as_array().unwrap().iter().map(|row| row[field].as_i64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_sale_is_answered_with_the_same_bytes_for_ever() {
    let counter = Counter::open();
    let sale = r#"{"id":"0197a1b2-0000-7000-8000-000000000001","terminalId":"till-1","reason":"regular",
        "items":[{"sku":"PEN","quantity":"2","discount":{"percent":"10"}}],"tenders":[{"method":"cash","amount":1000}]}"#;
    let first = counter.post("k", SALES, sale).await;
    let view = first.expect(201);
    assert_eq!(
        (&view["status"], &view["totalAmount"], &view["changeAmount"]),
        (&json!("completed"), &json!(450), &json!(550))
    );
    assert_eq!(sum(&view["items"], "totalAmount"), 450);
    // Whatever happens afterwards:
    counter.put("p", "/api/v1/products/PEN", r#"{"price":999,"name":"Stylo"}"#).await.expect(200);
    let id = view["id"].as_str().unwrap();
    let refund = r#"{"status":"refunded","reason":"broken"}"#;
    counter.put("r", &format!("{SALES}/{id}/status"), refund).await.expect(201);
    let again = counter.post("k", SALES, sale).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("tillbox-position"), first.header("tillbox-position"));
    let other_key = counter.post("other", SALES, sale).await;
    assert_eq!((other_key.status, &other_key.body), (200, &first.body));
    let other_content = sale.replace("\"2\"", "\"3\"");
    counter.post("third", SALES, other_content).await.expect_problem(422, "duplicate-id");
    let folder = counter.close();
    std::fs::remove_dir_all(folder.path().join("views")).unwrap();
    let counter = Counter::open_in(folder);
    let again = loop {
        let again = counter.post("k", SALES, sale).await;
        // The index is being made again.
        if again.status != 503 {
            break again;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_rung_up_piece_by_piece() {
    let counter = Counter::open();
    let opened = counter.post("a", SALES, r#"{"terminalId":"till-1"}"#).await.expect(201);
    let path = format!("{SALES}/{}", opened["id"].as_str().unwrap());
    let two = r#"{"items":[{"sku":"PEN"},{"sku":"PEN","quantity":3,"reason":"gift"}]}"#;
    let rung = counter.post("b", &format!("{path}/items"), two).await.expect(201);
    assert_eq!((&rung["dueAmount"], &rung["status"]), (&json!(1000), &json!("open")));
    let first = rung["items"][0]["id"].as_str().unwrap();
    let voided = counter.delete(&format!("{path}/items/{first}")).await.expect(200);
    assert_eq!((sum(&voided["items"], "totalAmount"), sum(&voided["voidedItems"], "totalAmount")), (750, 0));
    counter.delete(&format!("{path}/items/{first}")).await.expect_problem(404, "no-such-item");
    counter
        .put("c", &format!("{path}/status"), r#"{"status":"completed"}"#)
        .await
        .expect_problem(422, "tender-too-small");
    counter.put("d", &format!("{path}/status"), r#"{"status":"suspended"}"#).await.expect(200);
    let pay = |amount: i64| {
        json!({"transactionId": opened["id"], "method": "card", "amount": amount, "reference": "r1"})
            .to_string()
    };
    counter.post("e", "/api/v1/payments/process", pay(750)).await.expect_problem(409, "illegal-transition");
    counter.put("f", &format!("{path}/status"), r#"{"status":"open"}"#).await.expect(200);
    let part = counter.post("g", "/api/v1/payments/process", pay(250)).await.expect(201);
    assert_eq!((&part["payment"]["amount"], &part["transaction"]["dueAmount"]), (&json!(250), &json!(500)));
    let whole = counter.post("h", "/api/v1/payments/process", pay(500)).await.expect(201);
    assert_eq!(whole["transaction"]["status"], "completed");
    assert_eq!(whole["payment"]["gatewayReference"], "r1");
    let read = counter.get(&path).await.expect(200);
    assert_eq!(read["items"][0]["reason"], "gift");
    let number = read["receiptNumber"].as_str().unwrap();
    let listed = counter.get(&format!("{SALES}?receiptNumber={number}&status=completed")).await.expect(200);
    assert_eq!(listed["items"][0]["id"], opened["id"]);
    let none = counter.get(&format!("{SALES}?receiptNumber={number}&status=open")).await.expect(200);
    assert_eq!(none, json!({"items": [], "nextCursor": null}));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_comes_back_in_parts_and_is_voided_only_whole() {
    let counter = Counter::open();
    let sale = r#"{"terminalId":"t","items":[{"sku":"PEN","quantity":3}],"tenders":[{"method":"cash","amount":750}]}"#;
    let sold = counter.post("a", SALES, sale).await.expect(201);
    let path = format!("{SALES}/{}/status", sold["id"].as_str().unwrap());
    let part =
        json!({"status": "refunded", "items": [{"id": sold["items"][0]["id"], "quantity": "1"}]}).to_string();
    let back = counter.put("b", &path, part.clone()).await;
    let view = back.expect(201);
    assert_eq!(
        (&view["type"], &view["originalId"], &view["totalAmount"]),
        (&json!("return"), &sold["id"], &json!(250))
    );
    assert_eq!(counter.put("b", &path, part).await.body, back.body);
    counter.put("c", &path, r#"{"status":"voided"}"#).await.expect_problem(409, "illegal-transition");
    let rest = counter.put("d", &path, r#"{"status":"refunded"}"#).await.expect(201);
    assert_eq!(rest["items"][0]["quantity"], "2.000");
    counter.put("e", &path, r#"{"status":"refunded"}"#).await.expect_problem(409, "illegal-transition");
    counter
        .put("f", &path, r#"{"status":"voided","items":[]}"#)
        .await
        .expect_problem(409, "illegal-transition");
    let wrong = json!({"status": "voided", "items": [{"id": sold["id"], "quantity": 1}]}).to_string();
    counter.put("g", &path, wrong).await.expect_problem(400, "refund-only");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_has_three_forms_and_can_be_printed_again() {
    let counter = Counter::open();
    let sale = r#"{"terminalId":"t","items":[{"sku":"PEN"}],"tenders":[{"method":"cash","amount":250}]}"#;
    let sold = counter.post("a", SALES, sale).await.expect(201);
    let path = format!("{SALES}/{}", sold["id"].as_str().unwrap());
    let text = counter.get(&format!("{path}/receipt")).await;
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    assert!(text.text().contains("Füller") && text.text().contains("2.50"));
    let narrow = counter.get(&format!("{path}/receipt?columns=32")).await.text();
    assert!(narrow.lines().all(|line| line.chars().count() <= 36), "{narrow}");
    assert_ne!(narrow, text.text());
    counter.get(&format!("{path}/receipt?columns=33")).await.expect_problem(400, "bad-columns");
    let picture = counter.get_as(&format!("{path}/receipt"), "image/svg+xml,*/*;q=0.1").await;
    assert!(picture.text().starts_with("<svg"));
    let bytes = counter.get_as(&format!("{path}/receipt"), "application/vnd.escpos").await.body;
    assert!(bytes.starts_with(&[0x1b, b'@']), "{bytes:?}");
    counter.get_as(&format!("{path}/receipt"), "application/pdf").await.expect_problem(406, "not-acceptable");
    let job = counter.post("p", &format!("{path}/reprint"), "").await.expect(202);
    assert_eq!(
        (&job["copy"], &job["printer"], &job["state"]),
        (&json!(true), &json!("receipts"), &json!("pending"))
    );
    assert_eq!(counter.post("p", &format!("{path}/reprint"), "").await.expect(202), job);
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_found_by_any_spelling() {
    let counter = Counter::open();
    let cola = r#"{"name":"Cola","price":149,"taxClass":"standard","category":"Drinks","barcode":"042100005264","lowStockAt":"2"}"#;
    counter.put("a", "/api/v1/products/COLA", cola).await.expect(201);
    // UPC-A, UPC-E, EAN-13, GTIN-14, a GS1 element string.
    for code in ["042100005264", "04252614", "0042100005264", "00042100005264", "(01)00042100005264(10)L%2F7"]
    {
        let found = counter.get(&format!("/api/v1/products/{code}")).await.expect(200);
        assert_eq!(found["sku"], "COLA", "{code}");
        assert_eq!(found["scan"]["elements"]["10"] == "L/7", code.starts_with('('), "{found}");
    }
    let ham = r#"{"name":"Ham","price":1990,"taxClass":"reduced","byWeight":true}"#;
    counter.put("b", "/api/v1/products/12345", ham).await.expect(201);
    let weighed = counter.get("/api/v1/products/2812345004758").await;
    if weighed.status == 200 {
        assert_eq!(weighed.json()["scan"]["quantity"], "0.475");
    } else {
        // The check digit is computed here so that the test does not depend on a printed label.
        let body = 281_234_500_475_u64;
        let code = format!("{body}{}", pos_domain::barcode::check_digit(body));
        let found = counter.get(&format!("/api/v1/products/{code}")).await.expect(200);
        assert_eq!(found["scan"]["quantity"], "0.475");
    }
    let listed = counter.get("/api/v1/products?q=col&category=Drinks").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let first = counter.get("/api/v1/products?limit=2").await.expect(200);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = counter.get(&format!("/api/v1/products?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 1));
    assert_eq!(second["nextCursor"], Value::Null);
    let categories = counter.get("/api/v1/categories").await.expect(200);
    assert!(categories["items"].as_array().unwrap().contains(&json!({"name": "Drinks", "productCount": 1})));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_counted_adjusted_and_explained() {
    let counter = Counter::open();
    counter.put("a", "/api/v1/products/PEN", r#"{"lowStockAt":5}"#).await.expect(200);
    let number = counter.get("/api/v1/products/PEN").await.expect(200)["id"].clone();
    let receive = json!({"productId": number, "quantityChange": 6, "reason": "receipt", "note": "from Kai"})
        .to_string();
    let adjusted = counter.post("b", "/api/v1/inventory/adjustments", receive).await;
    let view = adjusted.expect(201);
    assert_eq!((&view["quantityChange"], &view["stockQuantity"]), (&json!("6.000"), &json!("6.000")));
    assert!(!adjusted.text().contains("Kai"));
    let sale = r#"{"terminalId":"t","items":[{"sku":"PEN","quantity":"1.5"}],"tenders":[{"method":"cash","amount":375}]}"#;
    counter.post("c", SALES, sale).await.expect(201);
    assert_eq!(counter.get("/api/v1/inventory/PEN").await.expect(200)["stockQuantity"], "4.500");
    let moved = counter.get("/api/v1/inventory/PEN/movements").await.expect(200);
    let causes: Vec<_> =
        moved["items"].as_array().unwrap().iter().map(|m| (&m["cause"], &m["quantityChange"])).collect();
    assert_eq!(causes, [(&json!("sale"), &json!("-1.500")), (&json!("adjustment"), &json!("6.000"))]);
    assert_eq!(counter.get("/api/v1/inventory/low-stock").await.expect(200)["items"][0]["sku"], "PEN");
    for (body, code) in [
        (r#"{"quantityChange":1,"reason":"x"}"#, "adjustment-needs-product"),
        (r#"{"sku":"PEN","productId":1,"quantityChange":1,"reason":"x"}"#, "adjustment-needs-product"),
    ] {
        counter.post("d", "/api/v1/inventory/adjustments", body).await.expect_problem(400, code);
    }
    let unknown = r#"{"productId":"77","quantityChange":1,"reason":"x"}"#;
    counter.post("d", "/api/v1/inventory/adjustments", unknown).await.expect_problem(422, "unknown-product");
    let nothing = r#"{"sku":"PEN","quantityChange":0,"reason":"x"}"#;
    counter.post("d", "/api/v1/inventory/adjustments", nothing).await.expect_problem(422, "bad-quantity");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_ends_in_a_z_that_stays() {
    let counter = Counter::open();
    let shift = counter.post("a", "/api/v1/shifts", r#"{"terminalId":"t","float":10000}"#).await.expect(201);
    let path = format!("/api/v1/shifts/{}", shift["id"].as_str().unwrap());
    counter
        .post("b", "/api/v1/shifts", r#"{"terminalId":"t","float":1}"#)
        .await
        .expect_problem(409, "shift-open");
    let sale = r#"{"terminalId":"t","items":[{"sku":"PEN"}],"tenders":[{"method":"cash","amount":300}]}"#;
    counter.post("c", SALES, sale).await.expect(201);
    let out = r#"{"type":"paidOut","amount":500,"reason":"milk"}"#;
    let moved = counter.post("d", &format!("{path}/movements"), out).await.expect(201);
    assert_eq!((&moved["amount"], &moved["currency"]), (&json!(500), &json!("EUR")));
    counter.post("e", &format!("{path}/movements"), r#"{"type":"noSale"}"#).await.expect(201);
    counter
        .post("e2", &format!("{path}/movements"), r#"{"type":"drop"}"#)
        .await
        .expect_problem(422, "bad-amount");
    let x = counter.get(&format!("{path}/x")).await.expect(200);
    assert_eq!(
        (&x["status"], &x["expectedAmount"], &x["totals"]["noSaleCount"]),
        (&json!("open"), &json!(9750), &json!(1))
    );
    let z = counter.post("f", &format!("{path}/close"), r#"{"counted":9700}"#).await;
    let view = z.expect(201);
    assert_eq!(
        (&view["number"], &view["differenceAmount"], &view["status"]),
        (&json!(1), &json!(-50), &json!("closed"))
    );
    assert_eq!(counter.post("f", &format!("{path}/close"), r#"{"counted":9700}"#).await.body, z.body);
    assert_eq!(counter.get(&format!("{path}/x")).await.body, z.body);
    assert_eq!(counter.get("/api/v1/shifts").await.expect(200)["items"], json!([]));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_the_sum_of_the_sales() {
    let counter = Counter::open();
    for (key, quantity) in [("a", 1), ("b", 2), ("c", 4)] {
        let cash = 250 * quantity;
        let sale = json!({"terminalId": "t", "items": [{"sku": "PEN", "quantity": quantity}],
            "tenders": [{"method": "cash", "amount": cash}]});
        counter.post(key, SALES, sale.to_string()).await.expect(201);
    }
    let listed = counter.get(&format!("{SALES}?date=2026-11-23")).await.expect(200);
    let report = counter.get("/api/v1/reports/sales/daily").await.expect(200);
    assert_eq!(report["date"], "2026-11-23");
    assert_eq!(report["netAmount"], sum(&listed["items"], "totalAmount"));
    assert_eq!(report["taxAmount"], sum(&listed["items"], "taxAmount"));
    assert_eq!(report["transactionCount"], 3);
    assert_eq!(
        report["topProducts"][0],
        json!({"sku": "PEN", "name": "Füller", "quantity": "7.000", "netAmount": 1750})
    );
    assert_eq!(
        report["departments"],
        json!([{"name": "Stationery", "transactionCount": 3, "netAmount": 1750}])
    );
    let head = counter.shop.head().unwrap().position.to_string();
    assert!(report["head"].as_str().unwrap().starts_with(&format!("{head} ")));
    let sheet = counter.get_as("/api/v1/reports/sales/daily?date=2026-11-23", "text/csv").await.text();
    assert!(sheet.contains("summary,netAmount,,,,,1750\r\n"), "{sheet}");
    let empty = counter.get("/api/v1/reports/sales/daily?from=2026-11-01&to=2026-11-22").await.expect(200);
    assert_eq!((&empty["netAmount"], empty.get("date")), (&json!(0), None));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_s_z_is_the_sum_of_its_drawers() {
    let counter = Counter::open();
    for (till, cash) in [("till-1", 300), ("till-2", 500)] {
        let open = json!({"terminalId": till, "float": 10_000}).to_string();
        let shift = counter.post(&format!("open {till}"), "/api/v1/shifts", open).await.expect(201);
        let sale = json!({"terminalId": till, "items": [{"sku": "PEN"}],
            "tenders": [{"method": "cash", "amount": cash}]});
        counter.post(&format!("sell {till}"), SALES, sale.to_string()).await.expect(201);
        let z = counter.get("/api/v1/reports/z").await.expect(200);
        assert_eq!((&z["status"], z["openShifts"].as_array().unwrap().len()), (&json!("open"), 1));
        let close = format!("/api/v1/shifts/{}/close", shift["id"].as_str().unwrap());
        counter.post(&format!("close {till}"), &close, r#"{"counted":10240}"#).await.expect(201);
    }
    let z = counter.get("/api/v1/reports/z").await.expect(200);
    assert_eq!((&z["status"], z["shifts"].as_array().unwrap().len()), (&json!("closed"), 2));
    assert_eq!((&z["totals"]["saleCount"], &z["totals"]["salesAmount"]), (&json!(2), &json!(500)));
    assert_eq!((&z["expectedAmount"], &z["differenceAmount"]), (&json!(20_500), &json!(-20)));
    let none = counter.get("/api/v1/reports/z?date=2026-11-01").await.expect(200);
    assert_eq!((&none["status"], none["shifts"].as_array().unwrap().len()), (&json!("open"), 0));
    counter.close();
}
