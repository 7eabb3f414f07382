//! When a fact happened: an instant, a span, or a whole local day, with the offset and zone that the provider knows.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::clock::{Day, Offset, Timestamp, Zone};
use crate::error::{Error, Result};

/// An instant as the provider tells it.
///
/// A constant `Z` is no offset: leave `offset` out, and the user's zone decides the local day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// How far the local clock was ahead of UTC, if the provider knows.
    pub offset: Option<Offset>,
    /// The local zone, if the provider knows its IANA name.
    pub zone: Option<Zone>,
}

impl Moment {
    /// An instant of which nothing local is known.
    pub fn utc(at: Timestamp) -> Self {
        Self { at, offset: None, zone: None }
    }

    /// An instant with its local offset.
    pub fn with_offset(at: Timestamp, offset: Offset) -> Self {
        Self { at, offset: Some(offset), zone: None }
    }

    /// An instant in a zone, which gives the offset.
    pub fn in_zone(at: Timestamp, zone: Zone) -> Self {
        Self { at, offset: Some(zone.offset_at(at)), zone: Some(zone) }
    }

    /// The local day; the user's zone decides where the provider told no offset.
    pub fn day(&self, user_zone: &Zone) -> Day {
        match self.offset {
            Some(offset) => self.at.day_at(offset),
            None => user_zone.day_at(self.at),
        }
    }

    /// RFC 3339 with the own offset, in UTC if there is none.
    pub fn to_rfc3339(&self) -> String {
        match self.offset {
            Some(offset) => self.at.with_offset(offset),
            None => self.at.to_string(),
        }
    }
}

impl FromStr for Moment {
    type Err = Error;

    /// Reads RFC 3339. The offset that it is written with is the local one; `Z` tells none.
    fn from_str(text: &str) -> Result<Self> {
        let at: Timestamp = text.parse()?;
        let offset = || {
            let (hours, minutes) = text.get(text.len().checked_sub(6)?..)?.split_once(':')?;
            let minutes = minutes.parse::<i32>().ok()? + hours.get(1..)?.parse::<i32>().ok()? * 60;
            let sign = match hours.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            Offset::from_seconds(sign * minutes * 60).ok()
        };
        Ok(Self { at, offset: offset(), zone: None })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Moment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instant of RFC 3339")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                text.parse().map_err(|_| E::custom("it is no instant of RFC 3339"))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// When a fact happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// At one instant.
    At(Moment),
    /// From an instant to another.
    Span {
        /// Its beginning.
        start: Moment,
        /// Its end.
        end: Moment,
    },
    /// On a whole day of the local calendar.
    Day(Day),
}

impl When {
    /// The beginning, unless it is a whole day.
    pub fn start(&self) -> Option<&Moment> {
        match self {
            Self::At(start) | Self::Span { start, .. } => Some(start),
            Self::Day(_) => None,
        }
    }

    /// The end of a span.
    pub fn end(&self) -> Option<&Moment> {
        match self {
            Self::Span { end, .. } => Some(end),
            _ => None,
        }
    }

    /// How long a span is, in seconds.
    pub fn duration_s(&self) -> Option<f64> {
        self.start().zip(self.end()).map(|(start, end)| end.at.since(start.at).as_secs_f64())
    }

    /// The zone's name, if the provider told one.
    pub fn zone(&self) -> Option<&Zone> {
        self.start().and_then(|m| m.zone.as_ref())
    }

    /// The one local day on which it counts: that of its start, or of its end where `at_end` says so (sleep).
    pub fn day(&self, user_zone: &Zone, at_end: bool) -> Day {
        match self {
            Self::Day(day) => *day,
            Self::At(at) => at.day(user_zone),
            Self::Span { start, end } => if at_end { end } else { start }.day(user_zone),
        }
    }

    /// The instant by which records sort: the start, or the day's first instant in UTC.
    pub fn sort_key(&self) -> Timestamp {
        match self {
            Self::Day(day) => day.start_utc(),
            Self::At(start) | Self::Span { start, .. } => start.at,
        }
    }

    /// Feeds all that is published of it to a hash.
    pub(crate) fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut moment = |tag: u8, m: &Moment| {
            sink(&[tag]);
            sink(&m.at.as_micros().to_be_bytes());
            sink(&m.offset.map_or(i32::MAX, Offset::as_seconds).to_be_bytes());
            sink(m.zone.as_ref().map_or("", Zone::name).as_bytes());
            sink(&[0]);
        };
        match self {
            Self::At(at) => moment(1, at),
            Self::Span { start, end } => {
                moment(2, start);
                moment(3, end);
            }
            Self::Day(day) => {
                sink(&[4]);
                sink(&day.as_number().to_be_bytes());
            }
        }
    }
}

#[test]
fn an_offset_is_what_is_written_unless_it_is_a_z() {
    let offset = |text: &str| text.parse::<Moment>().unwrap().offset.map(Offset::as_seconds);
    assert_eq!(offset("2026-03-01T08:00:00Z"), None);
    assert_eq!(offset("2026-03-01T08:00:00.123456z"), None);
    assert_eq!(offset("2026-03-01T08:00:00+05:30"), Some(19_800));
    assert_eq!(offset("2026-03-01T08:00:00.5-03:30"), Some(-12_600));
    assert_eq!(offset("2026-03-01T08:00:00+00:00"), Some(0));
    assert!("2026-03-01T08:00:00".parse::<Moment>().is_err());
    let later: Moment = "2026-03-01T08:00:00+05:30".parse().unwrap();
    assert_eq!(later.at.to_string(), "2026-03-01T02:30:00Z");
}
