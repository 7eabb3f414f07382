//! Exporting: whole or not at all, to a file or a pipe, for one user.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use serde_json::Value;

use crate::home::{ACTIVITIES, EMAIL, Home, strava};

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_record_is_a_line() {
    let (server, world) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let run = home.run(&["export"]).exits(0);
    assert_eq!(run.err, "");
    let exported = records(&run.out);
    let ids = |ids: Vec<String>| ids.into_iter().collect::<BTreeSet<_>>();
    let found = ids(exported.iter().map(|r| r["external_id"].as_str().unwrap().to_owned()).collect());
    assert_eq!(found, ids(world.truth().iter().map(|activity| activity.id.to_string()).collect()));
    assert_eq!(exported.len(), ACTIVITIES);
    let members: Vec<&str> =
        ["id", "connection", "provider", "stream", "external_id", "key", "dataset", "start", "end"]
            .into_iter()
            .chain(["zone", "day", "body", "seq", "changed_at", "deleted"])
            .collect();
    let first = run.out.lines().next().unwrap();
    let mut at = 0;
    for member in members {
        let found = first[at..].find(&format!("\"{member}\":"));
        at += found.unwrap_or_else(|| panic!("{member} is not in its place in {first}"));
    }

    let named = home.run(&["export", "--user", EMAIL, "--format", "jsonl"]).exits(0);
    assert_eq!(named.out, run.out);
}

#[test]
fn deleted_records_come_only_when_asked_for() {
    let (server, world) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let gone = world.truth()[3].id;
    world.delete([gone]);
    home.run(&["sync", "--all", "--full"]).exits(0);
    assert_eq!(records(&home.run(&["export"]).exits(0).out).len(), ACTIVITIES - 1);
    let all = records(&home.run(&["export", "--deleted"]).exits(0).out);
    let tombstones: Vec<_> = all.iter().filter(|record| record["deleted"] == true).collect();
    assert_eq!((all.len(), tombstones.len()), (ACTIVITIES, 1));
    assert_eq!(tombstones[0]["external_id"], gone.to_string());
}

#[test]
fn a_file_appears_whole_and_for_its_owner_alone() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let folder = home.path().join("exports");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("records.jsonl");
    std::fs::write(&path, "an older export").unwrap();
    let run = home.run(&["export", "--out", "exports/records.jsonl"]).exits(0);
    run.says(&["60 records are in "]);
    assert_eq!(records(&std::fs::read_to_string(&path).unwrap()).len(), ACTIVITIES);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");

    // A link stays a link, and a device is written into.
    std::os::unix::fs::symlink(&path, home.path().join("link")).unwrap();
    home.run(&["export", "--out", "link"]).exits(0);
    assert!(home.path().join("link").is_symlink());
    assert_eq!(records(&std::fs::read_to_string(&path).unwrap()).len(), ACTIVITIES);
    home.run(&["export", "--out", "/dev/null"]).exits(0);
    let run = home.run(&["export", "--out", "/dev/stdout"]).exits(0);
    assert_eq!(records(&run.out).len(), ACTIVITIES);

    home.run(&["export", "--out", "exports"]).exits(2).says(&["is a directory"]);
    home.run(&["export", "--out", "no/such/folder/x.jsonl"])
        .exits(1)
        .says(&["cannot be written", "hint: the folder"]);
}

#[test]
fn whoever_stops_reading_has_seen_enough() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let mut command = home.command(&["export"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Closed before the first line, so that every write of the program fails.
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_full_standard_output_is_an_error() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    for args in [&["export"][..], &["connectors", "list"], &["sync", "--all", "--json"]] {
        let mut command = home.command(args);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("error: standard output cannot be written"), "{args:?}: {said}");
    }
}

#[test]
fn without_data_there_is_a_clear_error_and_still_no_data() {
    let home = Home::new();
    for command in ["export", "connections"] {
        let run = home.run(&[command]).exits(1);
        run.says(&["error: there is no data yet", "hint: connect an account first"]);
    }
    assert!(home.is_untouched());
    let run = home.run(&["user", "list", "--json"]).exits(0);
    assert_eq!(run.out, "[]\n");
    assert!(home.is_untouched());
}

#[test]
fn among_several_users_one_must_be_named() {
    let home = Home::new();
    home.run(&["user", "add", "a@example.org", "--zone", "Europe/Rome"]).exits(0);
    assert_eq!(home.run(&["export"]).exits(0).out, "");
    home.run(&["user", "add", "b@example.org"]).exits(0);
    home.run(&["export"]).exits(2).says(&["there are 2 users", "--user EMAIL"]);
    assert_eq!(home.run(&["export", "--user", "B@example.org"]).exits(0).out, "");
    home.run(&["export", "--user", "c@example.org"]).exits(2).says(&["no user"]);
    home.run(&["export", "--format", "xml"]).exits(2).says(&["jsonl"]);
}

#[test]
fn users_have_zones() {
    let home = Home::new();
    let run = home.run(&["user", "add", EMAIL, "--zone", "Europe/Rome"]).exits(0);
    assert_eq!(run.out, "added ada@example.org in the time zone Europe/Rome\n");
    home.run(&["user", "add", "ADA@example.org"]).exits(2).says(&["already"]);
    home.run(&["user", "add", "nobody"]).exits(2).says(&["no e-mail address"]);
    home.run(&["user", "add", "x@example.org", "--zone", "Mars/Base"]).exits(2).says(&["Mars/Base", "IANA"]);
    home.run(&["user", "zone", EMAIL, "America/New_York"]).exits(0);
    home.run(&["user", "zone", "x@example.org", "America/New_York"]).exits(2).says(&["no user"]);
    let users = home.run(&["user", "list", "--json"]).exits(0).json();
    assert_eq!(users.as_array().unwrap().len(), 1);
    assert_eq!((&users[0]["email"], &users[0]["zone"]), (&EMAIL.into(), &"America/New_York".into()));
    assert!(home.run(&["user", "list"]).exits(0).out.contains("America/New_York"));
}
