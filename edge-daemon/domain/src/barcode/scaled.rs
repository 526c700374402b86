//! An integer with a decimal point in it: what scales and price labels really encode.

use core::fmt;

/// A non-negative decimal number, `units / 10^decimals`: kilograms, metres, a price in major units.
///
/// Two values are equal when both parts are equal: `1.20` is not `1.2`, for a label said one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scaled {
    /// The number without its decimal point. Below 10^15 when it came from a barcode.
    pub units: u64,
    /// Places behind the point, 0–9 when it came from a barcode.
    pub decimals: u8,
}

impl Scaled {
    /// The number as an integer with `decimals` places, if that loses nothing: price in minor units of a currency
    /// with that exponent.
    ///
    /// `None` when digits would be lost or the result exceeds 64 bits.
    #[must_use]
    pub fn exact(self, decimals: u8) -> Option<u64> {
        if decimals >= self.decimals {
            return self.units.checked_mul(power_of_ten(decimals - self.decimals)?);
        }
        let divisor = power_of_ten(self.decimals - decimals)?;
        self.units.is_multiple_of(divisor).then_some(self.units / divisor)
    }

    /// The number as an integer with `decimals` places, rounded half up: a weight in thousandths of a kilogram is
    /// `rounded(3)`.
    ///
    /// `None` when the result exceeds 64 bits.
    #[must_use]
    pub fn rounded(self, decimals: u8) -> Option<u64> {
        if decimals >= self.decimals {
            return self.exact(decimals);
        }
        // A divisor beyond 64 bits is more than twice any number there is.
        let Some(divisor) = power_of_ten(self.decimals - decimals) else {
            return Some(0);
        };
        let up = self.units % divisor >= divisor - divisor / 2;
        Some(self.units / divisor + u64::from(up))
    }
}

impl fmt::Display for Scaled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match power_of_ten(self.decimals) {
            Some(_) if self.decimals == 0 => write!(f, "{}", self.units),
            Some(one) => {
                let width = usize::from(self.decimals);
                write!(f, "{}.{:0width$}", self.units / one, self.units % one)
            }
            None => write!(f, "{}e-{}", self.units, self.decimals),
        }
    }
}

fn power_of_ten(exponent: u8) -> Option<u64> {
    10u64.checked_pow(u32::from(exponent))
}
