//! The check digit of a price or weight inside an item number.
//!
//! It catches the misreads that matter at a till: each digit is weighted, and the weighted digit is a new digit one
//! to one (section 7.9.2, "Check digit calculation for price and weight fields"). `2−` doubles and takes the tens
//! digit off the units digit, `5−` does so after multiplying by five, `5+` adds it instead.

use super::gtin::last_digit;

/// One way to weight a digit of a price (section 7.9.2): the product's units digit, changed by its tens digit.
#[derive(Clone, Copy)]
enum Weighting {
    TwoMinus,
    Three,
    FivePlus,
    FiveMinus,
}

impl Weighting {
    fn apply(self, digit: u8) -> u8 {
        let (product, plus) = match self {
            Self::TwoMinus => (digit * 2, false),
            Self::Three => return digit * 3 % 10,
            Self::FivePlus => (digit * 5, true),
            Self::FiveMinus => (digit * 5, false),
        };
        let (tens, units) = (product / 10, product % 10);
        if plus { (units + tens) % 10 } else { (units + 10 - tens) % 10 }
    }
}

/// The verifier digit of a price or weight field of four (section 7.9.3) or five digits (section 7.9.4).
pub(super) fn verifier_digit(value: u64, value_digits: u8) -> u8 {
    use Weighting::{FiveMinus, FivePlus, Three, TwoMinus};
    // From the right, as the digits come off the number.
    let weightings: &[Weighting] = match value_digits {
        4 => &[FiveMinus, Three, TwoMinus, TwoMinus],
        _ => &[TwoMinus, FivePlus, FiveMinus, TwoMinus, FivePlus],
    };
    let (mut rest, mut sum) = (value, 0);
    for weighting in weightings {
        sum += weighting.apply(last_digit(rest));
        rest /= 10;
    }
    match value_digits {
        4 => sum % 10 * 3 % 10,
        // The digit whose own 5− weighting completes the sum to a multiple of ten; 5− is one to one.
        _ => (0..10).find(|digit| (sum + FiveMinus.apply(*digit)).is_multiple_of(10)).unwrap_or_default(),
    }
}
