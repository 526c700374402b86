//! The demo on its own.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use device_drivers::{PosPrinter, Profile, VirtualPrinter};
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

#[tokio::test]
async fn the_pages_show_paper_and_switch_faults() {
    let printer = VirtualPrinter::start(([127, 0, 0, 1], 0).into(), Profile::epson_80_mm()).await.unwrap();
    let printer = Arc::new(printer);
    let pages = axum::Router::new().nest_service("/printer", printer_pages(printer.clone()));
    let (_, kind, page) = get(&pages, "/printer").await;
    assert!(kind.starts_with("text/html") && page.contains("Virtual printer"));

    let document: Document = [Block::row("Crème fraîche", "1.49"), Block::Cut].into_iter().collect();
    let driver =
        PosPrinter::new(printer.address(), Profile::epson_80_mm(), device_drivers::Patience::default());
    driver.print(&document).await;
    let (_, _, state) = get(&pages, "/printer/state").await;
    assert!(state.contains("\"receipts\":[1]"), "{state}");
    let (status, kind, svg) = get(&pages, "/printer/receipts/1.svg").await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "image/svg+xml"));
    assert!(svg.contains("Crème"), "{svg}");
    assert_eq!(get(&pages, "/printer/receipts/2.svg").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&pages, "/printer/receipts/uncut.svg").await.0, StatusCode::OK);

    let switch = Request::post("/printer/faults").header(header::CONTENT_TYPE, "application/json");
    let reply = pages.clone().oneshot(switch.body(Body::from("{\"paperOut\":true}")).unwrap()).await.unwrap();
    assert_eq!(reply.status(), StatusCode::NO_CONTENT);
    assert!(printer.faults().paper_out && !printer.faults().silent);
    assert!(get(&pages, "/printer/state").await.2.contains("\"paperOut\":true"));
}
