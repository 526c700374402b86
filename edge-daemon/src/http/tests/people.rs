//! Customers through the router: found while they are there, gone when they are erased.

use serde_json::{Value, json};

use super::Counter;

const ADA: &str = r#"{"id":"0197a1b2-0000-7000-8000-0000000000c1","firstName":"Ada","lastName":"Lovelace",
    "email":"Ada@Example.org","phone":"+44 20 7946 0000","address":"12 St James's Square","consent":"newsletter"}"#;
const PATH: &str = "/api/v1/customers/0197a1b2-0000-7000-8000-0000000000c1";

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_made_found_changed_and_forgotten() {
    let counter = Counter::open();
    let made = counter.post("a", "/api/v1/customers", ADA).await;
    let view = made.expect(201);
    assert_eq!(
        (&view["firstName"], &view["loyaltyPoints"], &view["version"]),
        (&json!("Ada"), &json!(0), &json!(1))
    );
    assert_eq!(counter.post("a", "/api/v1/customers", ADA).await.body, made.body);
    counter.post("b", "/api/v1/customers", ADA).await.expect_problem(409, "customer-exists");
    let found = async |query: &'static str| {
        let found = counter.get(&format!("/api/v1/customers?{query}")).await.expect(200);
        found["items"].as_array().map(Vec::len)
    };
    assert_eq!(found("email=%20ada@EXAMPLE.org").await, Some(1));
    assert_eq!(found("phone=%2B442079460000").await, Some(1));
    assert_eq!(found("email=ada@example.org&phone=%2B44-20-7946-0000").await, Some(1));
    assert_eq!(found("email=ada@example.org&phone=12345").await, Some(0));
    assert_eq!(found("email=nobody@example.org").await, Some(0));
    counter.get("/api/v1/customers").await.expect_problem(400, "whom");
    let sale = json!({"terminalId": "t", "customerId": view["id"], "reason": "Ada's birthday",
        "items": [{"sku": "PEN", "quantity": 4}], "tenders": [{"method": "card", "amount": 1000}]});
    let sold = counter.post("c", "/api/v1/transactions", sale.to_string()).await.expect(201);
    let points = sold["loyaltyPoints"].as_i64().unwrap();
    assert!(points > 0);
    assert_eq!(counter.get(PATH).await.expect(200)["loyaltyPoints"], points);
    let put = r#"{"firstName":"Ada","lastName":"King","email":"ada@king.example"}"#;
    let changed = counter.put("d", PATH, put).await;
    assert_eq!((&changed.expect(200)["lastName"], changed.header("etag")), (&json!("King"), "\"2\""));
    assert_eq!(found("email=ada@example.org").await, Some(0));
    let export = counter.get(&format!("{PATH}/export")).await.expect(200);
    assert_eq!(export["customer"]["lastName"], "King");
    assert_eq!(export["transactions"][0]["reason"], "Ada's birthday");
    assert_eq!(counter.get(&format!("{PATH}/transactions")).await.expect(200)["items"][0]["id"], sold["id"]);

    assert_eq!(counter.delete(PATH).await.status, 204);
    assert_eq!(counter.delete(PATH).await.status, 204, "asking twice is no error");
    for path in ["", "/export", "/transactions"] {
        counter.get(&format!("{PATH}{path}")).await.expect_problem(410, "customer-erased");
    }
    counter.post("a", "/api/v1/customers", ADA).await.expect_problem(410, "customer-erased");
    counter.put("e", PATH, put).await.expect_problem(410, "customer-erased");
    assert_eq!(found("email=ada@king.example").await, Some(0));
    // The sale stands; its reason, which was about the person, went with the key.
    let read =
        counter.get(&format!("/api/v1/transactions/{}", sold["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&read["totalAmount"], read.get("reason")), (&json!(1000), None::<&Value>));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_lies_open_in_the_folder() {
    let counter = Counter::open();
    counter.post("a", "/api/v1/customers", ADA).await.expect(201);
    let sale = r#"{"terminalId":"t","customerId":"0197a1b2-0000-7000-8000-0000000000c1","reason":"Lovelace called",
        "items":[{"sku":"PEN","reason":"Lovelace likes it"}],"tenders":[{"method":"cash","amount":250}]}"#;
    counter.post("b", "/api/v1/transactions", sale).await.expect(201);
    let note = r#"{"sku":"PEN","quantityChange":-1,"reason":"damage","note":"Lovelace dropped it"}"#;
    counter.post("c", "/api/v1/inventory/adjustments", note).await.expect(201);
    let folder = counter.close();
    let (mut files, mut waiting) = (0, vec![folder.path().to_owned()]);
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&path).unwrap();
        for secret in ["Lovelace", "Example.org", "example.org", "7946", "James"] {
            let open = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!open, "{secret} stands in {}", path.display());
        }
    }
    assert!(files > 2, "there was something to look at");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_customer_is_refused() {
    let counter = Counter::open();
    for (body, status, code) in [
        (r#"{"firstName":"A"}"#, 400, "wrong-shape"),
        (r#"{"firstName":"","lastName":"B"}"#, 422, "bad-text"),
        (r#"{"firstName":"A","lastName":"B","email":"nobody"}"#, 422, "bad-email"),
        (r#"{"firstName":"A","lastName":"B","phone":"x"}"#, 422, "bad-phone"),
        (r#"{"firstName":"A","lastName":"B","age":5}"#, 400, "wrong-shape"),
    ] {
        counter.post("k", "/api/v1/customers", body).await.expect_problem(status, code);
    }
    counter
        .put("k", PATH, r#"{"firstName":"A","lastName":"B"}"#)
        .await
        .expect_problem(404, "no-such-customer");
    counter.get(PATH).await.expect_problem(404, "no-such-customer");
    counter.delete(PATH).await.expect_problem(404, "no-such-customer");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_share_an_address_are_found() {
    let counter = Counter::open();
    let person = |name: &str, email: &str| {
        json!({"firstName": name, "lastName": "Lovelace", "email": email, "phone": "+44 20 7946 0000"})
            .to_string()
    };
    let mut ids = Vec::new();
    for (key, name, email) in [
        ("a", "Ada", "ada@example.org"),
        ("b", "Byron", "home@example.org"),
        ("c", "Anne", "home@example.org"),
    ] {
        let made = counter.post(key, "/api/v1/customers", person(name, email)).await.expect(201);
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let found = async |query: &'static str| {
        let found = counter.get(&format!("/api/v1/customers?{query}")).await.expect(200);
        let names = found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["firstName"].as_str().unwrap().to_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("phone=%2B442079460000").await, "Ada Anne Byron");
    assert_eq!(found("email=home@example.org").await, "Anne Byron");
    assert_eq!(found("email=ada@example.org&phone=%2B442079460000").await, "Ada");
    assert_eq!(found("email=ada@example.org&phone=x").await, "");
    assert_eq!(counter.delete(&format!("/api/v1/customers/{}", ids[2])).await.status, 204);
    assert_eq!(found("email=home@example.org").await, "Byron", "who is left is found all the same");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_or_comes_again_leaves_no_key_behind() {
    let counter = Counter::open();
    let keys = || {
        let file = std::fs::read(counter.folder.path().join("keys/persons.keys")).unwrap();
        file.chunks(64).skip(1).filter(|slot| slot.iter().any(|byte| *byte != 0)).count()
    };
    let before = keys();
    let long = json!({"firstName": "A", "lastName": "B", "consent": "x".repeat(201)}).to_string();
    for key in ["a", "b", "c"] {
        counter.post(key, "/api/v1/customers", long.clone()).await.expect_problem(422, "bad-text");
    }
    assert_eq!(keys(), before);
    let made = counter.post("k", "/api/v1/customers", r#"{"firstName":"A","lastName":"B"}"#).await;
    for _ in 0..3 {
        let again = counter.post("k", "/api/v1/customers", r#"{"firstName":"A","lastName":"B"}"#).await;
        assert_eq!((again.status, &again.body), (201, &made.body));
        let other = r#"{"firstName":"A","lastName":"C"}"#;
        counter.post("k", "/api/v1/customers", other).await.expect_problem(422, "key-reused");
    }
    assert_eq!(keys(), before + 1, "one person, one key");
    counter.close();
}
