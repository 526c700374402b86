//! The daily report, as JSON and as CSV for spreadsheets.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use pos_domain::money::Money;
use pos_domain::quantity::Quantity;
use pos_domain::report::DayReport;
use pos_domain::time::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::accept::preferred;
use super::free_text::off_thread;
use super::params::Params;
use super::problem::{Problem, Problems};
use super::reply;
use super::shifts::TenderRow;
use super::transactions::TaxRow;
use super::wire::{DateIn, text, text_or_null};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(daily))
}

/// The most days of one report.
const MAX_DAYS: i32 = 366;
/// Products in the JSON report; the CSV has all.
const TOP: usize = 10;

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Days {
    /// One business date; by default today's.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<DateIn>,
    /// From this business date on.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<DateIn>,
    /// Up to and with this one, at most 366 days.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<DateIn>,
    /// This box's store; another one is 404.
    store_id: Option<String>,
}

impl Days {
    /// First and last business date.
    fn span(&self, today: Date) -> Result<(Date, Date), Problem> {
        let days = match (self.date, self.from, self.to) {
            (None, None, None) => (today, today),
            (Some(date), None, None) => (date.0, date.0),
            (None, Some(from), Some(to)) => (from.0, to.0),
            _ => {
                let detail = "Give date, or from and to together, or none of them for today.";
                return Err(Problem::malformed("bad-days", detail));
            }
        };
        if !(0..MAX_DAYS).contains(&days.1.0.saturating_sub(days.0.0)) {
            let detail = format!("A report spans 1 to {MAX_DAYS} days, from before to.");
            return Err(Problem::impossible("bad-days", detail));
        }
        Ok(days)
    }
}

/// The report of one or more business days. Amounts are minor units, tax included; training, cancelled and voided
/// transactions do not count.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SalesReport<'a> {
    /// Where the report is of one day.
    #[serde(serialize_with = "text_or_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, format = Date)]
    from: Date,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, format = Date)]
    to: Date,
    store_id: &'a str,
    currency: &'a str,
    /// Sales and returns.
    transaction_count: u64,
    /// Lines of sales.
    item_count: u64,
    /// Sales before discounts.
    #[schema(value_type = i64)]
    gross_amount: Money,
    #[schema(value_type = i64)]
    discount_amount: Money,
    #[schema(value_type = i64)]
    return_amount: Money,
    /// gross − discount − returns.
    #[schema(value_type = i64)]
    net_amount: Money,
    /// Tax within net.
    #[schema(value_type = i64)]
    tax_amount: Money,
    #[schema(value_type = i64)]
    rounding_amount: Money,
    taxes: Vec<TaxRow>,
    tenders: Vec<TenderRow>,
    hours: Vec<HourRow>,
    departments: Vec<DepartmentRow<'a>>,
    /// The ten with the most net.
    top_products: Vec<ProductRow<'a>>,
    /// Of net, from transactions that came after the day's Z.
    #[schema(value_type = i64)]
    late_amount: Money,
    /// `epoch.seq hash` of the journal's last record: what the report stands on.
    head: &'a str,
}

/// An hour of the day in the store's zone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HourRow {
    /// 0 to 23.
    hour: u8,
    transaction_count: u64,
    #[schema(value_type = i64)]
    net_amount: Money,
}

/// A department.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DepartmentRow<'a> {
    name: &'a str,
    /// Sales and returns with a line of it.
    transaction_count: u64,
    #[schema(value_type = i64)]
    net_amount: Money,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProductRow<'a> {
    sku: &'a str,
    name: &'a str,
    /// Sold, returns taken off.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    quantity: Quantity,
    #[schema(value_type = i64)]
    net_amount: Money,
}

/// What stands beside the sums.
struct Frame<'a> {
    from: Date,
    to: Date,
    store_id: &'a str,
    currency: &'a str,
    head: &'a str,
}

impl<'a> SalesReport<'a> {
    fn new(report: &'a DayReport, frame: &Frame<'a>) -> Self {
        let hours = report.hours.iter().map(|(hour, slice)| HourRow {
            hour: *hour,
            transaction_count: slice.transactions,
            net_amount: slice.net,
        });
        let departments = report.departments.iter().map(|(name, slice)| DepartmentRow {
            name,
            transaction_count: slice.transactions,
            net_amount: slice.net,
        });
        let tenders = report.tenders.iter();
        Self {
            date: (frame.from == frame.to).then_some(frame.from),
            from: frame.from,
            to: frame.to,
            store_id: frame.store_id,
            currency: frame.currency,
            transaction_count: report.transactions,
            item_count: report.items,
            gross_amount: report.gross,
            discount_amount: report.discount,
            return_amount: report.returned,
            net_amount: report.net,
            tax_amount: report.tax,
            rounding_amount: report.rounding,
            taxes: taxes(report),
            tenders: tenders.map(|(method, amount)| TenderRow { method: *method, amount: *amount }).collect(),
            hours: hours.collect(),
            departments: departments.collect(),
            top_products: best(report).into_iter().take(TOP).collect(),
            late_amount: report.late,
            head: frame.head,
        }
    }
}

fn taxes(report: &DayReport) -> Vec<TaxRow> {
    report
        .taxes
        .iter()
        .map(|(rate, sum)| TaxRow { rate: *rate, base: sum.base, amount: sum.amount })
        .collect()
}

/// Products by net, the most first; by SKU where that is equal.
fn best(report: &DayReport) -> Vec<ProductRow<'_>> {
    let rows = report.products.iter().map(|(sku, sum)| ProductRow {
        sku,
        name: &sum.name,
        quantity: sum.quantity,
        net_amount: sum.net,
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.net_amount));
    rows
}

/// The sales of a day
///
/// Or of several. `Accept: text/csv` gives one row per figure, with all products; `count` is transactions, but in the
/// row `itemCount` lines.
#[utoipa::path(
    get, path = "/api/v1/reports/sales/daily", tag = "reports", params(Days),
    responses((status = 200, content((SalesReport<'static> = "application/json"), (String = "text/csv"))), Problems),
)]
async fn daily(
    State(app): State<App>,
    Params(days): Params<Days>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let store = app.shop.store();
    if let Some(other) = days.store_id.as_deref().filter(|id| *id != store.store) {
        let other: String = other.chars().take(40).collect();
        return Err(Problem::not_found("no-such-store", format!("This box keeps no store \"{other}\".")));
    }
    let Some(form) = preferred(headers.get(header::ACCEPT), &["application/json", "text/csv"]) else {
        let detail = "The report is application/json or text/csv.";
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", detail));
    };
    let (from, to) = days.span(app.shop.business_date())?;
    off_thread(move || {
        // Before the sales are read: all of it is in the report.
        let head = app.shop.head().map_or_else(String::new, |head| {
            let hash: String = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{} {hash}", head.position)
        });
        let report = app.shop.report(from, to)?;
        let frame = Frame { from, to, store_id: &store.store, currency: store.currency.code(), head: &head };
        let mut response = if form == "text/csv" {
            reply::raw(StatusCode::OK, "text/csv; charset=utf-8; header=present", csv(&report, &frame))
        } else {
            reply::json(StatusCode::OK, &SalesReport::new(&report, &frame))?
        };
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
        Ok(response)
    })
    .await
}

/// One row per figure: `section,key,name,count,quantity,base,amount`. Of hours and departments `count` is transactions.
fn csv(report: &DayReport, frame: &Frame<'_>) -> String {
    let mut sheet = Sheet(String::from("section,key,name,count,quantity,base,amount\r\n"));
    for (key, value) in [
        ("from", frame.from.to_string()),
        ("to", frame.to.to_string()),
        ("storeId", frame.store_id.to_owned()),
        ("currency", frame.currency.to_owned()),
        ("head", frame.head.to_owned()),
    ] {
        sheet.row("report", key, &value, [const { None }; 4]);
    }
    let count = |n: u64| Some(n.to_string());
    let money = |amount: Money| Some(amount.0.to_string());
    sheet.row("summary", "transactionCount", "", [count(report.transactions), None, None, None]);
    sheet.row("summary", "itemCount", "", [count(report.items), None, None, None]);
    for (key, amount) in [
        ("grossAmount", report.gross),
        ("discountAmount", report.discount),
        ("returnAmount", report.returned),
        ("netAmount", report.net),
        ("taxAmount", report.tax),
        ("roundingAmount", report.rounding),
        ("lateAmount", report.late),
    ] {
        sheet.row("summary", key, "", [None, None, None, money(amount)]);
    }
    for tax in taxes(report) {
        sheet.row("tax", &tax.rate.to_string(), "", [None, None, money(tax.base), money(tax.amount)]);
    }
    for (method, amount) in &report.tenders {
        sheet.row("tender", method.name(), "", [None, None, None, money(*amount)]);
    }
    for (hour, slice) in &report.hours {
        sheet.row("hour", &hour.to_string(), "", [count(slice.transactions), None, None, money(slice.net)]);
    }
    for (name, slice) in &report.departments {
        sheet.row("department", "", name, [count(slice.transactions), None, None, money(slice.net)]);
    }
    for row in best(report) {
        let quantity = Some(row.quantity.to_string());
        sheet.row("product", row.sku, row.name, [None, quantity, None, money(row.net_amount)]);
    }
    sheet.0
}

/// CSV as RFC 4180 has it.
struct Sheet(String);

impl Sheet {
    /// Numbers are written as they are; texts are guarded.
    fn row(&mut self, section: &str, key: &str, name: &str, numbers: [Option<String>; 4]) {
        self.0.push_str(section);
        for text in [key, name] {
            self.0.push(',');
            self.0.push_str(&cell(text));
        }
        for number in numbers {
            self.0.push(',');
            self.0.push_str(&number.unwrap_or_default());
        }
        self.0.push_str("\r\n");
    }
}

/// A text as a cell. One that a spreadsheet would run as a formula gets an apostrophe in front.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r']);
    let guarded = if formula { format!("'{text}") } else { text.to_owned() };
    if guarded.contains(['"', ',', '\r', '\n']) || formula {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[cfg(test)]
mod tests {
    use super::*;
    use pos_domain::report::ProductSum;

    #[test]
    fn no_cell_becomes_a_formula() {
        for (text, written) in [
            ("Bread", "Bread"),
            ("=1+1", "\"'=1+1\""),
            ("+49 30", "\"'+49 30\""),
            ("-5", "\"'-5\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'\t=1\""),
            ("a,b", "\"a,b\""),
            ("12\" pan", "\"12\"\" pan\""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }

    #[test]
    fn the_sheet_guards_names_and_keeps_negative_numbers() {
        let mut report = DayReport { net: Money(-250), ..DayReport::default() };
        let sum = ProductSum { name: "=cmd()".into(), quantity: Quantity(-1000), net: Money(-250) };
        report.products.insert("a".into(), sum);
        let day = "2026-11-23".parse().unwrap();
        let frame = Frame { from: day, to: day, store_id: "s1", currency: "EUR", head: "e.1 ff" };
        let sheet = csv(&report, &frame);
        assert!(sheet.contains("summary,netAmount,,,,,-250\r\n"), "{sheet}");
        assert!(sheet.contains("product,a,\"'=cmd()\",,-1.000,,-250\r\n"), "{sheet}");
        assert!(sheet.lines().all(|line| line.matches(',').count() == 6));
    }

    #[test]
    fn days_are_one_or_a_bounded_span() {
        let day = |text: &str| Some(DateIn(text.parse().unwrap()));
        let span = |date, from, to| Days { date, from, to, store_id: None }.span(Date(20_000));
        assert_eq!(span(None, None, None).unwrap(), (Date(20_000), Date(20_000)));
        assert!(span(None, day("2025-01-01"), day("2025-12-31")).is_ok());
        assert_eq!(span(None, day("2025-01-01"), day("2026-01-02")).unwrap_err().status(), 422);
        assert_eq!(span(None, day("2025-01-02"), day("2025-01-01")).unwrap_err().status(), 422);
        assert_eq!(span(day("2025-01-01"), day("2025-01-01"), None).unwrap_err().status(), 400);
        assert_eq!(span(None, day("2025-01-01"), None).unwrap_err().status(), 400);
    }

    #[test]
    fn the_best_products_come_first() {
        let mut report = DayReport::default();
        for (sku, net) in [("a", 5), ("b", 50), ("c", 5), ("d", -3)] {
            report.products.insert(sku.into(), ProductSum { net: Money(net), ..ProductSum::default() });
        }
        let order: Vec<_> = best(&report).iter().map(|row| row.sku).collect();
        assert_eq!(order, ["b", "a", "c", "d"]);
    }
}
