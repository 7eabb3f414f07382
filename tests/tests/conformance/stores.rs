//! The suite of stores over the store in memory, over SQLite and over PostgreSQL.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::{Clock, Day, Rng, Zone};
use lifehub_core::engine::{Connection, Storage};
use lifehub_core::oauth::Authorizations;
use lifehub_core::record::{DatasetInfo, RecordId, UserId};
use lifehub_core::schedule::Schedule;
use lifehub_core::secret::Credentials;
use lifehub_scratch::Scratch;
use lifehub_store::{KeySource, NewConnection, OpenOptions, RecordQuery, Store};
use lifehub_testkit::suite::store::{MemoryUnderTest, Quarantined, Rollup, StoreUnderTest, Subject};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

lifehub_testkit::store_suite!(memory, crate::stores::in_memory());
lifehub_testkit::store_suite!(sqlite, crate::stores::in_sqlite());
lifehub_testkit::store_suite!(postgres, crate::stores::in_postgres());

pub(crate) fn in_memory() -> Subject {
    Subject::new("memory", |clock| async { Ok(MemoryUnderTest::open(clock)) })
}

/// Each in a file of its own, in a folder that goes with it.
pub(crate) fn in_sqlite() -> Subject {
    Subject::new("sqlite", DatabaseUnderTest::in_a_file)
}

/// Each in a schema of its own, which goes with it.
pub(crate) fn in_postgres() -> Subject {
    Subject::new("postgres", DatabaseUnderTest::on_a_server).unless(lifehub_scratch::missing())
}

/// Where a store under test keeps its data.
enum Place {
    File,
    Server(Scratch),
}

struct DatabaseUnderTest {
    store: Store,
    clock: Arc<dyn Clock>,
    folder: Arc<TempDir>,
    place: Arc<Place>,
    users: AtomicU64,
}

impl DatabaseUnderTest {
    async fn in_a_file(clock: Arc<dyn Clock>) -> Result<Arc<dyn StoreUnderTest>> {
        Self::at(Arc::new(TempDir::new().unwrap()), Arc::new(Place::File), clock).await
    }

    async fn on_a_server(clock: Arc<dyn Clock>) -> Result<Arc<dyn StoreUnderTest>> {
        let place = Place::Server(Scratch::new().await.unwrap());
        Self::at(Arc::new(TempDir::new().unwrap()), Arc::new(place), clock).await
    }

    async fn at(
        folder: Arc<TempDir>,
        place: Arc<Place>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn StoreUnderTest>> {
        let options = OpenOptions::new(KeySource::File(folder.path().join("master.key")))
            .clock(clock.clone())
            .rng(Arc::new(Rng::seeded(9)));
        let url = match &*place {
            Place::File => Self::file(&folder),
            Place::Server(scratch) => scratch.url(),
        };
        let store = Store::open(&url, options).await?;
        Ok(Arc::new(Self { store, clock, folder, place, users: AtomicU64::default() }))
    }

    fn file(folder: &TempDir) -> String {
        folder.path().join("test.db").to_str().unwrap().to_owned()
    }
}

fn json(record: impl serde::Serialize) -> Value {
    serde_json::to_value(record).unwrap()
}

#[async_trait]
impl StoreUnderTest for DatabaseUnderTest {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.store.clone())
    }

    fn schedule(&self) -> Option<Arc<dyn Schedule>> {
        Some(Arc::new(self.store.clone()))
    }

    fn authorizations(&self) -> Option<Arc<dyn Authorizations>> {
        Some(Arc::new(self.store.clone()))
    }

    async fn add_user(&self, zone: &Zone) -> Result<UserId> {
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        self.store.create_user(&format!("user-{number}@example.org"), zone).await
    }

    async fn add_connection(
        &self,
        user: UserId,
        provider: &str,
        account: &str,
        credentials: Credentials,
    ) -> Result<Connection> {
        let mut new = NewConnection::new(user, provider, credentials);
        new.account = Some(account.to_owned());
        let (id, _) = self.store.connect(new).await?;
        Ok(self.store.connection(id).await?.connection)
    }

    async fn records(&self, connection: &Connection) -> Result<Vec<Value>> {
        let mut query =
            RecordQuery { connection: Some(connection.id), deleted: true, ..RecordQuery::default() };
        let mut records = Vec::new();
        loop {
            let page = self.store.records(connection.user, &query).await?;
            records.extend(page.items.iter().map(json));
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(records);
            }
        }
    }

    async fn quarantine(&self, connection: &Connection) -> Result<Vec<Quarantined>> {
        let rows = self.store.quarantine(connection.id, 500).await?.into_iter();
        let entry = |row: lifehub_store::QuarantineEntry| Quarantined {
            stream: row.stream,
            external_id: row.external_id,
            reason: row.reason,
        };
        Ok(rows.map(entry).collect())
    }

    async fn remove_record(&self, user: UserId, record: RecordId) -> Result<()> {
        self.store.delete_record(user, record).await
    }

    async fn reopen(&self) -> Result<Option<Arc<dyn StoreUnderTest>>> {
        self.store.close().await?;
        Self::at(self.folder.clone(), self.place.clone(), self.clock.clone()).await.map(Some)
    }

    async fn pass_time(&self, by: Duration) -> Result<Option<()>> {
        // Leases and claims follow the database's own clock, which nobody moves: their ends are moved instead.
        let by = i64::try_from(by.as_micros()).unwrap();
        let sql = format!(
            "UPDATE leases SET expires_at = expires_at - {by};
             UPDATE refreshes SET half_at = half_at - {by}, expires_at = expires_at - {by}"
        );
        let sql = AssertSqlSafe(sql.as_str());
        match &*self.place {
            Place::File => {
                let mut conn = SqliteConnection::connect(&Self::file(&self.folder)).await.unwrap();
                conn.execute(sql).await.unwrap();
                conn.close().await.unwrap();
            }
            Place::Server(scratch) => {
                let mut conn = scratch.connect().await;
                conn.execute(sql).await.unwrap();
                conn.close().await.unwrap();
            }
        }
        Ok(Some(()))
    }

    async fn disconnect(&self, connection: &Connection) -> Result<Option<()>> {
        self.store.disconnect(connection.id).await.map(Some)
    }

    async fn changes(&self, user: UserId, after: u64, limit: u32) -> Result<Option<Vec<Value>>> {
        let page = self.store.changes(user, after, limit).await?;
        Ok(Some(page.items.iter().map(json).collect()))
    }

    async fn rollups(&self, user: UserId) -> Result<Option<Vec<Rollup>>> {
        let mut all = Vec::new();
        for metric in DatasetInfo::find("workout").unwrap().metrics {
            let (first, last) = (Day::from_number(0), Day::from_number(100_000));
            let rows = self.store.rollups(user, metric.name, first, last).await?.into_iter();
            all.extend(rows.map(|row| Rollup {
                connection: row.connection.to_string(),
                metric: row.metric,
                label: row.label,
                day: row.day,
                count: row.tally.count,
                sum: row.tally.sum,
                min: row.tally.min,
                max: row.tally.max,
                last: row.tally.last,
            }));
        }
        Ok(Some(all))
    }

    async fn set_zone(&self, user: UserId, zone: &Zone) -> Result<Option<()>> {
        self.store.set_zone(user, zone).await.map(Some)
    }

    async fn written(&self) -> Result<Option<Vec<u8>>> {
        if let Place::Server(scratch) = &*self.place {
            return Ok(Some(scratch.contents().await));
        }
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_data = |path: &PathBuf| path.is_file() && path.file_name().unwrap() != "master.key";
        Ok(Some(entries.filter(is_data).flat_map(|path| std::fs::read(path).unwrap()).collect()))
    }
}
