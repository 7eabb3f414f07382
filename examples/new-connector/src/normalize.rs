//! A Timebook entry as a stretch of tracked time.

use std::time::Duration;

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::normalize::Reject;
use lifehub_core::page::RawItem;
use lifehub_core::record::datasets::{Focus, FocusKind};
use lifehub_core::record::{Moment, Record, When};
use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    title: Option<String>,
    project: Option<String>,
    kind: Option<String>,
    /// UTC.
    started_at: Timestamp,
    /// The IANA name of the zone in which it was tracked.
    zone: String,
    minutes: u32,
}

/// Makes the record of an entry.
pub(crate) fn entry(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let entry: Entry = item.body.read()?;
    let zone: Zone = entry.zone.parse().map_err(|_| Reject::new("`zone` is no time zone"))?;
    let focus = Focus {
        title: entry.title.filter(|title| !title.is_empty()),
        kind: match entry.kind.as_deref() {
            Some("work") => FocusKind::Focus,
            Some("meeting") => FocusKind::Meeting,
            Some("pause") => FocusKind::Break,
            _ => FocusKind::Other,
        },
        project: entry.project,
        ..Focus::default()
    };
    let end = entry.started_at + Duration::from_secs(60 * u64::from(entry.minutes));
    let when = When::Span {
        start: Moment::in_zone(entry.started_at, zone.clone()),
        end: Moment::in_zone(end, zone),
    };
    Ok(vec![Record::new(when, &focus)?])
}
