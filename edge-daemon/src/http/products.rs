//! The catalogue: listed, found by SKU or by any spelling of a barcode, edited.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::barcode::{Barcode, EmbeddedValue};
use pos_domain::catalog::{Product, ProductId};
use pos_domain::command::{Command, ProductDraft};
use pos_domain::event::Event;
use pos_domain::money::Money;
use pos_domain::quantity::Quantity;
use pos_domain::store::StoreConfig;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::body::{Submission, identified};
use super::entity_tag::{if_match, tagged};
use super::free_text::off_thread;
use super::params::{Params, Segment, page_limit};
use super::problem::{Problem, Problems};
use super::reply::{self, Listed};
use super::wire::{QuantityIn, text, text_or_null};
use crate::checkout::{Origin, Shop};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, put)).routes(routes!(categories))
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Product)]
pub(super) struct ProductView<'a> {
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "17")]
    id: ProductId,
    sku: &'a str,
    name: &'a str,
    description: Option<&'a str>,
    /// Minor units of `currency` per unit or per kilogram, as on the shelf.
    #[schema(value_type = i64)]
    price: Money,
    currency: &'a str,
    tax_class: &'a str,
    /// The department.
    category: &'a str,
    barcode: Option<&'a str>,
    /// The item number in the barcode, if it is one, as GTIN-14.
    #[serde(serialize_with = "text_or_null")]
    #[schema(value_type = Option<String>)]
    gtin: Option<Gtin14>,
    /// Sold by weight: quantities are kilograms.
    by_weight: bool,
    /// Stock at or below this raises the event `stockLow`.
    #[serde(serialize_with = "text_or_null")]
    #[schema(value_type = Option<String>)]
    low_stock_at: Option<Quantity>,
    /// Counts edits, from 1; the `ETag`.
    version: u32,
    /// On hand; negative where more was sold than was booked in. Only where a product is read.
    #[serde(serialize_with = "text_or_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    stock_quantity: Option<Quantity>,
    /// What the barcode said beside the product. Only where it was found by one that says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    scan: Option<Scan>,
}

/// A GTIN as its fourteen digits.
#[derive(Debug)]
struct Gtin14(pos_domain::barcode::Gtin);

impl std::fmt::Display for Gtin14 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:014}", self.0.number())
    }
}

/// What a barcode said beside the product.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scan {
    /// The price of the whole piece, minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    price: Option<Money>,
    /// Kilograms or pieces.
    #[serde(serialize_with = "text_or_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    quantity: Option<Quantity>,
    /// GS1 elements by application identifier: `10` is the lot, `17` the expiration date (YYMMDD).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    elements: BTreeMap<String, String>,
}

impl Scan {
    /// What the code says; `None`: no more than which product it is.
    pub(super) fn of(code: &str, store: &StoreConfig) -> Option<Self> {
        match Barcode::parse(code, &store.embedded).ok()? {
            Barcode::Embedded(embedded) => {
                let signed = |value: u64| i64::try_from(value).ok();
                let exponent = u8::try_from(store.currency.exponent()).unwrap_or(2);
                let mut scan = Self::default();
                match embedded.value {
                    EmbeddedValue::Price(price) => {
                        scan.price = price.rounded(exponent).and_then(signed).map(Money);
                        scan.quantity = Some(Quantity::ONE);
                    }
                    EmbeddedValue::Weight(weight) => {
                        scan.quantity = weight.rounded(3).and_then(signed).map(Quantity);
                    }
                    EmbeddedValue::Count(count) => scan.quantity = Quantity::whole(i64::from(count)),
                }
                Some(scan)
            }
            Barcode::Elements(elements) => {
                let pairs =
                    elements.iter().map(|element| (element.ai().to_string(), element.data().to_owned()));
                Some(Self { elements: pairs.collect(), ..Self::default() })
            }
            Barcode::Item(_) | Barcode::Text(_) => None,
        }
    }
}

impl<'a> ProductView<'a> {
    pub(super) fn new(product: &'a Product, store: &'a StoreConfig) -> Self {
        Self {
            id: product.id,
            sku: &product.sku,
            name: &product.name,
            description: product.description.as_deref(),
            price: product.price,
            currency: store.currency.code(),
            tax_class: &product.tax_class,
            category: &product.department,
            barcode: product.barcode.as_deref(),
            gtin: product.gtin.map(Gtin14),
            by_weight: product.by_weight,
            low_stock_at: product.low_stock_at,
            version: product.version,
            stock_quantity: None,
            scan: None,
        }
    }
}

/// By SKU, else by barcode in any spelling, with its stock.
pub(super) fn find(
    shop: &Shop,
    store: &StoreConfig,
    code: &str,
) -> Result<(Arc<Product>, Quantity), Problem> {
    let state = shop.state();
    let found =
        state.catalog.find(code, &store.embedded).map(|product| (product.clone(), state.level(product.id)));
    drop(state);
    found.ok_or_else(|| {
        let shown: String = code.chars().take(40).collect();
        Problem::not_found("no-such-product", format!("No product has the SKU or barcode \"{shown}\"."))
    })
}

/// Read one
///
/// By SKU, or by barcode in any of its spellings: EAN, UPC (also UPC-E), GTIN-14, in-store codes with a price or a weight
/// inside, GS1 element strings.
#[utoipa::path(
    get, path = "/api/v1/products/{sku}", tag = "catalogue", params(("sku" = String, Path, description = "SKU or barcode")),
    responses((status = 200, body = ProductView<'static>, headers(("ETag" = String))), Problems),
)]
async fn read(State(app): State<App>, Segment(code): Segment<String>) -> Result<Response, Problem> {
    let store = app.shop.store();
    let (product, level) = find(&app.shop, &store, &code)?;
    let mut view = ProductView::new(&product, &store);
    view.stock_quantity = Some(level);
    if *product.sku != *code {
        view.scan = Scan::of(&code, &store);
    }
    Ok(tagged(reply::json(StatusCode::OK, &view)?, product.version))
}

/// A new or changed product. What is left out stays as it is, or takes its default if the product is new.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProductIn {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// On receipts; a new product needs one.
    name: Option<String>,
    /// Minor units; a new product needs one.
    #[schema(value_type = Option<i64>)]
    price: Option<Money>,
    /// A row of the store's tax table; a new product needs one.
    #[schema(example = "standard")]
    tax_class: Option<String>,
    /// The department.
    category: Option<String>,
    barcode: Option<String>,
    description: Option<String>,
    by_weight: Option<bool>,
    /// Stock at or below this raises the event `stockLow`.
    #[schema(value_type = Option<String>)]
    low_stock_at: Option<QuantityIn>,
}

identified!(ProductIn);

/// Put one
///
/// Makes the product with this SKU, or changes the fields that are sent. With `If-Match` only if its version is still
/// that one (`"0"`: only if there is none yet), else 412.
#[utoipa::path(
    put, path = "/api/v1/products/{sku}", tag = "catalogue", request_body = ProductIn,
    params(("sku" = String, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was read"), ("Idempotency-Key" = Option<String>, Header, description = "or an id in the body")),
    responses((status = 200, body = ProductView<'static>), (status = 201, body = ProductView<'static>, description = "new"), (status = 412, description = "changed since"), Problems),
)]
async fn put(
    State(app): State<App>,
    Segment(sku): Segment<String>,
    submission: Submission<ProductIn>,
) -> Result<Response, Problem> {
    let Submission { body, key, headers } = submission;
    let draft = ProductDraft {
        sku,
        name: body.name,
        price: body.price,
        tax_class: body.tax_class,
        department: body.category,
        barcode: body.barcode,
        description: body.description,
        by_weight: body.by_weight,
        low_stock_at: body.low_stock_at.map(|level| level.0),
    };
    let command = Command::PutProducts { products: vec![draft], if_version: if_match(&headers)? };
    let done = app.shop.submit(Some(key), command, Origin::default()).await?;
    let found = done.events.iter().find_map(|event| match &**event {
        Event::ProductsPut(products) => products.first().map(|product| (product, product.version == 1)),
        Event::ProductKept(product) => Some((product, false)),
        _ => None,
    });
    let Some((product, new)) = found else {
        return Err(Problem::internal("The product was put but cannot be shown; read it."));
    };
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    let response = reply::changed(status, done.position, &ProductView::new(product, &app.shop.store()))?;
    Ok(tagged(response, product.version))
}

/// Which products.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this department.
    category: Option<String>,
    /// With this SKU.
    sku: Option<String>,
    /// With this in name, SKU or barcode; upper and lower case are the same.
    q: Option<String>,
    /// 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

impl Wanted {
    /// `needle` is `q` in lower case.
    fn covers(&self, product: &Product, needle: Option<&str>) -> bool {
        let has = |text: &str, needle: &str| text.to_lowercase().contains(needle);
        self.category.as_deref().is_none_or(|category| *product.department == *category)
            && self.sku.as_deref().is_none_or(|sku| *product.sku == *sku)
            && needle.is_none_or(|needle| {
                let barcode = product.barcode.as_deref();
                has(&product.name, needle)
                    || has(&product.sku, needle)
                    || barcode.is_some_and(|b| has(b, needle))
            })
    }
}

/// Find some
///
/// In the order in which they were first put.
#[utoipa::path(
    get, path = "/api/v1/products", tag = "catalogue", params(Wanted),
    responses((status = 200, body = Listed<ProductView<'static>>), Problems),
)]
async fn list(State(app): State<App>, Params(wanted): Params<Wanted>) -> Result<Response, Problem> {
    let limit = page_limit(wanted.limit)?;
    let after = after(wanted.cursor.as_deref())?;
    off_thread(move || {
        let needle = wanted.q.as_deref().map(str::to_lowercase);
        let found = collect(&app.shop, after, limit, |product, _| wanted.covers(product, needle.as_deref()));
        let store = app.shop.store();
        let items = found.products.iter().map(|(product, level)| {
            let stock_quantity = Some(*level);
            ProductView { stock_quantity, ..ProductView::new(product, &store) }
        });
        reply::json(StatusCode::OK, &Listed { items: items.collect(), next_cursor: found.next })
    })
    .await
}

/// Reads a cursor of a list of products: the number of the last one shown.
pub(super) fn after(cursor: Option<&str>) -> Result<ProductId, Problem> {
    let Some(cursor) = cursor else { return Ok(ProductId(0)) };
    let number = cursor.parse().map(ProductId);
    number.map_err(|_| crate::checkout::ReadError::Cursor.into())
}

/// Products with their stock, and where to go on.
pub(super) struct Found {
    pub(super) products: Vec<(Arc<Product>, Quantity)>,
    pub(super) next: Option<String>,
}

/// Products copied out of the state at a time: looking through them happens outside of its lock.
const BATCH: usize = 512;

/// Up to `limit` products with a number above `after` that `pick` likes.
pub(super) fn collect(
    shop: &Shop,
    mut after: ProductId,
    limit: usize,
    pick: impl Fn(&Product, Quantity) -> bool,
) -> Found {
    let mut products = Vec::new();
    loop {
        let batch: Vec<(Arc<Product>, Quantity)> = {
            let state = shop.state();
            let next = state.catalog.iter_after(after).take(BATCH);
            next.map(|product| (product.clone(), state.level(product.id))).collect()
        };
        let Some((last, _)) = batch.last() else { return Found { products, next: None } };
        after = last.id;
        for (product, level) in batch {
            if !pick(&product, level) {
                continue;
            }
            if products.len() == limit {
                let next = products.last().map(|(last, _): &(Arc<Product>, _)| last.id.to_string());
                return Found { products, next };
            }
            products.push((product, level));
        }
    }
}

/// A department.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Category {
    name: String,
    product_count: u64,
}

/// The departments
#[utoipa::path(
    get, path = "/api/v1/categories", tag = "catalogue",
    responses((status = 200, body = Listed<Category>), Problems),
)]
async fn categories(State(app): State<App>) -> Result<Response, Problem> {
    off_thread(move || {
        let everything = collect(&app.shop, ProductId(0), usize::MAX, |_, _| true);
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (product, _) in &everything.products {
            *counts.entry(&product.department).or_default() += 1;
        }
        let items =
            counts.into_iter().map(|(name, product_count)| Category { name: name.to_owned(), product_count });
        reply::json(StatusCode::OK, &Listed { items: items.collect(), next_cursor: None })
    })
    .await
}
