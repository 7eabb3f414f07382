//! The list of calendars of the made-up account: four that are written out, and as many more as somebody subscribes to.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Kind, Seeded};
use serde_json::{Value, json};

use super::place::{Clock, NEW_YORK, ROME};

/// The address of the account's owner, which is also the id of the first calendar.
pub const OWNER: &str = "sample.user@example.com";

/// A calendar with events.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) id: &'static str,
    name: &'static str,
    pub(super) clock: Clock,
    pub(super) role: &'static str,
    color: &'static str,
    pub(super) style: Style,
}

/// What stands in a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Meetings and days off.
    Own,
    /// Journeys over days, and flights from zone to zone.
    Journeys,
    /// Days of all.
    Holidays,
    /// When somebody has no time, and nothing else.
    Busy,
}

pub(super) const PROFILES: [Profile; 4] = [
    Profile { id: OWNER, name: OWNER, clock: ROME, role: "owner", color: "#9fe1e7", style: Style::Own },
    Profile {
        id: "c_5e6f7example00journeys@group.calendar.google.com",
        name: "Journeys",
        clock: Clock::Tokyo,
        role: "writer",
        color: "#f83a22",
        style: Style::Journeys,
    },
    Profile {
        id: "en.example#holiday@group.v.calendar.google.com",
        name: "Holidays in Exampleland",
        clock: ROME,
        role: "reader",
        color: "#16a765",
        style: Style::Holidays,
    },
    Profile {
        id: "colleague@example.com",
        name: "colleague@example.com",
        clock: NEW_YORK,
        role: "freeBusyReader",
        color: "#a47ae2",
        style: Style::Busy,
    },
];

/// The calendars as entries of the list, by their numbers.
#[derive(Debug)]
pub(super) struct Calendars;

impl Kind for Calendars {
    fn make(&self, number: u64, _: Timestamp, _: Seeded) -> Value {
        let place = usize::try_from(number).unwrap_or(usize::MAX) - 1;
        let mut entry = match PROFILES.get(place) {
            Some(Profile { id, name, clock, role, color, .. }) => json!({
                "id": id, "summary": name, "timeZone": clock.zone(), "accessRole": role, "backgroundColor": color,
            }),
            None => json!({
                "id": format!("club{number:05}example@group.calendar.google.com"),
                "summary": format!("Fixtures of club {number}"),
                "description": "Subscribed to, and empty between seasons",
                "timeZone": "Europe/Rome", "accessRole": "reader", "backgroundColor": "#cd74e6",
            }),
        };
        for (name, value) in [
            ("kind", json!("calendar#calendarListEntry")),
            ("etag", json!(format!("\"17000000000{number:05}\""))),
            ("colorId", json!((number % 24).to_string())),
            ("foregroundColor", json!("#000000")),
            ("defaultReminders", json!([])),
            ("conferenceProperties", json!({ "allowedConferenceSolutionTypes": ["hangoutsMeet"] })),
        ] {
            entry[name] = value;
        }
        // What is false is left out.
        if number == 1 {
            entry["primary"] = json!(true);
        }
        if number.is_multiple_of(5) {
            entry["hidden"] = json!(true);
        } else {
            entry["selected"] = json!(true);
        }
        if number == 4 {
            entry["summaryOverride"] = json!("Robin, when busy");
        }
        entry
    }

    fn id(&self, entry: &Value) -> String {
        entry["id"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, entry: &Value) -> Vec<Value> {
        let own = &entry["summaryOverride"];
        let name = if own.is_null() { &entry["summary"] } else { own };
        let flag = |name: &str| json!(entry[name] == true);
        let fields = json!({
            "name": name, "description": entry["description"], "time_zone": entry["timeZone"],
            "access_role": entry["accessRole"], "color": entry["backgroundColor"],
            "primary": flag("primary"), "selected": flag("selected"), "hidden": flag("hidden"),
        });
        vec![json!({
            "key": "", "dataset": "custom", "start": null, "end": null, "zone": null, "day": "1970-01-01",
            "body": { "schema": "calendar", "fields": fields },
        })]
    }

    /// Gives it another name of the owner's own.
    fn edit(&self, entry: &mut Value) -> bool {
        let name = ["summaryOverride", "summary"].into_iter().find_map(|member| entry[member].as_str());
        entry["summaryOverride"] = json!(format!("{} ✎", name.unwrap_or_default()));
        true
    }

    fn spoil(&self, entry: &mut Value) -> bool {
        entry["timeZone"] = json!({ "of": "nowhere" });
        true
    }

    fn unname(&self, entry: &mut Value) -> bool {
        entry.as_object_mut().is_some_and(|members| members.remove("id").is_some())
    }
}
