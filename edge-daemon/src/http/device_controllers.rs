//! Our own controllers behind devices: what is known of them, and their keys.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_link::Tally;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Octets, Submission, identified};
use super::devices::{DeviceView, show};
use super::free_text::off_thread;
use super::params::Segment;
use super::problem::{Problem, Problems};
use super::reply;
use crate::peripherals::{About, ControllerKey, ControllerKind, KeyState, Update, UpdateState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(enrol)).routes(routes!(update))
}

/// A controller.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ControllerView<'a> {
    /// Its chip's number.
    #[schema(example = "0123456789abcdef")]
    hardware: &'a str,
    /// `scanner`, `drawer` or `unknown`.
    #[schema(value_type = String, example = "drawer")]
    kind: ControllerKind,
    /// The version of its firmware.
    #[schema(example = "1.2.0")]
    firmware: &'a str,
    /// The line that it hangs on.
    #[schema(example = "serial:/dev/serial/by-id/usb-adapter")]
    line: &'a str,
    /// What the box has of its key: `none` (it needs none), `missing`, `other` (one that is not the controller's) or `enrolled`.
    #[schema(value_type = String, example = "enrolled")]
    key: KeyState,
    /// Counted by itself, in all its boots.
    tally: TallyView,
    /// Its last update since the daemon's start.
    update: Option<UpdateView<'a>>,
}

/// What a controller counted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TallyView {
    boots: u32,
    watchdog_resets: u32,
    #[serde(flatten)]
    scanned: ScanTally,
    /// Pulses of the solenoid.
    pulses: u32,
    /// Requests to open that it refused.
    refused: u32,
    /// Frames that it could not read.
    dropped: u32,
}

/// What a controller counted of its scanner.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ScanTally {
    scans: u32,
    /// Codes that were the one before, read again.
    repeats: u32,
    /// Scans that the box refused.
    scans_refused: u32,
    /// Codes that were not read because nothing more could wait.
    scans_full: u32,
}

/// An update of a controller.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UpdateView<'a> {
    #[schema(example = "1.3.0")]
    version: &'a str,
    /// `sending`, `done` or `refused`.
    #[schema(value_type = String, example = "sending")]
    state: UpdateState,
    /// Bytes that the controller has stored.
    stored: usize,
    /// Bytes of the image.
    length: usize,
    /// What went wrong and what to do, where it was refused.
    detail: &'a str,
}

impl<'a> From<&'a About> for ControllerView<'a> {
    fn from(about: &'a About) -> Self {
        let About { hardware, kind, firmware, line, key, tally, update, .. } = about;
        let Tally { boots, watchdog_resets, scans, repeats, scans_refused, scans_full, .. } = *tally;
        let Tally { pulses, refused, dropped, .. } = *tally;
        let scanned = ScanTally { scans, repeats, scans_refused, scans_full };
        let tally = TallyView { boots, watchdog_resets, scanned, pulses, refused, dropped };
        let update = update.as_ref().map(|update| {
            let Update { version, state, stored, length, detail } = update;
            UpdateView { version, state: *state, stored: *stored, length: *length, detail }
        });
        Self { hardware, kind: *kind, firmware, line, key: *key, tally, update }
    }
}

/// A controller's key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The 64 hexadecimal digits on the controller's label; spaces and dashes do not count.
    #[schema(example = "00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f")]
    key: String,
}

identified!(KeyIn);

/// Enrol a controller's key
///
/// With it the box answers the controller's challenges: a drawer opens for nobody else. It is kept on the box and never shown
/// again; `controller.key` says whether it is the right one.
#[utoipa::path(
    put, path = "/api/v1/devices/{id}/controller-key", tag = "devices", request_body = KeyIn,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = DeviceView<'static>), Problems),
)]
async fn enrol(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<KeyIn>,
) -> Result<Response, Problem> {
    let Some(key) = ControllerKey::parse(&submission.body.key) else {
        let detail = "A controller's key has 64 hexadecimal digits; they stand on its label.";
        return Err(Problem::impossible("bad-controller-key", detail).at("key"));
    };
    let devices = app.devices.clone();
    show(&off_thread(move || Ok(devices.enrol(&id, &key)?)).await?)
}

/// Give a controller other firmware
///
/// A signed image, at most 1 MiB. It is sent in the background, goes on over interruptions, and is dropped when the daemon ends: then it is asked
/// for again, and goes on where the controller is. `controller.update` and the event `deviceChanged` say how far it is.
/// The controller takes only what is signed for it and newer, tries it, and goes back by itself if it does not start.
#[utoipa::path(
    post, path = "/api/v1/devices/{id}/firmware", tag = "devices",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 202, body = DeviceView<'static>), Problems),
)]
async fn update(
    State(app): State<App>,
    Segment(id): Segment<String>,
    Octets(image): Octets,
) -> Result<Response, Problem> {
    let devices = app.devices.clone();
    // Its sum is checked first.
    let condition = off_thread(move || Ok(devices.update(&id, &image)?)).await?;
    reply::json(StatusCode::ACCEPTED, &DeviceView::new(&condition))
}
