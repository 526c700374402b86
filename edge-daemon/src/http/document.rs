//! The API's description: OpenAPI 3.1 made from the handlers that are routed, a page to try it from, and the first
//! page that a person sees. All of it comes out of the program: it works without the internet.

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use super::problem::Problem;
use super::{
    App, cloud, customers, device_controllers, device_orders, device_setups, devices, events, health,
    inventory, metrics, print_jobs, products, reply, reports, shifts, store, store_z, transactions,
};

/// Where the document is served.
const ADDRESS: &str = "/api/v1/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tillbox",
        description = "A store's edge box.\n\n\
            **Money** is integers of minor units of the store's one currency; **quantities** and **rates** are decimal text; \
            **times** are RFC 3339 in UTC; **dates** are YYYY-MM-DD; **ids** are UUIDs (version 7), made by the client if it \
            likes.\n\n\
            **Once.** Every POST and PUT carries an `Idempotency-Key` (or an `id` in its body that stands in for it). The same \
            request with the same key is answered again with the same bytes and changes nothing; another request with that key \
            is 422. Refusals are not remembered.\n\n\
            **On disk.** What is acknowledged is durable; the reply's `Tillbox-Position` says where in the journal.\n\n\
            **Problems** are RFC 9457 with a stable `type` and a `detail` that says what to do.\n\n\
            **Life of a transaction:** `open` ⇄ `suspended`; either → `cancelled`; `open` → `completed`; `completed` → `voided` \
            (same business day), `partiallyRefunded`, `refunded`; `partiallyRefunded` → `partiallyRefunded`, `refunded`. \
            Everything else is 409.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "sales", description = "Ring up, pay, change, print"),
        (name = "catalogue", description = "Products and departments"),
        (name = "inventory", description = "Stock"),
        (name = "customers", description = "People, sealed"),
        (name = "shifts", description = "Drawers, X and Z"),
        (name = "reports", description = "What was sold"),
        (name = "store", description = "The store, its clock, its way to head office"),
        (name = "devices", description = "Printers, drawers, scanners, scales, displays"),
        (name = "events", description = "Live"),
        (name = "health", description = "For machines that watch"),
    ),
    components(schemas(Problem)),
)]
struct Base;

/// Every handler, with its description.
pub(super) fn described() -> OpenApiRouter<App> {
    let mut base = Base::openapi();
    base.info.version = env!("CARGO_PKG_VERSION").to_owned();
    OpenApiRouter::with_openapi(base)
        .merge(transactions::routes())
        .merge(products::routes())
        .merge(inventory::routes())
        .merge(customers::routes())
        .merge(shifts::routes())
        .merge(reports::routes())
        .merge(store_z::routes())
        .merge(store::routes())
        .merge(cloud::routes())
        .merge(devices::routes())
        .merge(device_orders::routes())
        .merge(device_controllers::routes())
        .merge(device_setups::routes())
        .merge(print_jobs::routes())
        .merge(events::routes())
        .merge(health::routes())
        .merge(metrics::routes())
}

/// The document, the page to try it from, and the first page.
pub(super) fn pages(document: Document, with_counter: bool) -> Router<App> {
    let counter = if with_counter { "" } else { " hidden" };
    let first_page = include_str!("first_page.html").replace("{counter}", counter);
    let show = move || {
        let page = first_page.clone();
        async move { page_of(page) }
    };
    Router::new().route("/", get(show)).merge(SwaggerUi::new("/docs").url(ADDRESS, document))
}

/// Nothing but the page itself and what it asks this server for.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

fn page_of(page: String) -> Response {
    let mut response = reply::raw(StatusCode::OK, "text/html; charset=utf-8", page);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
