//! A store that fails when told: at the k-th call or commit, for good, for want of space, or merely slowly; and that
//! counts what it is asked.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, Timestamp};
use lifehub_core::engine::{
    Arrival, Batch, Claim, CoverageCount, Inbox, ItemRef, KnownItem, KnownRecord, Lease, Leases, Missing,
    PartitionKey, PartitionState, RunEntry, Runs, Storage, StoredItem, StreamNews, SyncStore, Waiting,
};
use lifehub_core::http::{Pace, QuotaKey, QuotaLedger};
use lifehub_core::oauth::{Held, RefreshClaim, RefreshTicket, Standing, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};

/// How a [`FaultyStore`] fails.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum StoreFault {
    /// It does not.
    #[default]
    None,
    /// One call fails; those after it do not.
    Fails(At),
    /// One call fails and every later one too, as after a crash of the process, until [`FaultyStore::restart`].
    Crash(At),
    /// There is no space left: commits fail, all else goes on.
    Full,
    /// The database cannot be reached: every call fails.
    Gone,
    /// Every call takes that much longer by that clock.
    Slow(Arc<dyn Clock>, Duration),
}

/// Where a fault lies. Calls and commits count from 1 since the fault was set; a commit is a call too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Nothing of that call is done.
    BeforeCall(u64),
    /// That call is done, but its answer is lost.
    AfterCall(u64),
    /// Nothing of that commit is done.
    BeforeCommit(u64),
    /// That commit is done, but its answer is lost.
    AfterCommit(u64),
}

/// What a [`FaultyStore`] was asked, whether it failed or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// Calls of any kind.
    pub calls: u64,
    /// Commits.
    pub commits: u64,
    /// Items that the commits were to put.
    pub puts: u64,
    /// Unchanged items that the commits were to stamp as seen.
    pub stamps: u64,
}

/// Stands in front of any store.
///
/// ```
/// use std::sync::Arc;
///
/// use lifehub_core::ErrorKind;
/// use lifehub_core::engine::Leases;
/// use lifehub_core::memory::MemoryStore;
/// use lifehub_core::record::ConnectionId;
/// use lifehub_testkit::{FaultyStore, StoreFault};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = FaultyStore::new(Arc::new(MemoryStore::new()));
/// store.set(StoreFault::Gone);
/// let gone = store.claim(ConnectionId::from_bytes([1; 16])).await;
/// assert!(gone.is_err_and(|error| error.kind() == ErrorKind::Storage && error.is_temporary()));
/// store.set(StoreFault::None);
/// assert!(store.claim(ConnectionId::from_bytes([1; 16])).await.is_ok());
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FaultyStore {
    inner: Arc<dyn Storage>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fault: StoreFault,
    /// Since the fault was set.
    calls: u64,
    commits: u64,
    crashed: bool,
    /// Since the last look.
    asked: Asked,
    /// Claimed through this store and not given back.
    held: Vec<Lease>,
}

/// What happens to a call that is let through.
struct Passed {
    wait: Option<(Arc<dyn Clock>, Duration)>,
    answer_is_lost: bool,
}

impl FaultyStore {
    /// In front of that store, without a fault yet.
    pub fn new(inner: Arc<dyn Storage>) -> Arc<Self> {
        Arc::new(Self { inner, state: Mutex::default() })
    }

    /// From now on it fails like this. Calls and commits are counted anew, and a crash is over.
    pub fn set(&self, fault: StoreFault) {
        let mut state = self.lock();
        (state.fault, state.calls, state.commits, state.crashed) = (fault, 0, 0, false);
    }

    /// Ends every fault as a new process would: leases that were claimed through this store are free, as those of a
    /// dead process are.
    ///
    /// # Errors
    /// If the store behind it fails.
    pub async fn restart(&self) -> Result<()> {
        self.set(StoreFault::None);
        let held = std::mem::take(&mut self.lock().held);
        for lease in held {
            self.inner.release(&lease).await?;
        }
        Ok(())
    }

    /// What it was asked since this was last called.
    pub fn take(&self) -> Asked {
        std::mem::take(&mut self.lock().asked)
    }

    /// Whether a [`StoreFault::Crash`] has happened.
    pub fn has_crashed(&self) -> bool {
        self.lock().crashed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T: Send>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let passed = self.lock().enter(false)?;
        Self::finish(passed, work).await
    }

    async fn finish<T: Send>(passed: Passed, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        if let Some((clock, time)) = passed.wait {
            clock.sleep(time).await;
        }
        let value = work.await?;
        if passed.answer_is_lost { Err(went_away()) } else { Ok(value) }
    }
}

impl State {
    /// Counts a call and decides over it.
    fn enter(&mut self, is_commit: bool) -> Result<Passed> {
        self.calls += 1;
        self.asked.calls += 1;
        if is_commit {
            self.commits += 1;
            self.asked.commits += 1;
        }
        let mut passed = Passed { wait: None, answer_is_lost: false };
        match &self.fault {
            _ if self.crashed => return Err(went_away()),
            StoreFault::None => {}
            StoreFault::Fails(at) | StoreFault::Crash(at) => {
                let (before, hit) = match *at {
                    At::BeforeCall(k) => (true, self.calls == k),
                    At::AfterCall(k) => (false, self.calls == k),
                    At::BeforeCommit(k) => (true, is_commit && self.commits == k),
                    At::AfterCommit(k) => (false, is_commit && self.commits == k),
                };
                self.crashed = hit && matches!(self.fault, StoreFault::Crash(_));
                if hit && before {
                    return Err(went_away());
                }
                passed.answer_is_lost = hit;
            }
            StoreFault::Full if is_commit => {
                return Err(Error::new(
                    ErrorKind::StorageFull,
                    "there is no space left where the database lives",
                )
                .hint("free some space and run it again"));
            }
            StoreFault::Full => {}
            StoreFault::Gone => return Err(went_away()),
            StoreFault::Slow(clock, time) => passed.wait = Some((Arc::clone(clock), *time)),
        }
        Ok(passed)
    }
}

fn went_away() -> Error {
    Error::new(ErrorKind::Storage, "the database went away")
        .temporary(true)
        .hint("wait until it is back, and try again")
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("FaultyStore")
            .field("fault", &state.fault)
            .field("calls", &state.calls)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SyncStore for FaultyStore {
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState> {
        self.call(self.inner.resume(partition)).await
    }

    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>> {
        self.call(self.inner.known(partition, ids)).await
    }

    async fn records_of(&self, partition: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>> {
        self.call(self.inner.records_of(partition, items)).await
    }

    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()> {
        let passed = {
            let mut state = self.lock();
            state.asked.puts += batch.puts.len() as u64;
            state.asked.stamps += batch.seen.as_ref().map_or(0, |seen| seen.items.len() as u64);
            state.enter(true)?
        };
        Self::finish(passed, self.inner.commit(lease, batch)).await
    }

    async fn count(&self, partition: &PartitionKey, missing: Missing) -> Result<CoverageCount> {
        self.call(self.inner.count(partition, missing)).await
    }

    async fn missing(
        &self,
        partition: &PartitionKey,
        missing: Missing,
        only_held: bool,
        limit: u32,
    ) -> Result<Vec<KnownItem>> {
        self.call(self.inner.missing(partition, missing, only_held, limit)).await
    }

    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>> {
        self.call(self.inner.partitions(connection, stream)).await
    }

    async fn raw(
        &self,
        partition: &PartitionKey,
        after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>> {
        self.call(self.inner.raw(partition, after, limit)).await
    }
}

#[async_trait]
impl Inbox for FaultyStore {
    async fn deliver(
        &self,
        provider: &str,
        account: &str,
        observed: Timestamp,
        news: &[StreamNews],
    ) -> Result<Vec<ConnectionId>> {
        self.call(self.inner.deliver(provider, account, observed, news)).await
    }

    async fn waiting(&self, connection: ConnectionId) -> Result<Vec<Waiting>> {
        self.call(self.inner.waiting(connection)).await
    }

    async fn arrivals(
        &self,
        connection: ConnectionId,
        stream: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arrival>> {
        self.call(self.inner.arrivals(connection, stream, after, limit)).await
    }

    async fn forget(&self, lease: &Lease, stream: &str, up_to: u64) -> Result<()> {
        self.call(self.inner.forget(lease, stream, up_to)).await
    }
}

#[async_trait]
impl Leases for FaultyStore {
    async fn claim(&self, connection: ConnectionId) -> Result<Claim> {
        let claim = async {
            let claim = self.inner.claim(connection).await?;
            if let Claim::Held(lease) = &claim {
                self.lock().held.push(lease.clone());
            }
            Ok(claim)
        };
        self.call(claim).await
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        self.call(self.inner.renew(lease)).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let release = async {
            self.inner.release(lease).await?;
            self.lock().held.retain(|held| held != lease);
            Ok(())
        };
        self.call(release).await
    }

    fn term(&self) -> Duration {
        self.inner.term()
    }
}

#[async_trait]
impl Runs for FaultyStore {
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()> {
        self.call(self.inner.record(lease, run)).await
    }

    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>> {
        self.call(self.inner.latest(connection)).await
    }
}

#[async_trait]
impl Vault for FaultyStore {
    async fn credentials(&self, connection: ConnectionId) -> Result<Held> {
        self.call(self.inner.credentials(connection)).await
    }

    async fn claim_refresh(
        &self,
        connection: ConnectionId,
        revision: u64,
        term: Duration,
    ) -> Result<RefreshClaim> {
        self.call(self.inner.claim_refresh(connection, revision, term)).await
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool> {
        self.call(self.inner.may_refresh(ticket)).await
    }

    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool> {
        self.call(self.inner.save(ticket, credentials)).await
    }

    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()> {
        self.call(self.inner.release_refresh(ticket)).await
    }

    async fn set_standing(
        &self,
        connection: ConnectionId,
        revision: u64,
        standing: Standing,
    ) -> Result<bool> {
        self.call(self.inner.set_standing(connection, revision, standing)).await
    }
}

#[async_trait]
impl QuotaLedger for FaultyStore {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        self.call(self.inner.draw(key, window_start, want, limit)).await
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        self.call(self.inner.used(key, window_start, used)).await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        self.call(self.inner.take(key, now, units, pace)).await
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        self.call(self.inner.block(key, until)).await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        self.call(self.inner.blocked_until(key)).await
    }
}
