//! The HTTP interface: it reads requests, has the shop decide, and renders what happened. No rule of the shop is here.
//!
//! - A **change** is a typed body tied to its idempotency key (`body`); the reply is rendered from the events that it
//!   made, and from nothing that can change later, so that a repeated request gets the same bytes.
//! - A **read** takes what it needs out of the shop's memory or journal, and renders it outside of any lock.
//! - Every error is a `problem`.
//! - What a web page of another site makes a browser send is refused by `same_site`.
//! - `events` follows the journal live; `metrics` and `health` tell how the box is doing, `opening` that it is not ready.
//!
//! The routes and their description are one table: each handler carries its path, and the document at
//! `/api/v1/openapi.json` is made from the handlers that are routed.

mod accept;
mod body;
mod cloud;
mod customers;
mod device_controllers;
mod device_orders;
mod device_setups;
mod devices;
mod document;
mod entity_tag;
mod events;
mod free_text;
mod health;
mod inventory;
mod json_path;
mod metrics;
mod opening;
mod params;
mod print_jobs;
mod problem;
mod products;
mod reply;
mod reports;
mod same_site;
mod serve;
mod shifts;
mod store;
mod store_z;
mod stream;
#[cfg(test)]
mod tests;
mod transactions;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

pub use opening::while_opening;
pub use serve::serve;

use crate::checkout::{Condition, Shop};
use crate::cloud::Cloud;
use crate::peripherals::{Devices, Jobs};
use metrics::Metrics;

/// What the interface needs beside the shop.
#[derive(Clone)]
pub struct HttpOptions {
    /// Connections at a time, from 1; more wait to be accepted.
    pub max_connections: usize,
    /// Whether only this machine can reach the box; then no other host's name is answered.
    pub loopback_only: bool,
    /// Pages to show under `/counter`: those of virtual devices.
    pub counter_pages: Option<Router>,
    /// The devices and the sheets that are not on paper.
    pub peripherals: Option<(Devices, Jobs)>,
    /// The way to the cloud.
    pub cloud: Cloud,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            loopback_only: true,
            counter_pages: None,
            peripherals: None,
            cloud: Cloud::none(),
        }
    }
}

/// What handlers share.
#[derive(Clone)]
struct App {
    shop: Shop,
    devices: Devices,
    jobs: Jobs,
    cloud: Cloud,
    metrics: Arc<Metrics>,
    /// Turns true when the daemon stops: streams end then.
    stopping: watch::Receiver<bool>,
}

impl App {
    fn new(
        shop: Shop,
        options: &HttpOptions,
        metrics: Arc<Metrics>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let (devices, jobs) =
            options.peripherals.clone().unwrap_or_else(|| (Devices::none(), Jobs::none(shop.clone())));
        Self { shop, devices, jobs, cloud: options.cloud.clone(), metrics, stopping }
    }

    /// How the box is doing, with what is to be known of its way to head office.
    fn condition(&self) -> Condition {
        let mut condition = self.shop.condition();
        condition.alarms.extend(self.cloud.condition().map(|cloud| cloud.alarms).unwrap_or_default());
        condition
    }
}

/// All routes. Streams of events end when `stopping` turns true.
pub fn router(shop: Shop, options: &HttpOptions, stopping: watch::Receiver<bool>) -> Router {
    let metrics = Arc::new(Metrics::new(shop.figures()));
    routes(App::new(shop, options, metrics, stopping), options)
}

fn routes(app: App, options: &HttpOptions) -> Router {
    let (api, document) = document::described().split_for_parts();
    let mut router = api.merge(document::pages(document, options.counter_pages.is_some()));
    if let Some(pages) = &options.counter_pages {
        router = router.nest_service("/counter", pages.clone());
    }
    router
        .fallback(health::no_such_page)
        .method_not_allowed_fallback(health::no_such_method)
        .layer(from_fn_with_state(options.loopback_only, same_site::guard))
        .layer(CatchPanicLayer::custom(health::panicked))
        .layer(from_fn_with_state(app.metrics.clone(), metrics::observe))
        .with_state(app)
}
