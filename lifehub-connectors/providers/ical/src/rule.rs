//! Recurrence rules: read with care, expanded by calcard on the wall clock, without any zone.
//!
//! Calcard searches up to 100,000 periods for the next date and holds a whole period in memory, so what has no end or
//! no sense is refused before.

use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendarProperty, ICalendarValue};
use calcard::{Entry, Parser};
use jiff::civil::DateTime;
use lifehub_core::normalize::Reject;

use crate::time::{Written, shown};

/// More occurrences than any person's series has: every day for 54 years.
pub(crate) const MOST: usize = 20_000;

/// Parts that hold numbers, with their limits. Zero stands for nothing where it lies between them and negative ones
/// count from the end.
const NUMBERS: [(&str, i32, i32); 8] = [
    ("BYSECOND", 0, 60),
    ("BYMINUTE", 0, 59),
    ("BYHOUR", 0, 23),
    ("BYMONTH", 1, 12),
    ("BYMONTHDAY", -31, 31),
    ("BYYEARDAY", -366, 366),
    ("BYWEEKNO", -53, 53),
    ("BYSETPOS", -366, 366),
];

/// Parts that may leave nothing over: the search for the next date is long then, and longest where periods are short.
const FILTERS: [&str; 4] = ["BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"];

/// Frequencies with the number of days in their period.
const FREQUENCIES: [(&str, usize); 7] = [
    ("YEARLY", 366),
    ("MONTHLY", 31),
    ("WEEKLY", 7),
    ("DAILY", 1),
    ("HOURLY", 1),
    ("MINUTELY", 1),
    ("SECONDLY", 1),
];

/// One `RRULE`.
#[derive(Debug)]
pub(crate) struct Rule {
    frequency: usize,
    until: Option<Written>,
    count: Option<u32>,
    /// The other parts, checked.
    parts: Vec<(String, String)>,
}

impl Rule {
    /// Reads the value of an `RRULE`. Parts that RFC 5545 does not know are left out.
    ///
    /// # Errors
    /// If a part is none that the RFC allows: a rule that is half understood gives wrong days.
    pub(crate) fn read(text: &str) -> Result<Self, Reject> {
        let parts = text.split(';').filter_map(|part| part.split_once('='));
        let parts = parts.map(|(name, value)| (upper(name), upper(value)));
        let mut rule = Self { frequency: FREQUENCIES.len(), until: None, count: None, parts: Vec::new() };
        for (name, value) in parts.filter(|(_, value)| !value.is_empty()) {
            let wrong = || Reject::new(format!("`RRULE` has a part `{name}` that cannot be read"));
            match name.as_str() {
                "FREQ" => {
                    let known = FREQUENCIES.iter().position(|(known, _)| *known == value);
                    rule.frequency = known.ok_or_else(wrong)?;
                }
                "UNTIL" => rule.until = Some(Written::read(&value).ok_or_else(wrong)?),
                "COUNT" => rule.count = Some(value.parse().map_err(|_| wrong())?),
                "INTERVAL" => {
                    value.parse::<u16>().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
                    rule.parts.push((name, value));
                }
                "BYDAY" | "WKST" => rule.parts.push((name, value)),
                "RSCALE" if value == "GREGORIAN" => {}
                "SKIP" if value == "OMIT" => {}
                "RSCALE" | "SKIP" => return Err(wrong()),
                _ => {
                    let Some((_, low, high)) = NUMBERS.iter().find(|(known, ..)| *known == name) else {
                        continue;
                    };
                    let fits = |n: i32| (*low..=*high).contains(&n) && (n != 0 || *low == 0);
                    let numbers = value.split(',').map(|n| n.trim().parse::<i32>());
                    if !numbers.into_iter().all(|n| n.is_ok_and(fits)) {
                        return Err(wrong());
                    }
                    rule.parts.push((name, value));
                }
            }
        }
        rule.check()?;
        Ok(rule)
    }

    /// What would give wrong days or take too long.
    fn check(&self) -> Result<(), Reject> {
        let Some((frequency, days)) = FREQUENCIES.get(self.frequency) else {
            return Err(Reject::new("`RRULE` has no `FREQ`"));
        };
        let numbered = self.part("BYDAY").is_some_and(|days| days.contains(|c: char| c.is_ascii_digit()));
        if numbered && self.frequency > 1 {
            return Err(Reject::new(format!("`RRULE` has numbered days, which {frequency} does not take")));
        }
        if self.frequency > 3
            && let Some(part) = FILTERS.iter().find(|name| self.part(name).is_some())
        {
            return Err(Reject::new(format!(
                "`RRULE` has `{part}`, which is not supported with {frequency}"
            )));
        }
        let size = |name: &str| self.part(name).map_or(1, |value| value.split(',').count());
        let period = ["BYHOUR", "BYMINUTE", "BYSECOND"].map(size).iter().product::<usize>() * days;
        if period > MOST { Err(too_many()) } else { Ok(()) }
    }

    fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `UNTIL`, in whichever form it was given.
    pub(crate) fn until(&self) -> Option<Written> {
        self.until
    }

    /// Whether no day ever fits it but the first, which takes long to find out.
    pub(crate) fn is_barren(&self, start: DateTime) -> bool {
        let filtered = FILTERS.iter().any(|name| self.part(name).is_some());
        let ever = DateTime::constant(9998, 12, 31, 0, 0, 0, 0);
        filtered && expand(&self.text(ever, None), start, 2).is_ok_and(|starts| starts.len() < 2)
    }

    /// Whether it is the same from year to year, wherever it begins.
    pub(crate) fn is_yearly(&self) -> bool {
        self.frequency == 0 && self.count.is_none() && self.part("INTERVAL").is_none_or(|n| n == "1")
    }

    /// The starts up to `last`, that included. The first is `start`, also where it does not fit the rule.
    ///
    /// # Errors
    /// If there are more than [`MOST`], or calcard does not take the rule.
    pub(crate) fn starts(&self, start: DateTime, last: DateTime) -> Result<Vec<DateTime>, Reject> {
        if last < start || self.count == Some(0) {
            return Ok(vec![start]);
        }
        let mut starts = expand(&self.text(last, self.count), start, MOST + 1)?;
        if starts.first() != Some(&start) {
            starts.insert(0, start);
            starts.truncate(self.count.map_or(usize::MAX, |count| count as usize));
        }
        if starts.len() > MOST { Err(too_many()) } else { Ok(starts) }
    }

    /// The rule as calcard is to read it: with an end, on the wall clock.
    fn text(&self, last: DateTime, count: Option<u32>) -> String {
        let mut text = format!("FREQ={}", FREQUENCIES.get(self.frequency).map_or("", |(name, _)| name));
        for (name, value) in &self.parts {
            text.push_str(&format!(";{name}={value}"));
        }
        if let Some(count) = count {
            text.push_str(&format!(";COUNT={count}"));
        }
        format!("{text};UNTIL={}", last.strftime("%Y%m%dT%H%M%S"))
    }
}

fn upper(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

fn too_many() -> Reject {
    Reject::new(format!("`RRULE` gives more than {MOST} occurrences"))
}

/// Calcard's expansion of a rule from that local time on, so many starts of it.
fn expand(rule: &str, start: DateTime, most: usize) -> Result<Vec<DateTime>, Reject> {
    let unread = || Reject::new("`RRULE` cannot be read");
    let start = start.strftime("%Y%m%dT%H%M%S");
    let text = format!("BEGIN:VEVENT\r\nDTSTART:{start}\r\nRRULE:{rule}\r\nEND:VEVENT\r\n");
    let Entry::ICalendar(event) = Parser::new(&text).entry() else { return Err(unread()) };
    // A rule that calcard does not take is a text to it, and would be passed over.
    let mut entries = event.components.iter().flat_map(|component| &component.entries);
    let rule = entries.find(|entry| entry.name == ICalendarProperty::Rrule);
    if !rule.is_some_and(|entry| matches!(entry.values.as_slice(), [ICalendarValue::RecurrenceRule(_)])) {
        return Err(unread());
    }
    let expanded = event.expand_dates(Tz::Floating, most);
    match expanded.errors.first() {
        Some(_) => Err(unread()),
        None => {
            Ok(expanded.events.iter().map(|e| shown(e.start.naive_local().and_utc().timestamp())).collect())
        }
    }
}
