//! The events of one calendar: which of them a list shows, what changed since when, and what a client should have.

use std::collections::BTreeMap;
use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Fact, Setup, Shelf, Shelved, SimRequest};
use serde_json::{Value, json};

use super::calendars::{Profile, Style};
use super::event::{Singles, bounds, stone};
use super::place::{NEW_YORK, ROME, later};
use super::query::{Form, Manner, Query, instant};
use super::refusal::Refusal;
use super::series::{Exception, Instance, Rule, Series};
use super::token::{Key, Stand};

const DAY: Duration = Duration::from_secs(86_400);

/// For how long Google knows when an event was changed: about a month, though it does not say.
const REMEMBERED: Duration = Duration::from_secs(28 * 86_400);

/// What a list of events may be asked with.
pub(super) const EVENTS: Form = Form {
    known: &["singleEvents", "orderBy", "timeMin", "timeMax", "updatedMin", "showDeleted"],
    bounds: &["orderBy", "timeMin", "timeMax", "updatedMin"],
    size: (250, 2_500),
};

/// The events of one calendar.
#[derive(Debug)]
pub(super) struct Agenda {
    pub(super) calendar: &'static Profile,
    pub(super) singles: Shelf<Singles>,
    series: Vec<Series>,
    /// Counts the changes of series.
    revision: u64,
    /// How it stood when it was asked for: what came later was changed after that.
    journal: Vec<(Timestamp, Stand)>,
    now: Timestamp,
}

/// One row of a list.
struct Row<'a> {
    entry: Entry<'a>,
    key: Key,
    start: Timestamp,
    end: Timestamp,
    gone: bool,
}

enum Entry<'a> {
    Single(&'a Shelved),
    Instance(Instance<'a>),
}

impl Agenda {
    /// A calendar as the setup wants it; `items` counts instances like other events.
    pub(super) fn stocked(calendar: &'static Profile, setup: &Setup) -> Self {
        let few = setup.items.filter(|count| *count < 20);
        let (part, a_week) = match calendar.style {
            Style::Own => (0, 4.0),
            Style::Journeys => (10, 0.3),
            Style::Holidays => (8, 0.25),
            Style::Busy => (20, 1.0),
        };
        let count = setup.items.map(|all| match (few, part) {
            (Some(_), 0) => all,
            (Some(_), _) => 0,
            // What the others leave, and the four that are left of a series of five.
            (None, 0) => all - all / 8 - all / 10 - all / 20 - 4,
            (None, part) => all / part,
        });
        let mut own = setup.clone();
        own.items = count;
        // Of the same seed, calendars would have events of the same ids.
        own.seed = own.seed.wrapping_add(part as u64);
        let kind = Singles(calendar);
        let singles = match count {
            Some(0) => Shelf::empty(kind, own.seed, own.now),
            _ => Shelf::stocked(kind, &own, a_week),
        };
        let mut agenda =
            Self { calendar, singles, series: Vec::new(), revision: 0, journal: Vec::new(), now: setup.now };
        if calendar.style == Style::Own && few.is_none() {
            agenda.recur(setup);
        }
        // What is there at the beginning was not changed yesterday or today.
        agenda.journal.push((setup.now - DAY, agenda.stand()));
        agenda
    }

    /// Adds what recurs. No series ends near the horizon of a client, so that it matters little when it asks.
    fn recur(&mut self, setup: &Setup) {
        let today = ROME.day(setup.now);
        let choir = Rule::Weekly { clock: ROME, second: 70_200, length_s: 5_400 };
        if setup.items.is_some() {
            let choir = self.add("Choir", "default", choir, later(today, -14), Some(5));
            self.except(&choir, 1, Some(self.now + 2 * DAY));
            self.except(&choir, 3, None);
            return;
        }
        let first = later(today, -i64::from(setup.days) + 3);
        let weeks = usize::from(setup.days + 280) / 7;
        let choir = self.add("Choir", "default", choir, first, Some(weeks));
        for (number, days) in [(20, Some(3)), (21, None), (weeks - 5, Some(1)), (weeks - 3, None)] {
            let to = days.map(|days| {
                let day = later(first, 7 * i64::try_from(number).unwrap_or(0) + days);
                ROME.instant(day, 43_200)
            });
            self.except(&choir, number, to);
        }
        // An hour later in Rome for two or three weeks a year.
        let call = Rule::Weekly { clock: NEW_YORK, second: 36_000, length_s: 1_800 };
        self.add("Call with New York", "default", call, later(first, 1), Some(weeks));
        let office = Rule::Weekly { clock: ROME, second: 32_400, length_s: 28_800 };
        self.add("Office", "workingLocation", office, later(first, 2), Some(weeks));
        self.add("Ada's birthday", "birthday", Rule::Yearly, birthday(today), None);
    }

    pub(super) fn add(
        &mut self,
        summary: &str,
        event_type: &'static str,
        rule: Rule,
        first: Day,
        count: Option<usize>,
    ) -> String {
        self.revision += 1;
        let id = format!("series{:02}example", self.series.len() + 1);
        self.series.push(Series {
            id: id.clone(),
            summary: summary.to_owned(),
            event_type,
            rule,
            first,
            count,
            created: first.start_utc() - 20 * DAY,
            exceptions: BTreeMap::new(),
            revision: self.revision,
            gone: false,
        });
        id
    }

    /// Changes a series: all of its instances count as changed.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Series)) -> bool {
        let Some(series) = self.series.iter_mut().find(|series| series.id == id) else { return false };
        self.revision += 1;
        series.revision = self.revision;
        change(series);
        true
    }

    /// Moves an instance, or cancels it.
    pub(super) fn except(&mut self, id: &str, number: usize, moved: Option<Timestamp>) -> bool {
        let Some(series) = self.series.iter_mut().find(|series| series.id == id) else { return false };
        self.revision += 1;
        series.exceptions.insert(number, Exception { moved, revision: self.revision });
        true
    }

    pub(super) fn stand(&self) -> Stand {
        Stand { singles: self.singles.revision(), series: self.revision }
    }

    /// What a client should have that keeps events up to then.
    pub(super) fn facts(&self, horizon: Timestamp) -> Vec<Fact> {
        let id = self.calendar.id;
        let singles = self.singles.items().zip(self.singles.facts("events", id));
        let near = singles.filter(|(item, _)| bounds(self.calendar, &item.sound).0 < horizon);
        let mut facts: Vec<Fact> = near.map(|(_, fact)| fact).collect();
        for instance in self.instances().filter(|one| !one.is_gone() && one.start() < horizon) {
            facts.push(Fact::new("events", instance.id(), instance.records()).partition(id));
        }
        facts
    }

    fn instances(&self) -> impl Iterator<Item = Instance<'_>> {
        self.series.iter().flat_map(|series| series.instances(self.calendar, self.now))
    }

    /// Answers `GET /calendars/{calendarId}/events`.
    pub(super) fn list(&mut self, request: &SimRequest, manner: Manner) -> Result<Value, Refusal> {
        let stand = self.stand();
        if self.journal.last().is_none_or(|(_, last)| *last != stand) {
            self.journal.push((request.at, stand));
        }
        if request.query("singleEvents") != Some("true") {
            // Series themselves, which clients would have to expand, are not made up here.
            return Err(Refusal::parameter("singleEvents", "Only instances are simulated"));
        }
        let query = Query::read(request, &EVENTS, manner)?;
        let (from, to) = (instant(request, "timeMin")?, instant(request, "timeMax")?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Refusal::empty_range());
        }
        let updated = instant(request, "updatedMin")?;
        if updated.is_some_and(|since| since < request.at - REMEMBERED) {
            return Err(Refusal::too_long_ago());
        }
        let since = query.since.or(updated.map(|since| self.stood(since)));
        let order = request.query("orderBy");
        let by_start = order == Some("startTime");
        let with_gone = since.is_some() || request.query("showDeleted") == Some("true");
        let rows = self.rows(since, request.at).into_iter().filter(|row| {
            let inside = from.is_none_or(|from| row.end > from) && to.is_none_or(|to| row.start < to);
            if row.gone { with_gone } else { inside }
        });
        let rows = rows.map(|mut row| {
            row.key[0] = if by_start { row.start.as_seconds() } else { 0 };
            (row.key, row)
        });
        let members = json!({
            "kind": "calendar#events", "etag": "\"p32example\"", "summary": self.calendar.id,
            "updated": "2026-01-01T00:00:00.000Z", "timeZone": self.calendar.clock.zone(),
            "accessRole": self.calendar.role, "defaultReminders": [],
        });
        Ok(query.cut(rows.collect(), stand, order.is_none()).answer(members, |row| self.shown(row)))
    }

    /// How it stood then, or a little before.
    fn stood(&self, at: Timestamp) -> Stand {
        let before = self.journal.iter().rev().find(|(noted, _)| *noted <= at);
        before.map_or(Stand::default(), |(_, stand)| *stand)
    }

    /// All that is there; or what changed since then, what is gone among it.
    fn rows(&self, since: Option<Stand>, now: Timestamp) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = match since {
            Some(since) => self.singles.since(since.singles).map(|item| self.single(item)).collect(),
            None => self.singles.items().map(|item| self.single(item)).collect(),
        };
        for (place, series) in self.series.iter().enumerate() {
            let shown = |one: &Instance<'_>| match since {
                Some(since) => one.revision() > since.series && (!one.is_gone() || one.is_told(now)),
                None => !one.is_gone(),
            };
            let instances = series.instances(self.calendar, self.now).filter(shown);
            rows.extend(instances.map(|one| {
                let key = [0, 1, i64::try_from(place).unwrap_or(i64::MAX), one.number()];
                let (start, end, gone) = (one.start(), one.end(), one.is_gone());
                Row { entry: Entry::Instance(one), key, start, end, gone }
            }));
        }
        rows
    }

    fn single<'a>(&self, item: &'a Shelved) -> Row<'a> {
        let (start, end) = bounds(self.calendar, &item.sound);
        let key = [0, 0, i64::try_from(item.number).unwrap_or(i64::MAX), 0];
        Row { entry: Entry::Single(item), key, start, end, gone: item.gone }
    }

    fn shown(&self, row: &Row<'_>) -> Value {
        match &row.entry {
            Entry::Instance(instance) => instance.json(),
            Entry::Single(item) if !item.gone => item.shown.clone(),
            // Only the id is sure of what was cancelled; the organizer's own calendar may still show the rest.
            Entry::Single(item) if item.number % 3 == 0 => {
                let mut cancelled = item.sound.clone();
                cancelled["status"] = json!("cancelled");
                cancelled
            }
            Entry::Single(item) => stone(item.sound["id"].as_str().unwrap_or_default()),
        }
    }
}

/// A day of some years ago, a hundred days ahead in this one.
fn birthday(today: Day) -> Day {
    let next = later(today, 100).to_string();
    let (year, rest) = next.split_once('-').unwrap_or_default();
    // The 28th stands for the 29th of February, which few years have.
    let rest = if rest == "02-29" { "02-28" } else { rest };
    let year = year.parse::<i32>().unwrap_or(1970) - 3;
    format!("{year:04}-{rest}").parse().unwrap_or(today)
}
