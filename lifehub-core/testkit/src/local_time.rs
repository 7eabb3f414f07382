//! Wall clocks of simulated places, without a time zone database.
//!
//! Simulated providers speak of local times. They work them out from the rule itself rather than from the library
//! that connectors use, so that one checks the other, and so that they run where no zone database is installed.

use lifehub_core::clock::{Day, Timestamp};

/// A place with its zone and its rule for summer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// `Europe/Rome`: an hour ahead of UTC, two from the last Sunday of March to the last of October, 01:00 UTC.
    Rome,
    /// `America/New_York`: five hours behind UTC, four from the second Sunday of March to the first of November, at
    /// two o'clock local time.
    NewYork,
}

impl Place {
    /// The IANA name of the zone.
    pub fn zone(self) -> &'static str {
        match self {
            Self::Rome => "Europe/Rome",
            Self::NewYork => "America/New_York",
        }
    }

    /// How far clocks are ahead of UTC outside of summer time, in seconds.
    pub fn standard_offset_s(self) -> i64 {
        match self {
            Self::Rome => 3_600,
            Self::NewYork => -18_000,
        }
    }

    /// How far clocks are ahead of UTC at that instant, in seconds.
    pub fn offset_s(self, at: Timestamp) -> i64 {
        let now = at.as_seconds();
        let year = year_of(now.div_euclid(86_400));
        let summer = match self {
            Self::Rome => sunday_by(year, 3, 31) * 86_400 + 3_600..sunday_by(year, 10, 31) * 86_400 + 3_600,
            Self::NewYork => {
                sunday_by(year, 3, 14) * 86_400 + 25_200..sunday_by(year, 11, 7) * 86_400 + 21_600
            }
        };
        self.standard_offset_s() + if summer.contains(&now) { 3_600 } else { 0 }
    }

    /// What clocks show at that instant, `2026-08-09T08:12:40`.
    pub fn wall_clock(self, at: Timestamp) -> String {
        date_time(at.as_seconds() + self.offset_s(at))
    }

    /// That instant as RFC 3339 with the offset of this place, `2026-08-09T08:12:40+02:00`, to the second.
    pub fn rfc3339(self, at: Timestamp) -> String {
        let offset = self.offset_s(at);
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
        format!("{}{sign}{:02}:{:02}", self.wall_clock(at), minutes / 60, minutes % 60)
    }

    /// The day that the local calendar shows at that instant.
    pub fn day(self, at: Timestamp) -> Day {
        let days = (at.as_seconds() + self.offset_s(at)).div_euclid(86_400);
        Day::from_number(i32::try_from(days).unwrap_or(0))
    }

    /// The instant at which the local clock shows that second of the day, `0..86_400`. Where the clock is put forward
    /// or back it is up to an hour off, which a made-up world does not mind.
    pub fn instant(self, day: Day, second: i64) -> Timestamp {
        let local = i64::from(day.as_number()) * 86_400 + second;
        let standard = Timestamp::from_seconds(local - self.standard_offset_s());
        Timestamp::from_seconds(local - self.offset_s(standard))
    }
}

/// Seconds since 1970 on some clock as `2026-08-09T08:12:40`, without a zone.
pub fn date_time(seconds: i64) -> String {
    let day = Day::from_number(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(0));
    let second = seconds.rem_euclid(86_400);
    format!("{day}T{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// The last Sunday on or before that date, in days since 1970.
fn sunday_by(year: i16, month: i8, day: i8) -> i64 {
    let number = Day::new(year, month, day).map_or(0, |d| i64::from(d.as_number()));
    // 1970-01-04 was a Sunday.
    number - (number - 3).rem_euclid(7)
}

/// The year of a day since 1970.
fn year_of(day: i64) -> i16 {
    // The mean year is short of the truth by at most a day or two at the turn of the year, when no rule changes.
    i16::try_from(1970 + (day * 400).div_euclid(146_097)).unwrap_or(1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(place: Place, instant: &str, wall: &str) {
        let at: Timestamp = instant.parse().unwrap();
        assert_eq!(place.wall_clock(at), wall, "{place:?} at {instant}");
    }

    #[test]
    fn clocks_change_on_the_second() {
        check(Place::Rome, "2026-03-29T00:59:59Z", "2026-03-29T01:59:59");
        check(Place::Rome, "2026-03-29T01:00:00Z", "2026-03-29T03:00:00");
        check(Place::Rome, "2025-10-26T00:59:59Z", "2025-10-26T02:59:59");
        check(Place::Rome, "2025-10-26T01:00:00Z", "2025-10-26T02:00:00");
        check(Place::NewYork, "2026-03-08T06:59:59Z", "2026-03-08T01:59:59");
        check(Place::NewYork, "2026-03-08T07:00:00Z", "2026-03-08T03:00:00");
        check(Place::NewYork, "2026-11-01T05:59:59Z", "2026-11-01T01:59:59");
        check(Place::NewYork, "2026-11-01T06:00:00Z", "2026-11-01T01:00:00");
        check(Place::Rome, "2024-12-31T23:30:00Z", "2025-01-01T00:30:00");
    }

    #[test]
    fn an_instant_is_told_with_offset_and_day() {
        let at: Timestamp = "2026-08-09T23:12:40Z".parse().unwrap();
        assert_eq!(Place::Rome.rfc3339(at), "2026-08-10T01:12:40+02:00");
        assert_eq!(Place::NewYork.rfc3339(at), "2026-08-09T19:12:40-04:00");
        assert_eq!(Place::Rome.day(at).to_string(), "2026-08-10");
        assert_eq!(Place::NewYork.day(at).to_string(), "2026-08-09");
    }

    #[test]
    fn a_local_second_finds_its_instant() {
        let summer = Place::Rome.instant("2026-08-09".parse().unwrap(), 8 * 3_600);
        assert_eq!(summer.to_string(), "2026-08-09T06:00:00Z");
        let winter = Place::NewYork.instant("2026-01-09".parse().unwrap(), 8 * 3_600);
        assert_eq!(winter.to_string(), "2026-01-09T13:00:00Z");
    }
}
