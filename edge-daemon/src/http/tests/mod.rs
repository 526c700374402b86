//! The router over a real shop in a temporary folder, without sockets.

mod cloud;
mod contract;
mod devices;
mod live;
mod people;
mod selling;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use hyper::body::Body as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::block_in_place;
use tower::ServiceExt;

use super::{App, HttpOptions, Metrics, routes};
use crate::checkout::{Running, Shop};
use crate::peripherals::{Devices, Jobs};
use crate::trial;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A shop with one product, `PEN` for 2.50, and its router.
struct Counter {
    app: App,
    router: Router,
    shop: Shop,
    running: Running,
    stop: watch::Sender<bool>,
    folder: TempDir,
}

impl Counter {
    fn open() -> Self {
        let counter = Self::open_in(TempDir::new().unwrap());
        block_in_place(|| trial::put_pen(&counter.shop));
        counter
    }

    fn open_in(folder: TempDir) -> Self {
        let (shop, running, _) = block_in_place(|| trial::open(folder.path()));
        let (stop, stopping) = watch::channel(false);
        let devices = Devices::unattended(&shop, &trial::config(folder.path()).devices);
        let peripherals = Some((devices, Jobs::none(shop.clone())));
        let options = HttpOptions { peripherals, ..HttpOptions::default() };
        let metrics = Arc::new(Metrics::new(shop.figures()));
        let app = App::new(shop.clone(), &options, metrics, stopping);
        let router = routes(app.clone(), &options);
        Self { app, router, shop, running, stop, folder }
    }

    /// Stops the shop and gives its folder.
    fn close(self) -> TempDir {
        block_in_place(|| self.running.stop().unwrap());
        self.folder
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response =
            tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request)).await.unwrap().unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = tokio::time::timeout(PATIENCE, to_bytes(response.into_body(), usize::MAX))
            .await
            .unwrap()
            .unwrap();
        Answer { status, headers, body: body.to_vec() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn get_as(&self, path: &str, media_type: &str) -> Answer {
        self.send(Request::get(path).header(header::ACCEPT, media_type).body(Body::empty()).unwrap()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, key: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(change("POST", key, path).body(body.into()).unwrap()).await
    }

    async fn put(&self, key: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(change("PUT", key, path).body(body.into()).unwrap()).await
    }
}

fn change(method: &str, key: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    request.header("idempotency-key", key).header(header::CONTENT_TYPE, "application/json")
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// Checks that it is a problem, whole and well-formed.
    #[track_caller]
    fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:tillbox:problem:{code}"));
        assert_eq!(problem["status"], status);
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
    }
}

/// Reads a stream of events.
struct Follower {
    body: Body,
    text: String,
}

impl Follower {
    async fn new(counter: &Counter, last_event_id: Option<&str>) -> Self {
        let mut request = Request::get("/api/v1/events");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = counter.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event: id, name, data. `None`: the stream has ended.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let Some(name) = field("event: ") {
                    let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                    return Some((field("id: ").unwrap_or_default(), name, data));
                }
            } else {
                let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut self.body).poll_frame(cx));
                let bytes = frame.await?.unwrap().into_data().unwrap();
                self.text.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        }
    }
}
