//! A person's account on a server, and engines that read it into one store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Connection, Counts, Engine, ErrorReport, Operator, Report, RunStatus, SyncOptions,
};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::memory::{MemoryRecord, MemoryStore};
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_oura::Oura;
use lifehub_oura::simulator::OuraSimulator;
use lifehub_testkit::{Account, Server, Setup};
use serde_json::{Value, json};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn now() -> Timestamp {
    "2026-06-10T12:07:30Z".parse().unwrap()
}

pub(crate) struct Rig {
    pub(crate) simulator: OuraSimulator,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) server: Server,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) connection: Connection,
    /// What the operator sets.
    pub(crate) operator: Value,
    /// Another one for each engine, so that no two make the same ids.
    seed: AtomicU64,
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
        let simulator = OuraSimulator::seeded(setup);
        let clock = Arc::new(ManualClock::at(now()));
        let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
        let access = simulator.access(&server.url());
        let app = access.oauth.unwrap();
        let operator = json!({
            "base_url": access.base_url, "quotas": "off",
            "client_id": app.client_id, "client_secret": app.client_secret.as_ref().map(Secret::expose),
            "authorize_url": app.authorize_url, "token_url": app.token_url,
        });
        let (store, rng) = (Arc::new(MemoryStore::with_clock(clock.clone())), Rng::seeded(7));
        let connection = Connection {
            id: ConnectionId::new(now(), &rng),
            user: UserId::new(now(), &rng),
            provider: "oura".into(),
            account: None,
            settings: access.settings,
            zone: Zone::utc(),
        };
        let rig = Self { simulator, clock, server, store, connection, operator, seed: AtomicU64::new(0) };
        rig.set_credentials(access.credentials);
        rig
    }

    /// The same, read from this day on; from the beginning without one.
    pub(crate) fn from(mut self, start: Option<&str>) -> Self {
        self.connection.settings = start.map_or_else(|| json!({}), |start| json!({ "start": start }));
        self
    }

    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        self.store.set_credentials(self.connection.id, credentials);
    }

    /// An engine as a new process has it.
    pub(crate) fn engine(&self) -> Engine {
        let operator: Operator = serde_json::from_value(json!({ "oura": self.operator })).unwrap();
        let transport = Arc::new(ReqwestTransport::new().unwrap());
        Engine::builder(Registry::new().with(Oura::default()), self.store.clone(), transport)
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .operator(operator)
            .build()
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

    /// The live records of a stream, or of all.
    pub(crate) fn records(&self, stream: &str) -> Vec<MemoryRecord> {
        let records = self.store.records(self.connection.id).into_iter();
        records.filter(|r| !r.deleted && (stream.is_empty() || r.stream == stream)).collect()
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
