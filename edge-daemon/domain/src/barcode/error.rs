//! What can be wrong with a scan, in words for the person at the till; and with a rule, for the technician.

use core::fmt;

use super::application::Ai;
use super::gtin::GtinForm;

/// Why a scan was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BarcodeError {
    /// Nothing but white space, or a symbology identifier alone.
    Empty,
    /// More than [`MAX_SCAN`](super::MAX_SCAN) bytes.
    TooLong {
        /// The length that was refused.
        bytes: usize,
    },
    /// A control character other than FNC1 stands inside the code.
    NotPrintable,
    /// An item number with a character that is no digit.
    NotDigits,
    /// An item number of a length that no GTIN has, or the wrong one for its form.
    Length {
        /// Digits that were found.
        digits: usize,
    },
    /// An item number that is zero.
    Zero,
    /// The number does not fit the form it was asked in.
    Form {
        /// The form that is too short, or otherwise cannot hold the number.
        form: GtinForm,
    },
    /// The check digit does not agree with the digits before it: a misread or mistyped code.
    CheckDigit {
        /// The digit that section 7.9.1 gives.
        expected: u8,
        /// The digit that was read.
        found: u8,
    },
    /// The price or weight inside the number does not agree with its own check digit.
    Verifier {
        /// The digit that sections 7.9.2–7.9.4 give.
        expected: u8,
        /// The digit that was read.
        found: u8,
    },
    /// No application identifier of the table starts here.
    UnknownAi {
        /// Where it would have started, in characters from the start of the data, from 0.
        at: usize,
    },
    /// An element's data is too short or too long.
    ElementLength {
        /// Which element.
        ai: Ai,
        /// Characters that were found.
        found: usize,
        /// Fewest it may have.
        min: usize,
        /// Most it may have.
        max: usize,
    },
    /// An element's data holds a character that its set does not have.
    ElementCharacter {
        /// Which element.
        ai: Ai,
    },
    /// A date that does not exist.
    ElementDate {
        /// Which element.
        ai: Ai,
    },
    /// One identifier twice, with different data.
    Contradiction {
        /// Which element.
        ai: Ai,
    },
}

impl fmt::Display for BarcodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the scan is empty; scan the code again"),
            Self::TooLong { bytes } => write!(
                f,
                "the scan has {bytes} bytes, more than any label of a shop; scan one code at a time"
            ),
            Self::NotPrintable => {
                f.write_str("the scan holds a control character; check the scanner's interface settings")
            }
            Self::NotDigits => {
                f.write_str("an item number has digits only; scan it again or type the digits below the bars")
            }
            Self::Length { digits } => {
                write!(f, "an item number has 8, 12, 13 or 14 digits, not {digits}; scan it again")
            }
            Self::Zero => f.write_str("an item number of zeros only names no item; scan the code again"),
            Self::Form { form } => {
                write!(f, "the item number cannot be written as {form}; use a longer form")
            }
            Self::CheckDigit { expected, found } => write!(
                f,
                "the last digit is {found} where {expected} belongs: the code was misread; scan it again"
            ),
            Self::Verifier { expected, found } => write!(
                f,
                "the check digit of the price or weight is {found} where {expected} belongs; weigh and label again"
            ),
            Self::UnknownAi { at } => write!(
                f,
                "no GS1 application identifier starts at character {at}; the label is not GS1 or is damaged"
            ),
            Self::ElementLength { ai, found, min, max } => write!(
                f,
                "GS1 element ({ai}) has {found} characters, it takes {min} to {max}; a separator may be missing"
            ),
            Self::ElementCharacter { ai } => write!(
                f,
                "GS1 element ({ai}) holds a character that it may not have; the label is damaged or wrongly made"
            ),
            Self::ElementDate { ai } => write!(
                f,
                "GS1 element ({ai}) is not a date (year, month, day as YYMMDD); the label is wrongly made"
            ),
            Self::Contradiction { ai } => {
                write!(f, "GS1 element ({ai}) stands twice with different data; scan one label at a time")
            }
        }
    }
}

impl core::error::Error for BarcodeError {}

/// Why a rule for a prefix cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleError {
    /// Another prefix.
    Prefix {
        /// The prefix that was asked for.
        prefix: u8,
    },
    /// The digits do not fill the number.
    Digits {
        /// Whose rule.
        prefix: u8,
        /// The sum that was given.
        digits: u8,
    },
    /// No verifier is defined for values of this length.
    Verifier {
        /// Whose rule.
        prefix: u8,
        /// The length that was given.
        value_digits: u8,
    },
    /// More decimals than digits.
    Decimals {
        /// Whose rule.
        prefix: u8,
        /// Decimals that were given.
        decimals: u8,
        /// Value digits that were given.
        value_digits: u8,
    },
    /// Two rules for one prefix.
    Twice {
        /// Which prefix.
        prefix: u8,
    },
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix { prefix } => {
                write!(f, "prefix {prefix} cannot carry a value; use 2 (for 02) or 20 to 29")
            }
            Self::Digits { prefix, digits } => write!(
                f,
                "prefix {prefix}: item, verifier and value have {digits} digits; make it 10, with one or more of item and value"
            ),
            Self::Verifier { prefix, value_digits } => write!(
                f,
                "prefix {prefix}: no verifier digit exists for {value_digits} value digits; use 4 or 5, or no verifier"
            ),
            Self::Decimals { prefix, decimals, value_digits } => {
                write!(f, "prefix {prefix}: {decimals} decimals do not fit into {value_digits} value digits")
            }
            Self::Twice { prefix } => write!(f, "prefix {prefix} has two rules; keep one"),
        }
    }
}

impl core::error::Error for RuleError {}
