//! Recurring events, of which Google shows the single instances: told by rule, some moved, some cancelled.

use std::collections::BTreeMap;
use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::date_time;
use serde_json::{Value, json};

use super::calendars::Profile;
use super::event::{Span, records, row, stone};
use super::place::{Clock, later};

/// How far ahead an endless series is told: fourteen years.
const FAR: Duration = Duration::from_secs(14 * 365 * 86_400);

/// How near the instances of a deleted series must be for Google to tell that they are gone.
const NEAR: Duration = Duration::from_secs(183 * 86_400);

/// When a series takes place.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// Each week at that second of the day, for so long.
    Weekly { clock: Clock, second: i64, length_s: i64 },
    /// On the same day of each year.
    Yearly,
}

/// A recurring event.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) id: String,
    pub(super) summary: String,
    /// `default`, `birthday` or `workingLocation`.
    pub(super) event_type: &'static str,
    pub(super) rule: Rule,
    pub(super) first: Day,
    /// How many there are; `None` without end.
    pub(super) count: Option<usize>,
    pub(super) created: Timestamp,
    pub(super) exceptions: BTreeMap<usize, Exception>,
    /// Of the agenda's series, at the latest change of all instances.
    pub(super) revision: u64,
    pub(super) gone: bool,
}

/// An instance that is not as its series says.
#[derive(Debug, Clone)]
pub(super) struct Exception {
    /// Where it was moved to; `None` if it was cancelled.
    pub(super) moved: Option<Timestamp>,
    pub(super) revision: u64,
}

/// One instance of a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance<'a> {
    series: &'a Series,
    calendar: &'static Profile,
    number: usize,
}

impl Series {
    /// Its instances up to the last, or to that far from `now`.
    pub(super) fn instances<'a>(
        &'a self,
        calendar: &'static Profile,
        now: Timestamp,
    ) -> impl Iterator<Item = Instance<'a>> {
        let all = (0..self.count.unwrap_or(usize::MAX)).map(move |number| self.instance(calendar, number));
        all.take_while(move |instance| self.count.is_some() || instance.original() < now + FAR)
    }

    pub(super) fn instance<'a>(&'a self, calendar: &'static Profile, number: usize) -> Instance<'a> {
        Instance { series: self, calendar, number }
    }

    /// The day of an instance.
    fn day(&self, number: usize) -> Day {
        match self.rule {
            Rule::Weekly { .. } => later(self.first, 7 * i64::try_from(number).unwrap_or(0)),
            Rule::Yearly => {
                let text = self.first.to_string();
                let (year, rest) = text.split_once('-').unwrap_or_default();
                let year = year.parse().unwrap_or(1970) + number;
                format!("{year:04}-{rest}").parse().unwrap_or(self.first)
            }
        }
    }
}

impl Instance<'_> {
    /// When its series would have it begin.
    fn original(&self) -> Timestamp {
        let day = self.series.day(self.number);
        match self.series.rule {
            Rule::Weekly { clock, second, .. } => clock.instant(day, second),
            Rule::Yearly => self.calendar.clock.instant(day, 0),
        }
    }

    fn exception(&self) -> Option<&Exception> {
        self.series.exceptions.get(&self.number)
    }

    /// When it begins.
    pub(super) fn start(&self) -> Timestamp {
        self.exception().and_then(|exception| exception.moved).unwrap_or(self.original())
    }

    pub(super) fn end(&self) -> Timestamp {
        let length_s = match self.series.rule {
            Rule::Weekly { length_s, .. } => length_s,
            Rule::Yearly => 86_400,
        };
        Timestamp::from_seconds(self.start().as_seconds() + length_s)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.series.gone || self.exception().is_some_and(|exception| exception.moved.is_none())
    }

    /// Whether Google tells that it is gone: of a deleted series only the instances of half a year to each side.
    pub(super) fn is_told(&self, now: Timestamp) -> bool {
        let start = self.start();
        !self.series.gone || (start.since(now) < NEAR && now.since(start) < NEAR)
    }

    pub(super) fn revision(&self) -> u64 {
        self.series.revision.max(self.exception().map_or(0, |exception| exception.revision))
    }

    pub(super) fn number(&self) -> i64 {
        i64::try_from(self.number).unwrap_or(i64::MAX)
    }

    /// `SERIES_20260814T140000Z`, by its original start.
    pub(super) fn id(&self) -> String {
        let original = match self.series.rule {
            Rule::Weekly { .. } => format!("{}Z", date_time(self.original().as_seconds())),
            Rule::Yearly => self.series.day(self.number).to_string(),
        };
        format!("{}_{}", self.series.id, original.replace(['-', ':'], ""))
    }

    /// As a list shows it.
    pub(super) fn json(&self) -> Value {
        let span = |start: Timestamp| match self.series.rule {
            Rule::Weekly { clock, length_s, .. } => Span::times(start, length_s, clock),
            Rule::Yearly => {
                let day = self.series.day(self.number);
                Span::Days { first: day, last: day }
            }
        };
        let original = span(self.original()).members(self.calendar).0;
        let mut json = match self.is_gone() {
            true => stone(&self.id()),
            false => {
                let mut json = row(self.calendar, &self.id(), &span(self.start()), self.series.created);
                json["summary"] = json!(self.series.summary);
                json["eventType"] = json!(self.series.event_type);
                json
            }
        };
        json["recurringEventId"] = json!(self.series.id);
        json["originalStartTime"] = original;
        json
    }

    pub(super) fn records(&self) -> Vec<Value> {
        records(self.calendar, &self.json())
    }
}
