//! A second book-keeper, who reads every event and keeps the shop's books again, in another way.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use uuid::Uuid;

use super::shop::Shop;
use crate::catalog::ProductId;
use crate::decide::Decision;
use crate::event::{Event, Step};
use crate::money::Money;
use crate::quantity::Quantity;
use crate::report::DayReport;
use crate::sale::{Kind, Line, Sale, Status};
use crate::shift::{Movement, MovementKind};
use crate::state::State;
use crate::tax::TaxMode;
use crate::tender::Method;

/// What must hold after every accepted command.
#[derive(Default)]
pub(super) struct Ledger {
    series: u16,
    receipts: u64,
    practice: u64,
    z: u64,
    /// Cash that should lie in each open drawer.
    drawers: BTreeMap<Arc<str>, i128>,
    adjusted: BTreeMap<ProductId, i128>,
    /// Of each refunded sale: total, tax and points that came back.
    back: BTreeMap<Uuid, (Money, Money, i64)>,
}

impl Ledger {
    /// Reads the shop's journal from its first record.
    pub(super) fn of(shop: &Shop) -> Self {
        let mut ledger = Self::default();
        for (event, ..) in &shop.journal {
            ledger.enter(event);
        }
        ledger
    }

    /// Enters what was decided and compares the books.
    pub(super) fn take(&mut self, shop: &Shop, decision: &Decision) {
        for event in &decision.events {
            self.enter(event);
            if let Event::Sale { sale, .. } = event {
                check_sale(sale, shop.state.store.as_ref().unwrap().cash_increment);
                self.check_refund(shop, sale);
            }
        }
        self.check_drawers(shop);
        self.check_archive(shop);
    }

    fn enter(&mut self, event: &Event) {
        match event {
            Event::EpochStarted { series, .. } => (self.series, self.receipts) = (*series, 0),
            Event::Sale { step, sale } => self.enter_sale(*step, sale),
            Event::StockAdjusted(adjustment) => {
                *self.adjusted.entry(adjustment.product).or_default() += i128::from(adjustment.change.0);
            }
            Event::ShiftOpened(shift) => {
                assert!(self.drawers.insert(shift.drawer.clone(), i128::from(shift.float.0)).is_none());
            }
            Event::CashMoved { .. } => {}
            Event::ShiftClosed(report) => {
                self.z += 1;
                assert_eq!(report.number, self.z);
                assert_eq!(self.drawers.remove(&report.shift.drawer), Some(i128::from(report.expected.0)));
            }
            _ => {}
        }
    }

    /// A movement of cash; the event names the shift only, so the caller says whose drawer it is.
    pub(super) fn moved(&mut self, drawer: &str, movement: &Movement) {
        let amount = i128::from(movement.amount.0);
        *self.drawers.get_mut(drawer).unwrap() += match movement.kind {
            MovementKind::PaidIn => amount,
            MovementKind::PaidOut | MovementKind::Drop => -amount,
            MovementKind::NoSale => 0,
        };
    }

    fn enter_sale(&mut self, step: Step, sale: &Sale) {
        let direction = match step {
            Step::Sold | Step::Completed => 1,
            Step::Voided => -1,
            _ => return,
        };
        if direction > 0 {
            let number = sale.receipt.unwrap();
            if sale.training {
                self.practice += 1;
                assert_eq!((number.series, number.number), (0, self.practice));
            } else {
                self.receipts += 1;
                assert_eq!(
                    (number.series, number.number),
                    (self.series, self.receipts),
                    "receipt numbers have a gap"
                );
            }
            if let Some(original) = sale.original {
                let back = self.back.entry(original).or_default();
                *back = (back.0 + sale.total, back.1 + sale.tax, back.2 + sale.points);
            }
        }
        let way = direction * if sale.kind == Kind::Sale { 1 } else { -1 };
        if let Some(drawer) = self.drawers.get_mut(&sale.terminal).filter(|_| !sale.training) {
            let tendered: i128 = sale
                .tenders
                .iter()
                .filter(|t| t.method == Method::Cash)
                .map(|t| i128::from(t.amount.0))
                .sum();
            *drawer += way * (tendered - i128::from(sale.change.0));
        }
    }

    /// What came back is what the original says that came back, and never more than was paid.
    fn check_refund(&self, shop: &Shop, sale: &Sale) {
        let Some((total, tax, points)) = self.back.get(&sale.id) else { return };
        let original = &shop.sales[&sale.id];
        assert_eq!(original.lines.iter().map(|line| line.returned.total).sum::<Money>(), *total);
        assert_eq!(original.lines.iter().map(|line| line.returned.tax).sum::<Money>(), *tax);
        assert!(*total <= original.total && *tax <= original.tax && *points <= original.points);
        if original.status == Status::Refunded {
            assert_eq!((*total, *tax), (original.total, original.tax), "all is back, but not all the money");
            assert!(original.training || *points == original.points, "all is back, but not all the points");
        }
    }

    fn check_drawers(&self, shop: &Shop) {
        assert_eq!(shop.state.shifts.len(), self.drawers.len());
        for (drawer, expected) in &self.drawers {
            assert_eq!(i128::from(shop.state.shifts[drawer].expected_cash().0), *expected, "{drawer}");
        }
    }

    /// Stock and points are what the sales that stand make of them; so is the day.
    fn check_archive(&self, shop: &Shop) {
        let standing = || shop.sales.values().filter(|sale| sale.status.counts() && !sale.training);
        let way = |sale: &Sale| if sale.kind == Kind::Sale { 1 } else { -1 };
        let mut levels = self.adjusted.clone();
        let mut points: BTreeMap<Uuid, i64> = BTreeMap::new();
        let mut day = DayReport::default();
        let worth = shop.state.store.as_ref().unwrap().loyalty.map_or(0, |loyalty| loyalty.worth.0);
        for sale in standing() {
            for line in sale.lines.iter().filter(|line| !line.voided) {
                if let Some(product) = line.product {
                    *levels.entry(product).or_default() -= way(sale) * i128::from(line.quantity.0);
                }
            }
            if let Some(customer) = sale.customer {
                let tendered: i64 =
                    sale.tenders.iter().filter(|t| t.method == Method::Points).map(|t| t.amount.0).sum();
                let spent = tendered.checked_div(worth.max(0)).unwrap_or(0);
                *points.entry(customer).or_default() +=
                    i64::try_from(way(sale)).unwrap() * (sale.points - spent);
            }
            day.add(sale, 12);
        }
        for product in shop.state.catalog.iter() {
            let expected = levels.get(&product.id).copied().unwrap_or(0);
            assert_eq!(i128::from(shop.state.level(product.id).0), expected, "{}", product.sku);
        }
        for (id, account) in &shop.state.customers {
            assert_eq!(account.points, points.get(id).copied().unwrap_or(0), "{id}");
        }
        assert_eq!(day.net, day.gross - day.discount - day.returned);
        assert_eq!(day.tenders.values().copied().sum::<Money>(), day.net + day.rounding);
        assert_eq!(day.taxes.values().map(|sum| sum.base + sum.amount).sum::<Money>(), day.net);
        assert_eq!(day.departments.values().map(|slice| slice.net).sum::<Money>(), day.net);
    }
}

/// What holds for a sale by itself, whatever was done to it.
fn check_sale(sale: &Sale, increment: i64) {
    let increment = increment.max(1);
    let live = || sale.lines.iter().filter(|line| !line.voided);
    assert_eq!(live().map(|line| line.total).sum::<Money>(), sale.total, "the lines do not make the total");
    assert_eq!(live().map(|line| line.tax).sum::<Money>(), sale.tax);
    assert_eq!(sale.taxes().iter().map(|tax| tax.base + tax.amount).sum::<Money>(), sale.total);
    for line in live() {
        check_line(sale, line);
    }
    for line in sale.lines.iter().filter(|line| line.voided) {
        assert_eq!((line.total, line.tax, line.discount), (Money::ZERO, Money::ZERO, Money::ZERO));
    }
    let tendered: Money = sale.tenders.iter().map(|tender| tender.amount).sum();
    if sale.status.counts() || sale.status == Status::Voided {
        assert_eq!(tendered - sale.change, sale.total + sale.rounding, "the tenders do not make the total");
        // A linked return is rounded together with those before it.
        let bound = if sale.original.is_some() { increment - 1 } else { increment / 2 };
        assert!(sale.rounding.0.abs() <= bound, "{} of {increment}", sale.rounding.0);
        assert!(sale.change >= Money::ZERO && (sale.kind == Kind::Sale || sale.change == Money::ZERO));
        assert!(sale.receipt.is_some() && sale.due == Money::ZERO && live().next().is_some());
        assert!(sale.completed_at >= Some(sale.started_at));
    } else {
        assert!(sale.receipt.is_none() && sale.change == Money::ZERO && sale.rounding == Money::ZERO);
        // Where there is cash, what is missing is cash, rounded.
        let off = (sale.due + tendered - sale.total).0.abs();
        let cash = sale.tenders.iter().any(|tender| tender.method == Method::Cash);
        assert!(sale.due == Money::ZERO || off <= if cash { increment / 2 } else { 0 });
    }
    let some_back = sale.lines.iter().any(|line| line.returned.quantity > Quantity::ZERO);
    assert_eq!(some_back, matches!(sale.status, Status::PartiallyRefunded | Status::Refunded));
}

fn check_line(sale: &Sale, line: &Line) {
    assert!(line.total >= Money::ZERO && line.tax >= Money::ZERO && line.tax <= line.total, "{line:?}");
    assert!(line.quantity > Quantity::ZERO && line.quantity <= Quantity::MAX);
    if sale.original.is_none() {
        let shelf = line.gross() - line.discount;
        let net = if line.mode == TaxMode::Inclusive { line.total } else { line.total - line.tax };
        assert!(line.discount >= Money::ZERO && line.discount <= line.gross());
        assert_eq!(net, shelf);
    }
    let back = line.returned;
    assert!(back.quantity <= line.quantity && back.total <= line.total && back.tax <= line.tax, "{line:?}");
    if back.quantity == line.quantity {
        assert_eq!((back.total, back.tax, back.discount), (line.total, line.tax, line.discount));
    }
}

/// The journal read again from its first record gives the same state, and so do both after a trip through bytes.
pub(super) fn check_replay(shop: &Shop) {
    let mut replayed = State::default();
    for (event, time, business_date) in &shop.journal {
        let stored: Event = through_bytes(event);
        assert_eq!(stored, *event);
        replayed.apply(&stored, *time, *business_date);
    }
    assert_eq!(replayed, shop.state);
    assert_eq!(through_bytes(&shop.state), shop.state);
}

fn through_bytes<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let mut bytes = alloc::vec::Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    ciborium::from_reader(bytes.as_slice()).unwrap()
}
