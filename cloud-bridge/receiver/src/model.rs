//! Which rows journal records make, and what they move. Pure: nothing is read, nothing is written.
//!
//! [`Changes::of`] takes the records of one epoch, one after another, and keeps of each sale, product and customer the last
//! version: each event about a sale carries the whole sale. What it gives is combined with what the database has by two rules:
//!
//! 1. **Of two versions the later stands** ([`Version`]).
//! 2. **What a sale moves follows from its state alone** ([`Movements`]): goods and points have moved while it is completed, partly
//!    refunded or refunded, and not while it is open, cancelled, voided or training. That is what `Sold`, `Completed` and `Voided`
//!    do in [`State::apply`](pos_domain::state::State::apply), told so that it holds when some of the steps came by another epoch,
//!    came twice, or could not be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use pos_domain::catalog::Product;
use pos_domain::customer::Customer;
use pos_domain::delivery::{Loss, RefusedDocument, Written};
use pos_domain::event::{Adjustment, Event, Step};
use pos_domain::money::Money;
use pos_domain::sale::{Sale, Status};
use pos_domain::store::StoreConfig;
use pos_domain::tender::Method;
use pos_domain::time::Date;
use pos_journal::Record;
use pos_journal::codec::Entry;
use uuid::Uuid;

pub use movements::Movements;
pub use rows::{AdjustmentRow, ItemRow, LossRow, PaymentRow, RecordRow, RefusalRow, Row, SaleRow, Value};

pub use crate::values::{Day, Moment};
use crate::values::{epoch_bits, seq_bits};

mod movements;
mod rows;

/// Which of two versions is the later: by journal time, then by the epoch's receipt series, then by epoch and number.
///
/// Journal time never goes back along a lineage, over epochs too, and the series grows from epoch to epoch. So where one version was
/// made knowing the other, it is the later; where two boxes went on from one backup, it is the one that was made later; and it is
/// the same one whichever arrives first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Journal time.
    pub recorded_at: Moment,
    /// The epoch's receipt series.
    pub series: i32,
    /// The epoch, as the database has it.
    pub epoch: i64,
    /// The number in the epoch.
    pub seq: i64,
}

/// A sale as it last stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleChange {
    /// It.
    pub sale: Arc<Sale>,
    /// By which record.
    pub version: Version,
    /// Whether it began within these records: then no record before them in this epoch tells of it.
    pub begun: bool,
    /// By how much it moves its customer's points while it counts.
    pub points: i64,
}

impl SaleChange {
    /// Whether goods and points have moved and stayed so.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.sale.status.counts() && !self.sale.training
    }

    /// What orders the versions of a sale: one that was ever paid and numbered is later than one that never was, whatever the time.
    /// A box that was restored to before the payment may give up the sale; the goods left the shop all the same.
    #[must_use]
    pub fn rank(&self) -> (bool, Version) {
        (was_paid(self.sale.status), self.version)
    }
}

/// Whether a sale of this status was ever paid and numbered.
pub(crate) fn was_paid(status: Status) -> bool {
    !status.is_pending() && status != Status::Cancelled
}

/// A customer as it last stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerChange {
    /// New or changed.
    Put(Customer),
    /// Erased: for good, whatever comes later.
    Erased,
}

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Its number.
    pub seq: u64,
    /// Why.
    pub why: String,
}

/// What must be known of a store to read its records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ground {
    /// The receipt series of the epoch; 0 before its first record.
    pub series: i32,
    /// What a loyalty point is worth, for sales from before that stood on them.
    pub point_worth: i64,
}

/// What records of one epoch change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// As it stands after them.
    pub ground: Ground,
    /// The configuration.
    pub store: Option<(Arc<StoreConfig>, Version)>,
    /// In the order of their ids, as the index has them.
    pub sales: BTreeMap<Uuid, SaleChange>,
    /// By SKU.
    pub products: BTreeMap<Arc<str>, (Arc<Product>, Version)>,
    /// By id.
    pub customers: BTreeMap<Uuid, (CustomerChange, Version)>,
    /// By id.
    pub adjustments: BTreeMap<Uuid, (Adjustment, Date)>,
    /// What was given up for head office's word or against it, with its place in its record.
    pub losses: Vec<(Loss, Version, i32)>,
    /// Documents of head office that were not taken, likewise.
    pub refused: Vec<(RefusedDocument, Version, i32)>,
    /// In the order of their numbers.
    pub not_understood: Vec<NotUnderstood>,
}

impl Changes {
    /// Of records of one epoch, in their order.
    #[must_use]
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>, ground: Ground) -> Self {
        let mut changes = Self { ground, ..Self::default() };
        for record in records {
            match Entry::decode(&record.body) {
                Ok(entry) => changes.take(record, entry),
                Err(error) => {
                    let why = error.to_string();
                    changes.not_understood.push(NotUnderstood { seq: record.seq, why });
                }
            }
        }
        changes
    }

    fn take(&mut self, record: &Record, entry: Entry) {
        if let Event::EpochStarted { series, .. } = &entry.event {
            self.ground.series = i32::from(*series);
        }
        let version = Version {
            recorded_at: entry.time.into(),
            series: self.ground.series,
            epoch: epoch_bits(record.epoch),
            seq: seq_bits(record.seq),
        };
        match entry.event {
            Event::StoreConfigured(store) => {
                self.ground.point_worth = store.loyalty.map_or(0, |loyalty| loyalty.worth.0);
                self.store = Some((store, version));
            }
            Event::Sale { step, sale } => self.take_sale(step, sale, version),
            Event::ProductsPut(products) => {
                for product in products {
                    self.products.insert(product.sku.clone(), (product, version));
                }
            }
            Event::ProductsDelivered(delivered) => {
                self.take_written(delivered.products, version);
                self.take_losses(delivered.losses, version);
                let refused = delivered.refused.into_iter().zip(0..);
                self.refused.extend(refused.map(|(refused, number)| (refused, version, number)));
            }
            Event::PricesInForce(prices) => {
                self.take_written(prices.products, version);
                self.take_losses(prices.losses, version);
            }
            Event::StockAdjusted(adjustment) => {
                self.adjustments.entry(adjustment.id).or_insert((adjustment, entry.business_date));
            }
            Event::CustomerPut(customer) => {
                let kept = self.customers.get(&customer.id);
                if !matches!(kept, Some((CustomerChange::Erased, _))) {
                    self.customers.insert(customer.id, (CustomerChange::Put(customer), version));
                }
            }
            Event::CustomerErased(id) => {
                let kept = self.customers.get(&id);
                if !matches!(kept, Some((CustomerChange::Erased, _))) {
                    self.customers.insert(id, (CustomerChange::Erased, version));
                }
            }
            // The rest moves nothing that head office has tables for; the records have it.
            Event::EpochStarted { .. }
            | Event::StockLow { .. }
            | Event::ShiftOpened(_)
            | Event::CashMoved { .. }
            | Event::ShiftClosed(_)
            | Event::TerminalSeen(_)
            | Event::PrintAsked(_)
            | Event::PrintEnded { .. }
            | Event::ProductKept(_)
            | Event::DrawerAsked(_)
            | Event::DrawerEnded { .. }
            | Event::DrawerAlarm { .. }
            | Event::PrintSettled(_)
            | Event::DevicePut(_)
            | Event::DeviceRemoved(_)
            | Event::InstructionTaken(_)
            | Event::InstructionEnded { .. } => {}
        }
    }

    fn take_written(&mut self, written: Vec<Written>, version: Version) {
        for product in written.into_iter().filter_map(|written| written.product) {
            self.products.insert(product.sku.clone(), (product, version));
        }
    }

    fn take_losses(&mut self, losses: Vec<Loss>, version: Version) {
        self.losses.extend(losses.into_iter().zip(0..).map(|(loss, number)| (loss, version, number)));
    }

    fn take_sale(&mut self, step: Step, sale: Arc<Sale>, version: Version) {
        let points = points(&sale, self.ground.point_worth);
        let mut change = SaleChange { sale, version, begun: step.is_first(), points };
        if let Some(before) = self.sales.get(&change.sale.id) {
            change.begun = before.begun;
        }
        self.sales.insert(change.sale.id, change);
    }
}

/// By how much a sale moves its customer's points while it counts.
fn points(sale: &Sale, point_worth: i64) -> i64 {
    if sale.customer.is_none() || sale.training {
        return 0;
    }
    let spent = sale.points_spent.unwrap_or_else(|| {
        let points = sale.money().filter(|(method, _)| *method == Method::Points);
        let amount = points.map(|(_, amount)| amount).sum::<Money>();
        if point_worth > 0 { amount.0 / point_worth } else { 0 }
    });
    sale.points.saturating_sub(spent).saturating_mul(sale.sign())
}

#[cfg(test)]
mod tests;
