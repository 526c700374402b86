//! Whether the box lives and is ready; and what is answered where there is no handler, or a broken one.

use std::any::Any;

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::Problem;
use super::reply;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Whether the process answers
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn live() -> Response {
    reply::raw(StatusCode::OK, "text/plain; charset=utf-8", "alive\n")
}

/// How ready the box is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    ready: bool,
    /// Why not, if not.
    reason: Option<String>,
    /// While the index is made again, the shop sells and look-ups in history wait.
    rebuilding: Option<Rebuilding>,
    /// What a technician should know.
    alarms: Vec<String>,
}

/// How far the making of the index is, in records.
#[derive(Debug, Serialize, ToSchema)]
struct Rebuilding {
    done: u64,
    total: u64,
}

/// Whether commands are accepted
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness, description = "not ready; says why")),
)]
async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let condition = app.condition();
    let reason = (!condition.ready).then(|| match condition.alarms.first() {
        Some(alarm) => alarm.clone(),
        None => "The box is starting or stopping.".to_owned(),
    });
    let status = if condition.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let rebuilding = condition.rebuilding.map(|(done, total)| Rebuilding { done, total });
    reply::json(status, &Readiness { ready: condition.ready, reason, rebuilding, alarms: condition.alarms })
}

/// 404 for an address that nothing is at.
pub(super) async fn no_such_page(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::not_found(
        "no-such-address",
        format!("There is nothing at {path}; the addresses are listed at /docs."),
    )
}

/// 405 for a method that an address does not have.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    let detail = format!("{path} has no {method}; the methods are listed at /docs.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", detail)
}

/// 500 for a handler that broke. What it was doing is in the log, not in the answer.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&'static str>().copied()).unwrap_or("no message");
    tracing::error!(panic = text, "a handler broke");
    let detail = "The box failed to answer this; send the same request with the same key again, or call the technician.";
    Problem::internal(detail).into_response()
}
