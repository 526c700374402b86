//! The store's time zone, from the IANA database that is built into the program: a box needs no tzdata package, and
//! two boxes of one version agree.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use pos_domain::time::{Millis, Zone};
use thiserror::Error;

/// A zone of the IANA database, such as `Europe/Berlin`.
#[derive(Debug, Clone)]
pub struct StoreZone(TimeZone);

/// There is no such zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no time zone `{name}`; give an IANA name such as Europe/Berlin, America/New_York or UTC")]
pub struct UnknownZone {
    /// What was asked for.
    pub name: String,
}

impl StoreZone {
    /// Looks a zone up by its IANA name; upper and lower case are the same.
    ///
    /// # Errors
    /// If the database does not have it.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        let found = TimeZoneDatabase::bundled().get(name);
        found.map(Self).map_err(|_| UnknownZone { name: name.chars().take(60).collect() })
    }
}

impl Zone for StoreZone {
    fn offset_seconds(&self, at: Millis) -> i32 {
        // Outside the years -9999 to 9999 there is no local time to speak of.
        Timestamp::from_millisecond(at.0).map_or(0, |instant| self.0.to_offset(instant).seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(zone: &str, instant: &str) -> i32 {
        let at = Millis(instant.parse::<Timestamp>().unwrap().as_millisecond());
        StoreZone::named(zone).unwrap().offset_seconds(at)
    }

    #[test]
    fn berlin_changes_at_one_utc() {
        assert_eq!(offset("Europe/Berlin", "2026-03-29T00:59:59.999Z"), 3_600);
        assert_eq!(offset("Europe/Berlin", "2026-03-29T01:00:00Z"), 7_200);
        assert_eq!(offset("Europe/Berlin", "2026-10-25T00:59:59.999Z"), 7_200);
        assert_eq!(offset("Europe/Berlin", "2026-10-25T01:00:00Z"), 3_600);
    }

    #[test]
    fn new_york_changes_at_two_local() {
        assert_eq!(offset("America/New_York", "2026-03-08T06:59:59Z"), -18_000);
        assert_eq!(offset("America/New_York", "2026-03-08T07:00:00Z"), -14_400);
        assert_eq!(offset("America/New_York", "2026-11-01T05:59:59Z"), -14_400);
        assert_eq!(offset("America/New_York", "2026-11-01T06:00:00Z"), -18_000);
    }

    #[test]
    fn lord_howe_changes_by_half_an_hour() {
        assert_eq!(offset("Australia/Lord_Howe", "2026-04-04T14:59:59Z"), 39_600);
        assert_eq!(offset("Australia/Lord_Howe", "2026-04-04T15:00:00Z"), 37_800);
        assert_eq!(offset("Australia/Lord_Howe", "2026-10-03T15:29:59Z"), 37_800);
        assert_eq!(offset("Australia/Lord_Howe", "2026-10-03T15:30:00Z"), 39_600);
    }

    #[test]
    fn the_business_day_of_the_short_night() {
        let berlin = StoreZone::named("europe/berlin").unwrap();
        let business = |instant: &str| {
            let at = Millis(instant.parse::<Timestamp>().unwrap().as_millisecond());
            at.business_date(&berlin, 240).to_string()
        };
        // 04:00 in summer time is 02:00 UTC on the morning of the change.
        assert_eq!(business("2026-03-29T01:59:59Z"), "2026-03-28");
        assert_eq!(business("2026-03-29T02:00:00Z"), "2026-03-29");
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = StoreZone::named("Europe/Berlni").unwrap_err();
        assert!(error.to_string().contains("`Europe/Berlni`"), "{error}");
        assert_eq!(StoreZone::named("UTC").unwrap().offset_seconds(Millis(i64::MAX)), 0);
    }
}
