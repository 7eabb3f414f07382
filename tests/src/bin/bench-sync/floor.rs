//! The floor: a bare loop over the same pages. It fetches one after another, parses into a typed struct, hashes, and
//! upserts a page a transaction into one table, with the same durability; it does nothing else that a sync must do.

use std::borrow::Cow;
use std::path::Path;

use lifehub_strava::simulator::StravaSimulator;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::cli::ReadArgs;
use crate::process::Told;
use crate::{Outcome, runtime};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS activities (id INTEGER PRIMARY KEY, name TEXT, sport TEXT, \
    start TEXT, offset_s REAL, moving_s REAL, elapsed_s REAL, distance_m REAL, avg_hr REAL, max_hr REAL, speed REAL, \
    hash BLOB, body TEXT) STRICT";

const UPDATE: &str = "name = excluded.name, sport = excluded.sport, start = excluded.start, \
    offset_s = excluded.offset_s, moving_s = excluded.moving_s, elapsed_s = excluded.elapsed_s, \
    distance_m = excluded.distance_m, avg_hr = excluded.avg_hr, max_hr = excluded.max_hr, speed = excluded.speed, \
    hash = excluded.hash, body = excluded.body";

#[derive(Deserialize)]
struct Activity<'a> {
    id: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    sport_type: Cow<'a, str>,
    #[serde(borrow)]
    start_date: Cow<'a, str>,
    utc_offset: f64,
    moving_time: f64,
    elapsed_time: f64,
    distance: f64,
    average_heartrate: Option<f64>,
    max_heartrate: Option<f64>,
    average_speed: Option<f64>,
}

/// Reads every page into the table, whatever is there.
pub(crate) fn run(args: &ReadArgs) -> Outcome<Told> {
    let (items, pages) = runtime()?.block_on(read(args))?;
    if items != args.items {
        return Err(format!("the floor read {items} of {} items", args.items).into());
    }
    Told::now(items, pages)
}

/// The floor's database in that folder.
pub(crate) async fn open(dir: &Path) -> Outcome<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(dir.join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    Ok(SqliteConnection::connect_with(&options).await?)
}

async fn read(args: &ReadArgs) -> Outcome<(u64, u64)> {
    // The choice of crypto is ambiguous only where several are compiled in.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().gzip(true).brotli(true).build()?;
    let mut database = open(&args.dir).await?;
    sqlx::raw_sql(TABLE).execute(&mut database).await?;
    let (mut read, mut page) = (0, 1);
    loop {
        let url = format!("{}/athlete/activities?page={page}&per_page=200", args.url);
        let request = client.get(url).bearer_auth(StravaSimulator::TOKEN);
        let body = request.send().await?.error_for_status()?.bytes().await?;
        let items: Vec<&RawValue> = serde_json::from_slice(&body)?;
        if items.is_empty() {
            break;
        }
        upsert(&mut database, &items).await?;
        read += items.len() as u64;
        page += 1;
    }
    database.close().await?;
    Ok((read, page))
}

async fn upsert(database: &mut SqliteConnection, items: &[&RawValue]) -> Outcome<()> {
    let rows = vec!["(?,?,?,?,?,?,?,?,?,?,?,?,?)"; items.len()].join(",");
    let sql = format!("INSERT INTO activities VALUES {rows} ON CONFLICT (id) DO UPDATE SET {UPDATE}");
    let mut transaction = database.begin().await?;
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for item in items {
        let a: Activity<'_> = serde_json::from_str(item.get())?;
        let hash = Sha256::digest(item.get());
        query = query.bind(a.id).bind(a.name.into_owned()).bind(a.sport_type.into_owned());
        query = query.bind(a.start_date.into_owned()).bind(a.utc_offset).bind(a.moving_time);
        query = query.bind(a.elapsed_time).bind(a.distance).bind(a.average_heartrate).bind(a.max_heartrate);
        query = query.bind(a.average_speed).bind(hash.to_vec()).bind(item.get().to_owned());
    }
    query.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
