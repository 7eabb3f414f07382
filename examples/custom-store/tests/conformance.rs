//! Every case of the suite of stores.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use custom_store::{FileStore, Key};
use lifehub_core::Result;
use lifehub_core::clock::{Clock, Rng, Timestamp, Zone};
use lifehub_core::engine::{Connection, Storage};
use lifehub_core::record::{ConnectionId, RecordId, UserId};
use lifehub_core::secret::Credentials;
use lifehub_testkit::suite::store::{Quarantined, StoreUnderTest, Subject};
use serde_json::{Value, json};
use tempfile::TempDir;

lifehub_testkit::store_suite!(one_file, super::subject());

fn subject() -> Subject {
    Subject::new("one file", |clock| async { FileUnderTest::open(Arc::new(Embedder::new(clock))) })
}

/// What an embedder has, whichever process of it runs: a place for the file, a key, and users.
struct Embedder {
    folder: TempDir,
    clock: Arc<dyn Clock>,
    rng: Rng,
    zones: Mutex<Vec<(UserId, Zone)>>,
    key: Key,
}

impl Embedder {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            clock,
            rng: Rng::seeded(5),
            zones: Mutex::default(),
            key: Key::new([5; 32]),
        }
    }
}

struct FileUnderTest {
    store: FileStore,
    embedder: Arc<Embedder>,
}

impl FileUnderTest {
    fn open(embedder: Arc<Embedder>) -> Result<Arc<dyn StoreUnderTest>> {
        let path = embedder.folder.path().join("life.json");
        let store = FileStore::open(path, embedder.key.clone(), embedder.clock.clone())?;
        Ok(Arc::new(Self { store, embedder }))
    }
}

#[async_trait]
impl StoreUnderTest for FileUnderTest {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.store.clone())
    }

    async fn add_user(&self, zone: &Zone) -> Result<UserId> {
        let user = UserId::new(Timestamp::EPOCH, &self.embedder.rng);
        self.embedder.zones.lock().unwrap().push((user, zone.clone()));
        Ok(user)
    }

    async fn add_connection(
        &self,
        user: UserId,
        provider: &str,
        account: &str,
        credentials: Credentials,
    ) -> Result<Connection> {
        let id = ConnectionId::new(Timestamp::EPOCH, &self.embedder.rng);
        self.store.set_credentials(id, &credentials).await?;
        self.store.set_account(id, provider, account).await?;
        let zones = self.embedder.zones.lock().unwrap();
        Ok(Connection {
            id,
            user,
            provider: provider.to_owned(),
            account: Some(account.to_owned()),
            settings: json!({}),
            zone: zones.iter().find(|(of, _)| *of == user).unwrap().1.clone(),
        })
    }

    async fn records(&self, connection: &Connection) -> Result<Vec<Value>> {
        let row = |record| {
            let mut record = serde_json::to_value(record).unwrap();
            record["connection"] = json!(connection.id);
            record["provider"] = json!(connection.provider);
            record
        };
        Ok(self.store.records(connection.id).iter().map(row).collect())
    }

    async fn quarantine(&self, connection: &Connection) -> Result<Vec<Quarantined>> {
        let rows = self.store.quarantine(connection.id).into_iter();
        let entry = |row: custom_store::Quarantined| Quarantined {
            stream: row.stream,
            external_id: row.external_id,
            reason: row.reason,
        };
        Ok(rows.map(entry).collect())
    }

    async fn remove_record(&self, _user: UserId, record: RecordId) -> Result<()> {
        self.store.remove_record(record).await
    }

    async fn reopen(&self) -> Result<Option<Arc<dyn StoreUnderTest>>> {
        // Others may still hold clones of this store, so that dropping it would not do.
        self.store.close().await?;
        Self::open(self.embedder.clone()).map(Some)
    }

    async fn pass_time(&self, by: Duration) -> Result<Option<()>> {
        // The suite's clock stands still, and whoever sleeps moves it.
        self.embedder.clock.sleep(by).await;
        Ok(Some(()))
    }

    async fn disconnect(&self, connection: &Connection) -> Result<Option<()>> {
        self.store.disconnect(connection.id).await.map(Some)
    }

    async fn written(&self) -> Result<Option<Vec<u8>>> {
        let entries = std::fs::read_dir(self.embedder.folder.path()).unwrap();
        Ok(Some(entries.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()))
    }
}
