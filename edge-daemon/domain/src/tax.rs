//! Tax: rates, whether shelf prices contain it, and whether it is rounded per line or per receipt.
//!
//! Inclusive prices are split by rounding the *net* amount half up and calling the rest tax, so that net and tax
//! always make the price again (three lines of 0.99 at 20 %: 0.48 per line, 0.49 per receipt).

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::quantity::parse_decimal;
use crate::short_text::ShortText;

/// A tax rate in thousandths of a percent: 21 % is 21000. At most 999.999 %.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub u32);

/// Thousandths of a percent in the whole.
const WHOLE: i64 = 100_000;

impl Rate {
    /// No tax.
    pub const ZERO: Self = Self(0);

    /// Reads a percentage with at most three decimals: `21`, `21.00`, `8.875`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_decimal(text, 3, 3).and_then(|rate| u32::try_from(rate).ok()).map(Self)
    }

    /// This percentage of an amount, rounded half up.
    #[must_use]
    pub fn of(self, amount: Money) -> Money {
        amount.scale(i64::from(self.0), WHOLE)
    }

    /// The tax inside an amount that contains it.
    #[must_use]
    pub fn inside(self, amount: Money) -> Money {
        amount - amount.scale(WHOLE, WHOLE + i64::from(self.0))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, thousandths) = (u64::from(self.0 / 1000), u64::from(self.0 % 1000));
        let text = ShortText::default().number(percent, 1).push(b'.');
        let text = match thousandths % 10 {
            0 => text.number(thousandths / 10, 2),
            _ => text.number(thousandths, 3),
        };
        f.write_str(text.as_str())
    }
}

/// Whether shelf prices contain the tax.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaxMode {
    /// Prices contain the tax (most of the world).
    #[default]
    Inclusive,
    /// Tax is added at the till (United States, business to business).
    Exclusive,
}

impl TaxMode {
    /// The tax that belongs to a shelf amount.
    #[must_use]
    pub fn tax(self, rate: Rate, amount: Money) -> Money {
        match self {
            Self::Inclusive => rate.inside(amount),
            Self::Exclusive => rate.of(amount),
        }
    }
}

/// Where tax is rounded to whole minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaxRounding {
    /// Each line by itself.
    #[default]
    Line,
    /// Once per rate on the whole receipt, then shared out over the lines (EN 16931, BR-CO-17).
    Receipt,
}

/// A named row of the store's tax table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxClass {
    /// As the catalogue names it: `standard`, `reduced`, `zero`.
    pub name: String,
    /// The rate in force.
    pub rate: Rate,
}

impl TaxClass {
    /// A row of the table.
    #[must_use]
    pub fn new(name: &str, rate: Rate) -> Self {
        Self { name: name.into(), rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn rates_read_and_write() {
        assert_eq!(Rate::parse("21.00"), Some(Rate(21_000)));
        assert_eq!(Rate::parse("8.875").unwrap().to_string(), "8.875");
        assert_eq!(Rate(5_500).to_string(), "5.50");
        assert_eq!(Rate::parse("-1"), None);
        assert_eq!(Rate::parse("1000"), None);
    }

    #[test]
    fn net_and_tax_make_the_price_again() {
        let rate = Rate(20_000);
        assert_eq!(rate.inside(Money(99)), Money(16));
        assert_eq!(rate.inside(Money(297)), Money(49));
        assert_eq!(Rate::ZERO.inside(Money(99)), Money(0));
    }
}
