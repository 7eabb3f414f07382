//! From a `TZID` to the clock that it means: IANA names, Windows and Exchange names, the calendar's own definitions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use calcard::common::timezone::Tz;
use lifehub_core::clock::Zone;

use crate::line::Line;
use crate::rules::Rules;
use crate::time::{Stamp, WallClock, Written};

/// Names of UTC, which say nothing of where the event is.
const UTC: [&str; 8] = ["UTC", "Etc/UTC", "GMT", "Etc/GMT", "UCT", "Etc/UCT", "Zulu", "Z"];

/// The clock of that name, if it is known without the calendar's help.
pub(crate) fn by_name(id: &str) -> Option<WallClock> {
    let id = id.trim().trim_matches('"');
    let name = iana(id).or_else(|| windows(id))?;
    if UTC.iter().any(|utc| utc.eq_ignore_ascii_case(&name)) {
        return Some(WallClock::Utc);
    }
    name.parse::<Zone>().ok().map(WallClock::Zone)
}

/// An IANA name, also behind the prefix of a registry: `/mozilla.org/20050126_1/Europe/Berlin`.
fn iana(id: &str) -> Option<String> {
    let known =
        |name: &str| UTC.iter().any(|utc| utc.eq_ignore_ascii_case(name)) || name.parse::<Zone>().is_ok();
    let tails = std::iter::successors(id.split_once('/'), |(_, tail)| tail.split_once('/'));
    let tails = tails.map(|(_, tail)| tail);
    // Of the tails only those count that are names of places: `Custom/EST` is not New York's time.
    let places =
        tails.filter(|tail| tail.contains('/') || UTC.iter().any(|utc| utc.eq_ignore_ascii_case(tail)));
    std::iter::once(id).chain(places).find(|name| known(name)).map(str::to_owned)
}

/// The IANA name of a Windows zone (`W. Europe Standard Time`, `(UTC+01:00) Amsterdam, Berlin, …`) by the table of
/// calcard, which is CLDR's with the display names of Exchange.
fn windows(id: &str) -> Option<String> {
    let name = id.parse::<Tz>().ok()?.name()?.into_owned();
    // For a display name that it does not know calcard makes up a fixed offset, and forgets its minutes.
    let made_up = id.starts_with('(') && name.starts_with("Etc/");
    (!made_up).then_some(name)
}

/// The clocks of one calendar.
#[derive(Debug)]
pub(crate) struct Clocks {
    given: HashMap<String, WallClock>,
    floating: WallClock,
}

impl Clocks {
    /// Those that the calendar defines itself, as far as they are needed, and that of times without a zone.
    pub(crate) fn new(zones: &BTreeMap<String, Vec<String>>, floating: Option<&str>) -> Self {
        let given = zones.iter().filter_map(|(id, lines)| Some((id.clone(), defined(lines)?)));
        Self { given: given.collect(), floating: floating.and_then(by_name).unwrap_or(WallClock::Floating) }
    }

    /// The clock of a property: that of its `TZID`, or that of times without a zone.
    fn of(&self, id: Option<&str>) -> WallClock {
        let known = |id: &str| by_name(id).or_else(|| self.given.get(id).cloned());
        id.and_then(known).unwrap_or_else(|| self.floating.clone())
    }

    /// One value of a property, which may have several.
    pub(crate) fn stamp(&self, line: &Line<'_>, value: &str) -> Option<Stamp> {
        match Written::read(value)? {
            Written::Day(day) => Some(Stamp::Day(day)),
            // Beside a `Z` a zone means nothing.
            Written::Utc(time) => Stamp::on(&WallClock::Utc, time),
            Written::Local(time) => Stamp::on(&self.of(line.parameter("TZID")), time),
        }
    }

    /// The clock of times without a zone.
    pub(crate) fn floating(&self) -> &WallClock {
        &self.floating
    }
}

/// A zone as the calendar defines it; some tell the name of a known one as well.
fn defined(lines: &[String]) -> Option<WallClock> {
    let location = lines.iter().filter_map(|line| Line::read(line)).find(|line| line.is("X-LIC-LOCATION"));
    location
        .and_then(|line| by_name(line.value))
        .or_else(|| Rules::read(lines).map(|rules| WallClock::Rules(Arc::new(rules))))
}
