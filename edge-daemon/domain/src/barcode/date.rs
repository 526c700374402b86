//! Dates as GS1 labels print them: YYMMDD.

use crate::time::Date;

/// A date of an element string, still with its two-digit year. Day 0 stands for the month's last day (section
/// 3.4, "Application Identifiers for traceability": production, packaging, best before, sell by, expiration).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AiDate {
    year: u8,
    month: u8,
    day: u8,
}

impl AiDate {
    /// Reads a number YYMMDD. `None` when no year makes it a date.
    pub(super) fn from_number(yymmdd: u64) -> Option<Self> {
        let part = |divisor: u64| u8::try_from(yymmdd / divisor % 100).ok();
        let date = Self { year: part(10_000)?, month: part(100)?, day: part(1)? };
        // 2000 + year is leap whenever any century's year may be.
        let longest = days_in_month(2000 + u16::from(date.year), date.month)?;
        (yymmdd < 1_000_000 && date.day <= longest).then_some(date)
    }

    /// The two-digit year, 0–99.
    #[must_use]
    pub fn year(self) -> u8 {
        self.year
    }

    /// 1–12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// 0–31, 0 for the month's last day.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }

    /// The day that is meant, seen from `reference_year` (four digits, the year it is): the century that puts the
    /// year at most 49 years back and at most 50 years ahead (section 7.12, "Determination of century in dates").
    ///
    /// `None` for 29 February of a century's year that is no leap year, and for a day before 1970.
    #[must_use]
    pub fn resolve(self, reference_year: u16) -> Option<Date> {
        let two_digits = reference_year % 100;
        let century = reference_year - two_digits;
        let ahead = i32::from(self.year) - i32::from(two_digits);
        let century = match ahead {
            51..=99 => century.checked_sub(100)?,
            -99..=-50 => century.checked_add(100)?,
            _ => century,
        };
        let year = century.checked_add(u16::from(self.year))?;
        let last = days_in_month(year, self.month)?;
        let day = if self.day == 0 { last } else { self.day };
        Date::from_civil(i32::from(year), self.month, day)
    }
}

fn days_in_month(year: u16, month: u8) -> Option<u8> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => Some(29),
        2 => Some(28),
        _ => None,
    }
}
