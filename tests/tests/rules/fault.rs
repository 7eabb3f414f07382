//! A store that fails when told: before or after the k-th commit, or for good; and that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{
    Batch, Claim, CoverageCount, ItemRef, KnownItem, KnownRecord, Lease, Leases, Missing, PartitionKey,
    PartitionState, RunEntry, Runs, Storage, StoredItem, SyncStore, Vault,
};
use lifehub_core::http::{QuotaKey, QuotaLedger};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};

/// Where a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    Never,
    /// Nothing of the k-th commit is done.
    Before(u64),
    /// The k-th commit is done, but its answer is lost.
    After(u64),
}

/// What was written since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) commits: u64,
    pub(crate) puts: u64,
    pub(crate) stamps: u64,
}

pub(crate) struct Watched {
    inner: Arc<dyn Storage>,
    fails: Fails,
    commits: AtomicU64,
    puts: AtomicU64,
    stamps: AtomicU64,
}

impl Watched {
    pub(crate) fn new(inner: Arc<dyn Storage>, fails: Fails) -> Arc<Self> {
        let zero = AtomicU64::default;
        Arc::new(Self { inner, fails, commits: zero(), puts: zero(), stamps: zero() })
    }

    pub(crate) fn take(&self) -> Written {
        let take = |figure: &AtomicU64| figure.swap(0, Ordering::SeqCst);
        Written { commits: take(&self.commits), puts: take(&self.puts), stamps: take(&self.stamps) }
    }
}

#[async_trait]
impl SyncStore for Watched {
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState> {
        self.inner.resume(partition).await
    }
    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>> {
        self.inner.known(partition, ids).await
    }
    async fn records_of(&self, partition: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>> {
        self.inner.records_of(partition, items).await
    }
    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()> {
        let k = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        self.puts.fetch_add(batch.puts.len() as u64, Ordering::SeqCst);
        self.stamps.fetch_add(batch.seen.as_ref().map_or(0, |s| s.items.len() as u64), Ordering::SeqCst);
        let lost = || Error::new(ErrorKind::Storage, "the database went away");
        match self.fails {
            Fails::Before(at) if at == k => Err(lost()),
            Fails::After(at) if at == k => {
                self.inner.commit(lease, batch).await?;
                Err(lost())
            }
            _ => self.inner.commit(lease, batch).await,
        }
    }
    async fn count(&self, partition: &PartitionKey, missing: Missing) -> Result<CoverageCount> {
        self.inner.count(partition, missing).await
    }
    async fn missing(
        &self,
        partition: &PartitionKey,
        missing: Missing,
        only_held: bool,
        limit: u32,
    ) -> Result<Vec<KnownItem>> {
        self.inner.missing(partition, missing, only_held, limit).await
    }
    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>> {
        self.inner.partitions(connection, stream).await
    }
    async fn raw(
        &self,
        partition: &PartitionKey,
        after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>> {
        self.inner.raw(partition, after, limit).await
    }
}

#[async_trait]
impl Leases for Watched {
    async fn claim(&self, connection: ConnectionId) -> Result<Claim> {
        self.inner.claim(connection).await
    }
    async fn renew(&self, lease: &Lease) -> Result<()> {
        self.inner.renew(lease).await
    }
    async fn release(&self, lease: &Lease) -> Result<()> {
        self.inner.release(lease).await
    }
    fn term(&self) -> Duration {
        self.inner.term()
    }
}

#[async_trait]
impl Runs for Watched {
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()> {
        self.inner.record(lease, run).await
    }
    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>> {
        self.inner.latest(connection).await
    }
}

#[async_trait]
impl Vault for Watched {
    async fn credentials(&self, connection: ConnectionId) -> Result<Credentials> {
        self.inner.credentials(connection).await
    }
}

#[async_trait]
impl QuotaLedger for Watched {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        self.inner.draw(key, window_start, want, limit).await
    }
    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        self.inner.used(key, window_start, used).await
    }
    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        self.inner.block(key, until).await
    }
    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        self.inner.blocked_until(key).await
    }
}
