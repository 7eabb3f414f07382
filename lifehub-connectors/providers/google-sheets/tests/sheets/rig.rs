//! A made-up spreadsheet, and an engine that reads it into a store in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::connector::Identity;
use lifehub_core::engine::{
    Connection, Counts, Engine, ErrorReport, Operator, Report, RunStatus, SyncOptions,
};
use lifehub_core::http::{Request, ReqwestTransport, Response, Transport};
use lifehub_core::memory::MemoryStore;
use lifehub_core::prelude::async_trait;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_google_sheets::GoogleSheets;
use lifehub_google_sheets::simulator::GoogleSheetsSimulator;
use lifehub_testkit::{Access, Account, Server, Setup};
use serde_json::{Value, json};

/// Leads every request to the simulator, whatever its host, and remembers where it was meant to go.
pub(crate) struct Wire {
    inner: ReqwestTransport,
    port: u16,
    pub(crate) hosts: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, mut request: Request) -> Result<Response> {
        self.hosts.lock().unwrap().push(request.url.origin().ascii_serialization());
        request.url.set_scheme("http").unwrap();
        request.url.set_host(Some("127.0.0.1")).unwrap();
        request.url.set_port(Some(self.port)).unwrap();
        self.inner.send(request).await
    }
}

pub(crate) struct Rig {
    pub(crate) simulator: GoogleSheetsSimulator,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) server: Server,
    pub(crate) wire: Arc<Wire>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) connection: Connection,
    /// What an operator sets.
    pub(crate) operator: Value,
    /// Another one for each engine, so that no two make the same ids.
    seed: AtomicU64,
}

pub(crate) fn now() -> Timestamp {
    "2026-08-10T12:07:00Z".parse().unwrap()
}

impl Rig {
    /// The made-up person's own spreadsheet, of sixty rows.
    pub(crate) fn new() -> Self {
        let simulator = GoogleSheetsSimulator::seeded(&Setup::new(7, now()).items(60));
        let clock = Arc::new(ManualClock::at(now()));
        let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
        let Access { base_url, credentials, settings, oauth } = simulator.access(&server.url());
        let (store, rng) = (Arc::new(MemoryStore::with_clock(clock.clone())), Rng::seeded(7));
        let connection = Connection {
            id: ConnectionId::new(now(), &rng),
            user: UserId::new(now(), &rng),
            provider: "google-sheets".into(),
            account: None,
            settings,
            zone: Zone::utc(),
        };
        store.set_credentials(connection.id, credentials);
        let app = oauth.unwrap();
        let operator = json!({ "google-sheets": {
            "base_url": base_url, "quotas": "off",
            "client_id": app.client_id, "client_secret": app.client_secret.as_ref().map(Secret::expose),
            "authorize_url": app.authorize_url, "token_url": app.token_url, "revoke_url": app.revoke_url,
        } });
        let wire =
            Wire { inner: ReqwestTransport::new().unwrap(), port: server.port(), hosts: Mutex::default() };
        let seed = AtomicU64::new(0);
        Self { simulator, clock, server, wire: Arc::new(wire), store, connection, operator, seed }
    }

    /// A tab with these cells, the first row of which are headers, read as this range says.
    pub(crate) fn with(range: Value, cells: Value) -> Self {
        let mut rig = Self::new();
        rig.simulator.write("Sheet", &cells);
        rig.range(range);
        rig
    }

    /// Reads this range alone, of the tab that a test writes.
    pub(crate) fn range(&mut self, mut range: Value) {
        range["name"] = json!("sheet");
        if range.get("tab").is_none() {
            range["tab"] = json!("Sheet");
        }
        self.connection.settings["ranges"] = json!([range]);
    }

    pub(crate) fn engine(&self) -> Engine {
        let operator: Operator = serde_json::from_value(self.operator.clone()).unwrap();
        Engine::builder(Registry::new().with(GoogleSheets::default()), self.store.clone(), self.wire.clone())
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .operator(operator)
            .build()
    }

    pub(crate) async fn report(&self) -> Report {
        self.clock.advance(Duration::from_secs(1));
        self.engine().sync(&self.connection, &SyncOptions::default()).await.unwrap()
    }

    /// Syncs; whatever stops it fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        let report = self.report().await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    /// Syncs, and tells what stopped it.
    pub(crate) async fn refused(&self) -> ErrorReport {
        let before = self.stored();
        let report = self.report().await;
        assert_eq!(report.status, RunStatus::Failed, "{report:?}");
        assert_eq!(report.totals().deleted, 0, "{report:?}");
        let after = self.stored();
        let lost = before.iter().find(|(place, record)| after.get(place) != Some(record));
        assert_eq!(lost, None, "nothing is lost");
        let error = report.streams[0].error.clone().unwrap();
        assert!(error.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{error:?}");
        error
    }

    pub(crate) async fn identify(&self) -> Result<Identity> {
        let token = self.simulator.access("").credentials.get("access_token").unwrap().clone();
        let credentials = Credentials::none().with("access_token", token);
        self.engine().identify("google-sheets", &self.connection.settings, credentials).await
    }

    /// The live records by range, external id and key.
    pub(crate) fn stored(&self) -> BTreeMap<(String, String, String), Value> {
        let records = self.store.records(self.connection.id).into_iter().filter(|record| !record.deleted);
        let place = |record: &Value| {
            ["partition", "external_id", "key"]
                .map(|member| record[member].as_str().unwrap_or_default().to_owned())
        };
        let records = records.map(|record| serde_json::to_value(record).unwrap());
        records.map(|record| (place(&record).into(), record)).collect()
    }

    /// The records' days or starts with one member of their bodies, in the order of time.
    pub(crate) fn told(&self, member: &str) -> Vec<String> {
        let tell = |record: &Value| {
            let when = record["start"].as_str().or(record["day"].as_str()).unwrap_or_default();
            format!("{when} {}", record["body"].pointer(member).unwrap_or(&Value::Null))
        };
        let mut told: Vec<String> = self.stored().values().map(tell).collect();
        told.sort();
        told
    }

    /// Why rows are in quarantine.
    pub(crate) fn quarantine(&self) -> Vec<String> {
        let mut reasons: Vec<String> =
            self.store.quarantine(self.connection.id).into_iter().map(|(_, reason)| reason).collect();
        reasons.sort();
        reasons
    }

    /// How many of the truth's rows of each range are stored with their records.
    pub(crate) fn equals_truth(&self) {
        let stored = self.stored();
        let mut records = 0;
        for fact in self.simulator.truth() {
            let id = fact.id.unwrap();
            for expected in fact.records.unwrap() {
                let key = expected["key"].as_str().unwrap().to_owned();
                let record = &stored[&(fact.partition.clone(), id.clone(), key)];
                assert_eq!(
                    (&record["day"], &record["start"]),
                    (&expected["day"], &expected["start"]),
                    "{id}"
                );
                records += 1;
            }
        }
        assert_eq!(stored.len(), records);
    }
}
