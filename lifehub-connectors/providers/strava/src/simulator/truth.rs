//! What a client should end up with: as Strava's JSON, and as the record that it stands for.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Bytes, Fact, Place};
use serde_json::{Map, Value, json};

use super::poison::Poison;

/// An activity that a client should have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Truth {
    /// Its id, also where its JSON has none.
    pub id: i64,
    /// When it began, also where its JSON does not say so.
    pub start: Timestamp,
    /// Its JSON text as the list shows it.
    pub body: Bytes,
    /// How it was broken.
    pub poison: Option<Poison>,
}

impl Truth {
    /// Its JSON as a tree.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The fact that an activity is, which began then and there. `item` is what the list shows unless the harm spoils it.
pub(super) fn fact(id: i64, start: Timestamp, place: Place, item: &Value, poison: Option<Poison>) -> Fact {
    let records = vec![workout(start, place, item)];
    let mut fact = Fact::new("activities", id, records);
    if let Some(poison) = poison {
        fact.id = fact.id.filter(|_| poison.leaves_id());
        fact.records = fact.records.filter(|_| !poison.spoils());
    }
    fact
}

/// The workout in an activity, by the units that Strava's documentation gives its members. `kilojoules` are mechanical
/// work and `calories` come with details alone, so a list tells no energy.
fn workout(start: Timestamp, place: Place, item: &Value) -> Value {
    let mut body = Map::new();
    for (member, from) in [("sport", "sport_type"), ("name", "name")] {
        let text = item[from].as_str().filter(|text| !text.is_empty());
        body.extend(text.map(|text| (member.to_owned(), json!(text))));
    }
    for (member, from) in [
        ("moving_s", "moving_time"),
        ("elapsed_s", "elapsed_time"),
        ("distance_m", "distance"),
        ("elevation_gain_m", "total_elevation_gain"),
        ("avg_hr_bpm", "average_heartrate"),
        ("max_hr_bpm", "max_heartrate"),
        ("avg_speed_mps", "average_speed"),
    ] {
        body.extend(item[from].as_f64().map(|number| (member.to_owned(), json!(number))));
    }
    let route = item["map"]["summary_polyline"].as_str().filter(|route| !route.is_empty());
    body.extend(route.map(|route| ("polyline".to_owned(), json!(route))));
    let elapsed_s = item["elapsed_time"].as_f64().unwrap_or(0.0);
    let end = Timestamp::from_seconds(start.as_seconds() + elapsed_s as i64);
    json!({
        "key": "",
        "dataset": "workout",
        "start": place.rfc3339(start),
        "end": place.rfc3339(end),
        "zone": place.zone(),
        "day": place.day(start).to_string(),
        "body": body,
    })
}
