//! The scalars of the contract: how money, quantities, rates, times and dates are written and read in JSON and in
//! queries. Quantities and rates are decimal text, so that no client's float can touch them.

use std::fmt::{self, Display};
use std::str::FromStr;

use pos_domain::quantity::Quantity;
use pos_domain::tax::Rate;
use pos_domain::time::{Date, Millis};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a value as the text that it displays.
pub(super) fn text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes a value as text, or null.
pub(super) fn text_or_null<T: Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// Writes an instant as RFC 3339 in UTC.
pub(super) fn time<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.rfc3339())
}

/// Writes an instant as RFC 3339 in UTC, or null.
pub(super) fn time_or_null<S: Serializer>(at: &Option<Millis>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// A quantity from a request: decimal text with at most three decimals, or an integer. One beyond every bound is
/// still read (as just beyond), so that the domain can say what the bounds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuantityIn(pub(super) Quantity);

const BEYOND: Quantity = Quantity(Quantity::MAX.0 + 1);

impl FromStr for QuantityIn {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(quantity) = text.parse() {
            return Ok(Self(quantity));
        }
        let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 3 {
            return Err(());
        }
        Ok(Self(if negative { -BEYOND } else { BEYOND }))
    }
}

impl<'de> Deserialize<'de> for QuantityIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = QuantityIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a quantity: an integer, or decimal text with at most three decimals such as \"0.475\"",
                )
            }

            fn visit_i64<E: de::Error>(self, units: i64) -> Result<QuantityIn, E> {
                let beyond = if units < 0 { -BEYOND } else { BEYOND };
                Ok(QuantityIn(Quantity::whole(units).unwrap_or(beyond)))
            }

            fn visit_u64<E: de::Error>(self, units: u64) -> Result<QuantityIn, E> {
                self.visit_i64(i64::try_from(units).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<QuantityIn, E> {
                text.parse().map_err(|()| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A percentage from a request: decimal text with at most three decimals, or an integer, below 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateIn(pub(super) Rate);

impl<'de> Deserialize<'de> for RateIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = RateIn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a percentage from 0 to 999.999: decimal text such as \"21.00\", or an integer")
            }

            fn visit_u64<E: de::Error>(self, percent: u64) -> Result<RateIn, E> {
                self.visit_str(&percent.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RateIn, E> {
                Rate::parse(text)
                    .map(RateIn)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// An instant from a request: RFC 3339 with `Z` or an offset, years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeIn(pub(super) Millis);

impl<'de> Deserialize<'de> for TimeIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "an RFC 3339 time such as \"2026-11-23T16:05:00Z\"", |text| {
            let millis = text.parse::<jiff::Timestamp>().ok()?.as_millisecond();
            (millis >= 0).then_some(Self(Millis(millis)))
        })
    }
}

/// A date from a request: `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateIn(pub(super) Date);

impl<'de> Deserialize<'de> for DateIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a date YYYY-MM-DD", |text| text.parse().ok().map(Self))
    }
}

/// A value that is written as text and read by its own `FromStr`, from a query.
pub(super) fn parsed<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T::Err: Display,
{
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map(Some).map_err(de::Error::custom)
}

fn read_text<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    struct Reader<F>(&'static str, F);
    impl<T, F: Fn(&str) -> Option<T>> Visitor<'_> for Reader<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_str(Reader(expected, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(json: &str) -> Option<i64> {
        serde_json::from_str::<QuantityIn>(json).ok().map(|q| q.0.0)
    }

    #[test]
    fn quantities_are_text_or_integers_and_never_floats() {
        assert_eq!(quantity("2"), Some(2000));
        assert_eq!(quantity("-3"), Some(-3000));
        assert_eq!(quantity(r#""0.475""#), Some(475));
        assert_eq!(quantity(r#""-3""#), Some(-3000));
        for bad in ["1.5", "null", "true", r#""1.2345""#, r#""1e3""#, r#""""#, r#""1.""#, r#""--1""#, "[1]"] {
            assert_eq!(quantity(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_quantity_beyond_all_bounds_is_left_to_the_domain() {
        for huge in
            ["100000", "9223372036854775807", "18446744073709551615", r#""100000""#, r#""999999999999.5""#]
        {
            assert_eq!(quantity(huge), Some(BEYOND.0), "{huge}");
        }
        assert_eq!(quantity(r#""-100000""#), Some(-BEYOND.0));
        assert_eq!(quantity("-9223372036854775808"), Some(-BEYOND.0));
    }

    #[test]
    fn rates_times_and_dates() {
        let rate = |json| serde_json::from_str::<RateIn>(json).ok().map(|r| r.0);
        assert_eq!(rate(r#""8.875""#), Some(Rate(8875)));
        assert_eq!(rate("21"), Some(Rate(21_000)));
        assert_eq!((rate("-1"), rate("1000"), rate("1.5"), rate(r#""x""#)), (None, None, None, None));
        let time = |json| serde_json::from_str::<TimeIn>(json).ok().map(|t| t.0.rfc3339());
        assert_eq!(time(r#""2026-11-23T17:05:00+01:00""#).as_deref(), Some("2026-11-23T16:05:00.000Z"));
        assert_eq!(
            (time(r#""2026-11-23""#), time(r#""1969-12-31T23:59:59Z""#), time("5")),
            (None, None, None)
        );
        assert!(serde_json::from_str::<DateIn>(r#""2026-02-30""#).is_err());
    }
}
