//! A full disk fails the page whole; reads go on; with room, the next sync recovers by itself.

use serde_json::Value;

use crate::fleet::reach;
use crate::home::Home;
use crate::lifehub::{Lifehub, Strava};
use crate::need::{self, Tmpfs};

#[test]
fn a_full_disk_fails_the_page_whole_and_the_next_sync_recovers() {
    if !need::tmpfs() {
        return;
    }
    let offsets: u64 = reach("LIFEHUB_DISK_OFFSETS", 5);
    let strava = Strava::with(6, 6000, 0);
    let mut full = 0;
    for offset in 0..offsets {
        let disk = Tmpfs::mount(tempfile::tempdir().unwrap(), 4).unwrap();
        let lifehub = Lifehub::at(Home::at(disk.path().join("data")), &strava);
        lifehub.connect();
        // Another amount of room each time, so that another write is the one that fails.
        std::fs::write(disk.path().join("ballast"), vec![1; (offset * 40_961) as usize]).unwrap();
        let output = lifehub.run(&["sync", "--all", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = &report["connections"][0]["streams"][0]["error"];
        assert_eq!((output.status.code(), &error["kind"]), (Some(1), &"storage_full".into()), "{report:#}");
        assert!(error["hint"].is_string());
        full += 1;
        // Reads go on, and what is there is whole pages.
        let records = lifehub.names().len();
        assert!(records > 0 && records.is_multiple_of(200), "{records} records are no whole pages");
        // Still full: the same error, nothing broken.
        assert_eq!(lifehub.run(&["sync", "--all"]).status.code(), Some(1));
        assert!(lifehub.names().len() >= records);
        disk.grow_to(64);
        let report = lifehub.sync();
        assert_eq!(report["connections"][0]["status"], "ok", "{report:#}");
        assert_eq!(lifehub.names(), strava.truth());
        lifehub.ok(&["doctor"]);
    }
    println!("{full} full disks");
}
