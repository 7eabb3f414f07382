//! An account at the simulated Spotify, and an engine that reads it into a store in memory.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Counts, ErrorReport, Report, RunStatus, SyncOptions};
use lifehub_core::memory::MemoryRecord;
use lifehub_spotify::Spotify;
use lifehub_spotify::simulator::SpotifySimulator;
use lifehub_testkit::{Account, Probe, Reply, Setup};
use serde_json::Value;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// The instant at which every test begins.
pub(crate) fn now() -> Timestamp {
    "2026-08-14T12:00:00Z".parse().unwrap()
}

/// A setup of a few items.
pub(crate) fn few(items: usize) -> Setup {
    Setup::new(5, now()).days(20).items(items)
}

pub(crate) struct Rig(lifehub_testkit::Rig<SpotifySimulator>);

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<SpotifySimulator>;

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
        let simulator = SpotifySimulator::seeded(setup).into();
        Self(lifehub_testkit::Rig::new(Spotify, simulator, setup.now).unwrap())
    }

    /// The same with the quotas of the manifest.
    pub(crate) fn with_quotas(self) -> Self {
        Self(self.0.with_quotas())
    }

    /// Syncs these streams, or all if none is named.
    pub(crate) async fn run(&self, streams: &[&str]) -> Report {
        let mut options = SyncOptions::default();
        options.streams = streams.iter().map(|&stream| stream.to_owned()).collect();
        self.engine().sync(&self.connection, &options).await.unwrap()
    }

    /// Syncs them; whatever stops it fails the test.
    pub(crate) async fn sync(&self, streams: &[&str]) -> Counts {
        let report = self.run(streams).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    /// The live records of a stream by partition and external id.
    pub(crate) fn stored(&self, stream: &str) -> BTreeMap<(String, String), Value> {
        let place = |record: &MemoryRecord| (record.partition.clone(), record.external_id.clone());
        let records = self.records(stream).into_iter();
        records.map(|record| (place(&record), serde_json::to_value(record).unwrap())).collect()
    }

    /// The ids of what is stored of a stream.
    pub(crate) fn ids(&self, stream: &str) -> Vec<String> {
        let mut ids: Vec<String> = self.stored(stream).into_keys().map(|(_, id)| id).collect();
        ids.sort();
        ids
    }

    /// The ids of what there should be of it.
    pub(crate) fn true_ids(&self, stream: &str) -> Vec<String> {
        let own = self.simulator.truth().into_iter().filter(|fact| fact.stream == stream);
        let mut ids: Vec<String> = own.filter_map(|fact| fact.id).collect();
        ids.sort();
        ids
    }

    /// Paths of the requests since this was last called, without what is the same in all of them.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.server.take_requests().into_iter();
        requests.map(|request| request.path.trim_start_matches("/v1").to_owned()).collect()
    }

    /// What the simulated Spotify answers to the token of the account.
    pub(crate) fn get(&self, path: &str) -> Reply {
        let access = self.simulator.access(&self.server.url());
        let token = access.credentials.get("access_token").unwrap().expose().to_owned();
        Probe::get(format!("{}{path}", access.base_url.unwrap())).bearer(&token).send().unwrap()
    }

    /// The same as JSON; any status but 200 fails the test.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply.json().unwrap()
    }
}

/// The error of a stream.
#[track_caller]
pub(crate) fn error<'a>(report: &'a Report, stream: &str) -> &'a ErrorReport {
    let named = report.streams.iter().find(|report| report.stream == stream).unwrap();
    named.error.as_ref().unwrap_or_else(|| panic!("{stream} has no error: {report:?}"))
}
