//! The schema and its versions. Migrations only go forward, all of them in one transaction.

use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{AssertSqlSafe, Decode, Row as _, Type};

use super::open::{foreign, newer};
use crate::database::fault;

/// In the header of the file: says that it is ours. The letters `LfHb`.
pub(super) const APPLICATION_ID: i32 = 0x4c66_4862;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../../migrations/sqlite/0002_connections.sql"),
    include_str!("../../../migrations/sqlite/0003_inbox.sql"),
    include_str!("../../../migrations/sqlite/0004_granted.sql"),
];

/// The version of the schema after all migrations.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings the database to [`VERSION`]. Two processes may do so at once: the second finds it done.
pub(crate) async fn run(conn: &mut SqliteConnection) -> Result<()> {
    let found = version(conn).await?;
    if found > VERSION {
        return Err(newer(found));
    }
    if found < VERSION {
        run_script(conn, "BEGIN IMMEDIATE".into()).await?;
        // An error leaves the transaction open, and the caller drops the connection, which rolls back.
        migrate(conn).await?;
        run_script(conn, "COMMIT".into()).await?;
    }
    Ok(())
}

async fn migrate(conn: &mut SqliteConnection) -> Result<()> {
    let found = version(conn).await?;
    if found > VERSION {
        return Err(newer(found));
    }
    if found == 0 {
        let tables = number(conn, "SELECT count(*) FROM sqlite_schema").await?;
        if tables != 0 || number(conn, "PRAGMA application_id").await? != 0 {
            return Err(foreign("is a database of another program"));
        }
        // In the same transaction as the first table, and before the file has a WAL: whoever reads the header of the
        // file knows whose it is.
        run_script(conn, format!("PRAGMA application_id = {APPLICATION_ID}")).await?;
    }
    for script in MIGRATIONS.iter().skip(found as usize) {
        sqlx::raw_sql(*script).execute(&mut *conn).await.map_err(fault)?;
    }
    run_script(conn, format!("PRAGMA user_version = {VERSION}")).await
}

/// The version of the schema that the file holds.
pub(crate) async fn version(conn: &mut SqliteConnection) -> Result<u32> {
    let version = number(conn, "PRAGMA user_version").await?;
    u32::try_from(version).map_err(|_| foreign("is a database of another program"))
}

async fn run_script(conn: &mut SqliteConnection, script: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(script)).execute(conn).await.map_err(fault)?;
    Ok(())
}

async fn number(conn: &mut SqliteConnection, sql: &'static str) -> Result<i64> {
    single(conn, sql).await
}

/// The one value that a statement answers.
pub(super) async fn single<T>(conn: &mut SqliteConnection, sql: &'static str) -> Result<T>
where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite>,
{
    let row = sqlx::raw_sql(sql).fetch_optional(conn).await.map_err(fault)?;
    let row = row.ok_or_else(|| Error::new(ErrorKind::Storage, "the database gives no answer"))?;
    row.try_get(0).map_err(fault)
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[tokio::test]
    async fn every_older_version_is_brought_forward() {
        for found in 1..=MIGRATIONS.len() {
            let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
            for script in &MIGRATIONS[..found] {
                sqlx::raw_sql(*script).execute(&mut conn).await.unwrap();
            }
            let script = format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {found};
                 INSERT INTO users (uuid, email, zone, created_at) VALUES (x'01', 'ada@example.com', 'UTC', 0)"
            );
            run_script(&mut conn, script).await.unwrap();
            run(&mut conn).await.unwrap();
            assert_eq!(version(&mut conn).await.unwrap(), VERSION, "from version {found}");
            let kept = "SELECT (SELECT count(*) FROM users) * 10 + (SELECT count(*) FROM inbox)";
            assert_eq!(number(&mut conn, kept).await.unwrap(), 10, "from version {found}");
        }
    }
}
