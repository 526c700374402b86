//! Instants, dates and the business day. The domain never asks for the time: the rim hands it in.
//!
//! *Journal time* never goes back. A wall clock that is behind the last record, or far ahead of it without being
//! synchronised, is *untrusted*: selling goes on on the monotonic clock, the business date is held, and a Z asks
//! for confirmation. A box without a battery clock boots in 1970 and still sells.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::short_text::ShortText;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;
/// How far an unsynchronised wall clock may run ahead of the last record, in milliseconds: 31 days.
pub const MAX_LEAP: i64 = 31 * DAY;

impl Millis {
    /// The instant in `zone`'s wall clock, as milliseconds of a day-count that starts at the same epoch.
    fn local(self, zone: &dyn Zone) -> i64 {
        self.0.saturating_add(i64::from(zone.offset_seconds(self)) * 1000)
    }

    /// The business date: the local date, moved back by the cut-off (04:00 belongs to yesterday's night).
    #[must_use]
    pub fn business_date(self, zone: &dyn Zone, cut_off_minutes: u16) -> Date {
        let shifted = self.local(zone).saturating_sub(i64::from(cut_off_minutes) * 60_000);
        Date(i32::try_from(shifted.div_euclid(DAY)).unwrap_or(0))
    }

    /// The local hour of the day, 0 to 23.
    #[must_use]
    pub fn local_hour(self, zone: &dyn Zone) -> u8 {
        u8::try_from(self.local(zone).rem_euclid(DAY) / 3_600_000).unwrap_or(0)
    }

    /// `2026-11-23 17:05` in the zone's wall clock, for receipts.
    #[must_use]
    pub fn local_text(self, zone: &dyn Zone) -> String {
        let local = self.local(zone);
        let date = Date(i32::try_from(local.div_euclid(DAY)).unwrap_or(0));
        let minutes = local.rem_euclid(DAY) / 60_000;
        alloc::format!("{date} {:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-23T16:05:09.120Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let date = Date(i32::try_from(self.0.div_euclid(DAY)).unwrap_or(0));
        let of_day = self.0.rem_euclid(DAY);
        let (seconds, millis) = (of_day / 1000, of_day % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let part = |number: i64| number.unsigned_abs();
        let text =
            date.text().push(b'T').number(part(hours), 2).push(b':').number(part(minutes), 2).push(b':');
        text.number(part(seconds), 2).push(b'.').number(part(millis), 3).push(b'Z').as_str().into()
    }
}

/// Where a store stands in time: the offset of its wall clock from UTC, which changes with daylight saving.
pub trait Zone {
    /// Seconds east of UTC at an instant.
    fn offset_seconds(&self, at: Millis) -> i32;
}

/// A zone that never changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedZone(
    /// Seconds east of UTC.
    pub i32,
);

impl Zone for FixedZone {
    fn offset_seconds(&self, _: Millis) -> i32 {
        self.0
    }
}

/// A calendar date as days since 1970-01-01 (proleptic Gregorian).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(pub i32);

/// The text is no date: `YYYY-MM-DD`, a day that exists, years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateError;

impl Date {
    /// Year, month 1–12, day 1–31.
    #[must_use]
    pub fn civil(self) -> (i32, u8, u8) {
        // Days are counted in eras of 400 years that start on 1 March, so that the leap day comes last.
        let days = i64::from(self.0) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |value: i64| u8::try_from(value).unwrap_or(0);
        (i32::try_from(year).unwrap_or(0), small(month), small(day))
    }

    /// The date of a year, month and day; `None` if there is no such day.
    #[must_use]
    pub fn from_civil(year: i32, month: u8, day: u8) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
            return None;
        }
        let (month_number, day_number) = (i32::from(month), i32::from(day));
        let year_from_march = year - i32::from(month <= 2);
        let era = year_from_march.div_euclid(400);
        let of_era_year = year_from_march.rem_euclid(400);
        let of_year = (153 * ((month_number + 9) % 12) + 2) / 5 + day_number - 1;
        let of_era = of_era_year * 365 + of_era_year / 4 - of_era_year / 100 + of_year;
        let date = Self(era * 146_097 + of_era - 719_468);
        (date.civil() == (year, month, day)).then_some(date)
    }
}

impl Date {
    fn text(self) -> ShortText {
        let (year, month, day) = self.civil();
        let text = ShortText::default().number(u64::from(year.unsigned_abs()), 4).push(b'-');
        text.number(month.into(), 2).push(b'-').number(day.into(), 2)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let well_formed = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !well_formed {
            return Err(DateError);
        }
        let mut parts = text.split('-');
        let year = parts.next().and_then(|part| part.parse().ok()).ok_or(DateError)?;
        let month = parts.next().and_then(|part| part.parse().ok()).ok_or(DateError)?;
        let day = parts.next().and_then(|part| part.parse().ok()).ok_or(DateError)?;
        match parts.next() {
            None => Self::from_civil(year, month, day).ok_or(DateError),
            Some(_) => Err(DateError),
        }
    }
}

/// The moment at which a command is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Journal time: never before the last record's.
    pub time: Millis,
    /// Whether the wall clock may be believed.
    pub trusted: bool,
}

/// What the rim's clocks say.
#[derive(Debug, Clone, Copy)]
pub struct ClockReading {
    /// The wall clock.
    pub wall: Millis,
    /// Milliseconds on the monotonic clock since the last record was decided (or since start).
    pub elapsed: i64,
    /// Whether the system says that the wall clock is synchronised.
    pub synchronised: bool,
}

/// Judges a reading against the time of the last record: journal time never goes back, and a wall clock that cannot
/// be right is replaced by the last record's time plus what the monotonic clock counted since.
#[must_use]
pub fn judge(last: Option<Millis>, reading: ClockReading) -> Now {
    let Some(last) = last else {
        return Now { time: reading.wall, trusted: reading.synchronised || reading.wall.0 > FIRST_RELEASE };
    };
    let behind = reading.wall < last;
    let leapt = reading.wall.0.saturating_sub(last.0) > MAX_LEAP && !reading.synchronised;
    if behind || leapt {
        // A step back of a second or two is how clocks are disciplined, not a clock that lies.
        let small = behind && last.0.saturating_sub(reading.wall.0) <= 5_000;
        return Now { time: Millis(last.0.saturating_add(reading.elapsed.max(0))), trusted: small };
    }
    Now { time: reading.wall, trusted: true }
}

/// 2026-01-01: no box had this software before; an earlier wall clock at the very first start is untrusted.
const FIRST_RELEASE: i64 = 1_767_225_600_000;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn at(text: &str, hours: i64, minutes: i64) -> Millis {
        Millis(i64::from(text.parse::<Date>().unwrap().0) * DAY + hours * 3_600_000 + minutes * 60_000)
    }

    /// Berlin in 2026: summer time from 29 March 01:00Z to 25 October 01:00Z.
    struct Berlin;
    impl Zone for Berlin {
        fn offset_seconds(&self, instant: Millis) -> i32 {
            let summer = at("2026-03-29", 1, 0)..at("2026-10-25", 1, 0);
            if summer.contains(&instant) { 7200 } else { 3600 }
        }
    }

    #[test]
    fn the_cut_off_keeps_the_night_with_its_day() {
        let business = |instant: Millis| instant.business_date(&Berlin, 240).to_string();
        assert_eq!(business(at("2026-11-23", 2, 59)), "2026-11-22");
        assert_eq!(business(at("2026-11-23", 3, 0)), "2026-11-23");
        // The night in which the clock jumps from 02:00 to 03:00: 04:00 comes an hour early.
        assert_eq!(business(at("2026-03-29", 1, 59)), "2026-03-28");
        assert_eq!(business(at("2026-03-29", 2, 0)), "2026-03-29");
        // And the one with two hours called 02: 04:00 is at 03:00Z again.
        assert_eq!(business(at("2026-10-25", 2, 59)), "2026-10-24");
        assert_eq!(business(at("2026-10-25", 3, 0)), "2026-10-25");
    }

    #[test]
    fn dates_read_and_write() {
        assert_eq!("2024-02-29".parse::<Date>().unwrap().to_string(), "2024-02-29");
        assert_eq!("1970-01-01".parse(), Ok(Date(0)));
        for bad in ["2023-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "20260101ab", "2026-11-2٣"] {
            assert_eq!(bad.parse::<Date>(), Err(DateError), "{bad}");
        }
        assert_eq!(at("2026-11-23", 16, 5).rfc3339(), "2026-11-23T16:05:00.000Z");
        assert_eq!(at("2026-11-23", 16, 5).local_text(&Berlin), "2026-11-23 17:05");
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_not_believed() {
        let last = Some(at("2026-11-23", 10, 0));
        let reading = |wall, synchronised| ClockReading { wall, elapsed: 7, synchronised };
        let dead_battery = judge(last, reading(Millis(0), false));
        assert_eq!(dead_battery, Now { time: Millis(at("2026-11-23", 10, 0).0 + 7), trusted: false });
        assert!(!judge(last, reading(at("2031-01-01", 0, 0), false)).trusted);
        assert!(judge(last, reading(at("2031-01-01", 0, 0), true)).trusted);
        assert!(judge(last, reading(at("2026-11-23", 10, 1), false)).trusted);
        assert!(judge(last, reading(Millis(at("2026-11-23", 10, 0).0 - 900), false)).trusted);
        assert!(!judge(None, reading(Millis(5_000), false)).trusted);
    }

    proptest! {
        #[test]
        fn every_day_reads_back(days in 0_i32..2_900_000) {
            let date = Date(days);
            prop_assert_eq!(date.to_string().parse(), Ok(date));
        }

        #[test]
        fn journal_time_never_goes_back(last in 0_i64..4_000_000_000_000, wall in 0_i64..4_000_000_000_000, elapsed in 0_i64..100_000, synchronised: bool) {
            let now = judge(Some(Millis(last)), ClockReading { wall: Millis(wall), elapsed, synchronised });
            prop_assert!(now.time >= Millis(last));
        }
    }
}
