//! A sync that is killed at each of its commits goes on from the file, and ends with the truth.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use custom_store::{FileStore, Key};
use lifehub_core::Result;
use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Connection, Engine, Operator, ProviderSettings, Report, RunStatus, Runs, Storage, SyncOptions,
};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_testkit::{Access, Account, At, Change, FaultyStore, Server, Setup, StoreFault};
use new_connector::{Timebook, simulator};
use serde_json::{Value, json};
use tempfile::TempDir;

struct World {
    account: Arc<dyn Account>,
    server: Server,
    clock: Arc<ManualClock>,
    connection: Connection,
}

impl World {
    /// Forty entries on four pages.
    fn new() -> Self {
        let now: Timestamp = "2026-08-10T12:00:00Z".parse().unwrap();
        let account = simulator::account(&Setup::new(3, now).days(200).items(40).page(10));
        let server = Server::start(account.clone()).unwrap();
        let rng = Rng::seeded(1);
        let connection = Connection {
            id: ConnectionId::new(now, &rng),
            user: UserId::new(now, &rng),
            provider: "timebook".into(),
            account: None,
            settings: json!({}),
            zone: Zone::utc(),
        };
        Self { account, server, clock: Arc::new(ManualClock::at(now)), connection }
    }

    /// What the program of an embedder does when it starts.
    fn open(&self, path: &Path) -> FileStore {
        FileStore::open(path, Key::new([7; 32]), self.clock.clone()).unwrap()
    }

    fn access(&self) -> Access {
        self.account.access(&self.server.url())
    }

    async fn sync(&self, store: Arc<dyn Storage>) -> Result<Report> {
        let mut settings = ProviderSettings::default();
        settings.base_url = self.access().base_url.map(|url| url.parse().unwrap());
        let registry = Registry::new().with(Timebook);
        let engine = Engine::builder(registry, store, Arc::new(ReqwestTransport::new()?))
            .clock(self.clock.clone())
            .operator(Operator::default().with("timebook", settings))
            .build();
        engine.sync(&self.connection, &SyncOptions::default()).await
    }

    /// The live records by their ids, as far as the provider's own books tell them.
    #[track_caller]
    fn assert_truth(&self, store: &FileStore) {
        let live = store.records(self.connection.id).into_iter().filter(|record| !record.deleted);
        let mut found: BTreeMap<String, Value> =
            live.map(|record| (record.external_id.clone(), serde_json::to_value(record).unwrap())).collect();
        for fact in self.account.truth() {
            let record = found.remove(&fact.id.unwrap()).unwrap();
            for (member, expected) in fact.records.unwrap()[0].as_object().unwrap() {
                assert_eq!(&record[member], expected, "{member}");
            }
        }
        assert_eq!(found, BTreeMap::new(), "records of which the provider knows nothing");
    }
}

/// Kills the program at one commit of its first sync; false if that sync has fewer.
async fn killed(at: At) -> bool {
    let (world, folder) = (World::new(), TempDir::new().unwrap());
    let path = folder.path().join("life.json");
    {
        let store = world.open(&path);
        store.set_credentials(world.connection.id, &world.access().credentials).await.unwrap();
        let faulty = FaultyStore::new(Arc::new(store));
        faulty.set(StoreFault::Crash(at));
        // Whether it ends in an error or in a report that tells one: nobody is there any more to hear it.
        let _ = world.sync(faulty.clone()).await;
        if !faulty.has_crashed() {
            return false;
        }
    }
    // Its lease died with the program: this does not wait.
    let store = world.open(&path);
    let report = world.sync(Arc::new(store.clone())).await.unwrap();
    assert_eq!(report.status, RunStatus::Ok, "{at:?}: {report:?}");
    world.assert_truth(&store);
    let epoch = store.latest(world.connection.id).await.unwrap().unwrap().epoch;
    assert_eq!(epoch, 2, "{at:?}");

    // And the next program reads on from there: what is new, and nothing twice.
    drop(store);
    assert!(world.account.change(Change::Add));
    let store = world.open(&path);
    let report = world.sync(Arc::new(store.clone())).await.unwrap();
    let totals = report.totals();
    assert_eq!((totals.inserted, totals.updated, totals.deleted), (1, 0, 0), "{at:?}");
    world.assert_truth(&store);
    true
}

#[tokio::test]
async fn a_kill_at_any_commit_loses_and_doubles_nothing() {
    let mut commits = 0;
    while killed(At::BeforeCommit(commits + 1)).await {
        assert!(killed(At::AfterCommit(commits + 1)).await);
        commits += 1;
    }
    assert!(commits >= 4, "{commits} commits for four pages");
}
