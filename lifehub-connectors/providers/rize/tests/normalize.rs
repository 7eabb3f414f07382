//! What the normalizers refuse, and which settings are taken. What they give stands in `fixtures/*.records.json`.
#![cfg(test)]

use lifehub_core::connector::Connector;
use lifehub_core::normalize::Reject;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::record::{DatasetInfo, Record};
use lifehub_rize::Rize;
use serde_json::{Value, json};

fn normalize(stream: &str, body: &Value) -> Result<Vec<Record>, Reject> {
    let body = RawJson::new(body.to_string()).unwrap();
    let item = RawItem { id: "1".into(), at: None, version: None, body };
    Rize.manifest().stream(stream).unwrap().normalizer.normalize(&item)
}

/// The metrics of a record.
fn metrics(records: &[Record]) -> Vec<(String, f64)> {
    let record = &records[0];
    let points = DatasetInfo::find(record.dataset()).unwrap().points(record.body(), record.when()).unwrap();
    points.into_iter().map(|point| (point.metric.into_owned(), point.value)).collect()
}

#[test]
fn work_hours_are_seconds() {
    let day = json!({ "date": "2026-08-13", "focusTime": 12_600, "breakTime": 2_400, "meetingTime": 3_600,
        "trackedTime": 27_000, "workHours": 25_200 });
    let records = normalize("daily_summary", &day).unwrap();
    let body: Value = serde_json::from_str(records[0].body()).unwrap();
    assert_eq!(body["categories"], json!({ "work": 25_200.0 }), "seven hours");
    assert_eq!((&body["focus_s"], &body["tracked_s"]), (&json!(12_600.0), &json!(27_000.0)));
}

#[test]
fn a_running_session_without_an_end_counts_nothing_yet() {
    let session = |end: Value| {
        json!({ "id": "1", "title": "Deep work", "type": "focus", "startTime": "2026-08-14T07:00:00Z",
            "endTime": end, "projects": [] })
    };
    let running = normalize("sessions", &session(json!(null))).unwrap();
    assert_eq!(metrics(&running), []);
    let ended = normalize("sessions", &session(json!("2026-08-14T07:50:00Z"))).unwrap();
    assert_eq!(metrics(&ended), [("focus.time".to_owned(), 3_000.0)]);
}

#[test]
fn what_is_no_session_or_day_is_rejected_without_its_values() {
    let session = json!({ "id": "1", "title": "x", "type": "focus", "startTime": "2026-08-14T07:00:00Z",
        "endTime": "2026-08-14T07:50:00Z", "projects": [{ "name": "y" }] });
    let day = json!({ "date": "2026-08-13", "focusTime": 60, "breakTime": 0, "meetingTime": 0,
        "trackedTime": 60, "workHours": 60 });
    let refused = |stream: &str, good: &Value, name: &str, value: Value| {
        assert!(normalize(stream, good).is_ok());
        let mut body = good.clone();
        body[name] = value;
        let reason = normalize(stream, &body).unwrap_err().to_string();
        assert!(!reason.is_empty() && !reason.contains("home"), "{name}: {reason}");
    };
    for (name, value) in [
        ("startTime", json!("at home")),
        ("startTime", json!(null)),
        ("startTime", json!(1_786_000_000)),
        ("endTime", json!("back home")),
        ("endTime", json!("2026-08-14T06:50:00Z")),
        ("type", json!(["home"])),
        ("title", json!({ "text": "home" })),
        ("projects", json!("home")),
    ] {
        refused("sessions", &session, name, value);
    }
    for (name, value) in [
        ("date", json!("the day at home")),
        ("date", json!(null)),
        ("focusTime", json!("home")),
        ("trackedTime", json!(-1)),
        ("workHours", json!(25_200_000)),
    ] {
        refused("daily_summary", &day, name, value);
    }
}

#[test]
fn settings_are_checked_before_anything_is_asked() {
    let schema = Rize.manifest().settings;
    schema.check(&json!({})).unwrap();
    schema.check(&json!({ "start": "2020-01-01" })).unwrap();
    for (settings, word) in [
        (json!({ "start": "2019-12-31" }), "2020-01-01"),
        (json!({ "start": "someday" }), "no day like 2026-03-01"),
        (json!({ "api_key": "made-up" }), "unknown field"),
    ] {
        let error = schema.check(&settings).unwrap_err().to_string();
        assert!(error.contains(word) && !error.contains("made-up"), "{error}");
    }
    assert_eq!(schema.from_pairs([("start", "2024-02-01")]).unwrap(), json!({ "start": "2024-02-01" }));
}
