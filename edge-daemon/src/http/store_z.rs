//! The store's Z: what the Zs of a business day's drawers come to together.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use pos_domain::money::Money;
use pos_domain::shift::{Shift, Totals};
use pos_domain::time::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::free_text::off_thread;
use super::params::Params;
use super::problem::{Problem, Problems};
use super::reply;
use super::shifts::{House, ShiftView, TotalsView};
use super::wire::{DateIn, text};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Which day.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Day {
    /// The business date; by default today's.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<DateIn>,
}

/// A business day's drawers, closed ones and those that are still open.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StoreZ<'a> {
    store_id: &'a str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, format = Date)]
    date: Date,
    currency: &'a str,
    /// `closed` when all drawers of the day that were opened are closed; else `open`.
    status: &'static str,
    /// The sum of the Zs.
    totals: TotalsView,
    #[schema(value_type = i64)]
    expected_amount: Money,
    #[schema(value_type = i64)]
    counted_amount: Money,
    /// counted − expected.
    #[schema(value_type = i64)]
    difference_amount: Money,
    /// The Zs, in the order in which they were made.
    shifts: Vec<ShiftView<'a>>,
    /// Drawers of the day that are not closed yet; not in the sum.
    open_shifts: Vec<ShiftView<'a>>,
}

/// The store's Z of a business day
///
/// Sums the Zs of the day's drawers. A Z belongs to the business day that its shift was opened on.
#[utoipa::path(
    get, path = "/api/v1/reports/z", tag = "reports", params(Day),
    responses((status = 200, body = StoreZ<'static>), Problems),
)]
async fn show(State(app): State<App>, Params(day): Params<Day>) -> Result<Response, Problem> {
    let date = day.date.map_or_else(|| app.shop.business_date(), |date| date.0);
    off_thread(move || {
        let shop = &app.shop;
        // Open ones first: one that is closed meanwhile stands among the Zs then, and is taken out here.
        let mut open: Vec<Shift> = shop.state().shifts.values().cloned().collect();
        let closed = shop.z_reports(date)?;
        open.retain(|shift| shift.business_date == date && closed.iter().all(|z| z.shift.id != shift.id));
        let mut totals = Totals::default();
        closed.iter().for_each(|report| totals.add(&report.shift.totals));
        let expected: Money = closed.iter().map(|report| report.expected).sum();
        let counted: Money = closed.iter().map(|report| report.counted).sum();
        let store = shop.store();
        let house = House { store_id: &store.store, currency: store.currency.code() };
        let body = StoreZ {
            store_id: house.store_id,
            date,
            currency: house.currency,
            status: if open.is_empty() && !closed.is_empty() { "closed" } else { "open" },
            totals: TotalsView::new(&totals),
            expected_amount: expected,
            counted_amount: counted,
            difference_amount: counted - expected,
            shifts: closed.iter().map(|report| ShiftView::z(report, &house)).collect(),
            open_shifts: open.iter().map(|shift| ShiftView::x(shift, &house)).collect(),
        };
        reply::json(StatusCode::OK, &body)
    })
    .await
}
