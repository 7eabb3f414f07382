//! The tab in which a made-up person keeps their habits: a row a day, with numbers and boxes to tick.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Kind, Seeded};
use serde_json::{Value, json};

use super::PLACE;
use super::cell::Cell;

pub(super) const HEADERS: [&str; 5] = ["Date", "Push-ups", "Water l", "Read", "Note"];

/// The rows of the tab, one a day or so.
#[derive(Debug)]
pub(super) struct Habits;

impl Kind for Habits {
    fn make(&self, _: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let notes = ["", "", "", "slept badly", "con gli amici 🏃"];
        json!({
            "day": PLACE.day(at),
            "pushups": dice.chance(0.7).then(|| dice.whole(5, 40)),
            "water": dice.chance(0.8).then(|| dice.whole(4, 12) as f64 / 4.0),
            "read": dice.chance(0.4),
            "note": dice.pick(&notes),
        })
    }

    /// The number of the day, which is what its cell holds.
    fn id(&self, item: &Value) -> String {
        day(item).plain().to_string()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let mut body = json!({ "schema": "habits", "metrics": { "read": u8::from(item["read"] == true) } });
        for (member, metric) in [("pushups", "pushups"), ("water", "water_l")] {
            if item[member].is_number() {
                body["metrics"][metric] = item[member].clone();
            }
        }
        if item["note"] != "" {
            body["fields"] = json!({ "note": item["note"] });
        }
        vec![json!({
            "dataset": "custom", "key": "", "start": null, "end": null, "zone": null, "day": item["day"], "body": body,
        })]
    }
}

fn day(item: &Value) -> Cell {
    let day: Option<Day> = item["day"].as_str().and_then(|day| day.parse().ok());
    day.map_or(Cell::Empty, Cell::day)
}

/// The row of an item.
pub(super) fn row(item: &Value) -> Vec<Cell> {
    let number = |member: &str| item[member].as_f64().map_or(Cell::Empty, Cell::Number);
    vec![
        day(item),
        number("pushups"),
        number("water"),
        Cell::Boolean(item["read"] == true),
        Cell::text(item["note"].as_str().unwrap_or_default()),
    ]
}
