//! Rule 12: no secret leaks, from any command, at any log level, into any file.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use lifehub_core::clock::{Clock, SystemClock};
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::{Fault, FaultPlan, Server, Setup};

use crate::fleet::{Fleet, Provider};
use crate::home::{Home, Kind, block_on, on_each_database};
use crate::lifehub::{Lifehub, Strava, USER};

/// What must be found nowhere, one for each credential field.
const CANARY: &str = "canary+Secret/4711==&x";
const SECOND: &str = "second+Canary/0815==&y";

on_each_database! {
    #[test]
    fn rule_12_no_secret_leaks(kind: Kind) {
        let now: lifehub_core::clock::Timestamp = std::time::SystemTime::now().into();
        let world = World::seeded(8, now, WorldOptions::default().activities(300));
        let simulator = StravaSimulator::new(world.clone());
        simulator.set_limits(None);
        simulator.set_token(CANARY);
        let strava = Strava { world, server: Server::start(simulator.clone()).unwrap() };
        let lifehub = Lifehub::at(Home::new(kind), &strava);
        let mut printed = Vec::new();
        let mut run = |args: &[&str], code: i32| {
            for log in ["error", "trace"] {
                let output = lifehub.command(args).env("LIFEHUB_LOG", log).output().unwrap();
                assert_eq!(
                    output.status.code(),
                    Some(code),
                    "{args:?}: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
                if log == "trace" && args[0] == "sync" {
                    let text = String::from_utf8_lossy(&output.stderr);
                    assert!(text.contains("DEBUG"), "nothing is traced");
                }
                printed.extend([output.stdout, output.stderr]);
            }
        };
        let (token, refresh) = (format!("access_token={CANARY}"), format!("refresh_token={SECOND}"));
        let connect = ["connect", "strava", "--user", USER, "--secret", &token, "--secret", &refresh];
        run(&connect, 0);
        strava.server.set_faults(FaultPlan::share(1, 0.3).of([
            Fault::Unavailable,
            Fault::CutBody,
            Fault::RetryAfterSeconds(0),
        ]));
        run(&["sync", "--all", "--json"], 0);
        strava.server.set_faults(FaultPlan::none());
        run(&["export", "--user", USER, "--deleted"], 0);
        run(&["connections", "--json"], 0);
        run(&["replay", "--all"], 0);
        run(&["doctor"], 0);
        // Refusals: an unknown field, one too many, a token that the provider does not take.
        run(&["connect", "strava", "--user", USER, "--secret", &format!("no_such_field={CANARY}")], 2);
        run(&["connect", "strava", "--user", USER, "--secret", &format!("={CANARY}")], 2);
        run(&["connect", "no-such-provider", "--user", USER, "--secret", &token], 2);
        simulator.set_token("another");
        run(&connect, 1);
        run(&["sync", "--all", "--json"], 1);
        for text in &printed {
            nowhere_in(text, "the output");
        }
        search(&lifehub.home, &[CANARY.to_owned(), SECOND.to_owned()]);
    }
}

/// Searches every file, and all that stands in the tables of a server.
fn search(home: &Home, secrets: &[String]) {
    search_in(&home.data, secrets);
    if let Some(schema) = &home.schema {
        let tables = block_on(schema.contents());
        assert!(tables.windows(USER.len()).any(|window| window == USER.as_bytes()), "the rows are not seen");
        none_in(secrets, &tables, "the tables");
    }
}

fn search_in(folder: &Path, secrets: &[String]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => search_in(&path, secrets),
            false => none_in(secrets, &std::fs::read(&path).unwrap(), &path.display().to_string()),
        }
    }
}

fn nowhere_in(bytes: &[u8], place: &str) {
    none_in(&[CANARY.to_owned(), SECOND.to_owned()], bytes, place);
}

/// Searched as it is, URL-encoded, and in base64 at each of its three alignments.
fn none_in(secrets: &[String], bytes: &[u8], place: &str) {
    for canary in secrets {
        let mut forms = vec![canary.to_owned(), encoded(canary)];
        forms.extend((0..3).map(|skip| base64_middle(canary.as_bytes(), skip)));
        for form in forms {
            let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
            assert!(!found, "a secret stands in {place} as {form:?}");
        }
    }
}

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|b| if plain(&b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The base64 digits that a text has wherever it begins `skip` bytes into a group of three.
fn base64_middle(text: &[u8], skip: usize) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = text[(3 - skip) % 3..].chunks_exact(3);
    let digit = |n: u32| DIGITS[(n & 63) as usize] as char;
    whole
        .map(|c| u32::from(c[0]) << 16 | u32::from(c[1]) << 8 | u32::from(c[2]))
        .flat_map(|n| [digit(n >> 18), digit(n >> 12), digit(n >> 6), digit(n)])
        .collect()
}

#[test]
fn the_search_finds_a_secret_in_every_form() {
    let caught = |text: String| std::panic::catch_unwind(|| nowhere_in(text.as_bytes(), "a test")).is_err();
    assert!(caught(format!("x{CANARY}y")));
    assert!(caught(format!("token={}", encoded(SECOND))));
    for before in ["", "a", "ab"] {
        // All whole groups of the base64 of a text in which the secret begins anywhere.
        assert!(caught(base64_middle(format!("{before}{CANARY}").as_bytes(), 0)), "after {before:?}");
    }
    assert!(!caught("nothing to see".into()));
}

on_each_database! {
    // What an authorization server hands out while tokens are renewed and refused, the app's own secret, and the address
    // of a private feed.
    #[test]
    fn rule_12_no_secret_leaks_from_renewals_and_private_addresses(kind: Kind) {
        let life = Duration::from_secs(1);
        let fleet = Fleet::of(kind, 1, &Provider { leeway: Duration::ZERO, life, activities: 3 });
        let feed = lifehub_ical::simulator::account(&Setup::new(5, SystemClock::default().now()).items(5));
        let feeds = Server::start(feed.clone()).unwrap();
        let address = feed.access(&feeds.url()).settings["url"].as_str().unwrap().to_owned();
        let path = address.strip_prefix(&feeds.url()).unwrap().to_owned();
        assert!(path.len() > 12, "a path that nobody guesses: {path}");
        let mut secrets = vec![StravaSimulator::CLIENT_SECRET.to_owned(), path];
        let mut printed = Vec::new();
        let mut run = |args: &[&str], code: i32| {
            let output = fleet
                .command(&[], args)
                .env("LIFEHUB_LOG", "trace")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
            printed.extend([output.stdout, output.stderr]);
            // All tokens of each moment, old ones included.
            for family in fleet.oauth().families() {
                secrets.extend([family.access_token, family.refresh_token.unwrap()]);
            }
        };
        run(&["connections"], 0);
        let url = format!("url={address}");
        run(&["connect", "ical", "--user", USER, "--set", &url], 0);
        for _ in 0..3 {
            let calls = fleet.oauth().tally().token_calls;
            while fleet.oauth().tally().token_calls == calls {
                run(&["sync", "--all", "--json"], 0);
            }
        }
        fleet.oauth().withdraw(&fleet.oauth().families()[0].access_token);
        run(&["sync", "--all"], 1);
        run(&["sync", "--all", "--json"], 1);
        run(&["connections", "--json"], 0);
        run(&["export", "--user", USER], 0);
        run(&["doctor"], 0);
        run(&["keys", "rotate", "--json"], 0);
        secrets.sort();
        secrets.dedup();
        assert!(secrets.len() >= 8, "several tokens came and went");
        for text in &printed {
            none_in(&secrets, text, "the output");
        }
        search(&fleet.home, &secrets);
    }
}
