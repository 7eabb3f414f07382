//! The tab in which a made-up person notes their weight: rows with an id, mostly with the time of weighing.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Kind, Place, Seeded};
use serde_json::{Value, json};

use super::PLACE;
use super::cell::Cell;

pub(super) const HEADERS: [&str; 6] = ["Id", "Date", "Weight kg", "Body fat", "Note", "Measured at"];

/// The rows of the tab.
#[derive(Debug)]
pub(super) struct Weighings {
    /// Until when one row in twenty says nothing of the weight; later ones are edited.
    pub(super) gaps_until: Timestamp,
}

impl Kind for Weighings {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let years = at.as_seconds() as f64 / (365.25 * 86_400.0);
        let kg = 73.4 + 1.6 * (years * std::f64::consts::TAU).cos() + dice.around(0.0, 0.35);
        let skipped = number % 20 == 7 && at < self.gaps_until;
        let fat = dice.chance(0.6).then(|| (dice.around(0.185, 0.006) * 1e3).round() / 1e3);
        let note = match (skipped, dice.chance(0.15)) {
            (true, _) => "no scale",
            (false, true) => "after a run",
            (false, false) => "",
        };
        // At night, when clocks change, nobody weighs themselves to the minute.
        let hour = (at.as_seconds() + PLACE.offset_s(at)).rem_euclid(86_400) / 3_600;
        json!({
            "id": format!("w-{number:04}"),
            "at": at.as_seconds(),
            "timed": hour >= 4 && !skipped && dice.chance(0.85),
            "kg": (!skipped).then_some((kg * 10.0).round() / 10.0),
            "fat": fat.filter(|_| !skipped),
            "note": note,
        })
    }

    fn id(&self, item: &Value) -> String {
        item["id"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let at = instant(item);
        let record = |kind: &str, unit: &str, value: &Value| {
            let start = (item["timed"] == true).then(|| PLACE.rfc3339(at));
            json!({
                "dataset": "vital", "key": kind, "start": start, "end": null,
                "zone": start.is_some().then(|| PLACE.zone()), "day": PLACE.day(at),
                "body": { "kind": kind, "value": value, "unit": unit },
            })
        };
        let kinds = [("weight_kg", "kg", &item["kg"]), ("body_fat_ratio", "ratio", &item["fat"])];
        let known = kinds.into_iter().filter(|(.., value)| value.is_number());
        known.map(|(kind, unit, value)| record(kind, unit, value)).collect()
    }

    fn edit(&self, item: &mut Value) -> bool {
        // A typing error is put right.
        item["kg"] = json!((item["kg"].as_f64().unwrap_or(70.0) * 10.0 + 1.0).round() / 10.0);
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["kg"] = json!("#N/A");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        item["id"] = json!("");
        true
    }
}

fn instant(item: &Value) -> Timestamp {
    Timestamp::from_seconds(item["at"].as_i64().unwrap_or_default())
}

/// The row of an item.
pub(super) fn row(item: &Value) -> Vec<Cell> {
    let number = |value: &Value| match value {
        Value::String(_) => Cell::Failed("#N/A"),
        value => value.as_f64().map_or(Cell::Empty, Cell::Number),
    };
    let place: Place = PLACE;
    let moment = if item["timed"] == true { Cell::moment(place, instant(item)) } else { Cell::Empty };
    vec![
        Cell::text(item["id"].as_str().unwrap_or_default()),
        Cell::day(place.day(instant(item))),
        number(&item["kg"]),
        number(&item["fat"]),
        Cell::text(item["note"].as_str().unwrap_or_default()),
        moment,
    ]
}
