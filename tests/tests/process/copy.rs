//! A store is copied from a file to a server and back by a program that is killed on the way: run again, it goes on
//! there, and every row arrives.

use std::process::Stdio;
use std::time::{Duration, Instant};

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::engine::{
    Batch, BodyChange, Claim, Dues, ItemPut, ItemState, Leases, PartitionKey, PartitionState, RecordChange,
    Report, RunEntry, Sighting, SyncStore,
};
use lifehub_core::page::RawJson;
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Digest, Moment, Record, RecordId, RunId, When};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_scratch::Scratch;
use lifehub_store::{NewConnection, Store};
use lifehub_testkit::Seeded;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};

use crate::fleet::reach;
use crate::home::{Home, Kind, block_on, open};

const KILLS: u32 = 2;
const USERS: u64 = 2;
/// Items in a batch.
const BATCH: u64 = 500;
const NOTE: &str = "SELECT value FROM meta WHERE name = 'copy'";

/// How many records; the full reach is named in docs/performance.md.
fn count() -> u64 {
    reach("LIFEHUB_COPY_RECORDS", 20_000)
}

/// Stores so many records, of users in turn, each with its item and a body.
async fn fill(store: &Store, records: u64) {
    let now = Timestamp::from_seconds(1_767_225_600);
    let rng = lifehub_core::clock::Rng::seeded(1);
    let mut leases = Vec::new();
    for n in 0..USERS {
        let user = store.create_user(&format!("{n}@example.org"), &Zone::utc()).await.unwrap();
        let credentials = Credentials::none().with("access_token", Secret::new("token"));
        let (connection, _) = store.connect(NewConnection::new(user, "strava", credentials)).await.unwrap();
        let Claim::Held(lease) = store.claim(connection).await.unwrap() else { panic!("busy") };
        leases.push(lease);
    }
    let put = |n: u64| {
        let at = Timestamp::from_seconds(1_600_000_000 + 600 * i64::try_from(n).unwrap());
        let body = Workout { sport: "Run".into(), name: Some(format!("run {n}")), ..Workout::default() };
        let record = Record::new(When::At(Moment::utc(at)), &body).unwrap();
        let day = record.day(&Zone::utc());
        let raw = format!("{{\"id\":{n},\"notes\":\"{}\"}}", "as long as they are ".repeat(20));
        let sighting = Sighting {
            id: n.to_string(),
            hash: Digest::of_bytes(raw.as_bytes()),
            normalizer: 1,
            generation: 1,
            at: Some(at),
            version: None,
            observed: now,
            state: ItemState::Live,
        };
        let id = RecordId::new(at, &rng);
        let insert = RecordChange::Insert { id, digest: record.digest(day), day, record };
        let body = BodyChange::Store(RawJson::new(raw).unwrap());
        ItemPut { item: None, sighting, body, quarantine: None, records: vec![insert] }
    };
    for first in (0..records).step_by(usize::try_from(BATCH).unwrap()) {
        let of = first / BATCH % USERS;
        let lease = &leases[usize::try_from(of).unwrap()];
        let (connection, epoch) = (lease.connection, lease.epoch);
        let batch = Batch {
            partition: PartitionKey { connection, stream: "activities".into(), partition: String::new() },
            now,
            puts: (first..records.min(first + BATCH)).map(put).collect(),
            seen: None,
            hold: None,
            taken: None,
            state: PartitionState::default(),
            run: RunEntry {
                id: RunId::from_bytes([u8::try_from(of).unwrap(); 16]),
                epoch,
                started_at: now,
                finished_at: None,
                resume_at: None,
                dues: Dues::default(),
                report: Report::new(connection, "strava"),
            },
        };
        store.commit(lease, batch).await.unwrap();
    }
    for lease in &leases {
        store.release(lease).await.unwrap();
    }
}

/// How many rows the note in a target says that it has; nothing before it is there.
async fn copied(url: &str) -> Option<u64> {
    let note: Vec<u8> = if url.starts_with("postgres:") {
        let mut conn = PgConnection::connect(url).await.ok()?;
        sqlx::query_scalar(NOTE).fetch_optional(&mut conn).await.ok()??
    } else {
        let mut conn = SqliteConnection::connect(&format!("sqlite://{url}?mode=ro")).await.ok()?;
        sqlx::query_scalar(NOTE).fetch_optional(&mut conn).await.ok()??
    };
    serde_json::from_slice::<Value>(&note).unwrap()["rows"].as_u64()
}

/// Copies, killed on the way as soon as so many rows are there.
fn copy_killed(home: &Home, from: &str, to: &str, at: u64) {
    let args = ["store", "copy", "--from", from, "--to", to, "--json"];
    let mut child = home.command(&[], &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while block_on(copied(to)).is_none_or(|rows| rows < at) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut opened = home.command(&[], &["user", "list"]);
    let opened = opened.env("LIFEHUB_DATABASE_URL", to).output().unwrap();
    let said = String::from_utf8(opened.stderr).unwrap();
    assert!(opened.status.code() == Some(2) && said.contains("not finished"), "{said}");
}

/// Copies, killed now and then; the report of the last.
fn copy(home: &Home, from: &str, to: &str, random: &mut Seeded) -> Value {
    let mut at = 0.0;
    for _ in 0..KILLS {
        at = random.fraction(at, 0.9);
        copy_killed(home, from, to, (3.0 * count() as f64 * at) as u64);
        println!("killed at {:.0} % of the rows", 100.0 * at);
    }
    let begun = Instant::now();
    let args = ["store", "copy", "--from", from, "--to", to, "--json"];
    let output = home.command(&[], &args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("the last run took {:?}: {report}", begun.elapsed());
    assert!(report["resumed"].as_u64() > Some(0) && report["resumed"].as_u64() < report["rows"].as_u64());
    report
}

/// What users see in two stores, in the order of their feeds.
async fn assert_same_feeds(one: &Store, two: &Store) {
    let mut records = 0;
    for user in one.users().await.unwrap() {
        let (mut one, mut two) = (one.export(user.id, true), two.export(user.id, true));
        loop {
            let (left, right) = (one.next_page().await.unwrap(), two.next_page().await.unwrap());
            assert_eq!(serde_json::to_string(&left).unwrap(), serde_json::to_string(&right).unwrap());
            let Some(page) = left else { break };
            records += page.len() as u64;
        }
    }
    assert_eq!(records, count());
}

/// The rows of every table in two files, but for the times of leases.
async fn assert_same_rows(one: &str, two: &str) {
    let mut conn = SqliteConnection::connect(one).await.unwrap();
    sqlx::query("ATTACH $1 AS other").bind(two).execute(&mut conn).await.unwrap();
    let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    for table in sqlx::query_scalar::<_, String>(tables).fetch_all(&mut conn).await.unwrap() {
        let columns = if table == "leases" { "connection_id, epoch" } else { "*" };
        let differ = format!(
            "SELECT (SELECT count(*) FROM main.{table}) - (SELECT count(*) FROM other.{table}),
                (SELECT count(*) FROM (SELECT {columns} FROM main.{table} EXCEPT SELECT {columns} FROM other.{table}))"
        );
        let row = conn.fetch_one(AssertSqlSafe(differ)).await.unwrap();
        assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (0, 0), "{table}");
    }
}

#[test]
fn a_copy_that_is_killed_goes_on_both_ways() {
    let Some(scratch) = block_on(Scratch::new()) else { return };
    let seed = reach("LIFEHUB_SEED", 41);
    println!("{} records, {KILLS} kills each way, seed {seed}", count());
    let mut random = Seeded::new(seed);
    let home = Home::new(Kind::Sqlite);
    block_on(async {
        let store = home.store().await;
        fill(&store, count()).await;
        store.close().await.unwrap();
    });
    let (first, server) = (home.url(), scratch.url());
    let back = home.data.join("back.db").to_str().unwrap().to_owned();
    let there = copy(&home, &first, &server, &mut random);
    let returned = copy(&home, &server, &back, &mut random);
    assert_eq!(there["tables"], returned["tables"]);
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() / 1024;
    println!("at most {peak} MiB of memory");
    block_on(async {
        let (one, two) = (home.store().await, open(&server, &home.data).await);
        assert_same_feeds(&one, &two).await;
        assert_same_rows(&first, &back).await;
        one.close().await.unwrap();
        two.close().await.unwrap();
    });
}
