//! What a user may set, and what is said of what makes no sense.
#![cfg(test)]

use lifehub_core::ErrorKind;
use lifehub_core::connector::{Connector, SettingsSchema};
use lifehub_google_sheets::GoogleSheets;
use serde_json::{Value, json};

const ADDRESS: &str =
    "https://docs.google.com/spreadsheets/d/1ExAmPlEsPrEaDsHeEtId0000000000000000000000/edit?gid=0#gid=0";

fn schema() -> SettingsSchema {
    GoogleSheets.manifest().settings
}

fn weight() -> Value {
    json!({ "name": "weight", "tab": "Weight", "date": "Date", "as": { "vital": { "weight_kg": "Weight kg" } } })
}

fn expenses() -> Value {
    json!({ "name": "expenses", "tab": "Expenses", "date": "Date",
            "as": { "transaction": { "spent": "Amount", "currency": "EUR" } } })
}

fn habits() -> Value {
    json!({ "name": "habits", "tab": "Habits", "date": "Date",
            "as": { "custom": { "schema": "habits", "metrics": { "pushups": "Push-ups" } } } })
}

/// What is said of settings with this range among them.
fn said(range: Value) -> String {
    let settings = json!({ "spreadsheet": ADDRESS, "ranges": [weight(), range] });
    let error = schema().check(&settings).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.message().strip_prefix("the settings are not valid: ").unwrap().to_owned()
}

/// A range with another value at this place of it.
fn with(mut range: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match range.pointer_mut(parent).unwrap() {
        Value::Object(members) if value.is_null() => _ = members.remove(name),
        members => members[name] = value,
    }
    range
}

#[test]
fn settings_are_written_on_the_command_line() {
    let ranges = json!([weight(), expenses(), habits()]).to_string();
    for spreadsheet in [ADDRESS, "1ExAmPlEsPrEaDsHeEtId0000000000000000000000"] {
        let pairs = [("spreadsheet", spreadsheet), ("ranges", ranges.as_str())];
        let settings = schema().from_pairs(pairs).unwrap();
        assert_eq!(settings["ranges"][1]["name"], "expenses");
    }
    let error = schema().from_pairs([("spreadsheet", ADDRESS), ("ranges", "[{")]).unwrap_err();
    assert!(error.message().ends_with("ranges: write a JSON list of at least one range, [{…}]"), "{error}");
    let error = schema().from_pairs([("spreadsheet", ADDRESS)]).unwrap_err();
    assert!(error.message().ends_with("missing field `ranges`"), "{error}");
}

#[test]
fn every_setting_has_its_help() {
    let schema = serde_json::to_value(schema().schema()).unwrap();
    let mut pending = vec![("", &schema)];
    let mut members = 0;
    while let Some((name, part)) = pending.pop() {
        for (name, member) in part["properties"].as_object().into_iter().flatten() {
            members += 1;
            // A choice is described as a whole.
            let help = member["description"].as_str().or(part["description"].as_str());
            assert!(help.is_some_and(|help| !help.is_empty()), "{name}");
            pending.push((name, member));
        }
        let parts = part["$defs"].as_object().into_iter().flatten().map(|(name, part)| (name.as_str(), part));
        pending.extend(parts);
        pending.extend(part["oneOf"].as_array().into_iter().flatten().map(|part| (name, part)));
    }
    assert!(members > 25, "{members}");
}

#[test]
fn the_spreadsheet_is_an_address_or_an_id() {
    for wrong in [
        "",
        "Life log",
        "https://docs.google.com/spreadsheets/u/0/",
        "https://docs.google.com/spreadsheets/d/e/2PACX-1example/pubhtml",
    ] {
        let settings = json!({ "spreadsheet": wrong, "ranges": [weight()] });
        let error = schema().check(&settings).unwrap_err();
        assert!(error.message().contains("spreadsheet: that is neither"), "{wrong}: {error}");
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    let check = |range: Value, expected: &str| {
        let said = said(range.clone());
        assert!(said.starts_with("ranges[1]") && said.contains(expected), "{range}: {said}");
    };
    // The form of each member.
    check(
        with(habits(), "/header", json!("first")),
        "ranges[1].header: invalid type: string …, expected usize",
    );
    check(with(habits(), "/heder", json!(1)), "ranges[1].heder: unknown field …, expected one of name, tab");
    check(with(habits(), "/date", json!(7)), "ranges[1].date: invalid type");
    check(with(habits(), "/date", json!(" ")), "ranges[1].date: it names no column");
    check(with(habits(), "/name", json!(null)), "ranges[1]: missing field name");
    check(
        with(habits(), "/as", json!({ "vitals": {} })),
        "ranges[1].vitals: unknown variant …, expected one of vital",
    );
    check(json!("weight"), "ranges[1]");
    let unknown = said(with(weight(), "/as/vital/weight", json!("Weight")));
    assert!(
        unknown.starts_with("ranges[1].weight: unknown variant …, expected one of weight_kg, "),
        "{unknown}"
    );

    // What they say together.
    check(weight(), "ranges[1].name: another range has it");
    check(with(habits(), "/name", json!("My habits")), "ranges[1].name: write up to 64");
    check(
        with(habits(), "/tab", json!(null)),
        "ranges[1].tab: the range habits names neither tab nor sheet_id",
    );
    check(
        with(habits(), "/date", json!(null)),
        "ranges[1].date: the range habits names neither date nor time",
    );
    check(with(habits(), "/header", json!(0)), "ranges[1].header: rows are counted from 1");
    for cells in ["A", "Habits!A:F", "A:", "A0:F", "$A:$F", "ABCD:E", "A:F:G", "R1C1:R2C2"] {
        check(with(habits(), "/cells", json!(cells)), "ranges[1].cells: write them as A:F or B3:H200");
    }
    for cells in ["A:F", "b3:h200", "A2:F", "3:50"] {
        let range = with(habits(), "/cells", json!(cells));
        schema().check(&json!({ "spreadsheet": ADDRESS, "ranges": [range] })).unwrap();
    }
    check(
        json!({ "name": "other", "tab": "T", "date": "D", "as": { "vital": {} } }),
        "ranges[1].as.vital: name",
    );
    let other = json!({ "name": "other", "tab": "T", "date": "D", "as": { "vital": { "other": "X" } } });
    check(other, "ranges[1].as.vital.other");
    let money = |member: &str, value: Value| with(expenses(), &format!("/as/transaction/{member}"), value);
    check(money("amount", json!("Sum")), "ranges[1].as.transaction.amount: name either amount, or");
    check(money("spent", json!(null)), "ranges[1].as.transaction.amount: name either amount, or");
    check(money("currency", json!(null)), "ranges[1].as.transaction.currency: set it");
    check(money("currency", json!("€")), "ranges[1].as.transaction.currency: write its code");
    let custom = |member: &str, value: Value| with(habits(), &format!("/as/custom/{member}"), value);
    check(custom("schema", json!("My habits")), "ranges[1].as.custom.schema");
    check(custom("metrics", json!({})), "ranges[1].as.custom.metrics: name at least one column");
    check(custom("metrics", json!({ "Push ups": "P" })), "ranges[1].as.custom.metrics: name metrics");
    check(
        custom("fields", json!({ "pushups": "P" })),
        "ranges[1].as.custom.fields: a metric has the same name",
    );
}

#[test]
fn the_examples_of_the_readme_are_settings() {
    let readme = include_str!("../README.md");
    let blocks = readme.split("```json").skip(1).map(|rest| rest.split("```").next().unwrap());
    let ranges: Vec<Value> = blocks.map(|block| serde_json::from_str(block).unwrap()).collect();
    assert_eq!(ranges.len(), 3);
    schema().check(&json!({ "spreadsheet": ADDRESS, "ranges": ranges })).unwrap();
}
