//! Days and times as a calendar writes them, and the wall clocks on which they are read.

use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset as JiffOffset;
use lifehub_core::clock::{Day, Offset, Timestamp, Zone};
use lifehub_core::record::Moment;

use crate::rules::Rules;

/// A `DATE` or `DATE-TIME` value, apart from its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Day(Date),
    Local(DateTime),
    Utc(DateTime),
}

impl Written {
    /// Reads `20261102`, `20261102T193000` and `20261102T183000Z`, with marks between the figures or without. The form
    /// decides, not the `VALUE` parameter, with which generators are careless.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text: String =
            text.trim().chars().filter(|c| !matches!(c, '-' | ':')).collect::<String>().to_ascii_uppercase();
        let (text, utc) = text.strip_suffix('Z').map_or((text.as_str(), false), |text| (text, true));
        let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
        let day = date(day)?;
        let Some(time) = time else { return Some(Self::Day(day)) };
        let time = day.to_datetime(clock_time(time)?);
        Some(if utc { Self::Utc(time) } else { Self::Local(time) })
    }
}

/// Years 1 to 9998, which every instant of the library can be in.
fn date(text: &str) -> Option<Date> {
    let [year, month, day] = figures(text, [4, 2, 2])?;
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    (1..=9998).contains(&year).then_some(date)
}

fn clock_time(text: &str) -> Option<Time> {
    // Some leave the seconds out.
    let whole = if text.len() == 4 { format!("{text}00") } else { text.to_owned() };
    let [hour, minute, second] = figures(&whole, [2, 2, 2])?;
    let part = |value: i16| i8::try_from(value).ok();
    // A leap second is that before it.
    Time::new(part(hour)?, part(minute)?, part(second.min(59))?, 0).ok()
}

/// Numbers of so many figures each, and nothing else.
fn figures<const N: usize>(text: &str, lengths: [usize; N]) -> Option<[i16; N]> {
    let fits = text.len() == lengths.iter().sum::<usize>() && text.bytes().all(|b| b.is_ascii_digit());
    let mut numbers = [0; N];
    let mut from = 0;
    for (number, length) in numbers.iter_mut().zip(lengths) {
        *number = text.get(from..from + length).filter(|_| fits)?.parse().ok()?;
        from += length;
    }
    Some(numbers)
}

/// A clock on which local times are read.
#[derive(Debug, Clone)]
pub(crate) enum WallClock {
    /// UTC, which says nothing of where the event is.
    Utc,
    /// A zone that is known by its name.
    Zone(Zone),
    /// A zone that the calendar defines itself.
    Rules(Arc<Rules>),
    /// Any place's: the time is told, the zone is not.
    Floating,
}

impl WallClock {
    /// When it shows that time. In a gap the reading by the offset before it, in an overlap the first (RFC 5545,
    /// section 3.3.5).
    pub(crate) fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match self {
            Self::Zone(zone) => zone.instant_of(&local.to_string()).ok(),
            Self::Rules(rules) => seconds(local).map(|s| s - i64::from(rules.offset_of(local))).map(stamp),
            Self::Utc | Self::Floating => seconds(local).map(stamp),
        }
    }

    /// What it shows at that instant.
    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        shown(at.as_seconds() + i64::from(self.offset(at).map_or(0, Offset::as_seconds)))
    }

    /// An instant as a record tells it. That of a floating time has the right wall clock and day, by an offset that
    /// nobody knows.
    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        match (self, self.offset(at)) {
            (Self::Zone(zone), _) => Moment::in_zone(at, zone.clone()),
            (_, Some(offset)) => Moment::with_offset(at, offset),
            (_, None) => Moment::utc(at),
        }
    }

    fn offset(&self, at: Timestamp) -> Option<Offset> {
        match self {
            Self::Utc => None,
            Self::Zone(zone) => Some(zone.offset_at(at)),
            Self::Rules(rules) => Offset::from_seconds(rules.offset_at(at.as_seconds())).ok(),
            Self::Floating => Some(Offset::UTC),
        }
    }
}

/// A day, or a time on a clock.
#[derive(Debug, Clone)]
pub(crate) enum Stamp {
    Day(Date),
    Time { local: DateTime, at: Timestamp, clock: WallClock },
}

/// What makes two stamps the same: the day, or the instant. Never one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Day(Date),
    At(Timestamp),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::At(at) => write!(f, "{at}"),
        }
    }
}

impl Stamp {
    /// A local time on this clock.
    pub(crate) fn on(clock: &WallClock, local: DateTime) -> Option<Self> {
        let at = clock.instant(local)?;
        Some(Self::Time { local, at, clock: clock.clone() })
    }

    /// A stamp of the same kind and clock as this one that shows another time.
    pub(crate) fn moved_to(&self, local: DateTime) -> Option<Self> {
        match self {
            Self::Day(_) => Some(Self::Day(local.date())),
            Self::Time { clock, .. } => Self::on(clock, local),
        }
    }

    /// The same, told on the clock of another where it is in bare UTC.
    pub(crate) fn told_as(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Time { at, clock: WallClock::Utc, .. }, Self::Time { clock, .. }) => {
                Self::Time { local: clock.local(at), at, clock: clock.clone() }
            }
            (own, _) => own,
        }
    }

    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Day(day) => Key::Day(*day),
            Self::Time { at, .. } => Key::At(*at),
        }
    }

    /// What calendar and clock show; midnight for a day.
    pub(crate) fn local(&self) -> DateTime {
        match self {
            Self::Day(day) => day.to_datetime(Time::midnight()),
            Self::Time { local, .. } => *local,
        }
    }

    /// The instant; for a day its first in UTC.
    pub(crate) fn at(&self) -> Timestamp {
        match self {
            Self::Day(day) => seconds(day.to_datetime(Time::midnight())).map_or(Timestamp::EPOCH, stamp),
            Self::Time { at, .. } => *at,
        }
    }
}

/// The same day in the library's own type.
pub(crate) fn day(date: Date) -> Option<Day> {
    Day::new(date.year(), date.month(), date.day()).ok()
}

/// Seconds since 1970 on a clock that shows UTC.
pub(crate) fn seconds(local: DateTime) -> Option<i64> {
    JiffOffset::UTC.to_timestamp(local).ok().map(jiff::Timestamp::as_second)
}

/// The opposite of [`seconds`], held inside the calendar's range.
pub(crate) fn shown(seconds: i64) -> DateTime {
    let at = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    JiffOffset::UTC.to_datetime(at)
}

fn stamp(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}
