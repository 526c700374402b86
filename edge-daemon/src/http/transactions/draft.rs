//! What clients send about sales, and the commands that it means.

use std::sync::Arc;

use pos_domain::cart::Discount;
use pos_domain::command::{AsSold, Change, ItemRef, LineDraft, RefundLine, SaleDraft, TenderDraft};
use pos_domain::money::{Currency, Money};
use pos_domain::sale::Kind;
use pos_domain::tax::TaxMode;
use pos_domain::tender::{Foreign, Method};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::body::identified;
use super::super::free_text::Envelope;
use super::super::problem::Problem;
use super::super::wire::{QuantityIn, RateIn, TimeIn};

/// A sale or return as a till sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct NewTransaction {
    /// Made by the client (UUIDv7), or else by the box.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(super) id: Option<Uuid>,
    /// The till; one that was never seen registers itself.
    #[schema(value_type = String, example = "till-1")]
    pub(super) terminal_id: Arc<str>,
    /// `sale` or `return`.
    #[serde(default, rename = "type")]
    #[schema(value_type = String, default = "sale", example = "sale")]
    pub(super) kind: Kind,
    /// Who rings it up.
    #[schema(value_type = Option<String>)]
    pub(super) cashier_id: Option<Arc<str>>,
    /// Whose it is.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(super) customer_id: Option<Uuid>,
    /// When it began, if that was before it came here; it decides the business date.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) started_at: Option<TimeIn>,
    /// The number that an offline till printed.
    pub(super) provisional_number: Option<String>,
    /// Practice: recorded, never counted.
    #[serde(default)]
    pub(super) training: bool,
    /// At most 1,000.
    #[serde(default)]
    pub(super) items: Vec<NewItem>,
    /// On the whole receipt; shared out over the items.
    pub(super) discount: Option<DiscountIn>,
    /// Why.
    pub(super) reason: Option<String>,
    /// Enough of them complete the transaction at once.
    #[serde(default)]
    pub(super) tenders: Vec<TenderIn>,
}

/// One line: `sku` or `barcode`, not both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct NewItem {
    /// The store's own name for the product.
    sku: Option<String>,
    /// What the scanner sent; may carry a price or a weight.
    #[schema(example = "4006381333931")]
    barcode: Option<String>,
    /// More than 0, at most 99999.999; by default what the barcode says, else 1.
    #[schema(value_type = Option<String>, example = "2")]
    quantity: Option<QuantityIn>,
    /// On this line.
    discount: Option<DiscountIn>,
    /// Why.
    reason: Option<String>,
    /// The terms of a line that was sold elsewhere; they stand.
    as_sold: Option<AsSoldIn>,
    /// What the line is a return of.
    original_reference: Option<String>,
}

/// `{"amount": 50}` in minor units or `{"percent": "10"}`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", try_from = "RawDiscount")]
pub(in crate::http) enum DiscountIn {
    /// Minor units, at most what there is.
    #[schema(value_type = i64)]
    Amount(Money),
    /// At most 100.
    #[schema(value_type = String)]
    Percent(RateIn),
}

/// A discount as it is written, before it is known to be one.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawDiscount {
    amount: Option<Money>,
    percent: Option<RateIn>,
}

impl TryFrom<RawDiscount> for DiscountIn {
    type Error = &'static str;

    fn try_from(raw: RawDiscount) -> Result<Self, Self::Error> {
        match (raw.amount, raw.percent) {
            (Some(amount), None) => Ok(Self::Amount(amount)),
            (None, Some(percent)) => Ok(Self::Percent(percent)),
            _ => Err("a discount is an amount or a percent: exactly one of them"),
        }
    }
}

/// The terms of a line that was sold elsewhere.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct AsSoldIn {
    /// Minor units per unit.
    #[schema(value_type = i64)]
    unit_price: Money,
    /// Percent.
    #[schema(value_type = String, example = "20.00")]
    tax_rate: RateIn,
    /// `inclusive` or `exclusive`; by default the store's.
    #[schema(value_type = Option<String>)]
    tax_mode: Option<TaxMode>,
}

/// A payment's part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct TenderIn {
    /// `cash`, `card`, `mobile`, `voucher` or `points`.
    #[schema(value_type = String, example = "cash")]
    method: Method,
    /// As tendered, in minor units of the store's currency.
    #[schema(value_type = i64, example = 2000)]
    amount: Money,
    /// The gateway's or slip's reference. Never a card number.
    reference: Option<String>,
    /// If given in another currency.
    foreign: Option<ForeignIn>,
}

/// Money of another currency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct ForeignIn {
    /// ISO 4217.
    #[schema(value_type = String, example = "USD")]
    currency: Currency,
    /// Minor units of that currency.
    #[schema(value_type = i64)]
    amount: Money,
    /// As displayed.
    #[schema(example = "1.0850")]
    rate: String,
}

/// Lines for an open transaction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct NewItems {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// At least one.
    items: Vec<NewItem>,
}

/// What is to become of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) enum Target {
    /// Paid already (or worth nothing): give it its number.
    Completed,
    /// Park it.
    Suspended,
    /// Take it up again.
    Open,
    /// Give it up.
    Cancelled,
    /// Reverse it as a whole, on its business day.
    Voided,
    /// Take goods back: makes a new return.
    Refunded,
}

/// A change of status.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct NewStatus {
    /// The id of the return for `refunded`; for all it stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// To what.
    pub(super) status: Target,
    /// The till where it is refunded or voided, whose drawer gives the money; by default the transaction's own.
    #[schema(value_type = Option<String>, example = "till-2")]
    pub(super) terminal_id: Option<Arc<str>>,
    /// Why.
    pub(super) reason: Option<String>,
    /// For `refunded`: which lines and how much; none: all that is left.
    #[serde(default)]
    items: Vec<RefundItem>,
    /// For `refunded`: how the money goes back; none: as it came.
    #[serde(default)]
    tenders: Vec<TenderIn>,
}

/// A line that comes back, or part of one.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct RefundItem {
    /// The line's id.
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// How much of it.
    #[schema(value_type = String, example = "1")]
    quantity: QuantityIn,
}

/// A tender for an open transaction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct NewPayment {
    /// Stands in for the `Idempotency-Key`.
    #[schema(value_type = Option<String>, format = "uuid")]
    id: Option<Uuid>,
    /// Which.
    #[schema(value_type = String, format = "uuid")]
    pub(super) transaction_id: Uuid,
    /// `cash`, `card`, `mobile`, `voucher` or `points`.
    #[schema(value_type = String, example = "card")]
    method: Method,
    /// As tendered, in minor units of the store's currency.
    #[schema(value_type = i64)]
    amount: Money,
    /// The gateway's or slip's reference. Never a card number.
    reference: Option<String>,
    /// If given in another currency.
    foreign: Option<ForeignIn>,
}

identified!(NewTransaction, NewItems, NewStatus, NewPayment);

impl NewTransaction {
    /// Whether there is free text to seal.
    pub(super) fn has_text(&self) -> bool {
        self.reason.is_some() || self.items.iter().any(|item| item.reason.is_some())
    }

    /// The sale that is meant; `mode` is the store's.
    pub(super) fn into_draft(
        self,
        id: Uuid,
        mode: TaxMode,
        envelope: &Envelope,
    ) -> Result<SaleDraft, Problem> {
        Ok(SaleDraft {
            id,
            kind: self.kind,
            terminal: self.terminal_id,
            cashier: self.cashier_id,
            customer: self.customer_id,
            started_at: self.started_at.map(|at| at.0),
            provisional_number: self.provisional_number,
            training: self.training,
            lines: lines(self.items, mode, envelope)?,
            discount: self.discount.map(Discount::from),
            reason: envelope.seal("reason", self.reason.as_deref())?,
            tenders: self.tenders.into_iter().map(TenderDraft::from).collect(),
        })
    }
}

impl NewItems {
    pub(super) fn has_text(&self) -> bool {
        self.items.iter().any(|item| item.reason.is_some())
    }

    pub(super) fn into_lines(self, mode: TaxMode, envelope: &Envelope) -> Result<Vec<LineDraft>, Problem> {
        lines(self.items, mode, envelope)
    }
}

impl NewStatus {
    /// The id of the return, if it will be one.
    pub(super) fn return_id(&self) -> Option<Uuid> {
        (self.status == Target::Refunded).then(|| self.id.unwrap_or_else(Uuid::now_v7))
    }

    /// The change that is meant, without its reason.
    pub(super) fn into_change(self, return_id: Option<Uuid>) -> Result<Change, Problem> {
        if let Some(id) = return_id {
            let lines = self.items.iter().map(|item| RefundLine { line: item.id, quantity: item.quantity.0 });
            let tenders = self.tenders.into_iter().map(TenderDraft::from).collect();
            return Ok(Change::Refund { id, lines: lines.collect(), tenders });
        }
        if !self.items.is_empty() || !self.tenders.is_empty() {
            let detail = "items and tenders belong to the status \"refunded\" only; leave them out.";
            return Err(Problem::malformed("refund-only", detail));
        }
        Ok(match self.status {
            Target::Suspended => Change::Suspend,
            Target::Open => Change::Resume,
            Target::Cancelled => Change::Cancel,
            Target::Voided => Change::Void,
            Target::Completed | Target::Refunded => Change::Complete,
        })
    }
}

impl NewPayment {
    pub(super) fn into_tender(self) -> TenderDraft {
        let Self { method, amount, reference, foreign, .. } = self;
        TenderIn { method, amount, reference, foreign }.into()
    }
}

fn lines(items: Vec<NewItem>, mode: TaxMode, envelope: &Envelope) -> Result<Vec<LineDraft>, Problem> {
    items.into_iter().enumerate().map(|(index, item)| line(index, item, mode, envelope)).collect()
}

fn line(index: usize, item: NewItem, mode: TaxMode, envelope: &Envelope) -> Result<LineDraft, Problem> {
    let code = match (item.sku, item.barcode) {
        (Some(sku), None) => ItemRef::Sku(sku),
        (None, Some(barcode)) => ItemRef::Barcode(barcode),
        _ => {
            let detail = "An item names its product by sku or by barcode: exactly one of them.";
            return Err(Problem::malformed("item-needs-code", detail).at(format!("items[{index}]")));
        }
    };
    let reason = match item.reason {
        Some(reason) => envelope.seal(&format!("items[{index}].reason"), Some(&reason))?,
        None => None,
    };
    Ok(LineDraft {
        item: code,
        quantity: item.quantity.map(|quantity| quantity.0),
        discount: item.discount.map(Discount::from),
        reason,
        as_sold: item.as_sold.map(|terms| AsSold {
            unit_price: terms.unit_price,
            rate: terms.tax_rate.0,
            mode: terms.tax_mode.unwrap_or(mode),
        }),
        original_reference: item.original_reference,
    })
}

impl From<DiscountIn> for Discount {
    fn from(discount: DiscountIn) -> Self {
        match discount {
            DiscountIn::Amount(amount) => Self::Amount(amount),
            DiscountIn::Percent(percent) => Self::Percent(percent.0),
        }
    }
}

impl From<TenderIn> for TenderDraft {
    fn from(tender: TenderIn) -> Self {
        let foreign = |f: ForeignIn| Foreign { currency: f.currency, amount: f.amount, rate: f.rate };
        let TenderIn { method, amount, reference, .. } = tender;
        Self { method, amount, reference, foreign: tender.foreign.map(foreign) }
    }
}
