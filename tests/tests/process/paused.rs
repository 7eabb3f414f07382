//! Rule 10: a process that slept through its lease writes nothing when it wakes up.

use std::sync::mpsc;
use std::time::Duration;

use lifehub_core::record::Digest;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fleet::{Fleet, Provider, reach};
use crate::home::{Home, Kind, block_on, on_each_database};

const TERM: &str = "500ms";
const THREE_TERMS: Duration = Duration::from_millis(1_500);

/// Three pages and the empty one that ends them.
const ACTIVITIES: usize = 450;
const REQUESTS: u64 = 4;

on_each_database! {
    #[test]
    fn rule_10_a_process_stopped_for_three_leases_writes_no_row(kind: Kind) {
        for n in 0..reach("LIFEHUB_PAUSES", REQUESTS) {
            // In SQLite nobody can take over from a process that was stopped in the middle of a transaction, as when
            // it just renewed its lease: it has the database to itself.
            let shown = (0..5).any(|_| stopped_at(kind, n % REQUESTS));
            assert!(shown, "it was stopped inside of a transaction each time");
        }
    }
}

/// Stops a sync at that request, lets another process take over, and wakes the first. False if nobody could take over.
fn stopped_at(kind: Kind, request: u64) -> bool {
    let provider =
        Provider { leeway: Duration::ZERO, life: Duration::from_secs(3_600), activities: ACTIVITIES };
    let fleet = Fleet::of(kind, 1, &provider);
    let sync = || {
        let mut command = fleet.command(&[], &["sync", "--all", "--json"]);
        command.env("LIFEHUB_LEASE", TERM);
        command
    };
    let (named, name) = mpsc::channel();
    let (stopped, stop) = mpsc::channel();
    let pages = fleet.pages();
    fleet.server.after(request, move || {
        let sleeper = Pid::from_raw(name.recv().unwrap());
        // Not inside of a transaction: there it would keep the whole of SQLite's database to itself.
        pages.wait_for(request);
        kill(sleeper, Signal::SIGSTOP).unwrap();
        stopped.send(sleeper).unwrap();
    });
    let mut sleeper = sync().spawn().unwrap();
    named.send(sleeper.id().cast_signed()).unwrap();
    let pid = stop.recv().unwrap();
    std::thread::sleep(THREE_TERMS);

    if !sync().status().unwrap().success() {
        kill(pid, Signal::SIGCONT).unwrap();
        sleeper.wait().unwrap();
        return false;
    }
    // A process that still reads keeps the log from being moved into the database.
    block_on(async {
        let store = fleet.home.store().await;
        let before = written(&fleet.home).await;
        let count = fleet.server.request_count();
        kill(pid, Signal::SIGCONT).unwrap();
        let status = sleeper.wait().unwrap();
        assert_eq!(status.code(), Some(1), "it says that it was too late, at request {request}");
        assert!(written(&fleet.home).await == before, "it wrote something, at request {request}");
        // What was on its way when it was stopped may still be answered; nothing more is asked.
        assert!(fleet.server.request_count() <= count + 1);
        store.close().await.unwrap();
    });
    assert!(sync().status().unwrap().success());
    true
}

/// What stands in the database, by its digests. A transaction that changed a row is in SQLite's file or in its log.
async fn written(home: &Home) -> Vec<Digest> {
    if let Some(schema) = &home.schema {
        return vec![Digest::of_bytes(&schema.contents().await)];
    }
    let file = |suffix| std::fs::read(format!("{}{suffix}", home.file().display())).unwrap();
    ["", "-wal"].map(|suffix| Digest::of_bytes(&file(suffix))).into()
}
