//! Sessions: stretches of focus, meetings and breaks, those of the calendar ahead of their time too.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Kind, Place, Seeded};
use serde_json::{Value, json};

use super::CLOCK;

/// What a session is for: the id and the name of the project.
const PROJECTS: [(&str, &str); 4] = [
    ("124119", "Example project"),
    ("124120", "Website \"relaunch\""),
    ("124121", "Contabilità"),
    ("124122", "Reading"),
];

const FOCUS: [&str; 5] = ["Deep work", "Write report", "Code review", "Spike: sync engine 🔧", ""];
const MEETINGS: [&str; 4] = ["Planning call", "1:1", "Stand-up", "Customer interview – Example GmbH"];

/// The kind of session of a made-up person.
#[derive(Debug)]
pub(super) struct Sessions;

impl Kind for Sessions {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let hour = (at.as_seconds() + CLOCK.offset_s(at)).rem_euclid(86_400) / 3_600;
        let (kind, minutes, titles) = match hour {
            11..=12 => ("meeting", dice.whole(15, 60), &MEETINGS[..]),
            16 => ("break", dice.whole(5, 20), &[""][..]),
            _ => ("focus", dice.whole(25, 90), &FOCUS[..]),
        };
        let end = Timestamp::from_seconds(at.as_seconds() + minutes * 60 + dice.whole(0, 59));
        let source = if kind == "meeting" { "calendar" } else { "manual" };
        let title = dice.pick(titles).copied().unwrap_or_default();
        let count = if kind == "break" { 0 } else { dice.whole(0, 2) };
        let first = usize::try_from(dice.whole(0, 3)).unwrap_or(0);
        let projects = PROJECTS.iter().cycle().skip(first).take(usize::try_from(count).unwrap_or(0));
        let projects: Vec<Value> = projects.map(|(id, name)| json!({ "id": id, "name": name })).collect();
        json!({
            "id": (7_700_000 + number).to_string(),
            "title": if title.is_empty() { Value::Null } else { title.into() },
            "description": "",
            "type": kind,
            "source": source,
            "startTime": at.to_string(),
            "endTime": end.to_string(),
            "createdAt": at.to_string(),
            "updatedAt": end.to_string(),
            "projects": projects,
            "tasks": [],
        })
    }

    fn id(&self, item: &Value) -> String {
        item["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Its day is not Rize's to say: that is the day on which the user's own clock shows its start.
    fn records(&self, item: &Value) -> Vec<Value> {
        let names =
            item["projects"].as_array().into_iter().flatten().filter_map(|project| project["name"].as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        vec![json!({
            "key": "",
            "dataset": "focus",
            "start": item["startTime"],
            "end": item["endTime"],
            "zone": null,
            "body": {
                "title": item["title"],
                "kind": item["type"],
                "project": if names.is_empty() { Value::Null } else { names.into() },
            },
        })]
    }

    fn edit(&self, item: &mut Value) -> bool {
        let end = item["endTime"].as_str().and_then(|end| end.parse::<Timestamp>().ok());
        let later = end.unwrap_or(Timestamp::EPOCH).as_seconds() + 300;
        item["endTime"] = json!(Timestamp::from_seconds(later).to_string());
        item["title"] = json!(format!("{}, edited", item["title"].as_str().unwrap_or("Session")));
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["endTime"] = json!("later");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        item["id"] = Value::Null;
        true
    }
}

/// The instants of the sessions of a day on which people work, in the order of the day.
pub(super) fn of_day(day: Day, mut dice: Seeded) -> Vec<Timestamp> {
    if !is_working(day, &mut dice) {
        return Vec::new();
    }
    let habits = [(8.6, 1.0), (11.2, 0.55), (14.1, 0.75), (16.1, 0.3)];
    let times = habits.iter().filter_map(|(hour, share)| {
        let second = (hour + dice.fraction(0.0, 0.7)) * 3_600.0;
        dice.chance(*share).then(|| Place::instant(CLOCK, day, second as i64))
    });
    times.collect()
}

/// Whether it is neither a weekend nor a holiday, in August or at the end of the year, nor a day off.
pub(super) fn is_working(day: Day, dice: &mut Seeded) -> bool {
    let text = day.to_string();
    let date = text.get(5..).unwrap_or_default();
    let holiday = ("08-08".."08-23").contains(&date) || !("01-02".."12-24").contains(&date);
    // 1970-01-01 was a Thursday.
    let weekday = (day.as_number() + 3).rem_euclid(7);
    !dice.chance(0.03) && !holiday && weekday < 5
}
