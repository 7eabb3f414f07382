//! What the normalizer refuses. What it gives stands in `fixtures/daily.records.json`.
#![cfg(test)]

use lifehub_core::connector::Connector;
use lifehub_core::normalize::Reject;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::record::Record;
use lifehub_open_meteo::OpenMeteo;
use serde_json::{Value, json};

fn normalize(body: &Value) -> Result<Vec<Record>, Reject> {
    let body = RawJson::new(body.to_string()).unwrap();
    let item = RawItem { id: "1".into(), at: None, version: None, body };
    OpenMeteo.manifest().streams[0].normalizer.normalize(&item)
}

#[test]
fn what_no_weather_can_be_is_rejected_without_its_values() {
    let day = |values: Value| json!({ "day": "2026-01-01", "source": "archive", "place": "home", "values": values });
    assert!(normalize(&day(json!({ "temperature_2m_max": -12.5, "weather_code": 75.0 }))).is_ok());
    for values in [
        json!({ "temperature_2m_max": "warm at home" }),
        json!({ "temperature_2m_min": 71.1234 }),
        json!({ "temperature_2m_mean": -1234.0 }),
        json!({ "precipitation_sum": -0.1234 }),
        json!({ "wind_speed_10m_max": 1234 }),
        json!({ "sunshine_duration": 86401.1234 }),
        json!({ "weather_code": 61.1234 }),
        json!({ "weather_code": 1234 }),
        json!("warm at home"),
    ] {
        let reason = normalize(&day(values.clone())).unwrap_err().to_string();
        assert!(
            !reason.is_empty() && !reason.contains("home") && !reason.contains("1234"),
            "{values}: {reason}"
        );
    }
    assert!(
        normalize(&json!({ "day": "someday", "source": "archive", "place": "home", "values": {} })).is_err()
    );
}
