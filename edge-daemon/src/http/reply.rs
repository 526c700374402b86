//! Replies: JSON bodies, and the position at which what they say is on disk.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use pos_journal::Position;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;

/// The header that says where in the journal a change stands.
pub(super) const POSITION: &str = "tillbox-position";

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed<T> {
    /// The page's items.
    pub(super) items: Vec<T>,
    /// Pass it as `cursor` to get the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// A JSON reply.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    // Enough for a sale of a dozen and a half items.
    let mut bytes = Vec::with_capacity(6 * 1024);
    serde_json::to_writer(&mut bytes, body)
        .map_err(|error| Problem::internal(format!("The reply could not be written: {error}.")))?;
    Ok(raw(status, "application/json", bytes))
}

/// A JSON reply to a change.
pub(super) fn changed(
    status: StatusCode,
    position: Option<Position>,
    body: &impl Serialize,
) -> Result<Response, Problem> {
    Ok(at(json(status, body)?, position))
}

/// Says where the change stands.
pub(super) fn at(mut response: Response, position: Option<Position>) -> Response {
    if let Some(value) = position.and_then(|position| HeaderValue::try_from(position.to_string()).ok()) {
        response.headers_mut().insert(POSITION, value);
    }
    response
}

/// A reply of another type than JSON.
pub(super) fn raw(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
