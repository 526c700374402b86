//! The store's configuration: everything that decides money, dates and numbers. It is itself an event, so that every
//! amount in the journal can be explained from the journal alone.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::barcode::EmbeddedRules;
use crate::money::{Currency, Money};
use crate::tax::{Rate, TaxClass, TaxMode, TaxRounding};

/// What a store decides once, by its configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreConfig {
    /// The owner of the store, as head office names it.
    pub tenant: String,
    /// Short name of the store.
    pub store: String,
    /// Name of this box.
    pub box_name: String,
    /// What stands at the head of the receipt.
    pub name: String,
    /// Address lines of the receipt.
    pub address: Vec<String>,
    /// Lines at the foot of the receipt.
    pub footer: Vec<String>,
    /// The one currency.
    pub currency: Currency,
    /// IANA name of the time zone.
    pub time_zone: String,
    /// Minutes after midnight at which the business day changes, below 1440.
    pub cut_off_minutes: u16,
    /// Whether shelf prices contain the tax.
    pub tax_mode: TaxMode,
    /// Where tax is rounded.
    pub tax_rounding: TaxRounding,
    /// The tax table.
    pub tax_classes: Vec<TaxClass>,
    /// The smallest cash amount in minor units (5 where there are no cents of 1 and 2); 1 for none.
    pub cash_increment: i64,
    /// Whether cash may only be taken within an open shift.
    pub require_shift: bool,
    /// The most that an unlinked return may pay out in cash; `None`: no limit.
    pub unlinked_cash_limit: Option<Money>,
    /// In-store codes that carry a price or a weight.
    pub embedded: EmbeddedRules,
    /// Points for customers; `None`: no scheme.
    pub loyalty: Option<Loyalty>,
}

/// A points scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loyalty {
    /// One point for each whole `earn_per` minor units of net value (after tax, refunds and voids).
    pub earn_per: Money,
    /// What a point is worth as a tender, in minor units; zero: points cannot be spent.
    pub worth: Money,
}

impl Loyalty {
    /// Points for a net amount.
    #[must_use]
    pub fn points(&self, net: Money) -> i64 {
        if self.earn_per.0 <= 0 { 0 } else { net.0.max(0) / self.earn_per.0 }
    }
}

impl StoreConfig {
    /// The rate of a tax class, if the table has it.
    #[must_use]
    pub fn rate(&self, class: &str) -> Option<Rate> {
        self.tax_classes.iter().find(|row| row.name == class).map(|row| row.rate)
    }
}
