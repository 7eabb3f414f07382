//! The simulated calendar server over real HTTP: what it says happened is what arrives.

use std::collections::BTreeMap;
use std::time::Duration;

use lifehub_ical::simulator::account;
use lifehub_testkit::{Account, Change, Fact, Fault, FaultPlan, Probe, Server, Setup};
use serde_json::Value;

use crate::engine::Synced;
use crate::rig::{block_on, now};

impl Synced {
    /// Fails unless the store has what the simulator's books say.
    fn check(&self, what: &str) {
        let mut found = self.records();
        let mut broken = Vec::new();
        for Fact { id, records, .. } in self.simulator.truth() {
            let id = id.unwrap();
            let Some(expected) = records else {
                broken.push(id.clone());
                found.remove(&id);
                continue;
            };
            let found = found.remove(&id).unwrap_or_default();
            assert_eq!(found.len(), expected.len(), "{what}: {id}");
            for (found, expected) in found.iter().zip(&expected) {
                let members = expected.as_object().unwrap();
                let same = members.iter().all(|(name, value)| &found[name] == value);
                assert!(same, "{what}: {id}\n  found    {found}\n  expected {expected}");
            }
        }
        assert_eq!(found, BTreeMap::new(), "{what}: more than there should be");
        let mut quarantine: Vec<String> = self.quarantine().into_iter().map(|(id, _)| id).collect();
        broken.sort();
        quarantine.sort();
        assert_eq!(quarantine, broken, "{what}");
    }

    /// Statuses of the answers since the last call.
    fn statuses(&self) -> Vec<u16> {
        self.server.take_requests().into_iter().filter_map(|request| request.status).collect()
    }
}

#[test]
fn the_store_has_what_the_calendar_says() {
    for seed in [1, 2, 3] {
        let calendar = Synced::new(&Setup::new(seed, now()));
        block_on(async {
            calendar.sync().await;
            calendar.check("first");
            assert_eq!(calendar.sync().await.inserted, 0);
            assert_eq!(calendar.statuses(), [200, 304]);
            calendar.sync_full().await;
            assert_eq!(calendar.statuses(), [304, 200], "a full pass reads everything");
            calendar.check("full");
        });
    }
}

#[test]
fn every_change_arrives() {
    let calendar = Synced::new(&Setup::new(7, now()).items(60).ties(5));
    let count = calendar.simulator.truth().len();
    assert_eq!(count, 60);
    block_on(async {
        calendar.sync().await;
        for change in [
            Change::Add,
            Change::Add,
            Change::AddLate(Duration::from_secs(100 * 86_400)),
            Change::Edit(0),
            Change::Edit(3),
            Change::Edit(count + 2),
            Change::Edit(count - 1),
            Change::Delete { from: 5, count: 3 },
            Change::Delete { from: count - 2, count: 1 },
            Change::Poison(4),
            Change::Poison(20),
            Change::Heal,
        ] {
            assert!(calendar.simulator.change(change.clone()), "{change:?}");
            calendar.sync().await;
            calendar.check(&format!("{change:?}"));
        }
        for change in [
            Change::TakeId(0),
            Change::Stale(true),
            Change::LeadTo(None),
            Change::ExpireCursors,
            Change::Edit(1000),
            Change::Poison(1000),
            Change::Delete { from: 1000, count: 1 },
        ] {
            assert!(!calendar.simulator.change(change.clone()), "{change:?}");
        }
    });
}

#[test]
fn a_stale_copy_undoes_nothing() {
    let calendar = Synced::new(&Setup::new(8, now()));
    block_on(async {
        calendar.sync().await;
        for change in [Change::Edit(2), Change::Add, Change::Delete { from: 9, count: 2 }] {
            assert!(calendar.simulator.change(change));
            calendar.sync().await;
            calendar.simulator.set_stale(true);
            calendar.sync().await;
            calendar.check("while a stale copy answers");
            calendar.simulator.set_stale(false);
            calendar.sync().await;
            calendar.check("after it");
        }
    });
}

#[test]
fn a_file_that_is_made_for_each_request_changes_nothing() {
    let calendar = Synced::new(&Setup::new(9, now()));
    calendar.simulator.set_made_per_request(true);
    block_on(async {
        calendar.sync().await;
        calendar.check("first");
        let counts = calendar.sync().await;
        assert_eq!((counts.inserted, counts.updated, counts.deleted), (0, 0, 0));
        assert_eq!(counts.unchanged, calendar.simulator.truth().len() as u64);
        assert_eq!(calendar.statuses(), [200, 200]);
        assert!(calendar.simulator.change(Change::Edit(0)));
        assert_eq!(calendar.sync().await.updated, 1);
    });
}

#[test]
fn faults_lose_and_delete_nothing() {
    let calendar = Synced::new(&Setup::new(10, now()));
    block_on(async {
        calendar.sync().await;
        for fault in Fault::EACH {
            assert!(calendar.simulator.change(Change::Add));
            calendar.server.set_faults(FaultPlan::none().at(1, fault));
            let report = calendar.report(&Default::default()).await;
            if report.streams[0].error.is_some() {
                calendar.sync().await;
            }
            calendar.check(&format!("{fault:?}"));
        }
    });
}

#[test]
fn the_seed_makes_the_calendar() {
    let text = |seed: u64| {
        let simulator = account(&Setup::new(seed, now()));
        let server = Server::start(simulator.clone()).unwrap();
        let url = simulator.access(&server.url()).settings["url"].as_str().unwrap().to_owned();
        let reply = Probe::get(&url).send().unwrap();
        assert_eq!(reply.header("content-type"), Some("text/calendar; charset=utf-8"));
        let lines: Vec<&[u8]> = reply.body.split(|b| *b == b'\n').collect();
        assert!(lines.iter().all(|line| line.len() <= 76 && (line.is_empty() || line.ends_with(b"\r"))));
        assert!(lines.iter().any(|line| std::str::from_utf8(line).is_err()), "a fold splits a character");
        let etag = reply.header("etag").unwrap();
        assert_eq!(Probe::get(&url).header("if-none-match", etag).send().unwrap().status, 304);
        let modified = reply.header("last-modified").unwrap();
        assert_eq!(Probe::get(&url).header("if-modified-since", modified).send().unwrap().status, 304);
        assert_eq!(Probe::get(url.replace("private", "other")).send().unwrap().status, 404);
        reply.body
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
    let truth = account(&Setup::new(1, now())).truth();
    assert!((150..250).contains(&truth.len()), "{}", truth.len());
    let records: Vec<&Value> = truth.iter().flat_map(|fact| fact.records.as_ref().unwrap()).collect();
    assert!(records.len() > 500, "{}", records.len());
}
