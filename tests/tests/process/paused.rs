//! Rule 10: a process that slept through its lease writes nothing when it wakes up.

use std::sync::mpsc;
use std::time::Duration;

use lifehub_core::record::Digest;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fleet::{Fleet, Provider, block_on, reach};

const TERM: &str = "500ms";
const THREE_TERMS: Duration = Duration::from_millis(1_500);

/// Three pages and the empty one that ends them.
const ACTIVITIES: usize = 450;
const REQUESTS: u64 = 4;

#[test]
fn rule_10_a_process_stopped_for_three_leases_writes_no_row() {
    for n in 0..reach("LIFEHUB_PAUSES", REQUESTS) {
        // Nobody can take over from a process that was stopped in the middle of a transaction, as when it just renewed
        // its lease: it has the database to itself.
        let shown = (0..5).any(|_| stopped_at(n % REQUESTS));
        assert!(shown, "it was stopped inside of a transaction each time");
    }
}

/// Stops a sync at that request, lets another process take over, and wakes the first. False if nobody could take over.
fn stopped_at(request: u64) -> bool {
    let provider =
        Provider { leeway: Duration::ZERO, life: Duration::from_secs(3_600), activities: ACTIVITIES };
    let fleet = Fleet::of(1, &provider);
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
        // Not inside of a transaction: there it would keep the whole database to itself, and nobody could take over.
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
        let store = fleet.store().await;
        let before = files(&fleet);
        let count = fleet.server.request_count();
        kill(pid, Signal::SIGCONT).unwrap();
        let status = sleeper.wait().unwrap();
        assert_eq!(status.code(), Some(1), "it says that it was too late, at request {request}");
        assert!(files(&fleet) == before, "it wrote something, at request {request}");
        // What was on its way when it was stopped may still be answered; nothing more is asked.
        assert!(fleet.server.request_count() <= count + 1);
        store.close().await.unwrap();
    });
    assert!(sync().status().unwrap().success());
    true
}

/// The database and its log, by their digests: a transaction that changed a row is in one of them.
fn files(fleet: &Fleet) -> [Digest; 2] {
    ["", "-wal"].map(|suffix| {
        let path = format!("{}{suffix}", fleet.database().display());
        Digest::of_bytes(&std::fs::read(path).unwrap())
    })
}
