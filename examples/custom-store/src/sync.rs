//! Items, records and cursors of partitions.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::engine::{
    Batch, CoverageCount, ItemRef, KnownItem, KnownRecord, Lease, Missing, PartitionKey, PartitionState,
    StoredItem, SyncStore,
};
use lifehub_core::record::ConnectionId;

use crate::{FileStore, batch, unsound};

#[async_trait]
impl SyncStore for FileStore {
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState> {
        Ok(self.read().partition(partition).map(|found| found.state.clone()).unwrap_or_default())
    }

    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>> {
        let contents = self.read();
        let Some(found) = contents.partition(partition) else { return Ok(Vec::new()) };
        Ok(ids.iter().filter_map(|id| Some(found.items.get(*id)?.known(id))).collect())
    }

    async fn records_of(&self, partition: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>> {
        let contents = self.read();
        let found = contents.partition(partition).into_iter().flat_map(|found| found.of_rows(items));
        Ok(found.flat_map(|item| item.records.iter().map(|record| record.known(item.row))).collect())
    }

    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()> {
        if batch.partition.connection != lease.connection {
            return Err(unsound("the batch is not of the connection that the lease is of"));
        }
        let lease = lease.clone();
        self.exclusively(move |turn| {
            turn.holds().renew(&lease)?;
            turn.change(|contents| batch::apply(contents, batch))
        })
        .await
    }

    async fn count(&self, partition: &PartitionKey, missing: Missing) -> Result<CoverageCount> {
        Ok(self.read().partition(partition).map(|found| found.count(missing)).unwrap_or_default())
    }

    async fn missing(
        &self,
        partition: &PartitionKey,
        missing: Missing,
        only_held: bool,
        limit: u32,
    ) -> Result<Vec<KnownItem>> {
        let contents = self.read();
        let items = contents.partition(partition).into_iter().flat_map(|found| &found.items);
        let wanted = items.filter(|(_, item)| item.is_missing(missing) && (item.held || !only_held));
        Ok(wanted.take(limit as usize).map(|(id, item)| item.known(id)).collect())
    }

    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>> {
        let key = |partition: &String| PartitionKey {
            connection,
            stream: stream.to_owned(),
            partition: partition.clone(),
        };
        Ok(self.read().partitions(connection, stream).map(key).collect())
    }

    async fn raw(
        &self,
        partition: &PartitionKey,
        after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>> {
        let contents = self.read();
        let items = contents.partition(partition).into_iter().flat_map(|found| &found.items);
        let mut stored: Vec<_> = items
            .filter(|(_, item)| after.is_none_or(|after| item.row > after.0))
            .filter_map(|(id, item)| item.stored(id))
            .collect();
        stored.sort_unstable_by_key(|item| item.known.item);
        stored.truncate(limit as usize);
        Ok(stored)
    }
}
