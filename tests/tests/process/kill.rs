//! SIGKILL at any moment: what is there is whole pages, and the next run goes on as if nothing had been.

use std::process::Stdio;
use std::time::{Duration, Instant};

use lifehub_testkit::Seeded;
use serde_json::{Value, json};

use crate::fleet::reach;
use crate::home::{Kind, on_each_database};
use crate::lifehub::{Lifehub, Strava, changes, content};

/// On a server a killed process holds its connection for so long.
const LEASE: &str = "1s";

/// How many kills; the full reach is named in docs/performance.md.
fn kills() -> u64 {
    reach("LIFEHUB_KILLS", 20)
}

on_each_database! {
    #[test]
    fn kills_at_random_moments_lose_and_double_nothing(kind: Kind) {
        let seed = reach("LIFEHUB_SEED", 20);
        println!("{} kills, seed {seed}", kills());
        let mut random = Seeded::new(seed);
        let mut done = 0;
        while done < kills() {
            done += one_life(kind, &mut random, kills() - done);
        }
    }
}

/// One athlete's data from the first sync through a few changes, killed again and again; returns the kills.
fn one_life(kind: Kind, random: &mut Seeded, limit: u64) -> u64 {
    let strava = Strava::with(random.whole(0, i64::MAX) as u64, 1000, 300);
    let undisturbed = Lifehub::connected(kind, &strava);
    let disturbed = Lifehub::connected(kind, &strava);
    let mut kills = 0;
    for change in 0..4 {
        if change > 0 {
            let limit_of_window = Duration::from_secs(25 * 86_400);
            let truth = strava.world.truth();
            let inside: Vec<i64> = truth
                .iter()
                .filter(|t| t.start > strava.world.now() - limit_of_window)
                .map(|t| t.id)
                .collect();
            strava.world.edit(inside[change], json!({ "name": format!("edited {change}") }));
            strava.world.delete([inside[change + 4]]);
            for n in 0..300 {
                let start = strava.world.now() - Duration::from_secs(60 + n % 7 * 3600);
                strava.world.add(start, json!({ "name": format!("late {change} {n}") }));
            }
        }
        let begun = Instant::now();
        let expected = undisturbed.sync();
        assert_eq!(expected["connections"][0]["status"], "ok", "{expected:#}");
        let whole = begun.elapsed();
        // Kills until a run gets through.
        let counted = loop {
            let wait = whole.mul_f64(random.fraction(0.0, 1.1));
            match run_and_kill(&disturbed, if kills < limit { wait } else { Duration::MAX }) {
                Some(report) => {
                    assert_eq!(report["connections"][0]["status"], "ok", "{report:#}");
                    break changes(&report);
                }
                None => kills += 1,
            }
            // Whatever was committed is readable at once.
            disturbed.export();
        };
        assert_eq!(content(disturbed.export()), content(undisturbed.export()), "after {kills} kills");
        let expected = changes(&expected);
        assert!(counted.0 <= expected.0 && counted.1 <= expected.1 && counted.2 <= expected.2);
        assert_eq!(changes(&disturbed.sync()), (0, 0, 0), "a second sync has nothing to do");
    }
    disturbed.ok(&["doctor"]);
    assert_eq!(disturbed.names(), strava.truth());
    kills
}

/// Starts a sync and kills it after that time; its report if it was faster.
fn run_and_kill(lifehub: &Lifehub, wait: Duration) -> Option<Value> {
    let mut command = lifehub.command(&["sync", "--all", "--json"]);
    let mut child =
        command.env("LIFEHUB_LEASE", LEASE).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    loop {
        if child.try_wait().unwrap().is_some() {
            let output = child.wait_with_output().unwrap();
            return Some(serde_json::from_slice(&output.stdout).unwrap());
        }
        if begun.elapsed() >= wait {
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            // It may have ended by itself in the meantime.
            return output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
