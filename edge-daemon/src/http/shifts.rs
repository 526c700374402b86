//! A drawer's shifts: opened with a float, read by X, closed by Z.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::command::Command;
use pos_domain::event::Event;
use pos_domain::money::Money;
use pos_domain::shift::{Movement, MovementKind, Shift, Totals, ZReport};
use pos_domain::tender::Method;
use pos_domain::time::{Date, Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Submission, identified};
use super::free_text::Envelope;
use super::params::Segment;
use super::problem::{Problem, Problems};
use super::reply::{self, Listed};
use super::transactions::TaxRow;
use super::wire::{text, time};
use crate::checkout::{Origin, Shop};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(move_cash))
        .routes(routes!(read))
        .routes(routes!(close))
}

/// A shift to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ShiftIn {
    /// Made by the client (UUIDv7), or else by the box.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The till, whose drawer it is.
    #[schema(value_type = String, example = "till-1")]
    terminal_id: Arc<str>,
    /// Who.
    #[schema(value_type = Option<String>)]
    cashier_id: Option<Arc<str>>,
    /// Cash in the drawer, minor units.
    #[schema(value_type = i64)]
    float: Money,
}

/// Cash that moves without a sale.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MovementIn {
    /// Made by the client (UUIDv7), or else by the box.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// `paidIn`, `paidOut`, `drop` or `noSale`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "paidOut")]
    kind: MovementKind,
    /// Minor units; 0 for `noSale` and more for the others.
    #[serde(default)]
    #[schema(value_type = i64)]
    amount: Money,
    /// Why.
    reason: Option<String>,
}

/// A shift's end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Closing {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// Who.
    #[schema(value_type = Option<String>)]
    cashier_id: Option<Arc<str>>,
    /// The cash that was counted, minor units.
    #[schema(value_type = i64)]
    counted: Money,
    /// Closes although the box's clock cannot be believed.
    #[serde(default)]
    confirm_clock: bool,
}

identified!(ShiftIn, MovementIn, Closing);

/// A shift: as it stands now (X), or as it was closed (Z, with the fields from `number` on).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Shift)]
pub(super) struct ShiftView<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    store_id: &'a str,
    terminal_id: &'a str,
    cashier_id: Option<&'a str>,
    /// `open` or `closed`.
    status: &'static str,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    opened_at: Millis,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, format = Date)]
    business_date: Date,
    currency: &'a str,
    /// Cash in the drawer at the start.
    #[schema(value_type = i64)]
    float_amount: Money,
    totals: TotalsView,
    /// The cash that should lie in the drawer.
    #[schema(value_type = i64)]
    expected_amount: Money,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    closed: Option<ClosedPart<'a>>,
}

/// What a Z says beside the X.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ClosedPart<'a> {
    /// The Z's number, consecutive in the store.
    number: u64,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    closed_at: Millis,
    closed_by: Option<&'a str>,
    /// The cash that was counted.
    #[schema(value_type = i64)]
    counted_amount: Money,
    /// counted − expected.
    #[schema(value_type = i64)]
    difference_amount: Money,
    /// Whether the box's clock could be believed.
    clock_trusted: bool,
    /// `epoch.seq hash` of the last record before this one: what the Z stands on.
    head: &'a str,
}

/// What happened in a shift, minor units; returns and voids are taken off.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TotalsView {
    sale_count: u64,
    return_count: u64,
    void_count: u64,
    #[schema(value_type = i64)]
    sales_amount: Money,
    #[schema(value_type = i64)]
    return_amount: Money,
    #[schema(value_type = i64)]
    void_amount: Money,
    #[schema(value_type = i64)]
    discount_amount: Money,
    /// Of sales that belong to another business day and came late.
    #[schema(value_type = i64)]
    late_amount: Money,
    #[schema(value_type = i64)]
    rounding_amount: Money,
    taxes: Vec<TaxRow>,
    tenders: Vec<TenderRow>,
    #[schema(value_type = i64)]
    paid_in_amount: Money,
    #[schema(value_type = i64)]
    paid_out_amount: Money,
    #[schema(value_type = i64)]
    drop_amount: Money,
    no_sale_count: u64,
}

/// Money by means of payment, change taken off.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenderRow {
    /// `cash`, `card`, `mobile`, `voucher` or `points`.
    #[schema(value_type = String)]
    pub(super) method: Method,
    #[schema(value_type = i64)]
    pub(super) amount: Money,
}

impl TotalsView {
    pub(super) fn new(totals: &Totals) -> Self {
        let taxes =
            totals.taxes.iter().map(|(rate, sum)| TaxRow { rate: *rate, base: sum.base, amount: sum.amount });
        let tenders =
            totals.tenders.iter().map(|(method, amount)| TenderRow { method: *method, amount: *amount });
        Self {
            sale_count: totals.sales,
            return_count: totals.returns,
            void_count: totals.voids,
            sales_amount: totals.sold,
            return_amount: totals.returned,
            void_amount: totals.voided,
            discount_amount: totals.discounts,
            late_amount: totals.late,
            rounding_amount: totals.rounding,
            taxes: taxes.collect(),
            tenders: tenders.collect(),
            paid_in_amount: totals.paid_in,
            paid_out_amount: totals.paid_out,
            drop_amount: totals.dropped,
            no_sale_count: totals.no_sales,
        }
    }
}

/// The names that stand on every shift.
pub(super) struct House<'a> {
    pub(super) store_id: &'a str,
    pub(super) currency: &'a str,
}

impl<'a> ShiftView<'a> {
    pub(super) fn x(shift: &'a Shift, house: &House<'a>) -> Self {
        Self {
            id: shift.id,
            store_id: house.store_id,
            terminal_id: &shift.drawer,
            cashier_id: shift.cashier.as_deref(),
            status: "open",
            opened_at: shift.opened_at,
            business_date: shift.business_date,
            currency: house.currency,
            float_amount: shift.float,
            totals: TotalsView::new(&shift.totals),
            expected_amount: shift.expected_cash(),
            closed: None,
        }
    }

    pub(super) fn z(report: &'a ZReport, house: &House<'a>) -> Self {
        let closed = ClosedPart {
            number: report.number,
            closed_at: report.closed_at,
            closed_by: report.closed_by.as_deref(),
            counted_amount: report.counted,
            difference_amount: report.counted - report.expected,
            clock_trusted: report.clock_trusted,
            head: &report.head,
        };
        Self {
            status: "closed",
            expected_amount: report.expected,
            closed: Some(closed),
            ..Self::x(&report.shift, house)
        }
    }
}

/// Open a shift
#[utoipa::path(
    post, path = "/api/v1/shifts", tag = "shifts", request_body = ShiftIn,
    params(("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = ShiftView<'static>), Problems),
)]
async fn open(State(app): State<App>, submission: Submission<ShiftIn>) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let origin = Origin {
        terminal: Some(body.terminal_id.clone()),
        actor: body.cashier_id.clone(),
        ..Origin::default()
    };
    let id = body.id.unwrap_or_else(Uuid::now_v7);
    let command =
        Command::OpenShift { id, drawer: body.terminal_id, cashier: body.cashier_id, float: body.float };
    let done = app.shop.submit(Some(key), command, origin).await?;
    let opened = done.events.iter().find_map(|event| match &**event {
        Event::ShiftOpened(shift) => Some(shift),
        _ => None,
    });
    let store = app.shop.store();
    let house = House { store_id: &store.store, currency: store.currency.code() };
    match opened {
        Some(shift) => reply::changed(StatusCode::CREATED, done.position, &ShiftView::x(shift, &house)),
        None => Err(Problem::internal("The shift is on disk but cannot be shown; read its X.")),
    }
}

/// The open shifts
#[utoipa::path(
    get, path = "/api/v1/shifts", tag = "shifts",
    responses((status = 200, body = Listed<ShiftView<'static>>), Problems),
)]
async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let shifts: Vec<Shift> = app.shop.state().shifts.values().cloned().collect();
    let store = app.shop.store();
    let house = House { store_id: &store.store, currency: store.currency.code() };
    let items = shifts.iter().map(|shift| ShiftView::x(shift, &house)).collect();
    reply::json(StatusCode::OK, &Listed { items, next_cursor: None })
}

/// A movement of cash.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CashMovement)]
struct MovementView<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    #[schema(value_type = String, format = "uuid")]
    shift_id: Uuid,
    /// `paidIn`, `paidOut`, `drop` or `noSale`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: MovementKind,
    currency: &'a str,
    #[schema(value_type = i64)]
    amount: Money,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    timestamp: Millis,
}

/// Move cash
///
/// Without a sale: into the drawer, out of it, to the safe. `noSale` notes that the drawer was opened; it does not open it.
#[utoipa::path(
    post, path = "/api/v1/shifts/{id}/movements", tag = "shifts", request_body = MovementIn,
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = MovementView<'static>), Problems),
)]
async fn move_cash(
    State(app): State<App>,
    Segment(shift): Segment<Uuid>,
    submission: Submission<MovementIn>,
) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let id = body.id.unwrap_or_else(Uuid::now_v7);
    let reason = body.reason;
    let envelope = Envelope::new(&app.shop, None, id);
    let reason =
        envelope.use_by(reason.is_some(), move |envelope| envelope.seal("reason", reason.as_deref())).await?;
    let command = Command::MoveCash { shift, id, kind: body.kind, amount: body.amount, reason };
    let done = app.shop.submit(Some(key), command, of_drawer(&app.shop, shift)).await?;
    let moved = done.events.iter().find_map(|event| match &**event {
        Event::CashMoved { shift, movement } => Some((*shift, movement)),
        _ => None,
    });
    let Some((shift_id, Movement { id, kind, amount, at, .. })) = moved else {
        return Err(Problem::internal("The movement is on disk but cannot be shown; read the X."));
    };
    let store = app.shop.store();
    let currency = store.currency.code();
    let view = MovementView { id: *id, shift_id, kind: *kind, currency, amount: *amount, timestamp: *at };
    reply::changed(StatusCode::CREATED, done.position, &view)
}

fn of_drawer(shop: &Shop, shift: Uuid) -> Origin {
    let state = shop.state();
    let terminal = state.shifts.values().find(|open| open.id == shift).map(|open| open.drawer.clone());
    Origin { terminal, ..Origin::default() }
}

/// Read a shift
///
/// Its X while it is open; its Z once it is closed.
#[utoipa::path(
    get, path = "/api/v1/shifts/{id}/x", tag = "shifts", params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = ShiftView<'static>), Problems),
)]
async fn read(State(app): State<App>, Segment(id): Segment<Uuid>) -> Result<Response, Problem> {
    let store = app.shop.store();
    let house = House { store_id: &store.store, currency: store.currency.code() };
    let open = app.shop.state().shifts.values().find(|shift| shift.id == id).cloned();
    if let Some(shift) = open {
        return reply::json(StatusCode::OK, &ShiftView::x(&shift, &house));
    }
    match app.shop.z_report(id)? {
        Some(report) => reply::json(StatusCode::OK, &ShiftView::z(&report, &house)),
        None => Err(Problem::not_found("no-such-shift", format!("There is no shift {id}."))),
    }
}

/// Close a shift
///
/// Makes the Z: numbered, final. Count the drawer first; the answer says what should have been in it.
#[utoipa::path(
    post, path = "/api/v1/shifts/{id}/close", tag = "shifts", request_body = Closing,
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = ShiftView<'static>), Problems),
)]
async fn close(
    State(app): State<App>,
    Segment(shift): Segment<Uuid>,
    submission: Submission<Closing>,
) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let origin = Origin { actor: body.cashier_id.clone(), ..of_drawer(&app.shop, shift) };
    let (counted, confirm_clock) = (body.counted, body.confirm_clock);
    let command = Command::CloseShift { shift, cashier: body.cashier_id, counted, confirm_clock };
    let done = app.shop.submit(Some(key), command, origin).await?;
    let closed = done.events.iter().find_map(|event| match &**event {
        Event::ShiftClosed(report) => Some(report),
        _ => None,
    });
    let store = app.shop.store();
    let house = House { store_id: &store.store, currency: store.currency.code() };
    match closed {
        Some(report) => reply::changed(StatusCode::CREATED, done.position, &ShiftView::z(report, &house)),
        None => Err(Problem::internal("The Z is on disk but cannot be shown; read the shift.")),
    }
}
