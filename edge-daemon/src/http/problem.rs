//! Errors as clients see them: RFC 9457 `application/problem+json` with a stable `type` and a detail that says what to
//! do. What a client sent wrongly, what the domain refuses and what the box cannot do now all end here.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pos_domain::decide::{Refusal, RefusalKind};
use pos_journal::KeyError;
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response as Described, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::checkout::{ReadError, SealError, SubmitError};

/// What `type` starts with; a stable code in kebab case follows.
const TYPE_PREFIX: &str = "urn:tillbox:problem:";
const MEDIA_TYPE: &str = "application/problem+json";

/// A problem, RFC 9457 section 3.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Problem {
    /// `urn:tillbox:problem:` and a stable code in kebab case.
    #[serde(rename = "type", serialize_with = "write_type")]
    #[schema(value_type = String, example = "urn:tillbox:problem:unknown-product")]
    code: &'static str,
    /// The code in words.
    #[schema(example = "Unknown product")]
    title: String,
    /// The HTTP status.
    #[serde(serialize_with = "write_status")]
    #[schema(value_type = u16, example = 422)]
    status: StatusCode,
    /// What is wrong and what to do.
    #[schema(
        example = "No product has the SKU or barcode \"4006381333931\". Add it to the catalogue, or check the code."
    )]
    detail: String,
    /// Where in the body it is, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "items[3].quantity")]
    field: Option<String>,
}

fn write_type<S: serde::Serializer>(code: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{TYPE_PREFIX}{code}"))
}

fn write_status<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with a stable `code` in kebab case.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let mut title = code.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self { code, title, status, detail: detail.into(), field: None }
    }

    /// 400: not understood.
    pub(super) fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404: no such thing.
    pub(super) fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 409: not now, or not in this state.
    pub(super) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: understood, but impossible.
    pub(super) fn impossible(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 410: a person's data that was erased.
    pub(super) fn erased() -> Self {
        Self::new(StatusCode::GONE, "customer-erased", "The customer was erased; nothing personal is left.")
    }

    /// 503: not now; try again.
    pub(super) fn not_ready(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", detail)
    }

    /// 500: a fault of ours.
    pub(super) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", detail)
    }

    /// Says where in the body it is.
    pub(super) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The HTTP status.
    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code, without its prefix.
    #[cfg(test)]
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// Where in the body it is.
    #[cfg(test)]
    pub(super) fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Impossible => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Stale => StatusCode::PRECONDITION_FAILED,
        };
        Self::new(status, refusal.code, refusal.detail)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::KeyReused => Self::impossible(
                "key-reused",
                "This Idempotency-Key (or id) was used for another request. Use a new one for a new request.",
            ),
            SubmitError::NotReady(reason) => Self::not_ready(reason),
            SubmitError::NoSpace(reason) => Self::new(StatusCode::INSUFFICIENT_STORAGE, "no-space", reason),
            SubmitError::OutcomeUnknown => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "outcome-unknown",
                "Nobody knows whether this reached the disk. Send the same request with the same key again: it is done once.",
            ),
            SubmitError::Stopping => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                "The box is stopping; nothing was changed. Send the same request again when it is back.",
            ),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotReady(reason) => Self::not_ready(reason),
            ReadError::Damaged(reason) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", reason),
            ReadError::Cursor => {
                Self::malformed("bad-cursor", "The cursor is not one of this list's; start without one.")
            }
        }
    }
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Erased => Self::erased(),
            SealError::Keys(error @ KeyError::NoSpace(_)) => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "no-space",
                format!("Nothing was changed: {error}."),
            ),
            SealError::Keys(error) => Self::not_ready(format!("The key file cannot be used now: {error}.")),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")], body)
                .into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The problems that any operation may answer with, for the API's document.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Described>> {
        let described = [
            ("400", "Malformed: not JSON, a wrong type, an unknown field, no Idempotency-Key."),
            ("403", "A page of another site may change nothing here."),
            ("404", "There is no such thing."),
            ("409", "Not in this state."),
            ("413", "The body is larger than 1 MiB."),
            ("415", "A body that is not said to be application/json."),
            ("421", "Asked for another host than this machine, where the box is reached by."),
            ("422", "Understood, but impossible; or the key was used for another request."),
            ("503", "Not ready, stopping, or the outcome is unknown: send the same request again."),
            ("507", "No space left on the box."),
        ];
        let response = |text: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            RefOr::T(ResponseBuilder::new().description(text).content(MEDIA_TYPE, content).build())
        };
        described.into_iter().map(|(status, text)| (status.to_owned(), response(text))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(problem: Problem) -> (u16, &'static str) {
        (problem.status().as_u16(), problem.code())
    }

    #[test]
    fn each_error_has_its_status() {
        let refusal = |kind| {
            let refusal = Refusal { kind, code: "some-code", detail: "Do that instead.".into() };
            of(SubmitError::Refused(refusal).into()).0
        };
        let kinds =
            [RefusalKind::NotFound, RefusalKind::Conflict, RefusalKind::Impossible, RefusalKind::Stale];
        assert_eq!(kinds.map(refusal), [404, 409, 422, 412]);
        assert_eq!(of(SubmitError::KeyReused.into()), (422, "key-reused"));
        assert_eq!(of(SubmitError::NotReady("later".into()).into()), (503, "not-ready"));
        assert_eq!(of(SubmitError::NoSpace("full".into()).into()), (507, "no-space"));
        assert_eq!(of(SubmitError::OutcomeUnknown.into()), (503, "outcome-unknown"));
        assert_eq!(of(SubmitError::Stopping.into()), (503, "stopping"));
        assert_eq!(of(ReadError::NotReady("later".into()).into()), (503, "not-ready"));
        assert_eq!(of(ReadError::Damaged("there".into()).into()), (500, "damaged"));
        assert_eq!(of(ReadError::Cursor.into()), (400, "bad-cursor"));
        assert_eq!(of(SealError::Erased.into()), (410, "customer-erased"));
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(of(SealError::Keys(KeyError::NoSpace(full())).into()), (507, "no-space"));
        assert_eq!(of(SealError::Keys(KeyError::Poisoned).into()), (503, "not-ready"));
    }

    #[test]
    fn a_problem_is_written_as_rfc_9457_has_it() {
        let problem = Problem::impossible("bad-text", "Write less.").at("items[3].reason");
        let written = serde_json::to_string(&problem).unwrap();
        let expected = r#"{"type":"urn:tillbox:problem:bad-text","title":"Bad text","status":422,"detail":"Write less.","field":"items[3].reason"}"#;
        assert_eq!(written, expected);
        let busy = Problem::not_ready("Later.").into_response();
        assert_eq!(busy.headers()["retry-after"], "1");
        assert_eq!(busy.headers()["content-type"], MEDIA_TYPE);
    }
}
