//! A Timebook entry as a stretch of tracked time.

use lifehub_core::prelude::*;

/// Makes the record of an entry.
pub(crate) fn entry(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    // The IANA name of the zone in which it was tracked.
    let zone: Zone = fields.need("zone")?;
    let focus = Focus {
        title: fields.text("title")?,
        kind: match fields.text("kind")?.as_deref() {
            Some("work") => FocusKind::Focus,
            Some("meeting") => FocusKind::Meeting,
            Some("pause") => FocusKind::Break,
            _ => FocusKind::Other,
        },
        project: fields.get("project")?,
        ..Focus::default()
    };
    // In UTC.
    let start: Timestamp = fields.need("started_at")?;
    let end = start + 60 * Duration::from_secs(fields.need("minutes")?);
    let when = When::Span { start: Moment::in_zone(start, zone.clone()), end: Moment::in_zone(end, zone) };
    Ok(vec![Record::new(when, &focus)?])
}
