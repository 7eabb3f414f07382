//! A person's account on a server, and engines that read it into one store.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Counts, ErrorReport, Report, RunStatus, SyncOptions};
use lifehub_oura::Oura;
use lifehub_oura::simulator::OuraSimulator;
use lifehub_testkit::{Account, Setup};
use serde_json::{Value, json};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn now() -> Timestamp {
    "2026-06-10T12:07:30Z".parse().unwrap()
}

pub(crate) struct Rig(lifehub_testkit::Rig<OuraSimulator>);

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<OuraSimulator>;

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
    /// Two years of a life.
    pub(crate) fn years() -> Self {
        Self::new(&Setup::new(7, now()))
    }

    /// Some months of it.
    pub(crate) fn months() -> Self {
        Self::new(&Setup::new(7, now()).days(150))
    }

    /// An account with the token that never ends.
    pub(crate) fn new(setup: &Setup) -> Self {
        let simulator = OuraSimulator::seeded(setup).into();
        Self(lifehub_testkit::Rig::new(Oura, simulator, now()).unwrap())
    }

    /// The same, read from this day on; from the beginning without one.
    pub(crate) fn from(mut self, start: Option<&str>) -> Self {
        self.0.connection.settings = start.map_or_else(|| json!({}), |start| json!({ "start": start }));
        self
    }

    /// Syncs a moment later; only these streams, if some are named.
    pub(crate) async fn run(&self, streams: &[&str], full: bool) -> Report {
        let mut options = SyncOptions::default();
        options.full = full;
        options.streams = streams.iter().map(|&stream| stream.to_owned()).collect();
        self.clock.advance(Duration::from_secs(1));
        self.engine().sync(&self.connection, &options).await.unwrap()
    }

    /// Syncs everything; whatever stops it fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        good(&self.run(&[], false).await)
    }

    /// The same with full passes.
    pub(crate) async fn sync_full(&self) -> Counts {
        good(&self.run(&[], true).await)
    }

    /// Stream and external id of what is stored.
    pub(crate) fn stored(&self) -> BTreeSet<(String, String)> {
        self.records("").into_iter().map(|record| (record.stream, record.external_id)).collect()
    }

    /// The same by the simulator's books.
    pub(crate) fn truth(&self) -> BTreeSet<(String, String)> {
        let facts = self.simulator.truth().into_iter();
        let told = facts.filter(|fact| fact.records.as_ref().is_some_and(|records| !records.is_empty()));
        told.map(|fact| (fact.stream, fact.id.unwrap())).collect()
    }

    /// The bodies of a stream's records, by the day on which they count.
    pub(crate) fn by_day(&self, stream: &str) -> BTreeMap<String, Vec<Value>> {
        let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for record in self.records(stream) {
            let body = serde_json::from_str(record.record.body()).unwrap();
            days.entry(record.day.to_string()).or_default().push(body);
        }
        days
    }

    /// Paths (their last part) and queries of the requests since this was last called.
    pub(crate) fn asked(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let requests = self.server.take_requests().into_iter();
        requests
            .map(|request| {
                let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
                let pairs = pairs.map(|(name, value)| (name.to_owned(), value.replace("%3A", ":")));
                (request.path.rsplit('/').next().unwrap_or_default().to_owned(), pairs.collect())
            })
            .collect()
    }
}

/// What a run did that came to its end.
#[track_caller]
pub(crate) fn good(report: &Report) -> Counts {
    assert_eq!(report.status, RunStatus::Ok, "{report:?}");
    report.totals()
}

/// The errors of a run, by their streams.
pub(crate) fn errors(report: &Report) -> BTreeMap<&str, &ErrorReport> {
    let streams = report.streams.iter();
    streams.filter_map(|stream| Some((stream.stream.as_str(), stream.error.as_ref()?))).collect()
}
