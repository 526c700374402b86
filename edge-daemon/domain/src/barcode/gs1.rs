//! GS1 element strings: what GS1-128, GS1 DataBar, GS1 DataMatrix and GS1 QR codes say.
//!
//! An element is an application identifier (AI) and its data. Elements follow each other without a mark where the
//! data has a length that is known to every reader; else FNC1, transmitted as ASCII 29, ends them (section 7.8,
//! "Processing of data from a GS1 symbology using GS1 Application Identifiers"). The same thing printed for people
//! has the identifiers in brackets.
//!
//! ```text
//!  (01)09501101530003(17)271100(10)AB-123(3103)001250          as printed
//!  0109501101530003 17271100 10AB-123<FNC1> 3103001250         as transmitted (spaces added)
//! ```

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::application::{Ai, Format, Kind};
use super::date::AiDate;
use super::error::BarcodeError;
use super::gtin::{Gtin, decimal, verify_check_digit};
use super::scaled::Scaled;

/// FNC1 as scanners transmit it between elements: ASCII 29, group separator.
pub const FNC1: char = '\u{1d}';

/// One element: an identifier and its data, checked against the identifier's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    ai: Ai,
    data: String,
    value: Value,
}

/// What an element's data means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Serial shipping container code with its check digit (AI 00): below 10^18.
    Sscc(u64),
    /// An item number (AI 01, 02).
    Gtin(Gtin),
    /// A date (AI 11–17).
    Date(AiDate),
    /// A count (AI 30, 37), an internal variant (AI 20), or the bare digits of a unit price (AI 8005).
    Number(u32),
    /// A measure in the unit of its identifier (AI 310n–369n): kilograms for 310n, metres for 311n …
    Measure(Scaled),
    /// An amount of money in major units (AI 390n–393n, 395n).
    Amount {
        /// The amount.
        amount: Scaled,
        /// ISO 4217 numeric code (AI 391n, 393n); `None`: the currency of the store.
        currency: Option<u16>,
    },
    /// A percentage off (AI 394n).
    Percent(Scaled),
    /// Anything else: see [`Element::data`].
    Text,
}

impl Element {
    /// Checks `data` against the format of `ai` and reads its value.
    fn read(ai: Ai, format: Format, data: &str) -> Result<Self, BarcodeError> {
        let Format { kind, characters, min, max, .. } = format;
        if !data.bytes().all(|byte| characters.has(byte)) {
            return Err(BarcodeError::ElementCharacter { ai });
        }
        if !(min..=max).contains(&data.len()) {
            return Err(BarcodeError::ElementLength { ai, found: data.len(), min, max });
        }
        let number = || decimal(data).ok_or(BarcodeError::ElementCharacter { ai });
        let scaled = |units| Scaled { units, decimals: ai.decimals() };
        let value = match kind {
            Kind::Text => Value::Text,
            Kind::Sscc => {
                let sscc = number()?;
                verify_check_digit(sscc)?;
                Value::Sscc(sscc)
            }
            Kind::Gtin => Value::Gtin(Gtin::try_from(number()?)?),
            Kind::Date => {
                Value::Date(AiDate::from_number(number()?).ok_or(BarcodeError::ElementDate { ai })?)
            }
            Kind::Number => Value::Number(u32::try_from(number()?).unwrap_or(u32::MAX)),
            Kind::Measure => Value::Measure(scaled(number()?)),
            Kind::Percent => Value::Percent(scaled(number()?)),
            Kind::Amount => Value::Amount { amount: scaled(number()?), currency: None },
            Kind::ForeignAmount => {
                let parts = data.split_at_checked(3).and_then(|(currency, amount)| {
                    Some((u16::try_from(decimal(currency)?).ok()?, decimal(amount)?))
                });
                let (currency, amount) = parts.ok_or(BarcodeError::ElementCharacter { ai })?;
                Value::Amount { amount: scaled(amount), currency: Some(currency) }
            }
        };
        Ok(Self { ai, data: data.to_owned(), value })
    }

    /// Its application identifier.
    #[must_use]
    pub fn ai(&self) -> Ai {
        self.ai
    }

    /// Its data as it stood in the code, leading zeros included.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// What the data means.
    #[must_use]
    pub fn value(&self) -> Value {
        self.value
    }
}

/// The elements of one code, in its order, each identifier once.
///
/// `Display` writes the printed form with brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elements {
    elements: Vec<Element>,
}

impl Elements {
    /// Reads an element string, transmitted or printed with brackets, without its symbology identifier.
    ///
    /// In the printed form a bracket opens the next element when a known identifier and a closing bracket follow
    /// it; any other bracket is data.
    ///
    /// # Errors
    ///
    /// [`BarcodeError`]: an unknown identifier, data that its format refuses (length, characters, dates, check
    /// digits of AI 00, 01 and 02), one identifier twice with different data (section 4.13), or more than
    /// [`MAX_SCAN`](super::MAX_SCAN) bytes.
    pub fn parse(data: &str) -> Result<Self, BarcodeError> {
        if data.len() > super::MAX_SCAN {
            return Err(BarcodeError::TooLong { bytes: data.len() });
        }
        let mut elements = Self { elements: Vec::new() };
        let mut rest = data.trim_start_matches(FNC1);
        if rest.is_empty() {
            return Err(BarcodeError::Empty);
        }
        let bracketed = rest.starts_with('(');
        while !rest.is_empty() {
            let found = if bracketed { printed_element(rest) } else { transmitted_element(rest) };
            let Some((ai, format, value, next)) = found else {
                return Err(BarcodeError::UnknownAi { at: data.len() - rest.len() });
            };
            elements.add(Element::read(ai, format, value)?)?;
            rest = next;
        }
        Ok(elements)
    }

    fn add(&mut self, element: Element) -> Result<(), BarcodeError> {
        match self.get(element.ai) {
            Some(earlier) if earlier.data == element.data => Ok(()),
            Some(_) => Err(BarcodeError::Contradiction { ai: element.ai }),
            None => {
                self.elements.push(element);
                Ok(())
            }
        }
    }

    /// Whether text without a symbology identifier is an element string printed with brackets: `(`, a known
    /// identifier, `)`.
    pub(super) fn looks_bracketed(data: &str) -> bool {
        opening(data).is_some()
    }

    /// Whether text without a symbology identifier is an element string: longer than any item number, and an
    /// item number or a logistic unit with a correct check digit in front.
    pub(super) fn looks_unbracketed(data: &str) -> bool {
        let number = |digits: usize| data.get(2..2 + digits).and_then(decimal);
        match data.get(..2) {
            Some("00") => number(18).is_some_and(|sscc| sscc != 0 && verify_check_digit(sscc).is_ok()),
            Some("01" | "02") => number(14).is_some_and(|gtin| Gtin::try_from(gtin).is_ok()),
            _ => false,
        }
    }

    /// The elements in the code's order.
    pub fn iter(&self) -> impl Iterator<Item = &Element> {
        self.elements.iter()
    }

    /// The element of one identifier.
    #[must_use]
    pub fn get(&self, ai: Ai) -> Option<&Element> {
        self.elements.iter().find(|element| element.ai == ai)
    }

    /// The item number of what carries the code (AI 01).
    #[must_use]
    pub fn gtin(&self) -> Option<Gtin> {
        match self.get(Ai::GTIN)?.value {
            Value::Gtin(gtin) => Some(gtin),
            _ => None,
        }
    }

    /// Batch or lot (AI 10): 1–20 characters.
    #[must_use]
    pub fn lot(&self) -> Option<&str> {
        self.get(Ai::LOT).map(Element::data)
    }

    /// Serial number of the piece (AI 21): 1–20 characters.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        self.get(Ai::SERIAL).map(Element::data)
    }

    /// A date by its identifier, for example [`Ai::BEST_BEFORE`] or [`Ai::EXPIRATION`].
    #[must_use]
    pub fn date(&self, ai: Ai) -> Option<AiDate> {
        match self.get(ai)?.value {
            Value::Date(date) => Some(date),
            _ => None,
        }
    }

    /// Pieces in a package of varying count (AI 30).
    #[must_use]
    pub fn count(&self) -> Option<u32> {
        match self.get(Ai::COUNT)?.value {
            Value::Number(count) => Some(count),
            _ => None,
        }
    }

    /// Net weight in kilograms (AI 310n); [`Scaled::rounded`]`(3)` gives grams.
    #[must_use]
    pub fn net_weight(&self) -> Option<Scaled> {
        self.elements.iter().find(|element| element.ai.family() == 310).and_then(|element| {
            match element.value {
                Value::Measure(weight) => Some(weight),
                _ => None,
            }
        })
    }

    /// The price of this piece in major units and, where the code names it, the ISO 4217 numeric currency
    /// (AI 392n, 393n).
    #[must_use]
    pub fn price(&self) -> Option<(Scaled, Option<u16>)> {
        self.amount(392, 393)
    }

    /// The amount payable, as on a coupon or a payment slip, likewise (AI 390n, 391n).
    #[must_use]
    pub fn payable(&self) -> Option<(Scaled, Option<u16>)> {
        self.amount(390, 391)
    }

    fn amount(&self, local: u16, foreign: u16) -> Option<(Scaled, Option<u16>)> {
        let of_family = |element: &&Element| [local, foreign].contains(&element.ai.family());
        match self.elements.iter().find(of_family)?.value {
            Value::Amount { amount, currency } => Some((amount, currency)),
            _ => None,
        }
    }

    /// The elements as a scanner transmits them, without symbology identifier: FNC1 behind every element whose
    /// length is not pre-defined, except the last.
    #[must_use]
    pub fn to_transmitted(&self) -> String {
        let mut out = String::new();
        let mut separator = false;
        for Element { ai, data, .. } in &self.elements {
            if separator {
                out.push(FNC1);
            }
            out.push_str(&ai.to_string());
            out.push_str(data);
            separator = !Format::is_predefined(*ai);
        }
        out
    }
}

impl fmt::Display for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.elements.iter().try_for_each(|Element { ai, data, .. }| write!(f, "({ai}){data}"))
    }
}

/// Identifier, its format, its data, and what follows the element.
type Found<'a> = Option<(Ai, Format, &'a str, &'a str)>;

fn transmitted_element(text: &str) -> Found<'_> {
    let (ai, format, rest) = Format::at_start_of(text)?;
    let upto_separator = rest.split(FNC1).next().unwrap_or(rest);
    let length =
        if Format::is_predefined(ai) { upto_separator.len().min(format.max) } else { upto_separator.len() };
    // A length in the middle of a character is no boundary: then the whole text is the data, and is refused.
    let (data, next) = rest.split_at_checked(length).unwrap_or((rest, ""));
    // A separator that is not needed is tolerated (section 7.8.6).
    Some((ai, format, data, next.trim_start_matches(FNC1)))
}

fn printed_element(text: &str) -> Found<'_> {
    let (ai, format, rest) = opening(text)?;
    let end = rest
        .match_indices('(')
        .map(|(at, _)| at)
        .find(|at| rest.get(*at..).and_then(opening).is_some())
        .unwrap_or(rest.len());
    let (data, next) = rest.split_at_checked(end)?;
    Some((ai, format, data, next))
}

/// `(`, a known identifier, `)`; and what follows.
fn opening(text: &str) -> Option<(Ai, Format, &str)> {
    let (ai, format, rest) = Format::at_start_of(text.strip_prefix('(')?)?;
    Some((ai, format, rest.strip_prefix(')')?))
}
