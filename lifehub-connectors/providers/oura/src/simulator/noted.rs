//! What the person does in the app: sessions and tags.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::Seeded;
use serde_json::{Value, json};

use super::night::{HOME, after, spanned};

pub(super) fn session(at: Timestamp, mut dice: Seeded) -> Value {
    json!({
        "day": HOME.day(at),
        "end_datetime": HOME.rfc3339(after(at, dice.whole(4, 30) * 60)),
        "heart_rate": { "interval": 5.0, "items": [null, 61.0, 60.2, 58.9], "timestamp": HOME.rfc3339(at) },
        "heart_rate_variability": null,
        "mood": dice.pick(&[Some("worse"), Some("same"), Some("good"), Some("great"), None]),
        "motion_count": null,
        "start_datetime": HOME.rfc3339(at),
        "type": dice.pick(&["breathing", "meditation", "relaxation", "rest"]),
    })
}

pub(super) fn of_session(item: &Value) -> Vec<Value> {
    let instant = |member: &str| item[member].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let ends = instant("start_datetime").zip(instant("end_datetime"));
    let mut record = spanned("custom", &item["start_datetime"], &item["end_datetime"]);
    record["body"] = json!({
        "schema": "oura_session",
        "fields": { "type": item["type"], "mood": item["mood"] },
        "metrics": { "duration_s": ends.map(|(start, end)| end.as_seconds() - start.as_seconds()) },
    });
    vec![record]
}

/// Code, own name, and the tracker that they stand for.
const TAGS: [(Option<&str>, Option<&str>, &str); 6] = [
    (Some("tag_generic_caffeine"), None, "caffeine"),
    (Some("tag_generic_alcohol"), None, "alcohol"),
    (Some("tag_generic_sauna"), None, "sauna"),
    (Some("tag_sleep_earplugs"), None, "sleep_earplugs"),
    (Some("custom"), Some("Caffè – at work"), "caffè_at_work"),
    (None, None, "note"),
];

pub(super) fn tag(at: Timestamp, mut dice: Seeded) -> Value {
    let (code, name, _) = *dice.pick(&TAGS).unwrap_or(&TAGS[0]);
    let end = dice.chance(0.2).then(|| after(at, dice.whole(10, 60) * 60));
    let comment =
        if code.is_none() { Some("slept at a friend's") } else { dice.chance(0.3).then_some("double") };
    json!({
        "tag_type_code": code,
        "start_time": HOME.rfc3339(at),
        "end_time": end.map(|end| HOME.rfc3339(end)),
        "start_day": HOME.day(at),
        "end_day": end.map(|end| HOME.day(end)),
        "comment": comment,
        "custom_name": name,
    })
}

pub(super) fn of_tag(item: &Value) -> Vec<Value> {
    let known = TAGS.iter().find(|(code, ..)| item["tag_type_code"].as_str() == *code);
    let mut record = spanned("entry", &item["start_time"], &item["end_time"]);
    record["body"] = json!({
        "tracker": known.map(|(_, _, tracker)| tracker), "value": { "boolean": true }, "note": item["comment"],
    });
    vec![record]
}
