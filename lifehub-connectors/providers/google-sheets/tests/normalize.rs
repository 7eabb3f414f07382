//! What the normalizer refuses. What it gives stands in `fixtures/rows.records.json`.
#![cfg(test)]

use lifehub_core::connector::Connector;
use lifehub_core::normalize::Reject;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::record::Record;
use lifehub_google_sheets::GoogleSheets;
use serde_json::{Value, json};

fn normalize(body: &Value) -> Result<Vec<Record>, Reject> {
    let body = RawJson::new(body.to_string()).unwrap();
    let item = RawItem { id: "1".into(), at: None, version: None, body };
    GoogleSheets.manifest().streams[0].normalizer.normalize(&item)
}

#[test]
fn what_is_no_fact_is_rejected_without_its_values() {
    let row = |date: Value, says: Value| json!({ "date": date, "as": says });
    let vital = |weight: Value| row(json!(46235), json!({ "vital": { "weight_kg": weight } }));
    let money = |cells: Value| row(json!(46235), json!({ "transaction": cells }));
    let custom = |metric: Value| {
        row(json!(46235), json!({ "custom": { "schema": "s", "metrics": { "m": metric }, "fields": {} } }))
    };
    assert!(normalize(&vital(json!(71.1234))).is_ok());
    let mut late = vital(json!(71));
    late["time"] = json!(12_340_000);
    for body in [
        late,
        vital(json!("71.1234 at home")),
        vital(json!(true)),
        vital(json!([71.1234])),
        row(json!("at home"), json!({ "vital": { "weight_kg": 1234 } })),
        row(json!(null), json!({ "vital": { "weight_kg": 1234 } })),
        money(json!({ "amount": 1234 })),
        money(json!({ "amount": 1234, "currency": "at home" })),
        money(json!({ "amount": 1e300, "currency": "EUR" })),
        money(json!({ "amount": "1.234,00 at home", "currency": "EUR" })),
        custom(json!("1234 at home")),
        row(json!(46235), json!({ "vital": { "weight_at_home": 1234 } })),
        json!("at home"),
    ] {
        let reason = normalize(&body).unwrap_err().to_string();
        assert!(
            !reason.is_empty() && !reason.contains("home") && !reason.contains("1234"),
            "{body}: {reason}"
        );
    }
}

#[test]
fn a_row_that_says_nothing_gives_no_record() {
    for says in [
        json!({ "vital": {} }),
        json!({ "vital": { "weight_kg": "" } }),
        json!({ "transaction": { "currency": "EUR", "payee": "Example Market" } }),
        json!({ "custom": { "schema": "s", "metrics": {}, "fields": { "x": "#N/A" } } }),
    ] {
        for date in [json!(46235), json!("no day"), json!(null)] {
            let records = normalize(&json!({ "date": date, "as": says })).unwrap();
            assert!(records.is_empty(), "{says} {date}");
        }
    }
}
