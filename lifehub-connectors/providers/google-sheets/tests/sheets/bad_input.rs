//! What is wrong with a spreadsheet or its settings: one error that says what to do, and nothing lost.

use lifehub_core::ErrorKind;
use lifehub_core::engine::ErrorReport;
use lifehub_google_sheets::simulator::Sharing;
use lifehub_testkit::{Account, Change};
use serde_json::{Value, json};

use crate::rig::Rig;

/// Breaks a spreadsheet that was read, syncs, and mends it.
async fn broken(break_it: impl FnOnce(&Rig), mend: impl FnOnce(&Rig)) -> ErrorReport {
    let rig = Rig::new();
    rig.sync().await;
    rig.server.take_requests();
    break_it(&rig);
    let error = rig.refused().await;
    mend(&rig);
    rig.sync().await;
    rig.equals_truth();
    error
}

#[track_caller]
fn says(error: &ErrorReport, kind: ErrorKind, text: &str) {
    assert_eq!(error.kind, kind, "{error:?}");
    assert!(error.message.contains(text), "{error:?}");
}

#[tokio::test]
async fn a_sheet_that_was_moved_is_told_in_one_request() {
    for (sharing, kind, text) in [
        (Sharing::Unshared, ErrorKind::Forbidden, "may not read the spreadsheet"),
        (Sharing::Gone, ErrorKind::NotFound, "there is no spreadsheet at this address"),
        (Sharing::Office, ErrorKind::Invalid, "Microsoft's format"),
        (Sharing::Folder, ErrorKind::Invalid, "Google does not take the request"),
    ] {
        let set = |rig: &Rig| {
            rig.simulator.set_sharing(sharing);
        };
        let mend = |rig: &Rig| {
            assert_eq!(
                rig.server.take_requests().len(),
                1,
                "{sharing:?}: the other ranges are not asked for"
            );
            rig.simulator.set_sharing(Sharing::Readable);
        };
        says(&broken(set, mend).await, kind, text);
    }
}

#[tokio::test]
async fn a_missing_scope_and_a_switched_off_api_are_told_apart() {
    let scopes = [
        "https://www.googleapis.com/auth/spreadsheets.readonly",
        "https://www.googleapis.com/auth/spreadsheets",
        "https://www.googleapis.com/auth/drive.file",
        "https://www.googleapis.com/auth/drive.readonly",
        "https://www.googleapis.com/auth/drive",
    ];
    let withhold = |rig: &Rig| {
        for scope in scopes {
            assert!(rig.simulator.change(Change::Withhold(Some(scope.to_owned()))));
        }
    };
    let give = |rig: &Rig| assert!(rig.simulator.change(Change::Withhold(None)));
    let error = broken(withhold, give).await;
    says(&error, ErrorKind::Forbidden, "the consent does not include spreadsheets");

    let error = broken(|rig| rig.simulator.set_enabled(false), |rig| rig.simulator.set_enabled(true)).await;
    says(&error, ErrorKind::Forbidden, "switched off in the app's Cloud project");
    assert!(error.hint.unwrap().contains("Library"));
}

#[tokio::test]
async fn a_renamed_tab_is_told_and_stops_its_range_alone() {
    let rename = |rig: &Rig| {
        assert!(rig.simulator.rename_tab("Weight", "Weight 2026"));
        assert!(rig.simulator.change(Change::Edit(0)));
    };
    let error = broken(rename, |rig| assert!(rig.simulator.rename_tab("Weight 2026", "Weight"))).await;
    says(&error, ErrorKind::NotFound, "it was renamed or deleted");
    assert_eq!(error.partition.as_deref(), Some("weight"));
    assert!(error.hint.unwrap().contains("sheet_id"));
    assert!(!error.message.contains("2026"), "no title of the sheet's own is shown");

    // The other ranges go on.
    let rig = Rig::new();
    assert!(rig.simulator.delete_tab("Weight"));
    rig.refused().await;
    assert!(rig.stored().keys().any(|(range, ..)| range == "expenses"));
    assert!(rig.stored().keys().any(|(range, ..)| range == "habits"));
}

#[tokio::test]
async fn a_tab_that_is_renamed_between_two_requests_is_found_by_the_next_sync() {
    let mut rig = Rig::new();
    let range = json!({ "name": "expenses", "sheet_id": 1_730_455_512, "header": 3, "date": "Date",
        "as": { "transaction": { "spent": "Amount", "currency": "EUR" } } });
    rig.connection.settings["ranges"] = json!([range]);
    let simulator = rig.simulator.clone();
    rig.server.after(0, move || assert!(simulator.rename_tab("Expenses", "Spese")));
    says(&rig.refused().await, ErrorKind::Invalid, "the tab or the cells of the range are not there");
    assert!(rig.sync().await.inserted > 0);
}

#[tokio::test]
async fn a_tab_that_is_known_by_its_number_survives_a_rename() {
    let rig = Rig::new();
    rig.sync().await;
    assert!(rig.simulator.rename_tab("Expenses", "Dove vanno i soldi: '26!"));
    let counts = rig.sync().await;
    assert_eq!((counts.unchanged, counts.inserted), (60, 0));
    assert!(rig.simulator.delete_tab("Dove vanno i soldi: '26!"));
    says(&rig.refused().await, ErrorKind::NotFound, "no tab with the number that `sheet_id` names");
}

#[tokio::test]
async fn a_tab_without_cells_is_told() {
    let mut rig = Rig::new();
    rig.range(json!({ "tab": "Chart", "date": "D", "as": { "vital": { "weight_kg": "kg" } } }));
    says(&rig.refused().await, ErrorKind::Invalid, "the tab has no cells");
}

#[tokio::test]
async fn a_changed_header_is_told_by_the_member_that_names_it() {
    let rename = |rig: &Rig| assert!(rig.simulator.rename_header("Weight", "Weight kg", "Peso kg"));
    let back = |rig: &Rig| assert!(rig.simulator.rename_header("Weight", "Weight kg", "Weight kg"));
    let error = broken(rename, back).await;
    says(&error, ErrorKind::Invalid, "no column has the header \"Weight kg\" that `weight_kg` names");
    assert!(!error.message.contains("Peso"), "{error:?}");

    let rename = |rig: &Rig| assert!(rig.simulator.rename_header("Expenses", "Note", "Shop"));
    let back = |rig: &Rig| assert!(rig.simulator.rename_header("Expenses", "Note", "Note"));
    let error = broken(rename, back).await;
    says(&error, ErrorKind::Invalid, "two columns have the header \"Shop\" that `payee` names");
}

#[tokio::test]
async fn a_sheet_without_headers_is_no_empty_range() {
    let range = json!({ "date": "Date", "as": { "vital": { "weight_kg": "kg" } } });
    for cells in [json!([]), json!([[], ["Date", "kg"], [46235, 71.4]]), json!([[null, ""], [46235, 71.4]])] {
        let rig = Rig::with(range.clone(), json!([["Date", "kg"], [46235, 71.4]]));
        rig.sync().await;
        rig.simulator.write("Sheet", &cells);
        says(&rig.refused().await, ErrorKind::Invalid, "row 1 of the cells is empty");
    }
}

#[tokio::test]
async fn cells_outside_of_the_tab_are_told() {
    let mut rig = Rig::new();
    let range = |cells: &str| json!({ "tab": "Habits '26", "cells": cells, "date": "D", "as": { "vital": { "weight_kg": "kg" } } });
    rig.range(range("AA1:AC"));
    says(&rig.refused().await, ErrorKind::Invalid, "the tab or the cells of the range are not there");
}

#[tokio::test]
async fn errors_in_cells_keep_a_row_back_or_leave_a_text_out() {
    let range = json!({ "date": "Date", "key": "Id", "as": { "transaction": {
        "spent": "Amount", "currency": "EUR", "category": "Category" } } });
    let sheet = |amount: Value, category: &str| {
        json!([["Id", "Date", "Amount", "Category"], [1, 46235, amount, category], [2, 46236, 3.5, "Coffee"]])
    };
    let rig = Rig::with(range, sheet(json!(9.9), "Groceries"));
    rig.sync().await;
    let before = rig.told("/amount");
    for error in ["#N/A", "#REF!", "#DIV/0!", "#NAME?", "#VALUE!", "#NUM!", "#ERROR!", "Loading..."] {
        rig.simulator.write("Sheet", &sheet(json!(error), "Groceries"));
        let counts = rig.sync().await;
        assert_eq!((counts.quarantined, counts.deleted), (1, 0), "{error}");
        assert_eq!(rig.told("/amount"), before, "{error}: the last good record stays");
        assert_eq!(rig.quarantine(), ["the column of `spent` holds an error of the sheet"]);
    }
    rig.simulator.write("Sheet", &sheet(json!(9.9), "#N/A"));
    rig.sync().await;
    assert!(rig.quarantine().is_empty());
    assert_eq!(rig.told("/category"), ["2026-08-01 null", "2026-08-02 \"Coffee\""]);
}

#[tokio::test]
async fn a_row_without_its_key_is_kept_until_it_has_one() {
    let range = json!({ "date": "Date", "key": "Id", "as": { "vital": { "weight_kg": "kg" } } });
    let sheet = |id: Value| json!([["Id", "Date", "kg"], [id, 46235, 71.4], ["b", 46236, 71.2]]);
    let ahead = json!([["Id", "Date", "kg"], ["a", 46235, 71.4], [null, 46236], [null, 46237, ""]]);
    let counts = Rig::with(range.clone(), ahead).sync().await;
    assert_eq!((counts.inserted, counts.quarantined), (1, 0), "days that are laid out ahead need no key");
    for empty in [json!(null), json!("  "), json!("#N/A")] {
        let rig = Rig::with(range.clone(), sheet(empty));
        let counts = rig.sync().await;
        assert_eq!((counts.inserted, counts.quarantined), (1, 1));
        assert_eq!(rig.quarantine(), ["the column of `key` is empty or holds an error"]);
        rig.simulator.write("Sheet", &sheet(json!("a")));
        assert_eq!(rig.sync().await.inserted, 1);
        assert!(rig.quarantine().is_empty());
    }
}

#[tokio::test]
async fn a_column_that_is_all_wrong_stops_the_range_and_deletes_nothing() {
    let range = json!({ "date": "Date", "key": "Date", "as": { "vital": { "body_fat_ratio": "Fat" } } });
    let sheet = |factor: f64| {
        let rows = (0..40).map(|day| json!([46235 + day, 0.18 * factor]));
        json!(std::iter::once(json!(["Date", "Fat"])).chain(rows).collect::<Vec<_>>())
    };
    let rig = Rig::with(range, sheet(1.0));
    rig.sync().await;
    // 18 instead of 18 %.
    rig.simulator.write("Sheet", &sheet(100.0));
    let error = rig.refused().await;
    says(&error, ErrorKind::Poisoned, "`body_fat_ratio` is a fraction from 0 to 1: use a percent format");
}

#[tokio::test]
async fn an_unknown_zone_is_told_where_moments_are_read() {
    let rig = Rig::new();
    rig.simulator.set_zone("Mars/Olympus-Mons");
    let error = rig.refused().await;
    says(&error, ErrorKind::Invalid, "the spreadsheet's time zone is not known");
    assert_eq!(error.partition.as_deref(), Some("weight"));
}

#[tokio::test]
async fn a_range_that_is_too_large_is_told() {
    let text = "x".repeat(50_000);
    let rows: Vec<Value> = (0..400).map(|_| json!([46235, 1, text])).collect();
    let cells = json!(std::iter::once(json!(["Date", "kg", "Note"])).chain(rows).collect::<Vec<_>>());
    let mut rig = Rig::with(json!({ "date": "Date", "as": { "vital": { "weight_kg": "kg" } } }), cells);
    let error = rig.refused().await;
    says(&error, ErrorKind::TooLarge, "bytes");
    assert!(error.hint.unwrap().contains("fewer columns"));
    rig.range(json!({ "cells": "A:B", "date": "Date", "as": { "vital": { "weight_kg": "kg" } } }));
    assert_eq!(rig.sync().await.inserted, 400);
}

#[tokio::test]
async fn connecting_checks_that_every_tab_is_there() {
    let mut rig = Rig::new();
    rig.connection.settings["ranges"][2]["tab"] = json!("Habits");
    let error = rig.identify().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("(range: habits)"), "{error}");
    rig.simulator.set_sharing(Sharing::Office);
    assert!(rig.identify().await.unwrap_err().get_hint().unwrap().contains("Save as Google Sheets"));
}
