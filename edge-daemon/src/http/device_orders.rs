//! What a till has its devices do: print, open, show, zero, weigh; and a test for technicians.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::command::{Command, PrintWish};
use pos_domain::event::{DrawerReason, Event, Sheet};
use pos_domain::quantity::Quantity;
use pos_domain::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Bodiless, Submission, identified};
use super::devices::{DeviceView, show};
use super::params::Segment;
use super::problem::{Problem, Problems};
use super::reply;
use super::transactions::receipt::PrintAsked;
use super::wire::{QuantityIn, text, time};
use crate::checkout::{CommandKey, Origin};
use crate::peripherals::{DeviceError, DeviceState, OfClass, Order};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(test))
        .routes(routes!(print))
        .routes(routes!(open))
        .routes(routes!(display))
        .routes(routes!(zero))
        .routes(routes!(weigh))
}

/// For which till.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ForTill {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The till that has the device claimed.
    #[schema(example = "till-1")]
    terminal_id: String,
}

/// What to print.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PrintIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The till that has the printer claimed.
    #[schema(example = "till-1")]
    terminal_id: String,
    /// Whose receipt.
    #[schema(value_type = String, format = "uuid")]
    transaction_id: Uuid,
    /// Marked COPY; it is unless this says otherwise.
    #[serde(default = "yes")]
    copy: bool,
}

const fn yes() -> bool {
    true
}

/// Why the drawer is opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OpenIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The till that has the drawer claimed.
    #[schema(example = "till-1")]
    terminal_id: String,
    /// In a few words, without a person's name: it stays in the journal in the clear.
    #[schema(example = "change for a customer")]
    reason: String,
    /// Who.
    cashier_id: Option<String>,
}

/// What to show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DisplayIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The till that has the display claimed.
    #[schema(example = "till-1")]
    terminal_id: String,
    /// One or two lines.
    lines: Vec<LineIn>,
}

/// A line of a display.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LineIn {
    /// Cut off where it would touch the right.
    #[serde(default)]
    #[schema(example = "Brötchen")]
    left: String,
    /// An amount, kept whole.
    #[serde(default)]
    #[schema(example = "0,45")]
    right: String,
}

identified!(ForTill, PrintIn, OpenIn, DisplayIn, WeighIn);

/// Print a receipt on it
///
/// Its outcome follows as the event `printEnded`.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/print", tag = "devices", request_body = PrintIn,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 202, body = PrintAsked<'static>), Problems),
)]
async fn print(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<PrintIn>,
) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    // A repeat does nothing again, whoever has the printer by now.
    if !app.shop.was_done(&key) {
        app.devices.printer_for(&id, &body.terminal_id)?;
    }
    let wish = PrintWish { copy: body.copy, ..PrintWish::receipt(Uuid::now_v7(), body.transaction_id, id) };
    ask_print(&app, key, PrintWish { may_kick: false, ..wish }, Some(body.terminal_id)).await
}

async fn ask_print(
    app: &App,
    key: CommandKey,
    wish: PrintWish,
    terminal: Option<String>,
) -> Result<Response, Problem> {
    let origin = Origin { terminal: terminal.map(Into::into), ..Origin::default() };
    PrintAsked::reply(&app.shop.submit(Some(key), Command::AskPrint(wish), origin).await?)
}

/// A drawer on its way open.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OpenAsked<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    device_id: &'a str,
    /// Always `pending`: `drawerEnded` of `/api/v1/events` says what became of it.
    state: &'static str,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    asked_at: Millis,
}

/// Open the drawer
///
/// Its outcome (`opened`, `notOpened` or `unknown`) follows as the event `drawerEnded` with this id. The same request
/// again opens nothing again.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/open", tag = "devices", request_body = OpenIn,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 202, body = OpenAsked<'static>), Problems),
)]
async fn open(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<OpenIn>,
) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    if !app.shop.was_done(&key) {
        app.devices.drawer_for(&id, &body.terminal_id)?;
    }
    let origin = Origin {
        terminal: Some(body.terminal_id.as_str().into()),
        actor: body.cashier_id.as_deref().map(Into::into),
        ..Origin::default()
    };
    ask_open(&app, key, id, Some(body.terminal_id), body.reason, origin).await
}

async fn ask_open(
    app: &App,
    key: CommandKey,
    drawer: String,
    terminal: Option<String>,
    reason: String,
    origin: Origin,
) -> Result<Response, Problem> {
    let reason = DrawerReason::Asked(reason);
    let command =
        Command::OpenDrawer { id: Uuid::now_v7(), drawer, terminal: terminal.map(Into::into), reason };
    let done = app.shop.submit(Some(key), command, origin).await?;
    let asked = done.events.iter().find_map(|event| match &**event {
        Event::DrawerAsked(job) => {
            Some(OpenAsked { id: job.id, device_id: &job.drawer, state: "pending", asked_at: job.at })
        }
        _ => None,
    });
    let Some(asked) = asked else {
        return Err(Problem::internal("The opening cannot be shown; look at the drawer."));
    };
    reply::changed(StatusCode::ACCEPTED, done.position, &asked)
}

/// Show something on it
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/display", tag = "devices", request_body = DisplayIn,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn display(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<DisplayIn>,
) -> Result<Response, Problem> {
    let Submission { body: DisplayIn { terminal_id, lines, .. }, key, .. } = submission;
    let mut lines = lines.into_iter().map(|line| (line.left, line.right));
    let first = lines.next();
    let (Some(first), second, None) = (first, lines.next().unwrap_or_default(), lines.next()) else {
        return Err(Problem::impossible("bad-lines", "A display shows one or two lines.").at("lines"));
    };
    show(&app.devices.order(&id, &terminal_id, Order::Show([first, second]), key).await?)
}

/// Set it to zero
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/zero", tag = "devices", request_body = ForTill,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn zero(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<ForTill>,
) -> Result<Response, Problem> {
    let Submission { body: ForTill { terminal_id, .. }, key, .. } = submission;
    show(&app.devices.order(&id, &terminal_id, Order::Zero, key).await?)
}

/// What is weighed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WeighIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The till that has the scale claimed.
    #[schema(example = "till-1")]
    terminal_id: String,
    /// What the packing weighs, in kilograms; it is taken off.
    #[schema(value_type = Option<String>, example = "0.012")]
    tare: Option<QuantityIn>,
}

/// What lies on a scale.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Weighed<'a> {
    device_id: &'a str,
    /// Kilograms, three places, the tare taken off.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "0.475")]
    weight: Quantity,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "0.012")]
    tare: Quantity,
    /// Always `kg`.
    unit: &'static str,
}

/// Weigh
///
/// The weight at rest on it, less the tare, above zero; 409 where there is none.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/weigh", tag = "devices", request_body = WeighIn,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = Weighed<'static>), Problems),
)]
async fn weigh(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<WeighIn>,
) -> Result<Response, Problem> {
    let WeighIn { terminal_id, tare, .. } = submission.body;
    let tare = tare.map_or(Quantity::ZERO, |tare| tare.0);
    if tare < Quantity::ZERO || tare > Quantity::MAX {
        return Err(Problem::impossible("bad-quantity", "A tare is from 0 to 99999.999 kg.").at("tare"));
    }
    let condition = app.devices.scale_for(&id, &terminal_id)?;
    let gross: Option<Quantity> = match &condition.of_class {
        OfClass::Scale { weight } if condition.state == DeviceState::Ready => {
            weight.as_ref().and_then(|weight| weight.parse().ok())
        }
        _ => None,
    };
    match gross.map(|gross| gross - tare) {
        Some(weight) if weight > Quantity::ZERO => {
            reply::json(StatusCode::OK, &Weighed { device_id: &id, weight, tare, unit: "kg" })
        }
        Some(_) => {
            Err(Problem::conflict("no-weight", "What lies on the scale weighs no more than its tare."))
        }
        None if condition.detail.is_empty() => {
            Err(Problem::conflict("no-weight", "Nothing lies at rest on the scale; put the goods on it."))
        }
        None => Err(DeviceError::Unable { id, reason: condition.detail }.into()),
    }
}

/// Test it
///
/// For a technician: a printer prints a test page, a drawer opens, a display shows its own name; of the others the reply
/// says how they are. No claim is needed.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/test", tag = "devices",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = DeviceView<'static>), (status = 202, body = PrintAsked<'static>, description = "a printer or a drawer: the outcome follows as an event"), Problems),
)]
async fn test(
    State(app): State<App>,
    Segment(id): Segment<String>,
    request: Bodiless,
) -> Result<Response, Problem> {
    let key = request.required_key()?;
    match app.devices.get(&id)?.of_class {
        OfClass::Printer { .. } => {
            let wish = PrintWish::receipt(Uuid::now_v7(), Uuid::nil(), id);
            ask_print(&app, key, PrintWish { sheet: Sheet::Test, may_kick: false, ..wish }, None).await
        }
        OfClass::Drawer { .. } => ask_open(&app, key, id, None, "test".to_owned(), Origin::default()).await,
        OfClass::Display { .. } => show(&app.devices.test_display(&id).await?),
        OfClass::Scanner { .. } | OfClass::Scale { .. } | OfClass::Nothing => show(&app.devices.get(&id)?),
    }
}
