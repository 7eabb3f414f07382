//! One component of an event, read: when it is, how it recurs, what it says.

use jiff::civil::Time;
use lifehub_core::clock::Timestamp;
use lifehub_core::normalize::Reject;
use lifehub_core::record::datasets::{Attendee, AttendeeResponse, Event, EventStatus};

use crate::length::Length;
use crate::line::Line;
use crate::rule::Rule;
use crate::time::{Stamp, WallClock};
use crate::zone::Clocks;

/// One `VEVENT`.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) start: Stamp,
    pub(crate) length: Length,
    /// The clock of its end: a flight ends in another zone.
    pub(crate) end_clock: Option<WallClock>,
    pub(crate) rules: Vec<Rule>,
    /// Further starts, some with a length of their own.
    pub(crate) dates: Vec<(Stamp, Option<Length>)>,
    pub(crate) except: Vec<Stamp>,
    pub(crate) original: Option<Original>,
    pub(crate) cancelled: bool,
    pub(crate) event: Event,
}

/// Which occurrence of its series a component stands for.
#[derive(Debug)]
pub(crate) struct Original {
    /// The start that the occurrence had.
    pub(crate) start: Stamp,
    /// Whether it stands for all later ones too.
    pub(crate) and_later: bool,
}

impl Part {
    /// Reads a component's lines.
    ///
    /// # Errors
    /// If a property on which its times depend cannot be read. The reason names it, and nothing of its value.
    pub(crate) fn read(lines: &[String], clocks: &Clocks) -> Result<Self, Reject> {
        let lines: Vec<Line<'_>> = lines.iter().filter_map(|line| Line::read(line)).collect();
        let all = |name: &'static str| lines.iter().filter(move |line| line.is(name));
        let one = |name: &'static str| all(name).next();
        let stamp = |line: &Line<'_>, value: &str| {
            let unread = || Reject::new(format!("`{}` cannot be read", line.name.to_ascii_uppercase()));
            clocks.stamp(line, value).ok_or_else(unread)
        };
        let stamps = |name: &'static str| {
            let values = all(name).flat_map(|line| line.value.split(',').map(move |value| (line, value)));
            values.filter(|(_, value)| !value.trim().is_empty())
        };

        let original = match one("RECURRENCE-ID") {
            Some(line) => Some(Original {
                start: stamp(line, line.value)?,
                and_later: line.parameter("RANGE").is_some_and(|r| r.eq_ignore_ascii_case("THISANDFUTURE")),
            }),
            None => None,
        };
        let start = match (one("DTSTART"), &original) {
            (Some(line), _) => stamp(line, line.value)?,
            (None, Some(original)) => original.start.clone(),
            (None, None) => return Err(Reject::new("`DTSTART` is missing")),
        };
        let (length, end_clock) = match (one("DTEND"), one("DURATION")) {
            (Some(line), _) => {
                let end = stamp(line, line.value)?;
                let clock = match &end {
                    Stamp::Time { clock, .. } => Some(clock.clone()),
                    Stamp::Day(_) => None,
                };
                (Length::between(&start, &end), clock)
            }
            (None, Some(line)) => {
                let length =
                    Length::read(line.value).ok_or_else(|| Reject::new("`DURATION` cannot be read"))?;
                (length, None)
            }
            (None, None) => (Length::NONE, None),
        };
        if one("EXRULE").is_some() {
            return Err(Reject::new("`EXRULE` is not supported"));
        }
        let mut dates = Vec::new();
        for (line, value) in stamps("RDATE") {
            let (from, to) = value.split_once('/').map_or((value, None), |(from, to)| (from, Some(to)));
            let from = stamp(line, from)?;
            let length = match to {
                Some(to) if to.contains('P') => Length::read(to),
                Some(to) => Some(Length::between(&from, &stamp(line, to)?)),
                None => None,
            };
            dates.push((from, length));
        }
        Ok(Self {
            start,
            length,
            end_clock,
            rules: all("RRULE").map(|line| Rule::read(line.value)).collect::<Result<_, _>>()?,
            dates,
            except: stamps("EXDATE").map(|(line, value)| stamp(line, value)).collect::<Result<_, _>>()?,
            original,
            cancelled: is_cancelled(&lines),
            event: event(&lines),
        })
    }

    /// When an occurrence ends that begins so; for days, that of the last one's first instant in UTC.
    pub(crate) fn end(&self, start: &Stamp, length: Length) -> Option<Timestamp> {
        match start {
            Stamp::Day(day) => {
                let last = day.checked_add(jiff::Span::new().days(length.whole_days() - 1)).ok()?;
                Some(Stamp::Day(last).at())
            }
            Stamp::Time { local, at, clock } => length.after(*local, *at, clock),
        }
    }

    /// The clock on which its times are told.
    pub(crate) fn clock(&self) -> Option<&WallClock> {
        match &self.start {
            Stamp::Time { clock, .. } => Some(clock),
            Stamp::Day(_) => None,
        }
    }

    /// The last second of a day.
    pub(crate) fn end_of(day: jiff::civil::Date) -> jiff::civil::DateTime {
        day.to_datetime(Time::constant(23, 59, 59, 0))
    }
}

/// Whether a component says that it does not take place.
pub(crate) fn is_cancelled(lines: &[Line<'_>]) -> bool {
    let status = lines.iter().find(|line| line.is("STATUS"));
    status.is_some_and(|line| line.value.trim().eq_ignore_ascii_case("CANCELLED"))
}

/// What of a component a record tells.
fn event(lines: &[Line<'_>]) -> Event {
    let find = |name: &str| lines.iter().find(|line| line.is(name));
    let text = |name: &str| find(name).and_then(Line::text);
    let status = find("STATUS").map(|line| line.value.trim().to_ascii_uppercase());
    Event {
        title: text("SUMMARY"),
        description: text("DESCRIPTION"),
        location: text("LOCATION"),
        status: match status.as_deref() {
            Some("CONFIRMED") => Some(EventStatus::Confirmed),
            Some("TENTATIVE") => Some(EventStatus::Tentative),
            _ => None,
        },
        // A feed does not tell whose it is.
        response: None,
        organizer: find("ORGANIZER").and_then(|line| name(line).or_else(|| address(line))),
        attendees: lines.iter().filter(|line| line.is("ATTENDEE")).map(attendee).collect(),
        recurring_id: None,
        last_day: None,
        url: find("URL").map(|line| line.value.trim().to_owned()).filter(|url| !url.is_empty()),
    }
}

fn attendee(line: &Line<'_>) -> Attendee {
    let response = line.parameter("PARTSTAT").map(str::to_ascii_uppercase);
    Attendee {
        name: name(line),
        email: address(line),
        response: match response.as_deref() {
            Some("ACCEPTED") => Some(AttendeeResponse::Accepted),
            Some("DECLINED") => Some(AttendeeResponse::Declined),
            Some("TENTATIVE") => Some(AttendeeResponse::Tentative),
            Some("NEEDS-ACTION") => Some(AttendeeResponse::NeedsAction),
            _ => None,
        },
    }
}

fn name(line: &Line<'_>) -> Option<String> {
    line.parameter("CN").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The address after `mailto:`. Other addresses name nobody.
fn address(line: &Line<'_>) -> Option<String> {
    let (scheme, address) = line.value.trim().split_once(':')?;
    (scheme.eq_ignore_ascii_case("mailto") && address.contains('@')).then(|| address.to_owned())
}
