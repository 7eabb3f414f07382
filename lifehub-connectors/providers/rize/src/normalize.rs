//! A session as a stretch of tracked time, and the sums of a day.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lifehub_core::clock::{Day, Offset, Timestamp};
use lifehub_core::normalize::Reject;
use lifehub_core::page::RawItem;
use lifehub_core::record::datasets::{Focus, FocusKind, Productivity};
use lifehub_core::record::{Moment, Record, When};
use serde::Deserialize;

/// A day has at most 25 hours, where the clock goes back.
const LONGEST_S: f64 = 25.0 * 3_600.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session<'a> {
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    start_time: Cow<'a, str>,
    /// Of a session that is running it moves with the clock, or is not there.
    #[serde(borrow)]
    end_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    projects: Option<Vec<Project<'a>>>,
}

#[derive(Deserialize)]
struct Project<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

/// Makes the record of a session.
pub(crate) fn session(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let session: Session<'_> = item.body.read()?;
    let start = moment("startTime", &session.start_time)?;
    let when = match session.end_time.map(|end| moment("endTime", &end)).transpose()? {
        Some(end) if end.at < start.at => return Err(Reject::new("`endTime` lies before `startTime`")),
        Some(end) => When::Span { start, end },
        None => When::At(start),
    };
    let projects = session.projects.unwrap_or_default();
    let names: Vec<String> = projects.into_iter().filter_map(|project| filled(project.name)).collect();
    let focus = Focus {
        title: filled(session.title),
        kind: match session.r#type.as_deref() {
            Some("focus") => FocusKind::Focus,
            Some("meeting") => FocusKind::Meeting,
            Some("break") => FocusKind::Break,
            _ => FocusKind::Other,
        },
        project: Some(names.join(", ")).filter(|names| !names.is_empty()),
        category: None,
        duration_s: None,
    };
    Ok(vec![Record::new(when, &focus)?])
}

fn filled(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// An instant with its offset. One of zero is what Rize writes for everybody, and says nothing of the user's clock.
fn moment(name: &str, text: &str) -> Result<Moment, Reject> {
    let at: Timestamp = text.parse().map_err(|_| Reject::new(format!("`{name}` is no instant")))?;
    // What a clock there shows, read as if it were UTC, is ahead by the offset. The date has hyphens too.
    let wall = text.get(10..).and_then(|time| time.rfind(['+', '-'])).and_then(|sign| text.get(..10 + sign));
    let wall: Option<Timestamp> = wall.and_then(|wall| format!("{wall}Z").parse().ok());
    let ahead = wall.map_or(0, |wall| wall.as_seconds() - at.as_seconds());
    let offset = i32::try_from(ahead).ok().and_then(|ahead| Offset::from_seconds(ahead).ok());
    Ok(Moment { at, offset: offset.filter(|offset| *offset != Offset::UTC), zone: None })
}

/// All times in seconds, `workHours` too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bucket {
    /// By the user's calendar.
    date: Day,
    focus_time: Option<f64>,
    break_time: Option<f64>,
    meeting_time: Option<f64>,
    tracked_time: Option<f64>,
    work_hours: Option<f64>,
}

/// Makes the record of a day.
pub(crate) fn day(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let day: Bucket = item.body.read()?;
    let productivity = Productivity {
        focus_s: seconds("focusTime", day.focus_time)?,
        meeting_s: seconds("meetingTime", day.meeting_time)?,
        break_s: seconds("breakTime", day.break_time)?,
        tracked_s: seconds("trackedTime", day.tracked_time)?,
        // The time in all categories that count as work.
        categories: BTreeMap::from_iter(
            seconds("workHours", day.work_hours)?.map(|work| ("work".into(), work)),
        ),
    };
    Ok(vec![Record::new(When::Day(day.date), &productivity)?])
}

/// Seconds of a day. What does not fit into one is in another unit.
fn seconds(name: &str, time: Option<f64>) -> Result<Option<f64>, Reject> {
    match time {
        Some(time) if !(0.0..=LONGEST_S).contains(&time) => {
            Err(Reject::new(format!("`{name}` lies outside of a day's seconds")))
        }
        time => Ok(time),
    }
}
