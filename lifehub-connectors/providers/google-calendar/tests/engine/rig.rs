//! An account on a server, and engines that read it into a store in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lifehub_core::clock::{Clock, ManualClock, Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Connection, Counts, Engine, Operator, PartitionKey, PartitionState, Report, RunStatus, SyncOptions,
    SyncStore,
};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::Secret;
use lifehub_google_calendar::GoogleCalendar;
use lifehub_google_calendar::simulator::GoogleCalendarSimulator;
use lifehub_testkit::{Access, Account, Change, Fact, LoggedRequest, Server, Setup};
use serde_json::{Value, json};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const OWNER: &str = lifehub_google_calendar::simulator::OWNER;
pub(crate) const JOURNEYS: &str = "c_5e6f7example00journeys@group.calendar.google.com";
pub(crate) const HOLIDAYS: &str = "en.example#holiday@group.v.calendar.google.com";

pub(crate) const BUSY: &str = "colleague@example.com";

/// Calendar and id of an event.
pub(crate) type Key = (String, String);

pub(crate) struct Rig {
    pub(crate) simulator: GoogleCalendarSimulator,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) server: Server,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) connection: Connection,
    /// What an operator sets.
    pub(crate) operator: Value,
    transport: Arc<ReqwestTransport>,
    seed: AtomicU64,
}

pub(crate) fn now() -> Timestamp {
    "2026-08-10T12:00:00Z".parse().unwrap()
}

impl Rig {
    /// So many events, ten a page.
    pub(crate) fn new(items: usize) -> Self {
        Self::of(&Setup::new(7, now()).days(100).items(items).page(10).stream("events"))
    }

    pub(crate) fn of(setup: &Setup) -> Self {
        let simulator = GoogleCalendarSimulator::seeded(setup);
        let clock = Arc::new(ManualClock::at(setup.now));
        let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
        let Access { base_url, credentials, oauth, .. } = simulator.access(&server.url());
        let (store, rng, app) = (Arc::new(MemoryStore::new()), Rng::seeded(7), oauth.unwrap());
        let connection = Connection {
            id: ConnectionId::new(setup.now, &rng),
            user: UserId::new(setup.now, &rng),
            provider: "google-calendar".into(),
            account: None,
            settings: json!({}),
            zone: Zone::utc(),
        };
        store.set_credentials(connection.id, credentials);
        let operator = json!({
            "base_url": base_url, "quotas": "off", "client_id": app.client_id,
            "client_secret": app.client_secret.as_ref().map(Secret::expose),
            "authorize_url": app.authorize_url, "token_url": app.token_url, "revoke_url": app.revoke_url,
        });
        let (transport, seed) = (Arc::new(ReqwestTransport::new().unwrap()), AtomicU64::new(0));
        Self { simulator, clock, server, store, connection, operator, transport, seed }
    }

    /// An engine as a new process has it.
    pub(crate) fn engine(&self) -> Engine {
        let operator: Operator = serde_json::from_value(json!({ "google-calendar": self.operator })).unwrap();
        let registry = Registry::new().with(GoogleCalendar::default());
        Engine::builder(registry, self.store.clone(), self.transport.clone())
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .operator(operator)
            .build()
    }

    pub(crate) async fn run(&self, options: &SyncOptions) -> Report {
        self.clock.advance(Duration::from_secs(60));
        self.engine().sync(&self.connection, options).await.unwrap()
    }

    /// Syncs the events; whatever stops it fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        let mut options = SyncOptions::default();
        options.streams.push("events".to_owned());
        let report = self.run(&options).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    #[track_caller]
    pub(crate) fn change(&self, change: Change) {
        assert!(self.simulator.change(change.clone()), "{change:?}");
    }

    /// The live records of events.
    pub(crate) fn stored(&self) -> BTreeMap<Key, Value> {
        let records = self.store.records(self.connection.id).into_iter();
        let live = records.filter(|record| !record.deleted && record.stream == "events");
        live.map(|record| {
            let key = (record.partition.clone(), record.external_id.clone());
            (key, serde_json::to_value(record).unwrap())
        })
        .collect()
    }

    pub(crate) fn keys(&self) -> BTreeSet<Key> {
        self.stored().into_keys().collect()
    }

    /// Those that there should be now, a year and a day ahead.
    pub(crate) fn truth(&self) -> BTreeSet<Key> {
        let facts = self.simulator.truth_before(self.clock.now() + 366 * DAY);
        let events = facts.into_iter().filter(|fact| fact.stream == "events");
        let with_records =
            events.filter(|fact| fact.records.as_ref().is_some_and(|records| !records.is_empty()));
        with_records.map(|Fact { partition, id, .. }| (partition, id.unwrap())).collect()
    }

    /// Fails unless the events that are stored are those that there should be.
    #[track_caller]
    pub(crate) fn agrees(&self) {
        let (stored, truth) = (self.keys(), self.truth());
        let (lost, more): (Vec<_>, Vec<_>) =
            (truth.difference(&stored).collect(), stored.difference(&truth).collect());
        assert!(lost.is_empty() && more.is_empty(), "not stored: {lost:?}; not there any more: {more:?}");
    }

    /// The requests for events since this was last called: path and query.
    pub(crate) fn asked(&self) -> Vec<LoggedRequest> {
        let requests = self.server.take_requests();
        requests.into_iter().filter(|request| request.path.ends_with("/events")).collect()
    }

    pub(crate) async fn state(&self, calendar: &str) -> PartitionState {
        self.store.resume(&self.partition(calendar)).await.unwrap()
    }

    pub(crate) fn partition(&self, calendar: &str) -> PartitionKey {
        PartitionKey { connection: self.connection.id, stream: "events".into(), partition: calendar.into() }
    }
}

/// The value of a parameter, encoded as it was sent.
pub(crate) fn parameter<'a>(request: &'a LoggedRequest, name: &str) -> Option<&'a str> {
    request.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The names of all parameters, sorted.
pub(crate) fn names(request: &LoggedRequest) -> Vec<&str> {
    let mut names: Vec<&str> =
        request.query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
    names.sort_unstable();
    names
}
