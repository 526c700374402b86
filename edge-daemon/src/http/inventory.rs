//! Stock: levels, what moved them, and changes by hand.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::catalog::ProductId;
use pos_domain::command::Command;
use pos_domain::event::{Adjustment, Event};
use pos_domain::quantity::Quantity;
use pos_domain::time::Millis;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Submission, identified};
use super::free_text::{Envelope, off_thread};
use super::params::{Paging, Params, Segment, page_limit};
use super::problem::{Problem, Problems};
use super::products::{after, collect, find};
use super::reply::{self, Listed};
use super::wire::{QuantityIn, text, text_or_null, time};
use crate::checkout::Origin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(adjust))
        .routes(routes!(low_stock))
        .routes(routes!(read))
        .routes(routes!(movements))
}

/// A change of stock by hand; `productId` or `sku`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AdjustmentIn {
    /// Made by the client (UUIDv7), or else by the box.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// The product's number.
    #[serde(default, deserialize_with = "product_number")]
    #[schema(value_type = Option<String>, example = "17")]
    product_id: Option<String>,
    /// Its SKU, or a barcode.
    sku: Option<String>,
    /// By how much: not 0, at most 99999.999 either way.
    #[schema(value_type = String, example = "-3")]
    quantity_change: QuantityIn,
    /// `stocktake`, `damage`, `receipt` or another short word.
    #[schema(example = "stocktake")]
    reason: String,
    /// Who.
    user_id: Option<String>,
    /// Free text.
    note: Option<String>,
}

identified!(AdjustmentIn);

/// A product's number, as text or as an integer.
fn product_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Reader;
    impl serde::de::Visitor<'_> for Reader {
        type Value = Option<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a product's number")
        }

        fn visit_unit<E>(self) -> Result<Option<String>, E> {
            Ok(None)
        }

        fn visit_u64<E>(self, number: u64) -> Result<Option<String>, E> {
            Ok(Some(number.to_string()))
        }

        fn visit_str<E>(self, number: &str) -> Result<Option<String>, E> {
            Ok(Some(number.to_owned()))
        }
    }
    deserializer.deserialize_any(Reader)
}

/// A change of stock by hand.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AdjustmentView<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    product_id: ProductId,
    sku: &'a str,
    store_id: &'a str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "-3.000")]
    quantity_change: Quantity,
    reason: &'a str,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    adjustment_date: Millis,
    user_id: Option<&'a str>,
    /// The level after it.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    stock_quantity: Quantity,
}

impl<'a> AdjustmentView<'a> {
    fn new(adjustment: &'a Adjustment, store_id: &'a str) -> Self {
        Self {
            id: adjustment.id,
            product_id: adjustment.product,
            sku: &adjustment.sku,
            store_id,
            quantity_change: adjustment.change,
            reason: &adjustment.reason,
            adjustment_date: adjustment.at,
            user_id: adjustment.user.as_deref(),
            stock_quantity: adjustment.level,
        }
    }
}

/// Adjust
///
/// Books goods in, out, or right after a count.
#[utoipa::path(
    post, path = "/api/v1/inventory/adjustments", tag = "inventory", request_body = AdjustmentIn,
    params(("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 201, body = AdjustmentView<'static>), Problems),
)]
async fn adjust(State(app): State<App>, submission: Submission<AdjustmentIn>) -> Result<Response, Problem> {
    let Submission { body, key, .. } = submission;
    let id = body.id.unwrap_or_else(Uuid::now_v7);
    let product = match (body.sku, body.product_id) {
        (Some(sku), None) => sku,
        (None, Some(number)) => sku_of(&app, &number)?,
        _ => {
            let detail = "An adjustment names its product by productId or by sku: exactly one of them.";
            return Err(Problem::malformed("adjustment-needs-product", detail));
        }
    };
    let note = body.note;
    let envelope = Envelope::new(&app.shop, None, id);
    let note =
        envelope.use_by(note.is_some(), move |envelope| envelope.seal("note", note.as_deref())).await?;
    let origin = Origin { actor: body.user_id.as_deref().map(Into::into), ..Origin::default() };
    let (change, reason, user) = (body.quantity_change.0, body.reason, body.user_id);
    let command = Command::AdjustStock { id, product, change, reason, user, note };
    let done = app.shop.submit(Some(key), command, origin).await?;
    let adjusted = done.events.iter().find_map(|event| match &**event {
        Event::StockAdjusted(adjustment) => Some(adjustment),
        _ => None,
    });
    let Some(adjustment) = adjusted else {
        return Err(Problem::internal("The adjustment is on disk but cannot be shown; read the movements."));
    };
    let store = app.shop.store();
    reply::changed(StatusCode::CREATED, done.position, &AdjustmentView::new(adjustment, &store.store))
}

/// The SKU of the product with a number: a number alone might be another product's SKU.
fn sku_of(app: &App, number: &str) -> Result<String, Problem> {
    let id = number.parse().ok().map(ProductId);
    let sku = id.and_then(|id| app.shop.state().catalog.get(id).map(|product| product.sku.to_string()));
    sku.ok_or_else(|| {
        let shown: String = number.chars().take(40).collect();
        let detail = format!("No product has the number \"{shown}\". Use the id of a product, or its sku.");
        Problem::impossible("unknown-product", detail).at("productId")
    })
}

/// A product's stock.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Stock<'a> {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    product_id: ProductId,
    sku: &'a str,
    name: &'a str,
    store_id: &'a str,
    /// On hand; negative where more was sold than was booked in.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "12.000")]
    stock_quantity: Quantity,
    /// Stock at or below this raises the event `stockLow`.
    #[serde(serialize_with = "text_or_null")]
    #[schema(value_type = Option<String>)]
    low_stock_at: Option<Quantity>,
}

impl<'a> Stock<'a> {
    fn new(product: &'a pos_domain::catalog::Product, level: Quantity, store_id: &'a str) -> Self {
        let (product_id, low_stock_at) = (product.id, product.low_stock_at);
        Self {
            product_id,
            sku: &product.sku,
            name: &product.name,
            store_id,
            stock_quantity: level,
            low_stock_at,
        }
    }
}

/// The stock of one product
#[utoipa::path(
    get, path = "/api/v1/inventory/{sku}", tag = "inventory", params(("sku" = String, Path, description = "SKU or barcode")),
    responses((status = 200, body = Stock<'static>), Problems),
)]
async fn read(State(app): State<App>, Segment(code): Segment<String>) -> Result<Response, Problem> {
    let store = app.shop.store();
    let (product, level) = find(&app.shop, &store, &code)?;
    reply::json(StatusCode::OK, &Stock::new(&product, level, &store.store))
}

/// What is running out
///
/// Products whose stock is at or below their warning level.
#[utoipa::path(
    get, path = "/api/v1/inventory/low-stock", tag = "inventory", params(Paging),
    responses((status = 200, body = Listed<Stock<'static>>), Problems),
)]
async fn low_stock(State(app): State<App>, Params(paging): Params<Paging>) -> Result<Response, Problem> {
    let limit = page_limit(paging.limit)?;
    let after = after(paging.cursor.as_deref())?;
    off_thread(move || {
        let low = |product: &pos_domain::catalog::Product, level| {
            product.low_stock_at.is_some_and(|at| level <= at)
        };
        let found = collect(&app.shop, after, limit, low);
        let store = app.shop.store();
        let items = found.products.iter().map(|(product, level)| Stock::new(product, *level, &store.store));
        reply::json(StatusCode::OK, &Listed { items: items.collect(), next_cursor: found.next })
    })
    .await
}

/// A change of stock.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MovementView {
    /// Where in the journal it stands, `epoch.seq`.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    position: pos_journal::Position,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    timestamp: Millis,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    quantity_change: Quantity,
    /// `sale`, `return`, `void` or `adjustment`.
    cause: &'static str,
    /// The id of the transaction or of the adjustment.
    #[schema(value_type = String, format = "uuid")]
    reference: Uuid,
    /// Of an adjustment.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What moved one product's stock
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/inventory/{sku}/movements", tag = "inventory", params(("sku" = String, Path, description = "SKU or barcode"), Paging),
    responses((status = 200, body = Listed<MovementView>), Problems),
)]
async fn movements(
    State(app): State<App>,
    Segment(code): Segment<String>,
    Params(paging): Params<Paging>,
) -> Result<Response, Problem> {
    let limit = page_limit(paging.limit)?;
    let (product, _) = find(&app.shop, &app.shop.store(), &code)?;
    off_thread(move || {
        let page = app.shop.movements(product.id, paging.cursor.as_deref(), limit)?;
        let items = page.items.into_iter().map(|movement| MovementView {
            position: movement.position,
            timestamp: movement.at,
            quantity_change: movement.change,
            cause: movement.cause,
            reference: movement.reference,
            reason: movement.reason,
        });
        reply::json(StatusCode::OK, &Listed { items: items.collect(), next_cursor: page.next })
    })
    .await
}
