//! A worker: what is due is synced, and a signal lets it finish.

use std::time::Duration;

use lifehub_core::clock::{Clock, SystemClock};
use lifehub_testkit::{Fault, FaultPlan};
use rustix::process::Signal;

use crate::home::{ACTIVITIES, EMAIL, Home, strava};
use crate::running::Running;

#[test]
fn it_waits_for_an_account_and_syncs_it_when_it_is_due() {
    let (server, world) = strava();
    let home = Home::beside(&server).with("LIFEHUB_PROVIDERS__STRAVA__INTERVAL", "300ms");
    let mut worker = Running::start(home.command(&["worker", "--concurrency", "2"]));
    assert_eq!(worker.line("at a time"), "syncing what is due, up to 2 connections at a time, until Ctrl-C");
    let id = home.connect();
    let told = worker.line(&id);
    assert!(told.starts_with(&format!("strava {id}: ok, ")), "{told}");
    assert!(told.contains(&format!(" pages, {ACTIVITIES} new, in ")), "{told}");
    // What is new comes by itself.
    world.add(SystemClock::default().now() - Duration::from_secs(60), serde_json::json!({}));
    worker.line(" 1 new");
    worker.signal(Signal::TERM);
    let run = worker.end().exits(143);
    assert!(run.err.contains("stopping; what was read is stored"), "{run:#?}");
    let list = home.run(&["connections", "--json"]).exits(0).json();
    assert_eq!(list[0]["last_run"]["status"], "ok");
    assert!(list[0]["next_at"].as_str() > list[0]["last_run"]["finished_at"].as_str(), "{list:#}");
    let table = home.run(&["connections"]).exits(0).out;
    assert!(table.contains("NEXT RUN") && table.contains(list[0]["next_at"].as_str().unwrap()), "{table}");
    let stored = home.run(&["export"]).exits(0).out.lines().count();
    assert_eq!(stored, ACTIVITIES + 1);
}

#[test]
fn a_signal_lets_it_store_what_it_has_read() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    // The first page comes, the second takes longer than anybody waits.
    server.set_faults(FaultPlan::none().from(2, Fault::Delay(Duration::from_secs(600))));
    let asked = server.request_count();
    let mut worker = Running::start(home.command(&["worker"]));
    worker.line("up to 8 connections");
    while server.request_count() < asked + 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    worker.signal(Signal::INT);
    let run = worker.end().exits(130);
    assert!(run.err.contains(&format!(": incomplete, 1 pages, {ACTIVITIES} new, in ")), "{run:#?}");
    assert_eq!(home.run(&["export"]).exits(0).out.lines().count(), ACTIVITIES);
}

#[test]
fn a_refusal_is_told_once_with_the_command_that_helps() {
    let (server, _) = strava();
    let home = Home::beside(&server).with("LIFEHUB_PROVIDERS__STRAVA__INTERVAL", "100ms");
    let run = home.run(&["connect", "strava", "--user", EMAIL, "--no-check", "--secret", "access_token=old"]);
    let id = run
        .exits(0)
        .out
        .lines()
        .find_map(|line| line.strip_prefix("connection ").map(str::to_owned))
        .unwrap();
    let mut worker = Running::start(home.command(&["worker"]));
    let failed = worker.line(": failed");
    assert!(failed.contains(&format!("strava {id}")) && failed.contains("; activities: "), "{failed}");
    worker.signal(Signal::INT);
    let run = worker.end().exits(130);
    let hint = format!("hint: connect the account again: lifehub connect strava --connection {id}");
    assert_eq!(run.err.matches("does not take the credentials any more").count(), 1, "{run:#?}");
    assert!(run.err.contains(&hint), "{run:#?}");
    assert_eq!(home.run(&["connections", "--json"]).json()[0]["status"], "reconnect_required");
    // A sync by hand finds it out as well, when the credentials are others.
    home.run(&["connect", "strava", "--user", EMAIL, "--no-check", "--secret", "access_token=older"])
        .exits(0);
    let run = home.run(&["sync", "--all"]).exits(1);
    assert_eq!(run.err.matches(&hint).count(), 1, "{run:#?}");
}

#[test]
fn a_lease_is_set_in_the_configuration() {
    let home = Home::new().with("LIFEHUB_LEASE", "10ms");
    home.run(&["worker"]).exits(2).says(&["\"lease\"", "from 100ms to 1h", "LIFEHUB_LEASE"]);
    home.run(&["worker", "--concurrency", "0"]).exits(2).says(&["--concurrency"]);
    assert!(home.is_untouched());
}
