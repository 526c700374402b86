//! The virtual printer's pages, mounted at `/printer`: its paper, its state, and switches for what can go wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use device_drivers::{Faults, VirtualPrinter};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// How long a question about the state waits for news.
const WAIT: Duration = Duration::from_secs(5);
/// Nothing but the page itself and what it asks this server for.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self'; connect-src 'self'";

type Printer = State<Arc<VirtualPrinter>>;

/// The pages of a virtual printer.
pub fn printer_pages(printer: Arc<VirtualPrinter>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/state", get(state))
        .route("/faults", post(set_faults))
        .route("/drawer/close", post(close_drawer))
        .route("/receipts/{file}", get(receipt))
        .with_state(printer)
}

async fn page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(include_str!("printer.html")))
}

/// What the page shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Look {
    version: u64,
    /// Newest first.
    receipts: Vec<u64>,
    uncut: bool,
    drawer_open: bool,
    drawer_kicks: u64,
    faults: Switches,
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

#[derive(Deserialize)]
struct After {
    after: Option<u64>,
}

/// Answers at once, or, when the asker has seen this version, as soon as there is another.
async fn state(State(printer): Printer, Query(asked): Query<After>) -> Json<Look> {
    let mut changes = printer.changes();
    if let Some(after) = asked.after {
        let _ = timeout(WAIT, changes.wait_for(|version| *version != after)).await;
    }
    let version = *changes.borrow();
    Json(Look {
        version,
        receipts: printer.receipts().iter().rev().map(|receipt| receipt.number).collect(),
        uncut: !printer.uncut().marks.is_empty(),
        drawer_open: printer.drawer_open(),
        drawer_kicks: printer.drawer_kicks(),
        faults: Switches::of(printer.faults()),
    })
}

async fn set_faults(State(printer): Printer, Json(switches): Json<Switches>) -> StatusCode {
    printer.set_faults(switches.faults(printer.faults()));
    StatusCode::NO_CONTENT
}

async fn close_drawer(State(printer): Printer) -> StatusCode {
    printer.close_drawer();
    StatusCode::NO_CONTENT
}

/// `7.svg`, or `uncut.svg` for what still hangs in the printer.
async fn receipt(State(printer): Printer, Path(file): Path<String>) -> Response {
    let svg = match file.strip_suffix(".svg") {
        Some("uncut") => Some(printer.uncut().to_svg()),
        Some(number) => {
            let receipts = printer.receipts();
            let wanted = receipts.iter().find(|receipt| receipt.number.to_string() == number);
            wanted.map(|receipt| receipt.paper.to_svg())
        }
        None => None,
    };
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-store")];
    match svg {
        Some(svg) => (headers, svg).into_response(),
        None => {
            (StatusCode::NOT_FOUND, "no such receipt; the printer keeps the last ones only\n").into_response()
        }
    }
}
