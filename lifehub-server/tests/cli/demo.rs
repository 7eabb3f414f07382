//! The demo: made up once, the same ever after, and never among a person's data.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use lifehub_core::clock::ManualClock;
use lifehub_core::connector::{ConnectorExt, Context, FileAccess};
use lifehub_core::http::{ReqwestTransport, StaticCredentials};
use lifehub_core::page::{Next, Pass, PassKind, Place};
use lifehub_core::secret::Credentials;
use lifehub_testkit::{Access, Fact, Server, Setup};
use serde_json::{Value, json};

use crate::home::{EMAIL, Home, Run, finished};

const DEMO: [&str; 3] = ["demo", "--once", "--json"];
const USER: &str = "demo@example.org";

/// A home whose demo is that of this seed, at an instant that has passed long ago.
fn long_ago() -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("demo.json"), r#"{"seed":7,"instant":"2025-03-10T09:00:00Z"}"#).unwrap();
    home
}

/// Checks that all streams of all simulated providers are caught up.
#[track_caller]
fn assert_complete(report: &Value) {
    let connections = report["connections"].as_array().unwrap();
    let mut providers: Vec<_> = connections.iter().map(|one| one["provider"].as_str().unwrap()).collect();
    let mut simulated: Vec<_> = lifehub_connectors::simulators().into_iter().map(|(id, _)| id).collect();
    providers.sort_unstable();
    simulated.sort_unstable();
    assert_eq!(providers, simulated);
    for stream in connections.iter().flat_map(|one| one["streams"].as_array().unwrap()) {
        assert_eq!((&stream["caught_up"], &stream["error"]), (&json!(true), &Value::Null), "{report:#}");
    }
    assert_eq!((&report["totals"]["quarantined"], &report["totals"]["held"]), (&json!(0), &json!(0)));
}

#[track_caller]
fn assert_nothing_new(report: &Value) {
    assert_complete(report);
    for name in ["inserted", "updated", "deleted"] {
        assert_eq!(report["totals"][name], 0, "{report:#}");
    }
}

fn ids(report: &Value) -> Vec<&Value> {
    report["connections"].as_array().unwrap().iter().map(|one| &one["id"]).collect()
}

/// What is stored, without what may differ between two equal stores.
fn records(home: &Home) -> Vec<Value> {
    let run = home.run(&["export", "--deleted"]).exits(0);
    let published = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for name in ["id", "connection", "seq", "changed_at"] {
            assert!(record.as_object_mut().unwrap().remove(name).is_some());
        }
        record
    };
    let mut records: Vec<_> = run.out.lines().map(published).collect();
    records.sort_by_cached_key(Value::to_string);
    records
}

/// Starts it and waits for what it says first.
fn begun(mut command: Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    (child, said)
}

#[test]
fn a_demo_brings_everything_and_a_second_one_nothing() {
    let home = Home::new();
    let first = home.run(&DEMO).exits(0);
    assert_eq!(first.out.matches('\n').count(), 1, "one line: {first:#?}");
    let places =
        ["{\"connections\":[{", ",\"totals\":{", ",\"demo\":{\"data_dir\":"].map(|part| first.out.find(part));
    assert!(places[0] == Some(0) && places.is_sorted() && places[2].is_some(), "{first:#?}");
    let first = first.json();
    assert_complete(&first);
    for connection in first["connections"].as_array().unwrap() {
        let streams = connection["streams"].as_array().unwrap();
        let inserted: u64 = streams.iter().map(|stream| stream["inserted"].as_u64().unwrap()).sum();
        assert!(inserted > 100, "{connection:#}");
    }
    let password = first["demo"]["password"].as_str().unwrap();
    assert_eq!(password.len(), 19);
    assert_eq!(
        first["demo"],
        json!({ "data_dir": home.data(), "email": USER, "password": password, "url": null })
    );

    let second = home.run(&DEMO).exits(0).json();
    assert_nothing_new(&second);
    assert_eq!((&first["demo"], ids(&first)), (&second["demo"], ids(&second)));
    let connections = home.run(&["connections", "--json"]).exits(0).json();
    assert_eq!(connections.as_array().unwrap().len(), ids(&first).len());
    // Another directory is another demo.
    let other = Home::new().run(&DEMO).exits(0).json();
    assert_ne!(other["demo"]["password"], first["demo"]["password"]);
}

/// What the books of a simulated provider hold, once somebody has asked at that instant: some facts are those of a day on
/// which they were asked for.
fn books(provider: &str, setup: &Setup) -> Vec<Fact> {
    let make = lifehub_connectors::simulators().into_iter().find(|(id, _)| *id == provider).unwrap().1;
    let (account, clock) = (make(setup), Arc::new(ManualClock::at(setup.now)));
    let server = Server::builder().clock(clock.clone()).start(account.clone()).unwrap();
    let Access { base_url, settings, credentials, .. } = account.access(&server.url());
    let registry = lifehub_connectors::registry();
    let connector = registry.get(provider).unwrap();
    let source = Arc::new(StaticCredentials::new(credentials));
    let base_url = base_url.map(|url| url.parse().unwrap());
    let transport = Arc::new(ReqwestTransport::local().unwrap());
    let http = connector.http(transport, base_url, &settings, source).unwrap().clock(clock).build().unwrap();
    let pass = Pass { kind: PassKind::Full, from: None, to: setup.now };
    let none = Credentials::none();
    let cx = Context::new(&http, &settings, &none, FileAccess::Denied, pass, setup.now);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for stream in &connector.manifest().streams {
            for partition in connector.partitions(&cx, stream.name).await.unwrap() {
                let at = Place { stream: stream.name, partition: &partition.id };
                let mut cursor = None;
                while let Next::More(next) =
                    connector.fetch_page(&cx, at, cursor.as_ref()).await.unwrap().next
                {
                    cursor = Some(next);
                }
            }
        }
    });
    account.truth()
}

#[test]
fn its_counts_are_those_of_the_simulators_books() {
    let home = long_ago();
    let report = home.run(&DEMO).exits(0).json();
    assert_complete(&report);
    let setup = Setup::new(7, "2025-03-10T09:00:00Z".parse().unwrap());
    for connection in report["connections"].as_array().unwrap() {
        let provider = connection["provider"].as_str().unwrap();
        let truth = books(provider, &setup);
        for stream in connection["streams"].as_array().unwrap() {
            let own = truth.iter().filter(|fact| stream["stream"] == fact.stream.as_str());
            let records: usize = own.map(|fact| fact.records.as_ref().map_or(0, Vec::len)).sum();
            assert_eq!(stream["inserted"], records, "{provider} {}", stream["stream"]);
        }
    }
}

#[test]
fn its_world_stands_still_on_whatever_day_it_runs() {
    let home = long_ago();
    assert_complete(&home.run(&DEMO).exits(0).json());
    let before = records(&home);
    for _ in 0..2 {
        let connections = home.run(&["connections", "--json"]).exits(0).json();
        for connection in connections.as_array().unwrap() {
            let started = connection["last_run"]["started_at"].as_str().unwrap();
            assert!(started.starts_with("2025-03-10T09:0"), "{connection:#}");
        }
        assert_nothing_new(&home.run(&DEMO).exits(0).json());
    }
    assert_eq!(records(&home), before);
}

#[test]
fn no_sync_asks_a_real_provider_for_a_demo() {
    let home = long_ago();
    home.run(&DEMO).exits(0);
    let before = records(&home);
    let connections = home.run(&["connections", "--json"]).exits(0).json();
    for connection in connections.as_array().unwrap() {
        assert_eq!(connection["status"], "disconnected", "{connection:#}");
        home.run(&["sync", "--connection", connection["id"].as_str().unwrap()]).exits(1);
    }
    assert_eq!(home.run(&["sync", "--all", "--json"]).exits(0).json()["connections"], json!([]));
    assert_eq!(records(&home), before);
}

#[test]
fn a_demo_that_was_killed_goes_on() {
    let (home, whole) = (long_ago(), long_ago());
    let (mut child, said) = begun(home.command(&DEMO));
    assert!(said.contains("reading everything"), "{said}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_complete(&home.run(&DEMO).exits(0).json());
    assert_nothing_new(&home.run(&DEMO).exits(0).json());
    whole.run(&DEMO).exits(0);
    assert_eq!(records(&home), records(&whole));
}

#[test]
fn a_second_demo_at_the_same_time_waits_and_says_so() {
    let home = long_ago();
    let file = File::options().read(true).write(true).open(home.data().join("demo.json")).unwrap();
    file.lock().unwrap();
    let (child, said) = begun(home.command(&DEMO));
    assert_eq!(said, "another demo is under way in this data directory, waiting for it\n");
    assert!(!home.data().join("lifehub.db").exists());
    file.unlock().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_complete(&serde_json::from_slice(&output.stdout).unwrap());
}

#[test]
fn a_persons_data_is_left_alone() {
    let home = Home::new();
    home.run(&["user", "add", EMAIL]).exits(0);
    home.run(&DEMO).exits(2).says(&[
        "holds other data than a demo's, and was left as it is",
        "lifehub.db",
        "lifehub demo --data-dir DIR",
    ]);
    assert!(!home.data().join("demo.json").exists());
    assert_eq!(home.run(&["user", "list", "--json"]).exits(0).json().as_array().unwrap().len(), 1);
    home.run(&["demo", "--data-dir", "demo"]).exits(0);
    assert!(home.path().join("demo/lifehub.db").exists());

    // Neither a demo's user without the demo's file, nor a person beside it, is a demo.
    let home = Home::new();
    home.run(&["user", "add", USER]).exits(0);
    home.run(&DEMO).exits(2).says(&["holds other data"]);
    let home = Home::new();
    home.run(&DEMO).exits(0);
    home.run(&["user", "add", EMAIL]).exits(0);
    home.run(&DEMO).exits(2).says(&["holds other data"]);
}

#[test]
fn people_get_a_table_and_commands_that_work_as_they_stand() {
    let home = Home::new();
    let run = home.run(&["demo", "--data-dir", "a demo's"]).exits(0);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["PROVIDER", "DATASET", "RECORDS", "FROM", "TO"]
    );
    let workouts: Vec<_> =
        lines.iter().find(|line| line.starts_with("strava")).unwrap().split_whitespace().collect();
    assert_eq!(workouts[1], "workout");
    let year = |day: &str| day[..4].parse::<i32>().unwrap();
    assert!((1..=2).contains(&(year(workouts[4]) - year(workouts[3]))), "{workouts:?}");
    let dir = home.path().canonicalize().unwrap().join("a demo's");
    for part in [
        format!("data directory  {}", dir.display()),
        format!("database        {}/lifehub.db", dir.display()),
    ] {
        assert!(lines.contains(&part.as_str()), "{part:?} is not in {run:#?}");
    }
    let commands: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    assert!(commands.len() > 2, "{run:#?}");
    for command in commands {
        let copied = in_shell(&home, command).exits(0);
        assert!(!copied.out.is_empty(), "{command}: {copied:#?}");
    }
}

/// Runs a line as somebody who copied it into a shell.
fn in_shell(home: &Home, line: &str) -> Run {
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        // As most who try it first: the program is on no path.
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null());
    finished(command)
}

#[test]
fn it_needs_neither_network_nor_certificates() {
    let home = long_ago();
    let home = home
        .with("http_proxy", "http://127.0.0.1:9")
        .with("SSL_CERT_FILE", "/nowhere")
        .with("SSL_CERT_DIR", "/nowhere")
        // The operator's own addresses are of no concern, either.
        .with("LIFEHUB_PROVIDERS__STRAVA__BASE_URL", "http://127.0.0.1:9");
    assert_complete(&home.run(&DEMO).exits(0).json());
}

#[test]
fn what_the_operator_switched_off_is_left_out() {
    let home = long_ago().with("LIFEHUB_PROVIDERS__STRAVA__ENABLED", "false");
    let run = home.run(&DEMO).exits(0);
    assert!(run.err.contains("strava: left out, the provider is switched off"), "{run:#?}");
    assert_eq!(ids(&run.json()).len(), lifehub_connectors::simulators().len() - 1);
}

#[test]
fn its_files_are_for_their_owner_alone_and_must_be_whole() {
    use std::os::unix::fs::MetadataExt;
    let home = Home::new();
    home.run(&DEMO).exits(0);
    let file = home.data().join("demo.json");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&home.data()), mode(&file)), (0o700, 0o600));
    std::fs::write(&file, "{\"seed\":1}").unwrap();
    home.run(&DEMO).exits(1).says(&["says nothing of a made-up world", "demo.json", "--data-dir"]);
    home.run(&["demo", "--port", "x"]).exits(2).says(&["--port"]);
}
