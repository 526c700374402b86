//! Money as integer minor units, and the two operations that lose cents when done carelessly: multiplying by a
//! ratio (one rounding, half away from zero) and sharing an amount out over lines (largest remainder).
//!
//! Inputs are bounded where they enter (see [`MAX_PRICE`], [`MAX_TOTAL`]), so that sums over a day's sales stay
//! far inside `i64`; the arithmetic saturates rather than wraps or panics.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::iter::Sum;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// The largest price or tender accepted, in minor units: one hundred million of the currency's cents.
pub const MAX_PRICE: Money = Money(10_000_000_000);
/// The largest total of one sale, in minor units.
pub const MAX_TOTAL: Money = Money(1_000_000_000_000);

/// An amount in minor units (cents, yen, fils) of the store's currency; negative where money flows back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `self × numerator ÷ denominator`, rounded half away from zero. A zero denominator gives zero.
    #[must_use]
    pub fn scale(self, numerator: i64, denominator: i64) -> Self {
        Self(round_half_up(i128::from(self.0) * i128::from(numerator), i128::from(denominator)))
    }

    /// The nearest multiple of `increment` (cash rounding), half away from zero; an increment below 2 changes
    /// nothing.
    #[must_use]
    pub fn round_to(self, increment: i64) -> Self {
        if increment < 2 {
            return self;
        }
        Self(round_half_up(i128::from(self.0), i128::from(increment)).saturating_mul(increment))
    }

    /// The smaller of two amounts.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// Whether this is more than nothing.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Shares `self` out in proportion to `weights` (none negative) by the method of largest remainder: the parts sum
    /// exactly to `self`, equal remainders favour the earlier line. When all weights are zero the first takes it.
    #[must_use]
    pub fn allocate(self, weights: &[Money]) -> Vec<Money> {
        let whole: i128 = weights.iter().map(|w| i128::from(w.0.max(0))).sum();
        if whole == 0 {
            let mut parts = alloc::vec![Self::ZERO; weights.len()];
            if let Some(first) = parts.first_mut() {
                *first = self;
            }
            return parts;
        }
        let sign = i128::from(self.0.signum());
        let amount = i128::from(self.0).abs();
        let mut left = amount;
        let mut parts = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let product = amount * i128::from(weight.0.max(0));
            let floor = product / whole;
            left -= floor;
            parts.push(floor);
            remainders.push((core::cmp::Reverse(product % whole), index));
        }
        remainders.sort_unstable();
        for (_, index) in remainders.into_iter().take(usize::try_from(left).unwrap_or(0)) {
            if let Some(part) = parts.get_mut(index) {
                *part += 1;
            }
        }
        parts.into_iter().map(|part| Self(saturate(sign * part))).collect()
    }
}

/// `numerator ÷ denominator` rounded half away from zero.
pub(crate) fn round_half_up(numerator: i128, denominator: i128) -> i64 {
    if denominator == 0 {
        return 0;
    }
    let magnitude = (2 * numerator.abs() + denominator.abs()) / (2 * denominator.abs());
    saturate(numerator.signum() * denominator.signum() * magnitude)
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// A currency by its ISO 4217 code; the exponent says how many decimals its minor unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "alloc::borrow::Cow<'_, str>", into = "String")]
pub struct Currency([u8; 3]);

/// Currencies without decimals, ISO 4217:2015 table A.1.
const EXPONENT_0: [&[u8; 3]; 16] = [
    b"BIF", b"CLP", b"DJF", b"GNF", b"ISK", b"JPY", b"KMF", b"KRW", b"PYG", b"RWF", b"UGX", b"UYI", b"VND",
    b"VUV", b"XAF", b"XPF",
];
/// Currencies with three decimals, ISO 4217:2015 table A.1.
const EXPONENT_3: [&[u8; 3]; 7] = [b"BHD", b"IQD", b"JOD", b"KWD", b"LYD", b"OMR", b"TND"];

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads a code of three capital letters.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimals of the minor unit: 0, 2 or 3.
    #[must_use]
    pub fn exponent(&self) -> u32 {
        if EXPONENT_0.contains(&&self.0) || &self.0 == b"XOF" {
            0
        } else if EXPONENT_3.contains(&&self.0) {
            3
        } else {
            2
        }
    }

    /// The amount as people write it, without the currency: `12.50`, `-0.05`, `1200`.
    #[must_use]
    pub fn format(&self, amount: Money) -> String {
        let unit = 10_u64.pow(self.exponent());
        let mut text = String::new();
        let sign = if amount.0 < 0 { "-" } else { "" };
        let magnitude = amount.0.unsigned_abs();
        // Writing to a String cannot fail.
        let _ = match self.exponent() {
            0 => write!(text, "{sign}{magnitude}"),
            digits => {
                write!(
                    text,
                    "{sign}{}.{:0width$}",
                    magnitude / unit,
                    magnitude % unit,
                    width = digits as usize
                )
            }
        };
        text
    }
}

impl TryFrom<alloc::borrow::Cow<'_, str>> for Currency {
    type Error = &'static str;
    fn try_from(code: alloc::borrow::Cow<'_, str>) -> Result<Self, Self::Error> {
        Self::parse(&code).ok_or("a currency is three capital letters, such as EUR")
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn halves_round_away_from_zero() {
        assert_eq!(Money(5).scale(1, 2), Money(3));
        assert_eq!(Money(-5).scale(1, 2), Money(-3));
        assert_eq!(Money(4).scale(1, 3), Money(1));
        assert_eq!(Money(7).scale(1, 0), Money(0));
    }

    #[test]
    fn cash_rounds_to_the_increment() {
        for (amount, rounded) in [(102, 100), (103, 105), (107, 105), (108, 110), (2, 0), (-103, -105)] {
            assert_eq!(Money(amount).round_to(5), Money(rounded), "{amount}");
        }
        assert_eq!(Money(103).round_to(0), Money(103));
    }

    #[test]
    fn equal_shares_favour_the_earlier_line() {
        assert_eq!(Money(100).allocate(&[Money(1); 3]), vec![Money(34), Money(33), Money(33)]);
        assert_eq!(Money(5).allocate(&[Money(0), Money(0)]), vec![Money(5), Money(0)]);
        assert_eq!(Money(5).allocate(&[]), vec![]);
    }

    #[test]
    fn amounts_are_written_with_the_exponent_of_their_currency() {
        let written = |code: &str, amount| Currency::parse(code).unwrap().format(Money(amount));
        assert_eq!(written("EUR", 1250), "12.50");
        assert_eq!(written("EUR", -5), "-0.05");
        assert_eq!(written("JPY", 1200), "1200");
        assert_eq!(written("KWD", 1), "0.001");
        assert_eq!(Currency::parse("eur"), None);
        assert_eq!(Currency::parse("EURO"), None);
    }

    proptest! {
        #[test]
        fn shares_sum_exactly_and_stay_within_one_of_their_proportion(
            amount in -1_000_000_000_i64..1_000_000_000,
            weights in prop::collection::vec(0_i64..1_000_000, 1..40),
        ) {
            let money: Vec<_> = weights.iter().copied().map(Money).collect();
            let parts = Money(amount).allocate(&money);
            prop_assert_eq!(parts.iter().copied().sum::<Money>(), Money(amount));
            let whole: i128 = weights.iter().copied().map(i128::from).sum();
            if whole > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let exact = i128::from(amount) * i128::from(*weight);
                    prop_assert!((i128::from(part.0) * whole - exact).abs() < whole);
                }
            }
        }
    }
}
