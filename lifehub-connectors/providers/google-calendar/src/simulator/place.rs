//! The clocks of the made-up calendars: those of the test kit's places, and one that is never put forward.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Place, date_time};

/// A clock by which somebody lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Of(Place),
    /// `Asia/Tokyo`: nine hours ahead of UTC, all year.
    Tokyo,
}

pub(super) const ROME: Clock = Clock::Of(Place::Rome);
pub(super) const NEW_YORK: Clock = Clock::Of(Place::NewYork);

const TOKYO_S: i64 = 9 * 3_600;

impl Clock {
    /// The clock of that zone.
    pub(super) fn named(zone: &str) -> Option<Self> {
        [ROME, NEW_YORK, Self::Tokyo].into_iter().find(|clock| clock.zone() == zone)
    }

    /// The IANA name of the zone.
    pub(super) fn zone(self) -> &'static str {
        match self {
            Self::Of(place) => place.zone(),
            Self::Tokyo => "Asia/Tokyo",
        }
    }

    /// That instant, with the offset of this clock.
    pub(super) fn rfc3339(self, at: Timestamp) -> String {
        match self {
            Self::Of(place) => place.rfc3339(at),
            Self::Tokyo => format!("{}+09:00", date_time(at.as_seconds() + TOKYO_S)),
        }
    }

    /// The day that it shows.
    pub(super) fn day(self, at: Timestamp) -> Day {
        match self {
            Self::Of(place) => place.day(at),
            Self::Tokyo => {
                let days = (at.as_seconds() + TOKYO_S).div_euclid(86_400);
                Day::from_number(i32::try_from(days).unwrap_or(0))
            }
        }
    }

    /// When it shows that second of the day.
    pub(super) fn instant(self, day: Day, second: i64) -> Timestamp {
        match self {
            Self::Of(place) => place.instant(day, second),
            Self::Tokyo => Timestamp::from_seconds(i64::from(day.as_number()) * 86_400 + second - TOKYO_S),
        }
    }
}

/// So many days later.
pub(super) fn later(day: Day, days: i64) -> Day {
    Day::from_number(day.as_number().saturating_add(i32::try_from(days).unwrap_or(0)))
}
