//! Syncing and replaying: the report's form, its figures and its exit codes.

use std::io::Read;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use lifehub_testkit::{Fault, FaultPlan, Server, SimRequest, SimResponse, Simulator};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::home::{ACTIVITIES, EMAIL, Home, Run, strava};

/// The names of all members, in their order of appearance.
fn members(text: &str) -> Vec<&str> {
    let quoted: Vec<(usize, &str)> = text
        .match_indices('"')
        .map(|(at, _)| at)
        .collect::<Vec<_>>()
        .chunks(2)
        .map(|p| (p[1], &text[p[0] + 1..p[1]]))
        .collect();
    quoted.into_iter().filter(|(end, _)| text[end + 1..].starts_with(':')).map(|(_, name)| name).collect()
}

#[track_caller]
fn stream(run: &Run) -> Value {
    run.json()["connections"][0]["streams"][0].clone()
}

#[test]
fn the_report_has_its_members_in_order() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let id = home.connect();
    let run = home.run(&["sync", "--all", "--json"]).exits(0);
    assert_eq!(run.out.matches('\n').count(), 1, "one line: {run:#?}");
    let expected = "connections id provider status duration_ms streams stream pages inserted updated unchanged deleted \
                    quarantined held caught_up error totals pages inserted updated unchanged deleted quarantined held";
    assert_eq!(members(&run.out), expected.split_whitespace().collect::<Vec<_>>());
    let report = run.json();
    let connection = &report["connections"][0];
    assert_eq!(
        (&connection["id"], &connection["provider"], &connection["status"]),
        (&json!(id), &json!("strava"), &json!("ok"))
    );
    assert!(connection["duration_ms"].is_u64());
    let first = stream(&run);
    assert_eq!(
        (&first["inserted"], &first["caught_up"], &first["error"]),
        (&json!(ACTIVITIES), &json!(true), &Value::Null)
    );
    assert_eq!(report["totals"]["inserted"], ACTIVITIES);

    let second = home.run(&["sync", "--connection", &id, "--json"]).exits(0);
    let totals = &second.json()["totals"];
    for name in ["inserted", "updated", "deleted", "quarantined", "held"] {
        assert_eq!(totals[name], 0, "{second:#?}");
    }
    let run = home.run(&["connections", "--json"]).json();
    assert_eq!(run[0]["last_run"]["status"], "ok");
}

#[test]
fn people_get_a_table_on_standard_output_and_progress_beside_it() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    let run = home.run(&["sync", "--all", "--full"]).exits(0);
    let lines: Vec<Vec<&str>> = run.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), "PROVIDER STREAM STATUS PAGES NEW CHANGED SAME DELETED QUARANTINED HELD");
    assert_eq!((lines[1][..3].join(" "), lines[1][4]), ("strava activities ok".to_owned(), "60"));
    assert_eq!(lines.len(), 2, "{run:#?}");
    assert!(run.err.contains("strava: activities: reading everything"), "{run:#?}");
}

#[test]
fn nothing_to_sync_is_done() {
    let home = Home::new();
    let run = home.run(&["sync", "--all", "--json"]).exits(0);
    assert_eq!(run.json()["connections"], json!([]));
    assert_eq!(run.json()["totals"]["pages"], 0);
    assert!(run.err.contains("hint: connect an account first"), "{run:#?}");
    home.run(&["replay", "--all", "--json"]).exits(0);
    assert!(home.is_untouched());
}

#[test]
fn a_stream_that_fails_is_reported_and_exits_with_1() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    let simulator_token = "another-token";
    drop(server);
    let run = home.run(&["sync", "--all", "--json"]).exits(1);
    let report = run.json();
    assert_eq!(report["connections"][0]["status"], "failed");
    let error = &stream(&run)["error"];
    assert_eq!(error["kind"], "unavailable");
    assert_eq!(error["partition"], Value::Null);
    assert!(error["hint"].is_string() && error["message"].is_string(), "{run:#?}");
    assert_eq!(stream(&run)["caught_up"], false);
    assert!(
        run.err.contains("error: strava: activities: ") && !run.err.contains(simulator_token),
        "{run:#?}"
    );
    // What failed shows in the list and in the doctor's findings.
    assert_eq!(home.run(&["connections", "--json"]).json()[0]["last_run"]["status"], "failed");
    let doctor = home.run(&["doctor"]).exits(0).out;
    assert!(
        doctor.contains("warn  connection to strava") && doctor.contains("the last run failed"),
        "{doctor}"
    );
}

#[test]
fn a_connection_that_cannot_run_still_stands_in_the_report() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let id = home.connect();
    let off = ["LIFEHUB_PROVIDERS__STRAVA__ENABLED", "false"];
    let mut command = home.command(&["sync", "--connection", &id, "--json"]);
    command.env(off[0], off[1]);
    let run = crate::home::finished(command).exits(1);
    let report = run.json();
    assert_eq!(report["connections"][0]["status"], "failed");
    assert_eq!(report["connections"][0]["id"], id.as_str());
    let expected = "connections id provider status duration_ms streams stream pages inserted updated unchanged deleted \
                    quarantined held caught_up error kind message hint partition totals pages inserted updated \
                    unchanged deleted quarantined held";
    assert_eq!(members(&run.out), expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(stream(&run)["stream"], "activities");
    assert_eq!(stream(&run)["error"]["kind"], "invalid");

    // With --all it is left out, and that is said.
    let mut command = home.command(&["sync", "--all", "--json"]);
    command.env(off[0], off[1]);
    let run = crate::home::finished(command).exits(0);
    assert_eq!(run.json()["connections"], json!([]));
    assert!(run.err.contains("strava: left out"), "{run:#?}");
}

#[test]
fn a_spent_budget_is_no_failure_and_the_next_run_goes_on() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    let run = home.run(&["sync", "--all", "--json", "--max-pages", "1"]).exits(0);
    assert_eq!((&stream(&run)["pages"], &stream(&run)["caught_up"]), (&json!(1), &json!(false)));
    assert_eq!(run.json()["connections"][0]["status"], "incomplete");
    let run = home.run(&["sync", "--all", "--json"]).exits(0);
    assert_eq!(stream(&run)["caught_up"], true);
}

#[test]
fn held_deletes_are_told_and_accepted() {
    let (server, world) = strava();
    let home = Home::beside(&server);
    let id = home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let gone: Vec<i64> = world.truth().iter().take(40).map(|activity| activity.id).collect();
    world.delete(gone);
    let run = home.run(&["sync", "--all", "--full", "--json"]).exits(0);
    assert_eq!((&stream(&run)["held"], &stream(&run)["caught_up"]), (&json!(40), &json!(false)), "{run:#?}");
    assert!(run.err.contains("40 items are missing at the provider"), "{run:#?}");
    let accept = format!("lifehub sync --connection {id} --accept-deletes");
    assert!(run.err.contains(&accept), "{run:#?}");
    assert!(home.run(&["doctor"]).exits(0).out.contains("40 deletes are held"));
    let run = home.run(&["sync", "--connection", &id, "--accept-deletes", "--json"]).exits(0);
    assert_eq!(run.json()["totals"]["deleted"], 40, "{run:#?}");
}

#[test]
fn faults_on_the_way_change_nothing() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    server.set_faults(FaultPlan::none().at(1, Fault::CutBody).at(2, Fault::Reset));
    let run = home.run(&["sync", "--all", "--json"]).exits(0);
    assert_eq!(run.json()["totals"]["inserted"], ACTIVITIES);
}

#[test]
fn replay_reports_in_the_same_form() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let id = home.connect();
    home.run(&["sync", "--all"]).exits(0);
    drop(server);
    let run = home.run(&["replay", "--connection", &id, "--json"]).exits(0);
    let totals = &run.json()["totals"];
    assert_eq!((&totals["unchanged"], &totals["updated"]), (&json!(ACTIVITIES), &json!(0)), "{run:#?}");
    home.run(&["replay", "--all", "--user", EMAIL]).exits(0);
}

#[test]
fn what_is_selected_must_exist() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let id = home.connect();
    let other = "00000000-0000-7000-8000-000000000000";
    home.run(&["sync", "--connection", other])
        .exits(2)
        .says(&["there is no connection", "lifehub connections"]);
    home.run(&["sync", "--connection", "x"]).exits(2).says(&["\"x\" is not the id of a connection"]);
    home.run(&["sync", "--connection", &id, other]).exits(2).says(&[other]);
    home.run(&["sync", "--all", "--user", "b@example.org"]).exits(2).says(&["no user", "lifehub user list"]);
    home.run(&["user", "add", "b@example.org"]).exits(0);
    home.run(&["sync", "--connection", &id, "--user", "b@example.org"])
        .exits(2)
        .says(&["there is no connection"]);
    let run = home.run(&["sync", "--all", "--user", "b@example.org", "--json"]).exits(0);
    assert_eq!(run.json()["connections"], json!([]));
    home.run(&["sync"]).exits(2).says(&["--all", "--connection"]);
    home.run(&["sync", "--all", "--connection", &id]).exits(2).says(&["cannot be used with"]);
    home.run(&["sync", "--all", "--max-pages", "0"]).exits(2).says(&["--max-pages"]);
    // The same one twice is one run.
    let run = home.run(&["sync", "--connection", &id, &id, "--json"]).exits(0);
    assert_eq!(run.json()["connections"].as_array().unwrap().len(), 1);
}

#[test]
fn a_machine_without_certificates_is_told_in_the_report_and_replays_all_the_same() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let without = |args: &[&str]| {
        let mut command = home.command(args);
        let nothing = home.path().join("no-certificates");
        command.env("SSL_CERT_FILE", &nothing).env("SSL_CERT_DIR", &nothing);
        crate::home::finished(command)
    };
    let run = without(&["sync", "--all", "--json"]).exits(1);
    assert_eq!(stream(&run)["error"]["kind"], "invalid", "{run:#?}");
    assert!(stream(&run)["error"]["hint"].as_str().unwrap().contains("ca-certificates"), "{run:#?}");
    without(&["replay", "--all"]).exits(0);
}

/// A provider that tells when it is asked, and answers when it is let.
struct Slow {
    asked: Sender<()>,
    may_answer: Mutex<Receiver<()>>,
}

impl Simulator for Slow {
    fn handle(&self, _: &SimRequest) -> SimResponse {
        let _ = self.asked.send(());
        let _ = self.may_answer.lock().unwrap().recv();
        SimResponse::json_text(200, "[]")
    }
}

#[test]
fn ctrl_c_stops_with_a_report() {
    let (asked, was_asked) = channel();
    let (let_answer, may_answer) = channel();
    let server = Server::start(Slow { asked, may_answer: Mutex::new(may_answer) }).unwrap();
    let home = Home::beside(&server);
    home.run(&["connect", "strava", "--user", EMAIL, "--no-check", "--secret", "access_token=x"]).exits(0);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut command = home.command(&["sync", "--all", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        was_asked.recv().unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let run = Run { code: child.wait().unwrap().code().unwrap(), out, err }.exits(code);
        assert_eq!(run.json()["connections"][0]["status"], "incomplete");
        assert_eq!((&stream(&run)["caught_up"], &stream(&run)["error"]), (&json!(false), &Value::Null));
        assert!(run.err.contains("stopping; what was read is stored"), "{run:#?}");
        let_answer.send(()).unwrap();
    }
}
