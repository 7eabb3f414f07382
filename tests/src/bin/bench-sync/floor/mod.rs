//! The floor: a bare loop over the same pages. It fetches one after another, parses into a typed struct, hashes, and
//! upserts a page a transaction into one table, with the same durability; it does nothing else that a sync must do.

mod postgres;
mod sqlite;

use std::borrow::Cow;

use lifehub_strava::simulator::StravaSimulator;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::cli::{Place, ReadArgs};
use crate::process::Told;
use crate::{Outcome, runtime};

const COUNT: &str = "SELECT count(*) FROM activities";

/// What an upsert does with a row that is there.
const UPDATE: &str = "ON CONFLICT (id) DO UPDATE SET name = excluded.name, sport = excluded.sport, \
    start = excluded.start, offset_s = excluded.offset_s, moving_s = excluded.moving_s, \
    elapsed_s = excluded.elapsed_s, distance_m = excluded.distance_m, avg_hr = excluded.avg_hr, \
    max_hr = excluded.max_hr, speed = excluded.speed, hash = excluded.hash, body = excluded.body";

/// A row of the table.
struct Row<'a> {
    activity: Activity<'a>,
    hash: [u8; 32],
    body: &'a str,
}

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

impl<'a> Row<'a> {
    fn of(item: &'a RawValue) -> Outcome<Self> {
        let body = item.get();
        Ok(Self { activity: serde_json::from_str(body)?, hash: Sha256::digest(body).into(), body })
    }
}

/// The connection to the table.
enum Table {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Table {
    /// Makes the table if it is not there.
    async fn open(place: &Place) -> Outcome<Self> {
        Ok(match &place.postgres {
            None => Self::Sqlite(sqlite::open(&place.dir).await?),
            Some(url) => Self::Postgres(postgres::open(url).await?),
        })
    }

    /// Writes a page in a transaction of its own.
    async fn upsert(&mut self, page: &[&RawValue]) -> Outcome<()> {
        let rows = page.iter().map(|item| Row::of(item));
        match self {
            Self::Sqlite(database) => sqlite::upsert(database, rows).await,
            Self::Postgres(database) => postgres::upsert(database, rows).await,
        }
    }

    async fn close(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }
}

/// Reads every page into the table, whatever is there.
pub(crate) fn run(args: &ReadArgs) -> Outcome<Told> {
    let (items, pages) = runtime()?.block_on(read(args))?;
    if items != args.items {
        return Err(format!("the floor read {items} of {} items", args.items).into());
    }
    Told::now(items, pages)
}

/// How many rows the table has.
pub(crate) async fn count(place: &Place) -> Outcome<u64> {
    let rows: i64 = match &mut Table::open(place).await? {
        Table::Sqlite(database) => sqlx::query_scalar(COUNT).fetch_one(database).await?,
        Table::Postgres(database) => sqlx::query_scalar(COUNT).fetch_one(database).await?,
    };
    Ok(u64::try_from(rows)?)
}

async fn read(args: &ReadArgs) -> Outcome<(u64, u64)> {
    // The choice of crypto is ambiguous only where several are compiled in.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().gzip(true).brotli(true).build()?;
    let mut table = Table::open(&args.place).await?;
    let (mut read, mut page) = (0, 1);
    loop {
        let url = format!("{}/athlete/activities?page={page}&per_page=200", args.url);
        let request = client.get(url).bearer_auth(StravaSimulator::TOKEN);
        let body = request.send().await?.error_for_status()?.bytes().await?;
        let items: Vec<&RawValue> = serde_json::from_slice(&body)?;
        if items.is_empty() {
            break;
        }
        table.upsert(&items).await?;
        read += items.len() as u64;
        page += 1;
    }
    table.close().await?;
    Ok((read, page))
}
