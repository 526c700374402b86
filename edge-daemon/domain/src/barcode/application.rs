//! The table of GS1 application identifiers: how long each element's data is and which characters it takes.
//!
//! From section 3.2, "GS1 Application Identifiers in numerical order". Ranges are one row where all their
//! identifiers have one format. An identifier that is not here cannot be skipped over, for its length is unknown.

use core::fmt;

/// An application identifier, the two to four digits in front of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ai(pub(super) u16);

impl Ai {
    /// Serial number of a logistic unit (SSCC).
    pub const SSCC: Self = Self(0);
    /// Item number of what carries the label.
    pub const GTIN: Self = Self(1);
    /// Item number of what is inside; the count is in AI 37.
    pub const CONTENT: Self = Self(2);
    /// Batch or lot.
    pub const LOT: Self = Self(10);
    /// Production date.
    pub const PRODUCTION_DATE: Self = Self(11);
    /// Due date of a payment slip.
    pub const DUE_DATE: Self = Self(12);
    /// Packaging date.
    pub const PACKAGING_DATE: Self = Self(13);
    /// Best before: quality suffers afterwards.
    pub const BEST_BEFORE: Self = Self(15);
    /// Sell by.
    pub const SELL_BY: Self = Self(16);
    /// Expiration: not to be used, and not to be sold, afterwards.
    pub const EXPIRATION: Self = Self(17);
    /// Internal product variant.
    pub const VARIANT: Self = Self(20);
    /// Serial number of one piece.
    pub const SERIAL: Self = Self(21);
    /// Consumer product variant.
    pub const CONSUMER_VARIANT: Self = Self(22);
    /// Variable count of items.
    pub const COUNT: Self = Self(30);
    /// Count of what AI 02 names.
    pub const CONTENT_COUNT: Self = Self(37);
    /// Price per unit of measure in six digits, their point by national agreement.
    pub const UNIT_PRICE: Self = Self(8005);

    /// The identifier as a number; leading zeros are not part of it.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }

    /// How many digits the identifier has: 2, 3 or 4.
    #[must_use]
    pub fn digits(self) -> usize {
        match self.0 {
            0..=99 => 2,
            100..=999 => 3,
            _ => 4,
        }
    }

    /// The identifier without its last digit, where that digit is the number of decimals (310 for 3103).
    pub(super) fn family(self) -> u16 {
        self.0 / 10
    }

    /// Decimals that the last digit gives, for the families that have them.
    pub(super) fn decimals(self) -> u8 {
        super::gtin::last_digit(u64::from(self.0))
    }
}

impl fmt::Display for Ai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// The characters that an element's data may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Characters {
    /// Digits.
    Digits,
    /// Character set 82 (section 7.11): most of ASCII.
    Any82,
    /// Character set 39: digits, capitals, `#`, `-`, `/`.
    Any39,
    /// Character set 64: base64 for URLs.
    Any64,
}

impl Characters {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Any82 => byte.is_ascii_graphic() && !b"#$@[\\]^`{|}~".contains(&byte),
            Self::Any39 => byte.is_ascii_digit() || byte.is_ascii_uppercase() || b"#-/".contains(&byte),
            Self::Any64 => byte.is_ascii_alphanumeric() || b"-_=".contains(&byte),
        }
    }
}

/// What an element's data means to a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A serial number of a logistic unit.
    Sscc,
    /// An item number.
    Gtin,
    /// YYMMDD.
    Date,
    /// A whole number.
    Number,
    /// A number with decimals by the last digit of its identifier: a weight, length, area, volume.
    Measure,
    /// An amount of money with decimals likewise, in the currency of the store.
    Amount,
    /// Likewise, the first three digits naming the currency (ISO 4217, numeric).
    ForeignAmount,
    /// A percentage with decimals likewise.
    Percent,
    /// Passed on as it is.
    Text,
}

/// One row: the identifiers `first..=last` and the format of their data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) kind: Kind,
    pub(super) characters: Characters,
    pub(super) min: usize,
    pub(super) max: usize,
}

impl Format {
    /// Finds the identifier at the start of `data`; gives its row and what follows it.
    pub(super) fn at_start_of(data: &str) -> Option<(Ai, Self, &str)> {
        (2..=4).find_map(|digits| {
            let (ai, rest) = data.split_at_checked(digits)?;
            let ai = Ai(u16::try_from(super::gtin::decimal(ai)?).ok()?);
            let format = *TABLE.iter().find(|row| (row.first..=row.last).contains(&ai.0))?;
            (ai.digits() == digits).then_some((ai, format, rest))
        })
    }

    /// Whether the data ends without a separator (section 7.8.5, "Element strings with pre-defined length").
    pub(super) fn is_predefined(ai: Ai) -> bool {
        let first_two = match ai.digits() {
            2 => ai.0,
            3 => ai.0 / 10,
            _ => ai.0 / 100,
        };
        matches!(first_two, 0..=4 | 11..=20 | 31..=36 | 41)
    }
}

const fn row(first: u16, last: u16, kind: Kind, characters: Characters, min: usize, max: usize) -> Format {
    Format { first, last, kind, characters, min, max }
}

const fn digits(first: u16, last: u16, min: usize, max: usize) -> Format {
    row(first, last, Kind::Text, Characters::Digits, min, max)
}

const fn text(first: u16, last: u16, max: usize) -> Format {
    row(first, last, Kind::Text, Characters::Any82, 1, max)
}

/// Six digits whose decimals, 0 to 5, are the identifier's last digit.
const fn measure(family: u16) -> Format {
    row(family * 10, family * 10 + 5, Kind::Measure, Characters::Digits, 6, 6)
}

#[rustfmt::skip]
pub(super) const TABLE: &[Format] = &[
    row(0, 0, Kind::Sscc, Characters::Digits, 18, 18),
    row(1, 2, Kind::Gtin, Characters::Digits, 14, 14),
    text(10, 10, 20),
    row(11, 13, Kind::Date, Characters::Digits, 6, 6),
    row(15, 17, Kind::Date, Characters::Digits, 6, 6),
    row(20, 20, Kind::Number, Characters::Digits, 2, 2),
    text(21, 22, 20),
    text(235, 235, 28),
    text(240, 241, 30),
    digits(242, 242, 1, 6),
    text(243, 243, 20),
    text(250, 251, 30),
    row(253, 253, Kind::Text, Characters::Any82, 13, 30),
    text(254, 254, 20),
    digits(255, 255, 13, 25),
    row(30, 30, Kind::Number, Characters::Digits, 1, 8),
    // Trade measures: metric, then inch and pound; logistic measures likewise; areas and volumes.
    measure(310), measure(311), measure(312), measure(313), measure(314), measure(315), measure(316),
    measure(320), measure(321), measure(322), measure(323), measure(324),
    measure(325), measure(326), measure(327), measure(328), measure(329),
    measure(330), measure(331), measure(332), measure(333), measure(334), measure(335), measure(336), measure(337),
    measure(340), measure(341), measure(342), measure(343), measure(344),
    measure(345), measure(346), measure(347), measure(348), measure(349),
    measure(350), measure(351), measure(352), measure(353), measure(354), measure(355), measure(356), measure(357),
    measure(360), measure(361), measure(362), measure(363), measure(364),
    measure(365), measure(366), measure(367), measure(368), measure(369),
    row(37, 37, Kind::Number, Characters::Digits, 1, 8),
    row(3900, 3909, Kind::Amount, Characters::Digits, 1, 15),
    row(3910, 3919, Kind::ForeignAmount, Characters::Digits, 4, 18),
    row(3920, 3929, Kind::Amount, Characters::Digits, 1, 15),
    row(3930, 3939, Kind::ForeignAmount, Characters::Digits, 4, 18),
    row(3940, 3943, Kind::Percent, Characters::Digits, 4, 4),
    row(3950, 3955, Kind::Amount, Characters::Digits, 6, 6),
    text(400, 401, 30),
    digits(402, 402, 17, 17),
    text(403, 403, 30),
    digits(410, 417, 13, 13),
    text(420, 420, 20),
    row(421, 421, Kind::Text, Characters::Any82, 4, 12),
    digits(422, 422, 3, 3),
    digits(423, 423, 3, 15),
    digits(424, 424, 3, 3),
    digits(425, 425, 3, 15),
    digits(426, 426, 3, 3),
    text(427, 427, 3),
    text(4300, 4301, 35),
    text(4302, 4306, 70),
    row(4307, 4307, Kind::Text, Characters::Any82, 2, 2),
    text(4308, 4308, 30),
    digits(4309, 4309, 20, 20),
    text(4310, 4311, 35),
    text(4312, 4316, 70),
    row(4317, 4317, Kind::Text, Characters::Any82, 2, 2),
    text(4318, 4318, 20),
    text(4319, 4319, 30),
    text(4320, 4320, 35),
    digits(4321, 4323, 1, 1),
    digits(4324, 4325, 10, 10),
    digits(4326, 4326, 6, 6),
    row(4330, 4333, Kind::Text, Characters::Any82, 6, 7),
    digits(7001, 7001, 13, 13),
    text(7002, 7002, 30),
    digits(7003, 7003, 10, 10),
    digits(7004, 7004, 1, 4),
    text(7005, 7005, 12),
    digits(7006, 7006, 6, 6),
    digits(7007, 7007, 6, 12),
    text(7008, 7008, 3),
    text(7009, 7009, 10),
    text(7010, 7010, 2),
    digits(7011, 7011, 6, 10),
    text(7020, 7022, 20),
    text(7023, 7023, 30),
    row(7030, 7039, Kind::Text, Characters::Any82, 4, 30),
    row(7040, 7040, Kind::Text, Characters::Any82, 4, 4),
    text(710, 715, 20),
    row(7230, 7239, Kind::Text, Characters::Any82, 3, 30),
    text(7240, 7240, 20),
    digits(7241, 7241, 2, 2),
    text(7242, 7242, 25),
    digits(8001, 8001, 14, 14),
    text(8002, 8002, 20),
    row(8003, 8003, Kind::Text, Characters::Any82, 14, 30),
    text(8004, 8004, 30),
    row(8005, 8005, Kind::Number, Characters::Digits, 6, 6),
    digits(8006, 8006, 18, 18),
    text(8007, 8007, 34),
    digits(8008, 8008, 8, 12),
    text(8009, 8009, 50),
    row(8010, 8010, Kind::Text, Characters::Any39, 1, 30),
    digits(8011, 8011, 1, 12),
    text(8012, 8012, 20),
    text(8013, 8013, 25),
    digits(8017, 8018, 18, 18),
    digits(8019, 8019, 1, 10),
    text(8020, 8020, 25),
    digits(8026, 8026, 18, 18),
    row(8030, 8030, Kind::Text, Characters::Any64, 1, 90),
    text(8110, 8110, 70),
    digits(8111, 8111, 4, 4),
    text(8112, 8112, 70),
    text(8200, 8200, 70),
    text(90, 90, 30),
    text(91, 99, 90),
];
