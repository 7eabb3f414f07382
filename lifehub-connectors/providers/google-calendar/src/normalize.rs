//! An event and a calendar as records.

use lifehub_core::prelude::*;

use crate::event::EventTime;

/// Makes the record of an event. Where someone works is no event.
pub(crate) fn event(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    if fields.text("eventType")?.as_deref() == Some("workingLocation") {
        return Ok(Vec::new());
    }
    let (when, last_day) = when(&fields)?;
    let people = fields.list("attendees")?;
    let own = people.iter().find(|one| one.maybe("self") == Some(true));
    let event = Event {
        // None where the calendar shows only that the time is taken.
        title: fields.text("summary")?,
        description: fields.text("description")?,
        location: fields.text("location")?,
        status: match fields.text("status")?.as_deref() {
            None | Some("confirmed") => Some(EventStatus::Confirmed),
            Some("tentative") => Some(EventStatus::Tentative),
            Some(_) => None,
        },
        organizer: fields.text("organizer.displayName")?.or(fields.text("organizer.email")?),
        attendees: people.iter().filter_map(|one| attendee(one).transpose()).collect::<Result<_, _>>()?,
        response: own.map_or(Ok(None), response)?,
        recurring_id: fields.text("recurringEventId")?,
        last_day,
        url: fields.text("htmlLink")?,
    };
    Ok(vec![Record::new(when, &event)?])
}

/// When it takes place, and its last day if it has several. An end is exclusive, unless it stands for nothing.
fn when(fields: &Fields<'_>) -> Result<(When, Option<Day>), Reject> {
    let start: EventTime = fields.need("start")?;
    let open = fields.get("endTimeUnspecified")?.unwrap_or(false);
    let end = fields.get::<EventTime>("end")?.filter(|_| !open);
    if let Some(first) = start.date {
        let last = end.and_then(|end| end.date).map(|end| end.plus(-1));
        return Ok((When::Day(first), last.filter(|last| *last > first)));
    }
    // The fetch puts the calendar's zone where `start` names none.
    let zone = start.time_zone.clone().or(fields.text("_calendarTimeZone")?);
    let moment = |side: &EventTime| side.moment(zone.as_deref());
    let start = moment(&start).ok_or_else(|| Reject::new("`start` has neither `date` nor `dateTime`"))?;
    Ok((
        match end.as_ref().and_then(moment) {
            Some(end) if end.at < start.at => return Err(Reject::new("`end` is before `start`")),
            Some(end) => When::Span { start, end },
            None => When::At(start),
        },
        None,
    ))
}

/// Someone invited; a room is nobody.
fn attendee(fields: &Fields<'_>) -> Result<Option<Attendee>, Reject> {
    let room = fields.get("resource")?.unwrap_or(false);
    let attendee = Attendee {
        name: fields.text("displayName")?,
        email: fields.text("email")?,
        response: response(fields)?,
    };
    Ok(Some(attendee).filter(|_| !room))
}

fn response(attendee: &Fields<'_>) -> Result<Option<AttendeeResponse>, Reject> {
    Ok(match attendee.text("responseStatus")?.as_deref() {
        Some("accepted") => Some(AttendeeResponse::Accepted),
        Some("declined") => Some(AttendeeResponse::Declined),
        Some("tentative") => Some(AttendeeResponse::Tentative),
        Some("needsAction") => Some(AttendeeResponse::NeedsAction),
        _ => None,
    })
}

/// Makes the record of a calendar: a fact that is of no day, and stands on the first of all, 1970-01-01.
pub(crate) fn calendar(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    // What the account's owner calls it comes first.
    let name = fields.text("summaryOverride")?.or(fields.text("summary")?);
    let mut calendar = Custom { schema: "calendar".to_owned(), ..Custom::default() }.with("name", name);
    let texts = [
        ("description", "description"),
        ("timeZone", "time_zone"),
        ("accessRole", "access_role"),
        ("backgroundColor", "color"),
    ];
    for (path, name) in texts {
        calendar = calendar.with(name, fields.text(path)?);
    }
    for flag in ["primary", "selected", "hidden"] {
        calendar = calendar.with(flag, Some(fields.get(flag)?.unwrap_or(false)));
    }
    Ok(vec![Record::new(When::Day(Day::from_number(0)), &calendar)?])
}
