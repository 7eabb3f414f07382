//! Into SQLite: the commit of a page, in a file with the store's own durability.

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};
use lifehub_core::Result;
use lifehub_core::clock::{Rng, Timestamp, Zone};
use lifehub_core::connector::Connector as _;
use lifehub_core::engine::{
    Batch, BodyChange, Claim, Dues, ItemPut, ItemState, Lease, Leases as _, PartitionKey, PartitionState,
    RecordChange, Report, RunEntry, Seen, Sighting, SyncStore as _,
};
use lifehub_core::page::RawItem;
use lifehub_core::record::{Digest, RecordId, RunId};
use lifehub_core::secret::Credentials;
use lifehub_store::{KeySource, NewConnection, OpenOptions, Store};
use lifehub_strava::Strava;

use crate::activities::{PER_PAGE, broken, pages};

/// After so many pages the database is made anew, so that its size is about the same in every sample.
const PAGES: usize = 100;

pub(crate) fn measure(criterion: &mut Criterion) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(broken)?;
    let pages = pages(PAGES)?;
    let mut filled = runtime.block_on(Filled::make(&pages))?;
    let mut failed = None;
    let mut group = criterion.benchmark_group("commit of 200");
    group.throughput(Throughput::Elements(PER_PAGE as u64));
    group.sampling_mode(SamplingMode::Flat).sample_size(20).measurement_time(Duration::from_secs(8));
    group.bench_function("new", |bencher| {
        bencher.iter_custom(|times| noted(&mut failed, runtime.block_on(new(&pages, times))));
    });
    group.bench_function("unchanged", |bencher| {
        bencher.iter_custom(|times| noted(&mut failed, runtime.block_on(filled.unchanged(&pages, times))));
    });
    group.finish();
    failed.map_or(Ok(()), Err)
}

/// A benchmark goes on after an error, which is told at its end.
fn noted(failed: &mut Option<lifehub_core::Error>, took: Result<Duration>) -> Duration {
    took.unwrap_or_else(|error| {
        failed.get_or_insert(error);
        Duration::from_secs(1)
    })
}

async fn new(pages: &[Vec<RawItem>], times: u64) -> Result<Duration> {
    let mut took = Duration::ZERO;
    let mut left = times;
    while left > 0 {
        let database = Database::make().await?;
        for page in pages.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            let puts = database.puts(page)?;
            let begun = Instant::now();
            database.commit(Batch { puts, ..database.batch() }).await?;
            took += begun.elapsed();
        }
        left = left.saturating_sub(pages.len() as u64);
        database.store.close().await?;
    }
    Ok(took)
}

/// A database that holds the pages.
struct Filled {
    database: Database,
    generation: u64,
    done: u64,
}

impl Filled {
    async fn make(pages: &[Vec<RawItem>]) -> Result<Self> {
        let database = Database::make().await?;
        for page in pages {
            let puts = database.puts(page)?;
            database.commit(Batch { puts, ..database.batch() }).await?;
        }
        Ok(Self { database, generation: 1, done: 0 })
    }

    /// With the question which of the items are known, which goes before every commit.
    async fn unchanged(&mut self, pages: &[Vec<RawItem>], times: u64) -> Result<Duration> {
        let Database { store, key, .. } = &self.database;
        let mut took = Duration::ZERO;
        for page in
            pages.iter().cycle().skip(self.at(pages)).take(usize::try_from(times).unwrap_or(usize::MAX))
        {
            // Each walk over the pages is another pass, so that there is something to stamp.
            self.generation += u64::from(self.at(pages) == 0);
            self.done += 1;
            let begun = Instant::now();
            let ids: Vec<&str> = page.iter().map(|item| item.id.as_str()).collect();
            let items = store.known(key, &ids).await?.into_iter().map(|known| known.item).collect();
            let seen = Some(Seen { items, generation: self.generation, observed: Timestamp::EPOCH });
            self.database.commit(Batch { seen, ..self.database.batch() }).await?;
            took += begun.elapsed();
        }
        Ok(took)
    }

    /// The page whose turn it is.
    fn at(&self, pages: &[Vec<RawItem>]) -> usize {
        usize::try_from(self.done % pages.len() as u64).unwrap_or(0)
    }
}

/// A store in a folder of its own, with a connection whose lease is held.
struct Database {
    store: Store,
    key: PartitionKey,
    lease: Lease,
    rng: Rng,
    strava: Strava,
    _folder: tempfile::TempDir,
}

impl Database {
    async fn make() -> Result<Self> {
        let folder = tempfile::tempdir().map_err(broken)?;
        let (path, key) = (folder.path().join("bench.db"), folder.path().join("master.key"));
        let store = Store::open(&path.display().to_string(), OpenOptions::new(KeySource::File(key))).await?;
        let user = store.create_user("bench@example.org", &Zone::utc()).await?;
        let (connection, _) = store.connect(NewConnection::new(user, "strava", Credentials::none())).await?;
        let Claim::Held(lease) = store.claim(connection).await? else {
            return Err(broken("a new connection is leased to somebody"));
        };
        let key = PartitionKey { connection, stream: "activities".into(), partition: String::new() };
        let strava = Strava;
        Ok(Self { store, key, lease, rng: Rng::seeded(1), strava, _folder: folder })
    }

    async fn commit(&self, batch: Batch) -> Result<()> {
        self.store.commit(&self.lease, batch).await?;
        Ok(())
    }

    /// A batch that changes nothing but the state and the ledger.
    fn batch(&self) -> Batch {
        Batch {
            partition: self.key.clone(),
            now: Timestamp::EPOCH,
            puts: vec![],
            seen: None,
            hold: None,
            taken: None,
            state: PartitionState::default(),
            run: RunEntry {
                id: RunId::from_bytes([1; 16]),
                epoch: self.lease.epoch,
                started_at: Timestamp::EPOCH,
                finished_at: None,
                resume_at: None,
                dues: Dues::default(),
                report: Report::new(self.key.connection, "strava"),
            },
        }
    }

    /// New items with the records that their normalizer makes.
    fn puts(&self, page: &[RawItem]) -> Result<Vec<ItemPut>> {
        page.iter().map(|item| self.put(item)).collect()
    }

    fn put(&self, item: &RawItem) -> Result<ItemPut> {
        let spec = self.strava.manifest().stream("activities");
        let spec = spec.ok_or_else(|| broken("Strava has no activities"))?;
        let now = Timestamp::EPOCH;
        let insert = |record: lifehub_core::record::Record| {
            let day = record.day(&Zone::utc());
            let digest = record.digest(day);
            RecordChange::Insert { id: RecordId::new(now, &self.rng), record, day, digest }
        };
        let records = spec.normalizer.normalize(item).map_err(broken)?;
        Ok(ItemPut {
            item: None,
            sighting: Sighting {
                id: item.id.clone(),
                hash: Digest::of_bytes(item.body.as_bytes()),
                normalizer: spec.version,
                generation: 1,
                at: item.at,
                version: None,
                observed: now,
                state: ItemState::Live,
            },
            body: BodyChange::Store(item.body.clone()),
            quarantine: None,
            records: records.into_iter().map(insert).collect(),
        })
    }
}
