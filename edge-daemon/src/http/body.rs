//! Request bodies: bounded before they are decoded, typed, and tied to their idempotency key.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::json_path;
use super::problem::Problem;
use crate::checkout::CommandKey;

/// The largest body that is looked at, in bytes: 1 MiB.
pub(super) const MAX_BODY: usize = 1024 * 1024;
/// How much more is read and thrown away, so that a client that sends first and reads afterwards gets its answer.
const MAX_DISCARD: usize = 32 * MAX_BODY;
/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest `Idempotency-Key`, in characters.
const MAX_KEY: usize = 200;

/// A decoded body that changes something, with the key that makes it happen once.
pub(super) struct Submission<T> {
    /// The body.
    pub(super) body: T,
    /// Its idempotency key.
    pub(super) key: CommandKey,
    /// The request's headers.
    pub(super) headers: HeaderMap,
}

/// What may bring an id that stands in for the `Idempotency-Key`.
pub(super) trait Identified {
    /// The client-made id, if there is one.
    fn own_id(&self) -> Option<Uuid>;
}

/// Bodies whose field `id` is that id.
macro_rules! identified {
    ($($body:ty),* $(,)?) => { $(impl $crate::http::body::Identified for $body {
        fn own_id(&self) -> Option<uuid::Uuid> {
            self.id
        }
    })* };
}
pub(super) use identified;

impl<T, S> FromRequest<S> for Submission<T>
where
    T: DeserializeOwned + Identified,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let named = media_type(&parts.headers)?;
        let bytes = read(&parts.headers, body).await?;
        if !named && !bytes.is_empty() {
            return Err(not_json());
        }
        let body: T = decode(&bytes)?;
        let key = match idempotency_key(&parts.headers)? {
            Some(key) => stored_key(key),
            None => body.own_id().ok_or_else(key_missing)?.into_bytes(),
        };
        let request = request_hash(parts.method.as_str(), parts.uri.path(), &bytes);
        Ok(Self { body, key: CommandKey { key, request }, headers: parts.headers })
    }
}

/// A body that is no text; its request has an idempotency key.
pub(super) struct Octets(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Octets {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let named = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if named != Some(b"application/octet-stream") {
            let detail = "The body must be application/octet-stream; say so in Content-Type.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-octets", detail));
        }
        // What it asks for is the same however often it is asked for: the key need not be kept.
        idempotency_key(&parts.headers)?.ok_or_else(key_missing)?;
        read(&parts.headers, body).await.map(Self)
    }
}

/// A request that changes something but has no body; its key may be missing.
pub(super) struct Bodiless {
    /// Its idempotency key, if it has one.
    pub(super) key: Option<CommandKey>,
}

impl<S: Send + Sync> FromRequest<S> for Bodiless {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts.headers, body).await?;
        if !bytes.is_empty() && !media_type(&parts.headers)? {
            return Err(not_json());
        }
        let key = idempotency_key(&parts.headers)?.map(|key| CommandKey {
            key: stored_key(key),
            request: request_hash(parts.method.as_str(), parts.uri.path(), &bytes),
        });
        Ok(Self { key })
    }
}

impl Bodiless {
    /// The key of a request that needs one.
    pub(super) fn required_key(self) -> Result<CommandKey, Problem> {
        self.key.ok_or_else(key_missing)
    }
}

fn key_missing() -> Problem {
    Problem::malformed(
        "idempotency-key-missing",
        "Send an Idempotency-Key header of your own making (a UUID is good), or an id in the body; repeat it when you repeat the request.",
    )
}

/// The sixteen bytes that a key is kept as: of a UUID its own, so that those made in order are found in order; of any
/// other text the first half of its SHA-256.
fn stored_key(key: &[u8]) -> [u8; 16] {
    let uuid = Some(key).filter(|key| key.len() == 36).and_then(|key| Uuid::try_parse_ascii(key).ok());
    uuid.map_or_else(|| first_half(Sha256::digest(key).into()), Uuid::into_bytes)
}

/// The header's bytes: 1 to 200 printable ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let Some(key) = headers.get("idempotency-key").map(|value| value.as_bytes()) else {
        return Ok(None);
    };
    let printable = key.iter().all(|byte| matches!(byte, b' '..=b'~'));
    if key.is_empty() || key.len() > MAX_KEY || !printable {
        let detail = format!("An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters.");
        return Err(Problem::malformed("bad-idempotency-key", detail));
    }
    Ok(Some(key))
}

/// What the same key must come with again: SHA-256 of method, path and body, one line feed between them.
fn request_hash(method: &str, path: &str, body: &[u8]) -> [u8; 32] {
    let head = Sha256::new().chain_update(method).chain_update("\n").chain_update(path).chain_update("\n");
    head.chain_update(body).finalize().into()
}

fn first_half(digest: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    half
}

/// Whether the body is said to be JSON; what is said to be something else is refused unread. A page can have a browser
/// send a form, a text or bytes of no type to any site, but JSON only where that site agrees.
fn media_type(headers: &HeaderMap) -> Result<bool, Problem> {
    let Some(media_type) = headers.get(header::CONTENT_TYPE) else { return Ok(false) };
    let name = media_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if name.eq_ignore_ascii_case("application/json") { Ok(true) } else { Err(not_json()) }
}

fn not_json() -> Problem {
    let detail = "Send the body as JSON, with the header Content-Type: application/json.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // An array would be taken for the fields in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::malformed("wrong-shape", "The body must be a JSON object, not an array."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let code = if error.is_data() { "wrong-shape" } else { "malformed-json" };
        let problem = Problem::malformed(code, format!("The body cannot be read: {error}."));
        match json_path::of(bytes, &error) {
            Some(place) => problem.at(place),
            None => problem,
        }
    })
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    // Such a client waits to be told to go on, so it reads the answer before it sends.
    let waits = headers.contains_key(header::EXPECT);
    if waits && announced.is_some_and(|length| length > MAX_BODY) {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, collect(body, announced.unwrap_or(0))).await {
        Ok(result) => result,
        Err(_) => {
            let detail = "The body did not arrive in time; send the request again.";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", detail))
        }
    }
}

async fn collect(mut body: Body, announced: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut all: Vec<u8> = Vec::new();
    let mut length = 0_usize;
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await;
        let data = match frame {
            None => break,
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => {
                return Err(Problem::malformed("body-broken", format!("The body ended too early: {error}.")));
            }
        };
        length = length.saturating_add(data.len());
        if length > MAX_BODY + MAX_DISCARD {
            break;
        }
        if length > MAX_BODY || data.is_empty() {
            continue;
        }
        // Nearly every body comes in one piece: no copy then.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.reserve(announced.min(MAX_BODY));
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
    match (length > MAX_BODY, all.is_empty()) {
        (true, _) => Err(too_large()),
        (false, true) => Ok(first),
        (false, false) => Ok(all.into()),
    }
}

fn too_large() -> Problem {
    let detail = "A body has at most 1 MiB; send less at once.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        id: Option<Uuid>,
        #[serde(default)]
        amount: i64,
    }

    impl Identified for Thing {
        fn own_id(&self) -> Option<Uuid> {
            self.id
        }
    }

    async fn submit(
        key: Option<&str>,
        path: &str,
        body: impl Into<Body>,
    ) -> Result<Submission<Thing>, Problem> {
        let mut request = Request::post(path).header("content-type", "Application/JSON; charset=utf-8");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        Submission::from_request(request.body(body.into()).unwrap(), &()).await
    }

    fn refused<T>(result: Result<T, Problem>) -> (u16, &'static str) {
        let problem = result.err().expect("it must be refused");
        (problem.status().as_u16(), problem.code())
    }

    #[tokio::test]
    async fn the_key_is_of_the_header_or_else_of_the_id() {
        let id = r#"{"id":"0197a1b2-0000-7000-8000-000000000001"}"#;
        let by_id = submit(None, "/a", id).await.unwrap().key;
        let by_header = submit(Some("0197a1b2-0000-7000-8000-000000000001"), "/a", id).await.unwrap().key;
        assert_eq!((by_id.key, by_id.request), (by_header.key, by_header.request));
        let other = submit(Some("x"), "/a", id).await.unwrap().key;
        assert_ne!(other.key, by_id.key);
        assert_eq!(other.request, by_id.request);
        assert_eq!(refused(submit(None, "/a", "{}").await), (400, "idempotency-key-missing"));
    }

    #[tokio::test]
    async fn the_request_is_of_method_path_and_body() {
        let at = async |path, body: &'static str| submit(Some("k"), path, body).await.unwrap().key.request;
        assert_eq!(at("/a", "{}").await, at("/a?x=1", "{}").await);
        assert_ne!(at("/a", "{}").await, at("/b", "{}").await);
        assert_ne!(at("/a", "{}").await, at("/a", "{ }").await);
        let expected: [u8; 32] = Sha256::digest(b"POST\n/a\n{}").into();
        assert_eq!(at("/a", "{}").await, expected);
    }

    #[tokio::test]
    async fn keys_are_short_and_printable() {
        for bad in ["", "a\tb", &"k".repeat(201)] {
            assert_eq!(refused(submit(Some(bad), "/a", "{}").await), (400, "bad-idempotency-key"), "{bad:?}");
        }
        assert!(submit(Some(&"k".repeat(200)), "/a", "{}").await.is_ok());
    }

    #[tokio::test]
    async fn bad_json_says_what_and_where() {
        assert_eq!(refused(submit(Some("k"), "/a", "{").await), (400, "malformed-json"));
        assert_eq!(refused(submit(Some("k"), "/a", "").await), (400, "malformed-json"));
        assert_eq!(refused(submit(Some("k"), "/a", " [null, 7]").await), (400, "wrong-shape"));
        assert_eq!(
            refused(submit(Some("k"), "/a", &b"{\"id\":\"\xff\xfe\"}"[..]).await),
            (400, "malformed-json")
        );
        let wrong = submit(Some("k"), "/a", r#"{"amount":"5"}"#).await.err().unwrap();
        assert_eq!((wrong.code(), wrong.field()), ("wrong-shape", Some("amount")));
        let unknown = submit(Some("k"), "/a", r#"{"amuont":5}"#).await.err().unwrap();
        assert_eq!((unknown.code(), unknown.field()), ("wrong-shape", Some("amuont")));
    }

    #[tokio::test]
    async fn a_body_ends_at_one_mebibyte() {
        let padded = |length: usize| format!("{}{{\"amount\":7}}", " ".repeat(length - 12));
        assert_eq!(submit(Some("k"), "/a", padded(MAX_BODY)).await.unwrap().body.amount, 7);
        assert_eq!(refused(submit(Some("k"), "/a", padded(MAX_BODY + 1)).await), (413, "body-too-large"));
    }

    #[tokio::test]
    async fn only_json_is_a_body() {
        for (media_type, body, expected) in [
            (Some("text/plain"), "{}", Some((415, "not-json"))),
            (Some("application/x-www-form-urlencoded"), "", Some((415, "not-json"))),
            // What a page sends across sites without being asked: a blob of no type.
            (None, r#"{"id":"0197a1b2-0000-7000-8000-000000000001"}"#, Some((415, "not-json"))),
            (None, "", Some((400, "malformed-json"))),
            (Some("application/json"), "{}", None),
        ] {
            let of = |body| {
                let request = Request::post("/a").header("idempotency-key", "k");
                let typed = media_type
                    .into_iter()
                    .fold(request, |request, name| request.header("content-type", name));
                typed.body(Body::from(body)).unwrap()
            };
            let found = Submission::<Thing>::from_request(of(body), &()).await;
            assert_eq!(
                found.err().map(|problem| (problem.status().as_u16(), problem.code())),
                expected,
                "{media_type:?} {body}"
            );
            let bodiless = Bodiless::from_request(of(body), &()).await.map(|_| ());
            let expected = expected.filter(|_| !body.is_empty());
            assert_eq!(
                bodiless.err().map(|problem| (problem.status().as_u16(), problem.code())),
                expected,
                "{media_type:?} {body}"
            );
        }
    }
}
