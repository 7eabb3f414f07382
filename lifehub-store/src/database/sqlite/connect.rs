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
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::database::{Durability, fault};

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

pub(crate) struct Database {
    options: SqliteConnectOptions,
    due: Notify,
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
        Self { options, due: Notify::new(), writer: Mutex::new(writer), readers, _keeper: keeper }
    }

    /// A connection that reads what is committed.
    pub(crate) async fn read(&self) -> Result<Conn> {
        self.readers.acquire().await.map(Conn::Reader).map_err(fault)
    }

    /// Begins the one write transaction of this process. Other processes that write are waited for.
    pub(crate) async fn write(&self, durability: Durability) -> Result<(Turn<'_>, Conn)> {
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
        let mut conn = Conn::Writer(writer.conn);
        conn.run("BEGIN IMMEDIATE").await?;
        Ok((Turn { slot, durability, due: &self.due }, conn))
    }

    /// Waits until this process tells that something became due. Other processes look for it.
    pub(crate) async fn told_due(&self) {
        self.due.notified().await;
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

/// The turn at writing of this process, for as long as a transaction lasts.
pub(crate) struct Turn<'a> {
    slot: MutexGuard<'a, Option<Writer>>,
    durability: Durability,
    due: &'a Notify,
}

impl Turn<'_> {
    /// Keeps the connection of a transaction that has ended for the next.
    pub(crate) fn give_back(&mut self, conn: Conn, due: bool) {
        if due {
            self.due.notify_one();
        }
        if let Conn::Writer(conn) = conn {
            *self.slot = Some(Writer { conn, durability: self.durability });
        }
    }
}

/// A connection.
pub(crate) enum Conn {
    Writer(SqliteConnection),
    Reader(PoolConnection<Sqlite>),
}

impl Conn {
    /// Begins a transaction that reads.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        if let Self::Reader(conn) = self {
            // Whatever becomes of it, nobody gets a connection that is inside of a transaction.
            conn.close_on_drop();
        }
        self.run("BEGIN").await
    }

    /// Ends a transaction.
    pub(crate) async fn end(&mut self, sql: &'static str) -> Result<()> {
        self.run(sql).await
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        sqlx::query(sql).execute(&mut **self).await.map(|_| ()).map_err(fault)
    }
}

impl Deref for Conn {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Writer(conn) => conn,
            Self::Reader(conn) => conn,
        }
    }
}

impl DerefMut for Conn {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Writer(conn) => conn,
            Self::Reader(conn) => conn,
        }
    }
}
