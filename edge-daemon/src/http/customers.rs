//! Customers: what is personal is sealed on its way in, opened on its way out, and gone for good once erased.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use pos_domain::command::{Command, CustomerDraft};
use pos_domain::customer::{Account, Customer};
use pos_domain::decide::MAX_NAME;
use pos_domain::event::Event;
use pos_domain::seal::Sealed;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Bodiless, Submission, identified};
use super::entity_tag::{if_match, tagged};
use super::free_text::off_thread;
use super::params::{Paging, Params, Segment, page_limit};
use super::problem::{Problem, Problems};
use super::reply::{self, Listed};
use super::stream::{self, CutShort, Piece};
use super::transactions::{Transaction, page};
use crate::checkout::{Done, Origin, SaleFilter, Shop, Subject};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(find, create))
        .routes(routes!(read, put, erase))
        .routes(routes!(transactions))
        .routes(routes!(export))
}

/// The most that one personal field may have, in bytes.
const MAX_FIELD: usize = 300;
/// The most persons that one address finds.
const MAX_FOUND: usize = 100;

/// A person, as it is sealed: one JSON document in one envelope.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    #[schema(example = "Ada")]
    first_name: String,
    #[schema(example = "Lovelace")]
    last_name: String,
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    #[schema(example = "+44 20 7946 0000")]
    phone: Option<String>,
    address: Option<String>,
}

/// A customer as a client sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CustomerIn {
    /// Made by the client (UUIDv7), or else by the box. With PUT it only stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    first_name: String,
    last_name: String,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    /// What was agreed to, by name.
    #[schema(example = "newsletter")]
    consent: Option<String>,
}

identified!(CustomerIn);

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Customer)]
pub(super) struct CustomerView<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    #[serde(flatten)]
    profile: Profile,
    consent: Option<&'a str>,
    /// The balance; may be negative after a refund of points already spent. Only where a customer is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    loyalty_points: Option<i64>,
    /// Counts edits, from 1; the `ETag`.
    version: u32,
}

impl<'a> CustomerView<'a> {
    /// Opens the envelope; a destroyed key is 410.
    fn open(shop: &Shop, customer: &'a Customer, loyalty_points: Option<i64>) -> Result<Self, Problem> {
        let bytes = shop.open_sealed(customer.id, &customer.profile).ok_or_else(Problem::erased)?;
        let profile = serde_json::from_slice(&bytes)
            .map_err(|_| Problem::internal("The customer's profile cannot be read; put it again."))?;
        let consent = customer.consent.as_deref();
        Ok(Self { id: customer.id, profile, consent, loyalty_points, version: customer.version })
    }
}

impl CustomerIn {
    /// Checks, seals and hashes. May write a key to disk.
    fn into_draft(
        self,
        shop: &Shop,
        id: Uuid,
        new: bool,
        if_version: Option<u32>,
    ) -> Result<CustomerDraft, Problem> {
        let Self { first_name, last_name, email, phone, address, consent, .. } = self;
        field("firstName", &first_name)?;
        field("lastName", &last_name)?;
        consent.as_deref().map_or(Ok(()), short_consent)?;
        for (name, value) in [("email", &email), ("phone", &phone), ("address", &address)] {
            value.as_deref().map_or(Ok(()), |value| field(name, value))?;
        }
        let email_hash = match email.as_deref().map(normal_email) {
            None => None,
            Some(Some(email)) => Some(shop.lookup_hash("email", &email)),
            Some(None) => {
                return Err(Problem::impossible("bad-email", "An e-mail address has an @ in it.").at("email"));
            }
        };
        let phone_hash = match phone.as_deref().map(normal_phone) {
            None => None,
            Some(Some(phone)) => Some(shop.lookup_hash("phone", &phone)),
            Some(None) => {
                return Err(Problem::impossible("bad-phone", "A telephone number has three digits or more.")
                    .at("phone"));
            }
        };
        let profile = Profile { first_name, last_name, email, phone, address };
        let plain = serde_json::to_vec(&profile)
            .map_err(|error| Problem::internal(format!("The profile could not be written: {error}.")))?;
        let profile: Sealed = shop.seal(Subject::Customer(id), id, &plain)?;
        Ok(CustomerDraft { id, profile, email_hash, phone_hash, consent, new, if_version })
    }
}

fn field(name: &'static str, value: &str) -> Result<(), Problem> {
    let control = |c: char| c.is_control() && c != '\n';
    if value.trim().is_empty() || value.len() > MAX_FIELD || value.chars().any(control) {
        let detail = format!(
            "{name} has 1 to {MAX_FIELD} bytes and no control characters; leave it out if there is none."
        );
        return Err(Problem::impossible("bad-text", detail).at(name));
    }
    Ok(())
}

/// The rules would refuse it too, but only after the person has got a key.
fn short_consent(consent: &str) -> Result<(), Problem> {
    if consent.is_empty() || consent.len() > MAX_NAME || consent.chars().any(char::is_control) {
        let detail = format!(
            "consent has 1 to {MAX_NAME} bytes and no control characters; leave it out if there is none."
        );
        return Err(Problem::impossible("bad-text", detail).at("consent"));
    }
    Ok(())
}

/// How e-mail addresses are compared: without white space around them, in lower case.
fn normal_email(email: &str) -> Option<String> {
    let email = email.trim();
    email.contains('@').then(|| email.to_lowercase())
}

/// How telephone numbers are compared: their digits, and a leading `+`.
fn normal_phone(phone: &str) -> Option<String> {
    let plus = phone.trim_start().starts_with('+').then_some('+');
    let digits = phone.chars().filter(char::is_ascii_digit);
    let normal: String = plus.into_iter().chain(digits).collect();
    (normal.trim_start_matches('+').len() >= 3).then_some(normal)
}

/// Create one
#[utoipa::path(
    post, path = "/api/v1/customers", tag = "customers", request_body = CustomerIn,
    params(("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = CustomerView<'static>), Problems),
)]
async fn create(State(app): State<App>, submission: Submission<CustomerIn>) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    // Of the key, so that a request that comes again is about the same person, who has a key then.
    let id = body.id.unwrap_or_else(|| Uuid::new_v8(key.key));
    let shop = app.shop.clone();
    let draft = off_thread(move || body.into_draft(&shop, id, true, None)).await?;
    let done = app.shop.submit(Some(key), Command::PutCustomer(draft), Origin::default()).await?;
    customer_reply(&app.shop, StatusCode::CREATED, &done, Some(0))
}

/// Change one
///
/// The whole profile is replaced. With `If-Match` only if its version is still that one, else 412.
#[utoipa::path(
    put, path = "/api/v1/customers/{id}", tag = "customers", request_body = CustomerIn,
    params(("id" = String, Path, format = "uuid"), ("If-Match" = Option<String>, Header, description = "the ETag that was read"), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = CustomerView<'static>), (status = 410, description = "erased"), (status = 412, description = "changed since"), Problems),
)]
async fn put(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    submission: Submission<CustomerIn>,
) -> Result<Response, Problem> {
    let Submission { body, key, headers } = submission;
    let if_version = if_match(&headers)?;
    // Nobody gets a key who is not there.
    existing(&app.shop, id)?;
    let shop = app.shop.clone();
    let draft = off_thread(move || body.into_draft(&shop, id, false, if_version)).await?;
    let done = app.shop.submit(Some(key), Command::PutCustomer(draft), Origin::default()).await?;
    customer_reply(&app.shop, StatusCode::OK, &done, None)
}

fn customer_reply(
    shop: &Shop,
    status: StatusCode,
    done: &Done,
    points: Option<i64>,
) -> Result<Response, Problem> {
    let put = done.events.iter().find_map(|event| match &**event {
        Event::CustomerPut(customer) => Some(customer),
        _ => None,
    });
    let Some(customer) = put else {
        return Err(Problem::internal("The customer is on disk but cannot be shown; read it."));
    };
    let response = reply::changed(status, done.position, &CustomerView::open(shop, customer, points)?)?;
    Ok(tagged(response, customer.version))
}

/// The customer, or 404, or 410.
fn existing(shop: &Shop, id: Uuid) -> Result<(Customer, i64), Problem> {
    match shop.state().customers.get(&id) {
        Some(Account { customer: Some(customer), points }) => Ok((customer.clone(), *points)),
        Some(Account { customer: None, .. }) => Err(Problem::erased()),
        None => Err(Problem::not_found("no-such-customer", format!("There is no customer {id}."))),
    }
}

/// Read one
#[utoipa::path(
    get, path = "/api/v1/customers/{id}", tag = "customers", params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = CustomerView<'static>), (status = 410, description = "erased"), Problems),
)]
async fn read(State(app): State<App>, Segment(id): Segment<Uuid>) -> Result<Response, Problem> {
    let (customer, points) = existing(&app.shop, id)?;
    let view = CustomerView::open(&app.shop, &customer, Some(points))?;
    Ok(tagged(reply::json(StatusCode::OK, &view)?, customer.version))
}

/// Erase one
///
/// Destroys the key: nothing personal can be read afterwards, in no copy. Totals and history stand. Asking twice is no
/// error.
#[utoipa::path(
    delete, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, format = "uuid"), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 204), Problems),
)]
async fn erase(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    request: Bodiless,
) -> Result<Response, Problem> {
    let done = app.shop.submit(request.key, Command::EraseCustomer(id), Origin::default()).await?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(reply::at(response, done.position))
}

/// Who.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Address {
    /// With this e-mail address; upper and lower case are the same.
    email: Option<String>,
    /// With this telephone number; only its digits and a leading + (write it as %2B) count.
    phone: Option<String>,
}

/// Find some
///
/// By the whole e-mail address or telephone number; by both, if both are given. A family may share one: all who have it are
/// found, at most 100.
#[utoipa::path(
    get, path = "/api/v1/customers", tag = "customers", params(Address),
    responses((status = 200, body = Listed<CustomerView<'static>>), Problems),
)]
async fn find(State(app): State<App>, Params(address): Params<Address>) -> Result<Response, Problem> {
    let shop = &app.shop;
    if address.email.is_none() && address.phone.is_none() {
        let detail = "Say whom to find: email=, phone= or both.";
        return Err(Problem::malformed("whom", detail));
    }
    let email = address.email.as_deref().map(normal_email);
    let phone = address.phone.as_deref().map(normal_phone);
    if [&email, &phone].contains(&&Some(None)) {
        // What can be no address is nobody's.
        return reply::json(StatusCode::OK, &Listed::<CustomerView<'_>> { items: vec![], next_cursor: None });
    }
    let email = email.flatten().map(|email| shop.lookup_hash("email", &email));
    let phone = phone.flatten().map(|phone| shop.lookup_hash("phone", &phone));
    let found: Vec<(Customer, i64)> = {
        let state = shop.state();
        let of = |customer: &Customer| {
            email.is_none_or(|hash| customer.email_hash == Some(hash))
                && phone.is_none_or(|hash| customer.phone_hash == Some(hash))
        };
        let accounts = state.customers.values();
        let known = accounts.filter_map(|account| Some((account.customer.as_ref()?, account.points)));
        let found = known.filter(|(customer, _)| of(customer)).take(MAX_FOUND);
        found.map(|(customer, points)| (customer.clone(), points)).collect()
    };
    let views = found.iter().map(|(customer, points)| CustomerView::open(shop, customer, Some(*points)));
    reply::json(StatusCode::OK, &Listed { items: views.collect::<Result<Vec<_>, _>>()?, next_cursor: None })
}

/// What one customer bought
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/transactions", tag = "customers", params(("id" = String, Path, format = "uuid"), Paging),
    responses((status = 200, body = Listed<Transaction<'static>>), (status = 410, description = "erased"), Problems),
)]
async fn transactions(
    State(app): State<App>,
    Segment(id): Segment<Uuid>,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    existing(&app.shop, id)?;
    let limit = page_limit(paging.limit)?;
    page(&app.shop, SaleFilter { customer: Some(id), cursor: paging.cursor, limit, ..SaleFilter::default() })
        .await
}

/// Everything about one customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerExport)]
struct Export<'a> {
    customer: CustomerView<'a>,
    transactions: Vec<Transaction<'a>>,
}

/// Hand a person's data over
///
/// Profile, consent, points and all transactions with their reasons, as one JSON document to keep.
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/export", tag = "customers", params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = Export<'static>), (status = 410, description = "erased"), Problems),
)]
async fn export(State(app): State<App>, Segment(id): Segment<Uuid>) -> Result<Response, Problem> {
    let (customer, points) = existing(&app.shop, id)?;
    let view = CustomerView::open(&app.shop, &customer, Some(points))?;
    let head = serde_json::to_string(&Export { customer: view, transactions: Vec::new() })
        .map_err(|error| Problem::internal(format!("The export could not be written: {error}.")))?;
    // Up to and with the opening bracket of the empty list; the pages follow.
    let head = head.strip_suffix("]}").unwrap_or(&head).to_owned();
    let (pieces, body) = stream::channel();
    let shop = app.shop.clone();
    tokio::task::spawn_blocking(move || {
        let last = write_export(&shop, id, head, |piece| pieces.blocking_send(Ok(piece)).is_ok());
        if let Err(problem) = last {
            // Nobody may be reading any more.
            let _ = pieces.blocking_send(Piece::Err(CutShort(problem)));
        }
    });
    let mut response = reply::raw(StatusCode::OK, "application/json", body);
    let attachment = HeaderValue::try_from(format!("attachment; filename=\"customer-{id}.json\""));
    if let Ok(attachment) = attachment {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment);
    }
    Ok(response)
}

/// Writes an export page by page; `send` says whether anybody is still reading.
fn write_export(shop: &Shop, id: Uuid, head: String, send: impl Fn(Bytes) -> bool) -> Result<(), String> {
    let store = shop.store();
    let mut filter = SaleFilter { customer: Some(id), limit: 200, ..SaleFilter::default() };
    let mut piece = head.into_bytes();
    let mut first = true;
    loop {
        let page = shop.sales(&filter).map_err(|error| error.to_string())?;
        for sale in &page.items {
            if !std::mem::take(&mut first) {
                piece.push(b',');
            }
            let open = |sealed: &_| {
                shop.open_sealed(sale.id, sealed).and_then(|bytes| String::from_utf8(bytes).ok())
            };
            let view = Transaction::new(sale, &store.store).with_reasons(sale, open);
            serde_json::to_writer(&mut piece, &view).map_err(|error| error.to_string())?;
        }
        if page.next.is_none() {
            piece.extend_from_slice(b"]}");
        }
        if !send(std::mem::take(&mut piece).into()) || page.next.is_none() {
            return Ok(());
        }
        filter.cursor = page.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_their_normal_form() {
        assert_eq!(normal_email("  Ada@Example.ORG ").as_deref(), Some("ada@example.org"));
        assert_eq!(normal_email("nobody"), None);
        assert_eq!(normal_phone(" +44 (20) 7946-0000").as_deref(), Some("+442079460000"));
        assert_eq!(normal_phone("020 7946 0000").as_deref(), Some("02079460000"));
        assert_eq!((normal_phone("+"), normal_phone("12")), (None, None));
    }

    #[test]
    fn fields_are_bounded_and_printable() {
        assert!(field("lastName", "Łukasiewicz").is_ok());
        for bad in ["", "  ", "a\u{7}b", &"x".repeat(MAX_FIELD + 1)] {
            assert_eq!(field("lastName", bad).unwrap_err().field(), Some("lastName"), "{bad:?}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let read = serde_json::from_str::<CustomerIn>;
        assert!(read(r#"{"firstName":"A","lastName":"B"}"#).is_ok());
        assert!(read(r#"{"firstName":"A","lastName":"B","mail":"x@y"}"#).is_err());
        assert!(read(r#"{"firstName":"A"}"#).is_err());
    }
}
