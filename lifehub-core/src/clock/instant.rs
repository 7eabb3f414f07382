//! Instants, days, offsets and zones: thin newtypes, so that no time library stands in a public signature.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// An instant, in microseconds since 1970-01-01T00:00:00Z. As JSON: RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Keeps every instant inside years 1 to 9998, so that no offset or conversion leaves the calendar.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_370_764_799_999_999;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch; values outside of years 1 to 9998 are moved to the border.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(*RANGE.start(), *RANGE.end()))
    }

    /// From whole seconds since the epoch, as most providers count.
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The text form, RFC 3339 with this offset instead of UTC.
    pub fn with_offset(self, offset: Offset) -> String {
        let moment = self.jiff();
        let offset = offset.jiff();
        moment.display_with_offset(offset).to_string()
    }

    /// The calendar day on a clock that shows UTC.
    pub fn utc_day(self) -> Day {
        self.day_at(Offset::UTC)
    }

    /// The calendar day on a clock that is `offset` ahead of UTC.
    pub fn day_at(self, offset: Offset) -> Day {
        Day(offset.jiff().to_datetime(self.jiff()).date())
    }

    fn jiff(self) -> jiff::Timestamp {
        // RANGE lies inside what jiff can hold, so this never falls back.
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self::from_micros(i64::try_from(after.as_micros()).unwrap_or(i64::MAX)),
            Err(before) => {
                Self::from_micros(-i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX))
            }
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.jiff(), f)
    }
}

impl FromStr for Timestamp {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        text.parse::<jiff::Timestamp>().map(|t| Self::from_micros(t.as_microsecond())).map_err(|_| {
            Error::new(ErrorKind::Invalid, format!("{text:?} is not an instant"))
                .hint("write it as RFC 3339, for example 2026-03-01T08:00:00Z")
        })
    }
}

/// How far a local clock is ahead of UTC, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Offset(i32);

impl Offset {
    /// Zero: the local clock shows UTC.
    pub const UTC: Self = Self(0);

    /// From seconds ahead of UTC.
    ///
    /// # Errors
    /// If it is 26 hours or more, which no place on earth has.
    pub fn from_seconds(seconds: i32) -> Result<Self> {
        if seconds.abs() >= 93_600 {
            return Err(Error::new(ErrorKind::Invalid, format!("{seconds} s is no UTC offset")));
        }
        Ok(Self(seconds))
    }

    /// Seconds ahead of UTC.
    pub fn as_seconds(self) -> i32 {
        self.0
    }

    fn jiff(self) -> jiff::tz::Offset {
        jiff::tz::Offset::from_seconds(self.0).unwrap_or(jiff::tz::Offset::UTC)
    }
}

/// A calendar day, `2026-03-01`, without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// From year, month and day of the month.
    ///
    /// # Errors
    /// If there is no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Result<Self> {
        jiff::civil::Date::new(year, month, day)
            .map(Self)
            .map_err(|_| Error::new(ErrorKind::Invalid, format!("{year}-{month}-{day} is no day")))
    }

    /// Days since 1970-01-01, negative before.
    pub fn as_number(self) -> i32 {
        let epoch = jiff::civil::date(1970, 1, 1);
        // Days are the largest unit asked for, and the calendar spans fewer than i32 holds.
        epoch.until(self.0).map_or(0, |span| span.get_days())
    }

    /// The opposite of [`Day::as_number`]; out of the calendar's range gives its border.
    pub fn from_number(days: i32) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        Self(epoch.saturating_add(jiff::SignedDuration::from_hours(i64::from(days) * 24)))
    }

    /// So many days later; earlier, if they are negative.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self::from_number(self.as_number().saturating_add(days))
    }

    /// The first day of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self(self.0.first_of_month())
    }

    /// The first instant of this day on a clock that shows UTC.
    pub fn start_utc(self) -> Timestamp {
        Timestamp::from_seconds(i64::from(self.as_number()) * 86_400)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Day {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        text.parse().map(Self).map_err(|_| {
            Error::new(ErrorKind::Invalid, format!("{text:?} is not a day")).hint("write it as 2026-03-01")
        })
    }
}

/// A time zone by its IANA name, `Europe/Rome`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone that this machine is set to, or UTC if it does not say.
    pub fn system() -> Self {
        let zone = TimeZone::system();
        if zone.iana_name().is_some() { Self(zone) } else { Self::utc() }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// How far clocks in this zone are ahead of UTC at that instant.
    pub fn offset_at(&self, at: Timestamp) -> Offset {
        Offset(self.0.to_offset(at.jiff()).seconds())
    }

    /// The calendar day in this zone at that instant.
    pub fn day_at(&self, at: Timestamp) -> Day {
        at.day_at(self.offset_at(at))
    }

    /// The instant at which a clock in this zone shows that wall-clock time, `2026-03-01T08:00:00`. In a gap the
    /// later, in an overlap the earlier of both readings.
    ///
    /// # Errors
    /// If the text is no wall-clock time.
    pub fn instant_of(&self, local: &str) -> Result<Timestamp> {
        let time: jiff::civil::DateTime = local
            .parse()
            .map_err(|_| Error::new(ErrorKind::Invalid, format!("{local:?} is not a local time")))?;
        self.0
            .to_ambiguous_timestamp(time)
            .compatible()
            .map(|t| Timestamp::from_micros(t.as_microsecond()))
            .map_err(|_| Error::new(ErrorKind::Invalid, format!("{local:?} is out of range")))
    }
}

impl FromStr for Zone {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        TimeZone::get(name).map(Self).map_err(|_| {
            Error::new(ErrorKind::Invalid, format!("{name:?} is not a known time zone"))
                .hint("use an IANA name, for example Europe/Rome or America/New_York")
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! text_form {
    ($name:ident, $format:literal, $pattern:literal) => {
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format, "description": $pattern })
            }
            fn inline_schema() -> bool {
                true
            }
        }
    };
}
text_form!(Timestamp, "date-time", "RFC 3339 instant");
text_form!(Day, "date", "calendar day, YYYY-MM-DD");
text_form!(Zone, "time-zone", "IANA time zone name");

macro_rules! serde_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("the text form of a ", stringify!($name)))
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    )*};
}
serde_as_text!(Timestamp, Zone);
