//! Rows: which cells belong to which column, what tells one row from another, and what becomes of those that go.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::engine::{RunStatus, SyncOptions};
use lifehub_testkit::{Account, Change, Fault, FaultPlan};
use serde_json::{Value, json};

use crate::rig::Rig;

fn weights() -> Value {
    json!({ "date": "Date", "as": { "vital": { "weight_kg": "kg" } } })
}

fn expenses() -> Value {
    json!({ "date": "Date", "as": { "transaction": { "spent": "Amount", "currency": "EUR", "payee": "Shop" } } })
}

#[tokio::test]
async fn every_range_has_its_rows_and_a_second_sync_changes_nothing() {
    let rig = Rig::new();
    let counts = rig.sync().await;
    assert_eq!((counts.pages, counts.quarantined), (3, 0), "a page for each range");
    rig.equals_truth();
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted, counts.unchanged), (0, 0, 0, 60));
}

#[tokio::test]
async fn short_runs_reach_every_range() {
    let rig = Rig::new();
    let mut options = SyncOptions::default();
    options.max_pages = 1;
    for pages in 1..=3 {
        rig.clock.advance(Duration::from_secs(1));
        let report = rig.engine().sync(&rig.connection, &options).await.unwrap();
        assert_eq!((report.totals().pages, report.status), (1, RunStatus::Incomplete), "run {pages}");
    }
    rig.equals_truth();
}

#[tokio::test]
async fn cells_of_another_tab_are_never_taken() {
    let rig = Rig::new();
    // From the second range's cells on, those of the first come again.
    rig.server.set_faults(FaultPlan::none().from(4, Fault::Repeat));
    let error = rig.refused().await;
    assert_eq!(error.kind, ErrorKind::InvalidResponse, "{error:?}");
    assert!(error.message.contains("another tab"), "{error:?}");
    assert!(rig.stored().keys().all(|(range, ..)| range == "weight"));
    rig.server.set_faults(FaultPlan::none());
    rig.sync().await;
    rig.equals_truth();
}

#[tokio::test]
async fn cells_are_asked_for_unformatted_with_serial_dates_and_without_their_titles_in_the_path() {
    let rig = Rig::new();
    rig.sync().await;
    let asked = rig.server.take_requests();
    let (structure, cells): (Vec<_>, Vec<_>) =
        asked.iter().partition(|request| !request.path.contains("values"));
    assert_eq!((structure.len(), cells.len()), (3, 3));
    for request in &cells {
        assert!(request.path.ends_with("/values:batchGet"), "{}", request.path);
        let options = [
            "valueRenderOption=UNFORMATTED_VALUE",
            "dateTimeRenderOption=SERIAL_NUMBER",
            "majorDimension=ROWS",
        ];
        assert!(options.iter().all(|option| request.query.contains(option)), "{}", request.query);
    }
    assert!(cells[2].query.contains("ranges=%27Habits+%27%2726%27%21B2%3AF"), "{}", cells[2].query);
}

#[tokio::test]
async fn ragged_rows_gaps_and_blank_rows_keep_their_columns() {
    let range = json!({ "date": "Date", "as": { "custom": {
        "schema": "log", "metrics": { "a": "A", "b": "B" }, "fields": { "note": "Note" } } } });
    let rig = Rig::with(
        range,
        json!([
            ["Date", "A", "unused", "B", "Note", "Done"],
            [46235, 1, "x", 2, "all of it"],
            [46236, 1],
            [46237, null, null, 2],
            [],
            [46238],
            [null, null, null, null, null, false],
            [46239, "", "", "", "only a note"],
        ]),
    );
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.quarantined), (4, 0));
    let bodies: Vec<Value> = rig.stored().values().map(|record| record["body"].clone()).collect();
    let expected = [
        json!({ "schema": "log", "metrics": { "a": 1.0, "b": 2.0 }, "fields": { "note": "all of it" } }),
        json!({ "schema": "log", "metrics": { "a": 1.0 } }),
        json!({ "schema": "log", "metrics": { "b": 2.0 } }),
        json!({ "schema": "log", "fields": { "note": "only a note" } }),
    ];
    assert!(expected.iter().all(|body| bodies.contains(body)), "{bodies:?}");
}

#[tokio::test]
async fn equal_rows_are_kept_apart_by_their_number() {
    let coffee = json!([46235, "Café Sample", 1.2]);
    let sheet = |rows: &[&Value]| {
        let mut cells = vec![json!(["Date", "Shop", "Amount"])];
        cells.extend(rows.iter().map(|row| (*row).clone()));
        json!(cells)
    };
    let other = json!([46235, "Example Market", 20]);
    let rig = Rig::with(expenses(), sheet(&[&coffee, &other, &coffee, &coffee]));
    assert_eq!(rig.sync().await.inserted, 4);
    let places = rig.stored();
    let mut ids: Vec<&str> = places.keys().map(|(_, id, _)| id.as_str()).collect();
    ids.sort_by_key(|id| id.rsplit_once('#').map(|(_, nth)| nth));
    assert_eq!(ids.iter().map(|id| id.rsplit_once('#').unwrap().1).collect::<Vec<_>>(), ["1", "1", "2", "3"]);

    // Whichever of them goes, one of three is gone; where they stand does not matter.
    rig.simulator.write("Sheet", &sheet(&[&coffee, &coffee, &other]));
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, counts.inserted, counts.updated, counts.unchanged), (1, 0, 0, 3));

    // An edit makes another row of it.
    let edited = json!([46235, "Café Sample", 1.4]);
    rig.simulator.write("Sheet", &sheet(&[&coffee, &edited, &other]));
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, counts.inserted), (1, 1));
    let edited = "2026-08-01 \"-1.40\"".to_owned();
    assert!(rig.told("/amount").contains(&edited), "{:?}", rig.told("/amount"));
}

#[tokio::test]
async fn a_key_column_keeps_the_record_over_edits() {
    let mut range = weights();
    range["key"] = json!("Date");
    let rig = Rig::with(range, json!([["Date", "kg"], [46235, 71.4], [46236, 71.2], [46236, 71.1]]));
    assert_eq!(rig.sync().await.inserted, 3);
    let before = rig.stored();
    rig.simulator.write("Sheet", &json!([["Date", "kg"], [46235, 71.5], [46236, 71.2], [46236, 71.0]]));
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (0, 2, 0));
    let ids: Vec<&str> = before.keys().map(|(_, id, _)| id.as_str()).collect();
    assert_eq!(ids, ["46235#1", "46236#1", "46236#2"], "the second row of a day is another one");
    assert!(rig.stored().iter().all(|(place, record)| before[place]["id"] == record["id"]));
}

#[tokio::test]
async fn keys_of_any_length_and_kind_are_told_apart() {
    let mut range = weights();
    range["key"] = json!("Key");
    let long = "k".repeat(5_000);
    let rows = json!([
        ["Key", "Date", "kg"],
        [long, 46235, 1],
        [format!("{long}!"), 46235, 2],
        [true, 46235, 3],
        ["a#2", 46235, 4],
        ["a", 46235, 5],
        ["a", 46235, 6]
    ]);
    let rig = Rig::with(range, rows);
    assert_eq!(rig.sync().await.inserted, 6);
    assert!(rig.stored().keys().all(|(_, id, _)| id.len() < 210));
}

#[tokio::test]
async fn sorting_moving_and_adding_columns_changes_nothing() {
    let rig = Rig::new();
    rig.sync().await;
    rig.simulator.set_newest_first(true);
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (0, 0, 0));

    let rig = Rig::with(weights(), json!([["Date", "kg"], [46235, 71.4]]));
    rig.sync().await;
    rig.simulator.write("Sheet", &json!([["New", " kg\n", "Date "], ["x", 71.4, 46235]]));
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted, counts.unchanged), (0, 0, 0, 1));
}

#[tokio::test]
async fn rows_that_go_are_deleted_and_a_cleared_sheet_is_held() {
    let rig = Rig::new();
    rig.sync().await;
    assert!(rig.simulator.change(Change::Delete { from: 3, count: 2 }));
    assert!(rig.sync().await.deleted >= 2);
    rig.equals_truth();

    let rig = Rig::with(weights(), json!([["Date", "kg"], [46235, 71.4], [46236, 71.2]]));
    rig.sync().await;
    rig.simulator.write("Sheet", &json!([["Date", "kg"]]));
    let report = rig.report().await;
    let counts = report.totals();
    assert_eq!((report.status, counts.held, counts.deleted), (RunStatus::Incomplete, 2, 0));
    rig.clock.advance(Duration::from_secs(3_600));
    assert_eq!(rig.sync().await.deleted, 2, "the next pass agrees");
}

#[tokio::test]
async fn a_wider_mapping_is_read_into_the_same_items() {
    let mut rig = Rig::with(
        json!({ "date": "Date", "key": "Date", "as": { "vital": { "weight_kg": "kg" } } }),
        json!([["Date", "kg", "fat"], [46235, 71.4, 0.18]]),
    );
    rig.sync().await;
    rig.range(json!({ "date": "Date", "key": "Date",
        "as": { "vital": { "weight_kg": "kg", "body_fat_ratio": "fat" } } }));
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (1, 0, 0));
}

#[tokio::test]
async fn a_header_that_changes_in_sheet_and_settings_changes_no_row() {
    let mut rig = Rig::with(weights(), json!([["Date", "kg"], [46235, 71.4]]));
    rig.sync().await;
    rig.simulator.write("Sheet", &json!([["Data", "Peso kg"], [46235, 71.4]]));
    rig.range(json!({ "date": "Data", "as": { "vital": { "weight_kg": "Peso kg" } } }));
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.deleted, counts.unchanged), (0, 0, 1));
}

#[tokio::test]
async fn money_is_exact_and_its_sign_follows_from_the_column() {
    let range = json!({ "date": "Date", "as": { "transaction": {
        "spent": "Out", "received": "In", "currency": "eur", "currency_column": "Cur" } } });
    let rig = Rig::with(
        range,
        json!([
            ["Date", "Out", "In", "Cur"],
            // What 1.1 + 2.2 is in binary.
            [46235, 3.3000000000000003, null, "usd"],
            [46236, null, 1_250.5],
            [46237, 0, 7],
            [46238, -3, null],
            [46239, null, null],
            [46240, 0.1, 0.2],
        ]),
    );
    let counts = rig.sync().await;
    assert_eq!(
        rig.told("/amount"),
        ["2026-08-01 \"-3.30\"", "2026-08-02 \"1250.50\"", "2026-08-03 \"7.00\"", "2026-08-04 \"3.00\"",]
    );
    assert_eq!(rig.told("/currency")[..2], ["2026-08-01 \"USD\"", "2026-08-02 \"EUR\""]);
    assert_eq!(counts.quarantined, 1);
    assert_eq!(rig.quarantine(), ["both `spent` and `received` hold an amount"]);
}
