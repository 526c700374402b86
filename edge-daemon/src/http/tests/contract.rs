//! What holds for every operation: the document, problems, keys.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::super::{document, health};
use super::{Answer, Counter, change};

/// The contract's operations. The document is made from the routed handlers, so it is the list of routes.
const OPERATIONS: &str = "
    GET /api/v1/categories
    GET /api/v1/cloud
    POST /api/v1/cloud/pause
    POST /api/v1/cloud/resume
    GET /api/v1/customers
    POST /api/v1/customers
    DELETE /api/v1/customers/{id}
    GET /api/v1/customers/{id}
    PUT /api/v1/customers/{id}
    GET /api/v1/customers/{id}/export
    GET /api/v1/customers/{id}/transactions
    GET /api/v1/device-ports
    GET /api/v1/devices
    DELETE /api/v1/devices/{id}
    GET /api/v1/devices/{id}
    PUT /api/v1/devices/{id}/controller-key
    POST /api/v1/devices/{id}/firmware
    PUT /api/v1/devices/{id}
    POST /api/v1/devices/{id}/claim
    POST /api/v1/devices/{id}/disable
    POST /api/v1/devices/{id}/display
    POST /api/v1/devices/{id}/enable
    POST /api/v1/devices/{id}/open
    POST /api/v1/devices/{id}/print
    POST /api/v1/devices/{id}/release
    POST /api/v1/devices/{id}/test
    POST /api/v1/devices/{id}/weigh
    POST /api/v1/devices/{id}/zero
    GET /api/v1/events
    POST /api/v1/inventory/adjustments
    GET /api/v1/inventory/low-stock
    GET /api/v1/inventory/{sku}
    GET /api/v1/inventory/{sku}/movements
    POST /api/v1/payments/process
    GET /api/v1/print-jobs
    POST /api/v1/print-jobs/{id}/cancel
    POST /api/v1/print-jobs/{id}/retry
    GET /api/v1/products
    GET /api/v1/products/{sku}
    PUT /api/v1/products/{sku}
    GET /api/v1/reports/sales/daily
    GET /api/v1/reports/z
    GET /api/v1/shifts
    POST /api/v1/shifts
    POST /api/v1/shifts/{id}/close
    POST /api/v1/shifts/{id}/movements
    GET /api/v1/shifts/{id}/x
    GET /api/v1/store
    GET /api/v1/time
    GET /api/v1/transactions
    POST /api/v1/transactions
    GET /api/v1/transactions/{id}
    POST /api/v1/transactions/{id}/items
    DELETE /api/v1/transactions/{id}/items/{itemId}
    GET /api/v1/transactions/{id}/receipt
    POST /api/v1/transactions/{id}/reprint
    PUT /api/v1/transactions/{id}/status
    GET /livez
    GET /metrics
    GET /readyz
";

fn described(document: &serde_json::Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_the_routes_are_the_contract() {
    let counter = Counter::open();
    let document = counter.get("/api/v1/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let contract: BTreeSet<String> =
        OPERATIONS.lines().map(str::trim).filter(|l| !l.is_empty()).map(Into::into).collect();
    assert_eq!(described(&document), contract);
    for operation in &contract {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.replace("{sku}", "PEN").replace("{id}", ID).replace("{itemId}", ID);
        if path.ends_with("/events") {
            continue;
        }
        let answer =
            counter.send(Request::builder().method(method).uri(&path).body(Body::empty()).unwrap()).await;
        let text = answer.text();
        assert!(!text.contains("no-such-address") && answer.status != 405, "{operation}: {text}");
    }
    // And the other way round: what is routed besides the described operations are pages.
    let (routed, _) = document::described().split_for_parts();
    let routed = format!("{routed:?}");
    let addresses: BTreeSet<&str> =
        contract.iter().filter_map(|operation| operation.split(' ').nth(1)).collect();
    let own = |path: &&str| path.len() > 1 && path.starts_with('/') && !path.contains("__private__axum");
    for quoted in routed.split('"').filter(own) {
        assert!(addresses.contains(quoted), "{quoted} is routed but not described");
    }
    assert!(routed.contains("/api/v1/shifts/{id}/close"), "the router shows its paths");
    counter.close();
}

const ID: &str = "0197a1b2-0000-7000-8000-00000000abcd";

#[tokio::test(flavor = "multi_thread")]
async fn the_document_leaves_nothing_open() {
    let counter = Counter::open();
    let document = counter.get("/api/v1/openapi.json").await.expect(200);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in document.to_string().split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to but not described");
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} says nothing");
            let changes = matches!(method.as_str(), "post" | "put");
            let keyed = operation["parameters"].to_string().contains("Idempotency-Key");
            assert!(!changes || keyed, "{method} {path} does not speak of its key");
        }
    }
    assert!(
        document["paths"]["/api/v1/transactions/{id}/status"]["put"]["description"]
            .to_string()
            .contains("suspended")
    );
    assert_eq!(counter.get("/docs/").await.status, 200);
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_a_problem() {
    let counter = Counter::open();
    counter.get("/api/v1/nothing").await.expect_problem(404, "no-such-address");
    counter.delete("/api/v1/store").await.expect_problem(405, "no-such-method");
    counter.get("/api/v1/transactions/5").await.expect_problem(400, "malformed-address");
    counter.get("/api/v1/products/%FF%FE").await.expect_problem(400, "malformed-address");
    counter.get("/api/v1/transactions?limit=501").await.expect_problem(400, "bad-limit");
    counter.get("/api/v1/transactions?state=open").await.expect_problem(400, "malformed-query");
    counter.get("/api/v1/transactions?date=2026-02-30").await.expect_problem(400, "malformed-query");
    counter.get("/api/v1/transactions?cursor=zz").await.expect_problem(400, "bad-cursor");
    counter.get("/api/v1/products?cursor=zz").await.expect_problem(400, "bad-cursor");
    counter.get("/api/v1/products/NONE").await.expect_problem(404, "no-such-product");
    counter.get(&format!("/api/v1/transactions/{ID}")).await.expect_problem(404, "no-such-transaction");
    counter.get(&format!("/api/v1/shifts/{ID}/x")).await.expect_problem(404, "no-such-shift");
    counter.get("/api/v1/reports/sales/daily?storeId=other").await.expect_problem(404, "no-such-store");
    let sales = "/api/v1/transactions";
    counter.post("k", sales, "{").await.expect_problem(400, "malformed-json");
    counter.post("k", sales, &b"{\"terminalId\":\"\xff\"}"[..]).await.expect_problem(400, "malformed-json");
    counter.post("k", sales, r#"{"terminalId":5}"#).await.expect_problem(400, "wrong-shape");
    let both = r#"{"terminalId":"t","items":[{"sku":"PEN"},{"sku":"PEN","barcode":"1"}]}"#;
    let answer = counter.post("k", sales, both).await;
    answer.expect_problem(400, "item-needs-code");
    assert_eq!(answer.json()["field"], "items[1]");
    let many = format!(r#"{{"terminalId":"t","items":[{}]}}"#, [r#"{"sku":"PEN"}"#; 10_000].join(","));
    counter.post("k", sales, many).await.expect_problem(422, "too-many-items");
    for quantity in ["0", "-1", "100000", "18446744073709551615", "\"-0.001\""] {
        let sale = format!(r#"{{"terminalId":"t","items":[{{"sku":"PEN","quantity":{quantity}}}]}}"#);
        counter.post("k", sales, sale).await.expect_problem(422, "bad-quantity");
    }
    counter.post("k", sales, " ".repeat(2 * 1024 * 1024)).await.expect_problem(413, "body-too-large");
    let bare = Request::post(sales).header("content-type", "application/json");
    counter
        .send(bare.body(Body::from(r#"{"terminalId":"t"}"#)).unwrap())
        .await
        .expect_problem(400, "idempotency-key-missing");
    let form = Request::post(sales).header("content-type", "application/x-www-form-urlencoded");
    counter.send(form.body(Body::from("a=b")).unwrap()).await.expect_problem(415, "not-json");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_can_neither_sell_nor_pose_as_the_box() {
    let counter = Counter::open();
    let sales = "/api/v1/transactions";
    let from = |site: &'static str, host: &'static str| {
        let request = change("POST", "k", sales).header("host", host).header("origin", site);
        counter.send(request.body(Body::from(r#"{"terminalId":"t"}"#)).unwrap())
    };
    from("https://evil.example", "127.0.0.1:8480").await.expect_problem(403, "other-site");
    from("http://evil.example:8480", "evil.example:8480").await.expect_problem(421, "other-host");
    // What `fetch` sends with no-cors: a body of no type, its id standing in for the key.
    let blob = Body::from(r#"{"id":"0197a1b2-0000-7000-8000-000000000001","terminalId":"t"}"#);
    let request = Request::post(sales).header("host", "127.0.0.1:8480").body(blob).unwrap();
    counter.send(request).await.expect_problem(415, "not-json");
    let rebound = Request::get("/api/v1/store").header("host", "evil.example:8480");
    counter.send(rebound.body(Body::empty()).unwrap()).await.expect_problem(421, "other-host");
    assert_eq!(counter.get(sales).await.expect(200)["items"], serde_json::json!([]));
    from("http://127.0.0.1:8480", "127.0.0.1:8480").await.expect(201);
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_request() {
    let counter = Counter::open();
    let first = counter.post("k", "/api/v1/transactions", r#"{"terminalId":"t"}"#).await;
    first.expect(201);
    counter
        .post("k", "/api/v1/transactions", r#"{"terminalId":"u"}"#)
        .await
        .expect_problem(422, "key-reused");
    counter.put("k", "/api/v1/products/PEN", r#"{"price":1}"#).await.expect_problem(422, "key-reused");
    // A refusal is not remembered: the same key may succeed later.
    let pencil = r#"{"terminalId":"t","items":[{"sku":"PENCIL"}]}"#;
    counter.post("p", "/api/v1/transactions", pencil).await.expect_problem(422, "unknown-product");
    let new = r#"{"name":"Pencil","price":90,"taxClass":"standard"}"#;
    counter.put("q", "/api/v1/products/PENCIL", new).await.expect(201);
    counter.post("p", "/api/v1/transactions", pencil).await.expect(201);
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_may_insist_on_a_version() {
    let counter = Counter::open();
    let tag = counter.get("/api/v1/products/PEN").await.header("etag").to_owned();
    let edit = |key: &'static str, tag: String, price: i64| {
        let request = change("PUT", key, "/api/v1/products/PEN").header("if-match", tag);
        counter.send(request.body(Body::from(format!("{{\"price\":{price}}}"))).unwrap())
    };
    let changed = edit("1", tag.clone(), 275).await;
    assert_eq!(changed.expect(200)["price"], 275);
    edit("2", tag, 280).await.expect_problem(412, "stale");
    let same = edit("3", changed.header("etag").to_owned(), 275).await;
    assert_eq!(same.expect(200)["version"], 2);
    edit("4", same.header("etag").to_owned(), 290).await.expect(200);
    // Its reply was lost, say: asked again it changes nothing back.
    let again = edit("3", changed.header("etag").to_owned(), 275).await;
    assert_eq!((again.expect(200), again.header("etag")), (same.expect(200), same.header("etag")));
    assert_eq!(counter.get("/api/v1/products/PEN").await.expect(200)["price"], 290);
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_box_says_how_it_is() {
    let counter = Counter::open();
    assert_eq!(counter.get("/livez").await.status, 200);
    assert_eq!(counter.get("/readyz").await.expect(200)["ready"], true);
    counter.get("/api/v1/products/PEN").await.expect(200);
    let figures = counter.get("/metrics").await.text();
    for line in [
        "tillbox_http_requests_total{method=\"GET\",route=\"/api/v1/products/{sku}\",status=\"200\"} 1\n",
        "tillbox_ready 1\n",
        "tillbox_view_lag_records ",
        "tillbox_disk_free_bytes ",
        "tillbox_commit_seconds_count ",
    ] {
        assert!(figures.contains(line), "{line} is not in {figures}");
    }
    assert!(!figures.contains("PEN"), "no address in a label");
    let page = counter.get("/").await;
    assert!(page.text().contains("/docs") && page.header("content-type").starts_with("text/html"));
    counter.close();
}

#[tokio::test]
async fn a_handler_that_breaks_is_a_problem_without_particulars() {
    async fn broken() {
        panic!("secret 42");
    }
    let router =
        axum::Router::<()>::new().route("/", get(broken)).layer(CatchPanicLayer::custom(health::panicked));
    let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap().to_vec();
    let answer = Answer { status, headers, body };
    answer.expect_problem(500, "internal-error");
    assert!(!answer.text().contains("secret"));
}
