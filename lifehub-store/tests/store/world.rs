//! A small world for tests: a database in a folder of its own, a user, a connection, and batches as an engine makes
//! them.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Day, Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Batch, BodyChange, Claim, Dues, ItemPut, ItemRef, ItemState, KnownItem, KnownRecord, Lease, Leases,
    PartitionKey, PartitionState, RecordChange, Report, RunEntry, Sighting, SyncStore,
};
use lifehub_core::page::RawJson;
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{ConnectionId, Digest, Moment, Record, RecordId, RunId, UserId, When};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{KeySource, NewConnection, OpenOptions, RecordQuery, Store, StoredRecord};
use tempfile::TempDir;

pub(crate) const START: i64 = 1_767_225_600; // 2026-01-01T00:00:00Z

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) user: UserId,
    pub(crate) connection: ConnectionId,
    pub(crate) lease: Lease,
    pub(crate) rng: Arc<Rng>,
    pub(crate) dir: TempDir,
    pub(crate) url: String,
}

pub(crate) fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds)
}

pub(crate) fn options(dir: &TempDir) -> OpenOptions {
    OpenOptions::new(KeySource::File(dir.path().join("master.key")))
        .rng(Arc::new(Rng::seeded(fastrand::u64(..))))
}

pub(crate) async fn open(dir: &TempDir) -> Store {
    Store::open(dir.path().join("test.db").to_str().unwrap(), options(dir)).await.unwrap()
}

pub(crate) fn new_connection(user: UserId, account: Option<&str>, token: &str) -> NewConnection {
    let credentials = Credentials::none().with("access_token", Secret::new(token));
    NewConnection { account: account.map(Into::into), ..NewConnection::new(user, "strava", credentials) }
}

pub(crate) async fn claim(store: &Store, connection: ConnectionId) -> Lease {
    match store.claim(connection).await.unwrap() {
        Claim::Held(lease) => lease,
        Claim::Busy { epoch } => panic!("busy under epoch {epoch}"),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::in_dir(TempDir::new().unwrap()).await
    }

    pub(crate) async fn in_dir(dir: TempDir) -> Self {
        let url = dir.path().join("test.db").to_str().unwrap().to_owned();
        Self::at(url, dir).await
    }

    /// In the database of that URL, with its key in this folder.
    pub(crate) async fn at(url: String, dir: TempDir) -> Self {
        Self::in_time(url, dir, Duration::from_secs(10)).await
    }

    /// The same, waiting no longer than so long for what others hold.
    pub(crate) async fn in_time(url: String, dir: TempDir, wait: Duration) -> Self {
        let store = Store::open(&url, options(&dir).busy_timeout(wait)).await.unwrap();
        let user = store.create_user("ada@example.com", &Zone::utc()).await.unwrap();
        let (connection, _) = store.connect(new_connection(user, Some("a"), "token")).await.unwrap();
        let lease = claim(&store, connection).await;
        Self { store, user, connection, lease, rng: Arc::new(Rng::seeded(1)), dir, url }
    }

    /// Another connection of the same user, as another process works on it.
    pub(crate) async fn beside(&self, account: &str) -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::copy(self.dir.path().join("master.key"), dir.path().join("master.key")).unwrap();
        let store = Store::open(&self.url, options(&dir)).await.unwrap();
        let new = new_connection(self.user, Some(account), "token");
        let (connection, made) = store.connect(new).await.unwrap();
        assert!(made);
        let lease = claim(&store, connection).await;
        let rng = Arc::new(Rng::seeded(u64::from(account.as_bytes()[0])));
        Self { store, user: self.user, connection, lease, rng, dir, url: self.url.clone() }
    }

    pub(crate) fn key(&self) -> PartitionKey {
        PartitionKey { connection: self.connection, stream: "activities".into(), partition: String::new() }
    }

    pub(crate) fn batch(&self, puts: Vec<ItemPut>) -> Batch {
        let now = instant(0);
        Batch {
            partition: self.key(),
            now,
            puts,
            seen: None,
            hold: None,
            taken: None,
            state: PartitionState::default(),
            run: RunEntry {
                id: RunId::from_bytes([7; 16]),
                epoch: self.lease.epoch,
                started_at: now,
                finished_at: None,
                resume_at: None,
                dues: Dues::default(),
                report: Report::new(self.connection, "strava"),
            },
        }
    }

    pub(crate) async fn commit(&self, puts: Vec<ItemPut>) {
        self.store.commit(&self.lease, self.batch(puts)).await.unwrap();
    }

    pub(crate) fn record_id(&self) -> RecordId {
        RecordId::new(instant(0), &self.rng)
    }

    pub(crate) async fn known(&self, id: &str) -> KnownItem {
        self.store.known(&self.key(), &[id]).await.unwrap().pop().expect("the item is known")
    }

    pub(crate) async fn records_of(&self, id: &str) -> Vec<KnownRecord> {
        let item = self.known(id).await.item;
        self.store.records_of(&self.key(), &[item]).await.unwrap()
    }

    pub(crate) async fn all(&self, deleted: bool) -> Vec<StoredRecord> {
        let query = RecordQuery { deleted, ..RecordQuery::default() };
        self.store.records(self.user, &query).await.unwrap().items
    }

    /// The file through a connection of its own, as a stranger sees it.
    pub(crate) async fn raw(&self) -> sqlx::SqliteConnection {
        let path = self.dir.path().join("test.db");
        <sqlx::SqliteConnection as sqlx::Connection>::connect(path.to_str().unwrap()).await.unwrap()
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.raw().await).await.unwrap()
    }

    pub(crate) async fn assert_sound(&self) {
        for finding in self.store.check().await.unwrap() {
            assert!(finding.problems.is_empty(), "{finding:?}");
        }
    }
}

/// A workout that began so many seconds after [`START`].
pub(crate) fn workout(seconds: i64, metres: f64) -> Record {
    let body = Workout { sport: "Run".into(), distance_m: Some(metres), ..Workout::default() };
    Record::new(When::At(Moment::utc(instant(seconds))), &body).unwrap()
}

pub(crate) fn day_of(record: &Record) -> Day {
    record.day(&Zone::utc())
}

pub(crate) fn insert(id: RecordId, record: Record) -> RecordChange {
    let day = day_of(&record);
    RecordChange::Insert { id, digest: record.digest(day), day, record }
}

pub(crate) fn update(known: &KnownRecord, record: Record) -> RecordChange {
    let day = day_of(&record);
    RecordChange::Update { id: known.record, digest: record.digest(day), day, record, was: known.day }
}

/// An item as the engine puts one, live and good.
pub(crate) fn put(id: &str, item: Option<ItemRef>, records: Vec<RecordChange>) -> ItemPut {
    let body = RawJson::new(serde_json::json!({ "id": id }).to_string()).unwrap();
    ItemPut {
        item,
        sighting: Sighting {
            id: id.into(),
            hash: Digest::of_bytes(body.as_bytes()),
            normalizer: 1,
            generation: 1,
            at: Some(instant(0)),
            version: None,
            observed: instant(0),
            state: ItemState::Live,
        },
        body: BodyChange::Store(body),
        quarantine: None,
        records,
    }
}
