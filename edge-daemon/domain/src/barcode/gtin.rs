//! Item numbers: one number, printed in five forms.
//!
//! A GTIN is a number with a check digit. EAN-8, UPC-A, EAN-13 and GTIN-14 are the same number with fewer or more
//! leading zeros (section 2.1, "Trade items"; section 3.3.2), and UPC-E is a UPC-A with zeros squeezed out
//! (section 5.2.2.4.2). So a [`Gtin`] is the number, and two codes are the same item when the numbers are equal.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::embedded::EightDigits;
use super::error::BarcodeError;

/// A form in which an item number is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GtinForm {
    /// Eight digits with zeros squeezed out of a UPC-A that starts with 0.
    UpcE,
    /// Eight digits.
    Ean8,
    /// Twelve digits.
    UpcA,
    /// Thirteen digits.
    Ean13,
    /// Fourteen digits: cases (ITF-14) and every data base.
    Gtin14,
}

impl GtinForm {
    /// How many digits the form has.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::UpcE | Self::Ean8 => 8,
            Self::UpcA => 12,
            Self::Ean13 => 13,
            Self::Gtin14 => 14,
        }
    }

    /// The first number that the form cannot hold.
    const fn end(self) -> u64 {
        match self {
            Self::Ean8 => 100_000_000,
            // A UPC-E stands for a UPC-A that starts with 0.
            Self::UpcE => 100_000_000_000,
            Self::UpcA => 1_000_000_000_000,
            Self::Ean13 => 10_000_000_000_000,
            Self::Gtin14 => 100_000_000_000_000,
        }
    }
}

impl fmt::Display for GtinForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UpcE => "UPC-E",
            Self::Ean8 => "EAN-8",
            Self::UpcA => "UPC-A",
            Self::Ean13 => "EAN-13",
            Self::Gtin14 => "GTIN-14",
        })
    }
}

/// An item number with a correct check digit: 1 ≤ number < 10^14, the check digit its last decimal digit.
///
/// Equality, order and hash are the number's, so every form of one item is one key. `Display` writes the shortest
/// of EAN-8, UPC-A, EAN-13 and GTIN-14 that holds it; [`Gtin::in_form`] writes a chosen one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Gtin(u64);

impl Gtin {
    /// Makes an item number from its digits without the check digit, which is appended (section 7.9.1).
    ///
    /// # Errors
    ///
    /// [`BarcodeError::Zero`] for 0, [`BarcodeError::Length`] for more than 13 digits.
    pub fn with_check_digit(body: u64) -> Result<Self, BarcodeError> {
        if body >= GtinForm::Ean13.end() {
            return Err(BarcodeError::Length { digits: decimal_digits(body).saturating_add(1) });
        }
        Self::try_from(body * 10 + u64::from(check_digit(body)))
    }

    /// Reads 8, 12, 13 or 14 digits; eight that start with 0 as a UPC-E, or as an EAN-8 where the check digit
    /// refuses that.
    ///
    /// # Errors
    ///
    /// [`BarcodeError::NotDigits`], [`BarcodeError::Length`], [`BarcodeError::CheckDigit`], [`BarcodeError::Zero`].
    pub fn parse(digits: &str) -> Result<Self, BarcodeError> {
        Self::parse_with(digits, EightDigits::UpcEFirst)
    }

    /// As [`Gtin::parse`], with a say in how eight digits that start with 0 are read: one UPC-E in ten passes for
    /// an EAN-8, too.
    ///
    /// # Errors
    ///
    /// As [`Gtin::parse`].
    pub fn parse_with(digits: &str, eight_digits: EightDigits) -> Result<Self, BarcodeError> {
        let form = match digits.len() {
            8 if digits.starts_with('0') => {
                let (first, second) = match eight_digits {
                    EightDigits::UpcEFirst => (GtinForm::UpcE, GtinForm::Ean8),
                    EightDigits::Ean8First => (GtinForm::Ean8, GtinForm::UpcE),
                };
                return Self::from_form(first, digits)
                    .or_else(|error| Self::from_form(second, digits).map_err(|_| error));
            }
            8 => GtinForm::Ean8,
            12 => GtinForm::UpcA,
            13 => GtinForm::Ean13,
            14 => GtinForm::Gtin14,
            digits => return Err(BarcodeError::Length { digits }),
        };
        Self::from_form(form, digits)
    }

    /// Reads the digits of one known form.
    ///
    /// # Errors
    ///
    /// As [`Gtin::parse`]; [`BarcodeError::Form`] for a UPC-E that does not start with 0.
    pub fn from_form(form: GtinForm, digits: &str) -> Result<Self, BarcodeError> {
        if digits.len() != form.digits() {
            return Err(BarcodeError::Length { digits: digits.chars().count() });
        }
        let number = decimal(digits).ok_or(BarcodeError::NotDigits)?;
        match form {
            GtinForm::UpcE if number >= 10_000_000 => Err(BarcodeError::Form { form }),
            GtinForm::UpcE => Self::try_from(expand(number)),
            _ => Self::try_from(number),
        }
    }

    /// The digits in `form`, with leading zeros.
    ///
    /// # Errors
    ///
    /// [`BarcodeError::Form`] when the form cannot hold the number.
    pub fn in_form(self, form: GtinForm) -> Result<String, BarcodeError> {
        let number = match form {
            GtinForm::UpcE => compress(self.0).ok_or(BarcodeError::Form { form })?,
            _ if self.0 >= form.end() => return Err(BarcodeError::Form { form }),
            _ => self.0,
        };
        Ok(format!("{number:0width$}", width = form.digits()))
    }

    /// The shortest of EAN-8, UPC-A, EAN-13 and GTIN-14 that holds the number.
    #[must_use]
    pub fn shortest_form(self) -> GtinForm {
        [GtinForm::Ean8, GtinForm::UpcA, GtinForm::Ean13]
            .into_iter()
            .find(|form| self.0 < form.end())
            .unwrap_or(GtinForm::Gtin14)
    }

    /// The number with its check digit, below 10^14.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Gtin {
    type Error = BarcodeError;

    fn try_from(number: u64) -> Result<Self, BarcodeError> {
        if number == 0 {
            return Err(BarcodeError::Zero);
        }
        if number >= GtinForm::Gtin14.end() {
            return Err(BarcodeError::Length { digits: decimal_digits(number) });
        }
        verify_check_digit(number)?;
        Ok(Self(number))
    }
}

impl From<Gtin> for u64 {
    fn from(gtin: Gtin) -> Self {
        gtin.0
    }
}

/// As [`Gtin::parse`].
impl FromStr for Gtin {
    type Err = BarcodeError;

    fn from_str(digits: &str) -> Result<Self, BarcodeError> {
        Self::parse(digits)
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.0, width = self.shortest_form().digits())
    }
}

/// The check digit for a number that still lacks it: weights 3 and 1 in turn, from the right, to the next multiple
/// of ten (section 7.9.1, "Standard check digit calculations for GS1 data structures"). Leading zeros are no
/// matter, so one function serves GTIN, SSCC and GLN.
#[must_use]
pub fn check_digit(body: u64) -> u8 {
    let (mut rest, mut weight, mut sum) = (body, 3, 0);
    while rest > 0 {
        sum += rest % 10 * weight;
        rest /= 10;
        weight = 4 - weight;
    }
    last_digit(10 - sum % 10)
}

/// Compares a number's last digit with the one that belongs there.
pub(super) fn verify_check_digit(number: u64) -> Result<(), BarcodeError> {
    let (expected, found) = (check_digit(number / 10), last_digit(number));
    if expected == found { Ok(()) } else { Err(BarcodeError::CheckDigit { expected, found }) }
}

/// The value of ASCII digits; `None` for any other character, for no digits and for more than 18.
pub(super) fn decimal(digits: &str) -> Option<u64> {
    let fits = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

/// The number's last decimal digit.
pub(super) fn last_digit(number: u64) -> u8 {
    // A remainder of ten is below 256, so the fallback is never taken.
    u8::try_from(number % 10).unwrap_or_default()
}

fn decimal_digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// UPC-E to UPC-A: the sixth digit of the body says where the zeros were (section 5.2.2.4.2).
/// `number` is `0 d1…d6 C`, so below 10^7; the result is `0 mmmmm ppppp C`.
fn expand(number: u64) -> u64 {
    let (body, check) = (number / 10, number % 10);
    let (front, last) = (body / 10, body % 10);
    let (maker, product) = match last {
        0..=2 => (front / 1000 * 1000 + last * 100, front % 1000),
        3 => (front / 100 * 100, front % 100),
        4 => (front / 10 * 10, front % 10),
        _ => (front, last),
    };
    (maker * 100_000 + product) * 10 + check
}

/// UPC-A to UPC-E, where the number has its zeros in the right places.
fn compress(number: u64) -> Option<u64> {
    if number >= GtinForm::UpcE.end() {
        return None;
    }
    let (body, check) = (number / 10, number % 10);
    let (maker, product) = (body / 100_000, body % 100_000);
    let six = if maker % 1000 / 100 <= 2 && maker % 100 == 0 && product <= 999 {
        (maker / 1000 * 1000 + product) * 10 + maker % 1000 / 100
    } else if maker % 100 == 0 && product <= 99 {
        (maker / 100 * 100 + product) * 10 + 3
    } else if maker % 10 == 0 && product <= 9 {
        (maker / 10 * 10 + product) * 10 + 4
    } else if (5..=9).contains(&product) {
        maker * 10 + product
    } else {
        return None;
    };
    Some(six * 10 + check)
}
