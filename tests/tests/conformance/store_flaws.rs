//! Stores with one fault each: what the engine sees of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::engine::{
    Batch, BodyChange, Connection, CoverageCount, Dues, ItemRef, ItemState, KnownItem, KnownRecord, Lease,
    Missing, PartitionKey, PartitionState, Quarantine, RecordChange, RecordState, RunEntry, Storage,
    StoredItem, SyncStore, Waiting,
};
use lifehub_core::http::{Pace, QuotaKey, QuotaLedger};
use lifehub_core::oauth::{Held, Pending, RefreshTicket};
use lifehub_core::page::{Coverage, RawJson};
use lifehub_core::record::{ConnectionId, Digest, RecordId};
use lifehub_core::secret::Secret;
use lifehub_core::{ErrorKind, Result};
use lifehub_testkit::suite::store::StoreUnderTest;

/// The one fault of a store; each is said in words in the suite's list of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    ForgetsTheState,
    WritesTheFirstItem,
    CommitsInHalves,
    TakesAThousand,
    ForgetsTheFullScan,
    KeepsTheFirstRecord,
    KnowsNothingGone,
    Versions63,
    KnowsNoTombstones,
    KeepsTheFirstDigest,
    CutsIds,
    KeepsWhatIsDropped,
    LetsNothingOut,
    MarksNoQuarantine,
    RepeatsTheLast,
    LeavesOutQuarantine,
    PublishesUtc,
    NeverMovesChangedAt,
    RevivesNothing,
    TakesTheUserForTheProvider,
    KeepsTheObservation,
    CountsTheBorders,
    ListsWhatIsNotHeld,
    HoldsNothing,
    CountsAllPartitions,
    ListsNoPlainPartition,
    GivesToWhoeverAsks,
    BeginsAnew,
    FreesForWhomever,
    IgnoresTheEpoch,
    RenewsWhatRanOut,
    CommitsRenewNothing,
    LeavesTheLease,
    KeepsTheFirstEntry,
    WritesTheLedgerFirst,
    ForgetsEmptyCredentials,
    WritesCredentials,
    RevisionOne,
    GivesTheClaimToAll,
    LooksAndClaimsLater,
    ClaimsAnyRevision,
    KeepsTheClaim,
    WritesTheLast,
    FreesTheClaim,
    SendsToTheEnd,
    ClaimsNeverRunOut,
    TellsEachRefusal,
    RefusesAnyRevision,
    TakesWhatComesLate,
    SavesLater,
    NewestFirst,
    OneProviderFirst,
    ClaimsForAll,
    HandsOutAgain,
    GoesByTheFirstRun,
    KeepsTheSchedule,
    NamesWhatHasPassed,
    LeavesOutForEver,
    KeepsRefusedAlive,
    ForgetsVersions,
    TellsOne,
    EmptiesTheInboxFirst,
    ForgetsForAnybody,
    KeepsTheFirstMark,
    DropsWhatDoesNotFit,
    LetsNewsWait,
    KeepsTheInbox,
    DeliversToMemory,
    ForgetsTheConnection,
    LeavesWhatWasTaken,
    ForgetsAfterFive,
    NamedByTheState,
    GrantsEverything,
    DoesNotListen,
    RemembersOneWindow,
    GrantsAPaceToEach,
    BelievesAnyInstant,
    KnowsNoReserve,
    KeepsTheLastGate,
    LosesWhileAnother,
    LooksAndTakesLater,
    ForgetsQuarantine,
    ShowsRowsLate,
    LeavesChangesInPlace,
    NewNumbers,
    NoDeletionsInTheFeed,
    LeavesEmptyDays,
    TakesTheLargestForTheLast,
    NewZoneLater,
    BelievesTheDay,
    LosesEveryThird,
}

/// What a flaw must remember.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) leases: HashMap<ConnectionId, Lease>,
    pub(crate) runs: HashMap<ConnectionId, RunEntry>,
    pub(crate) dues: HashMap<ConnectionId, Dues>,
    pub(crate) handed_out: Vec<(Connection, Lease)>,
    pub(crate) tickets: HashMap<ConnectionId, RefreshTicket>,
    pub(crate) saved: HashMap<ConnectionId, Held>,
    pub(crate) refused: Vec<ConnectionId>,
    pub(crate) begun: Vec<(Secret, Pending)>,
    pub(crate) marks: HashMap<String, u64>,
    pub(crate) waited: Vec<Waiting>,
    /// What is written where others may read it.
    pub(crate) written: Vec<u8>,
    digests: HashMap<RecordId, Digest>,
    windows: HashMap<QuotaKey, (Timestamp, u32)>,
    owed: HashMap<QuotaKey, Timestamp>,
    gates: HashMap<QuotaKey, Timestamp>,
    now: Option<Timestamp>,
    pub(crate) days: HashMap<String, Day>,
    pub(crate) commits: u64,
    pub(crate) passed: Duration,
}

/// A store with a fault.
pub(crate) struct Flawed {
    pub(crate) flaw: Flaw,
    pub(crate) store: Arc<dyn StoreUnderTest>,
    pub(crate) inner: Arc<dyn Storage>,
    pub(crate) is_reopened: bool,
    memory: Mutex<Memory>,
    pub(crate) under_way: AtomicU64,
}

impl Flawed {
    pub(crate) fn new(store: Arc<dyn StoreUnderTest>, flaw: Flaw, is_reopened: bool) -> Self {
        let inner = store.storage();
        Self { flaw, store, inner, is_reopened, memory: Mutex::default(), under_way: AtomicU64::default() }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// The newest lease of a connection, whoever asks.
    pub(crate) fn newest(&self, lease: &Lease) -> Lease {
        self.memory().leases.get(&lease.connection).unwrap_or(lease).clone()
    }

    /// The batch as this store understands it.
    async fn misread(&self, mut batch: Batch) -> Result<Batch> {
        match self.flaw {
            Flaw::ForgetsTheState => batch.state = self.inner.resume(&batch.partition).await?,
            Flaw::TakesAThousand => batch.puts.truncate(1000),
            Flaw::KeepsTheFirstRecord => batch.puts.iter_mut().for_each(|put| put.records.truncate(1)),
            Flaw::CutsIds => {
                batch.puts.iter_mut().for_each(|put| put.sighting.id = cut(&put.sighting.id).into())
            }
            Flaw::NeverMovesChangedAt => batch.now = *self.memory().now.get_or_insert(batch.now),
            Flaw::HoldsNothing => batch.hold = None,
            Flaw::KeepsTheObservation => {
                batch.seen.iter_mut().for_each(|seen| seen.observed = Timestamp::EPOCH);
            }
            Flaw::BelievesTheDay => {
                for change in batch.puts.iter().flat_map(|put| &put.records) {
                    if let RecordChange::Insert { id, day, .. } | RecordChange::Update { id, day, .. } =
                        change
                    {
                        self.memory().days.insert(id.to_string(), *day);
                    }
                }
            }
            Flaw::KeepsWhatIsDropped => {
                for put in batch.puts.iter_mut().filter(|put| matches!(put.body, BodyChange::Drop)) {
                    put.body = BodyChange::Keep;
                }
            }
            Flaw::LetsNothingOut => {
                for put in batch.puts.iter_mut().filter(|put| put.quarantine.is_none()) {
                    let known = self.inner.known(&batch.partition, &[&put.sighting.id]).await?;
                    if known.iter().any(|known| known.quarantined) {
                        let body = RawJson::new("1")?;
                        put.quarantine = Some(Quarantine { reason: "for ever".into(), body });
                    }
                }
            }
            Flaw::RevivesNothing => {
                for put in &mut batch.puts {
                    let items: Vec<_> = put.item.into_iter().collect();
                    let stored = self.inner.records_of(&batch.partition, &items).await?;
                    let is_gone = |id| {
                        stored.iter().any(|known| known.record == id && known.state == RecordState::Gone)
                    };
                    put.records
                        .retain(|change| !matches!(change, RecordChange::Update { id, .. } if is_gone(*id)));
                }
            }
            _ => {}
        }
        Ok(batch)
    }

    /// Whether a commit is lost without a word.
    fn loses(&self) -> bool {
        let commits = {
            let mut memory = self.memory();
            memory.commits += 1;
            memory.commits
        };
        match self.flaw {
            Flaw::LosesEveryThird => commits.is_multiple_of(3),
            Flaw::LosesWhileAnother => self.under_way.load(Ordering::SeqCst) > 1,
            _ => false,
        }
    }

    async fn write(&self, lease: &Lease, batch: Batch) -> Result<()> {
        if self.loses() {
            return Ok(());
        }
        let batch = self.misread(batch).await?;
        match self.flaw {
            Flaw::IgnoresTheEpoch => self.inner.commit(&self.newest(lease), batch).await,
            Flaw::WritesTheLedgerFirst => {
                self.inner.record(lease, &batch.run).await?;
                self.inner.commit(lease, batch).await
            }
            Flaw::CommitsRenewNothing => {
                self.inner.commit(lease, batch).await?;
                let passed = self.memory().passed;
                self.store.pass_time(passed).await.map(|_| ())
            }
            Flaw::EmptiesTheInboxFirst => {
                if let Some(up_to) = batch.taken {
                    self.inner.forget(lease, &batch.partition.stream, up_to).await?;
                }
                self.inner.commit(lease, batch).await
            }
            Flaw::CommitsInHalves if batch.puts.len() > 1 => {
                let mut first = batch.clone();
                let rest = first.puts.split_off(batch.puts.len() / 2);
                self.inner.commit(lease, first).await?;
                // Something else has its turn, for long enough that whoever drops commits step by step meets it: under
                // load a commit takes more steps at one time than at another.
                for _ in 0..16 {
                    tokio::task::yield_now().await;
                }
                self.inner.commit(lease, Batch { puts: rest, ..batch }).await
            }
            Flaw::WritesTheFirstItem => {
                let refused = self.inner.commit(lease, batch.clone()).await;
                if refused.as_ref().is_err_and(|error| error.kind() == ErrorKind::Internal) {
                    let mut half = Batch { seen: None, hold: None, taken: None, ..batch };
                    half.puts.truncate(1);
                    half.state = self.inner.resume(&half.partition).await?;
                    self.inner.commit(lease, half).await?;
                }
                refused
            }
            _ => self.inner.commit(lease, batch).await,
        }
    }
}

fn cut(id: &str) -> &str {
    &id[..id.floor_char_boundary(255)]
}

#[async_trait]
impl SyncStore for Flawed {
    async fn resume(&self, partition: &PartitionKey) -> Result<PartitionState> {
        let mut state = self.inner.resume(partition).await?;
        if self.has(Flaw::ForgetsTheFullScan) {
            state.full = None;
        }
        Ok(state)
    }

    async fn known(&self, partition: &PartitionKey, ids: &[&str]) -> Result<Vec<KnownItem>> {
        let asked: Vec<&str> = match self.flaw {
            Flaw::CutsIds => ids.iter().map(|id| cut(id)).collect(),
            _ => ids.to_vec(),
        };
        let mut known = self.inner.known(partition, &asked).await?;
        match self.flaw {
            Flaw::KnowsNothingGone => known.retain(|known| known.sighting.state == ItemState::Live),
            Flaw::Versions63 => known.iter_mut().for_each(|known| {
                known.sighting.version = known.sighting.version.map(|version| version & (u64::MAX >> 1));
            }),
            Flaw::MarksNoQuarantine => known.iter_mut().for_each(|known| known.quarantined = false),
            _ => {}
        }
        Ok(known)
    }

    async fn records_of(&self, partition: &PartitionKey, items: &[ItemRef]) -> Result<Vec<KnownRecord>> {
        let mut records = self.inner.records_of(partition, items).await?;
        match self.flaw {
            Flaw::KnowsNoTombstones => records.retain(|record| record.state != RecordState::Gone),
            Flaw::KeepsTheFirstDigest => records.iter_mut().for_each(|record| {
                record.digest = *self.memory().digests.entry(record.record).or_insert(record.digest);
            }),
            Flaw::TakesTheUserForTheProvider => {
                for record in records.iter_mut().filter(|record| record.state == RecordState::Removed) {
                    record.state = RecordState::Gone;
                }
            }
            _ => {}
        }
        Ok(records)
    }

    async fn commit(&self, lease: &Lease, batch: Batch) -> Result<()> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let written = self.write(lease, batch).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        written
    }

    async fn count(&self, partition: &PartitionKey, mut missing: Missing) -> Result<CoverageCount> {
        match (self.flaw, missing.covers) {
            (Flaw::CountsTheBorders, Coverage::Span { from, to }) => {
                let step = Duration::from_micros(1);
                missing.covers = Coverage::Span { from: from - step, to: to + step };
                self.inner.count(partition, missing).await
            }
            (Flaw::CountsAllPartitions, _) => {
                let mut sum = CoverageCount::default();
                for key in self.inner.partitions(partition.connection, &partition.stream).await? {
                    let count = self.inner.count(&key, missing).await?;
                    sum.covered += count.covered;
                    sum.missing += count.missing;
                    sum.held += count.held;
                }
                Ok(sum)
            }
            _ => self.inner.count(partition, missing).await,
        }
    }

    async fn missing(
        &self,
        partition: &PartitionKey,
        missing: Missing,
        only_held: bool,
        limit: u32,
    ) -> Result<Vec<KnownItem>> {
        let only_held = only_held && !self.has(Flaw::ListsWhatIsNotHeld);
        self.inner.missing(partition, missing, only_held, limit).await
    }

    async fn partitions(&self, connection: ConnectionId, stream: &str) -> Result<Vec<PartitionKey>> {
        let mut keys = self.inner.partitions(connection, stream).await?;
        if self.has(Flaw::ListsNoPlainPartition) {
            keys.retain(|key| !key.partition.is_empty());
        }
        Ok(keys)
    }

    async fn raw(
        &self,
        partition: &PartitionKey,
        mut after: Option<ItemRef>,
        limit: u32,
    ) -> Result<Vec<StoredItem>> {
        if self.has(Flaw::RepeatsTheLast) {
            after = after.map(|item| ItemRef(item.0 - 1));
        }
        let mut items = self.inner.raw(partition, after, limit).await?;
        if self.has(Flaw::LeavesOutQuarantine) {
            items.retain(|item| !item.known.quarantined);
        }
        Ok(items)
    }
}

#[async_trait]
impl QuotaLedger for Flawed {
    async fn draw(&self, key: &QuotaKey, mut window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        match self.flaw {
            Flaw::GrantsEverything => return Ok(want),
            Flaw::RemembersOneWindow => {
                let mut memory = self.memory();
                let (last, turns) = memory.windows.entry(key.clone()).or_insert((window_start, 0));
                if *last != window_start {
                    (*last, *turns) = (window_start, *turns + 1);
                }
                // A window that is begun again is another one.
                window_start = window_start + Duration::from_micros(1) * *turns;
            }
            _ => {}
        }
        self.inner.draw(key, window_start, want, limit).await
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        if self.has(Flaw::DoesNotListen) {
            return Ok(());
        }
        self.inner.used(key, window_start, used).await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        match self.flaw {
            Flaw::GrantsAPaceToEach => {
                let one = self.under_way.fetch_add(1, Ordering::SeqCst).to_string();
                let key = QuotaKey::new(key.provider.clone(), key.quota.clone(), one);
                self.inner.take(&key, now, units, pace).await
            }
            Flaw::BelievesAnyInstant => {
                let mut memory = self.memory();
                let owed = memory.owed.entry(key.clone()).or_insert(now);
                let next = now.max(*owed) + pace.every * units;
                match next.since(now).checked_sub(pace.every * pace.burst) {
                    Some(wait) if !wait.is_zero() => Ok(Some(wait)),
                    _ => {
                        *owed = next;
                        Ok(None)
                    }
                }
            }
            Flaw::KnowsNoReserve => self.inner.take(key, now, units, pace.reserving(0)).await,
            _ => self.inner.take(key, now, units, pace).await,
        }
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        self.memory().gates.insert(key.clone(), until);
        self.inner.block(key, until).await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        if self.has(Flaw::KeepsTheLastGate) {
            return Ok(self.memory().gates.get(key).copied());
        }
        self.inner.blocked_until(key).await
    }
}
