//! Goods and points that moved: sums of differences, which commute.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::SaleChange;
use crate::values::text;

/// By how much stock and points change. What sums up to nothing is left in: [`Movements::stock`] and [`Movements::points`] leave
/// it out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Movements {
    stock: BTreeMap<String, i64>,
    points: BTreeMap<Uuid, i64>,
}

impl Movements {
    /// A sale counts from now on.
    pub fn count(&mut self, change: &SaleChange) {
        for line in change.sale.live_lines().filter(|line| line.product.is_some()) {
            self.move_stock(&text(&line.sku), line.quantity.0.saturating_mul(-change.sale.sign()));
        }
        if let Some(customer) = change.sale.customer {
            self.move_points(customer, change.points);
        }
    }

    /// Moves stock by thousandths.
    pub fn move_stock(&mut self, sku: &str, by: i64) {
        match self.stock.get_mut(sku) {
            Some(sum) => *sum = sum.saturating_add(by),
            None => {
                self.stock.insert(sku.to_owned(), by);
            }
        }
    }

    /// Moves a customer's points.
    pub fn move_points(&mut self, customer: Uuid, by: i64) {
        let sum = self.points.entry(customer).or_default();
        *sum = sum.saturating_add(by);
    }

    /// The stock that changes, by SKU, in thousandths.
    pub fn stock(&self) -> impl Iterator<Item = (&str, i64)> {
        self.stock.iter().filter(|(_, by)| **by != 0).map(|(sku, by)| (sku.as_str(), *by))
    }

    /// The points that change, by customer.
    pub fn points(&self) -> impl Iterator<Item = (Uuid, i64)> {
        self.points.iter().filter(|(_, by)| **by != 0).map(|(customer, by)| (*customer, *by))
    }
}
