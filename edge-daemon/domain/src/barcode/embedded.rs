//! Prefixes 02 and 20–29: a price, a weight or a count inside the item number.
//!
//! The meat counter's scale prints an EAN-13 whose digits are, from the left: two of prefix, the shop's item
//! reference, perhaps a verifier digit, the value, the check digit. What the digits mean is agreed within a country
//! or a shop (section 2.1.12, "Variable measure trade items scanned at retail point-of-sale"), so it is
//! configuration: one [`EmbeddedRule`] per prefix. A prefix without a rule is a plain item number of the shop.
//!
//! ```text
//!  0 2 1 2 3 4 5 0 0 1 2 5 7      rule: prefix 02, 5 item digits, 5 value digits, price with 2 decimals
//!  └┬┘ └───┬───┘ └───┬───┘ └ check digit
//! prefix item 12345  1.25
//! ```

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::error::{BarcodeError, RuleError};
use super::gtin::{Gtin, last_digit};
use super::scaled::Scaled;
use super::verifier::verifier_digit;

/// Digits between the prefix and the check digit.
const FREE_DIGITS: u8 = 10;

/// What the value digits of a prefix say. Journals hold it by position: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Meaning {
    /// A price of the whole piece, with so many decimals in major units of the store's currency.
    Price {
        /// Places behind the point, at most the number of value digits.
        decimals: u8,
    },
    /// A net weight with so many decimals of a kilogram.
    Weight {
        /// Places behind the point, at most the number of value digits.
        decimals: u8,
    },
    /// A number of pieces.
    Count,
}

/// How the digits of one prefix are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRule", into = "RawRule")]
pub struct EmbeddedRule {
    raw: RawRule,
}

/// The same without its promise that the digits add up. Journals hold it by position: append only, new fields last
/// and optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRule {
    prefix: u8,
    item_digits: u8,
    value_digits: u8,
    verifier: bool,
    meaning: Meaning,
}

impl EmbeddedRule {
    /// Makes a rule: `prefix` 2 (printed 02) or 20–29, then `item_digits` (1–9), then one verifier digit if
    /// `verifier`, then `value_digits` (1–9), ten digits together.
    ///
    /// # Errors
    ///
    /// [`RuleError`] when the prefix is another, when the digits do not add up to ten, when there are more decimals
    /// than value digits, or when a verifier is asked for a value that has neither four nor five digits.
    pub fn new(
        prefix: u8,
        item_digits: u8,
        verifier: bool,
        value_digits: u8,
        meaning: Meaning,
    ) -> Result<Self, RuleError> {
        RawRule { prefix, item_digits, value_digits, verifier, meaning }.try_into()
    }

    /// The prefix that the rule is for: 2 or 20–29.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.raw.prefix
    }

    /// Writes an item and a value as the scale would: the value is the number without its decimal point.
    ///
    /// `None` when the item or the value has more digits than the rule gives it.
    #[must_use]
    pub fn encode(&self, item: u32, value: u32) -> Option<Gtin> {
        let value_end = power_of_ten(self.raw.value_digits);
        if u64::from(item) >= power_of_ten(self.raw.item_digits) || u64::from(value) >= value_end {
            return None;
        }
        let mut body = u64::from(self.raw.prefix) * power_of_ten(self.raw.item_digits) + u64::from(item);
        if self.raw.verifier {
            body = body * 10 + u64::from(verifier_digit(u64::from(value), self.raw.value_digits));
        }
        Gtin::with_check_digit(body * value_end + u64::from(value)).ok()
    }

    fn read(&self, gtin: Gtin) -> Result<Embedded, BarcodeError> {
        let body = gtin.number() / 10;
        let value_end = power_of_ten(self.raw.value_digits);
        let value = body % value_end;
        let mut front = body / value_end;
        if self.raw.verifier {
            let (expected, found) = (verifier_digit(value, self.raw.value_digits), last_digit(front));
            if expected != found {
                return Err(BarcodeError::Verifier { expected, found });
            }
            front /= 10;
        }
        // Both have at most nine digits, so they fit.
        let item = u32::try_from(front % power_of_ten(self.raw.item_digits)).unwrap_or(u32::MAX);
        let count = u32::try_from(value).unwrap_or(u32::MAX);
        let base = self.encode(item, 0).unwrap_or(gtin);
        let value = match self.raw.meaning {
            Meaning::Price { decimals } => EmbeddedValue::Price(Scaled { units: value, decimals }),
            Meaning::Weight { decimals } => EmbeddedValue::Weight(Scaled { units: value, decimals }),
            Meaning::Count => EmbeddedValue::Count(count),
        };
        Ok(Embedded { prefix: self.raw.prefix, item, value, base })
    }
}

impl TryFrom<RawRule> for EmbeddedRule {
    type Error = RuleError;

    fn try_from(raw: RawRule) -> Result<Self, RuleError> {
        let RawRule { prefix, item_digits, value_digits, verifier, meaning } = raw;
        if !matches!(prefix, 2 | 20..=29) {
            return Err(RuleError::Prefix { prefix });
        }
        let digits = [item_digits, value_digits, u8::from(verifier)].into_iter().fold(0, u8::saturating_add);
        if item_digits == 0 || value_digits == 0 || digits != FREE_DIGITS {
            return Err(RuleError::Digits { prefix, digits });
        }
        if verifier && !matches!(value_digits, 4 | 5) {
            return Err(RuleError::Verifier { prefix, value_digits });
        }
        match meaning {
            Meaning::Price { decimals } | Meaning::Weight { decimals } if decimals > value_digits => {
                Err(RuleError::Decimals { prefix, decimals, value_digits })
            }
            _ => Ok(Self { raw }),
        }
    }
}

impl From<EmbeddedRule> for RawRule {
    fn from(rule: EmbeddedRule) -> Self {
        rule.raw
    }
}

/// Which of two readings of eight digits with a leading 0 is tried first. A shop that prints EAN-8 labels of its
/// own with a leading 0 (section 2.1.11, RCN-8) wants the second; all others meet UPC-E.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EightDigits {
    /// UPC-E, and EAN-8 where the check digit refuses that.
    #[default]
    UpcEFirst,
    /// EAN-8, and UPC-E where the check digit refuses that.
    Ean8First,
}

/// A store's reading of the codes it prints itself. The default has no rules: every prefix is a plain item number.
/// Journals hold it by position: append only, new fields last and optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedRules {
    rules: Vec<EmbeddedRule>,
    eight_digits: EightDigits,
}

impl EmbeddedRules {
    /// Takes at most one rule per prefix.
    ///
    /// # Errors
    ///
    /// [`RuleError::Twice`] names the prefix that has two.
    pub fn new(rules: Vec<EmbeddedRule>) -> Result<Self, RuleError> {
        for (index, rule) in rules.iter().enumerate() {
            if rules.iter().take(index).any(|earlier| earlier.prefix() == rule.prefix()) {
                return Err(RuleError::Twice { prefix: rule.prefix() });
            }
        }
        Ok(Self { rules, eight_digits: EightDigits::default() })
    }

    /// The same rules with another reading of eight digits that start with 0.
    #[must_use]
    pub fn with_eight_digits(self, eight_digits: EightDigits) -> Self {
        Self { eight_digits, ..self }
    }

    /// How eight digits with a leading 0 are read.
    #[must_use]
    pub fn eight_digits(&self) -> EightDigits {
        self.eight_digits
    }

    /// Reads the value out of an item number; `None` when its prefix has no rule.
    ///
    /// A number counts by its thirteen digits, however it was printed: UPC-A `2…` is prefix 02.
    ///
    /// # Errors
    ///
    /// [`BarcodeError::Verifier`] when the rule has a verifier digit and the number another.
    pub fn read(&self, gtin: Gtin) -> Result<Option<Embedded>, BarcodeError> {
        // The two digits in front of the ten free ones and the check digit. A GTIN-14 that uses its first digit
        // gives 100 or more here and finds no rule.
        let prefix = gtin.number() / 10 / power_of_ten(FREE_DIGITS);
        match self.rules.iter().find(|rule| u64::from(rule.prefix()) == prefix) {
            Some(rule) => rule.read(gtin).map(Some),
            None => Ok(None),
        }
    }
}

/// An item number of the shop, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// 2 (printed 02) or 20–29.
    pub prefix: u8,
    /// The shop's item reference, without leading zeros.
    pub item: u32,
    /// What the label says of this one piece.
    pub value: EmbeddedValue,
    /// The same number with value 0 and the check digits for it: one key for all pieces of the article.
    pub base: Gtin,
}

/// The price, weight or count of one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddedValue {
    /// The price of the whole piece in major units of the store's currency; [`Scaled::exact`] gives minor units.
    Price(Scaled),
    /// Net weight in kilograms; [`Scaled::rounded`]`(3)` gives grams.
    Weight(Scaled),
    /// Pieces.
    Count(u32),
}

/// 10^`exponent`; exponents here are at most ten.
fn power_of_ten(exponent: u8) -> u64 {
    10u64.saturating_pow(u32::from(exponent))
}
