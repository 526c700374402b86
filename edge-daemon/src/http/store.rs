//! The store and its clock.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::money::Money;
use pos_domain::tax::{Rate, TaxMode, TaxRounding};
use pos_domain::time::{Date, Millis};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::{Problem, Problems};
use super::reply;
use super::wire::{text, time};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(clock))
}

/// The store, as far as a till needs to know it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Store<'a> {
    id: &'a str,
    name: &'a str,
    address: &'a [String],
    /// IANA name.
    #[schema(example = "Europe/Berlin")]
    timezone: &'a str,
    /// Of every amount.
    currency: &'a str,
    /// Decimals of the currency's minor unit: 0, 2 or 3.
    currency_exponent: u32,
    /// When the business day changes, `HH:MM` local time.
    cut_off: String,
    /// Whether shelf prices contain the tax: `inclusive` or `exclusive`.
    #[schema(value_type = String)]
    tax_mode: TaxMode,
    /// Where tax is rounded: `line` or `receipt`.
    #[schema(value_type = String)]
    tax_rounding: TaxRounding,
    tax_classes: Vec<TaxClassRow<'a>>,
    /// The smallest cash amount, minor units.
    cash_increment: i64,
    /// Whether sales need an open shift.
    require_shift: bool,
    /// What unlinked returns may pay out in cash at most.
    #[schema(value_type = Option<i64>)]
    unlinked_cash_limit: Option<Money>,
    loyalty: Option<LoyaltyView>,
    /// Tills that were seen.
    terminals: Vec<String>,
}

/// A row of the tax table.
#[derive(Debug, Serialize, ToSchema)]
struct TaxClassRow<'a> {
    name: &'a str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "20.00")]
    rate: Rate,
}

/// The points scheme.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoyaltyView {
    /// One point for each whole of this, net, minor units.
    #[schema(value_type = i64)]
    earn_per: Money,
    /// What a point is worth as a tender; 0: nothing.
    #[schema(value_type = i64)]
    worth: Money,
}

/// The store
#[utoipa::path(get, path = "/api/v1/store", tag = "store", responses((status = 200, body = Store<'static>), Problems))]
async fn read(State(app): State<App>) -> Result<Response, Problem> {
    let store = app.shop.store();
    let terminals = app.shop.state().terminals.iter().map(ToString::to_string).collect();
    let minutes = store.cut_off_minutes;
    let view = Store {
        id: &store.store,
        name: &store.name,
        address: &store.address,
        timezone: &store.time_zone,
        currency: store.currency.code(),
        currency_exponent: store.currency.exponent(),
        cut_off: format!("{:02}:{:02}", minutes / 60, minutes % 60),
        tax_mode: store.tax_mode,
        tax_rounding: store.tax_rounding,
        tax_classes: store
            .tax_classes
            .iter()
            .map(|row| TaxClassRow { name: &row.name, rate: row.rate })
            .collect(),
        cash_increment: store.cash_increment,
        require_shift: store.require_shift,
        unlinked_cash_limit: store.unlinked_cash_limit,
        loyalty: store.loyalty.map(|scheme| LoyaltyView { earn_per: scheme.earn_per, worth: scheme.worth }),
        terminals,
    };
    reply::json(StatusCode::OK, &view)
}

/// What time it is for the shop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Clock<'a> {
    /// Journal time, RFC 3339; it never goes back.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    time: Millis,
    /// Whether the box's clock can be believed.
    trusted: bool,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, format = Date)]
    business_date: Date,
    /// IANA name.
    time_zone: &'a str,
}

/// The time
#[utoipa::path(get, path = "/api/v1/time", tag = "store", responses((status = 200, body = Clock<'static>), Problems))]
async fn clock(State(app): State<App>) -> Result<Response, Problem> {
    let (now, store) = (app.shop.now(), app.shop.store());
    let business_date = app.shop.business_date();
    let clock = Clock { time: now.time, trusted: now.trusted, business_date, time_zone: &store.time_zone };
    reply::json(StatusCode::OK, &clock)
}
