//! Sales and returns: rung up, changed, paid, found again, printed.

mod draft;
pub(super) mod receipt;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::command::Command;
use pos_domain::sale::{ReceiptNumber, Sale, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Bodiless, Submission};
use super::free_text::{Envelope, off_thread};
use super::params::{Params, Segment, page_limit};
use super::problem::{Problem, Problems};
use super::reply::{self, Listed};
use super::wire::{DateIn, parsed};
use crate::checkout::{Done, Origin, Page, SaleFilter, Shop};
use draft::{NewItems, NewPayment, NewStatus, NewTransaction};
use view::Payment;
pub(super) use view::{TaxRow, Transaction};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(add_items))
        .routes(routes!(void_item))
        .routes(routes!(change_status))
        .routes(routes!(pay))
        .routes(routes!(receipt::show))
        .routes(routes!(receipt::reprint))
}

/// Ring up a sale or return
///
/// With tenders enough it completes at once and gets its receipt number; else it stays open with what is due. No
/// items and no tenders make an empty open transaction. The same id and content under another key: 200.
#[utoipa::path(
    post, path = "/api/v1/transactions", tag = "sales", request_body = NewTransaction,
    params(("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = Transaction<'static>), (status = 200, body = Transaction<'static>, description = "the same sale came before under another key"), Problems),
)]
async fn create(State(app): State<App>, submission: Submission<NewTransaction>) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let id = body.id.unwrap_or_else(Uuid::now_v7);
    let origin = Origin {
        terminal: Some(body.terminal_id.clone()),
        actor: body.cashier_id.clone(),
        device_time: body.started_at.map(|at| at.0),
        training: body.training,
        ..Origin::default()
    };
    let mode = app.shop.store().tax_mode;
    let envelope = Envelope::new(&app.shop, body.customer_id, id);
    let draft = envelope.use_by(body.has_text(), move |envelope| body.into_draft(id, mode, envelope)).await?;
    let done = app.shop.submit(Some(key), Command::Sell(draft), origin).await?;
    let status = if done.same_sale { StatusCode::OK } else { StatusCode::CREATED };
    sale_reply(&app.shop, status, &done)
}

/// Add lines
///
/// To an open transaction; if it is paid then, it completes.
#[utoipa::path(
    post, path = "/api/v1/transactions/{id}/items", tag = "sales", request_body = NewItems,
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = Transaction<'static>), Problems),
)]
async fn add_items(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    submission: Submission<NewItems>,
) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let known = Known::of(&app.shop, id)?;
    let mode = app.shop.store().tax_mode;
    let envelope = Envelope::new(&app.shop, known.customer, id);
    let lines = envelope.use_by(body.has_text(), move |envelope| body.into_lines(mode, envelope)).await?;
    let done = app.shop.submit(Some(key), Command::AddLines { sale: id, lines }, known.origin).await?;
    sale_reply(&app.shop, StatusCode::CREATED, &done)
}

/// Take a line off
///
/// Of an open transaction; it stays recorded and counts for nothing.
#[utoipa::path(
    delete, path = "/api/v1/transactions/{id}/items/{itemId}", tag = "sales",
    params(("id" = String, Path, format = "uuid"), ("itemId" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Transaction<'static>), Problems),
)]
async fn void_item(
    State(app): State<App>,
    Segment((id, line)): Segment<(Uuid, Uuid)>,
    request: Bodiless,
) -> Result<Response, Problem> {
    let known = Known::of(&app.shop, id)?;
    let done = app.shop.submit(request.key, Command::VoidLine { sale: id, line }, known.origin).await?;
    sale_reply(&app.shop, StatusCode::OK, &done)
}

/// Complete, suspend, resume, cancel, void or refund
///
/// | from | to | by |
/// |---|---|---|
/// | `open` | `completed` | enough tenders, or this where nothing is due |
/// | `open` | `suspended` | this |
/// | `suspended` | `open` | this |
/// | `open`, `suspended` | `cancelled` | this; its payments are reversed |
/// | `completed` | `voided` | this, on its business day; never a linked return |
/// | `completed`, `partiallyRefunded` | `partiallyRefunded`, `refunded` | `refunded` here, with or without `items`; never a return |
///
/// Everything else is 409. `refunded` answers 201 with the *new* return, whose `originalId` names this one.
#[utoipa::path(
    put, path = "/api/v1/transactions/{id}/status", tag = "sales", request_body = NewStatus,
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = Transaction<'static>), (status = 201, body = Transaction<'static>, description = "refunded: the new return"), Problems),
)]
async fn change_status(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    submission: Submission<NewStatus>,
) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let known = Known::of(&app.shop, id)?;
    let return_id = body.return_id();
    let status = if return_id.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let envelope = Envelope::new(&app.shop, known.customer, return_id.unwrap_or(id));
    let has_text = body.reason.is_some();
    let terminal = body.terminal_id.clone();
    let origin = Origin { terminal: terminal.clone().or(known.origin.terminal.clone()), ..known.origin };
    let command = envelope.use_by(has_text, move |envelope| {
        let reason = envelope.seal("reason", body.reason.as_deref())?;
        Ok(Command::ChangeSale { sale: id, change: body.into_change(return_id)?, reason, terminal })
    });
    let done = app.shop.submit(Some(key), command.await?, origin).await?;
    sale_reply(&app.shop, status, &done)
}

/// A payment that was taken, and the transaction after it.
#[derive(Debug, Serialize, ToSchema)]
struct Paid<'a> {
    payment: Payment<'a>,
    transaction: Transaction<'a>,
}

/// Pay
///
/// Takes a tender for an open transaction; if it is enough, the transaction completes.
#[utoipa::path(
    post, path = "/api/v1/payments/process", tag = "sales", request_body = NewPayment,
    params(("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = Paid<'static>), Problems),
)]
async fn pay(State(app): State<App>, submission: Submission<NewPayment>) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let sale = body.transaction_id;
    let known = Known::of(&app.shop, sale)?;
    let command = Command::Pay { sale, tender: body.into_tender() };
    let done = app.shop.submit(Some(key), command, known.origin).await?;
    let sale = sale_of(&done)?;
    let Some(tender) = sale.tenders.last() else {
        return Err(Problem::internal("The payment is not on the transaction; read the transaction."));
    };
    let store = app.shop.store();
    let paid =
        Paid { payment: Payment::new(sale, tender), transaction: Transaction::new(sale, &store.store) };
    reply::changed(StatusCode::CREATED, done.position, &paid)
}

/// Read one
///
/// As it stands now, with the reasons that can still be read.
#[utoipa::path(
    get, path = "/api/v1/transactions/{id}", tag = "sales", params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = Transaction<'static>), Problems),
)]
async fn read(State(app): State<App>, Segment(id): Segment<Uuid>) -> Result<Response, Problem> {
    let sale = existing(&app.shop, id)?;
    let open = |sealed: &_| app.shop.open_sealed(id, sealed).and_then(|bytes| String::from_utf8(bytes).ok());
    let store = app.shop.store();
    reply::json(StatusCode::OK, &Transaction::new(&sale, &store.store).with_reasons(&sale, open))
}

/// Which transactions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this business date.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<DateIn>,
    /// From this business date on.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<DateIn>,
    /// Up to and with this business date.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<DateIn>,
    /// Of this till.
    terminal_id: Option<String>,
    /// Of this customer.
    #[param(value_type = Option<String>, format = "uuid")]
    customer_id: Option<Uuid>,
    /// In this status.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// With this number.
    #[serde(default, deserialize_with = "parsed")]
    #[param(value_type = Option<String>, example = "01-000042")]
    receipt_number: Option<ReceiptNumber>,
    /// 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Find some
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/transactions", tag = "sales", params(Wanted),
    responses((status = 200, body = Listed<Transaction<'static>>), Problems),
)]
async fn list(State(app): State<App>, Params(wanted): Params<Wanted>) -> Result<Response, Problem> {
    let filter = SaleFilter {
        from: wanted.date.or(wanted.from).map(|date| date.0),
        to: wanted.date.or(wanted.to).map(|date| date.0),
        customer: wanted.customer_id,
        terminal: wanted.terminal_id,
        status: wanted.status,
        cursor: wanted.cursor,
        limit: page_limit(wanted.limit)?,
    };
    match wanted.receipt_number {
        None => page(&app.shop, filter).await,
        Some(number) => {
            let found = app.shop.sale_by_receipt(number)?.filter(|sale| matches(&filter, sale));
            let items: Vec<_> = found.into_iter().collect();
            show(&app.shop, &Page { items, next: None })
        }
    }
}

/// A page of transactions.
pub(super) async fn page(shop: &Shop, filter: SaleFilter) -> Result<Response, Problem> {
    let reader = shop.clone();
    off_thread(move || {
        let found = reader.sales(&filter)?;
        show(&reader, &found)
    })
    .await
}

fn matches(filter: &SaleFilter, sale: &Sale) -> bool {
    let date = sale.business_date;
    filter.from.is_none_or(|from| date >= from)
        && filter.to.is_none_or(|to| date <= to)
        && filter.customer.is_none_or(|id| sale.customer == Some(id))
        && filter.terminal.as_deref().is_none_or(|terminal| *sale.terminal == *terminal)
        && filter.status.is_none_or(|status| sale.status == status)
}

fn show(shop: &Shop, found: &Page<Arc<Sale>>) -> Result<Response, Problem> {
    let store = shop.store();
    let items = found.items.iter().map(|sale| Transaction::new(sale, &store.store)).collect();
    reply::json(StatusCode::OK, &Listed { items, next_cursor: found.next.clone() })
}

/// The sale, or 404.
fn existing(shop: &Shop, id: Uuid) -> Result<Arc<Sale>, Problem> {
    let missing = || Problem::not_found("no-such-transaction", format!("There is no transaction {id}."));
    shop.sale(id)?.ok_or_else(missing)
}

fn sale_of(done: &Done) -> Result<&Arc<Sale>, Problem> {
    done.sale()
        .ok_or_else(|| Problem::internal("The change is on disk but cannot be shown; read the transaction."))
}

fn sale_reply(shop: &Shop, status: StatusCode, done: &Done) -> Result<Response, Problem> {
    let store = shop.store();
    reply::changed(status, done.position, &Transaction::new(sale_of(done)?, &store.store))
}

/// What is known of a sale before it is changed. The domain decides with the sale as it is then; this only says whose
/// key seals a reason and which till it was.
struct Known {
    customer: Option<Uuid>,
    origin: Origin,
}

impl Known {
    fn of(shop: &Shop, id: Uuid) -> Result<Self, Problem> {
        let sale = shop.sale(id)?;
        let origin = sale.as_ref().map(|sale| Origin {
            terminal: Some(sale.terminal.clone()),
            actor: sale.cashier.clone(),
            training: sale.training,
            ..Origin::default()
        });
        Ok(Self { customer: sale.and_then(|sale| sale.customer), origin: origin.unwrap_or_default() })
    }
}
