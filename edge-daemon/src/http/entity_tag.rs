//! Versions of what can be edited, as entity tags (RFC 9110 section 8.8.3): an edit may insist on the one that it read.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::problem::Problem;

/// The version of what was edited, as an entity tag.
pub(super) fn tagged(mut response: Response, version: u32) -> Response {
    if let Ok(value) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The version that `If-Match` insists on; `None`: no insistence (or `*`, which an edit that may create ignores).
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version =
        text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    version.map(Some).ok_or_else(|| {
        Problem::malformed("bad-if-match", "If-Match is the ETag as it was read, in quotes, such as \"3\".")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insisted(value: &'static str) -> Result<Option<u32>, u16> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))]);
        if_match(&headers).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn what_was_tagged_can_be_insisted_on() {
        let response = tagged(Response::default(), 42);
        let tag = response.headers().get(header::ETAG).unwrap().clone();
        let headers = HeaderMap::from_iter([(header::IF_MATCH, tag)]);
        assert_eq!(if_match(&headers).unwrap(), Some(42));
    }

    #[test]
    fn only_a_version_in_quotes_is_one() {
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(insisted("*"), Ok(None));
        assert_eq!(insisted("\"0\""), Ok(Some(0)));
        for bad in ["3", "\"\"", "W/\"3\"", "\"x\"", "\"-1\"", "\"1\", \"2\""] {
            assert_eq!(insisted(bad), Err(400), "{bad}");
        }
    }
}
