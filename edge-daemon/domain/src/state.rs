//! What the one writer must know to decide: bounded by the shop's size, not by its history. Completed sales are not
//! here; a command that names one is decided with the sale handed in.

use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog::{Catalog, ProductId};
use crate::customer::{Account, LookupHash};
use crate::delivery::{ComingPrices, PRODUCTS, Stamp, Stamps, Written};
use crate::event::{DeviceSetup, DrawerJob, Event, Instruction, PrintJob, PrintOutcome, Step};
use crate::money::Money;
use crate::quantity::Quantity;
use crate::sale::Sale;
use crate::shift::Shift;
use crate::stock::Levels;
use crate::store::StoreConfig;
use crate::tender::Method;
use crate::time::{Date, Millis};

/// The version of [`State::apply`]: a checkpoint made by another is not used.
pub const APPLY_VERSION: u32 = 6;

/// Jobs without a printed sheet that are kept for a person to decide about; the oldest go first.
pub const MAX_UNPRINTED: usize = 200;

/// The store, as far as deciding needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The configuration in force; `None` only before the first record.
    pub store: Option<Arc<StoreConfig>>,
    /// All products.
    pub catalog: Catalog,
    /// Levels; a product that never moved has none.
    pub stock: Levels,
    /// Sales that are open or suspended.
    pub open_sales: BTreeMap<Uuid, Arc<Sale>>,
    /// Customers and their points.
    pub customers: BTreeMap<Uuid, Account>,
    /// Customers by e-mail.
    pub by_email: BTreeMap<LookupHash, Uuid>,
    /// Customers by telephone.
    pub by_phone: BTreeMap<LookupHash, Uuid>,
    /// Open shifts by drawer.
    pub shifts: BTreeMap<Arc<str>, Shift>,
    /// Tills that were seen.
    pub terminals: BTreeSet<Arc<str>>,
    /// Print jobs whose outcome is not known yet.
    pub printing: BTreeMap<Uuid, PrintJob>,
    /// Jobs that ended without a printed sheet, or perhaps without, and that nobody decided about yet.
    pub unprinted: BTreeMap<Uuid, Unprinted>,
    /// Drawers that are to be opened and whose outcome is not known yet.
    pub opening: BTreeMap<Uuid, DrawerJob>,
    /// What head office has done, and whose outcome is not known yet.
    pub instructions: BTreeMap<Uuid, Instruction>,
    /// When the products' fields were written, and by whom.
    pub stamps: BTreeMap<ProductId, Stamps>,
    /// Head office's prices that are to come.
    pub coming_prices: ComingPrices,
    /// The version of each collection of head office that is here.
    pub collections: BTreeMap<String, u64>,
    /// Devices that were configured while the box ran.
    pub devices: BTreeMap<String, DeviceSetup>,
    /// The current receipt series.
    pub series: u16,
    /// Receipts given in it.
    pub receipts: u64,
    /// Receipts given in training.
    pub training_receipts: u64,
    /// Z reports made.
    pub z_reports: u64,
    /// The latest business date that has a Z.
    pub closed_through: Option<Date>,
    /// Journal time of the last record.
    pub time: Millis,
    /// The business date held while the clock is untrusted.
    pub business_date: Date,
}

/// A job that ended as *not printed* or *unknown*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unprinted {
    /// What was to be printed.
    pub job: PrintJob,
    /// How it ended.
    pub outcome: PrintOutcome,
    /// Why, in words.
    pub detail: String,
    /// When it ended.
    pub at: Millis,
}

impl State {
    /// Takes an event in. `time` and `business_date` are the record's. Never fails: what was decided, happened.
    pub fn apply(&mut self, event: &Event, time: Millis, business_date: Date) {
        self.time = self.time.max(time);
        self.business_date = business_date;
        match event {
            Event::EpochStarted { series, .. } => {
                self.series = *series;
                self.receipts = 0;
            }
            Event::StoreConfigured(store) => self.store = Some(store.clone()),
            Event::Sale { step, sale } => self.apply_sale(*step, sale),
            Event::ProductsPut(products) => {
                for product in products {
                    let old = self.catalog.get(product.id).map(|old| &**old);
                    self.stamps.entry(product.id).or_default().edited(old, product, time);
                    self.catalog.put(product.clone());
                }
            }
            Event::ProductsDelivered(delivered) => {
                delivered.products.iter().for_each(|written| self.write(written));
                if delivered.last {
                    self.collections.insert(PRODUCTS.into(), delivered.version);
                }
            }
            Event::PricesInForce(prices) => prices.products.iter().for_each(|written| self.write(written)),
            Event::StockAdjusted(adjustment) => {
                self.stock.add(adjustment.product, adjustment.change);
            }
            Event::CustomerPut(customer) => self.put_customer(customer),
            Event::CustomerErased(id) => self.erase_customer(*id),
            Event::ShiftOpened(shift) => {
                self.shifts.insert(shift.drawer.clone(), shift.clone());
            }
            Event::CashMoved { shift, movement } => {
                if let Some(open) = self.shifts.values_mut().find(|open| open.id == *shift) {
                    open.totals.moved(movement);
                }
            }
            Event::ShiftClosed(report) => {
                self.shifts.remove(&report.shift.drawer);
                self.z_reports = self.z_reports.max(report.number);
                self.closed_through = self.closed_through.max(Some(report.shift.business_date));
            }
            Event::TerminalSeen(name) => {
                self.terminals.insert(name.clone());
            }
            Event::PrintAsked(job) => {
                if let Some(old) = job.instead_of {
                    self.unprinted.remove(&old);
                }
                self.printing.insert(job.id, job.clone());
            }
            Event::PrintEnded { job, outcome, detail } => self.end_print(*job, *outcome, detail),
            Event::PrintSettled(job) => {
                self.unprinted.remove(job);
            }
            Event::DevicePut(setup) => {
                self.devices.insert(setup.id.clone(), setup.clone());
            }
            Event::DeviceRemoved(id) => {
                self.devices.remove(id);
            }
            Event::DrawerAsked(job) => {
                self.opening.insert(job.id, job.clone());
            }
            Event::DrawerEnded { job, .. } => {
                self.opening.remove(job);
            }
            Event::InstructionTaken(instruction) => {
                self.instructions.insert(instruction.id, instruction.clone());
            }
            Event::InstructionEnded { id, .. } => {
                self.instructions.remove(id);
            }
            Event::StockLow { .. } | Event::ProductKept(_) | Event::DrawerAlarm { .. } => {}
        }
    }

    fn write(&mut self, written: &Written) {
        if let Some(product) = &written.product {
            self.catalog.put(product.clone());
        }
        if !written.stamps.is_empty() {
            let stamps = self.stamps.entry(written.id).or_default();
            for (field, at) in &written.stamps {
                stamps.put(*field, Stamp { at: *at, by_head_office: true });
            }
        }
        self.coming_prices.put(written.id, written.coming);
    }

    fn apply_sale(&mut self, step: Step, sale: &Arc<Sale>) {
        if sale.status.is_pending() {
            self.open_sales.insert(sale.id, sale.clone());
        } else {
            self.open_sales.remove(&sale.id);
        }
        match step {
            Step::Sold | Step::Completed => {
                if let Some(receipt) = sale.receipt {
                    match receipt.series {
                        0 => self.training_receipts = self.training_receipts.max(receipt.number),
                        _ => self.receipts = self.receipts.max(receipt.number),
                    }
                }
                self.count(sale, 1);
            }
            Step::Voided => self.count(sale, -1),
            _ => {}
        }
    }

    /// Moves stock, points and the shift's totals by a completed (+1) or voided (−1) sale.
    fn count(&mut self, sale: &Sale, direction: i64) {
        if let Some(shift) = self.shifts.values_mut().find(|shift| Some(shift.id) == sale.shift) {
            if direction > 0 {
                shift.totals.completed(sale);
            } else {
                shift.totals.voided(sale);
            }
        }
        if sale.training {
            return;
        }
        let sign = direction * sale.sign();
        for line in sale.live_lines() {
            if let Some(product) = line.product {
                self.stock.add(product, Quantity(-sign * line.quantity.0));
            }
        }
        if let Some(account) = sale.customer.and_then(|id| self.customers.get_mut(&id)) {
            let now = || self.store.as_ref().map_or(0, |store| spent(sale, store));
            account.points += sign * sale.points - sign * sale.points_spent.unwrap_or_else(now);
        }
    }

    fn end_print(&mut self, job: Uuid, outcome: PrintOutcome, detail: &str) {
        let Some(job) = self.printing.remove(&job) else { return };
        if outcome == PrintOutcome::Printed {
            return;
        }
        if self.unprinted.len() >= MAX_UNPRINTED {
            // Ids of version 7: the first is the oldest.
            self.unprinted.pop_first();
        }
        let at = self.time;
        self.unprinted.insert(job.id, Unprinted { job, outcome, detail: detail.into(), at });
    }

    fn put_customer(&mut self, customer: &Customer) {
        let points = self.customers.get(&customer.id).map_or(0, |account| account.points);
        self.forget_lookups(customer.id);
        if let Some(hash) = customer.email_hash {
            self.by_email.insert(hash, customer.id);
        }
        if let Some(hash) = customer.phone_hash {
            self.by_phone.insert(hash, customer.id);
        }
        self.customers.insert(customer.id, Account { customer: Some(customer.clone()), points });
    }

    fn erase_customer(&mut self, id: Uuid) {
        self.forget_lookups(id);
        if let Some(account) = self.customers.get_mut(&id) {
            account.customer = None;
        }
    }

    fn forget_lookups(&mut self, id: Uuid) {
        let Some(old) = self.customers.get(&id).and_then(|account| account.customer.as_ref()) else {
            return;
        };
        if let Some(hash) = old.email_hash.filter(|hash| self.by_email.get(hash) == Some(&id)) {
            self.by_email.remove(&hash);
        }
        if let Some(hash) = old.phone_hash.filter(|hash| self.by_phone.get(hash) == Some(&id)) {
            self.by_phone.remove(&hash);
        }
    }

    /// The stock of a product; one that never moved has none.
    #[must_use]
    pub fn level(&self, product: ProductId) -> Quantity {
        self.stock.of(product)
    }
}

/// Points that a sale's tenders took (or, on a return, gave back).
pub(crate) fn spent(sale: &Sale, store: &StoreConfig) -> i64 {
    let worth = store.loyalty.map_or(0, |loyalty| loyalty.worth.0);
    if worth <= 0 {
        return 0;
    }
    let amount: Money =
        sale.money().filter(|(method, _)| *method == Method::Points).map(|(_, amount)| amount).sum();
    amount.0 / worth
}

use crate::customer::Customer;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::decide::tests::shop::{Shop, customer_draft};

    #[test]
    fn journal_time_and_the_held_date() {
        let mut state = State::default();
        let seen = Event::TerminalSeen("till-1".into());
        state.apply(&seen, Millis(500), Date(7));
        state.apply(&seen, Millis(400), Date(6));
        assert_eq!(
            (state.time, state.business_date),
            (Millis(500), Date(6)),
            "the date is the record's, time never goes back"
        );
        assert_eq!(state.terminals.len(), 1);
    }

    #[test]
    fn an_epoch_counts_receipts_anew_but_not_practice_nor_z() {
        let mut state = State { receipts: 41, training_receipts: 3, z_reports: 5, ..State::default() };
        state.apply(&Event::EpochStarted { series: 2, reason: "restored".into() }, Millis(0), Date(0));
        assert_eq!((state.series, state.receipts, state.training_receipts, state.z_reports), (2, 0, 3, 5));
    }

    #[test]
    fn a_look_up_that_another_customer_took_over_is_left_alone() {
        let mut shop = Shop::new();
        let (first, second) = (shop.id(), shop.id());
        for id in [first, second] {
            let mut draft = customer_draft(id);
            draft.email_hash = Some([7; 16]);
            shop.run(Command::PutCustomer(draft));
        }
        shop.run(Command::EraseCustomer(first));
        assert_eq!(shop.state.by_email.get(&[7; 16]), Some(&second));
        shop.run(Command::EraseCustomer(second));
        assert!(shop.state.by_email.is_empty());
    }
}
