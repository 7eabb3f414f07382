//! A real engine over a small provider, interrupted at random: this store ends as the one in memory does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::connector::{
    Absence, Auth, Connector, Context, Identity, Manifest, StreamSpec, Terms, no_settings,
};
use lifehub_core::engine::{Connection, Engine, SyncOptions};
use lifehub_core::http::{Request, Response, Transport};
use lifehub_core::normalize::Reject;
use lifehub_core::page::{Coverage, Cursor, Item, ItemKey, Next, Page, Place, RawItem};
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Moment, Record, When};
use lifehub_core::registry::Registry;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::world::{Check, equal, instant, raw};
use super::{MemoryUnderTest, Outcome, StoreUnderTest, Subject, Verdict};
use crate::faulty_store::{At, FaultyStore, StoreFault};
use crate::seeded::Seeded;

const PAGE: usize = 6;

/// What of a record is equal in equal stores.
const EQUAL: [&str; 11] =
    ["provider", "stream", "external_id", "key", "dataset", "start", "end", "zone", "day", "body", "deleted"];

/// One entry of the provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    id: u32,
    at: Timestamp,
    metres: f64,
    odd: bool,
    /// Changes the body, but no record.
    likes: u32,
}

/// A provider whose whole content is one mutex. Clones share it.
#[derive(Clone)]
struct Shelf {
    entries: Arc<Mutex<Vec<Entry>>>,
    manifest: Manifest,
}

impl Shelf {
    fn new() -> Self {
        let manifest = Manifest {
            id: "example",
            title: "Shelf",
            about: "A provider in memory",
            docs: "https://shelf.example/docs",
            base_url: "https://shelf.example",
            origins: &[],
            auth: Auth::none(),
            quotas: vec![],
            streams: vec![
                StreamSpec::snapshot("entries", "Entries", &["workout"], normalize)
                    .absence(Absence::MeansGone),
            ],
            settings: no_settings(),
            terms: Terms::owners_choice("https://shelf.example/terms"),
        };
        Self { entries: Arc::default(), manifest }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some come, some change, some go; never so many that a sweep would be held.
    fn live_on(&self, dice: &mut Seeded, round: u32) {
        let mut entries = self.entries();
        for n in 0..if round == 0 { 30 } else { 3 } {
            entries.push(Entry {
                id: round * 100 + n,
                at: instant(dice.whole(0, 1_000_000)),
                metres: dice.fraction(1.0, 1e4),
                odd: dice.chance(0.04),
                likes: 0,
            });
        }
        for entry in entries.iter_mut() {
            match dice.whole(0, 9) {
                0 => entry.metres += 1.0,
                1 => entry.likes += 1,
                2 => entry.odd = false,
                _ => {}
            }
        }
        if round > 0 {
            let gone = usize::try_from(dice.whole(0, 20)).unwrap_or_default();
            entries.remove(gone);
        }
    }
}

fn normalize(item: &RawItem) -> std::result::Result<Vec<Record>, Reject> {
    let entry: Entry = item.body.read()?;
    if entry.odd {
        return Err(Reject::new("it is odd"));
    }
    let workout = Workout { sport: "Run".into(), distance_m: Some(entry.metres), ..Workout::default() };
    Ok(vec![Record::new(When::At(Moment::utc(entry.at)), &workout)?])
}

#[async_trait]
impl Connector for Shelf {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, _: &Context<'_>) -> Result<Identity> {
        Ok(Identity { account: "one".into(), title: None })
    }

    async fn fetch_page(&self, _: &Context<'_>, _: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        let from = cursor.map_or(Ok(0), Cursor::read::<usize>)?;
        let entries = self.entries();
        let items = entries.iter().skip(from).take(PAGE).map(|entry| {
            let body = raw(&serde_json::to_value(entry).unwrap_or_default());
            Item::read(body, |entry| Ok(ItemKey::new(entry.id("id")?).at(entry.maybe("at"))))
        });
        let next = match from + PAGE < entries.len() {
            true => Next::More(Cursor::new(&(from + PAGE))?),
            false => Next::CaughtUp { cursor: Cursor::new(&0)?, covers: Coverage::Whole },
        };
        Ok(Page { items: items.collect(), next })
    }
}

struct NoNetwork;

#[async_trait]
impl Transport for NoNetwork {
    async fn send(&self, _: Request) -> Result<Response> {
        Err(Error::new(ErrorKind::Unavailable, "there is no network here"))
    }
}

/// A store with a connection to the shelf.
struct Reader {
    store: Arc<dyn StoreUnderTest>,
    faulty: Arc<FaultyStore>,
    connection: Connection,
    clock: Arc<ManualClock>,
}

impl Reader {
    async fn new(store: Arc<dyn StoreUnderTest>, clock: Arc<ManualClock>) -> Check<Self> {
        let user = store.add_user(&Zone::utc()).await?;
        let connection = store.add_connection(user, "example", "one", Credentials::none()).await?;
        let faulty = FaultyStore::new(store.storage());
        Ok(Self { store, faulty, connection, clock })
    }

    async fn sync(&self, shelf: &Shelf, seed: u64) -> Result<lifehub_core::engine::Report> {
        self.clock.advance(Duration::from_secs(1));
        let registry = Registry::new().with(shelf.clone());
        let engine = Engine::builder(registry, self.faulty.clone(), Arc::new(NoNetwork))
            .clock(self.clock.clone())
            .rng(Rng::seeded(seed))
            .build();
        engine.sync(&self.connection, &SyncOptions::default()).await
    }

    /// The records, as far as they are to be equal, and what is in quarantine.
    async fn content(&self) -> Check<(Vec<Value>, Vec<String>)> {
        let mut records = self.store.records(&self.connection).await?;
        for record in records.iter_mut().filter_map(Value::as_object_mut) {
            record.retain(|name, _| EQUAL.contains(&name.as_str()));
        }
        records.sort_by_key(|record| (record["external_id"].to_string(), record["key"].to_string()));
        let quarantine = self.store.quarantine(&self.connection).await?;
        let mut bad: Vec<_> = quarantine.into_iter().map(|entry| entry.external_id).collect();
        bad.sort_unstable();
        Ok((records, bad))
    }
}

/// Crashes at random calls, then a whole sync, for some rounds of a living provider: both stores hold the same.
pub(super) async fn an_interrupted_walk_ends_as_in_memory(subject: &Subject) -> Verdict {
    for seed in 0..3 {
        let clock = || Arc::new(ManualClock::at(instant(0)));
        let at = clock();
        let tried = Reader::new(subject.open(at.clone()).await?, at).await?;
        let at = clock();
        let model = Reader::new(MemoryUnderTest::open(at.clone()), at).await?;
        let (shelf, mut dice) = (Shelf::new(), Seeded::new(seed));
        let mut run = seed * 1000;
        for round in 0..4 {
            shelf.live_on(&mut dice, round);
            for _ in 0..4 {
                let k = u64::try_from(dice.whole(1, 40)).unwrap_or(1);
                let at = if dice.chance(0.5) { At::BeforeCall(k) } else { At::AfterCall(k) };
                tried.faulty.set(StoreFault::Crash(at));
                run += 1;
                // Whether it ends in an error or in a report that tells one is not what counts here.
                let _ = tried.sync(&shelf, run).await;
                tried.faulty.restart().await?;
            }
            for reader in [&tried, &model] {
                run += 1;
                let report = reader.sync(&shelf, run).await?;
                let caught_up = report.streams.iter().all(|stream| stream.caught_up);
                equal(caught_up, true, format!("whether a whole sync ends, round {round} of seed {seed}"))?;
            }
            let (found, expected) = (tried.content().await?, model.content().await?);
            let what = format!("after round {round} of seed {seed}");
            equal(found.0.len(), expected.0.len(), format!("the number of records {what}"))?;
            let differs = found.0.iter().zip(&expected.0).find(|(found, expected)| found != expected);
            equal(differs, None, format!("a record that is not as in memory {what}"))?;
            equal(found.1, expected.1, format!("the quarantine {what}"))?;
        }
    }
    Ok(Outcome::Passed)
}
