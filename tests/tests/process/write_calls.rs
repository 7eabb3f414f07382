//! SIGKILL at the k-th call that writes to the database of a three-page sync, for every k; and errors there.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::home::{Home, Kind};
use crate::lifehub::{Lifehub, Strava, changes, content};
use crate::need;
use crate::strace::{self, each};

/// The calls by which SQLite changes files.
const CALLS: [&str; 4] = ["pwrite64", "ftruncate", "fdatasync", "unlink"];

/// Three pages: two with activities, and the empty one that ends the list.
const ACTIVITIES: usize = 400;

#[test]
fn a_kill_at_each_write_of_a_three_page_sync_loses_nothing() {
    if !need::strace() {
        return;
    }
    let strava = Strava::with(3, ACTIVITIES, 100);
    let undisturbed = Lifehub::connected(Kind::Sqlite, &strava);
    assert_eq!(undisturbed.sync()["totals"]["pages"], 3);
    let expected = content(undisturbed.export());
    // A copy of a connected data folder for each kill.
    let fresh = Lifehub::connected(Kind::Sqlite, &strava);
    let mut killed = 0;
    for (n, call) in (0..).zip(CALLS) {
        for k in each(n) {
            let copy = copy_of(&fresh, &strava);
            let output = inject(&copy.1, call, "signal=SIGKILL", k);
            if output.status.success() {
                break;
            }
            killed += 1;
            let records = copy.1.names().len();
            assert!([0, 200, 400].contains(&records), "{call} {k}: {records} records are no whole pages");
            let report = copy.1.sync();
            let rest = (ACTIVITIES - records) as u64;
            assert_eq!(changes(&report), (rest, 0, 0), "{call} {k}: {report:#}");
            assert_eq!(content(copy.1.export()), expected, "{call} {k}");
        }
    }
    println!("{killed} kills");
    assert!(killed > 10, "only {killed} calls were found: does the injection still work?");
}

#[test]
fn an_io_error_at_each_write_fails_the_page_whole_and_the_next_sync_recovers() {
    if !need::strace() {
        return;
    }
    let strava = Strava::with(4, ACTIVITIES, 0);
    let fresh = Lifehub::connected(Kind::Sqlite, &strava);
    let mut failed = 0;
    for (n, call) in (0..).zip(["pwrite64", "fdatasync"]) {
        for k in each(n) {
            let copy = copy_of(&fresh, &strava);
            let output = inject(&copy.1, call, "error=EIO", k);
            if output.status.success() {
                // Nothing was left to fail, or it was no part of a page: all is there.
                assert_eq!(copy.1.names(), strava.truth(), "{call} {k}");
                if !String::from_utf8_lossy(&output.stderr).contains("INJECTED") {
                    break;
                }
                continue;
            }
            failed += 1;
            assert_eq!(output.status.code(), Some(1), "{call} {k}");
            // Reads go on, and what is there is whole pages.
            let records = copy.1.names().len();
            assert!([0, 200, 400].contains(&records), "{call} {k}: {records} records are no whole pages");
            assert_eq!(copy.1.sync()["connections"][0]["status"], "ok", "{call} {k}");
            assert_eq!(copy.1.names(), strava.truth(), "{call} {k}");
        }
    }
    println!("{failed} failures");
    assert!(failed > 5, "only {failed} calls failed: does the injection still work?");
}

/// Syncs while strace does something to the k-th such call on a file of the database.
fn inject(lifehub: &Lifehub, call: &str, what: &str, k: u64) -> Output {
    let wrapper = strace::inject(&lifehub.home.file(), call, what, k);
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    lifehub.under(&wrapper, &["sync", "--all", "--json"]).output().unwrap()
}

/// A copy of a data folder, and the program in it.
fn copy_of(lifehub: &Lifehub, strava: &Strava) -> (tempfile::TempDir, Lifehub) {
    let folder = tempfile::tempdir().unwrap();
    copy(&lifehub.home.data, folder.path());
    let copy = Lifehub::at(Home::at(folder.path()), strava);
    (folder, copy)
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_report_counts_what_a_killed_run_had_left() {
    // The copy helper copies what it should: the same report as in the original.
    let strava = Strava::with(5, 10, 0);
    let fresh = Lifehub::connected(Kind::Sqlite, &strava);
    let copy = copy_of(&fresh, &strava);
    let without_time = |mut report: Value| {
        report["connections"][0]["duration_ms"].take();
        report
    };
    assert_eq!(without_time(copy.1.sync()), without_time(fresh.sync()));
}
