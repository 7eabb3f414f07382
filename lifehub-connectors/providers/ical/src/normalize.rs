//! An event with its exceptions as one record for each occurrence.

use lifehub_core::normalize::Reject;
use lifehub_core::page::RawItem;
use lifehub_core::record::datasets::Event;
use lifehub_core::record::{Record, When};

use crate::body::Body;
use crate::line::Line;
use crate::series::{Occurrence, Series};
use crate::time::{Stamp, day};

/// Makes the records of an event. Each bears the start that its series gave it as key, so that an occurrence that moves
/// stays the same record.
pub(crate) fn event(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let body: Body = item.body.read()?;
    let series = Series::read(&body)?;
    let uid = uid(&body);
    series.occurrences()?.iter().map(|occurrence| record(occurrence, uid.as_deref())).collect()
}

/// The id that the calendar gives the event.
fn uid(body: &Body) -> Option<String> {
    let lines = body.parts.iter().flatten().filter_map(|line| Line::read(line));
    lines.into_iter().find(|line| line.is("UID")).map(|line| line.value.trim().to_owned())
}

fn record(occurrence: &Occurrence<'_>, uid: Option<&str>) -> Result<Record, Reject> {
    let out_of_range = || Reject::new("an occurrence ends outside of the calendar");
    let part = occurrence.part;
    let mut event: Event = part.event.clone();
    if occurrence.key.is_some() || part.original.is_some() {
        event.recurring_id = uid.map(str::to_owned);
    }
    let end = occurrence.end().ok_or_else(out_of_range)?;
    let when = match &occurrence.start {
        Stamp::Day(date) => {
            let first = day(*date).ok_or_else(out_of_range)?;
            let last = lifehub_core::clock::Zone::utc().day_at(end);
            event.last_day = (last > first).then_some(last);
            When::Day(first)
        }
        Stamp::Time { at, clock, .. } => {
            let end_clock = part.end_clock.as_ref().unwrap_or(clock);
            When::Span { start: clock.moment(*at), end: end_clock.moment(end) }
        }
    };
    let record = Record::new(when, &event)?;
    Ok(match occurrence.key {
        Some(key) => record.key(key.to_string()),
        None => record,
    })
}
