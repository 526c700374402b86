//! A weight with its unit, and the rule which weights may be sold by.

#[cfg(feature = "alloc")]
use pos_domain::quantity::Quantity;

/// A unit of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Kilogram.
    Kilogram,
    /// Gram.
    Gram,
    /// Avoirdupois pound, 0.45359237 kg exactly.
    Pound,
}

/// A weight: thousandths of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Weight {
    /// Thousandths of the unit; negative below zero.
    pub thousandths: i64,
    /// The unit.
    pub unit: Unit,
}

impl Weight {
    /// In kilograms with three places, rounded half away from zero; `None` beyond what a line can hold.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn kilograms(self) -> Option<Quantity> {
        // How many hundred-millionths of a gram a thousandth of the unit is.
        let factor: i128 = match self.unit {
            Unit::Kilogram => 100_000_000,
            Unit::Gram => 100_000,
            Unit::Pound => 45_359_237,
        };
        let scaled = i128::from(self.thousandths) * factor;
        let half = if scaled < 0 { -50_000_000 } else { 50_000_000 };
        let grams = i64::try_from((scaled + half) / 100_000_000).ok()?;
        Some(Quantity(grams)).filter(|quantity| quantity.0.abs() <= Quantity::MAX.0)
    }
}

/// What a scale says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// At rest.
    Stable(Weight),
    /// Still moving, or no weight at all: why.
    Unsettled(Unsettled),
}

/// Why there is no weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsettled {
    /// It moves.
    Motion,
    /// More than the scale can bear.
    OverCapacity,
    /// Less than zero: something was taken off that was there when it was zeroed.
    UnderZero,
    /// Too far from zero to be zeroed.
    OutsideZero,
}

/// Lets a weight through once: stable, above zero, and put on since the scale was empty, in motion or showed another one.
#[derive(Debug, Default)]
pub struct Gate {
    shown: Option<Weight>,
}

impl Gate {
    /// Takes a reading; a weight that may be sold by, if it is a new one.
    pub fn take(&mut self, reading: Reading) -> Option<Weight> {
        match reading {
            Reading::Stable(weight) if weight.thousandths > 0 => {
                let new = self.shown.replace(weight) != Some(weight);
                new.then_some(weight)
            }
            Reading::Stable(_) => {
                self.shown = None;
                None
            }
            // A hand that leans on the scale and lets go shows the same weight again: it is the same goods.
            Reading::Unsettled(Unsettled::Motion) => None,
            Reading::Unsettled(_) => {
                self.shown = None;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kilograms(thousandths: i64, unit: Unit) -> Option<String> {
        Weight { thousandths, unit }.kilograms().map(|quantity| quantity.to_string())
    }

    #[test]
    fn units_are_converted_exactly_and_rounded_once() {
        assert_eq!(kilograms(475, Unit::Kilogram).as_deref(), Some("0.475"));
        assert_eq!(kilograms(475_499, Unit::Gram).as_deref(), Some("0.475"));
        assert_eq!(kilograms(475_500, Unit::Gram).as_deref(), Some("0.476"));
        assert_eq!(kilograms(1_000, Unit::Pound).as_deref(), Some("0.454"));
        assert_eq!(kilograms(10_000, Unit::Pound).as_deref(), Some("4.536"));
        assert_eq!(kilograms(-475_500, Unit::Gram).as_deref(), Some("-0.476"));
        assert_eq!((kilograms(i64::MAX, Unit::Kilogram), kilograms(i64::MIN, Unit::Pound)), (None, None));
    }

    #[test]
    fn only_a_stable_weight_above_zero_that_is_new_passes() {
        let weight = |thousandths| Weight { thousandths, unit: Unit::Kilogram };
        let stable = |thousandths| Reading::Stable(weight(thousandths));
        let mut gate = Gate::default();
        let mut passed = |reading| gate.take(reading).map(|weight| weight.thousandths);
        assert_eq!(passed(stable(0)), None);
        assert_eq!(passed(Reading::Unsettled(Unsettled::Motion)), None);
        assert_eq!(passed(stable(475)), Some(475));
        assert_eq!((passed(stable(475)), passed(Reading::Unsettled(Unsettled::Motion))), (None, None));
        assert_eq!(passed(stable(475)), None, "the same goods");
        assert_eq!(passed(stable(480)), Some(480));
        assert_eq!((passed(stable(0)), passed(stable(-5))), (None, None));
        assert_eq!(passed(stable(480)), Some(480), "other goods of the same weight");
    }
}
