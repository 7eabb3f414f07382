//! The schema and its versions. Migrations only go forward, all of them in one transaction.
//!
//! Nodes of two versions work beside each other while a service is upgraded. A migration therefore only adds what the
//! version before can leave out: tables, columns with a default, indexes. What a version no longer uses is dropped by the
//! next but one; that migration raises `oldest`, below which nodes refuse to work.

use lifehub_core::{Error, ErrorKind, Result};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::database::fault;

const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/postgres/0001_initial.sql")];

/// The version of the schema after all migrations.
#[expect(clippy::cast_possible_wrap, reason = "a handful")]
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;
/// The oldest version whose nodes work with the schema of this one.
const OLDEST: i64 = 1;

const FIND: &str = "SELECT to_regclass(quote_ident(current_schema()) || '.lifehub_schema') IS NOT NULL,
    EXISTS (SELECT FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace),
    current_schema() IS NOT NULL";
/// One process makes a schema ready at a time.
pub(super) const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('lifehub migration ' || current_schema(), 0))";
const ENCODING: &str = "SELECT current_setting('server_version_num')::int >= 130000,
    current_setting('server_encoding') = 'UTF8'";

/// What stands in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) version: i64,
    pub(crate) oldest: i64,
}

/// Brings the schema to [`VERSION`], if it is of an earlier one.
pub(crate) async fn run(conn: &mut PgConnection) -> Result<()> {
    let row = conn.fetch_one(sqlx::query(ENCODING)).await.map_err(fault)?;
    if !row.try_get::<bool, _>(0).map_err(fault)? {
        return Err(Error::new(ErrorKind::Unsupported, "the database server is too old")
            .hint("use PostgreSQL 13 or later"));
    }
    if !row.try_get::<bool, _>(1).map_err(fault)? {
        return Err(Error::new(ErrorKind::Unsupported, "the database is not in UTF-8")
            .hint("make one that is: createdb --encoding UTF8 --template template0 NAME"));
    }
    if accept(found(conn).await?)? {
        return Ok(());
    }
    let migrated = migrate(conn).await;
    let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
    conn.execute(end).await.map_err(fault)?;
    migrated
}

async fn migrate(conn: &mut PgConnection) -> Result<()> {
    conn.execute("BEGIN; SET LOCAL lifehub.owner = 0; SET LOCAL statement_timeout = 0")
        .await
        .map_err(fault)?;
    conn.execute(ALONE).await.map_err(fault)?;
    let found = found(conn).await?;
    if accept(found)? {
        return Ok(());
    }
    for script in MIGRATIONS.iter().skip(usize::try_from(found.version).unwrap_or(0)) {
        conn.execute(*script).await.map_err(fault)?;
    }
    let note = format!("UPDATE lifehub_schema SET version = {VERSION}, oldest = greatest(oldest, {OLDEST})");
    conn.execute(AssertSqlSafe(note.as_str())).await.map_err(fault)?;
    Ok(())
}

/// Whether the schema needs no migration. A newer one is fine, as long as it still serves nodes of this version.
fn accept(found: Found) -> Result<bool> {
    if found.oldest > VERSION {
        return Err(Error::new(
            ErrorKind::Invalid,
            "the database was written by a newer version of Lifehub; it was left untouched",
        )
        .with("schema", found.version)
        .with("supported", VERSION)
        .hint("run that newer version"));
    }
    Ok(found.version >= VERSION)
}

/// Whether there are any tables in the schema.
pub(super) async fn is_used(conn: &mut PgConnection) -> Result<bool> {
    let row = conn.fetch_one(sqlx::query(FIND)).await.map_err(fault)?;
    row.try_get(1).map_err(fault)
}

/// What stands in the schema; all zero in an empty one.
pub(crate) async fn found(conn: &mut PgConnection) -> Result<Found> {
    let row = conn.fetch_one(sqlx::query(FIND)).await.map_err(fault)?;
    let says = |column| row.try_get::<bool, _>(column).map_err(fault);
    let (ours, used, there) = (says(0)?, says(1)?, says(2)?);
    if ours {
        let row =
            sqlx::query("SELECT version, oldest FROM lifehub_schema").fetch_one(conn).await.map_err(fault)?;
        let number = |column| row.try_get::<i64, _>(column).map_err(fault);
        return Ok(Found { version: number(0)?, oldest: number(1)? });
    }
    if !there {
        return Err(Error::new(ErrorKind::Invalid, "there is no such schema in the database")
            .hint("make it: CREATE SCHEMA NAME, or name another in the database's URL"));
    }
    if used {
        return Err(Error::new(
            ErrorKind::Invalid,
            "the database holds tables of another program, it was left untouched",
        )
        .hint(
            "name a database of its own, or a schema of its own: CREATE SCHEMA lifehub, then add \
             ?options=-csearch_path%3Dlifehub to the database's URL",
        ));
    }
    Ok(Found { version: 0, oldest: 0 })
}
