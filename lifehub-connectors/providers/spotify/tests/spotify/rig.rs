//! An account at the simulated Spotify, and an engine that reads it into a store in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Connection, Counts, Engine, ErrorReport, Operator, Report, RunStatus, SyncOptions,
};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::Credentials;
use lifehub_spotify::Spotify;
use lifehub_spotify::simulator::SpotifySimulator;
use lifehub_testkit::{Account, Probe, Reply, Server, Setup};
use serde_json::{Value, json};

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

pub(crate) struct Rig {
    pub(crate) simulator: SpotifySimulator,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) server: Server,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) connection: Connection,
    /// What an operator sets.
    pub(crate) operator: Value,
    /// Another one for each engine, so that no two make the same ids.
    seed: AtomicU64,
}

impl Rig {
    pub(crate) fn new(setup: &Setup) -> Self {
        let simulator = SpotifySimulator::seeded(setup);
        let clock = Arc::new(ManualClock::at(setup.now));
        let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
        let access = simulator.access(&server.url());
        let (store, rng) = (Arc::new(MemoryStore::with_clock(clock.clone())), Rng::seeded(7));
        let connection = Connection {
            id: ConnectionId::new(setup.now, &rng),
            user: UserId::new(setup.now, &rng),
            provider: "spotify".into(),
            account: None,
            settings: access.settings,
            zone: Zone::utc(),
        };
        store.set_credentials(connection.id, access.credentials);
        let app = access.oauth.unwrap();
        let operator = json!({
            "base_url": access.base_url, "quotas": "off", "client_id": app.client_id,
            "client_secret": app.client_secret.unwrap().expose(), "authorize_url": app.authorize_url,
            "token_url": app.token_url,
        });
        Self { simulator, clock, server, store, connection, operator, seed: AtomicU64::new(0) }
    }

    pub(crate) fn engine(&self) -> Engine {
        let operator: Operator = serde_json::from_value(json!({ "spotify": self.operator })).unwrap();
        let transport = Arc::new(ReqwestTransport::local().unwrap());
        Engine::builder(Registry::new().with(Spotify::default()), self.store.clone(), transport)
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .operator(operator)
            .build()
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

    /// The credentials from now on.
    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        self.store.set_credentials(self.connection.id, credentials);
    }

    /// The live records of a stream by partition and external id.
    pub(crate) fn stored(&self, stream: &str) -> BTreeMap<(String, String), Value> {
        let records = self.store.records(self.connection.id);
        let records = records.iter().map(|record| serde_json::to_value(record).unwrap());
        let own = records.filter(|record| record["stream"] == stream && record["deleted"] == false);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        own.map(|record| ((text(&record["partition"]), text(&record["external_id"])), record)).collect()
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
