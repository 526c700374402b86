//! Short text made of numbers, without the formatting machinery: every reply and every receipt is full of it.

/// Text of at most 32 ASCII characters; what does not fit is left out.
#[derive(Default)]
pub(crate) struct ShortText {
    bytes: [u8; 32],
    length: usize,
}

impl ShortText {
    /// Appends an ASCII character.
    pub(crate) fn push(mut self, byte: u8) -> Self {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
        self
    }

    /// Appends a decimal number, with zeros in front up to `width` digits.
    pub(crate) fn number(self, number: u64, width: usize) -> Self {
        // 2^64 has twenty digits.
        let mut digits = [b'0'; 20];
        let (mut rest, mut first) = (number, digits.len());
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            if rest == 0 && digits_from(at) > width.max(1) {
                break;
            }
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            first = at;
        }
        digits.iter().skip(first).fold(self, |text, digit| text.push(*digit))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// How many of the twenty digits there are from number `at` on.
const fn digits_from(at: usize) -> usize {
    20 - at
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_is_written_as_the_formatting_machinery_writes_it(number: u64, width in 0_usize..=20) {
            let text = ShortText::default().push(b'-').number(number, width);
            prop_assert_eq!(text.as_str(), alloc::format!("-{number:0width$}"));
        }
    }

    #[test]
    fn zero_is_a_digit_and_what_does_not_fit_is_left_out() {
        let short = |number, width| String::from(ShortText::default().number(number, width).as_str());
        assert_eq!((short(0, 0), short(0, 3), short(7, 1)), ("0".into(), "000".into(), "7".into()));
        let long = ShortText::default().number(u64::MAX, 20).number(u64::MAX, 20);
        assert_eq!(long.as_str().len(), 32);
    }
}
