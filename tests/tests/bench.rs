//! The benchmark itself: it runs, its document is whole, and a run that is not does not count.
#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn bench_sync(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-sync"));
    command.args(args).stdin(Stdio::null());
    command
}

#[test]
fn a_quick_run_measures_everything_and_prints_one_document() {
    let output = bench_sync(&["--quick", "--items", "600", "--large", "1100", "--json"]).output().unwrap();
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{progress}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();

    for name in ["cpu", "cores", "kernel", "rustc", "file_system", "build"] {
        assert!(!document["machine"][name].is_null(), "{name}: {document:#}");
    }
    let rows = document["rows"].as_array().unwrap();
    let found: Vec<Value> = rows
        .iter()
        .map(|row| json!([row["scenario"], row["items"], row["per_page"], row["pass"], row["program"]]))
        .collect();
    let mut expected = Vec::new();
    let mut expect = |scenario, items, per_page, passes: &[(&str, &str)]| {
        let row = |(pass, program): &(_, _)| json!([scenario, items, per_page, pass, program]);
        expected.extend(passes.iter().map(row));
    };
    let near = [
        ("first", "lifehub"),
        ("first", "floor"),
        ("live", "lifehub"),
        ("full", "lifehub"),
        ("full", "floor"),
    ];
    for per_page in [200, 1000] {
        expect("near", 600, per_page, &near);
        expect("far", 600, per_page, &near[..2]);
    }
    expect("large", 1100, 1000, &near);
    assert_eq!(found, expected);

    for row in rows {
        let (items, per_page) = (row["items"].as_u64().unwrap(), row["per_page"].as_u64().unwrap());
        for run in row["runs"].as_array().unwrap() {
            let read = run["items"].as_u64().unwrap();
            match row["pass"].as_str().unwrap() {
                // Only what the look-back reads again.
                "live" => assert!((1..items).contains(&read), "{row:#}"),
                // A full pass of the sync goes after a live one.
                "full" => assert!(read >= items, "{row:#}"),
                _ => {
                    assert_eq!(read, items, "{row:#}");
                    // The list ends with an empty page.
                    assert_eq!(run["pages"].as_u64().unwrap(), items.div_ceil(per_page) + 1, "{row:#}");
                }
            }
            for figure in ["wall_s", "peak_bytes"] {
                assert!(run[figure].as_f64().unwrap() > 0.0, "{figure}: {row:#}");
            }
            assert!(run["user_s"].as_f64().unwrap() + run["system_s"].as_f64().unwrap() > 0.0, "{row:#}");
        }
        if row["scenario"] == "far" {
            let pages = row["runs"][0]["pages"].as_f64().unwrap();
            let waited = pages * document["scale"]["latency_ms"].as_f64().unwrap() / 1000.0;
            assert!(row["median"]["wall_s"].as_f64().unwrap() >= waited, "{row:#}");
        }
    }
    // Two ratios, three peaks and a wall time for each size of a page, and the three peaks of the large round.
    assert_eq!(document["reaches"].as_array().unwrap().len(), 2 * (2 + 3 + 1) + 3, "{document:#}");
    assert_eq!(document["judged"], false);
}

#[test]
fn a_run_that_did_not_read_every_item_fails() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let mut provider = bench_sync(&["provider", "--items", "10", "--per-page", "4"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(provider.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = ready["url"].as_str().unwrap();
    let check = |role: &str, items: &str, expected: &str| {
        let args = [role, "--url", url, "--dir", dir, "--pass", "first", "--items", items];
        let output = bench_sync(&args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(i32::from(!expected.is_empty())), "{role} {items}: {told}");
        assert!(told.contains(expected), "{role} {items}: {told}");
    };
    check("floor", "11", "read 10 of 11");
    check("floor", "10", "");
    check("sync", "11", "First of 11");
    // What is there already is nothing new.
    check("sync", "10", "First of 10");
    let count = |program: &str, items: &str, expected: &str| {
        let args = ["count", "--dir", dir, "--program", program, "--items", items];
        let output = bench_sync(&args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(expected), "{program} {items}: {told}");
        assert_eq!(output.status.success(), expected.is_empty(), "{program} {items}: {told}");
    };
    for program in ["lifehub", "floor"] {
        count(program, "10", "");
        count(program, "11", "stored 10 of 11");
    }
    // Its standard input ends, and so does it.
    drop(provider.stdin.take());
    assert!(provider.wait().unwrap().success());
}

#[test]
fn wrong_use_is_told_as_such() {
    let check = |args: &[&str], expected: &str| {
        let output = bench_sync(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(expected), "{args:?}: {told}");
    };
    check(&["--items", "0"], "write a number from 1");
    check(&["--per-page", "many"], "write a number from 1");
    check(&["--fast"], "--fast");
    let help = bench_sync(&["--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout);
    assert!(help.contains("Examples:") && !help.contains("Commands:"), "{help}");
}
