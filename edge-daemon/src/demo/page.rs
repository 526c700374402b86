//! The virtual counter's page, mounted at `/counter`: each virtual device to be looked at, used, and broken.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use device_drivers::{Faults, ScaleFaults, ScannerFaults, VirtualPrinter, VirtualScanner};
use serde::{Deserialize, Serialize};

use super::counter::VirtualCounter;

/// Nothing but the page itself and what it asks this server for.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self'; connect-src 'self'";
/// The longest code that is scanned, in bytes.
const MAX_CODE: usize = 400;

type Counter = State<Arc<VirtualCounter>>;

/// The pages of virtual devices.
pub fn counter_pages(counter: Arc<VirtualCounter>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/state", get(state))
        .route("/printers/{id}/faults", post(set_faults))
        .route("/printers/{id}/receipts/{file}", get(receipt))
        .route("/drawers/{id}", post(move_drawer))
        .route("/scanners/{id}", post(use_scanner))
        .route("/scales/{id}", post(use_scale))
        .with_state(counter)
}

async fn page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(include_str!("counter.html")))
}

/// What the page shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Look {
    printers: Vec<PrinterLook>,
    drawers: Vec<DrawerLook>,
    scanners: Vec<ScannerLook>,
    scales: Vec<ScaleLook>,
    displays: Vec<DisplayLook>,
}

#[derive(Serialize)]
struct ScaleLook {
    id: String,
    /// Thousandths of its unit.
    shown: i64,
    silent: bool,
}

#[derive(Serialize)]
struct DisplayLook {
    id: String,
    lines: [String; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrinterLook {
    id: String,
    /// Newest first.
    receipts: Vec<u64>,
    /// Changes with what hangs uncut in it; 0: nothing.
    uncut: usize,
    faults: Switches,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DrawerLook {
    id: String,
    open: bool,
    kicks: u64,
    locked: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScannerLook {
    id: String,
    plugged: bool,
    double: bool,
    noise: bool,
}

/// What can be switched on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Switches {
    paper_out: bool,
    paper_near_end: bool,
    cover_open: bool,
    cutter_jammed: bool,
    silent: bool,
    slow: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self::of(Faults::default())
    }
}

/// How slow `slow` is: a portion of the job takes so long.
const SLOW: Duration = Duration::from_millis(400);

impl Switches {
    fn of(faults: Faults) -> Self {
        Self {
            paper_out: faults.paper_out,
            paper_near_end: faults.paper_near_end,
            cover_open: faults.cover_open,
            cutter_jammed: faults.cutter_jammed,
            silent: faults.silent,
            slow: !faults.slow.is_zero(),
        }
    }

    fn faults(self, before: Faults) -> Faults {
        Faults {
            paper_out: self.paper_out,
            paper_near_end: self.paper_near_end,
            lines_left: before.lines_left.filter(|_| self.paper_out),
            cover_open: self.cover_open,
            cutter_jammed: self.cutter_jammed,
            silent: self.silent,
            slow: if self.slow { SLOW } else { Duration::ZERO },
            ..before
        }
    }
}

async fn state(State(counter): Counter) -> Json<Look> {
    let printers = counter.printers.iter().map(|(id, printer)| PrinterLook {
        id: id.clone(),
        receipts: printer.receipts().iter().rev().map(|receipt| receipt.number).collect(),
        uncut: printer.uncut().marks.len(),
        faults: Switches::of(printer.faults()),
    });
    let drawers = counter.drawers.iter().map(|(id, printer)| DrawerLook {
        id: id.clone(),
        open: printer.drawer_open(),
        kicks: printer.drawer_kicks(),
        locked: printer.faults().drawer_locked,
    });
    let mut scanners = Vec::new();
    for (id, scanner) in &counter.scanners {
        let plugged = scanner.device.lock().await;
        let faults = plugged.as_ref().map_or_else(ScannerFaults::default, |scanner| scanner.faults);
        let (double, noise) = (faults.double, faults.noise);
        scanners.push(ScannerLook { id: id.clone(), plugged: plugged.is_some(), double, noise });
    }
    let scales = counter.scales.iter().map(|(id, scale)| ScaleLook {
        id: id.clone(),
        shown: scale.shown(),
        silent: scale.faults().silent,
    });
    let displays =
        counter.displays.iter().map(|(id, display)| DisplayLook { id: id.clone(), lines: display.lines() });
    Json(Look {
        printers: printers.collect(),
        drawers: drawers.collect(),
        scanners,
        scales: scales.collect(),
        displays: displays.collect(),
    })
}

fn missing(what: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("no such {what}; reload the page\n")).into_response()
}

async fn set_faults(
    State(counter): Counter,
    Path(id): Path<String>,
    Json(switches): Json<Switches>,
) -> Response {
    let Some(printer) = counter.printers.get(&id) else { return missing("printer") };
    printer.set_faults(switches.faults(printer.faults()));
    StatusCode::NO_CONTENT.into_response()
}

/// What is done to a drawer by hand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hand {
    /// Opened by its key, or pushed shut.
    open: Option<bool>,
    /// Locked by its key.
    locked: Option<bool>,
}

async fn move_drawer(State(counter): Counter, Path(id): Path<String>, Json(hand): Json<Hand>) -> Response {
    let Some(printer) = counter.drawers.get(&id) else { return missing("drawer") };
    if let Some(open) = hand.open {
        printer.move_drawer(open);
    }
    if let Some(drawer_locked) = hand.locked {
        printer.set_faults(Faults { drawer_locked, ..printer.faults() });
    }
    StatusCode::NO_CONTENT.into_response()
}

/// What is done with a scanner.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scanned {
    /// A code is held before it.
    code: Option<String>,
    /// It is plugged in, or pulled.
    plugged: Option<bool>,
    /// It sends each scan twice.
    double: Option<bool>,
    /// It sends noise in front.
    noise: Option<bool>,
}

async fn use_scanner(
    State(counter): Counter,
    Path(id): Path<String>,
    Json(asked): Json<Scanned>,
) -> Response {
    let Some(scanner) = counter.scanners.get(&id) else { return missing("scanner") };
    let mut device = scanner.device.lock().await;
    let failed = |error: std::io::Error| (StatusCode::CONFLICT, format!("{error}\n")).into_response();
    match asked.plugged {
        Some(false) => *device = None,
        Some(true) if device.is_none() => match VirtualScanner::plug(&scanner.path) {
            Ok(plugged) => *device = Some(plugged),
            Err(error) => return failed(error),
        },
        _ => {}
    }
    let Some(plugged) = device.as_mut() else {
        let refused = (StatusCode::CONFLICT, "the scanner is unplugged; plug it in\n").into_response();
        return if asked.code.is_some() { refused } else { StatusCode::NO_CONTENT.into_response() };
    };
    plugged.faults.double = asked.double.unwrap_or(plugged.faults.double);
    plugged.faults.noise = asked.noise.unwrap_or(plugged.faults.noise);
    if let Some(code) = asked.code {
        if code.is_empty() || code.len() > MAX_CODE || code.chars().any(|c| c.is_control() && c != '\u{1d}') {
            let words = format!("a code has 1 to {MAX_CODE} bytes and no control characters\n");
            return (StatusCode::UNPROCESSABLE_ENTITY, words).into_response();
        }
        // A line that nobody reads fills up.
        match tokio::time::timeout(Duration::from_secs(2), plugged.scan(&code)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return failed(error),
            Err(_) => return (StatusCode::CONFLICT, "nobody reads the scanner's line\n").into_response(),
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

/// What is done with a scale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnScale {
    /// Goods of so many thousandths of its unit are put on it.
    load: Option<i64>,
    /// It answers nothing.
    silent: Option<bool>,
}

/// As much as the counter bears, in thousandths.
const MAX_LOAD: i64 = 30_000;

async fn use_scale(State(counter): Counter, Path(id): Path<String>, Json(asked): Json<OnScale>) -> Response {
    let Some(scale) = counter.scales.get(&id) else { return missing("scale") };
    if let Some(load) = asked.load {
        scale.put(load.clamp(0, MAX_LOAD));
    }
    if let Some(silent) = asked.silent {
        scale.set_faults(ScaleFaults { silent, ..scale.faults() });
    }
    StatusCode::NO_CONTENT.into_response()
}

/// `7.svg`, or `uncut.svg` for what still hangs in the printer.
async fn receipt(State(counter): Counter, Path((id, file)): Path<(String, String)>) -> Response {
    let Some(printer) = counter.printers.get(&id) else { return missing("printer") };
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-store")];
    match picture(printer, &file) {
        Some(svg) => (headers, svg).into_response(),
        None => {
            (StatusCode::NOT_FOUND, "no such receipt; the printer keeps the last ones only\n").into_response()
        }
    }
}

fn picture(printer: &VirtualPrinter, file: &str) -> Option<String> {
    match file.strip_suffix(".svg")? {
        "uncut" => Some(printer.uncut().to_svg()),
        number => {
            let receipts = printer.receipts();
            let wanted = receipts.iter().find(|receipt| receipt.number.to_string() == number);
            wanted.map(|receipt| receipt.paper.to_svg())
        }
    }
}
