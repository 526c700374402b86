//! What stands in the address: path segments and queries, with problems where they cannot be read; and the limits
//! of lists.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::problem::Problem;

/// Items of a page, if the client does not say.
const DEFAULT_LIMIT: usize = 50;
/// The most items of a page.
const MAX_LIMIT: usize = 500;

/// The path's variable parts.
pub(super) struct Segment<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for Segment<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(error) => {
                let detail = format!("The address cannot be read: {}. Ids are UUIDs.", error.body_text());
                Err(Problem::malformed("malformed-address", detail))
            }
        }
    }
}

/// The query.
pub(super) struct Params<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for Params<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(Problem::malformed("malformed-query", format!("{}.", error.body_text()))),
        }
    }
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// 1 to 500.
    #[param(default = 50)]
    pub(super) limit: Option<usize>,
    /// The `nextCursor` of the page before.
    pub(super) cursor: Option<String>,
}

/// Checks how many items a page is to have.
pub(super) fn page_limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(_) => Err(Problem::malformed("bad-limit", format!("limit is 1 to {MAX_LIMIT}."))),
    }
}
