//! Quantities with three decimals: pieces, kilograms, metres. Prices are per unit or per kilogram.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub};
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::money::{Money, round_half_up};
use crate::short_text::ShortText;

/// A quantity in thousandths of the unit of sale; negative where stock goes down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub i64);

/// The text is no quantity: a decimal number with at most three decimals, at most 99999.999 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantityError;

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One piece or kilogram.
    pub const ONE: Self = Self(1000);
    /// The largest quantity of one line, 99999.999.
    pub const MAX: Self = Self(99_999_999);

    /// A whole number of units; `None` beyond [`Quantity::MAX`] either way.
    #[must_use]
    pub fn whole(units: i64) -> Option<Self> {
        units.checked_mul(1000).map(Self).filter(|q| q.0.abs() <= Self::MAX.0)
    }

    /// What this quantity costs at `price` per unit, rounded half away from zero.
    #[must_use]
    pub fn times(self, price: Money) -> Money {
        Money(round_half_up(i128::from(price.0) * i128::from(self.0), 1000))
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let thousandths = parse_decimal(digits, 3, 5).ok_or(QuantityError)?;
        Ok(Self(if negative { -thousandths } else { thousandths }))
    }
}

/// Reads `123.4` as 123400 for three decimals; at most `whole` digits before the point.
pub(crate) fn parse_decimal(text: &str, decimals: usize, whole: usize) -> Option<i64> {
    let (units, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let point_alone = text.contains('.') && fraction.is_empty();
    if units.is_empty() || units.len() > whole || fraction.len() > decimals || point_alone {
        return None;
    }
    if !digits_only(units) || !digits_only(fraction) {
        return None;
    }
    let padded = format!("{units}{fraction:0<decimals$}");
    padded.parse().ok()
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let text = if self.0 < 0 { ShortText::default().push(b'-') } else { ShortText::default() };
        f.write_str(text.number(magnitude / 1000, 1).push(b'.').number(magnitude % 1000, 3).as_str())
    }
}

impl Quantity {
    /// As people write it on a receipt: `3`, `0.475`.
    #[must_use]
    pub fn short(self) -> String {
        let text = format!("{self}");
        match text.strip_suffix(".000") {
            Some(whole) => whole.into(),
            None => text,
        }
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_three_decimals() {
        for (text, thousandths) in
            [("1", 1000), ("0.475", 475), ("-3", -3000), ("99999.999", 99_999_999), ("2.5", 2500)]
        {
            assert_eq!(text.parse(), Ok(Quantity(thousandths)), "{text}");
        }
        for text in ["", ".", "1.", ".5", "1.2345", "100000", "1e3", "+1", "--1", "1 ", "١"] {
            assert_eq!(text.parse::<Quantity>(), Err(QuantityError), "{text}");
        }
        assert_eq!(Quantity(-475).to_string(), "-0.475");
        assert_eq!(Quantity(3000).short(), "3");
    }

    #[test]
    fn a_weighed_line_rounds_once() {
        assert_eq!(Quantity(475).times(Money(1290)), Money(613));
        assert_eq!(Quantity(500).times(Money(1)), Money(1));
    }

    proptest! {
        #[test]
        fn text_round_trips(thousandths in -99_999_999_i64..=99_999_999) {
            let quantity = Quantity(thousandths);
            prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
        }
    }
}
