//! What a scanner or a keyboard sends, understood.
//!
//! A scan is text. It may be a plain item number (EAN-13, EAN-8, UPC-A, UPC-E, GTIN-14), an item number of the
//! shop's own that carries a price or a weight in its digits, a GS1 element string with a lot and a best-before
//! date, or simply a code of somebody else's making (a staff card, a stock code, a typed PLU).
//! [`Barcode::parse`] tells which, without ever guessing an item out of a misread code.
//!
//! | part          | what it knows                                                               |
//! |---------------|-----------------------------------------------------------------------------|
//! | `gtin`        | item numbers, their check digit, the forms one number is printed in         |
//! | `embedded`    | prefixes 02 and 20–29: price, weight or count inside the number             |
//! | `gs1`         | element strings: splitting, checking, typed values                          |
//! | `application` | the table of GS1 application identifiers (AI)                                |
//! | `date`        | AI dates: day 00, the sliding century                                       |
//! | `scaled`      | an integer with a decimal point in it                                       |
//! | `verifier`    | the check digit of an embedded price or weight                              |
//! | `error`       | what can be wrong with a scan or a rule                                     |
//!
//! Sections named in this module are those of the GS1 General Specifications, release 24 (January 2024). Nothing
//! here allocates before the input's length is checked, and nothing panics on any input.

mod application;
mod date;
mod embedded;
mod error;
mod gs1;
mod gtin;
mod scaled;
#[cfg(test)]
mod tests;
mod verifier;

pub use application::Ai;
pub use date::AiDate;
pub use embedded::{EightDigits, Embedded, EmbeddedRule, EmbeddedRules, EmbeddedValue, Meaning};
pub use error::{BarcodeError, RuleError};
pub use gs1::{Element, Elements, FNC1, Value};
pub use gtin::{Gtin, GtinForm, check_digit};
pub use scaled::Scaled;

use alloc::borrow::ToOwned;
use alloc::string::String;

/// The longest scan that is looked at, in bytes. A full GS1 DataMatrix label of a shop needs a fifth of it.
pub const MAX_SCAN: usize = 1024;

/// One scan, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barcode {
    /// An item number and nothing else.
    Item(Gtin),
    /// An item number of the shop that carries a price, a weight or a count.
    Embedded(Embedded),
    /// A GS1 element string.
    Elements(Elements),
    /// Any other printable code: a stock code, a PLU, a card. At most [`MAX_SCAN`] bytes, no control characters.
    Text(String),
}

impl Barcode {
    /// Understands one scan or one typed code.
    ///
    /// White space around it is dropped. A symbology identifier in front (`]E0`, `]C1` …, section 5.1.2) is
    /// obeyed; without one the shape decides:
    ///
    /// - 8, 12, 13 or 14 digits (typed with spaces or hyphens, too) are an item number and their check digit
    ///   must be right;
    /// - text that holds FNC1 (ASCII 29), starts with a bracketed AI such as `(01)`, or has more than 15
    ///   characters of which the first 16 are a valid `01`, `02` element, or the first 20 a valid `00`
    ///   element, is a GS1 element string;
    /// - all else is [`Barcode::Text`].
    ///
    /// # Errors
    ///
    /// [`BarcodeError`] when the input is empty, too long or not printable, when a check digit is wrong, or when
    /// an element string breaks the rules of its application identifiers.
    pub fn parse(scan: &str, rules: &EmbeddedRules) -> Result<Self, BarcodeError> {
        if scan.len() > MAX_SCAN {
            return Err(BarcodeError::TooLong { bytes: scan.len() });
        }
        // What nearly every scan is, and what the shape would decide, too.
        if matches!(scan.len(), 8 | 12 | 13 | 14) && scan.bytes().all(|byte| byte.is_ascii_digit()) {
            return item(scan, rules);
        }
        let scan = scan.trim_matches(|c: char| c.is_ascii_whitespace());
        if scan.is_empty() {
            return Err(BarcodeError::Empty);
        }
        if scan.chars().any(|c| c.is_control() && c != FNC1) {
            return Err(BarcodeError::NotPrintable);
        }
        let (symbology, data) = split_symbology(scan);
        match symbology {
            Symbology::Item => item(retail_digits(data), rules),
            Symbology::Ean8 => embedded_or_item(Gtin::from_form(GtinForm::Ean8, data)?, rules),
            Symbology::Elements => Elements::parse(data).map(Self::Elements),
            Symbology::Unnamed => unnamed(data, rules),
            Symbology::Plain => plain(data, rules),
        }
    }

    /// The item number to look the article up by, where the scan has one: for an embedded code the number
    /// without its price or weight, for an element string that of AI 01.
    #[must_use]
    pub fn gtin(&self) -> Option<Gtin> {
        match self {
            Self::Item(gtin) => Some(*gtin),
            Self::Embedded(embedded) => Some(embedded.base),
            Self::Elements(elements) => elements.gtin(),
            Self::Text(_) => None,
        }
    }
}

/// What the symbology identifier promises about the data behind it.
#[derive(Clone, Copy)]
enum Symbology {
    Item,
    Ean8,
    Elements,
    Plain,
    Unnamed,
}

/// Splits off `]` + letter + modifier, section 5.1.2, "Symbology identifiers".
fn split_symbology(scan: &str) -> (Symbology, &str) {
    let Some((identifier, data)) = scan.split_at_checked(3) else {
        return (Symbology::Unnamed, scan);
    };
    let symbology = match identifier {
        "]E0" | "]E3" | "]I1" => Symbology::Item,
        "]E4" => Symbology::Ean8,
        "]C1" | "]e0" | "]d2" | "]Q3" | "]J1" => Symbology::Elements,
        _ if is_symbology_identifier(identifier) => Symbology::Plain,
        _ => return (Symbology::Unnamed, scan),
    };
    (symbology, data)
}

fn is_symbology_identifier(identifier: &str) -> bool {
    let mut bytes = identifier.bytes();
    bytes.next() == Some(b']')
        && bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
}

/// Drops the two or five digits of an add-on symbol (`]E3`: a periodical's issue), which do not name the item.
fn retail_digits(data: &str) -> &str {
    match (data.len(), data.split_at_checked(13)) {
        (15 | 18, Some((main, _))) => main,
        _ => data,
    }
}

fn item(digits: &str, rules: &EmbeddedRules) -> Result<Barcode, BarcodeError> {
    embedded_or_item(Gtin::parse_with(digits, rules.eight_digits())?, rules)
}

fn embedded_or_item(gtin: Gtin, rules: &EmbeddedRules) -> Result<Barcode, BarcodeError> {
    Ok(match rules.read(gtin)? {
        Some(embedded) => Barcode::Embedded(embedded),
        None => Barcode::Item(gtin),
    })
}

/// Text of unknown origin: its shape decides.
fn unnamed(data: &str, rules: &EmbeddedRules) -> Result<Barcode, BarcodeError> {
    if data.contains(FNC1) || Elements::looks_bracketed(data) || Elements::looks_unbracketed(data) {
        return Elements::parse(data).map(Barcode::Elements);
    }
    match typed_digits(data) {
        Some(digits) => item(&digits, rules),
        None => text(data),
    }
}

/// Text from a symbology that promises nothing (Code 39, plain Code 128): an item number where it is a correct
/// one, else text.
fn plain(data: &str, rules: &EmbeddedRules) -> Result<Barcode, BarcodeError> {
    match typed_digits(data).map(|digits| Gtin::parse_with(&digits, rules.eight_digits())) {
        Some(Ok(gtin)) => embedded_or_item(gtin, rules),
        _ => text(data),
    }
}

fn text(data: &str) -> Result<Barcode, BarcodeError> {
    if data.is_empty() {
        return Err(BarcodeError::Empty);
    }
    // Only reachable with FNC1 behind a symbology identifier that does not announce GS1 data.
    if data.contains(FNC1) {
        return Err(BarcodeError::NotPrintable);
    }
    Ok(Barcode::Text(data.to_owned()))
}

/// The digits of an item number as people type it from a label, `4 006381 333931` or `978-3-16-148410-0`.
fn typed_digits(data: &str) -> Option<String> {
    if !data.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-') {
        return None;
    }
    let digits: String = data.chars().filter(char::is_ascii_digit).collect();
    // A separator that starts, ends or doubles is not how a label prints a number.
    let tidy = data.split([' ', '-']).all(|group| !group.is_empty());
    (tidy && matches!(digits.len(), 8 | 12 | 13 | 14)).then_some(digits)
}
