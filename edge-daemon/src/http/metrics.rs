//! Figures for Prometheus: requests by route template and status, connections, and how the shop is doing.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::Problem;
use super::reply;
use crate::checkout::{Condition, Figures};
use crate::cloud::CloudCondition;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// All of the box's metrics.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Asked, Histogram, Buckets>,
    /// Open connections.
    pub(super) connections: Gauge,
    tasks: Gauge,
    condition: ConditionGauges,
    cloud: CloudGauges,
}

/// Which operation, as it is routed: never the address itself, which may name a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: MethodLabel,
    route: String,
}

/// How it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: MethodLabel,
    route: String,
    status: u16,
}

/// One of the methods that the interface has; all others are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MethodLabel(&'static str);

impl From<&Method> for MethodLabel {
    fn from(method: &Method) -> Self {
        Self(match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            _ => "other",
        })
    }
}

impl EncodeLabelValue for MethodLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

#[derive(Debug, Clone)]
struct Buckets;

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(0.000_1, 2.0, 16))
    }
}

/// Read from the shop when they are asked for.
#[derive(Default)]
struct ConditionGauges {
    ready: Gauge,
    view_lag: Gauge<u64, AtomicU64>,
    records: Gauge<u64, AtomicU64>,
    journal_bytes: Gauge<u64, AtomicU64>,
    segments: Gauge<u64, AtomicU64>,
    disk_free: Gauge<u64, AtomicU64>,
    spare_ready: Gauge,
    alarms: Gauge,
}

impl ConditionGauges {
    fn register(&self, registry: &mut Registry) {
        registry.register("tillbox_ready", "Whether commands are accepted", self.ready.clone());
        registry.register(
            "tillbox_view_lag_records",
            "Records that the views have not taken in",
            self.view_lag.clone(),
        );
        registry.register("tillbox_journal_records", "Records of the current epoch", self.records.clone());
        let bytes = "Bytes of the journal's files";
        registry.register_with_unit("tillbox_journal", bytes, Unit::Bytes, self.journal_bytes.clone());
        registry.register("tillbox_journal_segments", "Segments of the journal", self.segments.clone());
        registry.register_with_unit(
            "tillbox_disk_free",
            "Bytes free on the disk",
            Unit::Bytes,
            self.disk_free.clone(),
        );
        let spare = "Whether the reserve for closing the shop stands";
        registry.register("tillbox_spare_segment_ready", spare, self.spare_ready.clone());
        registry.register("tillbox_alarms", "Alarms for the technician", self.alarms.clone());
    }

    fn set(&self, condition: &Condition) {
        self.ready.set(i64::from(condition.ready));
        self.view_lag.set(condition.view_lag);
        self.records.set(condition.records);
        self.journal_bytes.set(condition.journal_bytes);
        self.segments.set(condition.segments);
        self.disk_free.set(condition.disk_free);
        self.spare_ready.set(i64::from(condition.spare_ready));
        self.alarms.set(i64::try_from(condition.alarms.len()).unwrap_or(i64::MAX));
    }
}

/// How the way to head office stands.
#[derive(Default)]
struct CloudGauges {
    connected: Gauge,
    depth: Gauge<u64, AtomicU64>,
    waiting: Gauge<u64, AtomicU64>,
    oldest: Gauge<u64, AtomicU64>,
    acknowledged: Gauge<u64, AtomicU64>,
    connections: Gauge<u64, AtomicU64>,
    published: Gauge<u64, AtomicU64>,
    sent: Gauge<u64, AtomicU64>,
}

impl CloudGauges {
    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("tillbox_cloud");
        registry.register("connected", "Whether there is a connection to the broker", self.connected.clone());
        registry.register("depth_records", "Records that head office does not have", self.depth.clone());
        let waiting = "Bytes of them, as far as they came since the start";
        registry.register_with_unit("waiting", waiting, Unit::Bytes, self.waiting.clone());
        let oldest = "For how long head office has lacked something";
        registry.register_with_unit("oldest", oldest, Unit::Seconds, self.oldest.clone());
        let acknowledged = "The last record of its epoch that head office has";
        registry.register("acknowledged_seq", acknowledged, self.acknowledged.clone());
        registry.register("connections", "Connections since the start", self.connections.clone());
        registry.register("published", "Envelopes published since the start", self.published.clone());
        let sent = "Bytes published since the start";
        registry.register_with_unit("sent", sent, Unit::Bytes, self.sent.clone());
    }

    fn set(&self, condition: &CloudCondition) {
        self.connected.set(i64::from(condition.connected));
        self.depth.set(condition.depth);
        self.waiting.set(condition.bytes);
        self.oldest.set(condition.oldest.map_or(0, |oldest| oldest.as_secs()));
        self.acknowledged.set(condition.acknowledged.map_or(0, |position| position.seq));
        self.connections.set(condition.connections);
        self.published.set(condition.published.0);
        self.sent.set(condition.published.1);
    }
}

impl Metrics {
    /// The shop's figures and our own.
    pub(super) fn new(shop: &Figures) -> Self {
        let mut registry = Registry::default();
        shop.register(&mut registry);
        let requests = Family::<Answered, Counter>::default();
        let seconds = Family::<Asked, Histogram, Buckets>::new_with_constructor(Buckets);
        let (connections, tasks, condition) =
            (Gauge::default(), Gauge::default(), ConditionGauges::default());
        registry.register("tillbox_http_requests", "Requests by route and status", requests.clone());
        let answer = "Time from a request's head to its answer's head";
        registry.register_with_unit("tillbox_http_request", answer, Unit::Seconds, seconds.clone());
        registry.register("tillbox_http_connections", "Open connections", connections.clone());
        registry.register(
            "tillbox_tasks",
            "Tasks: connections, devices' drivers and the like",
            tasks.clone(),
        );
        condition.register(&mut registry);
        let cloud = CloudGauges::default();
        cloud.register(&mut registry);
        Self { registry, requests, seconds, connections, tasks, condition, cloud }
    }
}

/// Counts and times every request.
pub(super) async fn observe(
    State(metrics): State<std::sync::Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = MethodLabel::from(request.method());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unknown", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let took = started.elapsed();
    tracing::debug!(method = method.0, route, status, micros = took.as_micros(), "answered");
    let asked = Asked { method, route };
    metrics.seconds.get_or_create(&asked).observe(took.as_secs_f64());
    let Asked { method, route } = asked;
    metrics.requests.get_or_create(&Answered { method, route, status }).inc();
    response
}

/// Figures for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")),
)]
async fn show(State(app): State<App>) -> Result<Response, Problem> {
    app.metrics.condition.set(&app.condition());
    app.metrics.cloud.set(&app.cloud.condition().unwrap_or_default());
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    app.metrics.tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
    let mut text = String::new();
    encode(&mut text, &app.metrics.registry)
        .map_err(|error| Problem::internal(format!("The figures could not be written: {error}.")))?;
    Ok(reply::raw(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text))
}
