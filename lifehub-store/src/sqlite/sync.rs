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
use sqlx::sqlite::SqliteConnection;

use super::rows::{json_list, known_item, known_items, known_record, partition_args};
use super::statement::{Args, CHUNK, get, get_u64, row, rows, signed};
use super::{Store, commit, sql};

/// The first five parameters of statements over `covered!()`: the partition's row, the coverage, the generation.
pub(super) fn missing_args(partition: i64, missing: Missing) -> Args {
    let (whole, from, to) = match missing.covers {
        // An empty span.
        Coverage::Nothing => (false, 0, 0),
        Coverage::Span { from, to } => (false, from.as_micros(), to.as_micros()),
        Coverage::Whole => (true, 0, 0),
    };
    Args::new().with(partition).with(whole).with(from).with(to).with(signed(missing.generation))
}

async fn partition_row(conn: &mut SqliteConnection, key: &PartitionKey) -> Result<Option<i64>> {
    let found = row(conn, sql::PARTITION_ROW, partition_args(key)).await?;
    found.map_or(Ok(None), |row| get(&row, 0))
}

#[async_trait]
impl SyncStore for Store {
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState> {
        let found = row(&mut *self.0.db.read().await?, sql::RESUME, partition_args(partition)).await?;
        let Some(found) = found else { return Ok(PartitionState::default()) };
        serde_json::from_str(get(&found, 0)?).map_err(|_| {
            Error::new(ErrorKind::Storage, "the stored state of a partition is unreadable")
                .with("stream", &partition.stream)
        })
    }

    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>> {
        let mut conn = self.0.db.read().await?;
        let mut known = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let mut args = partition_args(partition);
            chunk.iter().for_each(|id| args.push(*id));
            let found = row(&mut conn, sql::KNOWN.sql(chunk.len()), args).await?;
            let text = found.as_ref().map_or(Ok(None), |row| get::<Option<&str>>(row, 0))?;
            known.extend(known_items(text.unwrap_or("[]"))?);
        }
        Ok(known)
    }

    async fn records_of(&self, partition: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let items: Vec<i64> = items.iter().map(|item| item.0).collect();
        let args = Args::new().with(partition.connection.as_bytes().as_slice()).with(json_list(&items));
        let found = rows(&mut *self.0.db.read().await?, sql::RECORDS_OF, args).await?;
        found.iter().map(known_record).collect()
    }

    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()> {
        commit::commit(self, lease, batch).await
    }

    async fn count(&self, partition: &PartitionKey, missing: Missing) -> Result<CoverageCount> {
        let mut conn = self.0.db.read().await?;
        let Some(id) = partition_row(&mut conn, partition).await? else {
            return Ok(CoverageCount::default());
        };
        let Some(counted) = row(&mut conn, sql::COUNT, missing_args(id, missing)).await? else {
            return Ok(CoverageCount::default());
        };
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
        let mut conn = self.0.db.read().await?;
        let Some(id) = partition_row(&mut conn, partition).await? else { return Ok(Vec::new()) };
        let args = missing_args(id, missing).with(only_held).with(limit);
        rows(&mut conn, sql::MISSING, args).await?.iter().map(known_item).collect()
    }

    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>> {
        let args = Args::new().with(connection.as_bytes().as_slice()).with(stream);
        let found = rows(&mut *self.0.db.read().await?, sql::PARTITIONS, args).await?;
        let key = |row| Ok(PartitionKey { connection, stream: stream.to_owned(), partition: get(row, 0)? });
        found.iter().map(key).collect()
    }

    async fn raw(
        &self,
        partition: &PartitionKey,
        after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>> {
        let mut conn = self.0.db.read().await?;
        let Some(id) = partition_row(&mut conn, partition).await? else { return Ok(Vec::new()) };
        let args = Args::new().with(id).with(after.map_or(0, |item| item.0)).with(limit);
        let found = rows(&mut conn, sql::RAW, args).await?;
        let item = |row| Ok(StoredItem { known: known_item(row)?, body: RawJson::from_store(get(row, 1)?) });
        found.iter().map(item).collect()
    }
}
