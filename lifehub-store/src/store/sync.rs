//! What the engine reads, and the door to the commit.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::engine::{
    Batch, CoverageCount, ItemRef, KnownItem, KnownRecord, Lease, Missing, PartitionKey, PartitionState,
    StoredItem, SyncStore,
};
use lifehub_core::page::{Coverage, RawJson};
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind};
use sha2::{Digest as _, Sha256};

use super::rows::{known_item, known_items, known_record};
use super::{Store, commit};
use crate::database::{Args, Conn, Name, Place, Row, Scope, get, get_name, get_u64, row, rows, signed};
use crate::sql::sync as sql;

/// The first parameters of statements over what is covered: user, partition, the coverage, the generation.
pub(super) fn missing_args(user: i64, partition: i64, missing: Missing) -> Args<'static> {
    let (whole, from, to) = match missing.covers {
        // An empty span.
        Coverage::Nothing => (false, 0, 0),
        Coverage::Span { from, to } => (false, from.as_micros(), to.as_micros()),
        Coverage::Whole => (true, 0, 0),
    };
    Args::of(user).with(partition).with(whole).with(from).with(to).with(signed(missing.generation))
}

/// The parameters that name a partition: its place, a digest of its name, stream and partition.
pub(super) fn partition_args(place: Place, key: &PartitionKey) -> Args<'_> {
    let (stream, partition) = (key.stream.as_str(), key.partition.as_str());
    let length = (stream.len() as u64).to_be_bytes();
    let name = Sha256::new().chain_update(length).chain_update(stream).chain_update(partition).finalize();
    Args::at(place).with(name.to_vec()).with(Name(stream)).with(Name(partition))
}

impl Store {
    /// A connection that reads what belongs to one of its connections, if there is such a one.
    async fn reader(&self, connection: ConnectionId) -> Result<Option<(Conn, Place)>> {
        let Some(place) = self.find_place(connection).await? else { return Ok(None) };
        Ok(Some((self.0.db.read(Scope::Connection(place)).await?, place)))
    }

    /// The same with the row of a partition.
    async fn partition(&self, key: &PartitionKey) -> Result<Option<(Conn, Place, i64)>> {
        let Some((mut conn, place)) = self.reader(key.connection).await? else { return Ok(None) };
        let Some(found) = row(&mut conn, sql::PARTITION, partition_args(place, key)).await? else {
            return Ok(None);
        };
        Ok(Some((conn, place, get(&found, 0)?)))
    }
}

#[async_trait]
impl SyncStore for Store {
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState> {
        let Some((mut conn, place)) = self.reader(partition.connection).await? else {
            return Ok(PartitionState::default());
        };
        let found = row(&mut conn, sql::PARTITION, partition_args(place, partition)).await?;
        let Some(found) = found else { return Ok(PartitionState::default()) };
        serde_json::from_str(get(&found, 1)?).map_err(|_| {
            Error::new(ErrorKind::Storage, "the stored state of a partition is unreadable")
                .with("stream", &partition.stream)
        })
    }

    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>> {
        let Some((mut conn, place)) = self.reader(partition.connection).await? else { return Ok(Vec::new()) };
        let mut list = sql::KNOWN.begin(ids.len());
        ids.iter().for_each(|id| list.push(Name(*id)));
        let found = list.fetch(&mut conn, partition_args(place, partition)).await?;
        let mut known = Vec::with_capacity(ids.len());
        for row in &found {
            known_items(row, &mut known)?;
        }
        Ok(known)
    }

    async fn records_of(&self, partition: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let Some((mut conn, place)) = self.reader(partition.connection).await? else { return Ok(Vec::new()) };
        let items: Vec<i64> = items.iter().map(|item| item.0).collect();
        let found = rows(&mut conn, sql::RECORDS_OF, Args::at(place).with(items)).await?;
        found.iter().map(known_record).collect()
    }

    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()> {
        commit::commit(self, lease, batch).await
    }

    async fn count(&self, partition: &PartitionKey, missing: Missing) -> Result<CoverageCount> {
        let Some((mut conn, place, id)) = self.partition(partition).await? else {
            return Ok(CoverageCount::default());
        };
        let counted = row(&mut conn, sql::COUNT, missing_args(place.user, id, missing)).await?;
        let Some(counted) = counted else { return Ok(CoverageCount::default()) };
        Ok(CoverageCount {
            covered: get_u64(&counted, 0)?,
            missing: get_u64(&counted, 1)?,
            held: get_u64(&counted, 2)?,
        })
    }

    async fn missing(
        &self,
        partition: &PartitionKey,
        missing: Missing,
        only_held: bool,
        limit: u32,
    ) -> Result<Vec<KnownItem>> {
        let Some((mut conn, place, id)) = self.partition(partition).await? else { return Ok(Vec::new()) };
        let args = missing_args(place.user, id, missing).with(only_held).with(limit);
        rows(&mut conn, sql::MISSING, args).await?.iter().map(|row| known_item(row, 0)).collect()
    }

    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>> {
        let Some((mut conn, place)) = self.reader(connection).await? else { return Ok(Vec::new()) };
        let found = rows(&mut conn, sql::PARTITIONS, Args::at(place).with(Name(stream))).await?;
        let key =
            |row| Ok(PartitionKey { connection, stream: stream.to_owned(), partition: get_name(row, 0)? });
        found.iter().map(key).collect()
    }

    async fn raw(
        &self,
        partition: &PartitionKey,
        after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>> {
        let Some((mut conn, place, id)) = self.partition(partition).await? else { return Ok(Vec::new()) };
        let args = Args::of(place.user).with(id).with(after.map_or(0, |item| item.0)).with(limit);
        let found = rows(&mut conn, sql::RAW, args).await?;
        let item = |row: &Row| {
            Ok(StoredItem { known: known_item(row, 1)?, body: RawJson::from_store(get(row, 0)?) })
        };
        found.iter().map(item).collect()
    }
}
