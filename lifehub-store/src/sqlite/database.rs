//! The connections to one database: one that writes, a few that read.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;

use lifehub_core::Result;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, MutexGuard};

use super::fault::fault;
use super::statement::{Args, execute};

const READERS: u32 = 4;
/// Of the writer and of each reader, in KiB.
const WRITER_CACHE: &str = "-12000";
const READER_CACHE: &str = "-2000";
/// Of a new database. Raw bodies of about 1 kB fill it with less waste than 4 KiB, and a page of items is written with
/// half the calls: measured, a tenth less space and time for each item.
const PAGE_BYTES: &str = "8192";
/// Pages in the WAL before a commit moves them into the database: 24 MiB. Index pages that change with every commit are
/// then moved once for many commits.
const CHECKPOINT_PAGES: &str = "3000";
const WAL_LIMIT_BYTES: &str = "33554432";

/// What a commit promises when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It may be rolled back, with all after it: for what the next sync fetches again.
    Page,
    /// It stands: for what nobody can fetch again.
    Full,
}

pub(crate) struct Database {
    options: SqliteConnectOptions,
    /// `None` while a transaction has taken it, and after one that ended badly: the next opens another.
    writer: Mutex<Option<Writer>>,
    readers: SqlitePool,
    /// Keeps a database in memory from vanishing with its last other connection.
    _keeper: Option<Mutex<SqliteConnection>>,
}

struct Writer {
    conn: SqliteConnection,
    durability: Durability,
}

/// Options for the connection that writes to this file, or to the database in memory of that name.
pub(super) fn connect_options(place: &Place, busy_timeout: Duration) -> SqliteConnectOptions {
    let options = match place {
        Place::File(path) => SqliteConnectOptions::new().filename(path),
        Place::Memory(name) => {
            SqliteConnectOptions::new().filename(format!("/{name}")).vfs("memdb").create_if_missing(true)
        }
    };
    options
        .busy_timeout(busy_timeout)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .pragma("page_size", PAGE_BYTES)
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF")
        .pragma("cache_size", WRITER_CACHE)
        .pragma("journal_size_limit", WAL_LIMIT_BYTES)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .statement_cache_capacity(128)
        .row_buffer_size(256)
        .thread_name(|id| format!("lifehub-sqlite-{id}"))
        .disable_statement_logging()
}

/// A database that is ready to be connected to.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File(PathBuf),
    Memory(String),
}

impl Database {
    /// Takes the connection with which the database was made ready, and opens the readers beside it.
    pub(super) fn new(place: &Place, options: SqliteConnectOptions, conn: SqliteConnection) -> Self {
        let reading = options.clone().pragma("query_only", "ON").pragma("cache_size", READER_CACHE);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(30))
            .test_before_acquire(false)
            .max_lifetime(None)
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(reading);
        let (writer, keeper) = match place {
            Place::File(_) => (Some(Writer { conn, durability: Durability::Full }), None),
            Place::Memory(_) => (None, Some(Mutex::new(conn))),
        };
        Self { options, writer: Mutex::new(writer), readers, _keeper: keeper }
    }

    /// A connection that reads what is committed.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Sqlite>> {
        self.readers.acquire().await.map_err(fault)
    }

    /// Begins the one write transaction of this process. Other processes that write are waited for.
    pub(crate) async fn write(&self, durability: Durability) -> Result<Write<'_>> {
        let mut slot = self.writer.lock().await;
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => {
                let conn = self.options.connect().await.map_err(fault)?;
                Writer { conn, durability: Durability::Full }
            }
        };
        if writer.durability != durability {
            let pragma = match durability {
                Durability::Page => "PRAGMA synchronous = NORMAL",
                Durability::Full => "PRAGMA synchronous = FULL",
            };
            // SQLite obeys this one while it compiles it: a cached statement would do nothing.
            sqlx::raw_sql(pragma).execute(&mut writer.conn).await.map_err(fault)?;
            writer.durability = durability;
        }
        execute(&mut writer.conn, "BEGIN IMMEDIATE", Args::new()).await?;
        Ok(Write { slot, writer })
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) -> Result<()> {
        self.readers.close().await;
        match self.writer.lock().await.take() {
            Some(writer) => writer.conn.close().await.map_err(fault),
            None => Ok(()),
        }
    }
}

/// An open write transaction, and the connection that it took. Dropped before its end (an error, a cancelled task, a
/// disk that failed), it closes that connection: SQLite then rolls back, and nothing half done can ever be committed.
pub(crate) struct Write<'a> {
    slot: MutexGuard<'a, Option<Writer>>,
    writer: Writer,
}

impl Write<'_> {
    /// Ends the transaction: all of it is there, or an error and nothing.
    pub(crate) async fn commit(self) -> Result<()> {
        self.end("COMMIT").await
    }

    /// Ends the transaction without a change: for refusals that are no failure of the database.
    pub(crate) async fn rollback(self) -> Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, sql: &'static str) -> Result<()> {
        execute(&mut self.writer.conn, sql, Args::new()).await?;
        *self.slot = Some(self.writer);
        Ok(())
    }
}

impl Deref for Write<'_> {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        &self.writer.conn
    }
}

impl DerefMut for Write<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.writer.conn
    }
}
