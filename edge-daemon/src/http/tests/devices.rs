//! Devices over HTTP, without anybody who drives them.

use serde_json::json;

use super::Counter;

const DEVICES: &str = "/api/v1/devices";

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_listed_claimed_and_disabled() {
    let counter = Counter::open();
    let all = counter.get(DEVICES).await.expect(200);
    let classes: Vec<_> = all["items"].as_array().unwrap().iter().map(|device| &device["class"]).collect();
    assert!(classes.contains(&&json!("Scanner")) && classes.contains(&&json!("POSPrinter")), "{classes:?}");
    counter.get(&format!("{DEVICES}/none")).await.expect_problem(404, "no-such-device");

    let at = |action: &str| format!("{DEVICES}/scanner-2/{action}");
    let (mine, other) = (r#"{"terminalId":"till-2","addsToSale":true}"#, r#"{"terminalId":"till-3"}"#);
    let claimed = counter.post("a", &at("claim"), mine).await.expect(200);
    assert_eq!((&claimed["claimedBy"], &claimed["addsToSale"]), (&json!("till-2"), &json!(true)));
    counter.post("b", &at("claim"), other).await.expect_problem(409, "claimed");
    counter.post("c", &at("release"), other).await.expect_problem(409, "claimed");
    let bad = r#"{"terminalId":""}"#;
    counter.post("d", &at("claim"), bad).await.expect_problem(422, "bad-text");
    let printer = format!("{DEVICES}/receipts/claim");
    counter.post("e", &printer, mine).await.expect_problem(422, "wrong-class");
    assert_eq!(counter.post("f", &at("disable"), "").await.expect(200)["state"], "disabled");
    assert_eq!(counter.post("g", &at("enable"), "").await.expect(200)["enabled"], true);
    assert_eq!(counter.post("h", &at("release"), mine).await.expect(200)["claimedBy"], json!(null));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_till_that_claimed_a_device_may_act_with_it() {
    let counter = Counter::open();
    let at = |device: &str, action: &str| format!("{DEVICES}/{device}/{action}");
    let open = r#"{"terminalId":"till-1","reason":"change for a customer"}"#;
    counter.post("a", &at("drawer", "open"), open).await.expect_problem(409, "unclaimed");
    counter.post("b", &at("drawer", "claim"), r#"{"terminalId":"till-1"}"#).await.expect(200);
    let asked = counter.post("c", &at("drawer", "open"), open).await.expect(202);
    assert_eq!((&asked["deviceId"], &asked["state"]), (&json!("drawer"), &json!("pending")));
    assert_eq!(counter.post("c", &at("drawer", "open"), open).await.expect(202), asked, "not once more");
    assert_eq!(counter.shop.state().opening.len(), 1);
    let empty = r#"{"terminalId":"till-1","reason":""}"#;
    counter.post("d", &at("drawer", "open"), empty).await.expect_problem(422, "bad-text");
    counter.post("e", &at("drawer", "disable"), "").await.expect(200);
    counter.post("f", &at("drawer", "open"), open).await.expect_problem(409, "disabled");
    counter.post("g", &at("drawer", "release"), r#"{"terminalId":"till-1"}"#).await.expect(200);
    assert_eq!(counter.post("c", &at("drawer", "open"), open).await.expect(202), asked, "it was carried out");
    counter.post("h", &at("drawer", "open"), open).await.expect_problem(409, "unclaimed");
    counter
        .post("g", &at("scanner-1", "weigh"), r#"{"terminalId":"till-1"}"#)
        .await
        .expect_problem(422, "wrong-class");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn sheets_that_are_not_on_paper_are_listed_and_settled_once() {
    let counter = Counter::open();
    let test = format!("{DEVICES}/receipts/test");
    let job = counter.post("a", &test, "").await.expect(202);
    assert_eq!((&job["transactionId"], &job["printer"]), (&json!(null), &json!("receipts")));
    let listed = counter.get("/api/v1/print-jobs").await.expect(200);
    assert_eq!(
        (&listed["items"][0]["state"], &listed["items"][0]["sheet"]),
        (&json!("pending"), &json!("test"))
    );
    let at = |action: &str| format!("/api/v1/print-jobs/{}/{action}", job["id"].as_str().unwrap());
    let detail = "no paper".to_owned();
    let id = job["id"].as_str().unwrap().parse().unwrap();
    let end = pos_domain::command::Command::EndPrint {
        job: id,
        outcome: pos_domain::event::PrintOutcome::NotPrinted,
        detail,
    };
    counter.shop.submit(None, end, crate::checkout::Origin::default()).await.unwrap();
    let retried = counter.post("c", &at("retry"), "{}").await.expect(202);
    assert_ne!(retried["id"], job["id"]);
    assert_eq!(counter.post("c", &at("retry"), "{}").await.expect(202), retried, "answered again");
    counter.post("d", &at("retry"), "{}").await.expect_problem(409, "job-settled");
    counter.post("e", &at("cancel"), "").await.expect_problem(409, "job-settled");
    let elsewhere = r#"{"printer":"none"}"#;
    counter.post("f", &at("retry"), elsewhere).await.expect_problem(404, "no-such-device");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_configured_over_the_interface_and_never_out_of_dev() {
    let counter = Counter::open();
    let at = |id: &str| format!("{DEVICES}/{id}");
    let scanner = r#"{"section":"scanner","settings":{"port":"serial:/dev/ttyS9","adds_to_sale":true}}"#;
    let put = counter.put("a", &at("scanner-9"), scanner).await.expect(200);
    assert_eq!((&put["section"], &put["settings"]["adds_to_sale"]), (&json!("scanner"), &json!("true")));
    assert_eq!(counter.put("a", &at("scanner-9"), scanner).await.expect(200), put);
    assert_eq!(counter.shop.state().devices.len(), 1);
    counter.put("b", &at("scanner-1"), scanner).await.expect_problem(409, "device-in-file");
    counter.put("c", &at("No%20Name"), scanner).await.expect_problem(422, "bad-device-id");
    for settings in [
        r#"{"port":"serial:/etc/passwd"}"#,
        r#"{"port":"serial:/dev/../etc/passwd"}"#,
        r#"{"port":"serial:/dev/watchdog"}"#,
        r#"{"port":"virtual"}"#,
        r#"{"port":"serial:/dev/ttyS9","line":"fast"}"#,
        r#"{"port":"serial:/dev/ttyS9","baud":9600}"#,
        r#"{}"#,
    ] {
        let body = format!(r#"{{"section":"scanner","settings":{settings}}}"#);
        counter.put("d", &at("scanner-8"), body).await.expect_problem(422, "bad-device");
    }
    let printer = r#"{"section":"printer","settings":{"port":"usb:/var/lib/tillbox/keys"}}"#;
    counter.put("e", &at("printer-9"), printer).await.expect_problem(422, "bad-device");
    let drawer = r#"{"section":"drawer","settings":{"port":"printer:none"}}"#;
    counter.put("i", &at("drawer-9"), drawer).await.expect_problem(422, "bad-device");
    let second = r#"{"section":"drawer","settings":{"port":"printer:receipts"}}"#;
    counter.put("j", &at("drawer-9"), second).await.expect_problem(422, "bad-device");
    let logo = r#"{"section":"printer","settings":{"port":"tcp:10.0.0.7","logo":"/etc/passwd"}}"#;
    counter.put("f", &at("printer-9"), logo).await.expect_problem(422, "bad-device");
    assert_eq!(counter.delete(&at("scanner-9")).await.status, 204);
    counter.delete(&at("scanner-9")).await.expect_problem(404, "no-such-device");
    assert!(counter.shop.state().devices.is_empty());
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controllers_key_is_taken_where_there_is_a_controller() {
    let counter = Counter::open();
    let at = |device: &str| format!("{DEVICES}/{device}/controller-key");
    let good = json!({"key": "0001 ".repeat(16)}).to_string();
    counter.put("a", &at("drawer"), good.clone()).await.expect_problem(422, "no-controller");
    counter.put("b", &at("none"), good).await.expect_problem(404, "no-such-device");
    counter.put("c", &at("drawer"), r#"{"key":"12"}"#).await.expect_problem(422, "bad-controller-key");
    let firmware = format!("{DEVICES}/drawer/firmware");
    counter.post("d", &firmware, "{}").await.expect_problem(415, "not-octets");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weight_is_what_lies_on_the_scale_less_its_tare() {
    let counter = Counter::open();
    let weigh = format!("{DEVICES}/scale/weigh");
    let plain = r#"{"terminalId":"till-1"}"#;
    counter.post("a", &weigh, plain).await.expect_problem(409, "no-weight");
    counter.app.devices.lay_on("scale", "0.475");
    assert_eq!(counter.post("b", &weigh, plain).await.expect(200)["weight"], "0.475");
    let tared = r#"{"terminalId":"till-1","tare":"0.012"}"#;
    let weighed = counter.post("c", &weigh, tared).await.expect(200);
    assert_eq!((&weighed["weight"], &weighed["tare"]), (&json!("0.463"), &json!("0.012")));
    let heavy = r#"{"terminalId":"till-1","tare":"0.475"}"#;
    counter.post("d", &weigh, heavy).await.expect_problem(409, "no-weight");
    let below = r#"{"terminalId":"till-1","tare":"-1"}"#;
    counter.post("e", &weigh, below).await.expect_problem(422, "bad-quantity");
    counter.post("f", &weigh, r#"{"terminalId":"till-2"}"#).await.expect_problem(409, "claimed");
    counter.close();
}
