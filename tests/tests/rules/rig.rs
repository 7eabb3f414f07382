//! An engine over the shelf and a store, with a clock that tests move.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, ManualClock, Rng, Timestamp, Zone};
use lifehub_core::connector::{WebhookDelivery, WebhookEvent, WebhookNews, WebhookOutcome};
use lifehub_core::engine::{Connection, Counts, Engine, Report, Storage, SyncOptions};
use lifehub_core::http::{Request, Response, Transport};
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::{ConnectionId, RecordId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::schedule::Schedule;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_scratch::Scratch;
use lifehub_store::{KeySource, NewConnection, OpenOptions, Store};
use serde_json::Value;

use crate::shelf::Shelf;

/// The instant at which every test begins.
pub(crate) fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn days_ago(days: u64) -> Timestamp {
    start() - Duration::from_secs(days * 86_400)
}

/// Which store a rule is tried on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind<'a> {
    Memory,
    Sqlite,
    Postgres(&'a Schemas),
}

/// Schemas that a test has used before: to make one takes longer than most tests.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Mutex<Vec<Arc<Scratch>>>);

impl Schemas {
    /// An empty one that nobody uses.
    async fn next(&self) -> Arc<Scratch> {
        let unused = self.0.lock().unwrap().iter().find(|one| Arc::strong_count(one) == 1).cloned();
        if let Some(scratch) = unused {
            scratch.empty_but("lifehub_schema").await;
            return scratch;
        }
        let new = Arc::new(Scratch::new().await.unwrap());
        self.0.lock().unwrap().push(new.clone());
        new
    }
}

#[derive(Clone)]
enum Data {
    Memory(Arc<MemoryStore>),
    Database(Store),
}

/// A database and its key.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    schema: Option<Arc<Scratch>>,
}

impl Home {
    pub(crate) async fn new(kind: Kind<'_>) -> Self {
        let schema = match kind {
            Kind::Memory => panic!("there is no database in memory"),
            Kind::Sqlite => None,
            Kind::Postgres(schemas) => Some(schemas.next().await),
        };
        Self { folder: tempfile::tempdir().unwrap(), schema }
    }

    /// The store, each time as another process has it.
    pub(crate) async fn open(&self, clock: Arc<dyn Clock>) -> Store {
        let file = |name: &str| self.folder.path().join(name);
        let url = match &self.schema {
            Some(schema) => schema.url(),
            None => file("lifehub.db").to_str().unwrap().to_owned(),
        };
        Store::open(&url, OpenOptions::new(KeySource::File(file("master.key"))).clock(clock)).await.unwrap()
    }
}

/// Everything that a sync needs.
pub(crate) struct Rig {
    pub(crate) shelf: Shelf,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) connection: Connection,
    pub(crate) storage: Arc<dyn Storage>,
    data: Data,
    home: Option<Arc<Home>>,
    /// Another one for each engine, so that no two make the same ids.
    seed: Arc<AtomicU64>,
}

impl Rig {
    pub(crate) async fn new(kind: Kind<'_>, shelf: Shelf) -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        if matches!(kind, Kind::Memory) {
            let store = Arc::new(MemoryStore::new());
            let rng = Rng::seeded(7);
            let connection = Connection {
                id: ConnectionId::new(start(), &rng),
                user: UserId::new(start(), &rng),
                provider: "shelf".into(),
                account: Some("1".into()),
                settings: Value::Object(Default::default()),
                zone: Zone::utc(),
            };
            store.add_connection(connection.clone());
            let data = Data::Memory(store.clone());
            return Self { shelf, clock, connection, storage: store, data, home: None, seed: Arc::default() };
        }
        let home = Home::new(kind).await;
        let store = home.open(clock.clone()).await;
        let user = store.create_user("a@example.org", &Zone::utc()).await.unwrap();
        let mut new = NewConnection::new(user, "shelf", Credentials::none());
        new.account = Some("1".into());
        let (id, _) = store.connect(new).await.unwrap();
        let connection = store.connection(id).await.unwrap().connection;
        let data = Data::Database(store.clone());
        let home = Some(Arc::new(home));
        Self { shelf, clock, connection, storage: Arc::new(store), data, home, seed: Arc::default() }
    }

    pub(crate) fn with_shelf(mut self, shelf: Shelf) -> Self {
        self.shelf = shelf;
        self
    }

    pub(crate) fn with_storage(&self, storage: Arc<dyn Storage>) -> Self {
        Self {
            shelf: self.shelf.clone(),
            clock: self.clock.clone(),
            connection: self.connection.clone(),
            storage,
            data: self.data.clone(),
            home: self.home.clone(),
            seed: self.seed.clone(),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        match &self.data {
            Data::Database(store) => store,
            Data::Memory(_) => panic!("this rig has no database"),
        }
    }

    /// The store as another process has it, where there is such a thing.
    pub(crate) async fn elsewhere(&self) -> Arc<dyn Storage> {
        match &self.home {
            Some(home) => Arc::new(home.open(self.clock.clone()).await),
            None => self.storage.clone(),
        }
    }

    /// What is due in the same store.
    pub(crate) fn schedule(&self) -> Arc<dyn Schedule> {
        match &self.data {
            Data::Memory(store) => store.clone(),
            Data::Database(store) => Arc::new(store.clone()),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        let registry = Registry::new().with(self.shelf.clone());
        Engine::builder(registry, self.storage.clone(), Arc::new(NoNetwork))
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .build()
    }

    pub(crate) async fn sync_with(&self, options: &SyncOptions) -> Report {
        // A moment passes between syncs.
        self.clock.advance(Duration::from_secs(1));
        self.engine().sync(&self.connection, options).await.unwrap()
    }

    /// Syncs; whatever stops a stream fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        let report = self.sync_with(&SyncOptions::default()).await;
        for stream in &report.streams {
            assert!(stream.error.is_none(), "{:?}", stream.error);
        }
        report.totals()
    }

    /// The provider sends this event of the account; by the answer it arrived.
    pub(crate) async fn deliver(&self, event: WebhookEvent) {
        let news = WebhookOutcome::News(vec![WebhookNews::new(1, event)]);
        self.shelf.world().deliveries.push_back(news);
        let delivery = WebhookDelivery::post("", self.clock.now());
        assert_eq!(self.engine().receive("shelf", &delivery).await.unwrap(), None);
    }

    /// A sync of which one pass is full.
    pub(crate) async fn sync_full(&self) -> Report {
        let mut options = SyncOptions::default();
        options.full = true;
        self.sync_with(&options).await
    }

    pub(crate) async fn replay(&self) -> Counts {
        let report = self.engine().replay(&self.connection, &SyncOptions::default()).await.unwrap();
        assert!(report.streams.iter().all(|s| s.error.is_none()), "{report:?}");
        report.totals()
    }

    /// All records as JSON, tombstones included, by external id.
    pub(crate) async fn records(&self) -> Vec<Value> {
        let mut records = match &self.data {
            Data::Memory(store) => {
                let rows = store.records(self.connection.id).into_iter();
                rows.map(|row| {
                    serde_json::json!({
                        "id": row.id, "external_id": row.external_id, "day": row.day,
                        "body": serde_json::from_str::<Value>(row.record.body()).unwrap(),
                        "changed_at": row.changed_at, "deleted": row.deleted,
                    })
                })
                .collect::<Vec<_>>()
            }
            Data::Database(store) => exported(store, self.connection.user).await,
        };
        records.sort_by_key(|r| (r["external_id"].to_string(), r["key"].to_string()));
        records
    }

    /// External id and title of every live record.
    pub(crate) async fn live(&self) -> BTreeMap<String, String> {
        let records = self.records().await;
        let live = records.iter().filter(|r| r["deleted"] == false);
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        live.map(|r| (text(&r["external_id"]), text(&r["body"]["name"]))).collect()
    }

    pub(crate) async fn quarantine(&self) -> Vec<(String, String)> {
        match &self.data {
            Data::Memory(store) => store.quarantine(self.connection.id),
            Data::Database(store) => {
                let rows = store.quarantine(self.connection.id, 1000).await.unwrap();
                rows.into_iter().map(|row| (row.external_id, row.reason)).collect()
            }
        }
    }

    /// Deletes a record as its user does.
    pub(crate) async fn remove_as_user(&self, id: RecordId) {
        match &self.data {
            Data::Memory(store) => store.remove_record(id).unwrap(),
            Data::Database(store) => store.delete_record(self.connection.user, id).await.unwrap(),
        }
    }

    /// What the live records should be: those of the provider.
    pub(crate) fn truth(&self) -> BTreeMap<String, String> {
        let world = self.shelf.world();
        world.entries.iter().filter_map(|e| Some((e.id.clone()?, e.title.clone()))).collect()
    }
}

/// The export of a user, line by line.
pub(crate) async fn exported(store: &Store, user: UserId) -> Vec<Value> {
    let mut export = store.export(user, true);
    let mut records = Vec::new();
    while let Some(page) = export.next_page().await.unwrap() {
        records.extend(page.iter().map(|record| serde_json::to_value(record).unwrap()));
    }
    records
}

/// What of a record is equal in equal stores.
pub(crate) fn content(records: &[Value]) -> Vec<Value> {
    let mut records = records.to_vec();
    for record in &mut records {
        let members = record.as_object_mut().unwrap();
        for name in ["id", "connection", "seq", "changed_at"] {
            members.remove(name);
        }
    }
    records
}

/// A transport for connectors that send nothing.
pub(crate) struct NoNetwork;

#[async_trait]
impl Transport for NoNetwork {
    async fn send(&self, _: Request) -> Result<Response> {
        Err(Error::new(ErrorKind::Unavailable, "there is no network here"))
    }
}

/// Makes one test of a rule for each store.
macro_rules! on_each_store {
    ($(#[test] async fn $name:ident($kind:ident: Kind) $body:block)*) => {$(
        mod $name {
            use super::*;
            #[tokio::test]
            async fn in_memory() {
                let $kind = Kind::Memory;
                $body
            }
            $crate::rig::in_databases! { #[tokio::test] $kind $body }
        }
    )*};
}
pub(crate) use on_each_store;

/// Makes one test of a rule for each database.
macro_rules! on_each_database {
    ($(#[$test:meta] async fn $name:ident($kind:ident: Kind) $body:block)*) => {$(
        mod $name {
            use super::*;
            $crate::rig::in_databases! { #[$test] $kind $body }
        }
    )*};
}
pub(crate) use on_each_database;

macro_rules! in_databases {
    (#[$test:meta] $kind:ident $body:block) => {
        #[$test]
        async fn in_sqlite() {
            let $kind = Kind::Sqlite;
            $body
        }
        #[$test]
        async fn in_postgres() {
            if lifehub_scratch::missing().is_some() {
                return;
            }
            let schemas = $crate::rig::Schemas::default();
            let $kind = Kind::Postgres(&schemas);
            $body
        }
    };
}
pub(crate) use in_databases;
