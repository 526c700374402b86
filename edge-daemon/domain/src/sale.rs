//! A sale and its life: open, suspended, completed, cancelled, post-voided, refunded wholly or by line.
//!
//! A return is a sale of its own whose amounts are what goes *back*: all its numbers are positive, its kind tells the
//! direction. Each event about a sale carries the whole sale as it then stood: the last one is the sale.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cart::{Discount, TaxLine, tax_lines};
use crate::catalog::ProductId;
use crate::money::{Currency, Money};
use crate::quantity::Quantity;
use crate::seal::Sealed;
use crate::tax::{Rate, TaxMode, TaxRounding};
use crate::tender::{Method, PaymentStatus, Tender};
use crate::time::{Date, Millis};

/// The most lines of one sale.
pub const MAX_LINES: usize = 1000;

/// Which way the goods go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Goods out, money in.
    #[default]
    Sale,
    /// Goods back, money out.
    Return,
}

/// Where a sale is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Being rung up, or waiting for money.
    Open,
    /// Parked, to be resumed.
    Suspended,
    /// Paid and numbered.
    Completed,
    /// Given up before it was paid.
    Cancelled,
    /// Reversed as a whole on its business day.
    Voided,
    /// Some of it came back.
    PartiallyRefunded,
    /// All of it came back.
    Refunded,
}

impl Status {
    /// The name that the API uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Suspended => "suspended",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Voided => "voided",
            Self::PartiallyRefunded => "partiallyRefunded",
            Self::Refunded => "refunded",
        }
    }

    /// Whether goods and money changed hands and stayed so (a refund is a sale of its own).
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Completed | Self::PartiallyRefunded | Self::Refunded)
    }

    /// Whether the sale may still change by ringing up.
    #[must_use]
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Open | Self::Suspended)
    }
}

/// A receipt number: consecutive within its series, which is the number of the epoch it was given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReceiptNumber {
    /// The series; 0 for training.
    pub series: u16,
    /// Counts from 1.
    pub number: u64,
}

impl fmt::Display for ReceiptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.series {
            0 => write!(f, "T-{:06}", self.number),
            series => write!(f, "{series:02}-{:06}", self.number),
        }
    }
}

impl FromStr for ReceiptNumber {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a receipt number is a series and a number, such as 01-000042";
        let (series, number) = text.split_once('-').ok_or(wrong)?;
        let series = if series == "T" { 0 } else { series.parse().map_err(|_| wrong)? };
        Ok(Self { series, number: number.parse().map_err(|_| wrong)? })
    }
}

/// What came back of a line so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// How much.
    pub quantity: Quantity,
    /// Its money, tax included.
    pub total: Money,
    /// The tax in it.
    pub tax: Money,
    /// The discount that it had.
    pub discount: Money,
}

/// One line of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counts from 1 within the sale; never reused.
    pub number: u16,
    /// `None` for goods that the catalogue does not know (sold elsewhere).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
    /// As it was then.
    pub sku: Arc<str>,
    /// As it was then.
    pub name: Arc<str>,
    /// As it was then, for reports.
    pub department: Arc<str>,
    /// How much.
    pub quantity: Quantity,
    /// As on the shelf.
    pub unit_price: Money,
    /// As it was then.
    pub rate: Rate,
    /// As it was then.
    pub mode: TaxMode,
    /// The line's own discount, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_discount: Option<Discount>,
    /// All discounts in money, its share of the receipt's included.
    #[serde(default, skip_serializing_if = "is_default")]
    pub discount: Money,
    /// Tax within the total.
    pub tax: Money,
    /// What is paid for the line.
    pub total: Money,
    /// Why it was discounted or returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed>,
    /// Today's price, where the line was sold elsewhere at another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<Money>,
    /// What the line is a return of, as the client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_reference: Option<String>,
    /// Taken off again before the sale was finalised: counts for nothing, stays recorded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub voided: bool,
    /// What came back since.
    #[serde(default, skip_serializing_if = "is_default")]
    pub returned: Returned,
}

impl Line {
    /// Price × quantity, before discounts.
    #[must_use]
    pub fn gross(&self) -> Money {
        self.quantity.times(self.unit_price)
    }
}

/// A sale or a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// Made by the client, or by the box.
    pub id: Uuid,
    /// Sale or return.
    pub kind: Kind,
    /// Where it is in its life.
    pub status: Status,
    /// The till.
    pub terminal: Arc<str>,
    /// Who rang it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cashier: Option<Arc<str>>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Uuid>,
    /// When it began.
    pub started_at: Millis,
    /// The business day that it began on; it stays.
    pub business_date: Date,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Millis>,
    /// Of all its amounts.
    pub currency: Currency,
    /// Practice: recorded, never counted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub training: bool,
    /// Came after the Z of its business day: brought in from elsewhere, or left open over it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late: bool,
    /// A return without its sale.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unlinked: bool,
    /// The number that an offline till printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional_number: Option<String>,
    /// Given with the commit that completed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptNumber>,
    /// The lines, voided ones too.
    pub lines: Vec<Line>,
    /// The discount on the whole receipt, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_discount: Option<Discount>,
    /// Why it is discounted, returned, cancelled or voided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed>,
    /// The tenders.
    pub tenders: Vec<Tender>,
    /// Sum of the lines, tax included.
    pub total: Money,
    /// Tax within the total.
    pub tax: Money,
    /// Cash rounding, beside the total.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rounding: Money,
    /// Cash given back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub change: Money,
    /// Still to be paid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub due: Money,
    /// The sale that this is a return of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Uuid>,
    /// The shift whose drawer took the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<Uuid>,
    /// Points earned (by a return: taken back).
    #[serde(default, skip_serializing_if = "is_default")]
    pub points: i64,
    /// How tax is rounded, as configured when it began; `None` before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_rounding: Option<TaxRounding>,
    /// Whether prices contain tax, as configured when it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_mode: Option<TaxMode>,
    /// Points that its tenders took (on a return: gave back), at what a point was worth then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_spent: Option<i64>,
    /// What returns of it gave back in cash, before that was rounded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub returned_cash: Money,
}

impl Sale {
    /// The lines that count.
    pub fn live_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.voided)
    }

    /// Tax per rate, ascending.
    #[must_use]
    pub fn taxes(&self) -> Vec<TaxLine> {
        tax_lines(self.live_lines().map(|line| (line.rate, (line.total, line.tax))))
    }

    /// Whether cash went into the drawer or came out of it.
    #[must_use]
    pub fn moved_cash(&self) -> bool {
        self.money().any(|(method, _)| method == Method::Cash) || self.change != Money::ZERO
    }

    /// The tenders whose money was there (reversed ones too: a void takes them off again), as method and amount.
    pub fn money(&self) -> impl Iterator<Item = (Method, Money)> {
        let good =
            |tender: &&Tender| matches!(tender.status, PaymentStatus::Approved | PaymentStatus::Reversed);
        self.tenders.iter().filter(good).map(|tender| (tender.method, tender.amount))
    }

    /// +1 for a sale, −1 for a return: what goods and money are multiplied by in sums.
    #[must_use]
    pub fn sign(&self) -> i64 {
        match self.kind {
            Kind::Sale => 1,
            Kind::Return => -1,
        }
    }

    /// The id of a line to the outside: made of the sale's, so that it need not be kept.
    #[must_use]
    pub fn line_id(&self, number: u16) -> Uuid {
        derived_id(self.id, 1, number)
    }

    /// The id of a payment to the outside.
    #[must_use]
    pub fn payment_id(&self, number: u16) -> Uuid {
        derived_id(self.id, 2, number)
    }

    /// The line with an outside id.
    #[must_use]
    pub fn line_by_id(&self, id: Uuid) -> Option<&Line> {
        self.lines.iter().find(|line| self.line_id(line.number) == id)
    }
}

/// A UUID of version 8 (RFC 9562, section 5.8): the sale's, its low 32 bits moved on by kind and number.
fn derived_id(sale: Uuid, kind: u16, number: u16) -> Uuid {
    let (high, low) = sale.as_u64_pair();
    let moved = (low & 0xffff_ffff).wrapping_add(u64::from(kind) << 16 | u64::from(number)) & 0xffff_ffff;
    let high = high & !0xf000 | 0x8000;
    Uuid::from_u64_pair(high, low & !0xffff_ffff | moved)
}

/// Leaves a field out of the stored form where it says nothing.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
