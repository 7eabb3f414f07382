//! The benchmark itself: it runs, its document is whole, and a run that is not does not count.
#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use lifehub_scratch::Scratch;
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
        .map(|row| {
            let names = ["scenario", "items", "per_page", "database", "pass", "program"];
            names.into_iter().map(|name| row[name].clone()).collect()
        })
        .collect();
    let postgres = lifehub_scratch::missing().is_none() && !progress.contains("is not on this machine");
    assert_eq!(document["machine"]["server"].is_string(), postgres, "{progress}");
    let databases = if postgres { &["sqlite", "postgres"][..] } else { &["sqlite"] };
    let mut expected = Vec::new();
    let mut expect = |scenario, items, per_page, passes: &[(&str, &str)]| {
        for database in databases {
            let row = |(pass, program): &(_, _)| json!([scenario, items, per_page, database, pass, program]);
            expected.extend(passes.iter().map(row));
        }
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
            let server = run["server_s"].as_f64().unwrap();
            assert!(if row["database"] == "sqlite" { server == 0.0 } else { server >= 0.0 }, "{row:#}");
        }
        if row["scenario"] == "far" {
            let pages = row["runs"][0]["pages"].as_f64().unwrap();
            let waited = pages * document["scale"]["latency_ms"].as_f64().unwrap() / 1000.0;
            assert!(row["median"]["wall_s"].as_f64().unwrap() >= waited, "{row:#}");
        }
    }
    // Two ratios, three peaks and a wall time for each size of a page, and the three peaks of the large round; on
    // PostgreSQL a ratio and the peaks.
    let reaches = 2 * (2 + 3 + 1) + 3 + if postgres { 2 * (1 + 3) + 3 } else { 0 };
    assert_eq!(document["reaches"].as_array().unwrap().len(), reaches, "{document:#}");
    assert_eq!(document["judged"], false);
}

#[test]
fn a_run_that_did_not_read_every_item_fails() {
    let mut provider = bench_sync(&["provider", "--items", "10", "--per-page", "4"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(provider.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = ready["url"].as_str().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let floor = ["floor", "read 10 of 11", ""];
    // What is there already is nothing new.
    let sync = ["sync", "First of 11", "First of 10"];
    for ([role, eleven, ten], program) in [(floor, "floor"), (sync, "lifehub")] {
        let checks = [("11", eleven), ("10", ten)];
        runs_are_checked(url, role, program, checks, None);
        if let Some(scratch) = runtime.block_on(Scratch::new()) {
            runs_are_checked(url, role, program, checks, Some(&scratch.url()));
        }
    }
    // Its standard input ends, and so does it.
    drop(provider.stdin.take());
    assert!(provider.wait().unwrap().success());
}

/// Over a provider of 10 items, with this database or a file: what each number of items is answered with.
fn runs_are_checked(url: &str, role: &str, program: &str, checks: [(&str, &str); 2], postgres: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let mut place = vec!["--dir", folder.path().to_str().unwrap()];
    place.extend(postgres.into_iter().flat_map(|postgres| ["--postgres", postgres]));
    let check = |args: &[&str], expected: &str| {
        let output = bench_sync(args).args(&place).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(i32::from(!expected.is_empty())), "{args:?}: {told}");
        assert!(told.contains(expected), "{args:?}: {told}");
    };
    for (items, expected) in checks {
        check(&[role, "--url", url, "--pass", "first", "--items", items], expected);
    }
    check(&["count", "--program", program, "--items", "10"], "");
    check(&["count", "--program", program, "--items", "11"], "stored 10 of 11");
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
    check(&["--database", "oracle"], "oracle");
    let help = bench_sync(&["--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout);
    assert!(help.contains("Examples:") && !help.contains("Commands:"), "{help}");
}
