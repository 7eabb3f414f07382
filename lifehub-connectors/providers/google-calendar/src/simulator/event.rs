//! Events as Google shows them, made up one by one; and the records that they stand for.

use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Kind, Seeded, date_time};
use serde_json::{Map, Value, json};

use super::calendars::{OWNER, Profile, Style};
use super::place::{Clock, NEW_YORK, ROME, later};

/// The single events of a calendar.
#[derive(Debug)]
pub(super) struct Singles(pub(super) &'static Profile);

/// When an event is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Span {
    /// From one instant to another, each told for a zone; without one for that of the calendar.
    Times { start: Timestamp, end: Timestamp, zones: Option<(Clock, Clock)> },
    /// From a day to another, both included.
    Days { first: Day, last: Day },
}

impl Span {
    /// As long as that, on a clock.
    pub(super) fn times(start: Timestamp, length_s: i64, clock: Clock) -> Self {
        let end = Timestamp::from_seconds(start.as_seconds() + length_s);
        Self::Times { start, end, zones: Some((clock, clock)) }
    }

    /// The members `start` and `end`. Offsets are those of the calendar's clock, whatever zone an event names; ends are
    /// exclusive.
    pub(super) fn members(&self, calendar: &Profile) -> (Value, Value) {
        match *self {
            Self::Times { start, end, zones } => {
                let side = |at: Timestamp, zone: Option<Clock>| {
                    let mut side = json!({ "dateTime": calendar.clock.rfc3339(at) });
                    if let Some(zone) = zone {
                        side["timeZone"] = json!(zone.zone());
                    }
                    side
                };
                (side(start, zones.map(|zones| zones.0)), side(end, zones.map(|zones| zones.1)))
            }
            Self::Days { first, last } => (json!({ "date": first }), json!({ "date": later(last, 1) })),
        }
    }
}

/// What every event has; what is peculiar to it is added by others.
pub(super) fn row(calendar: &Profile, id: &str, span: &Span, created: Timestamp) -> Value {
    let (start, end) = span.members(calendar);
    let stamp = format!("{}.000Z", date_time(created.as_seconds()));
    let series = id.split('_').next().unwrap_or(id);
    let mut row = json!({
        "kind": "calendar#event", "etag": etag(1), "id": id, "status": "confirmed",
        "htmlLink": format!("https://www.google.com/calendar/event?eid={id}"),
        "created": stamp, "updated": stamp, "start": start, "end": end,
        "iCalUID": format!("{series}@google.com"), "sequence": 0, "eventType": "default",
        "creator": { "email": calendar.id, "self": true },
        "organizer": { "email": calendar.id, "self": true },
    });
    if matches!(span, Span::Days { .. }) {
        row["transparency"] = json!("transparent");
    }
    row
}

/// An entry of which only the id is sure, and that it is no more.
pub(super) fn stone(id: &str) -> Value {
    json!({ "kind": "calendar#event", "etag": etag(2), "id": id, "status": "cancelled" })
}

fn etag(n: u64) -> String {
    format!("\"357300000000{n:04}\"")
}

/// From when until when Google counts an event, days by the calendar's clock.
pub(super) fn bounds(calendar: &Profile, item: &Value) -> (Timestamp, Timestamp) {
    let bound = |side: &Value| match (side["date"].as_str(), side["dateTime"].as_str()) {
        (Some(day), _) => day.parse().ok().map(|day| calendar.clock.instant(day, 0)),
        (None, Some(text)) => text.parse().ok(),
        (None, None) => None,
    };
    let start = bound(&item["start"]).unwrap_or(Timestamp::EPOCH);
    (start, bound(&item["end"]).unwrap_or(start))
}

/// The records that an event stands for: none where it only says where somebody works.
pub(super) fn records(calendar: &Profile, item: &Value) -> Vec<Value> {
    if item["eventType"] == "workingLocation" {
        return Vec::new();
    }
    let organizer = ["displayName", "email"].into_iter().find_map(|name| item["organizer"][name].as_str());
    let mut body = json!({ "status": item["status"], "organizer": organizer, "last_day": null });
    for (member, from) in [
        ("title", "summary"),
        ("description", "description"),
        ("location", "location"),
        ("recurring_id", "recurringEventId"),
        ("url", "htmlLink"),
    ] {
        body[member] = item[from].clone();
    }
    let people = item["attendees"].as_array().map(Vec::as_slice).unwrap_or_default();
    let response = |one: &Value| match one["responseStatus"].as_str() {
        Some("needsAction") => json!("needs_action"),
        response => json!(response),
    };
    body["response"] = people.iter().find(|one| one["self"] == true).map_or(Value::Null, response);
    let people = people
        .iter()
        .filter(|one| one["resource"] != true)
        .map(|one| json!({ "name": one["displayName"], "email": one["email"], "response": response(one) }));
    let people: Vec<Value> = people.collect();
    body["attendees"] = if people.is_empty() { Value::Null } else { json!(people) };

    let mut record = json!({ "key": "", "dataset": "event" });
    let (start, end) = (&item["start"], &item["end"]);
    if let Some(first) = start["date"].as_str() {
        let after: Option<Day> = end["date"].as_str().and_then(|day| day.parse().ok());
        let last = after.map(|after| later(after, -1).to_string());
        body["last_day"] = json!(last.filter(|last| last != first));
        for (member, value) in [("start", None), ("end", None), ("zone", None), ("day", Some(first))] {
            record[member] = json!(value);
        }
    } else {
        let told = |side: &Value| {
            let clock = side["timeZone"].as_str().map_or(Some(calendar.clock), Clock::named);
            let at: Option<Timestamp> = side["dateTime"].as_str().and_then(|text| text.parse().ok());
            (clock.unwrap_or(calendar.clock), at.unwrap_or(Timestamp::EPOCH))
        };
        let ((clock, from), (other, until)) = (told(start), told(end));
        record["start"] = json!(clock.rfc3339(from));
        record["end"] = json!(other.rfc3339(until));
        record["zone"] = json!(clock.zone());
        record["day"] = json!(clock.day(from));
    }
    record["body"] = body;
    vec![record]
}

const MEETINGS: [&str; 6] =
    ["Dentist", "Lunch with Ada", "Planning", "Piano lesson", "Visit to the \"archive\"", "1:1 – Sam 🗓"];
const JOURNEYS: [&str; 3] = ["Conference in Kyoto", "Visit to the New York office", "Holiday by the sea"];
const HOLIDAYS: [&str; 4] = ["Founders' Day", "Midsummer", "Harvest Day", "Republic Day"];

impl Singles {
    fn span(&self, at: Timestamp, dice: &mut Seeded) -> Span {
        let clock = self.0.clock;
        let days = |count: i64| {
            let first = clock.day(at);
            Span::Days { first, last: later(first, count - 1) }
        };
        let length = Duration::from_secs(900 * u64::try_from(dice.whole(1, 8)).unwrap_or(1));
        let times = |zones| Span::Times { start: at, end: at + length, zones };
        match (self.0.style, dice.whole(0, 99)) {
            (Style::Own, 0..=9) => days(1),
            (Style::Own, 10..=15) => days(dice.whole(2, 6)),
            // Made by a program that names no zone.
            (Style::Own, 16..=30) => times(None),
            (Style::Own, 31..=40) => times(Some((NEW_YORK, NEW_YORK))),
            (Style::Own, _) => times(Some((ROME, ROME))),
            (Style::Journeys, 0..=39) => {
                let zones = if dice.chance(0.5) { (ROME, Clock::Tokyo) } else { (Clock::Tokyo, ROME) };
                Span::Times { start: at, end: at + Duration::from_secs(46_800), zones: Some(zones) }
            }
            (Style::Journeys, 40..=54) => times(None),
            (Style::Journeys, _) => days(dice.whole(2, 9)),
            (Style::Holidays, _) => days(1),
            (Style::Busy, _) => times(Some((clock, clock))),
        }
    }

    fn describe(&self, item: &mut Value, dice: &mut Seeded) {
        let pick = |dice: &mut Seeded, from: &[&str]| json!(dice.pick(from).copied());
        match self.0.style {
            Style::Own => {
                item["summary"] = pick(dice, &MEETINGS);
                if dice.chance(0.4) {
                    item["location"] = json!("1 Example Street, Exampletown");
                }
                if dice.chance(0.3) {
                    item["description"] = json!("Bring <b>the plan</b>\nand a pen");
                }
                if dice.chance(0.35) {
                    invite(item, dice);
                }
            }
            Style::Journeys => item["summary"] = pick(dice, &JOURNEYS),
            Style::Holidays => {
                item["summary"] = pick(dice, &HOLIDAYS);
                item["description"] = json!("Public holiday");
                item["visibility"] = json!("public");
            }
            Style::Busy => {
                item["visibility"] = json!("private");
                for member in ["htmlLink", "creator", "organizer"] {
                    item.as_object_mut().map(|members: &mut Map<String, Value>| members.remove(member));
                }
            }
        }
    }
}

/// Somebody else calls the meeting, and the owner answers, or not.
fn invite(item: &mut Value, dice: &mut Seeded) {
    let answer = dice.pick(&["accepted", "accepted", "tentative", "declined", "needsAction"]).copied();
    item["organizer"] = json!({ "email": "sam@example.com", "displayName": "Sam Example" });
    item["creator"] = json!({ "email": "sam@example.com" });
    if answer == Some("tentative") {
        item["status"] = json!("tentative");
    }
    item["attendees"] = json!([
        { "email": "sam@example.com", "displayName": "Sam Example", "organizer": true, "responseStatus": "accepted" },
        { "email": OWNER, "self": true, "responseStatus": answer },
        { "email": "c_room7@resource.calendar.google.com", "displayName": "Room 7", "resource": true,
          "responseStatus": "accepted" },
    ]);
}

impl Kind for Singles {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        // Of the letters and figures that Google allows.
        let id = format!("{:013x}{number:05}", dice.whole(0, 1 << 50));
        let span = self.span(at, &mut dice);
        let days_ahead = Duration::from_secs(86_400 * u64::try_from(dice.whole(3, 30)).unwrap_or(3));
        let mut item = row(self.0, &id, &span, at - days_ahead);
        self.describe(&mut item, &mut dice);
        item
    }

    fn id(&self, item: &Value) -> String {
        item["id"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        records(self.0, item)
    }

    fn edit(&self, item: &mut Value) -> bool {
        let sequence = item["sequence"].as_u64().unwrap_or(0) + 1;
        item["sequence"] = json!(sequence);
        item["location"] = json!(format!("Room {sequence}"));
        true
    }

    /// It begins when nobody can tell.
    fn spoil(&self, item: &mut Value) -> bool {
        item["start"] = json!({ "dateTime": "soon" });
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        item.as_object_mut().is_some_and(|members| members.remove("id").is_some())
    }
}
