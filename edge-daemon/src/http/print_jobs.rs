//! Sheets that are not on paper, or perhaps not: for a person to look at and to decide about.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::event::{PrintOutcome, Sheet};
use pos_domain::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Bodiless, Submission, identified};
use super::params::Segment;
use super::problem::{Problem, Problems};
use super::reply::{self, Listed};
use super::transactions::receipt::PrintAsked;
use super::wire::{time, time_or_null};
use crate::peripherals::{JobError, PrintState, PrintView};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(cancel)).routes(routes!(retry))
}

/// A sheet that is not, or perhaps not, on paper.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobView<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// Null for what is of no transaction.
    #[schema(value_type = Option<String>, format = "uuid")]
    transaction_id: Option<Uuid>,
    printer: &'a str,
    /// `receipt`, `orders` or `test`.
    sheet: &'static str,
    /// Marked COPY.
    copy: bool,
    /// `pending`, `notPrinted` or `unknown`.
    state: &'static str,
    /// Why it is not printed.
    detail: &'a str,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    asked_at: Millis,
    /// RFC 3339.
    #[serde(serialize_with = "time_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Millis>,
}

impl<'a> JobView<'a> {
    fn new(view: &'a PrintView) -> Self {
        let job = &view.job;
        Self {
            id: job.id,
            transaction_id: Some(job.sale).filter(|sale| !sale.is_nil()),
            printer: &job.printer,
            sheet: match job.sheet {
                Sheet::Receipt => "receipt",
                Sheet::Orders(_) => "orders",
                Sheet::Test => "test",
            },
            copy: job.copy,
            state: match view.state {
                PrintState::Pending => "pending",
                PrintState::Ended(PrintOutcome::Unknown) => "unknown",
                PrintState::Ended(_) => "notPrinted",
            },
            detail: &view.detail,
            asked_at: job.at,
            ended_at: view.ended,
        }
    }
}

/// List what is not on paper
///
/// Sheets that wait or are being printed, and those that ended as `notPrinted` or `unknown` and that nobody decided about
/// yet; the oldest first.
#[utoipa::path(
    get, path = "/api/v1/print-jobs", tag = "devices", responses((status = 200, body = Listed<JobView<'static>>), Problems),
)]
async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let all = app.jobs.all();
    let items = all.iter().map(JobView::new).collect();
    reply::json(StatusCode::OK, &Listed { items, next_cursor: None })
}

/// Take it back, or settle it
///
/// A sheet that waits is not printed any more; one that ended leaves the list. 409 while it is being printed.
#[utoipa::path(
    post, path = "/api/v1/print-jobs/{id}/cancel", tag = "devices",
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = String, Header)),
    responses((status = 204, description = "it is off the list"), Problems),
)]
async fn cancel(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    request: Bodiless,
) -> Result<Response, Problem> {
    let done = app.jobs.cancel(id, Some(request.required_key()?)).await?;
    Ok(reply::at(reply::raw(StatusCode::NO_CONTENT, "application/json", ""), done.position))
}

/// On which printer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetryIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// Another printer; left out: the same.
    printer: Option<String>,
}

identified!(RetryIn);

/// Print it again, or elsewhere
///
/// A new job in the place of this one; where nobody knows what is on paper already it is marked COPY. 409 while it is
/// being printed, or when it was printed again before.
#[utoipa::path(
    post, path = "/api/v1/print-jobs/{id}/retry", tag = "devices", request_body = RetryIn,
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 202, body = PrintAsked<'static>), Problems),
)]
async fn retry(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    submission: Submission<RetryIn>,
) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    PrintAsked::reply(&app.jobs.retry(id, body.printer.as_deref(), Some(key)).await?)
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        let detail = error.to_string();
        match error {
            JobError::Sending(_) => Self::conflict("job-printing", detail),
            JobError::NoPrinter(_) => Self::not_found("no-such-device", detail),
            JobError::Submit(error) => error.into(),
        }
    }
}
