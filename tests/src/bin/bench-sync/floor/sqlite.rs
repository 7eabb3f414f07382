//! The floor's table in SQLite: one statement over all rows of a page.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::{Row, UPDATE};
use crate::Outcome;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS activities (id INTEGER PRIMARY KEY, name TEXT, sport TEXT, \
    start TEXT, offset_s REAL, moving_s REAL, elapsed_s REAL, distance_m REAL, avg_hr REAL, max_hr REAL, speed REAL, \
    hash BLOB, body TEXT) STRICT";

/// The database in that folder, with its table.
pub(super) async fn open(dir: &Path) -> Outcome<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(dir.join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let mut database = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(TABLE).execute(&mut database).await?;
    Ok(database)
}

pub(super) async fn upsert(
    database: &mut SqliteConnection,
    rows: impl ExactSizeIterator<Item = Outcome<Row<'_>>>,
) -> Outcome<()> {
    let values = vec!["(?,?,?,?,?,?,?,?,?,?,?,?,?)"; rows.len()].join(",");
    let sql = format!("INSERT INTO activities VALUES {values} {UPDATE}");
    let mut transaction = database.begin().await?;
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for row in rows {
        let Row { activity: a, hash, body } = row?;
        query = query.bind(a.id).bind(a.name.into_owned()).bind(a.sport_type.into_owned());
        query = query.bind(a.start_date.into_owned()).bind(a.utc_offset).bind(a.moving_time);
        query = query.bind(a.elapsed_time).bind(a.distance).bind(a.average_heartrate).bind(a.max_heartrate);
        query = query.bind(a.average_speed).bind(hash.to_vec()).bind(body.to_owned());
    }
    query.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
