//! The daily report: a fold over the day's sales, by business date.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

use crate::money::Money;
use crate::quantity::Quantity;
use crate::sale::{Kind, Sale, Status};
use crate::shift::TaxSum;
use crate::tax::Rate;
use crate::tender::Method;

/// Money and count of one slice of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slice {
    /// Sales and returns.
    pub transactions: u64,
    /// Returns taken off, tax included.
    pub net: Money,
}

/// What one product did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductSum {
    /// Its name at the last sale.
    pub name: Arc<str>,
    /// Sold, returns taken off.
    pub quantity: Quantity,
    /// Returns taken off, tax included.
    pub net: Money,
}

/// The report of one or more business days. Training, cancelled and voided sales do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayReport {
    /// Sales and returns.
    pub transactions: u64,
    /// Lines of sales.
    pub items: u64,
    /// Sales before discounts, tax included.
    pub gross: Money,
    /// Discounts on sales.
    pub discount: Money,
    /// Returns, tax included.
    pub returned: Money,
    /// gross − discount − returned.
    pub net: Money,
    /// Tax within net.
    pub tax: Money,
    /// Tax by rate.
    pub taxes: BTreeMap<Rate, TaxSum>,
    /// Money by tender, change and payouts taken off.
    pub tenders: BTreeMap<Method, Money>,
    /// Cash rounding.
    pub rounding: Money,
    /// By local hour of the start.
    pub hours: BTreeMap<u8, Slice>,
    /// By department.
    pub departments: BTreeMap<Arc<str>, Slice>,
    /// By SKU.
    pub products: BTreeMap<Arc<str>, ProductSum>,
    /// Of it, from sales that came after the day's Z.
    pub late: Money,
}

impl DayReport {
    /// Adds a sale as it stands now; `hour` is the local hour in which it began.
    pub fn add(&mut self, sale: &Sale, hour: u8) {
        if sale.training || !sale.status.counts() || sale.status == Status::Voided {
            return;
        }
        let signed = |amount: Money| Money(amount.0.saturating_mul(sale.sign()));
        let total = signed(sale.total);
        self.transactions += 1;
        self.net += total;
        self.tax += signed(sale.tax);
        self.rounding += signed(sale.rounding);
        match sale.kind {
            Kind::Sale => {
                let discount = sale.live_lines().map(|line| line.discount).sum();
                self.items += sale.live_lines().count() as u64;
                self.gross += sale.total + discount;
                self.discount += discount;
            }
            Kind::Return => self.returned += sale.total,
        }
        if sale.late {
            self.late += total;
        }
        let slice = self.hours.entry(hour).or_default();
        slice.transactions += 1;
        slice.net += total;
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
        let mut visited: BTreeSet<&Arc<str>> = BTreeSet::new();
        for line in sale.live_lines() {
            let department = self.departments.entry(line.department.clone()).or_default();
            department.transactions += u64::from(visited.insert(&line.department));
            department.net += signed(line.total);
            let product = self.products.entry(line.sku.clone()).or_default();
            product.name = line.name.clone();
            product.quantity += Quantity(line.quantity.0.saturating_mul(sale.sign()));
            product.net += signed(line.total);
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test that looks at what is not there has failed")]
mod tests {
    use super::*;
    use crate::cart::Discount;
    use crate::command::Change;
    use crate::decide::tests::shop::{Shop, product};
    use crate::sale::ReceiptNumber;

    fn shop() -> Shop {
        let mut shop = Shop::new();
        let mut drinks = product("wine", 990, "standard");
        drinks.department = Some("drinks".into());
        shop.put(alloc::vec![drinks]);
        shop
    }

    fn report(shop: &Shop) -> DayReport {
        let mut day = DayReport::default();
        shop.sales.values().for_each(|sale| day.add(sale, if sale.kind == Kind::Sale { 11 } else { 17 }));
        day
    }

    #[test]
    fn a_day_is_its_sales_less_its_returns() {
        let mut shop = shop();
        let ring = shop
            .ring()
            .item("wine", "2")
            .item("wine", "1")
            .item("pen", "1")
            .discount(Discount::Amount(Money(69)))
            .cash(5_000);
        let sale = shop.sell(ring).id;
        shop.refund(sale, &[(1, "1")]);
        let day = report(&shop);
        assert_eq!((day.transactions, day.items), (2, 3));
        assert_eq!(
            (day.gross, day.discount, day.returned, day.net),
            (Money(3069), Money(69), Money(968), Money(2032))
        );
        assert_eq!(day.tenders[&Method::Cash], Money(2032));
        assert_eq!(day.taxes[&Rate(20_000)].base + day.taxes[&Rate(20_000)].amount, day.net);
        assert_eq!(day.taxes[&Rate(20_000)].amount, day.tax);
        assert_eq!(
            (day.hours[&11], day.hours[&17].net),
            (Slice { transactions: 1, net: Money(3000) }, Money(-968))
        );
        let drinks = day.departments["drinks"];
        assert_eq!(drinks.transactions, 2, "a receipt with two lines of drinks is one transaction");
        assert_eq!(day.departments.values().map(|slice| slice.net).sum::<Money>(), day.net);
        assert_eq!(day.products["wine"].quantity, Quantity(2_000));
        assert_eq!(day.late, Money(0));
    }

    #[test]
    fn practice_voided_cancelled_and_open_sales_do_not_count() {
        let mut shop = shop();
        let ring = shop.ring().item("wine", "1").training().cash(990);
        shop.sell(ring);
        let ring = shop.ring().item("wine", "1").cash(990);
        let mistake = shop.sell(ring);
        assert_eq!(mistake.receipt, Some(ReceiptNumber { series: 1, number: 1 }));
        shop.change(mistake.id, Change::Void);
        let ring = shop.ring().item("wine", "1").cash(100);
        let given_up = shop.sell(ring).id;
        shop.change(given_up, Change::Cancel);
        let ring = shop.ring().item("wine", "1").cash(100);
        shop.sell(ring);
        assert_eq!(report(&shop), DayReport::default());
    }

    #[test]
    fn what_came_late_is_shown_beside() {
        let mut shop = shop();
        let ring = shop.ring().item("wine", "1").cash(990);
        let mut late = Sale::clone(&shop.sell(ring));
        late.late = true;
        let mut day = DayReport::default();
        day.add(&late, 9);
        assert_eq!((day.net, day.late), (Money(990), Money(990)));
    }
}
