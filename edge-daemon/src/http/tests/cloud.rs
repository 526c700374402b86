//! The way to head office over HTTP, with nobody at its other end.

use std::time::Duration;

use cloud_trial::{Authority, Identity};
use serde_json::json;

use super::super::{HttpOptions, routes};
use super::Counter;
use crate::cloud::Cloud;
use crate::config::CloudConfig;
use crate::peripherals::Devices;

const CLOUD: &str = "/api/v1/cloud";

#[tokio::test(flavor = "multi_thread")]
async fn a_box_without_a_broker_says_so() {
    let counter = Counter::open();
    let view = counter.get(CLOUD).await.expect(200);
    assert_eq!(
        (&view["configured"], &view["broker"], &view["depth"]),
        (&json!(false), &json!(null), &json!(0))
    );
    counter.post("a", &format!("{CLOUD}/pause"), "").await.expect_problem(409, "no-cloud");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_head_office_is_told_and_raises_an_alarm() {
    let mut counter = Counter::open();
    let folder = tempfile::tempdir().unwrap();
    let identity = Authority::new(folder.path()).unwrap().identity("box", "acme/main/box-1").unwrap();
    let Identity { authority, certificate, key } = identity;
    let config = CloudConfig {
        // Nobody listens there.
        broker: ("127.0.0.1".into(), 9),
        authority,
        certificate,
        key,
        compress: true,
        alarm_after: Duration::ZERO,
        alarm_bytes: 1 << 30,
    };
    let (cloud, uplink) = Cloud::start(&counter.shop, &config, "", &Devices::none(), folder.path()).unwrap();
    counter.app.cloud = cloud.clone();
    counter.router = routes(counter.app.clone(), &HttpOptions::default());

    let paused = counter.post("a", &format!("{CLOUD}/pause"), "").await.expect(200);
    assert_eq!((&paused["paused"], &paused["broker"]), (&json!(true), &json!("127.0.0.1:9")));
    while !cloud.condition().unwrap().paused {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let view = counter.get(CLOUD).await.expect(200);
    let records = counter.shop.head().unwrap().position.seq;
    assert_eq!(
        (&view["depth"], &view["connected"], &view["acknowledged"]),
        (&json!(records), &json!(false), &json!(null))
    );
    let alarm = view["alarms"][0].as_str().unwrap();
    assert!(alarm.contains("head office lacks records") && alarm.contains("sending is paused"), "{alarm}");
    let ready = counter.get("/readyz").await.expect(200);
    assert_eq!((&ready["ready"], &ready["alarms"]), (&json!(true), &json!([alarm])), "it sells on");
    let metrics = counter.get("/metrics").await.text();
    for line in [format!("tillbox_cloud_depth_records {records}"), "tillbox_cloud_connected 0".into()] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    assert_eq!(counter.post("b", &format!("{CLOUD}/resume"), "").await.expect(200)["paused"], false);
    uplink.stop().await;
    counter.close();
}
