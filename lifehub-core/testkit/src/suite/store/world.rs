//! A small world for the cases: a user, a connection, its lease, and batches as an engine makes them.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Batch, BodyChange, Claim, Connection, Dues, ItemPut, ItemRef, ItemState, KnownItem, KnownRecord, Lease,
    Missing, PartitionKey, PartitionState, Quarantine, RecordChange, Report, RunEntry, Seen, Sighting,
    Storage,
};
use lifehub_core::page::{Coverage, RawJson};
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Digest, Moment, Record, RecordId, RunId, UserId, When};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::{Rollup, StoreUnderTest, Subject};
use crate::suite::Failure;

/// What a step of a case gives.
pub(super) type Check<T> = std::result::Result<T, Failure>;

/// 2026-01-01T00:00:00Z and so many seconds.
pub(super) fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_225_600 + seconds)
}

/// An hour in seconds.
pub(super) const HOUR: i64 = 3600;

pub(super) struct World {
    pub(super) store: Arc<dyn StoreUnderTest>,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) user: UserId,
    pub(super) connection: Connection,
    pub(super) lease: Lease,
    pub(super) rng: Arc<Rng>,
}

impl World {
    /// A fresh store with a user in UTC who has one connection, claimed.
    pub(super) async fn open(subject: &Subject) -> Check<Self> {
        let clock = Arc::new(ManualClock::at(instant(0)));
        let store = subject.open(clock.clone()).await?;
        let user = store.add_user(&Zone::utc()).await?;
        Self::connect(store, clock, Arc::new(Rng::seeded(1)), user, "one").await
    }

    async fn connect(
        store: Arc<dyn StoreUnderTest>,
        clock: Arc<ManualClock>,
        rng: Arc<Rng>,
        user: UserId,
        account: &str,
    ) -> Check<Self> {
        let token = Credentials::none().with("access_token", Secret::new(format!("token of {account}")));
        let connection = store.add_connection(user, "example", account, token).await?;
        let storage = store.storage();
        let lease = claim(&*storage, &connection).await?;
        Ok(Self { store, storage, clock, user, connection, lease, rng })
    }

    /// Another connection in the same store.
    pub(super) async fn beside(&self, user: UserId, account: &str) -> Check<Self> {
        Self::connect(self.store.clone(), self.clock.clone(), self.rng.clone(), user, account).await
    }

    pub(super) fn key(&self) -> PartitionKey {
        self.key_of("activities", "")
    }

    pub(super) fn key_of(&self, stream: &str, partition: &str) -> PartitionKey {
        PartitionKey {
            connection: self.connection.id,
            stream: stream.to_owned(),
            partition: partition.to_owned(),
        }
    }

    pub(super) fn run_entry(&self) -> RunEntry {
        RunEntry {
            id: RunId::from_bytes([7; 16]),
            epoch: self.lease.epoch,
            started_at: instant(0),
            finished_at: None,
            resume_at: None,
            dues: Dues::default(),
            report: Report::new(self.connection.id, &self.connection.provider),
        }
    }

    pub(super) fn batch(&self, puts: Vec<ItemPut>) -> Batch {
        Batch {
            partition: self.key(),
            now: instant(0),
            puts,
            seen: None,
            hold: None,
            taken: None,
            state: PartitionState::default(),
            run: self.run_entry(),
        }
    }

    pub(super) async fn commit(&self, puts: Vec<ItemPut>) -> Check<()> {
        self.commit_batch(self.batch(puts)).await
    }

    pub(super) async fn commit_batch(&self, batch: Batch) -> Check<()> {
        Ok(self.storage.commit(&self.lease, batch).await?)
    }

    /// Stamps these items as seen.
    pub(super) async fn see(&self, items: Vec<ItemRef>, generation: u64, observed: Timestamp) -> Check<()> {
        let mut batch = self.batch(vec![]);
        batch.seen = Some(Seen { items, generation, observed });
        self.commit_batch(batch).await
    }

    /// Holds a sweep.
    pub(super) async fn hold(&self, missing: Missing) -> Check<()> {
        let mut batch = self.batch(vec![]);
        batch.hold = Some(missing);
        self.commit_batch(batch).await
    }

    pub(super) fn record_id(&self) -> RecordId {
        RecordId::new(instant(0), &self.rng)
    }

    /// A new item with one record.
    pub(super) fn new_item(&self, id: &str, record: Record) -> ItemPut {
        put(id, None, vec![insert(self.record_id(), record)])
    }

    /// The row of an item that must be there.
    pub(super) async fn known(&self, id: &str) -> Check<KnownItem> {
        self.known_in(&self.key(), id).await
    }

    pub(super) async fn known_in(&self, key: &PartitionKey, id: &str) -> Check<KnownItem> {
        let mut found = self.storage.known(key, &[id]).await?;
        match (found.pop(), found.len()) {
            (Some(known), 0) => Ok(known),
            (None, _) => Err(Failure::new(format!("the item {id:?} is not known"))),
            (Some(_), more) => Err(Failure::new(format!("the item {id:?} is known {} times", more + 1))),
        }
    }

    /// All records of an item.
    pub(super) async fn records_of(&self, id: &str) -> Check<Vec<KnownRecord>> {
        let item = self.known(id).await?.item;
        Ok(self.storage.records_of(&self.key(), &[item]).await?)
    }

    /// The one record of an item.
    pub(super) async fn record_of(&self, id: &str) -> Check<KnownRecord> {
        let mut records = self.records_of(id).await?;
        match (records.pop(), records.len()) {
            (Some(record), 0) => Ok(record),
            (found, more) => {
                let count = more + usize::from(found.is_some());
                Err(Failure::new(format!("the item {id:?} has {count} records instead of one")))
            }
        }
    }

    /// The records of the connection by external id and key.
    pub(super) async fn published(&self) -> Check<Vec<Value>> {
        let mut records = self.store.records(&self.connection).await?;
        records.sort_by_key(|r| (r["external_id"].to_string(), r["key"].to_string()));
        Ok(records)
    }

    /// What one item publishes.
    pub(super) async fn published_of(&self, id: &str) -> Check<Value> {
        let mut all = self.published().await?;
        all.retain(|record| record["external_id"] == id);
        match all.len() {
            1 => Ok(all.remove(0)),
            count => Err(Failure::new(format!("the item {id:?} publishes {count} records instead of one"))),
        }
    }

    /// External ids that are live, in order.
    pub(super) async fn live(&self) -> Check<Vec<String>> {
        let live = self.published().await?.into_iter().filter(|record| record["deleted"] == false);
        Ok(live.filter_map(|record| Some(record["external_id"].as_str()?.to_owned())).collect())
    }

    /// Everything that can be read of the connection, one thing a line: equal texts, equal stores.
    pub(super) async fn snapshot(&self, ids: &[&str]) -> Check<String> {
        let (storage, key) = (&self.storage, self.key());
        let mut known = storage.known(&key, ids).await?;
        known.sort_by_key(|known| known.item);
        let items: Vec<_> = known.iter().map(|known| known.item).collect();
        let mut records = storage.records_of(&key, &items).await?;
        records.sort_by_key(|record| record.record);
        let raw = storage.raw(&key, None, 10_000).await?;
        let raw: Vec<_> =
            raw.iter().map(|item| (&item.known, String::from_utf8_lossy(item.body.as_bytes()))).collect();
        let missing = Missing { covers: Coverage::Whole, generation: u64::MAX };
        let mut quarantine = self.store.quarantine(&self.connection).await?;
        quarantine.sort();
        let mut rollups = self.store.rollups(self.user).await?;
        if let Some(rows) = &mut rollups {
            rows.sort_by_key(order);
        }
        let credentials = storage.credentials(self.connection.id).await?;
        let mut text = String::new();
        let mut line = |name: &str, value: &dyn Debug| text.push_str(&format!("{name}: {value:?}\n"));
        let mut waiting = storage.waiting(self.connection.id).await?;
        waiting.sort_by(|a, b| a.stream.cmp(&b.stream));
        line("inbox", &waiting);
        line("state", &storage.resume(&key).await?);
        line("partitions", &storage.partitions(self.connection.id, &key.stream).await?);
        line("items", &known);
        line("records", &records);
        line("raw", &raw);
        line("count", &storage.count(&key, missing).await?);
        line("latest run", &storage.latest(self.connection.id).await?);
        line("published", &self.published().await?);
        line("quarantine", &quarantine);
        line("feed", &self.store.changes(self.user, 0, 500).await?);
        line("roll-ups", &rollups);
        line("credentials", &*credentials.credentials.to_clear_bytes());
        Ok(text)
    }

    /// Fails unless everything that can be read is as it was.
    pub(super) async fn unchanged(&self, ids: &[&str], before: &str, what: impl Display) -> Check<()> {
        let after = self.snapshot(ids).await?;
        match before.lines().zip(after.lines()).find(|(before, after)| before != after) {
            None => Ok(()),
            Some((before, after)) => {
                Err(Failure::new(format!("{what} changed something\n  before: {before}\n  after:  {after}")))
            }
        }
    }
}

/// The order of roll-ups.
pub(super) fn order(row: &Rollup) -> (String, String, String, i32) {
    (row.connection.clone(), row.metric.clone(), row.label.clone(), row.day.as_number())
}

/// Claims a connection that must be free.
pub(super) async fn claim(storage: &dyn Storage, connection: &Connection) -> Check<Lease> {
    match storage.claim(connection.id).await? {
        Claim::Held(lease) => Ok(lease),
        Claim::Busy { epoch } => {
            Err(Failure::new(format!("a free connection is busy under the epoch {epoch}")))
        }
    }
}

/// A workout that began so many seconds after [`instant`] zero.
pub(super) fn workout(seconds: i64, metres: f64) -> Record {
    record(When::At(Moment::utc(instant(seconds))), metres)
}

pub(super) fn record(when: When, metres: f64) -> Record {
    let body = Workout { sport: "Run".into(), distance_m: Some(metres), ..Workout::default() };
    // A workout always fits JSON, unless its figures are none.
    Record::new(when, &body).unwrap_or_else(|error| unreachable!("{error}"))
}

pub(super) fn insert(id: RecordId, record: Record) -> RecordChange {
    let day = record.day(&Zone::utc());
    RecordChange::Insert { id, digest: record.digest(day), day, record }
}

pub(super) fn update(known: &KnownRecord, record: Record) -> RecordChange {
    let day = record.day(&Zone::utc());
    RecordChange::Update { id: known.record, digest: record.digest(day), day, record, was: known.day }
}

pub(super) fn delete(known: &KnownRecord) -> RecordChange {
    RecordChange::Delete { id: known.record, was: known.day }
}

/// JSON text.
pub(super) fn raw(value: &Value) -> RawJson {
    RawJson::from_store(value.to_string().into_bytes())
}

/// An item as the engine puts one, live and good.
pub(super) fn put(id: &str, item: Option<ItemRef>, records: Vec<RecordChange>) -> ItemPut {
    let body = raw(&json!({ "id": id }));
    ItemPut {
        item,
        sighting: Sighting {
            id: id.to_owned(),
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

/// An item that its normalizer did not take.
pub(super) fn bad(id: &str, item: Option<ItemRef>, reason: &str, body: &Value) -> ItemPut {
    let mut put = put(id, item, vec![]);
    put.body = BodyChange::Keep;
    put.quarantine = Some(Quarantine { reason: reason.to_owned(), body: raw(body) });
    put
}

/// An item that is gone, with what becomes of its records.
pub(super) fn gone(id: &str, item: ItemRef, records: Vec<RecordChange>) -> ItemPut {
    let mut put = put(id, Some(item), records);
    (put.sighting.state, put.body) = (ItemState::Gone, BodyChange::Drop);
    put
}

/// Fails unless both are equal.
pub(super) fn equal<T: PartialEq<U> + Debug, U: Debug>(
    found: T,
    expected: U,
    what: impl Display,
) -> Check<()> {
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: found {found:?} instead of {expected:?}")))
}

/// Fails unless it is an error of that kind.
pub(super) fn refused<T: Debug>(result: Result<T>, kind: ErrorKind, what: impl Display) -> Check<Error> {
    match result {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(Failure::new(format!("{what} is refused as {}: {error}", error.kind()))),
        Ok(_) => Err(Failure::new(format!("{what} is not refused"))),
    }
}
