//! Rule 9: a refresh that is killed at any of its steps, and what the provider's leeway makes of it.

use std::process::ExitStatus;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use lifehub_core::clock::{Clock, ManualClock, SystemClock};
use lifehub_core::oauth::Vault;
use lifehub_store::ConnectionStatus;
use lifehub_testkit::oauth::Tally;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::Executor as _;

use crate::fleet::{Fleet, Provider};
use crate::home::{Kind, block_on, on_each_database};
use crate::need;
use crate::strace::{self, each};

const HOUR: Duration = Duration::from_secs(3_600);

/// The provider's leeway, and how long after the kill the next sync comes.
const CASES: [(Duration, Duration); 4] = [
    (Duration::ZERO, Duration::ZERO),
    (Duration::from_secs(60), Duration::ZERO),
    (Duration::from_secs(60), HOUR),
    (HOUR.saturating_mul(8), HOUR),
];

/// How far a refresh had come when its process was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The provider was not asked yet.
    Claimed,
    /// It had answered, and the answer was not saved.
    Answered,
    /// The new pair was durable.
    Saved,
}

/// One connection whose access token has ended.
struct Life {
    fleet: Fleet,
    clock: Arc<ManualClock>,
    leeway: Duration,
    delay: Duration,
}

impl Life {
    fn new(kind: Kind, (leeway, delay): (Duration, Duration)) -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock::default().now() - 3 * HOUR));
        let provider = Provider { leeway, life: 2 * HOUR, activities: 1 };
        let fleet = Fleet::at(kind, 1, &provider, clock.clone());
        clock.advance(3 * HOUR);
        Self { fleet, clock, leeway, delay }
    }

    fn tally(&self) -> Tally {
        self.fleet.oauth().tally()
    }

    fn sync(&self) -> ExitStatus {
        self.fleet.command(&[], &["sync", "--all"]).status().unwrap()
    }

    fn step(&self) -> Step {
        let stored = block_on(async {
            let store = self.fleet.home.store().await;
            let held = store.credentials(self.fleet.connections[0]).await.unwrap();
            store.close().await.unwrap();
            held.credentials.get("refresh_token").unwrap().expose().to_owned()
        });
        let newest = self.fleet.oauth().families()[0].refresh_token.clone().unwrap();
        match (self.tally().refreshes, stored == newest) {
            (0, true) => Step::Claimed,
            (1, false) => Step::Answered,
            (1, true) => Step::Saved,
            other => panic!("{other:?}: {:?}", self.tally()),
        }
    }

    /// On a server a dead process's lease and claim run out: here at once. SQLite sees that it is dead.
    fn lapse(&self) {
        let Some(schema) = &self.fleet.home.schema else { return };
        let sql = "UPDATE leases SET expires_at = 0; UPDATE refreshes SET half_at = 0, expires_at = 0";
        block_on(async { schema.connect().await.execute(sql).await }).unwrap();
    }

    /// Syncs after a kill, and checks that it comes to what rule 9 says.
    fn goes_on(self, at: &str) -> Step {
        let step = self.step();
        self.lapse();
        self.clock.advance(self.delay);
        let lost = step == Step::Answered && self.delay >= self.leeway;
        assert_eq!(self.sync().success(), !lost, "killed at {at}, {step:?}: {:?}", self.tally());
        let calls = if step == Step::Answered { 2 } else { 1 };
        for again in [false, true] {
            let tally = self.tally();
            assert_eq!(tally.token_calls, calls, "killed at {at}, {step:?}, again: {again}: {tally:?}");
            assert_eq!(tally.in_leeway, u64::from(step == Step::Answered && !lost), "killed at {at}");
            assert_eq!((tally.reuses, tally.refused), (u64::from(lost), u64::from(lost)), "killed at {at}");
            let refused = self.fleet.standing(ConnectionStatus::ReconnectRequired);
            assert_eq!(refused, usize::from(lost), "killed at {at}");
            // Once more: nobody asks a provider in vain twice a day, and what goes on goes on.
            assert_eq!(self.sync().success(), !lost);
        }
        step
    }
}

#[test]
fn rule_9_a_kill_at_each_write_of_a_refresh_costs_what_the_leeway_says() {
    if !need::strace() {
        return;
    }
    let mut seen = Vec::new();
    for (n, case) in (0..).zip(CASES) {
        for call in ["pwrite64", "fdatasync"] {
            for k in each(n) {
                let life = Life::new(Kind::Sqlite, case);
                if injected(&life, call, k).success() {
                    break;
                }
                seen.push(life.goes_on(&format!("{call} {k}, {case:?}")));
            }
        }
    }
    println!("{} kills: {seen:?}", seen.len());
    assert!(seen.contains(&Step::Claimed) && seen.contains(&Step::Saved), "{seen:?}");
}

on_each_database! {
    #[test]
    fn rule_9_a_kill_at_each_step_of_a_refresh_costs_what_the_leeway_says(kind: Kind) {
        for case in CASES {
            // The first request is the token call: its answer never arrives. The second is the first use.
            for (request, step) in [(0, Step::Answered), (1, Step::Saved)] {
                let life = Life::new(kind, case);
                let (named, name) = mpsc::channel();
                life.fleet.server.after(request, move || {
                    kill(Pid::from_raw(name.recv().unwrap()), Signal::SIGKILL).unwrap();
                });
                let mut sync = life.fleet.command(&[], &["sync", "--all"]).spawn().unwrap();
                named.send(sync.id().cast_signed()).unwrap();
                sync.wait().unwrap();
                assert_eq!(life.goes_on(&format!("request {request}, {case:?}")), step);
            }
        }
    }
}

/// Syncs, and is killed at the k-th such call on a file of the database.
fn injected(life: &Life, call: &str, k: u64) -> ExitStatus {
    let wrapper = strace::inject(&life.fleet.home.file(), call, "signal=SIGKILL", k);
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    life.fleet.command(&wrapper, &["sync", "--all"]).status().unwrap()
}
