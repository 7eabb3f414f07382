//! The floor under `lifehub sync`: a bare loop over the same pages. It fetches, parses into a typed struct, hashes, and
//! upserts a page a transaction into one table, with the same durability; it does nothing else that a sync must do.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

/// Reads all pages of a simulated Strava into one table, as bare as can be.
#[derive(Parser)]
struct Options {
    /// The base URL, `http://127.0.0.1:PORT/api/v3`.
    #[arg(long)]
    url: String,
    /// The access token.
    #[arg(long, default_value = "sample-access-token")]
    token: String,
    /// The database file to make.
    #[arg(long)]
    db: PathBuf,
}

#[derive(Deserialize)]
struct Activity<'a> {
    id: i64,
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    sport_type: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    start_date: std::borrow::Cow<'a, str>,
    utc_offset: f64,
    moving_time: f64,
    elapsed_time: f64,
    distance: f64,
    average_heartrate: Option<f64>,
    max_heartrate: Option<f64>,
    average_speed: Option<f64>,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(read(Options::parse())));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn read(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    // The choice of crypto is ambiguous only where several are compiled in.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().gzip(true).brotli(true).build()?;
    let database = SqliteConnectOptions::new()
        .filename(&options.db)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let mut database = SqliteConnection::connect_with(&database).await?;
    sqlx::raw_sql(
        "CREATE TABLE activities (id INTEGER PRIMARY KEY, name TEXT, sport TEXT, start TEXT, offset_s REAL, \
         moving_s REAL, elapsed_s REAL, distance_m REAL, avg_hr REAL, max_hr REAL, speed REAL, hash BLOB, body TEXT) \
         STRICT",
    )
    .execute(&mut database)
    .await?;
    for page in 1_u32.. {
        let url = format!("{}/athlete/activities?page={page}&per_page=200", options.url);
        let body =
            client.get(url).bearer_auth(&options.token).send().await?.error_for_status()?.bytes().await?;
        let items: Vec<&RawValue> = serde_json::from_slice(&body)?;
        if items.is_empty() {
            break;
        }
        let rows = vec!["(?,?,?,?,?,?,?,?,?,?,?,?,?)"; items.len()].join(",");
        let sql = format!(
            "INSERT INTO activities VALUES {rows} ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             sport = excluded.sport, start = excluded.start, offset_s = excluded.offset_s, \
             moving_s = excluded.moving_s, elapsed_s = excluded.elapsed_s, distance_m = excluded.distance_m, \
             avg_hr = excluded.avg_hr, max_hr = excluded.max_hr, speed = excluded.speed, hash = excluded.hash, \
             body = excluded.body"
        );
        let mut transaction = database.begin().await?;
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for item in items {
            let a: Activity<'_> = serde_json::from_str(item.get())?;
            let hash = Sha256::digest(item.get());
            query = query.bind(a.id).bind(a.name.into_owned()).bind(a.sport_type.into_owned());
            query = query.bind(a.start_date.into_owned()).bind(a.utc_offset).bind(a.moving_time);
            query =
                query.bind(a.elapsed_time).bind(a.distance).bind(a.average_heartrate).bind(a.max_heartrate);
            query = query.bind(a.average_speed).bind(hash.to_vec()).bind(item.get().to_owned());
        }
        query.execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    database.close().await?;
    Ok(())
}
