//! The doctor: finds what is wrong, says what to do, touches nothing.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::home::{Home, Run, strava};

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The lines that are not ok, with their status.
#[track_caller]
fn findings(run: &Run) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let report = run.json();
    let checks = report["checks"].as_array().unwrap().iter();
    let found = checks.filter(|check| check["status"] != "ok");
    found.map(|check| (text(&check["status"]), text(&check["check"]), check.clone())).collect()
}

#[track_caller]
fn finds(run: &Run, status: &str, check: &str, part: &str) {
    let found = findings(run);
    let one =
        found.iter().find(|(_, name, _)| name == check).unwrap_or_else(|| panic!("no {check}: {run:#?}"));
    assert!(one.0 == status && one.2["message"].as_str().unwrap().contains(part), "{run:#?}");
    assert!(one.2["hint"].is_string(), "{run:#?}");
}

#[test]
fn a_sound_installation_is_sound() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let run = home.run(&["doctor", "--json"]).exits(0);
    assert_eq!(findings(&run), [], "{run:#?}");
    assert_eq!(run.json()["status"], "ok");
    let text = home.run(&["doctor"]).exits(0).out;
    for part in ["ok    configuration", "ok    key file", "ok    roll-ups", "ok    connection to strava"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn before_the_first_connection_nothing_is_made() {
    let home = Home::new();
    let run = home.run(&["doctor", "--json"]).exits(0);
    finds(&run, "warn", "data directory", "not there yet");
    finds(&run, "warn", "database", "not there yet");
    assert!(home.is_untouched());
}

#[test]
fn a_wrong_configuration_is_a_finding() {
    let home = Home::new().with("LIFEHUB_COLOUR", "red");
    let run = home.run(&["doctor", "--json"]).exits(1);
    finds(&run, "fail", "configuration", "\"colour\"");
    assert_eq!(run.json()["status"], "fail");
    assert!(home.run(&["doctor"]).exits(1).out.starts_with("fail  configuration"));
}

#[test]
fn a_key_that_is_missing_or_open_is_a_finding() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    let key = home.data().join("master.key");
    set_mode(&key, 0o644);
    finds(&home.run(&["doctor", "--json"]).exits(1), "fail", "key file", "open to others");
    set_mode(&key, 0o600);
    let bytes = std::fs::read(&key).unwrap();
    std::fs::write(&key, &bytes[1..]).unwrap();
    finds(&home.run(&["doctor", "--json"]).exits(1), "fail", "key file", "not a key");
    std::fs::remove_file(&key).unwrap();
    finds(&home.run(&["doctor", "--json"]).exits(1), "fail", "key file", "missing");
    assert!(!key.exists(), "no new key is made in its place");
    // Another key is as bad as none.
    std::fs::write(&key, [7; 32]).unwrap();
    set_mode(&key, 0o600);
    finds(&home.run(&["doctor", "--json"]).exits(1), "fail", "database", "not the master key");
    std::fs::write(&key, bytes).unwrap();
    home.run(&["doctor"]).exits(0);
}

#[test]
fn a_directory_that_is_open_or_no_directory_is_a_finding() {
    let home = Home::new();
    home.run(&["user", "add", "ada@example.org"]).exits(0);
    set_mode(&home.data(), 0o755);
    finds(&home.run(&["doctor", "--json"]).exits(0), "warn", "data directory", "open to others");
    std::fs::write(home.path().join("file"), "").unwrap();
    let run = home.run(&["doctor", "--json", "--data-dir", "file"]).exits(1);
    finds(&run, "fail", "data directory", "not a directory");
}

#[test]
fn a_damaged_database_is_a_finding() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let path = home.data().join("lifehub.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Everything but the first page, which says what the file is.
    let half = bytes.len() / 2;
    bytes[half..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let run = home.run(&["doctor", "--json"]).exits(1);
    assert!(findings(&run).iter().any(|(status, ..)| status == "fail"), "{run:#?}");

    std::fs::write(&path, "this is no database").unwrap();
    let run = home.run(&["doctor", "--json"]).exits(1);
    finds(&run, "fail", "database", "not a database");
    assert_eq!(std::fs::read(&path).unwrap(), b"this is no database");
}

#[test]
fn quarantine_is_counted() {
    let (server, world) = strava();
    let home = Home::beside(&server);
    home.connect();
    world.poison(5, lifehub_connectors::strava::simulator::Poison::TextDistance);
    let run = home.run(&["sync", "--all", "--json"]).exits(0);
    assert_eq!(run.json()["totals"]["quarantined"], 1, "{run:#?}");
    assert!(run.err.contains("1 item could not be read"), "{run:#?}");
    finds(&home.run(&["doctor", "--json"]).exits(0), "warn", "quarantine of strava", "1 items");
}
