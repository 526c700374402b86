//! A transaction's receipt: as text, as a picture, as a printer's bytes; and printed again.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use device_drivers::{Paper, Profile, encode};
use pos_domain::command::{Command, PrintWish};
use pos_domain::event::Event;
use pos_domain::receipt::{COLUMNS_58_MM, COLUMNS_80_MM, Marks, layout, render_text};
use pos_domain::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::App;
use super::super::accept::preferred;
use super::super::body::Bodiless;
use super::super::params::{Params, Segment};
use super::super::problem::{Problem, Problems};
use super::super::reply;
use super::super::wire::time;
use super::{Known, existing};
use crate::checkout::Done;

const FORMS: [&str; 3] = ["text/plain", "image/svg+xml", "application/vnd.escpos"];

/// How wide.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Width {
    /// Characters of a line: 42 (80 mm paper) or 32 (58 mm paper).
    #[param(default = 42)]
    columns: Option<usize>,
}

/// The receipt
///
/// `text/plain` unless `Accept` prefers `image/svg+xml` or `application/vnd.escpos` (the bytes for a printer; they open
/// no drawer). A transaction that is not completed says so on it.
#[utoipa::path(
    get, path = "/api/v1/transactions/{id}/receipt", tag = "sales", params(("id" = String, Path, format = "uuid"), Width),
    responses((status = 200, content((String = "text/plain"), (String = "image/svg+xml"), (Vec<u8> = "application/vnd.escpos"))), (status = 406, description = "none of these is accepted"), Problems),
)]
pub(super) async fn show(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    Params(width): Params<Width>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let profile = match width.columns {
        None => Profile::epson_80_mm(),
        Some(COLUMNS_80_MM) => Profile::epson_80_mm(),
        Some(COLUMNS_58_MM) => Profile::epson_58_mm(),
        Some(_) => {
            let detail = format!("columns is {COLUMNS_80_MM} or {COLUMNS_58_MM}.");
            return Err(Problem::malformed("bad-columns", detail));
        }
    };
    let Some(form) = preferred(headers.get(header::ACCEPT), &FORMS) else {
        let detail = format!("A receipt is {}, {} or {}.", FORMS[0], FORMS[1], FORMS[2]);
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", detail));
    };
    let sale = existing(&app.shop, id)?;
    let columns = width.columns.unwrap_or(COLUMNS_80_MM);
    let page = layout(&sale, &app.shop.store(), app.shop.zone(), Marks::default());
    let (media_type, body): (_, Body) = match form {
        "image/svg+xml" => {
            let cells = u8::try_from(columns).unwrap_or(profile.columns);
            ("image/svg+xml", Paper::of(&page, cells).to_svg().into())
        }
        "application/vnd.escpos" => ("application/vnd.escpos", encode(&page, &profile).bytes.into()),
        _ => ("text/plain; charset=utf-8", render_text(&page, columns).into()),
    };
    let mut response = reply::raw(StatusCode::OK, media_type, body);
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept"));
    Ok(response)
}

/// A receipt on its way to the printer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct PrintAsked<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// Null for what is of no transaction.
    #[schema(value_type = Option<String>, format = "uuid")]
    transaction_id: Option<Uuid>,
    printer: &'a str,
    /// Marked COPY.
    copy: bool,
    /// Always `pending`: `printEnded` of `/api/v1/events` says what became of it.
    state: &'static str,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    asked_at: Millis,
}

impl PrintAsked<'_> {
    /// 202, with the job that was asked for.
    pub(in crate::http) fn reply(done: &Done) -> Result<Response, Problem> {
        let job = done.events.iter().find_map(|event| match &**event {
            Event::PrintAsked(job) => Some(job),
            _ => None,
        });
        let Some(job) = job else {
            return Err(Problem::internal("The print job cannot be shown; look at the printer."));
        };
        let asked = PrintAsked {
            id: job.id,
            transaction_id: Some(job.sale).filter(|sale| !sale.is_nil()),
            printer: &job.printer,
            copy: job.copy,
            state: "pending",
            asked_at: job.at,
        };
        reply::changed(StatusCode::ACCEPTED, done.position, &asked)
    }
}

/// Print it again
///
/// Marked COPY, on the till's printer. The outcome (`printed`, `notPrinted` or `unknown`) follows as the event
/// `printEnded` with this id.
#[utoipa::path(
    post, path = "/api/v1/transactions/{id}/reprint", tag = "sales",
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = String, Header)),
    responses((status = 202, body = PrintAsked<'static>), Problems),
)]
pub(super) async fn reprint(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    request: Bodiless,
) -> Result<Response, Problem> {
    let key = request.required_key()?;
    let known = Known::of(&app.shop, id)?;
    let terminal = known.origin.terminal.as_deref().unwrap_or_default();
    let Some((printer, _)) = app.devices.receipt_printer(terminal) else {
        let detail = "No printer is configured for this till; add a [[printer]] to the configuration.";
        return Err(Problem::conflict("no-printer", detail));
    };
    let wish = PrintWish { copy: true, ..PrintWish::receipt(Uuid::now_v7(), id, printer) };
    let command = Command::AskPrint(wish);
    let done = app.shop.submit(Some(key), command, known.origin).await?;
    PrintAsked::reply(&done)
}
