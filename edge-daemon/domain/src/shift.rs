//! Shifts: a drawer's money from its float to its Z. An X reads, a Z closes: numbered and final.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::money::Money;
use crate::sale::{Kind, Sale};
use crate::seal::Sealed;
use crate::tax::Rate;
use crate::tender::Method;
use crate::time::{Date, Millis};

/// Cash that moves without a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MovementKind {
    /// Put into the drawer.
    PaidIn,
    /// Taken out for an expense.
    PaidOut,
    /// Taken out to the safe.
    Drop,
    /// The drawer was opened without a sale.
    NoSale,
}

/// One such movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// Made by the client, or by the box.
    pub id: Uuid,
    /// Which way.
    pub kind: MovementKind,
    /// How much; zero for a no-sale.
    pub amount: Money,
    /// Why.
    pub reason: Option<Sealed>,
    /// When.
    pub at: Millis,
}

/// Base and tax of one rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxSum {
    /// Net amount.
    pub base: Money,
    /// Tax on it.
    pub amount: Money,
}

/// What has happened in a shift, returns and voids taken off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Sales completed.
    pub sales: u64,
    /// Returns completed.
    pub returns: u64,
    /// Sales reversed as a whole.
    pub voids: u64,
    /// Sum of sales, tax included.
    pub sold: Money,
    /// Sum of returns, tax included.
    pub returned: Money,
    /// Sum of voided sales less voided returns, tax included.
    pub voided: Money,
    /// Discounts given.
    pub discounts: Money,
    /// Of sales that belong to another business day and came late.
    pub late: Money,
    /// Cash rounding.
    pub rounding: Money,
    /// Tax by rate.
    pub taxes: BTreeMap<Rate, TaxSum>,
    /// Money by tender, change taken off.
    pub tenders: BTreeMap<Method, Money>,
    /// Put in.
    pub paid_in: Money,
    /// Paid out.
    pub paid_out: Money,
    /// Dropped into the safe.
    pub dropped: Money,
    /// Drawer openings without a sale.
    pub no_sales: u64,
}

impl Totals {
    /// Counts a sale that was completed; training never counts.
    pub fn completed(&mut self, sale: &Sale) {
        if sale.training {
            return;
        }
        match sale.kind {
            Kind::Sale => {
                self.sales += 1;
                self.sold += sale.total;
                self.discounts += sale.live_lines().map(|line| line.discount).sum();
            }
            Kind::Return => {
                self.returns += 1;
                self.returned += sale.total;
            }
        }
        self.money(sale, sale.sign());
    }

    /// Counts a sale that was voided after it had been counted.
    pub fn voided(&mut self, sale: &Sale) {
        if sale.training {
            return;
        }
        self.voids += 1;
        self.voided += Money(sale.total.0.saturating_mul(sale.sign()));
        if sale.kind == Kind::Sale {
            self.discounts -= sale.live_lines().map(|line| line.discount).sum();
        }
        self.money(sale, -sale.sign());
    }

    fn money(&mut self, sale: &Sale, sign: i64) {
        let signed = |amount: Money| Money(amount.0.saturating_mul(sign));
        if sale.late {
            self.late += signed(sale.total);
        }
        self.rounding += signed(sale.rounding);
        for tax in sale.taxes() {
            let sum = self.taxes.entry(tax.rate).or_default();
            sum.base += signed(tax.base);
            sum.amount += signed(tax.amount);
        }
        for (method, amount) in sale.money() {
            *self.tenders.entry(method).or_default() += signed(amount);
        }
        if sale.change != Money::ZERO {
            *self.tenders.entry(Method::Cash).or_default() -= signed(sale.change);
        }
    }

    /// Counts what another drawer counted.
    pub fn add(&mut self, other: &Self) {
        self.sales += other.sales;
        self.returns += other.returns;
        self.voids += other.voids;
        self.sold += other.sold;
        self.returned += other.returned;
        self.voided += other.voided;
        self.discounts += other.discounts;
        self.late += other.late;
        self.rounding += other.rounding;
        for (rate, sum) in &other.taxes {
            let own = self.taxes.entry(*rate).or_default();
            own.base += sum.base;
            own.amount += sum.amount;
        }
        for (method, amount) in &other.tenders {
            *self.tenders.entry(*method).or_default() += *amount;
        }
        self.paid_in += other.paid_in;
        self.paid_out += other.paid_out;
        self.dropped += other.dropped;
        self.no_sales += other.no_sales;
    }

    /// Counts a movement of cash.
    pub fn moved(&mut self, movement: &Movement) {
        match movement.kind {
            MovementKind::PaidIn => self.paid_in += movement.amount,
            MovementKind::PaidOut => self.paid_out += movement.amount,
            MovementKind::Drop => self.dropped += movement.amount,
            MovementKind::NoSale => self.no_sales += 1,
        }
    }

    /// Cash that came in, change taken off.
    #[must_use]
    pub fn cash(&self) -> Money {
        self.tenders.get(&Method::Cash).copied().unwrap_or_default()
    }
}

/// A drawer's open shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Made by the client, or by the box.
    pub id: Uuid,
    /// The drawer (by default the till's name).
    pub drawer: Arc<str>,
    /// Who opened it.
    pub cashier: Option<Arc<str>>,
    /// When.
    pub opened_at: Millis,
    /// The business day that it was opened on.
    pub business_date: Date,
    /// Cash in the drawer at the start.
    pub float: Money,
    /// What happened since.
    pub totals: Totals,
}

impl Shift {
    /// The cash that should lie in the drawer.
    #[must_use]
    pub fn expected_cash(&self) -> Money {
        let totals = &self.totals;
        self.float + totals.cash() + totals.paid_in - totals.paid_out - totals.dropped
    }
}

/// A closed shift: the Z report. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZReport {
    /// Counts from 1 in the store.
    pub number: u64,
    /// The shift as it stood.
    pub shift: Shift,
    /// Who closed it.
    pub closed_by: Option<Arc<str>>,
    /// When.
    pub closed_at: Millis,
    /// The cash that should have been there.
    pub expected: Money,
    /// The cash that was counted, blind.
    pub counted: Money,
    /// Position `epoch.seq` of the last record before this one, and its hash in hex: what the Z stands on.
    pub head: alloc::string::String,
    /// Whether the clock could be believed.
    pub clock_trusted: bool,
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test that looks at what is not there has failed")]
mod tests {
    use super::*;
    use crate::cart::Discount;
    use crate::decide::tests::shop::{MORNING, Shop, TILL};

    fn shift(totals: Totals) -> Shift {
        Shift {
            id: Uuid::nil(),
            drawer: TILL.into(),
            cashier: None,
            opened_at: MORNING,
            business_date: Date(20_780),
            float: Money(5_000),
            totals,
        }
    }

    #[test]
    fn what_is_voided_leaves_counts_and_no_money() {
        let mut shop = Shop::with(|store| store.cash_increment = 5);
        let ring = shop
            .ring()
            .item("milk", "1")
            .item("wine", "1")
            .discount(Discount::Amount(Money(10)))
            .card(500)
            .cash(1000);
        let sale = shop.sell(ring);
        let mut totals = Totals::default();
        totals.completed(&sale);
        assert_eq!((totals.sold, totals.discounts, totals.rounding), (Money(1099), Money(10), Money(1)));
        assert_eq!((totals.cash(), totals.tenders[&Method::Card]), (Money(600), Money(500)));
        totals.voided(&sale);
        assert_eq!((totals.sales, totals.voids, totals.voided), (1, 1, Money(1099)));
        assert_eq!((totals.discounts, totals.rounding, totals.cash()), (Money(0), Money(0), Money(0)));
        assert!(totals.tenders.values().all(|amount| *amount == Money::ZERO));
        assert!(totals.taxes.values().all(|sum| *sum == TaxSum::default()));
        assert_eq!(shift(totals).expected_cash(), Money(5_000));
    }

    #[test]
    fn two_drawers_together_are_as_one_that_had_all() {
        let mut shop = Shop::new();
        let (mut one, mut other, mut all) = (Totals::default(), Totals::default(), Totals::default());
        for (number, item) in ["milk", "wine", "pen", "bread"].into_iter().enumerate() {
            let ring = shop.ring().item(item, "2").card(100).cash(5000);
            let sale = shop.sell(ring);
            (if number % 2 == 0 { &mut one } else { &mut other }).completed(&sale);
            all.completed(&sale);
            let back = shop.refund(sale.id, &[(1, "1")]);
            other.completed(&back);
            all.completed(&back);
        }
        let kinds = [MovementKind::PaidIn, MovementKind::PaidOut, MovementKind::Drop, MovementKind::NoSale];
        for kind in kinds {
            let movement = Movement { id: Uuid::nil(), kind, amount: Money(300), reason: None, at: MORNING };
            one.moved(&movement);
            all.moved(&movement);
        }
        let ring = shop.ring().item("wine", "1").cash(990);
        let voided = shop.sell(ring);
        for totals in [&mut other, &mut all] {
            totals.completed(&voided);
            totals.voided(&voided);
        }
        one.add(&other);
        assert_eq!(one, all);
    }

    #[test]
    fn practice_counts_for_nothing() {
        let mut shop = Shop::new();
        let ring = shop.ring().item("milk", "1").training().cash(119);
        let sale = shop.sell(ring);
        let mut totals = Totals::default();
        totals.completed(&sale);
        totals.voided(&sale);
        assert_eq!(totals, Totals::default());
    }

    #[test]
    fn cash_that_moves_without_a_sale() {
        let mut totals = Totals::default();
        let kinds = [
            (MovementKind::PaidIn, 700),
            (MovementKind::PaidOut, 200),
            (MovementKind::Drop, 4_000),
            (MovementKind::NoSale, 0),
        ];
        for (kind, amount) in kinds {
            totals.moved(&Movement {
                id: Uuid::nil(),
                kind,
                amount: Money(amount),
                reason: None,
                at: MORNING,
            });
        }
        assert_eq!(totals.no_sales, 1);
        assert_eq!(shift(totals).expected_cash(), Money(5_000 + 700 - 200 - 4_000));
    }
}
