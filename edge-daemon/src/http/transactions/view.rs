//! A sale as clients see it. Made of the sale alone (and the store's name), so that the reply to a repeated request
//! is the same to the byte.

use pos_domain::money::Money;
use pos_domain::quantity::Quantity;
use pos_domain::sale::{Kind, Line, ReceiptNumber, Sale, Status};
use pos_domain::seal::Sealed;
use pos_domain::tax::{Rate, TaxMode};
use pos_domain::tender::{Method, PaymentStatus, Tender};
use pos_domain::time::{Date, Millis};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::wire::{text, text_or_null, time, time_or_null};

/// A sale or return. Amounts are minor units of `currency`; on a return all amounts are what goes back, positive.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Transaction<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    store_id: &'a str,
    terminal_id: &'a str,
    /// `sale` or `return`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "sale")]
    kind: Kind,
    /// Consecutive within its series; null until completed.
    #[serde(serialize_with = "text_or_null")]
    #[schema(value_type = Option<String>, example = "01-000042")]
    receipt_number: Option<ReceiptNumber>,
    /// `open`, `suspended`, `completed`, `cancelled`, `voided`, `partiallyRefunded` or `refunded`.
    #[schema(value_type = String, example = "completed")]
    status: Status,
    /// When it began, RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    transaction_date: Millis,
    /// The business day that it began on.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, format = Date)]
    business_date: Date,
    #[schema(example = "EUR")]
    currency: &'a str,
    /// Sum of the items, tax included.
    #[schema(value_type = i64)]
    total_amount: Money,
    /// Tax within the total.
    #[schema(value_type = i64)]
    tax_amount: Money,
    /// Cash rounding, beside the total.
    #[schema(value_type = i64)]
    rounding_amount: Money,
    /// Cash given back.
    #[schema(value_type = i64)]
    change_amount: Money,
    /// Still to be paid.
    #[schema(value_type = i64)]
    due_amount: Money,
    #[schema(value_type = Option<String>, format = "uuid")]
    customer_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cashier_id: Option<&'a str>,
    /// When it was paid, RFC 3339.
    #[serde(serialize_with = "time_or_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Millis>,
    /// The sale that this is a return of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    original_id: Option<Uuid>,
    /// The shift whose drawer took the money.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    shift_id: Option<Uuid>,
    /// The number that an offline till printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    provisional_number: Option<&'a str>,
    /// Practice; left out where it is false.
    #[serde(skip_serializing_if = "is_false")]
    training: bool,
    /// Brought in after its day's Z; left out where it is false.
    #[serde(skip_serializing_if = "is_false")]
    late: bool,
    /// A return without its sale; left out where it is false.
    #[serde(skip_serializing_if = "is_false")]
    unlinked: bool,
    /// Points earned (by a return: taken back); left out where none.
    #[serde(skip_serializing_if = "is_zero")]
    loyalty_points: i64,
    /// Why; only where a transaction is read, and can still be.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The lines that count.
    items: Vec<Item<'a>>,
    /// Lines taken off before it was finalised; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    voided_items: Vec<Item<'a>>,
    payments: Vec<Payment<'a>>,
    taxes: Vec<TaxRow>,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Item<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// Null for goods that the catalogue does not know (sold elsewhere).
    #[serde(serialize_with = "text_or_null")]
    #[schema(value_type = Option<String>, example = "17")]
    product_id: Option<pos_domain::catalog::ProductId>,
    sku: &'a str,
    name: &'a str,
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "1.000")]
    quantity: Quantity,
    /// As on the shelf: with or without tax, by the store's mode.
    #[schema(value_type = i64)]
    unit_price: Money,
    /// All that came off, its share of the receipt's discount included.
    #[schema(value_type = i64)]
    discount: Money,
    /// Percent.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "20.00")]
    tax_rate: Rate,
    #[schema(value_type = i64)]
    tax_amount: Money,
    /// Tax included.
    #[schema(value_type = i64)]
    total_amount: Money,
    /// `exclusive` where the unit price is without tax; left out where it contains it.
    #[serde(skip_serializing_if = "is_inclusive")]
    #[schema(value_type = Option<String>)]
    tax_mode: TaxMode,
    /// Today's price, where the line was sold elsewhere at another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    list_price: Option<Money>,
    /// What the line is a return of, as the client said.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_reference: Option<&'a str>,
    /// What came back of it since; left out where nothing did.
    #[serde(serialize_with = "text_or_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    returned_quantity: Option<Quantity>,
    /// Why; only where a transaction is read, and can still be.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// One tender.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Payment<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// `cash`, `card`, `mobile`, `voucher` or `points`.
    #[schema(value_type = String)]
    method: Method,
    /// As tendered; change is not taken off.
    #[schema(value_type = i64)]
    amount: Money,
    /// `pending`, `approved`, `declined`, `unknown` or `reversed`.
    #[schema(value_type = String, example = "approved")]
    status: PaymentStatus,
    gateway_reference: Option<&'a str>,
    /// RFC 3339.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    timestamp: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign: Option<ForeignMoney<'a>>,
}

/// Money of another currency.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct ForeignMoney<'a> {
    currency: &'a str,
    #[schema(value_type = i64)]
    amount: Money,
    rate: &'a str,
}

/// Tax of one rate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct TaxRow {
    /// Percent.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String, example = "20.00")]
    pub(in crate::http) rate: Rate,
    /// The net amount that it is on.
    #[schema(value_type = i64)]
    pub(in crate::http) base: Money,
    #[schema(value_type = i64)]
    pub(in crate::http) amount: Money,
}

impl<'a> Transaction<'a> {
    /// The sale as it stands, without its reasons.
    pub(in crate::http) fn new(sale: &'a Sale, store_id: &'a str) -> Self {
        let items = |voided| {
            let chosen = sale.lines.iter().filter(move |line| line.voided == voided);
            chosen.map(|line| Item::new(sale, line)).collect()
        };
        let taxes = sale.taxes().into_iter();
        Self {
            id: sale.id,
            store_id,
            terminal_id: &sale.terminal,
            kind: sale.kind,
            receipt_number: sale.receipt,
            status: sale.status,
            transaction_date: sale.started_at,
            business_date: sale.business_date,
            currency: sale.currency.code(),
            total_amount: sale.total,
            tax_amount: sale.tax,
            rounding_amount: sale.rounding,
            change_amount: sale.change,
            due_amount: sale.due,
            customer_id: sale.customer,
            cashier_id: sale.cashier.as_deref(),
            completed_at: sale.completed_at,
            original_id: sale.original,
            shift_id: sale.shift,
            provisional_number: sale.provisional_number.as_deref(),
            training: sale.training,
            late: sale.late,
            unlinked: sale.unlinked,
            loyalty_points: sale.points,
            reason: None,
            items: items(false),
            voided_items: items(true),
            payments: sale.tenders.iter().map(|tender| Payment::new(sale, tender)).collect(),
            taxes: taxes.map(|tax| TaxRow { rate: tax.rate, base: tax.base, amount: tax.amount }).collect(),
        }
    }

    /// The same with the reasons that can still be read.
    pub(in crate::http) fn with_reasons(
        mut self,
        sale: &Sale,
        open: impl Fn(&Sealed) -> Option<String>,
    ) -> Self {
        self.reason = sale.reason.as_ref().and_then(&open);
        for item in self.items.iter_mut().chain(&mut self.voided_items) {
            let line = sale.line_by_id(item.id);
            item.reason = line.and_then(|line| line.reason.as_ref()).and_then(&open);
        }
        self
    }
}

impl<'a> Item<'a> {
    fn new(sale: &Sale, line: &'a Line) -> Self {
        let returned = line.returned.quantity;
        Self {
            id: sale.line_id(line.number),
            product_id: line.product,
            sku: &line.sku,
            name: &line.name,
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount: line.discount,
            tax_rate: line.rate,
            tax_amount: line.tax,
            total_amount: line.total,
            tax_mode: line.mode,
            list_price: line.list_price,
            original_reference: line.original_reference.as_deref(),
            returned_quantity: (returned != Quantity::ZERO).then_some(returned),
            reason: None,
        }
    }
}

impl<'a> Payment<'a> {
    /// A tender of the sale.
    pub(in crate::http) fn new(sale: &Sale, tender: &'a Tender) -> Self {
        Self {
            id: sale.payment_id(tender.number),
            method: tender.method,
            amount: tender.amount,
            status: tender.status,
            gateway_reference: tender.reference.as_deref(),
            timestamp: tender.at,
            foreign: tender.foreign.as_ref().map(|foreign| ForeignMoney {
                currency: foreign.currency.code(),
                amount: foreign.amount,
                rate: &foreign.rate,
            }),
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

fn is_inclusive(mode: &TaxMode) -> bool {
    *mode == TaxMode::Inclusive
}
