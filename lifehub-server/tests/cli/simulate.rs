//! Simulated providers as a command: what it prints is all that a connection needs.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use lifehub_testkit::Probe;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::home::{Home, finished};
use crate::running::Running;

const AT: &str = "2026-08-10T12:00:00Z";

/// The command at work, until it is dropped.
struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Serving {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut command = home.command(&[&["simulate", "--at", AT], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Its one document.
    fn entries(&mut self) -> Vec<Value> {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Asks it to stop; gives its exit code and what else it said on both streams.
    fn stop(mut self) -> (Option<i32>, String, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code(), out, err)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn what_the_document_says_connects_and_syncs() {
    let mut home = Home::new();
    let mut serving = Serving::start(&home, &["--json", "--items", "40"]);
    let entries = serving.entries();
    assert_eq!(entries.len(), lifehub_connectors::simulators().len());
    for entry in &entries {
        let id = entry["id"].as_str().unwrap();
        assert!(entry["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{entry:#}");
        if let Some(url) = entry["base_url"].as_str() {
            let id = id.to_uppercase().replace('-', "_");
            home = home.with(&format!("LIFEHUB_PROVIDERS__{id}__BASE_URL"), url);
        }
        let mut args: Vec<String> = ["connect", id, "--user", "ada@example.org"].map(str::to_owned).to_vec();
        for (flag, member) in [("--secret", "credentials"), ("--set", "settings")] {
            for (name, value) in entry[member].as_object().unwrap() {
                args.extend([flag.to_owned(), format!("{name}={}", text(value))]);
            }
        }
        home.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).exits(0);
    }
    let report = home.run(&["sync", "--all", "--json"]).exits(0).json();
    assert_eq!(report["connections"].as_array().unwrap().len(), entries.len());
    for connection in report["connections"].as_array().unwrap() {
        assert_eq!(connection["status"], "ok", "{report:#}");
        let inserted = connection["streams"][0]["inserted"].as_u64().unwrap();
        // The others keep to the calendar.
        let expected = if connection["provider"] == "strava" { 40..=40 } else { 1..=u64::MAX };
        assert!(expected.contains(&inserted), "{report:#}");
    }
    assert_eq!(serving.stop(), (Some(130), String::new(), String::new()));
}

#[test]
fn the_commands_that_it_shows_work_as_they_stand() {
    let home = Home::new();
    let mut serving = Serving::start(&home, &["--items", "30"]);
    let mut script = "set -e\n".to_owned();
    while !script.contains("# serving until Ctrl-C") {
        assert_ne!(serving.out.read_line(&mut script).unwrap(), 0, "{script}");
    }
    assert!(script.ends_with(&format!("--seed 1 --at {AT} --items 30\n")), "{script}");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_lifehub"));
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", format!("{}:/usr/bin:/bin", program.parent().unwrap().display()));
    finished(shell).exits(0);
    let records = home.run(&["export", "--data-dir", "simulated"]).exits(0).out;
    assert!(records.lines().count() >= 30, "{records}");
    // A person's own data stays apart.
    assert!(!home.data().exists());
}

#[test]
fn a_consent_connects_to_what_is_simulated() {
    let mut home = Home::new();
    let mut serving = Serving::start(&home, &["strava", "--json", "--items", "10"]);
    let entry = serving.entries().remove(0);
    let app = entry["oauth"].as_object().unwrap();
    for (key, value) in app.iter().chain([(&"base_url".to_owned(), &entry["base_url"])]) {
        let key = key.to_uppercase();
        home = home.with(&format!("LIFEHUB_PROVIDERS__STRAVA__{key}"), &text(value));
    }
    let command = home.command(&["connect", "strava", "--user", "ada@example.org", "--json"]);
    let mut connecting = Running::start(command);
    let url = connecting.line("http://");
    let reply = Probe::get(url).send().unwrap();
    assert_eq!(Probe::get(reply.header("location").unwrap()).send().unwrap().status, 200);
    assert_eq!(connecting.end().exits(0).json()["account"], "900001234");
    let report = home.run(&["sync", "--all", "--json"]).exits(0).json();
    assert_eq!(report["totals"]["inserted"], 10);
}

#[test]
fn the_same_flags_give_the_same_account() {
    let home = Home::new();
    let account = |args: &[&str]| {
        let mut serving = Serving::start(&home, args);
        let mut entries = serving.entries();
        entries.iter_mut().for_each(|entry| entry["url"] = entry["url"].as_str().unwrap().len().into());
        entries.into_iter().map(|entry| entry["credentials"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(account(&["--json", "--seed", "3"]), account(&["--json", "--seed", "3"]));
    assert_ne!(account(&["--json", "--seed", "3", "strava"]), account(&["--json", "--seed", "4", "strava"]));
}

#[test]
fn faults_and_latency_are_what_was_asked_for() {
    let home = Home::new();
    let answers = |args: &[&str]| {
        let mut serving = Serving::start(&home, &[&["strava", "--json", "--items", "5"], args].concat());
        let url = format!("{}/", text(&serving.entries()[0]["url"]));
        let started = Instant::now();
        let statuses: BTreeSet<_> =
            (0..12).map(|_| Probe::get(&url).send().ok().map(|reply| reply.status)).collect();
        (statuses.len(), started.elapsed() / 12, serving.stop().2)
    };
    let (kinds, _, said) = answers(&[]);
    assert_eq!((kinds, said), (1, String::new()));
    let (kinds, _, said) = answers(&["--fault", "0.5", "--fault-seed", "9"]);
    assert!(kinds > 2 && said.contains("seed 9, 50 % of requests"), "{kinds}: {said}");
    let (kinds, each, _) = answers(&["--latency", "20"]);
    assert!(kinds == 1 && each >= Duration::from_millis(20), "{kinds}: {each:?}");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = Home::new();
    let mut refused = Serving::start(&home, &["strava", "--json", "--port", &port]);
    let mut said = String::new();
    refused.out.read_line(&mut said).unwrap();
    assert_eq!(said, "");
    let (code, _, err) = refused.stop();
    assert!(
        code == Some(1) && err.contains("its port is taken") && err.contains("--port"),
        "{code:?}: {err}"
    );
    drop(taken);
    let mut serving = Serving::start(&home, &["strava", "--json", "--port", &port]);
    assert_eq!(serving.entries()[0]["url"], format!("http://127.0.0.1:{port}"));
}

#[test]
fn wrong_use_is_told() {
    let home = Home::new();
    for (args, parts) in [
        (&["stravva"][..], ["no simulated provider \"stravva\"", "strava"]),
        (&["--fault", "2"], ["--fault", "from 0 to 1"]),
        (&["--fault-seed", "2"], ["--fault", "required"]),
        (&["--at", "yesterday"], ["--at", "not an instant"]),
        (&["--port", "70000"], ["--port", "65535"]),
    ] {
        home.run(&[&["simulate"], args].concat()).exits(2).says(&parts);
    }
    assert!(home.is_untouched());
}
