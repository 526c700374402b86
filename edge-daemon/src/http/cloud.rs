//! The way to head office: how it stands, and having it wait.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::body::Bodiless;
use super::problem::{Problem, Problems};
use super::reply;
use crate::cloud::CloudCondition;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(pause)).routes(routes!(resume))
}

/// How the way to head office stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CloudView {
    /// Whether there is a broker to send to; all else is at rest if not.
    configured: bool,
    /// Its name and port.
    #[schema(example = "mqtt.example.com:8883")]
    broker: Option<String>,
    connected: bool,
    /// Somebody has it wait, until the next start at most.
    paused: bool,
    /// How far head office has the journal, as `epoch.seq`.
    #[schema(example = "9f3a2c1b00d1e2f3.1042")]
    acknowledged: Option<String>,
    /// Records that it does not have.
    depth: u64,
    /// Bytes of them, as far as they came since the start.
    waiting_bytes: u64,
    /// For how many seconds it has lacked something.
    oldest_seconds: Option<u64>,
    /// Connections since the start.
    connections: u64,
    /// Deliveries of head office, or pieces of them, that were not taken since the start; the log says why.
    deliveries_refused: u64,
    /// What a technician should know.
    alarms: Vec<String>,
}

impl CloudView {
    fn of(condition: Option<CloudCondition>) -> Self {
        let configured = condition.is_some();
        let condition = condition.unwrap_or_default();
        Self {
            configured,
            broker: configured.then_some(condition.broker),
            connected: condition.connected,
            paused: condition.paused,
            acknowledged: condition.acknowledged.map(|position| position.to_string()),
            depth: condition.depth,
            waiting_bytes: condition.bytes,
            oldest_seconds: condition.oldest.map(|oldest| oldest.as_secs()),
            connections: condition.connections,
            deliveries_refused: condition.deliveries_refused,
            alarms: condition.alarms,
        }
    }
}

/// How the way to head office stands
#[utoipa::path(get, path = "/api/v1/cloud", tag = "store", responses((status = 200, body = CloudView), Problems))]
async fn read(State(app): State<App>) -> Result<Response, Problem> {
    reply::json(StatusCode::OK, &CloudView::of(app.cloud.condition()))
}

/// Have sending wait
///
/// What is sold is kept, and sent when sending is resumed or the box starts anew.
#[utoipa::path(
    post, path = "/api/v1/cloud/pause", tag = "store",
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, body = CloudView), Problems),
)]
async fn pause(State(app): State<App>, request: Bodiless) -> Result<Response, Problem> {
    request.required_key()?;
    set(&app, true)
}

/// Have sending go on
#[utoipa::path(
    post, path = "/api/v1/cloud/resume", tag = "store",
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, body = CloudView), Problems),
)]
async fn resume(State(app): State<App>, request: Bodiless) -> Result<Response, Problem> {
    request.required_key()?;
    set(&app, false)
}

fn set(app: &App, paused: bool) -> Result<Response, Problem> {
    if !app.cloud.pause(paused) {
        let detail = "Nothing is sent to head office: the configuration names no broker in [cloud].";
        return Err(Problem::conflict("no-cloud", detail));
    }
    let mut view = CloudView::of(app.cloud.condition());
    // The uplink takes it in a moment later.
    view.paused = paused;
    reply::json(StatusCode::OK, &view)
}
