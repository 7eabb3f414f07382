//! Rule 9 with real processes: one token call per expiry over eight workers, and what a kill can cost.

use std::process::Child;
use std::time::{Duration, Instant};

use lifehub_store::ConnectionStatus;
use lifehub_testkit::Seeded;
use lifehub_testkit::oauth::Tally;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fleet::{Fleet, Provider, reach};
use crate::home::{Kind, on_each_database};

const CONNECTIONS: usize = 100;
const WORKERS: usize = 8;

/// What became of a fleet.
struct End {
    kills: u64,
    tally: Tally,
    active: usize,
    refused: usize,
}

/// Lets eight workers work until so many tokens have ended; every second one of them is killed, if that is wanted.
fn campaign(kind: Kind, leeway: Duration, with_kills: bool) -> End {
    let expiries = reach("LIFEHUB_EXPIRIES", 100);
    let seed = reach("LIFEHUB_SEED", 9);
    println!("{expiries} expiries, leeway {} s, kills: {with_kills}, seed {seed}", leeway.as_secs());
    let fleet =
        Fleet::of(kind, CONNECTIONS, &Provider { leeway, life: Duration::from_secs(1), activities: 3 });
    let mut random = Seeded::new(seed);
    let mut workers: Vec<Child> = (0..WORKERS).map(|_| fleet.worker()).collect();
    let begun = Instant::now();
    let (mut kills, mut last_kill) = (0, begun);
    while fleet.oauth().tally().refreshes < expiries {
        std::thread::sleep(Duration::from_millis(20));
        for worker in &mut workers {
            assert!(worker.try_wait().unwrap().is_none(), "a worker ended by itself");
        }
        let stuck = Duration::from_secs(60 + expiries / 5);
        assert!(begun.elapsed() < stuck, "after {stuck:?}: {:?}", fleet.oauth().tally());
        if with_kills && last_kill.elapsed() >= Duration::from_secs(1) {
            let victim = random.whole(0, WORKERS as i64 - 1) as usize;
            workers[victim].kill().unwrap();
            workers[victim].wait().unwrap();
            workers[victim] = fleet.worker();
            (kills, last_kill) = (kills + 1, Instant::now());
        }
    }
    for worker in &mut workers {
        kill(Pid::from_raw(worker.id().cast_signed()), Signal::SIGTERM).unwrap();
    }
    for worker in &mut workers {
        worker.wait().unwrap();
    }
    let tally = fleet.oauth().tally();
    println!("{kills} kills in {:.0} s: {tally:?}", begun.elapsed().as_secs_f64());
    let standing = |status| fleet.standing(status);
    End {
        kills,
        tally,
        active: standing(ConnectionStatus::Active),
        refused: standing(ConnectionStatus::ReconnectRequired),
    }
}

on_each_database! {
    #[test]
    fn rule_9_eight_workers_make_one_token_call_per_expiry(kind: Kind) {
        let End { tally, active, .. } = campaign(kind, Duration::ZERO, false);
        assert_eq!((tally.early, tally.reuses, tally.refused), (0, 0, 0), "{tally:?}");
        assert_eq!(tally.token_calls, tally.refreshes, "{tally:?}");
        assert_eq!((tally.families_revoked, active), (0, CONNECTIONS));
    }

    #[test]
    fn rule_9_within_the_leeway_a_kill_costs_one_call_and_no_connection(kind: Kind) {
        let leeway = match kind {
            Kind::Sqlite => Duration::from_secs(60),
            // A dead process's claim stands there for twice the time that a token call may take, which is a minute.
            Kind::Postgres => Duration::from_secs(180),
        };
        let End { kills, tally, active, .. } = campaign(kind, leeway, true);
        assert!(kills > 0);
        assert!(tally.early <= kills && tally.in_leeway <= kills, "{tally:?}");
        assert_eq!((tally.reuses, tally.refused, tally.families_revoked), (0, 0, 0), "{tally:?}");
        assert_eq!(active, CONNECTIONS);
    }

    #[test]
    fn rule_9_without_leeway_only_a_kill_between_answer_and_save_costs_a_connection(kind: Kind) {
        let End { kills, tally, active, refused } = campaign(kind, Duration::ZERO, true);
        assert!(kills > 0);
        // A reuse is such a kill: the provider had answered, and the answer was not there any more.
        let lost = tally.families_revoked;
        println!("{lost} connections lost by {kills} kills");
        assert!(lost <= kills, "{tally:?}");
        assert_eq!((tally.reuses, tally.refused, tally.early), (lost, lost, 0), "one attempt each: {tally:?}");
        assert_eq!((refused as u64, active as u64), (lost, CONNECTIONS as u64 - lost));
    }
}
