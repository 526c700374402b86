//! A sale as it is asked for, priced from the catalogue in memory, and answered.
//!
//! Names and shapes are those of the product's HTTP contract. Prices include tax; tax is rounded half up by line.

use crate::catalogue::Product;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Most lines of a sale.
const MAX_LINES: usize = 1000;

/// `POST /api/v1/transactions`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Request {
    id: Uuid,
    terminal_id: String,
    items: Vec<RequestItem>,
    tenders: [Tender; 1],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestItem {
    barcode: String,
    quantity: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tender {
    method: Method,
    amount: i64,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Method {
    Cash,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
        }
    }
}

/// The catalogue as the peers look products up.
#[derive(Debug)]
pub(super) struct Shelf {
    products: Vec<Product>,
    by_barcode: HashMap<String, usize>,
}

impl Shelf {
    pub(super) fn new(products: &[Product]) -> Self {
        let by_barcode = products.iter().enumerate().map(|(n, p)| (p.barcode.clone(), n)).collect();
        Self { products: products.to_vec(), by_barcode }
    }

    pub(super) fn find(&self, barcode: &str) -> Option<(usize, &Product)> {
        let &number = self.by_barcode.get(barcode)?;
        Some((number, self.products.get(number)?))
    }
}

/// A sale with all amounts, ready to be stored. Amounts in minor units, quantities in thousandths.
#[derive(Debug, Clone)]
pub(super) struct Sale {
    pub(super) id: Uuid,
    pub(super) key: String,
    pub(super) request_hash: [u8; 32],
    pub(super) terminal: String,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// Days since 1970.
    pub(super) business_day: i32,
    pub(super) total: i64,
    pub(super) tax: i64,
    pub(super) method: Method,
    pub(super) tendered: i64,
    pub(super) items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The product's number in the catalogue, from 0.
    pub(super) product: i32,
    pub(super) quantity: i64,
    pub(super) unit_price: i64,
    pub(super) basis_points: i32,
    pub(super) tax: i64,
    pub(super) total: i64,
}

/// Why a sale is refused: a 422 with this text.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no product has the barcode {0}")]
    UnknownProduct(String),
    #[error("{0} lines; a sale has 1 to {MAX_LINES}")]
    Lines(usize),
    #[error("quantity {0} is not in 1..=99999")]
    Quantity(u32),
    #[error("tendered {tendered} of {total}")]
    TooLittle { tendered: i64, total: i64 },
}

impl Sale {
    pub(super) fn price(
        shelf: &Shelf,
        request: Request,
        key: String,
        request_hash: [u8; 32],
    ) -> Result<Self, Refusal> {
        if !(1..=MAX_LINES).contains(&request.items.len()) {
            return Err(Refusal::Lines(request.items.len()));
        }
        let mut items = Vec::with_capacity(request.items.len());
        for asked in &request.items {
            if !(1..=99_999).contains(&asked.quantity) {
                return Err(Refusal::Quantity(asked.quantity));
            }
            let unknown = || Refusal::UnknownProduct(asked.barcode.clone());
            let (number, product) = shelf.find(&asked.barcode).ok_or_else(unknown)?;
            let rate = product.tax_class.basis_points();
            let total = product.price_minor * i64::from(asked.quantity);
            items.push(Item {
                product: i32::try_from(number).map_err(|_| unknown())?,
                quantity: i64::from(asked.quantity) * 1000,
                unit_price: product.price_minor,
                basis_points: i32::try_from(rate).unwrap_or(0),
                tax: included_tax(total, rate),
                total,
            });
        }
        let total = items.iter().map(|item| item.total).sum();
        let tax = items.iter().map(|item| item.tax).sum();
        let [Tender { method, amount: tendered }] = request.tenders;
        if tendered < total {
            return Err(Refusal::TooLittle { tendered, total });
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let business_day = i32::try_from(since.as_secs() / 86_400).unwrap_or(i32::MAX);
        let (id, terminal) = (request.id, request.terminal_id);
        Ok(Self { id, key, request_hash, terminal, at, business_day, total, tax, method, tendered, items })
    }

    pub(super) fn reply<'a>(&'a self, shelf: &'a Shelf, receipt_number: i64) -> Reply<'a> {
        let mut taxes: Vec<Tax> = Vec::new();
        for item in &self.items {
            let rate = Rate(item.basis_points);
            match taxes.iter_mut().find(|tax| tax.rate == rate) {
                Some(tax) => {
                    tax.base += item.total - item.tax;
                    tax.amount += item.tax;
                }
                None => taxes.push(Tax { rate, base: item.total - item.tax, amount: item.tax }),
            }
        }
        let items = (1..).zip(&self.items).map(|(line, item)| {
            let product = usize::try_from(item.product).ok().and_then(|number| shelf.products.get(number));
            let (barcode, name) = product.map_or(("", ""), |p| (&p.barcode, &p.name));
            ReplyItem {
                id: Numbered(self.id, 'i', line),
                product_id: barcode,
                sku: barcode,
                name,
                quantity: Thousandths(item.quantity),
                unit_price: item.unit_price,
                discount: 0,
                tax_rate: Rate(item.basis_points),
                tax_amount: item.tax,
                total_amount: item.total,
            }
        });
        Reply {
            id: self.id,
            store_id: "store-1",
            terminal_id: &self.terminal,
            r#type: "sale",
            receipt_number: format!("R{receipt_number:08}"),
            status: "completed",
            transaction_date: self.at,
            business_date: self.business_day,
            currency: "EUR",
            total_amount: self.total,
            tax_amount: self.tax,
            rounding_amount: 0,
            change_amount: self.tendered - self.total,
            due_amount: 0,
            customer_id: None,
            items: items.collect(),
            payments: [ReplyPayment {
                id: Numbered(self.id, 'p', 1),
                method: self.method,
                amount: self.tendered,
                status: "approved",
                gateway_reference: None,
            }],
            taxes,
        }
    }
}

/// The tax inside an amount, half up: `total × rate / (1 + rate)`. The catalogue bounds what comes in: no overflow.
fn included_tax(total: i64, basis_points: i64) -> i64 {
    let divisor = 10_000 + basis_points;
    (2 * total * basis_points + divisor) / (2 * divisor)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply<'a> {
    id: Uuid,
    store_id: &'static str,
    terminal_id: &'a str,
    r#type: &'static str,
    receipt_number: String,
    status: &'static str,
    transaction_date: i64,
    business_date: i32,
    currency: &'static str,
    total_amount: i64,
    tax_amount: i64,
    rounding_amount: i64,
    change_amount: i64,
    due_amount: i64,
    customer_id: Option<Uuid>,
    items: Vec<ReplyItem<'a>>,
    payments: [ReplyPayment; 1],
    taxes: Vec<Tax>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplyItem<'a> {
    id: Numbered,
    product_id: &'a str,
    sku: &'a str,
    name: &'a str,
    quantity: Thousandths,
    unit_price: i64,
    discount: i64,
    tax_rate: Rate,
    tax_amount: i64,
    total_amount: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplyPayment {
    id: Numbered,
    method: Method,
    amount: i64,
    status: &'static str,
    gateway_reference: Option<String>,
}

#[derive(Debug, Serialize)]
struct Tax {
    rate: Rate,
    base: i64,
    amount: i64,
}

/// `"1.000"` of 1000.
#[derive(Debug, Clone, Copy)]
struct Thousandths(i64);

/// `"20.00"` of 2000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate(i32);

/// A part of a sale, named by the sale and its number: what is derived needs no key of its own.
#[derive(Debug, Clone, Copy)]
struct Numbered(Uuid, char, u32);

impl Serialize for Thousandths {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}.{:03}", self.0 / 1000, self.0 % 1000))
    }
}

impl Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

impl Serialize for Numbered {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}{}", self.0, self.1, self.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_inside_a_price_is_rounded_half_up() {
        assert_eq!(included_tax(99, 2000), 17); // 16.5
        assert_eq!(included_tax(1200, 2000), 200);
        assert_eq!(included_tax(105, 500), 5);
        assert_eq!(included_tax(999, 0), 0);
    }
}
