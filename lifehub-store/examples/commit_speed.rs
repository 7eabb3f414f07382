//! Measures the commit: `cargo run --release -p lifehub-store --example commit_speed [PAGES] [RECORDS_A_DAY]`.
//!
//! It commits pages of 200 new workouts with raw bodies of about 1 kB into a fresh database, then reads and stamps all
//! of them as an unchanged pass does, and prints the time and the processor time of each item.

use std::time::Instant;

use lifehub_core::clock::{Rng, Timestamp, Zone};
use lifehub_core::engine::{
    Batch, BodyChange, Claim, Dues, ItemPut, ItemState, Lease, Leases, Missing, PartitionKey, PartitionState,
    RecordChange, Report, RunEntry, Seen, Sighting, SyncStore,
};
use lifehub_core::page::{Coverage, RawJson};
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Digest, Moment, Record, RecordId, RunId, When};
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::{KeySource, NewConnection, OpenOptions, Store};

const PAGE: i64 = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let number = |n, default| std::env::args().nth(n).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (pages, a_day) = (number(1, 500), number(2, 2));
    let dir = tempfile::tempdir().map_err(|e| Error::new(ErrorKind::Storage, e.to_string()))?;
    let path = dir.path().join("speed.db");
    let key = KeySource::File(dir.path().join("master.key"));
    let store = Store::open(&path.to_string_lossy(), OpenOptions::new(key)).await?;
    let user = store.create_user("speed@example.com", &Zone::utc()).await?;
    let (connection, _) = store.connect(NewConnection::new(user, "strava", Credentials::none())).await?;
    let Claim::Held(lease) = store.claim(connection).await? else { return Ok(()) };
    let key = PartitionKey { connection, stream: "activities".into(), partition: String::new() };
    let rng = Rng::seeded(1);

    let mut clock = Stopwatch::start();
    for page in 0..pages {
        let puts = (page * PAGE..(page + 1) * PAGE).map(|n| item(n, a_day, &rng)).collect::<Result<_>>()?;
        let batch = Batch { puts, ..empty(&key, &lease, page) };
        clock.only(store.commit(&lease, batch)).await?;
    }
    clock.print("commit of new items", pages * PAGE);

    let mut clock = Stopwatch::start();
    for page in 0..pages {
        let ids: Vec<String> = (page * PAGE..(page + 1) * PAGE).map(|n| n.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let items = clock.only(store.known(&key, &ids)).await?.into_iter().map(|known| known.item).collect();
        let seen = Some(Seen { items, generation: 2, observed: Timestamp::EPOCH });
        clock.only(store.commit(&lease, Batch { seen, ..empty(&key, &lease, page) })).await?;
    }
    clock.print("pass over unchanged items", pages * PAGE);

    let from = Timestamp::from_seconds(1_600_000_000);
    for covers in
        [Coverage::Whole, Coverage::Span { from, to: from + std::time::Duration::from_secs(600_000) }]
    {
        let mut clock = Stopwatch::start();
        let counted = clock.only(store.count(&key, Missing { covers, generation: 3 })).await?;
        clock.print(&format!("count of {}", counted.covered), pages * PAGE);
    }
    let mut clock = Stopwatch::start();
    let mut export = store.export(user, true);
    while let Some(page) = clock.only(export.next_page()).await? {
        std::hint::black_box(serde_json::to_string(&page).map(|text| text.len()).unwrap_or(0));
    }
    clock.print("export", pages * PAGE);
    let mut clock = Stopwatch::start();
    let differences = clock.only(store.verify_rollups()).await?;
    clock.print(&format!("check of roll-ups, {} differ", differences.len()), pages * PAGE);

    let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    say(&format!("resident at most {} KiB, database {} KiB", status("VmHWM"), size / 1024));
    store.close().await
}

fn empty(key: &PartitionKey, lease: &Lease, page: i64) -> Batch {
    let now = Timestamp::from_seconds(1_780_000_000 + page);
    Batch {
        partition: key.clone(),
        now,
        puts: vec![],
        seen: None,
        hold: None,
        taken: None,
        state: PartitionState::default(),
        run: RunEntry {
            id: RunId::from_bytes([1; 16]),
            epoch: lease.epoch,
            started_at: now,
            finished_at: None,
            resume_at: None,
            dues: Dues::default(),
            report: Report::new(key.connection, "strava"),
        },
    }
}

fn item(n: i64, a_day: i64, rng: &Rng) -> Result<ItemPut> {
    let start = Timestamp::from_seconds(1_600_000_000 + n * 86_400 / a_day);
    let workout = Workout {
        sport: "Run".into(),
        name: Some(format!("Morning run {n}")),
        moving_s: Some(1800.0),
        elapsed_s: Some(1900.0),
        distance_m: Some(5000.0 + n as f64),
        elevation_gain_m: Some(40.0),
        energy_kcal: Some(350.5),
        avg_hr_bpm: Some(143.0),
        max_hr_bpm: Some(171.0),
        avg_speed_mps: Some(2.8),
        polyline: Some("ki{eFvqfiVqAWQIGEEKAYJgBVqDJ{BHa@jAkNJw@Pw@V{APs@^aABQAOEQGKoJ_FuJkF".into()),
    };
    let record = Record::new(When::At(Moment::utc(start)), &workout)?;
    let body = RawJson::from_store(format!("{{\"id\":{n},\"map\":\"{}\"}}", "x".repeat(1000)).into_bytes());
    let day = record.day(&Zone::utc());
    let digest = record.digest(day);
    Ok(ItemPut {
        item: None,
        sighting: Sighting {
            id: n.to_string(),
            hash: Digest::of_bytes(body.as_bytes()),
            normalizer: 1,
            generation: 1,
            at: Some(start),
            version: None,
            observed: start,
            state: ItemState::Live,
        },
        body: BodyChange::Store(body),
        quarantine: None,
        records: vec![RecordChange::Insert { id: RecordId::new(start, rng), record, day, digest }],
    })
}

/// Adds up the time and the processor time of the futures that it is given, and of nothing else.
struct Stopwatch {
    wall: std::time::Duration,
    cpu: f64,
}

impl Stopwatch {
    fn start() -> Self {
        Self { wall: std::time::Duration::ZERO, cpu: 0.0 }
    }

    async fn only<T>(&mut self, work: impl Future<Output = T>) -> T {
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        let done = work.await;
        self.wall += wall.elapsed();
        self.cpu += cpu_seconds() - cpu;
        done
    }

    fn print(&self, what: &str, items: i64) {
        let each = |seconds: f64| seconds * 1e6 / items as f64;
        let wall = self.wall.as_secs_f64();
        say(&format!(
            "{what}: {:.0} items/s, {:.2} µs wall and {:.2} µs processor an item",
            items as f64 / wall,
            each(wall),
            each(self.cpu)
        ));
    }
}

/// Of the whole process, all threads: its scheduler's own count, in nanoseconds.
fn cpu_seconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let nanoseconds = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

fn status(name: &str) -> String {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or("?");
    line.trim().trim_end_matches(" kB").to_owned()
}

#[expect(clippy::print_stdout, reason = "it is a program that reports")]
fn say(line: &str) {
    println!("{line}");
}
