//! What the normalizer refuses. What it gives stands in `fixtures/activities.records.json`.
#![cfg(test)]

use lifehub_core::connector::Connector;
use lifehub_core::normalize::Reject;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::record::Record;
use lifehub_strava::Strava;
use serde_json::{Value, json};

fn normalize(body: &Value) -> Result<Vec<Record>, Reject> {
    let body = RawJson::new(body.to_string()).unwrap();
    let item = RawItem { id: "1".into(), at: None, version: None, body };
    Strava.manifest().streams[0].normalizer.normalize(&item)
}

#[test]
fn what_is_no_activity_is_rejected_without_its_values() {
    let good = json!({ "sport_type": "Run", "start_date": "2026-08-10T01:12:40Z" });
    assert!(normalize(&good).is_ok());
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        normalize(&body).unwrap_err().to_string()
    };
    for reason in [
        with("start_date", json!("yesterday, at my home")),
        with("start_date", json!(null)),
        with("distance", json!("far away")),
        with("elapsed_time", json!(-5)),
        with("map", json!("the way home")),
        normalize(&json!({ "start_date": "2026-08-10T01:12:40Z" })).unwrap_err().to_string(),
        normalize(&json!([])).unwrap_err().to_string(),
    ] {
        assert!(!reason.is_empty() && !reason.contains("home") && !reason.contains("far"), "{reason}");
    }
}
