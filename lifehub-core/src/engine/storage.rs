//! What the engine asks of a store: narrow traits, each with its promise. All thinking is the engine's; a store does
//! what a [`Batch`] says, whole or not at all.

use async_trait::async_trait;

use crate::clock::{Day, Timestamp, Zone};
use crate::engine::inbox::Inbox;
use crate::engine::report::RunEntry;
use crate::engine::state::PartitionState;
use crate::error::Result;
use crate::oauth::Vault;
use crate::page::{Coverage, RawJson};
use crate::record::{ConnectionId, Digest, Record, RecordId, UserId};

/// One user's account at one provider, as the engine needs it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub user: UserId,
    /// The connector's id.
    pub provider: String,
    /// The provider's id of the account, if it was asked.
    pub account: Option<String>,
    /// The settings that the connector's schema describes, without those marked secret.
    pub settings: serde_json::Value,
    /// The zone that decides the local day where a provider tells no offset.
    pub zone: Zone,
}

/// One partition of one stream of one connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    /// The connection.
    pub connection: ConnectionId,
    /// The stream's name.
    pub stream: String,
    /// The partition's id; empty in a plain stream.
    pub partition: String,
}

/// A store's own handle of an item row: unique in the whole store, and rising with the order in which rows were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemRef(pub i64);

/// Whether an item is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    /// It is.
    Live,
    /// The provider said that it is gone, or a sweep found it missing.
    Gone,
}

/// What is kept of the latest observation of an item, good or bad: it tells whether a raw item is news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The provider's id of the item.
    pub id: String,
    /// The digest of its body.
    pub hash: Digest,
    /// The version of the normalizer that saw that body.
    pub normalizer: u32,
    /// The generation in which it was last stamped as seen.
    pub generation: u64,
    /// See [`crate::page::RawItem::at`].
    pub at: Option<Timestamp>,
    /// See [`crate::page::RawItem::version`].
    pub version: Option<u64>,
    /// When the request was sent that brought it.
    pub observed: Timestamp,
    /// Whether the item is there.
    pub state: ItemState,
}

/// The narrow identity row of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownItem {
    /// The row.
    pub item: ItemRef,
    /// The latest observation.
    pub sighting: Sighting,
    /// Whether its latest body is in quarantine: its records, if any, are of an older one.
    pub quarantined: bool,
    /// Whether a sweep wanted it gone and was held.
    pub held: bool,
}

/// Whether a record is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordState {
    /// It is.
    Live,
    /// It went with its item, or its item no longer yields it. It may come back.
    Gone,
    /// The user deleted it. It stays deleted.
    Removed,
}

/// What a store knows of a record of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRecord {
    /// The item that it was made from.
    pub item: ItemRef,
    /// Its id.
    pub record: RecordId,
    /// Its dataset.
    pub dataset: String,
    /// Its key within item and dataset.
    pub key: String,
    /// The digest of its published content.
    pub digest: Digest,
    /// The local day on which it counts.
    pub day: Day,
    /// Whether it is published.
    pub state: RecordState,
}

/// All that one page (or one chunk of a sweep or replay) changes. It is committed in one transaction.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Where.
    pub partition: PartitionKey,
    /// When the commit is made, for `changed_at` and `first_seen`.
    pub now: Timestamp,
    /// New and changed items with what becomes of their records; no item twice.
    pub puts: Vec<ItemPut>,
    /// Unchanged items to stamp as seen.
    pub seen: Option<Seen>,
    /// A sweep that is held: the live items of this coverage that are missing after `puts` and `seen` are marked.
    pub hold: Option<Missing>,
    /// Items of this partition that wait in the inbox leave it with this commit, up to this number.
    pub taken: Option<u64>,
    /// The partition's state after this batch.
    pub state: PartitionState,
    /// The run's entry in the ledger after this batch.
    pub run: RunEntry,
}

/// Unchanged items: stamped in one statement.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The rows.
    pub items: Vec<ItemRef>,
    /// Becomes their `generation`; their `held` mark goes.
    pub generation: u64,
    /// Becomes their `observed`, where that is earlier.
    pub observed: Timestamp,
}

/// Live items that lie in `covers` and were not stamped with `generation` or a later one.
#[derive(Debug, Clone, Copy)]
pub struct Missing {
    /// Where absence means deletion.
    pub covers: Coverage,
    /// The generation of the pass.
    pub generation: u64,
}

/// The new row of one item, its body and its records. It takes the item's held mark away.
#[derive(Debug, Clone)]
pub struct ItemPut {
    /// The row to replace; `None` makes a new one.
    pub item: Option<ItemRef>,
    /// The latest observation from now on.
    pub sighting: Sighting,
    /// What becomes of the stored good body.
    pub body: BodyChange,
    /// The item's place in quarantine after this batch: `None` takes it out, if it was there.
    pub quarantine: Option<Quarantine>,
    /// What becomes of its records.
    pub records: Vec<RecordChange>,
}

/// What becomes of the stored good body of an item.
#[derive(Debug, Clone)]
pub enum BodyChange {
    /// It stays as it is (or absent).
    Keep,
    /// This is the new one.
    Store(RawJson),
    /// It goes, with its item.
    Drop,
}

/// An item that its normalizer did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// Why.
    pub reason: String,
    /// The body that it did not take.
    pub body: RawJson,
}

/// What becomes of one record. One that the user removed stays as it is, whatever a batch says of it; that is no error.
///
/// A store never has to read a record's content back: the engine asks for id, dataset, key, digest, day and state.
#[derive(Debug, Clone)]
pub enum RecordChange {
    /// It is new.
    Insert {
        /// Its id from now on.
        id: RecordId,
        /// The record.
        record: Record,
        /// The local day on which it counts.
        day: Day,
        /// The digest of its published content.
        digest: Digest,
    },
    /// Its published content changed, or it is there again.
    Update {
        /// Its id.
        id: RecordId,
        /// The record.
        record: Record,
        /// The local day on which it counts.
        day: Day,
        /// The digest of its published content.
        digest: Digest,
        /// The day on which it counted before.
        was: Day,
    },
    /// It becomes a tombstone.
    Delete {
        /// Its id.
        id: RecordId,
        /// The day on which it counted.
        was: Day,
    },
}

/// How many live items a coverage holds, and how many of them are missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CoverageCount {
    /// Live items inside the coverage.
    pub covered: u64,
    /// Those of them that the pass did not see.
    pub missing: u64,
    /// Those of the missing that an earlier, held sweep missed too.
    pub held: u64,
}

/// A stored raw item, for replay.
#[derive(Debug, Clone)]
pub struct StoredItem {
    /// Its identity row.
    pub known: KnownItem,
    /// Its latest body: the quarantined one, if it is in quarantine.
    pub body: RawJson,
}

/// Items, records and cursors of partitions.
///
/// Everything but [`SyncStore::commit`] only reads. One lease holder at a time works on a connection, so what is read
/// here still holds when the batch made from it is committed; only a user's own deletes may come between, and a store
/// never revives those.
#[async_trait]
pub trait SyncStore: Send + Sync {
    /// The state of a partition; the default one if it was never synced.
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState>;

    /// The identity rows of those ids that exist, in any order, whether live or gone. No id is asked for twice.
    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>>;

    /// All records of these items, in any order, whatever their state. The items are of this partition.
    async fn records_of(&self, partition: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>>;

    /// Commits a batch: all of it or nothing, and only while the lease holds, which it also renews. Whoever syncs may
    /// drop the future at any moment: also then all of the batch is there, now or soon, or nothing of it ever is.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) if the lease is of an older epoch, expired or released;
    /// [`Internal`](crate::ErrorKind::Internal) for a batch that no engine makes: of another connection than the lease,
    /// with a row that is not there, is of another partition, or would be there twice;
    /// [`StorageFull`](crate::ErrorKind::StorageFull) and [`Storage`](crate::ErrorKind::Storage) if it cannot be
    /// written, the latter [temporary](crate::Error::is_temporary) where a later try may succeed. Each time 0 rows
    /// change.
    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()>;

    /// Counts what a finished pass covers and misses.
    async fn count(&self, partition: &PartitionKey, missing: Missing) -> Result<CoverageCount>;

    /// Some of the missing items, at most `limit`; with `only_held` those that carry the held mark.
    async fn missing(
        &self,
        partition: &PartitionKey,
        missing: Missing,
        only_held: bool,
        limit: u32,
    ) -> Result<Vec<KnownItem>>;

    /// The partitions of a stream that have a state.
    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>>;

    /// Live items that have a body, in the order of their rows, after this one.
    async fn raw(
        &self,
        partition: &PartitionKey,
        after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>>;
}

/// The right to work on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The connection.
    pub connection: ConnectionId,
    /// Rises with every claim; writes of an older epoch change nothing.
    pub epoch: u64,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The caller holds it now.
    Held(Lease),
    /// Another holds it, under this epoch.
    Busy {
        /// The other's epoch.
        epoch: u64,
    },
}

/// Leases with fencing. The store's clock decides when one has expired.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Claims a connection under a new, higher epoch, unless another holds it.
    async fn claim(&self, connection: ConnectionId) -> Result<Claim>;

    /// Prolongs a lease that still holds.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) if it does not: an expired lease is only ever claimed anew.
    async fn renew(&self, lease: &Lease) -> Result<()>;

    /// Gives it back. That it was lost before is no error.
    async fn release(&self, lease: &Lease) -> Result<()>;

    /// For how long a claim or renewal holds. The engine renews after a third of it.
    fn term(&self) -> std::time::Duration;
}

/// The ledger of runs.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Writes the entry of a run that begins or ends, while the lease holds, which it may renew.
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()>;

    /// The latest run of a connection.
    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>>;
}

/// Everything that the engine needs, in one object.
pub trait Storage: SyncStore + Inbox + Leases + Runs + Vault + crate::http::QuotaLedger {}

impl<T: SyncStore + Inbox + Leases + Runs + Vault + crate::http::QuotaLedger> Storage for T {}
