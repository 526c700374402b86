//! The devices at the counters, as clients see them; claimed, released, enabled, disabled. And the news about them.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::catalog::Product;
use pos_domain::store::StoreConfig;
use pos_domain::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Bodiless, Submission, identified};
use super::device_controllers::ControllerView;
use super::free_text::off_thread;
use super::params::Segment;
use super::problem::{Problem, Problems};
use super::products::{ProductView, Scan as Said};
use super::reply::{self, Listed};
use super::wire::time;
use crate::checkout::SubmitError;
use crate::peripherals::{
    Condition, Counters, DeviceError, DeviceState, FoundPort, News, OfClass, Remedy, Scan,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(ports))
        .routes(routes!(claim))
        .routes(routes!(release))
        .routes(routes!(enable))
        .routes(routes!(disable))
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceView<'a> {
    #[schema(example = "scanner-1")]
    id: &'a str,
    /// By UnifiedPOS: `POSPrinter`, `CashDrawer`, `Scanner`, `Scale` or `LineDisplay`.
    #[schema(example = "Scanner")]
    class: &'a str,
    /// How it is reached.
    #[schema(example = "serial:/dev/serial/by-id/usb-scanner")]
    port: &'a str,
    /// Whether it stands in the configuration file, and is changed there.
    fixed: bool,
    /// `absent`, `ready`, `busy`, `waiting`, `faulty` or `disabled`.
    #[schema(value_type = String, example = "ready")]
    state: DeviceState,
    /// What to do, where it is not well.
    detail: &'a str,
    /// Whose job that is: `retry` (nobody's, it goes away), `operator`, `technician` or `broken`.
    #[schema(value_type = Option<String>)]
    remedy: Option<Remedy>,
    /// Since when it is so, RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    since: Millis,
    enabled: bool,
    /// The till that it acts for.
    claimed_by: Option<&'a str>,
    /// Since the daemon's start: `opened`, `lost`, `hung`, `panicked`, `done`, `refused`.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    counters: Counters,
    /// What it hangs on, where that is one of our own controllers; as it was when it was there last.
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<ControllerView<'a>>,
    /// Sheets that wait; of printers.
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<usize>,
    /// The roll will soon be at its end; of printers.
    #[serde(skip_serializing_if = "Option::is_none")]
    paper_near_end: Option<bool>,
    /// Whether it is open; of drawers with a switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
    /// Whether scans go onto the till's open transaction; of scanners.
    #[serde(skip_serializing_if = "Option::is_none")]
    adds_to_sale: Option<bool>,
    /// Kilograms at rest on it; of scales.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'a str>,
    /// What it shows; of displays.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<&'a [String; 2]>,
}

impl<'a> DeviceView<'a> {
    pub(super) fn new(condition: &'a Condition) -> Self {
        let mut view = Self {
            id: &condition.id,
            class: &condition.class,
            port: &condition.port,
            fixed: condition.fixed,
            state: if condition.enabled { condition.state } else { DeviceState::Disabled },
            detail: &condition.detail,
            remedy: condition.remedy,
            since: condition.since,
            enabled: condition.enabled,
            claimed_by: condition.claimed_by.as_deref(),
            counters: condition.counters,
            controller: condition.controller.as_deref().map(Into::into),
            jobs: None,
            paper_near_end: None,
            open: None,
            adds_to_sale: None,
            weight: None,
            lines: None,
        };
        match &condition.of_class {
            OfClass::Nothing => {}
            OfClass::Printer { jobs, paper_near_end } => {
                (view.jobs, view.paper_near_end) = (Some(*jobs), Some(*paper_near_end));
            }
            OfClass::Drawer { open } => view.open = *open,
            OfClass::Scanner { adds_to_sale } => view.adds_to_sale = Some(*adds_to_sale),
            OfClass::Scale { weight } => view.weight = weight.as_deref(),
            OfClass::Display { lines } => view.lines = Some(lines),
        }
        view
    }
}

/// List them
#[utoipa::path(
    get, path = "/api/v1/devices", tag = "devices", responses((status = 200, body = Listed<DeviceView<'static>>), Problems),
)]
async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let all = app.devices.all();
    let items = all.iter().map(DeviceView::new).collect();
    reply::json(StatusCode::OK, &Listed { items, next_cursor: None })
}

/// Read one
#[utoipa::path(
    get, path = "/api/v1/devices/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn read(State(app): State<App>, Segment(id): Segment<String>) -> Result<Response, Problem> {
    show(&app.devices.get(&id)?)
}

/// A port that something is plugged into.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PortView<'a> {
    /// As a device's setup says it.
    #[schema(example = "serial:/dev/serial/by-id/usb-scanner")]
    port: &'a str,
    /// The sections of a setup that may go with it.
    #[schema(example = json!(["scanner", "scale", "display", "printer"]))]
    sections: &'a [&'a str],
    /// The device that is configured for it, if one is.
    device_id: Option<&'a str>,
}

impl<'a> PortView<'a> {
    fn all(found: &'a [FoundPort]) -> Vec<Self> {
        let view = |found: &'a FoundPort| Self {
            port: &found.port,
            sections: found.sections,
            device_id: found.device_id.as_deref(),
        };
        found.iter().map(view).collect()
    }
}

/// List the ports
///
/// That something is plugged into, configured or not: what to configure a device for. Printers on the network are not found.
/// The event `portsChanged` says it when that has changed, within a second or two.
#[utoipa::path(
    get, path = "/api/v1/device-ports", tag = "devices", responses((status = 200, body = Listed<PortView<'static>>), Problems),
)]
async fn ports(State(app): State<App>) -> Result<Response, Problem> {
    let devices = app.devices.clone();
    let found = off_thread(move || Ok(devices.found_ports())).await?;
    reply::json(StatusCode::OK, &Listed { items: PortView::all(&found), next_cursor: None })
}

/// For which till.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Claim {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    #[schema(example = "till-1")]
    terminal_id: String,
    /// Whether scans go onto the till's open transaction by themselves; of scanners. Left out: as it was.
    adds_to_sale: Option<bool>,
}

identified!(Claim);

/// Claim it
///
/// From then on it acts for this till alone, and its scans are the till's. 409 where another till has it.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/claim", tag = "devices", request_body = Claim,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn claim(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<Claim>,
) -> Result<Response, Problem> {
    let Claim { terminal_id, adds_to_sale, .. } = submission.body;
    short_name(&terminal_id)?;
    show(&app.devices.claim(&id, &terminal_id, adds_to_sale)?)
}

/// Release it
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/release", tag = "devices", request_body = Claim,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn release(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<Claim>,
) -> Result<Response, Problem> {
    show(&app.devices.release(&id, &submission.body.terminal_id)?)
}

/// Enable it
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/enable", tag = "devices",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn enable(
    State(app): State<App>,
    Segment(id): Segment<String>,
    request: Bodiless,
) -> Result<Response, Problem> {
    request.required_key()?;
    show(&app.devices.enable(&id, true)?)
}

/// Disable it
///
/// What it sends is dropped, and nothing is asked of it, until it is enabled again. Sheets wait.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/disable", tag = "devices",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn disable(
    State(app): State<App>,
    Segment(id): Segment<String>,
    request: Bodiless,
) -> Result<Response, Problem> {
    request.required_key()?;
    show(&app.devices.enable(&id, false)?)
}

pub(super) fn show(condition: &Condition) -> Result<Response, Problem> {
    reply::json(StatusCode::OK, &DeviceView::new(condition))
}

fn short_name(name: &str) -> Result<(), Problem> {
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        let detail = "terminalId has 1 to 200 bytes and no control characters.";
        return Err(Problem::impossible("bad-text", detail).at("terminalId"));
    }
    Ok(())
}

impl From<DeviceError> for Problem {
    fn from(error: DeviceError) -> Self {
        let detail = error.to_string();
        match error {
            DeviceError::Unknown(_) => Self::not_found("no-such-device", detail),
            DeviceError::Claimed { .. } => Self::conflict("claimed", detail),
            DeviceError::Unclaimed(_) => Self::conflict("unclaimed", detail),
            DeviceError::Disabled(_) => Self::conflict("disabled", detail),
            DeviceError::Unable { .. } => Self::conflict("device-unable", detail),
            DeviceError::KeyReused => SubmitError::KeyReused.into(),
            DeviceError::WrongClass { .. } => Self::impossible("wrong-class", detail),
            DeviceError::NoController(_) => Self::impossible("no-controller", detail),
            DeviceError::BadImage(_) => Self::impossible("bad-image", detail),
        }
    }
}

/// What goes with the event `scan`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScanNews<'a> {
    time: String,
    scan_id: Uuid,
    device_id: &'a str,
    terminal_id: Option<&'a str>,
    /// As the scanner sent it.
    data: &'a str,
    /// `item`, `embedded`, `elements` or `text`; absent where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gtin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
    product: Option<ProductView<'a>>,
    /// The open transaction that it goes onto.
    transaction_id: Option<Uuid>,
    /// It waited in the scanner for so long that it counts for nothing any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    late: bool,
    /// Why it cannot be read, or went nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// What goes with the event `weight`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WeightNews<'a> {
    device_id: &'a str,
    terminal_id: Option<&'a str>,
    weight: String,
    unit: &'static str,
}

impl<'a> ScanNews<'a> {
    fn new(scan: &'a Scan, refused: Option<&str>, store: &'a StoreConfig) -> Self {
        use pos_domain::barcode::Barcode;
        let barcode = scan.barcode.as_ref().ok();
        let problem = scan.barcode.as_ref().err().map(ToString::to_string);
        Self {
            time: scan.at.rfc3339(),
            scan_id: scan.id,
            device_id: &scan.device,
            terminal_id: scan.terminal.as_deref(),
            data: &scan.data,
            kind: barcode.map(|barcode| match barcode {
                Barcode::Item(_) => "item",
                Barcode::Embedded(_) => "embedded",
                Barcode::Elements(_) => "elements",
                Barcode::Text(_) => "text",
            }),
            gtin: barcode.and_then(Barcode::gtin).map(|gtin| format!("{:014}", gtin.number())),
            said: barcode.and_then(|_| Said::of(&scan.data, store)),
            product: scan.product.as_deref().map(|product: &Product| ProductView::new(product, store)),
            transaction_id: scan.transaction,
            late: scan.late,
            problem: refused.map(str::to_owned).or(problem),
        }
    }
}

/// News, as they go over the wire: without an id, for nobody can ask for them again.
pub(super) fn written(news: &News, store: &StoreConfig) -> String {
    // Plain structs become JSON without fail.
    let (event, data) = match news {
        News::Changed(condition) => {
            ("deviceChanged", serde_json::to_string(&DeviceView::new(condition)).unwrap_or_default())
        }
        News::Scanned(scan) => {
            ("scan", serde_json::to_string(&ScanNews::new(scan, None, store)).unwrap_or_default())
        }
        News::Weighed { device, terminal, kilograms } => {
            let news = WeightNews {
                device_id: device,
                terminal_id: terminal.as_deref(),
                weight: kilograms.to_string(),
                unit: "kg",
            };
            ("weight", serde_json::to_string(&news).unwrap_or_default())
        }
        News::Ports(found) => {
            let listed = Listed { items: PortView::all(found), next_cursor: None };
            ("portsChanged", serde_json::to_string(&listed).unwrap_or_default())
        }
        News::ScanRefused(scan, why) => {
            ("scanRefused", serde_json::to_string(&ScanNews::new(scan, Some(why), store)).unwrap_or_default())
        }
    };
    let mut text = String::with_capacity(data.len() + 40);
    // Writing to a String cannot fail. JSON has no line feeds in it.
    let _ = write!(text, "event: {event}\ndata: {data}\n\n");
    text
}
