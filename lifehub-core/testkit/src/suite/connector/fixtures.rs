//! Fixtures: items as a provider sends them, and the records that they are to give.
//!
//! `STREAM.json` is a list of bodies of items. `STREAM.records.json` is a list of as many lists of records, or
//! `{"reject": reason}` for an item that the normalizer refuses. With `LIFEHUB_FIXTURES=write` in the environment the
//! latter is written instead of read; whoever does that reads what was written.

use std::fs;
use std::path::Path;

use lifehub_core::clock::Zone;
use lifehub_core::connector::StreamSpec;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::record::{Moment, Record};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::suite::{Failure, ensure};

/// Checks the fixtures of one stream.
pub(super) fn check(folder: &Path, stream: &StreamSpec) -> Result<(), Failure> {
    let name = format!("{}.json", stream.name);
    let text = fs::read_to_string(folder.join(&name)).map_err(|e| {
        Failure::new(format!("fixtures/{name} cannot be read ({e}): a list of items as they come"))
    })?;
    let bodies: Vec<Box<RawValue>> = serde_json::from_str(&text)
        .map_err(|e| Failure::new(format!("fixtures/{name} is no JSON list of items: {e}")))?;
    ensure!(!bodies.is_empty(), "fixtures/{name} is empty");
    let mut given = Vec::new();
    for (place, body) in bodies.iter().enumerate() {
        let body = RawJson::new(body.get().to_owned())?;
        let item = RawItem { id: format!("fixture-{}", place + 1), at: None, version: None, body };
        let once = outcome(stream, &item);
        ensure!(once == outcome(stream, &item), "{name}: item {} gives other records each time", place + 1);
        for record in once.as_array().into_iter().flatten() {
            let dataset = record["dataset"].as_str().unwrap_or_default();
            ensure!(
                stream.datasets.contains(&dataset),
                "{name}: item {} gives a record of {dataset:?}, which the stream does not declare",
                place + 1
            );
        }
        given.push(once);
    }
    let records = format!("{}.records.json", stream.name);
    let path = folder.join(&records);
    if std::env::var_os("LIFEHUB_FIXTURES").is_some_and(|value| value == "write") {
        let mut text = serde_json::to_string_pretty(&given).unwrap_or_default();
        text.push('\n');
        return Ok(fs::write(path, text)?);
    }
    let hint = "run the tests with LIFEHUB_FIXTURES=write, then read what was written";
    let expected = fs::read_to_string(path)
        .map_err(|e| Failure::new(format!("fixtures/{records} cannot be read ({e}): {hint}")))?;
    let expected: Vec<Value> = serde_json::from_str(&expected)
        .map_err(|e| Failure::new(format!("fixtures/{records} is no JSON list: {e}")))?;
    ensure!(
        expected.len() == given.len(),
        "fixtures/{name} has {} items, fixtures/{records} is for {}: {hint}",
        given.len(),
        expected.len()
    );
    for (place, (given, expected)) in given.iter().zip(&expected).enumerate() {
        ensure!(
            given == expected,
            "item {} of fixtures/{name} gives\n  {given}\nbut fixtures/{records} has\n  {expected}\n  if that is \
             meant, raise the stream's version, and {hint}",
            place + 1
        );
    }
    Ok(())
}

fn outcome(stream: &StreamSpec, item: &RawItem) -> Value {
    match stream.normalizer.normalize(item) {
        Ok(records) => records.iter().map(shown).collect(),
        Err(reject) => json!({ "reject": reject.reason() }),
    }
}

/// A record as every store publishes it, for a user who lives in UTC.
fn shown(record: &Record) -> Value {
    let when = record.when();
    json!({
        "key": record.get_key(),
        "dataset": record.dataset(),
        "start": when.start().map(Moment::to_rfc3339),
        "end": when.end().map(Moment::to_rfc3339),
        "zone": when.zone().map(Zone::name),
        "day": record.day(&Zone::utc()),
        "body": serde_json::from_str::<Value>(record.body()).unwrap_or_default(),
    })
}
