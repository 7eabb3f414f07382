//! A connection to the simulated YNAB, in a store in memory, by a clock that no one waits for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Connection, Counts, Engine, ErrorReport, Operator, PartitionKey, Report, RunStatus, Storage, SyncOptions,
};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Account, Server, Setup};
use lifehub_ynab::Ynab;
use lifehub_ynab::simulator::YnabSimulator;
use serde_json::{Value, json};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Live records by their external id.
pub(crate) type Records = BTreeMap<String, Vec<Value>>;

pub(crate) struct Rig {
    pub(crate) simulator: YnabSimulator,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) server: Server,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) connection: Connection,
    /// What an operator sets.
    pub(crate) operator: Value,
    transport: Arc<ReqwestTransport>,
    /// Another one for each engine, so that no two make the same ids.
    seed: AtomicU64,
}

/// Noon of a day in the middle of its month.
pub(crate) fn start() -> Timestamp {
    "2026-06-10T12:00:00Z".parse().unwrap()
}

/// An account that changes happen to in that stream, with 16 items a stream, 14 of them in the first plan.
pub(crate) fn rig(stream: &str) -> Rig {
    Rig::of(&Setup::new(7, start()).items(16).stream(stream))
}

impl Rig {
    pub(crate) fn of(setup: &Setup) -> Self {
        let simulator = YnabSimulator::seeded(setup);
        let clock = Arc::new(ManualClock::at(setup.now));
        let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
        let (store, rng) = (Arc::new(MemoryStore::with_clock(clock.clone())), Rng::seeded(7));
        let connection = Connection {
            id: ConnectionId::new(setup.now, &rng),
            user: UserId::new(setup.now, &rng),
            provider: "ynab".into(),
            account: None,
            settings: json!({}),
            zone: Zone::utc(),
        };
        let access = simulator.access(&server.url());
        store.set_credentials(connection.id, access.credentials);
        let operator = json!({ "ynab": {
            "base_url": access.base_url,
            "authorize_url": format!("{}/oauth/authorize", server.url()),
            "token_url": format!("{}/oauth/token", server.url()),
            "client_id": YnabSimulator::CLIENT_ID,
            "client_secret": YnabSimulator::CLIENT_SECRET,
        } });
        let (transport, seed) = (Arc::new(ReqwestTransport::local().unwrap()), AtomicU64::new(0));
        Self { simulator, clock, server, store, connection, operator, transport, seed }
    }

    /// An engine as a new process has it.
    pub(crate) fn engine(&self) -> Engine {
        self.engine_over(self.store.clone())
    }

    /// The same over another storage.
    pub(crate) fn engine_over(&self, storage: Arc<dyn Storage>) -> Engine {
        let operator: Operator = serde_json::from_value(self.operator.clone()).unwrap();
        Engine::builder(Registry::new().with(Ynab::default()), storage, self.transport.clone())
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .operator(operator)
            .build()
    }

    pub(crate) fn set_token(&self, token: &str) {
        let credentials = Credentials::none().with("access_token", Secret::new(token));
        self.store.set_credentials(self.connection.id, credentials);
    }

    pub(crate) async fn run(&self, options: &SyncOptions) -> Report {
        self.clock.advance(Duration::from_secs(60));
        self.engine().sync(&self.connection, options).await.unwrap()
    }

    /// Syncs; whatever stops it fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        succeeded(&self.run(&SyncOptions::default()).await)
    }

    /// The same with a full pass.
    pub(crate) async fn sync_full(&self) -> Counts {
        succeeded(&self.run(&full()).await)
    }

    /// Syncs, and tells what became of each stream that did not come to its end.
    pub(crate) async fn errors(&self) -> Vec<ErrorReport> {
        let report = self.run(&SyncOptions::default()).await;
        report.streams.into_iter().filter_map(|stream| stream.error).collect()
    }

    /// The live records of a stream.
    pub(crate) fn stored(&self, stream: &str) -> Records {
        let mut stored = Records::new();
        for record in self.store.records(self.connection.id) {
            if !record.deleted && *record.stream == *stream {
                let id = record.external_id.clone();
                stored.entry(id).or_default().push(serde_json::to_value(&record).unwrap());
            }
        }
        stored.values_mut().for_each(|records| sort(records));
        stored
    }

    /// How many live records there are.
    pub(crate) fn count(&self) -> usize {
        self.store.records(self.connection.id).iter().filter(|record| !record.deleted).count()
    }

    /// Fails unless a stream's live records are those that YNAB has told.
    #[track_caller]
    pub(crate) fn equals_truth(&self, stream: &str) {
        let mut stored = self.stored(stream);
        for fact in self.simulator.truth().into_iter().filter(|fact| fact.stream == stream) {
            let (id, mut records) = (fact.id.unwrap(), fact.records.unwrap());
            sort(&mut records);
            let found = stored.remove(&id).unwrap_or_else(|| panic!("{id} is not stored"));
            assert_eq!(found.len(), records.len(), "{id}");
            for (record, told) in found.iter().zip(&records) {
                assert_eq!((&record["day"], &record["key"]), (&told["day"], &told["key"]), "{id}");
                for (member, told) in told["body"].as_object().unwrap() {
                    let none = json!(null);
                    let own = record["body"].get(member).unwrap_or(&none);
                    assert!(own == told || told.is_object(), "{id} {member}: {own}, not {told}");
                }
            }
        }
        assert!(stored.is_empty(), "stored, but not told: {stored:?}");
    }

    /// The queries of the calls for a list since requests were last taken, by the order in which they came.
    pub(crate) fn asked(&self, list: &str) -> Vec<String> {
        let requests = self.server.take_requests().into_iter();
        requests.filter(|request| request.path.ends_with(list)).map(|request| request.query).collect()
    }

    /// Where a list of the first plan stands.
    pub(crate) fn place(&self, stream: &str) -> PartitionKey {
        let facts = self.simulator.truth();
        let plan = facts.into_iter().find(|fact| fact.stream == stream).unwrap().partition;
        PartitionKey { connection: self.connection.id, stream: stream.into(), partition: plan }
    }
}

/// By what tells the records of an item apart.
fn sort(records: &mut [Value]) {
    records.sort_by_key(|record| record["key"].to_string());
}

pub(crate) fn full() -> SyncOptions {
    let mut options = SyncOptions::default();
    options.full = true;
    options
}

#[track_caller]
pub(crate) fn succeeded(report: &Report) -> Counts {
    assert_eq!(report.status, RunStatus::Ok, "{report:?}");
    report.totals()
}

/// What a query names a parameter.
pub(crate) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
