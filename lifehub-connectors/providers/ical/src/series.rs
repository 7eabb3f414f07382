//! All occurrences of one event: its own start, what its rules and dates add, less what is excepted, with what
//! exceptions put in place.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use lifehub_core::clock::Timestamp;
use lifehub_core::normalize::Reject;

use crate::body::Body;
use crate::length::Length;
use crate::part::Part;
use crate::rule::{MOST, Rule};
use crate::time::{Key, Stamp, WallClock, Written, seconds, shown};
use crate::zone::Clocks;

/// What it costs to find out that a series has no occurrences, or too many.
pub(crate) const BARREN: usize = 10_000;

/// An event with its exceptions, read.
#[derive(Debug)]
pub(crate) struct Series {
    parts: Vec<Part>,
    through: i16,
    floating: WallClock,
}

/// One occurrence.
#[derive(Debug)]
pub(crate) struct Occurrence<'a> {
    /// The start that the series gave it; none for an event that happens once.
    pub(crate) key: Option<Key>,
    pub(crate) start: Stamp,
    pub(crate) length: Length,
    /// What tells of it.
    pub(crate) part: &'a Part,
}

impl Occurrence<'_> {
    /// When it ends; for days, the first instant of the last in UTC.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.part.end(&self.start, self.length)
    }
}

impl Series {
    /// Reads a raw item.
    ///
    /// # Errors
    /// If one of its components cannot be read.
    pub(crate) fn read(body: &Body) -> Result<Self, Reject> {
        if body.cut {
            return Err(Reject::new("the component has no end"));
        }
        let clocks = Clocks::new(&body.zones, body.zone.as_deref());
        let parts =
            body.parts.iter().map(|lines| Part::read(lines, &clocks)).collect::<Result<Vec<_>, _>>()?;
        let through = body.through.unwrap_or(9998);
        Ok(Self { parts, through, floating: clocks.floating().clone() })
    }

    /// Its occurrences, in the order of their original starts.
    ///
    /// # Errors
    /// If a rule is none or has no end that can be reached.
    pub(crate) fn occurrences(&self) -> Result<Vec<Occurrence<'_>>, Reject> {
        let Some(master) = self.parts.first() else { return Err(Reject::new("there is no component")) };
        let alone = master.rules.is_empty() && master.dates.is_empty() && self.parts.len() == 1;
        if alone || master.original.is_some() {
            let (start, length) = (master.start.clone(), master.length);
            return Ok(vec![Occurrence { key: None, start, length, part: master }]);
        }
        let mut found = self.regular(master)?;
        for stamp in &master.except {
            found.remove(&stamp.key());
        }
        let (later, single): (Vec<_>, Vec<_>) = self.parts[1..]
            .iter()
            .filter_map(|part| Some((part.original.as_ref()?, part)))
            .filter(|(original, _)| original.start.local().year() <= self.through)
            .partition(|(original, _)| original.and_later);
        for (original, part) in later {
            apply_later(&mut found, &original.start, part)?;
        }
        for (original, part) in single {
            let key = original.start.key();
            if part.cancelled {
                found.remove(&key);
            } else {
                let (start, length) = (part.start.clone(), part.length);
                found.insert(key, Occurrence { key: Some(key), start, length, part });
            }
        }
        if found.len() > MOST {
            return Err(Reject::new(format!("it has more than {MOST} occurrences")));
        }
        Ok(found.into_values().collect())
    }

    /// What it costs to expand it, in occurrences. A rule that no day fits is searched for long.
    pub(crate) fn cost(&self, found: usize) -> usize {
        let barren = |part: &Part| part.rules.iter().any(|rule| rule.is_barren(part.start.local()));
        if found <= 1 && self.parts.first().is_some_and(barren) { BARREN } else { found }
    }

    /// What start, rules and dates give.
    fn regular<'a>(&self, master: &'a Part) -> Result<BTreeMap<Key, Occurrence<'a>>, Reject> {
        let mut found = BTreeMap::new();
        let mut add = |start: Stamp, length: Length| {
            let key = start.key();
            found.insert(key, Occurrence { key: Some(key), start, length, part: master });
        };
        add(master.start.clone(), master.length);
        for rule in &master.rules {
            let (until, last) = self.limits(rule, &master.start);
            let starts = rule.starts(master.start.local(), last)?;
            let stamps = starts.into_iter().filter_map(|local| master.start.moved_to(local));
            stamps
                .filter(|stamp| until.is_none_or(|until| stamp.key() <= until))
                .for_each(|s| add(s, master.length));
        }
        let within = |start: &Stamp| start.local().year() <= self.through;
        for (start, length) in master.dates.iter().filter(|(start, _)| within(start)) {
            add(start.clone().told_as(&master.start), length.unwrap_or(master.length));
        }
        Ok(found)
    }

    /// The last start that `UNTIL` lets through, and a local time beyond which no start can be.
    ///
    /// `UNTIL` should be in UTC where the start has a zone, and a date where it is a day; it often is not.
    fn limits(&self, rule: &Rule, start: &Stamp) -> (Option<Key>, DateTime) {
        let horizon = DateTime::new(self.through, 12, 31, 23, 59, 59, 0).unwrap_or(DateTime::MAX);
        let until = rule.until().and_then(|until| match start {
            Stamp::Day(_) => Some(Key::Day(self.last_day(until))),
            Stamp::Time { clock, .. } => match until {
                Written::Day(day) => clock.instant(Part::end_of(day)),
                Written::Local(time) => clock.instant(time),
                Written::Utc(time) => WallClock::Utc.instant(time),
            }
            .map(Key::At),
        });
        let local = match (until, start) {
            (Some(Key::Day(day)), _) => Part::end_of(day),
            // A day more, because clocks go back.
            (Some(Key::At(at)), Stamp::Time { clock, .. }) => {
                seconds(clock.local(at)).map_or(horizon, |local| shown(local + 86_400))
            }
            _ => horizon,
        };
        (until, local.min(horizon))
    }

    /// The day that an `UNTIL` means for days.
    fn last_day(&self, until: Written) -> jiff::civil::Date {
        match until {
            Written::Day(day) => day,
            Written::Local(time) => time.date(),
            // Midnight in UTC is a day that was made an instant; another time is the end of a day somewhere.
            Written::Utc(time) if time.time() == jiff::civil::Time::midnight() => time.date(),
            Written::Utc(time) => {
                WallClock::Utc.instant(time).map_or(time.date(), |at| self.floating.local(at).date())
            }
        }
    }
}

/// An exception that stands for all later occurrences too: they move by as much as it did.
fn apply_later<'a>(
    found: &mut BTreeMap<Key, Occurrence<'a>>,
    original: &Stamp,
    part: &'a Part,
) -> Result<(), Reject> {
    let from = original.key();
    if part.cancelled {
        found.retain(|key, _| *key < from);
        return Ok(());
    }
    let (start, length) = (part.start.clone(), part.length);
    found.insert(from, Occurrence { key: Some(from), start, length, part });
    for (key, occurrence) in found.range_mut(from..).skip(1) {
        let moved = match (key, from, part.clock()) {
            (Key::At(key), Key::At(from), Some(clock)) => {
                let by =
                    seconds(part.start.local()).zip(seconds(clock.local(from))).map(|(new, old)| new - old);
                by.and_then(|by| Some(shown(seconds(clock.local(*key))? + by)))
            }
            (Key::Day(key), Key::Day(from), None) => {
                let day = |date: jiff::civil::Date| seconds(date.to_datetime(jiff::civil::Time::midnight()));
                let by = seconds(part.start.local()).zip(day(from)).map(|(new, old)| new - old);
                by.and_then(|by| Some(shown(day(*key)? + by)))
            }
            _ => {
                return Err(Reject::new(
                    "`RANGE=THISANDFUTURE` turns days into times, which is not supported",
                ));
            }
        };
        let Some(start) = moved.and_then(|local| part.start.moved_to(local)) else { continue };
        *occurrence = Occurrence { key: occurrence.key, start, length: part.length, part };
    }
    Ok(())
}
