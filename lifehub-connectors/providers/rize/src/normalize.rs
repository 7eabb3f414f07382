//! A session as a stretch of tracked time, and the sums of a day.

use lifehub_core::prelude::*;

/// A day has at most 25 hours, where the clock goes back.
const LONGEST_S: f64 = 25.0 * 3_600.0;

/// Makes the record of a session.
pub(crate) fn session(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let start = local(fields.need("startTime")?);
    // Of a session that is running it moves with the clock, or is not there.
    let when = match fields.get("endTime")?.map(local) {
        Some(end) if end.at < start.at => return Err(Reject::new("`endTime` lies before `startTime`")),
        Some(end) => When::Span { start, end },
        None => When::At(start),
    };
    let projects = fields.list("projects")?;
    let names = projects.iter().map(|project| trimmed(project, "name")).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = names.into_iter().flatten().collect();
    let focus = Focus {
        title: trimmed(&fields, "title")?,
        kind: match fields.text("type")?.as_deref() {
            Some("focus") => FocusKind::Focus,
            Some("meeting") => FocusKind::Meeting,
            Some("break") => FocusKind::Break,
            _ => FocusKind::Other,
        },
        project: (!names.is_empty()).then(|| names.join(", ")),
        ..Focus::default()
    };
    Ok(vec![Record::new(when, &focus)?])
}

fn trimmed(fields: &Fields<'_>, name: &str) -> Result<Option<String>, Reject> {
    Ok(fields.text(name)?.map(|text| text.trim().to_owned()))
}

/// An offset of zero is what Rize writes for everybody, and says nothing of the user's clock.
fn local(moment: Moment) -> Moment {
    Moment { offset: moment.offset.filter(|offset| *offset != Offset::UTC), ..moment }
}

/// Makes the record of a day of the user's calendar. All times are in seconds, `workHours` too.
pub(crate) fn day(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    // What does not fit into a day is in another unit.
    let seconds = |name| fields.within(name, 0.0..=LONGEST_S);
    let productivity = Productivity {
        focus_s: seconds("focusTime")?,
        meeting_s: seconds("meetingTime")?,
        break_s: seconds("breakTime")?,
        tracked_s: seconds("trackedTime")?,
        // The time in all categories that count as work.
        categories: seconds("workHours")?.map(|work| ("work".into(), work)).into_iter().collect(),
    };
    Ok(vec![Record::new(When::Day(fields.need("date")?), &productivity)?])
}
