//! A real retailer's invoices, sold again: each total to the penny against one computed here from the file, each day's
//! report against the sums.
//!
//! How the file is read:
//! - An invoice whose number begins with C is a return; its quantities are negative there and positive here. Most have
//!   no original in the file, so all are unlinked.
//! - Prices are pounds with at most two decimals, and become pence; the test stops at any other.
//! - An invoice without a C whose quantities are negative has no prices: goods were written off. That is no sale; it is
//!   booked as an adjustment of stock.
//! - An invoice worth nothing is paid with nothing in cash; every other one by card, exactly.
//! - Times are local. An invoice whose lines have two times (there is one) began at the first.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::DateTime;
use serde_json::{Value, json};
use tillbox_tests::{Client, Place, Setup, real_data};
use uuid::Uuid;

use crate::till::TRANSACTIONS;

const ZONE: &str = "Europe/London";

struct Line {
    code: String,
    quantity: i64,
    pence: i64,
}

struct Invoice {
    number: String,
    began: DateTime,
    lines: Vec<Line>,
}

#[derive(Default, Debug, PartialEq, Eq)]
struct Day {
    transactions: u64,
    items: u64,
    sold: i64,
    returned: i64,
}

fn pence(pounds: &str) -> i64 {
    let (whole, fraction) = pounds.split_once('.').unwrap_or((pounds, ""));
    assert!(fraction.len() <= 2, "{pounds} is no whole number of pence");
    format!("{whole}{fraction:0<2}").parse().unwrap()
}

fn read(file: &Path) -> Vec<Invoice> {
    let mut invoices: BTreeMap<String, Invoice> = BTreeMap::new();
    for row in csv::Reader::from_path(file).unwrap().records() {
        let row = row.unwrap();
        let began: DateTime = row[4].replace(' ', "T").parse().unwrap();
        let number = row[0].to_owned();
        let new = || Invoice { number: number.clone(), began, lines: Vec::new() };
        let invoice = invoices.entry(number.clone()).or_insert_with(new);
        invoice.began = invoice.began.min(began);
        let (code, quantity) = (row[1].to_owned(), row[3].parse().unwrap());
        invoice.lines.push(Line { code, quantity, pence: pence(&row[5]) });
    }
    invoices.into_values().collect()
}

impl Invoice {
    fn is_return(&self) -> bool {
        self.number.starts_with('C')
    }

    fn is_write_off(&self) -> bool {
        !self.is_return() && self.lines.iter().all(|line| line.quantity < 0)
    }

    /// Positive for sales and for returns.
    fn total(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity.abs() * line.pence).sum()
    }

    fn request(&self, id: Uuid) -> Value {
        let sign = if self.is_return() { -1 } else { 1 };
        let item = |line: &Line| {
            json!({
                "sku": line.code,
                "quantity": (sign * line.quantity).to_string(),
                "asSold": { "unitPrice": line.pence, "taxRate": "0.00", "taxMode": "inclusive" },
            })
        };
        let items: Vec<Value> = self.lines.iter().map(item).collect();
        let total = self.total();
        let method = if total == 0 { "cash" } else { "card" };
        json!({
            "id": id,
            "terminalId": "warehouse",
            "type": if self.is_return() { "return" } else { "sale" },
            "startedAt": self.began.in_tz(ZONE).unwrap().timestamp().to_string(),
            "provisionalNumber": self.number,
            "items": items,
            "tenders": [{ "method": method, "amount": total }],
        })
    }

    fn check(&self, sale: &Value) {
        assert_eq!(sale["totalAmount"], self.total(), "invoice {}: {sale}", self.number);
        assert_eq!(sale["status"], "completed", "invoice {}", self.number);
        assert_eq!(sale["provisionalNumber"], self.number);
        assert_eq!(sale["businessDate"], self.began.date().to_string());
        let lines = sale["items"].as_array().unwrap();
        assert_eq!(lines.len(), self.lines.len());
        for (sold, line) in lines.iter().zip(&self.lines) {
            assert_eq!(
                sold["totalAmount"],
                line.quantity.abs() * line.pence,
                "invoice {}: {sold}",
                self.number
            );
        }
    }
}

/// Goods that were written off: known to the catalogue, then booked out.
fn write_off(client: &Client, invoice: &Invoice) {
    for line in &invoice.lines {
        assert_eq!(line.pence, 0, "goods written off have no price");
        let product = json!({ "name": line.code, "price": 0, "taxClass": "zero" });
        client.change("PUT", &format!("/api/v1/products/{}", line.code), &invoice.number, &[], &product);
        let id = Uuid::now_v7();
        let body = json!({ "id": id, "sku": line.code, "quantityChange": line.quantity, "reason": "damage" });
        let booked = client.post("/api/v1/inventory/adjustments", &body).ok(201);
        assert_eq!(booked["quantityChange"], format!("{}.000", line.quantity));
    }
}

#[test]
fn a_real_retailers_invoices_come_out_to_the_penny() {
    let Some(file) = real_data::find("retail", "online-retail.csv") else { return };
    let invoices = read(&file);
    assert!(invoices.iter().any(|invoice| invoice.lines.len() == 593), "the largest invoice has 593 lines");
    let place = Place::new(&Setup::default().at("GBP", ZONE));
    let daemon = place.start();
    let client = daemon.client();
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    let mut written_off = 0;
    for invoice in &invoices {
        if invoice.is_write_off() {
            write_off(&client, invoice);
            written_off += 1;
            continue;
        }
        let id = Uuid::now_v7();
        let reply = client.post(TRANSACTIONS, &invoice.request(id));
        invoice.check(&reply.ok(201));
        invoice.check(&client.get(&format!("{TRANSACTIONS}/{id}")).ok(200));
        let day = days.entry(invoice.began.date().to_string()).or_default();
        day.transactions += 1;
        match invoice.is_return() {
            true => day.returned += invoice.total(),
            false => {
                day.sold += invoice.total();
                day.items += invoice.lines.len() as u64;
            }
        }
    }
    compare_reports(&client, &days);
    daemon.stop();
    std::fs::remove_dir_all(place.data().join("views")).unwrap();
    let daemon = place.start();
    compare_reports(&daemon.client(), &days);
    let returns = invoices.iter().filter(|invoice| invoice.is_return()).count();
    println!(
        "{} invoices, {returns} of them returns, {written_off} written off, {} days",
        invoices.len(),
        days.len()
    );
    daemon.stop();
    place.verify();
}

fn compare_reports(client: &Client, days: &BTreeMap<String, Day>) {
    let report = |query: &str| client.when_ready(&format!("/api/v1/reports/sales/daily?{query}"));
    let mut whole = Day::default();
    for (date, day) in days {
        let report = report(&format!("date={date}"));
        assert_eq!(report["currency"], "GBP");
        assert_eq!(figures(&report), *day, "{date}: {report}");
        assert_eq!(report["netAmount"], day.sold - day.returned, "{date}");
        whole.transactions += day.transactions;
        whole.items += day.items;
        whole.sold += day.sold;
        whole.returned += day.returned;
    }
    let (first, last) = (days.keys().next().unwrap(), days.keys().next_back().unwrap());
    assert_eq!(figures(&report(&format!("from={first}&to={last}"))), whole);
}

fn figures(report: &Value) -> Day {
    let amount = |name: &str| report[name].as_i64().unwrap();
    Day {
        transactions: report["transactionCount"].as_u64().unwrap(),
        items: report["itemCount"].as_u64().unwrap(),
        sold: amount("grossAmount"),
        returned: amount("returnAmount"),
    }
}
