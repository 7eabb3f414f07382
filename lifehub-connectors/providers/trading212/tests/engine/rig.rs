//! A server, an engine that reads it into a store in memory, and what is in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::clock::{Clock as _, Timestamp};
use lifehub_core::connector::Identity;
use lifehub_core::engine::{Counts, ErrorReport, Report, RunStatus, Runs as _, SyncOptions};
use lifehub_core::oauth::Vault as _;
use lifehub_testkit::{Account, Change, Setup, Simulator};
use lifehub_trading212::Trading212;
use lifehub_trading212::simulator::Trading212Simulator;
use serde_json::{Value, json};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn now() -> Timestamp {
    "2026-11-18T12:07:30Z".parse().unwrap()
}

/// A small account in which changes happen to that stream.
pub(crate) fn small(stream: &str) -> Setup {
    Setup::new(7, now()).days(20).items(30).page(7).stream(stream)
}

pub(crate) struct Rig(lifehub_testkit::Rig<Trading212Simulator>);

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<Trading212Simulator>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Rig {
    pub(crate) fn new(setup: &Setup) -> Self {
        let simulator = Trading212Simulator::seeded(setup);
        Self::behind(simulator.clone(), simulator)
    }

    /// An account behind a server that is not quite the simulator.
    pub(crate) fn behind(simulator: Trading212Simulator, server: impl Simulator) -> Self {
        Self(lifehub_testkit::Rig::behind(Trading212, simulator.into(), server, now()).unwrap())
    }

    pub(crate) async fn identify(&self) -> Result<Identity> {
        let held = self.store.credentials(self.connection.id).await?.credentials;
        self.engine().identify("trading212", &json!({}), held).await
    }

    /// Syncs these streams (none: all), at most so many pages, a minute later and in a new process.
    pub(crate) async fn run_at_most(&self, streams: &[&str], pages: u64) -> Report {
        let mut options = SyncOptions::default();
        options.streams = streams.iter().map(|name| (*name).to_owned()).collect();
        options.max_pages = pages;
        self.run_with(options).await
    }

    pub(crate) async fn run(&self, streams: &[&str]) -> Report {
        self.run_at_most(streams, u64::MAX).await
    }

    pub(crate) async fn run_full(&self) -> Report {
        let mut options = SyncOptions::default();
        options.full = true;
        self.run_with(options).await
    }

    async fn run_with(&self, options: SyncOptions) -> Report {
        self.clock.advance(Duration::from_secs(60));
        self.engine().sync(&self.connection, &options).await.unwrap()
    }

    /// Syncs these streams; whatever stops it fails the test.
    pub(crate) async fn sync(&self, streams: &[&str]) -> Counts {
        let report = self.run(streams).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    /// Syncs, and where that has to wait, waits. Gives how often it had to.
    pub(crate) async fn sync_with_waits(&self) -> usize {
        for waits in 0..200 {
            match self.run(&[]).await.status {
                RunStatus::Ok => return waits,
                RunStatus::Parked => {
                    let run = self.store.latest(self.connection.id).await.unwrap().unwrap();
                    let until = run.resume_at.unwrap();
                    self.clock.advance(until.since(self.clock.now()));
                }
                other => panic!("it ended as {other:?}"),
            }
        }
        panic!("it waits forever");
    }

    /// The error of a stream, which must have one.
    #[track_caller]
    pub(crate) fn error<'a>(report: &'a Report, stream: &str) -> &'a ErrorReport {
        let stream = report.streams.iter().find(|report| report.stream == stream).unwrap();
        stream.error.as_ref().unwrap()
    }

    /// The streams that ended in an error.
    pub(crate) fn failed(report: &Report) -> Vec<&str> {
        let failed = report.streams.iter().filter(|stream| stream.error.is_some());
        failed.map(|stream| stream.stream.as_str()).collect()
    }

    /// The live records of a stream by their item.
    pub(crate) fn stored(&self, stream: &str) -> BTreeMap<String, Vec<Value>> {
        let mut stored: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for record in self.records(stream) {
            let json = serde_json::to_value(&record).unwrap();
            stored.entry(record.external_id).or_default().push(json);
        }
        stored.values_mut().for_each(|records| records.sort_by_key(|record| record["key"].to_string()));
        stored
    }

    /// Fails unless these streams are stored as the simulator's books have them.
    #[track_caller]
    pub(crate) fn equals_truth(&self, streams: &[&str]) {
        for stream in streams {
            let mut stored = self.stored(stream);
            for fact in self.simulator.truth().into_iter().filter(|fact| fact.stream == *stream) {
                let id = fact.id.unwrap();
                let records = stored.remove(&id).unwrap_or_default();
                let told = fact.records.unwrap();
                assert_eq!(records.len(), told.len(), "{id}");
                for (record, told) in records.iter().zip(&told) {
                    assert_eq!(record["start"], told["start"], "{id}");
                    assert_eq!(record["body"], without_null(&told["body"]), "{id}");
                }
            }
            assert!(stored.is_empty(), "{stream}: too many: {:?}", stored.keys());
        }
    }

    pub(crate) fn change(&self, change: Change) {
        assert!(self.simulator.change(change.clone()), "{change:?}");
    }

    /// Path and query of the requests since this was last called.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.server.take_requests();
        let asked =
            |path: String, query: String| if query.is_empty() { path } else { format!("{path}?{query}") };
        requests.into_iter().map(|request| asked(request.path, request.query)).collect()
    }

    /// How many requests went to each path since the last question.
    pub(crate) fn paths(&self) -> BTreeMap<String, usize> {
        let mut paths = BTreeMap::new();
        for asked in self.asked() {
            let path = asked.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
            *paths.entry(path).or_default() += 1;
        }
        paths
    }

    /// The statuses that were answered since the last question.
    pub(crate) fn statuses(&self) -> BTreeSet<u16> {
        self.server.take_requests().into_iter().filter_map(|request| request.status).collect()
    }
}

pub(crate) const ALL: [&str; 5] = ["orders", "dividends", "transactions", "account", "positions"];
pub(crate) const HISTORIES: [&str; 3] = ["orders", "dividends", "transactions"];

fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, member)| !member.is_null());
            kept.map(|(name, member)| (name.clone(), without_null(member))).collect()
        }
        other => other.clone(),
    }
}
