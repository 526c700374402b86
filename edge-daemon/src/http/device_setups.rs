//! Devices configured while the box runs.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::command::Command;
use pos_domain::event::{DeviceSetup, Event};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Bodiless, Submission, identified};
use super::params::Segment;
use super::problem::{Problem, Problems};
use super::reply;
use crate::checkout::Origin;
use crate::config::device_of;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(put, remove))
}

/// A device to configure.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetupIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// `printer`, `drawer`, `scanner`, `scale` or `display`: the section that it would have in the configuration file.
    #[schema(example = "scanner")]
    section: String,
    /// Its keys there and their values.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({"port": "serial:/dev/serial/by-id/usb-scanner", "terminal": "till-2"}))]
    settings: BTreeMap<String, Value>,
}

identified!(SetupIn);

/// A device as it was configured.
#[derive(Debug, Serialize, ToSchema)]
struct SetupView<'a> {
    id: &'a str,
    section: &'a str,
    /// As text.
    settings: &'a BTreeMap<String, String>,
}

/// Configure one
///
/// While the box runs; it is opened at once, in the place of what was called so. What stands in the configuration file is
/// changed there: 409.
#[utoipa::path(
    put, path = "/api/v1/devices/{id}", tag = "devices", request_body = SetupIn,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = SetupView<'static>), Problems),
)]
async fn put(
    State(app): State<App>,
    Segment(id): Segment<String>,
    submission: Submission<SetupIn>,
) -> Result<Response, Problem> {
    let Submission { body: SetupIn { section, settings, .. }, key, .. } = submission;
    let again = app.shop.was_done(&key);
    if !again {
        not_fixed(&app, &id)?;
    }
    if id.is_empty()
        || id.len() > 64
        || !id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    {
        let detail = "A device's id has 1 to 64 small letters, digits, - and _.";
        return Err(Problem::impossible("bad-device-id", detail));
    }
    let settings = settings.into_iter().map(|(key, value)| match value {
        // Texts stand as they are, all else as TOML has it.
        Value::String(text) => (key, text),
        other => (key, other.to_string()),
    });
    let setup = DeviceSetup { id, section, settings: settings.collect() };
    let config =
        device_of(&setup).map_err(|problems| Problem::impossible("bad-device", format!("{problems}.")))?;
    let fits = if again { Ok(()) } else { app.devices.fits(&config) };
    fits.map_err(|why| Problem::impossible("bad-device", format!("{why}.")))?;
    let done = app.shop.submit(Some(key), Command::PutDevice(setup), Origin::default()).await?;
    let setup = done.events.iter().find_map(|event| match &**event {
        Event::DevicePut(setup) => Some(setup),
        _ => None,
    });
    let Some(DeviceSetup { id, section, settings }) = setup else {
        return Err(Problem::internal("The device cannot be shown; read it."));
    };
    reply::changed(StatusCode::OK, done.position, &SetupView { id, section, settings })
}

/// Forget one
///
/// That was configured over this interface. Sheets that wait for it are left unprinted, to be printed elsewhere.
#[utoipa::path(
    delete, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 204, description = "it is gone"), Problems),
)]
async fn remove(
    State(app): State<App>,
    Segment(id): Segment<String>,
    request: Bodiless,
) -> Result<Response, Problem> {
    // Also where one of the file has taken its place.
    if !app.shop.state().devices.contains_key(&id) {
        not_fixed(&app, &id)?;
    }
    let done = app.shop.submit(request.key, Command::RemoveDevice(id), Origin::default()).await?;
    Ok(reply::at(reply::raw(StatusCode::NO_CONTENT, "application/json", ""), done.position))
}

fn not_fixed(app: &App, id: &str) -> Result<(), Problem> {
    if app.devices.is_fixed(id) {
        let detail = format!("{id} stands in the configuration file; change it there and restart the box.");
        return Err(Problem::conflict("device-in-file", detail));
    }
    Ok(())
}
