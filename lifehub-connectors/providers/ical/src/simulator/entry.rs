//! An entry of the made-up calendar: what it is, and the records that a client should make of it.

use std::collections::BTreeMap;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::Place;
use serde_json::{Map, Value, json};

/// One event with its exceptions.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) location: Option<&'static str>,
    pub(super) sequence: u32,
    pub(super) kind: Kind,
    /// Its content is none that anyone can read.
    pub(super) poisoned: bool,
}

/// When an entry is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Once, at a time of day.
    Once { time: LocalTime, day: Day, form: Form },
    /// Once, on whole days.
    Days { first: Day, days: i32 },
    /// Every week at a time of day, so many times or without end.
    Weekly { time: LocalTime, first: Day, times: Option<i32>, exceptions: BTreeMap<i32, Exception> },
    /// Every year on a whole day.
    Yearly { month_and_day: &'static str, since: i16 },
}

/// A time of day at a place, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalTime {
    pub(super) zone: ZoneName,
    pub(super) second: i64,
    pub(super) minutes: i64,
}

/// A zone under the name by which the calendar calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZoneName {
    pub(super) place: Place,
    /// The `TZID`.
    pub(super) written: &'static str,
    /// The name of the same zone among IANA's.
    pub(super) iana: &'static str,
}

/// How a single event's time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// With its zone.
    Zoned,
    /// In UTC.
    Utc,
    /// With its zone, as a point in time.
    NoEnd,
}

/// What becomes of one occurrence, counted from 0.
#[derive(Debug, Clone)]
pub(super) enum Exception {
    /// Taken out with `EXDATE`.
    Excepted,
    /// Cancelled by a component of its own.
    Cancelled,
    /// So many days and seconds later, under another title.
    Moved { days: i32, seconds: i64, title: &'static str },
}

impl LocalTime {
    pub(super) fn start(&self, day: Day) -> Timestamp {
        self.zone.place.instant(day, self.second)
    }

    pub(super) fn end(&self, day: Day) -> Timestamp {
        Timestamp::from_seconds(self.start(day).as_seconds() + self.minutes * 60)
    }
}

/// The day so many days later.
pub(super) fn later(day: Day, days: i32) -> Day {
    Day::from_number(day.as_number() + days)
}

impl Entry {
    /// When it begins for the first time: entries that happen once are sorted by it.
    pub(super) fn start(&self) -> Timestamp {
        match &self.kind {
            Kind::Once { time, day, .. } => time.start(*day),
            Kind::Days { first, .. } => first.start_utc(),
            Kind::Weekly { time, first, .. } => time.start(*first),
            Kind::Yearly { month_and_day, since } => yearly(*since, month_and_day).start_utc(),
        }
    }

    pub(super) fn is_series(&self) -> bool {
        matches!(self.kind, Kind::Weekly { .. } | Kind::Yearly { .. })
    }

    /// Gives it another title, and says so.
    pub(super) fn edit(&mut self) {
        self.sequence += 1;
        self.title =
            format!("{} (edited {})", self.title.split(" (edited").next().unwrap_or(""), self.sequence);
    }

    /// The days on which a weekly entry should be, by number, up to the end of a year.
    pub(super) fn weeks(first: Day, times: Option<i32>, through: i16) -> Vec<(i32, Day)> {
        let last = Day::new(through, 12, 31).map_or(0, Day::as_number);
        let number = (last - first.as_number()).div_euclid(7) + 1;
        (0..times.unwrap_or(i32::MAX).min(number)).map(|n| (n, later(first, 7 * n))).collect()
    }

    /// The records of it, with series going on to the end of a year.
    pub(super) fn records(&self, through: i16) -> Vec<Value> {
        match &self.kind {
            Kind::Once { time, day, form } => vec![self.timed(&self.title, time, *day, *form, false)],
            Kind::Days { first, days } => vec![self.whole(*first, *days, false)],
            Kind::Weekly { time, first, times, exceptions } => {
                let weeks = Self::weeks(*first, *times, through);
                weeks
                    .into_iter()
                    .filter_map(|(n, day)| self.occurrence(time, day, exceptions.get(&n)))
                    .collect()
            }
            Kind::Yearly { month_and_day, since } => {
                (*since..=through).map(|year| self.whole(yearly(year, month_and_day), 1, true)).collect()
            }
        }
    }

    fn occurrence(&self, time: &LocalTime, day: Day, exception: Option<&Exception>) -> Option<Value> {
        match exception {
            Some(Exception::Excepted | Exception::Cancelled) => None,
            Some(Exception::Moved { days, seconds, title }) => {
                let time = LocalTime { second: time.second + seconds, ..*time };
                Some(self.timed(title, &time, later(day, *days), Form::Zoned, true))
            }
            None => Some(self.timed(&self.title, time, day, Form::Zoned, true)),
        }
    }

    fn timed(&self, title: &str, time: &LocalTime, day: Day, form: Form, recurs: bool) -> Value {
        let (start, end) = (time.start(day), time.end(day));
        let end = if form == Form::NoEnd { start } else { end };
        let body = self.body(title, recurs);
        if form == Form::Utc {
            // On which day it counts is the user's affair.
            return json!({ "dataset": "event", "start": start.to_string(), "end": end.to_string(), "body": body });
        }
        let place = time.zone.place;
        let told = |at: Timestamp| format!("{}{}", place.wall_clock(at), offset(place.offset_s(at)));
        json!({
            "dataset": "event", "start": told(start), "end": told(end), "zone": time.zone.iana,
            "day": day.to_string(), "body": body,
        })
    }

    fn whole(&self, first: Day, days: i32, recurs: bool) -> Value {
        let mut body = self.body(&self.title, recurs);
        if days > 1 {
            body.insert("last_day".into(), json!(later(first, days - 1).to_string()));
        }
        json!({ "dataset": "event", "start": null, "end": null, "day": first.to_string(), "body": body })
    }

    fn body(&self, title: &str, recurs: bool) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("title".into(), json!(title));
        body.insert("description".into(), json!(DESCRIPTION));
        body.insert("status".into(), json!("confirmed"));
        if let Some(location) = self.location {
            body.insert("location".into(), json!(location));
        }
        if recurs {
            body.insert("recurring_id".into(), json!(self.uid));
        }
        body
    }
}

/// Long enough to be folded, and with characters that a fold may split.
pub(super) const DESCRIPTION: &str = "Grüße, Notizen; und dein Pfad C:\\temp\nZweite Zeile: größer, schöner, älter – \
    and some more words so that the line is folded more than once";

/// That day of a year.
pub(super) fn yearly(year: i16, month_and_day: &str) -> Day {
    format!("{year:04}-{month_and_day}").parse().unwrap_or(Day::from_number(0))
}

fn offset(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}
