//! The demo on its own.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use device_drivers::{PosPrinter, Profile};
use pos_domain::receipt::{Block, Document};
use tower::ServiceExt as _;

use super::*;
use crate::config::{Config, Flags};

#[test]
fn the_folder_has_a_configuration_that_is_good_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::at(&dir.path().join("new/shop")).unwrap();
    let config = Config::load(&place.config, &Flags::default()).unwrap();
    assert_eq!(config.data.dir, place.dir);
    std::fs::write(&place.config, "# mine").unwrap();
    assert_eq!(Place::at(&place.dir).unwrap(), place);
    assert_eq!(std::fs::read_to_string(&place.config).unwrap(), "# mine");
}

async fn get(pages: &axum::Router, path: &str) -> (StatusCode, String, String) {
    let reply = pages.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let kind = reply.headers().get(header::CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let status = reply.status();
    let body = axum::body::to_bytes(reply.into_body(), 1 << 20).await.unwrap();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

async fn post(pages: &axum::Router, path: &str, json: &str) -> StatusCode {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    pages.clone().oneshot(request.body(Body::from(json.to_owned())).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn the_counter_shows_paper_and_its_devices_can_be_used_and_broken() {
    let dir = tempfile::tempdir().unwrap();
    let mut config =
        Config::read(Some(("demo.toml", CONFIG)), std::iter::empty(), &Flags::default()).unwrap();
    let counter = Arc::new(VirtualCounter::plug(&mut config.devices, dir.path()).await.unwrap());
    assert!(config.devices.iter().all(|device| !device.is_virtual()), "all are plugged in");
    let pages = axum::Router::new().nest_service("/counter", counter_pages(counter.clone()));
    let (_, kind, page) = get(&pages, "/counter").await;
    assert!(kind.starts_with("text/html") && page.contains("Counter"));

    let printer = counter.printers["receipts"].clone();
    let document: Document = [Block::row("Crème fraîche", "1.49"), Block::Cut].into_iter().collect();
    let driver =
        PosPrinter::new(printer.address(), Profile::epson_80_mm(), device_drivers::Patience::default());
    driver.print(&document).await;
    let (_, _, state) = get(&pages, "/counter/state").await;
    assert!(state.contains("\"id\":\"receipts\",\"receipts\":[1]"), "{state}");
    let (status, kind, svg) = get(&pages, "/counter/printers/receipts/receipts/1.svg").await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "image/svg+xml"));
    assert!(svg.contains("Crème"), "{svg}");
    for (path, expected) in [
        ("receipts/receipts/2.svg", StatusCode::NOT_FOUND),
        ("receipts/receipts/uncut.svg", StatusCode::OK),
        ("none/receipts/1.svg", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(get(&pages, &format!("/counter/printers/{path}")).await.0, expected, "{path}");
    }
    let switched = post(&pages, "/counter/printers/receipts/faults", "{\"paperOut\":true}").await;
    assert_eq!(switched, StatusCode::NO_CONTENT);
    assert!(printer.faults().paper_out && !printer.faults().silent);
    assert_eq!(post(&pages, "/counter/drawers/drawer", "{\"open\":true}").await, StatusCode::NO_CONTENT);
    assert!(printer.drawer_open());

    let path = counter.scanners["scanner-1"].path.clone();
    let mut scanner = device_drivers::SerialScanner::new(path).open().unwrap();
    assert_eq!(
        post(&pages, "/counter/scanners/scanner-1", "{\"code\":\"96385074\"}").await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(scanner.next().await.unwrap(), "96385074");
    assert_eq!(
        post(&pages, "/counter/scanners/scanner-1", "{\"code\":\"a\\rb\"}").await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    post(&pages, "/counter/scanners/scanner-1", "{\"plugged\":false}").await;
    assert!(scanner.next().await.is_err());
    assert_eq!(post(&pages, "/counter/scanners/scanner-1", "{\"code\":\"1\"}").await, StatusCode::CONFLICT);

    assert_eq!(post(&pages, "/counter/scales/scale", "{\"load\":475}").await, StatusCode::NO_CONTENT);
    assert!(get(&pages, "/counter/state").await.2.contains("\"shown\":475"));
}
