//! The calculator: prices a cart. The same code runs in the daemon, in the browser and in the verifier.
//!
//! In this order, each step rounding once, half away from zero:
//!
//! 1. a line's amount is price × quantity;
//! 2. its own discount comes off, a percentage rounded per line, at most the amount;
//! 3. the receipt discount is shared over the lines in proportion to what is left (largest remainder);
//! 4. tax: per line, or per rate on the whole receipt and then shared over its lines (largest remainder).
//!
//! So the lines always sum exactly to the total, and the tax lines to the tax.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::quantity::Quantity;
use crate::tax::{Rate, TaxMode, TaxRounding};

/// A reduction of a line or of the whole receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discount {
    /// So many minor units, at most what there is.
    Amount(Money),
    /// A percentage, at most 100 %.
    Percent(Rate),
}

impl Discount {
    /// The reduction of an amount, never more than the amount itself.
    #[must_use]
    pub fn of(self, amount: Money) -> Money {
        match self {
            Self::Amount(reduction) => reduction.min(amount),
            Self::Percent(rate) => rate.of(amount).min(amount),
        }
    }
}

/// What the calculator needs to know of a line.
#[derive(Debug, Clone, Copy)]
pub struct CartLine {
    /// Price per unit or per kilogram, as on the shelf.
    pub unit_price: Money,
    /// How much.
    pub quantity: Quantity,
    /// The line's own discount.
    pub discount: Option<Discount>,
    /// The rate of its tax.
    pub rate: Rate,
    /// Whether the price contains the tax.
    pub mode: TaxMode,
}

/// A priced line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PricedLine {
    /// Price × quantity, before any discount.
    pub gross: Money,
    /// All that came off: its own discount and its share of the receipt's.
    pub discount: Money,
    /// The tax within `total`.
    pub tax: Money,
    /// What the customer pays for the line, tax included.
    pub total: Money,
}

/// The tax of one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// The rate.
    pub rate: Rate,
    /// The net amount that it is on.
    pub base: Money,
    /// The tax.
    pub amount: Money,
}

/// A priced cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Priced {
    /// In the order of the cart.
    pub lines: Vec<PricedLine>,
    /// One per rate, ascending.
    pub taxes: Vec<TaxLine>,
    /// What the customer pays, tax included: the sum of the lines.
    pub total: Money,
    /// The tax within it.
    pub tax: Money,
}

/// Prices a cart.
#[must_use]
pub fn price(lines: &[CartLine], receipt_discount: Option<Discount>, rounding: TaxRounding) -> Priced {
    let mut priced: Vec<PricedLine> = lines
        .iter()
        .map(|line| {
            let gross = line.quantity.times(line.unit_price);
            let discount = line.discount.map_or(Money::ZERO, |d| d.of(gross));
            PricedLine { gross, discount, ..PricedLine::default() }
        })
        .collect();
    if let Some(discount) = receipt_discount {
        let left: Vec<Money> = priced.iter().map(|line| line.gross - line.discount).collect();
        let shares = discount.of(left.iter().copied().sum()).allocate(&left);
        for (line, share) in priced.iter_mut().zip(shares) {
            line.discount += share;
        }
    }
    match rounding {
        TaxRounding::Line => {
            for (line, given) in priced.iter_mut().zip(lines) {
                line.tax = given.mode.tax(given.rate, line.gross - line.discount);
            }
        }
        TaxRounding::Receipt => tax_per_receipt(&mut priced, lines),
    }
    for (line, given) in priced.iter_mut().zip(lines) {
        let shelf = line.gross - line.discount;
        line.total = match given.mode {
            TaxMode::Inclusive => shelf,
            TaxMode::Exclusive => shelf + line.tax,
        };
    }
    let rates = lines.iter().map(|line| line.rate);
    Priced {
        taxes: tax_lines(rates.zip(priced.iter().map(|line| (line.total, line.tax)))),
        total: priced.iter().map(|line| line.total).sum(),
        tax: priced.iter().map(|line| line.tax).sum(),
        lines: priced,
    }
}

/// Sums `(rate, (total, tax))` of lines into one tax line per rate, ascending by rate.
pub fn tax_lines(lines: impl Iterator<Item = (Rate, (Money, Money))>) -> Vec<TaxLine> {
    let mut taxes: Vec<TaxLine> = Vec::new();
    for (rate, (total, tax)) in lines {
        let at = match taxes.binary_search_by_key(&rate, |line| line.rate) {
            Ok(at) => at,
            Err(at) => {
                taxes.insert(at, TaxLine { rate, base: Money::ZERO, amount: Money::ZERO });
                at
            }
        };
        if let Some(line) = taxes.get_mut(at) {
            line.base += total - tax;
            line.amount += tax;
        }
    }
    taxes
}

/// Rounds the tax once per rate and mode, and shares it over the lines that bear it.
fn tax_per_receipt(priced: &mut [PricedLine], lines: &[CartLine]) {
    let mut groups: Vec<(Rate, TaxMode)> = lines.iter().map(|line| (line.rate, line.mode)).collect();
    groups.sort_unstable();
    groups.dedup();
    for (rate, mode) in groups {
        let mut members: Vec<&mut PricedLine> = priced
            .iter_mut()
            .zip(lines)
            .filter(|(_, given)| (given.rate, given.mode) == (rate, mode))
            .map(|(line, _)| line)
            .collect();
        let shelf: Vec<Money> = members.iter().map(|line| line.gross - line.discount).collect();
        let shares = mode.tax(rate, shelf.iter().copied().sum()).allocate(&shelf);
        for (line, share) in members.iter_mut().zip(shares) {
            line.tax = share;
        }
    }
}

#[cfg(test)]
mod tests;
