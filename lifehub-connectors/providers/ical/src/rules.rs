//! A zone by the rules of a `VTIMEZONE`, for those that no known name stands for.

use jiff::civil::DateTime;

use crate::line::Line;
use crate::rule::Rule;
use crate::time::{Written, seconds, shown};

/// How far the changes of a zone are worked out. Later times keep the last offset.
const LAST: DateTime = DateTime::constant(2060, 12, 31, 23, 59, 59, 0);

/// The changes of a zone's offset.
#[derive(Debug)]
pub(crate) struct Rules {
    /// In the order of time; not empty.
    changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy)]
struct Change {
    /// When it happens, on a clock that does not change.
    local: DateTime,
    /// The same in seconds since 1970 UTC.
    at: i64,
    /// Seconds ahead of UTC before and after it.
    from: i32,
    to: i32,
}

impl Rules {
    /// Reads the lines inside of a `VTIMEZONE`. `None` if there is nothing in them that can be used.
    pub(crate) fn read(lines: &[String]) -> Option<Self> {
        let mut changes = Vec::new();
        let mut observance: Vec<Line<'_>> = Vec::new();
        for line in lines.iter().filter_map(|line| Line::read(line)) {
            if line.is("BEGIN") {
                observance.clear();
            } else if line.is("END") {
                changes.extend(onsets(&observance).unwrap_or_default());
            } else {
                observance.push(line);
            }
        }
        changes.sort_by_key(|change| change.at);
        (!changes.is_empty()).then_some(Self { changes })
    }

    /// Seconds ahead of UTC when the clock shows that time: in a gap those before it, in an overlap the first.
    pub(crate) fn offset_of(&self, local: DateTime) -> i32 {
        let after = self.changes.partition_point(|change| change.local <= local);
        let Some(change) = after.checked_sub(1).and_then(|i| self.changes.get(i)) else {
            return self.first();
        };
        let gap = i64::from(change.to) - i64::from(change.from);
        let since = seconds(local).zip(seconds(change.local)).map_or(0, |(local, onset)| local - onset);
        if since < gap { change.from } else { change.to }
    }

    /// Seconds ahead of UTC at that instant, in seconds since 1970.
    pub(crate) fn offset_at(&self, at: i64) -> i32 {
        let after = self.changes.partition_point(|change| change.at <= at);
        after
            .checked_sub(1)
            .and_then(|i| self.changes.get(i))
            .map_or_else(|| self.first(), |change| change.to)
    }

    fn first(&self) -> i32 {
        self.changes.first().map_or(0, |change| change.from)
    }
}

/// When one `STANDARD` or `DAYLIGHT` begins, each time.
fn onsets(observance: &[Line<'_>]) -> Option<Vec<Change>> {
    let find = |name: &str| observance.iter().find(|line| line.is(name));
    let (from, to) = (offset(find("TZOFFSETFROM")?.value)?, offset(find("TZOFFSETTO")?.value)?);
    let Written::Local(start) = Written::read(find("DTSTART")?.value)? else { return None };
    let mut starts = vec![start];
    for line in observance.iter().filter(|line| line.is("RRULE")) {
        let rule = Rule::read(line.value).ok()?;
        // Exchange lets its rules begin in 1601, of which nothing is needed.
        let start = if start.year() < 1970 && rule.is_yearly() {
            start.with().year(1970).build().ok()?
        } else {
            start
        };
        let until = rule.until().map_or(LAST, |until| match until {
            Written::Day(day) => day.at(23, 59, 59, 0),
            Written::Local(time) => time,
            Written::Utc(time) => seconds(time).map_or(LAST, |s| shown(s + i64::from(from))),
        });
        starts.extend(rule.starts(start, until.min(LAST)).ok()?);
    }
    for line in observance.iter().filter(|line| line.is("RDATE")) {
        starts.extend(line.value.split(',').filter_map(|value| match Written::read(value)? {
            Written::Local(time) => Some(time),
            _ => None,
        }));
    }
    let change = |local: DateTime| Some(Change { local, at: seconds(local)? - i64::from(from), from, to });
    Some(starts.into_iter().filter_map(change).collect())
}

/// `+0100`, `-0330` or `+023000`, in seconds.
fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, figures) = match text.split_at_checked(1)? {
        ("-", figures) => (-1, figures),
        ("+", figures) => (1, figures),
        _ => (1, text),
    };
    let part = |at: usize| figures.get(at..at + 2).map_or(Some(0), |part| part.parse::<i32>().ok());
    let seconds = part(0)? * 3600 + part(2)? * 60 + part(4)?;
    (seconds < 93_600 && figures.len() >= 4).then_some(sign * seconds)
}
