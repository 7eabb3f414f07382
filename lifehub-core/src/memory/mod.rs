//! Storage in memory: for tests and for small embedders who keep the data elsewhere. No roll-ups, no feed.

mod commit;
mod inbox;
mod schedule;
mod vault;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::clock::{Clock, Day, SystemClock, Timestamp, Zone};
use crate::engine::{
    Batch, Claim, Connection, CoverageCount, Dues, ItemRef, ItemState, KnownItem, KnownRecord, Lease, Leases,
    Missing, PartitionKey, PartitionState, RecordState, RunEntry, Runs, Sighting, StoredItem, SyncStore,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{MemoryLedger, Pace, QuotaKey, QuotaLedger};
use crate::page::RawJson;
use crate::record::{ConnectionId, Moment, Record, RecordId};
use crate::secret::Credentials;

/// A store in memory. It holds what the engine gives it, and forgets it with the process.
///
/// Leases hold until they are given back: whoever could crash without giving one back takes the store along.
pub struct MemoryStore {
    inner: Mutex<Inner>,
    quotas: MemoryLedger,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Inner {
    safes: HashMap<ConnectionId, vault::Safe>,
    connections: BTreeMap<ConnectionId, Connection>,
    leases: HashMap<ConnectionId, (u64, bool)>,
    runs: HashMap<ConnectionId, RunEntry>,
    states: BTreeMap<PartitionKey, PartitionState>,
    items: BTreeMap<ItemRef, ItemRow>,
    by_id: HashMap<(PartitionKey, String), ItemRef>,
    records: BTreeMap<RecordId, RecordRow>,
    /// By rising numbers, of which the last stands beside it.
    inbox: Vec<inbox::Row>,
    last_news: u64,
}

struct ItemRow {
    partition: PartitionKey,
    known: KnownItem,
    body: Option<RawJson>,
    quarantine: Option<(String, RawJson)>,
    records: Vec<RecordId>,
}

struct RecordRow {
    known: KnownRecord,
    record: Record,
    changed_at: Timestamp,
}

/// A record as this store holds it. It serializes to the members that every store publishes, as far as they are known
/// here.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryRecord {
    /// Its id.
    pub id: RecordId,
    /// The stream from which it came.
    pub stream: String,
    /// The partition of that stream; empty in a plain one.
    pub partition: String,
    /// The provider's id of its item.
    pub external_id: String,
    /// The local day on which it counts.
    pub day: Day,
    /// The record.
    pub record: Record,
    /// When its published content last changed.
    pub changed_at: Timestamp,
    /// Whether it is a tombstone.
    pub deleted: bool,
}

impl Serialize for MemoryRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let when = self.record.when();
        let mut out = serializer.serialize_struct("MemoryRecord", 13)?;
        out.serialize_field("id", &self.id)?;
        out.serialize_field("stream", &self.stream)?;
        out.serialize_field("partition", &self.partition)?;
        out.serialize_field("external_id", &self.external_id)?;
        out.serialize_field("key", self.record.get_key())?;
        out.serialize_field("dataset", self.record.dataset())?;
        out.serialize_field("start", &when.start().map(Moment::to_rfc3339))?;
        out.serialize_field("end", &when.end().map(Moment::to_rfc3339))?;
        out.serialize_field("zone", &when.zone().map(Zone::name))?;
        out.serialize_field("day", &self.day)?;
        out.serialize_field("body", &serde_json::from_str::<&RawValue>(self.record.body()).ok())?;
        out.serialize_field("changed_at", &self.changed_at)?;
        out.serialize_field("deleted", &self.deleted)?;
        out.end()
    }
}

impl MemoryStore {
    /// An empty store, by the machine's clock.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that dates by this clock when credentials were written.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { inner: Mutex::default(), quotas: MemoryLedger::default(), clock }
    }

    /// Sets the credentials of a connection.
    pub fn set_credentials(&self, connection: ConnectionId, credentials: Credentials) {
        let now = self.clock.now();
        self.lock().safes.entry(connection).or_default().put(credentials, now);
    }

    /// Makes a connection known to schedulers ([`Schedule`](crate::schedule::Schedule)). A sync by hand needs no such thing.
    pub fn add_connection(&self, connection: Connection) {
        let mut inner = self.lock();
        if let Some(run) = inner.runs.get_mut(&connection.id) {
            run.dues = Dues::default();
        }
        inner.connections.insert(connection.id, connection);
    }

    /// The records of a connection in the order of their ids, tombstones included.
    pub fn records(&self, connection: ConnectionId) -> Vec<MemoryRecord> {
        let inner = self.lock();
        let of_connection = |row: &&RecordRow| {
            inner.items.get(&row.known.item).is_some_and(|item| item.partition.connection == connection)
        };
        let rows = inner.records.values().filter(of_connection);
        rows.map(|row| {
            let item = &inner.items[&row.known.item];
            MemoryRecord {
                id: row.known.record,
                stream: item.partition.stream.clone(),
                partition: item.partition.partition.clone(),
                external_id: item.known.sighting.id.clone(),
                day: row.known.day,
                record: row.record.clone(),
                changed_at: row.changed_at,
                deleted: row.known.state != RecordState::Live,
            }
        })
        .collect()
    }

    /// What is in quarantine: the external id of the item, and why.
    pub fn quarantine(&self, connection: ConnectionId) -> Vec<(String, String)> {
        let inner = self.lock();
        let rows = inner.items.values().filter(|row| row.partition.connection == connection);
        rows.filter_map(|row| Some((row.known.sighting.id.clone(), row.quarantine.as_ref()?.0.clone())))
            .collect()
    }

    /// Deletes a record as its user: no sync brings it back.
    ///
    /// # Errors
    /// If there is no such record.
    pub fn remove_record(&self, record: RecordId) -> Result<()> {
        let mut inner = self.lock();
        let row = inner.records.get_mut(&record);
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such record"))?;
        row.known.state = RecordState::Removed;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_clock(Arc::new(SystemClock::default()))
    }
}

impl Inner {
    fn check(&self, lease: &Lease) -> Result<()> {
        match self.leases.get(&lease.connection) {
            Some(&(epoch, true)) if epoch == lease.epoch => Ok(()),
            _ => Err(Error::new(ErrorKind::LeaseLost, "another worker took over the connection")),
        }
    }

    fn missing(&self, partition: &PartitionKey, missing: Missing) -> impl Iterator<Item = &KnownItem> {
        let rows = self.items.values().filter(move |row| row.partition == *partition);
        rows.map(|row| &row.known).filter(move |known| {
            let Sighting { generation, at, state, .. } = known.sighting;
            state == ItemState::Live && generation < missing.generation && missing.covers.contains(at)
        })
    }
}

#[async_trait]
impl SyncStore for MemoryStore {
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState> {
        Ok(self.lock().states.get(partition).cloned().unwrap_or_default())
    }

    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>> {
        let inner = self.lock();
        let row = |id: &&str| {
            let item = inner.by_id.get(&(partition.clone(), (*id).to_owned()))?;
            Some(inner.items.get(item)?.known.clone())
        };
        Ok(ids.iter().filter_map(row).collect())
    }

    async fn records_of(&self, _: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>> {
        let inner = self.lock();
        let ids = items.iter().filter_map(|item| inner.items.get(item)).flat_map(|row| &row.records);
        Ok(ids.filter_map(|id| inner.records.get(id)).map(|row| row.known.clone()).collect())
    }

    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()> {
        let mut inner = self.lock();
        inner.check(lease)?;
        commit::check(&inner, lease, &batch)?;
        commit::apply(&mut inner, batch);
        Ok(())
    }

    async fn count(&self, partition: &PartitionKey, missing: Missing) -> Result<CoverageCount> {
        let inner = self.lock();
        let covered = Missing { generation: u64::MAX, ..missing };
        let held = inner.missing(partition, missing).filter(|known| known.held);
        Ok(CoverageCount {
            covered: inner.missing(partition, covered).count() as u64,
            missing: inner.missing(partition, missing).count() as u64,
            held: held.count() as u64,
        })
    }

    async fn missing(
        &self,
        partition: &PartitionKey,
        missing: Missing,
        only_held: bool,
        limit: u32,
    ) -> Result<Vec<KnownItem>> {
        let inner = self.lock();
        let items = inner.missing(partition, missing).filter(|known| known.held || !only_held);
        Ok(items.take(limit as usize).cloned().collect())
    }

    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>> {
        let inner = self.lock();
        let keys = inner.states.keys();
        Ok(keys.filter(|key| key.connection == connection && key.stream == stream).cloned().collect())
    }

    async fn raw(
        &self,
        partition: &PartitionKey,
        after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>> {
        let inner = self.lock();
        let rows = inner.items.iter().filter(|(item, row)| {
            after.is_none_or(|after| **item > after)
                && row.partition == *partition
                && row.known.sighting.state == ItemState::Live
        });
        let stored = rows.filter_map(|(_, row)| {
            let quarantined = row.quarantine.as_ref().map(|(_, body)| body.clone());
            Some(StoredItem { known: row.known.clone(), body: quarantined.or_else(|| row.body.clone())? })
        });
        Ok(stored.take(limit as usize).collect())
    }
}

#[async_trait]
impl Leases for MemoryStore {
    async fn claim(&self, connection: ConnectionId) -> Result<Claim> {
        let mut inner = self.lock();
        let (epoch, held) = inner.leases.entry(connection).or_default();
        if *held {
            return Ok(Claim::Busy { epoch: *epoch });
        }
        (*epoch, *held) = (*epoch + 1, true);
        Ok(Claim::Held(Lease { connection, epoch: *epoch }))
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        self.lock().check(lease)
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let mut inner = self.lock();
        if inner.check(lease).is_ok() {
            inner.leases.insert(lease.connection, (lease.epoch, false));
        }
        Ok(())
    }

    fn term(&self) -> Duration {
        Duration::from_secs(30)
    }
}

#[async_trait]
impl Runs for MemoryStore {
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()> {
        let mut inner = self.lock();
        inner.check(lease)?;
        inner.runs.insert(lease.connection, run.clone());
        Ok(())
    }

    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>> {
        Ok(self.lock().runs.get(&connection).cloned())
    }
}

#[async_trait]
impl QuotaLedger for MemoryStore {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        self.quotas.draw(key, window_start, want, limit).await
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        self.quotas.used(key, window_start, used).await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        self.quotas.take(key, now, units, pace).await
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        self.quotas.block(key, until).await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        self.quotas.blocked_until(key).await
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        let (items, records) = (inner.items.len(), inner.records.len());
        f.debug_struct("MemoryStore")
            .field("items", &items)
            .field("records", &records)
            .finish_non_exhaustive()
    }
}
