//! The databases that a store may be in, with one face: connections that read, transactions that write, statements and
//! rows.

pub(crate) mod fault;
mod location;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod row;
pub(crate) mod sqlite;
mod statement;
mod value;

use std::ops::{Deref, DerefMut};

use lifehub_core::Result;

use crate::options::OpenOptions;

pub(crate) use self::fault::{fault, no_such};
pub(crate) use self::location::Location;
pub(crate) use self::row::{Row, get, get_bytes, get_name, get_u64, signed};
pub(crate) use self::statement::{Bulk, Rows, Sql, each_row, execute, row, rows};
pub(crate) use self::value::{Args, Kind, Name, Value};

/// What a commit promises when the power of an embedded database's machine fails. On a server of its own every commit
/// stands: the process that made it lives on, and builds on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It may be rolled back, with all after it: for what the next sync fetches again.
    Page,
    /// It stands: for what nobody can fetch again.
    Full,
}

/// The rows of a connection and of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) user: i64,
    pub(crate) connection: i64,
}

/// Whose rows are read or written. PostgreSQL shows no others, and a transaction that writes there is alone with what
/// its scope names, so that nothing it has read changes before it ends. SQLite has one writer at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everybody's; nothing is locked.
    All,
    /// A user's.
    User(i64),
    /// A user's, of whom one connection is written.
    Connection(Place),
    /// A user's, of whom one connection and the feed are written.
    Feed(Place),
    /// The same for the commit of a page, whose own first statements lock what it writes.
    Page(Place),
}

/// An open database.
pub(crate) enum Database {
    Sqlite(Box<sqlite::Database>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Database),
}

/// A connection.
pub(crate) enum Conn {
    Sqlite(sqlite::Conn),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Conn),
}

impl Database {
    /// Opens a database, or makes it.
    pub(crate) async fn open(location: Location, options: &OpenOptions) -> Result<Self> {
        match location {
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => postgres::Database::open(&url, options).await.map(Self::Postgres),
            Location::File(path) => sqlite::open(Some(&path), options).await.map(Box::new).map(Self::Sqlite),
            Location::Memory => sqlite::open(None, options).await.map(Box::new).map(Self::Sqlite),
        }
    }

    /// Whether there is one, without making it.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file is looked for"))]
    pub(crate) async fn exists(location: Location, options: &OpenOptions) -> Result<bool> {
        match location {
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => postgres::Database::exists(&url, options).await,
            Location::File(path) => sqlite::exists(&path),
            Location::Memory => Ok(false),
        }
    }

    /// A connection that reads what is committed.
    pub(crate) async fn read(
        &self,
        #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "SQLite needs none"))] scope: Scope,
    ) -> Result<Conn> {
        match self {
            Self::Sqlite(database) => database.read().await.map(Conn::Sqlite),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.read(scope).await.map(Conn::Postgres),
        }
    }

    /// Asks for a row of a table in which nothing is any user's: no scope has to be set.
    pub(crate) async fn ask(&self, sql: Sql, args: Args<'_>) -> Result<Option<Row>> {
        match self {
            Self::Sqlite(database) => row(&mut Conn::Sqlite(database.read().await?), sql, args).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let mut tries = database.tries();
                loop {
                    let mut conn = Conn::Postgres(database.idle().await?);
                    match row(&mut conn, sql, args.clone()).await {
                        Err(_) if conn.is_lost() && tries.next().is_some() => {}
                        answer => return answer,
                    }
                }
            }
        }
    }

    /// Begins a transaction that writes. Others that write the same are waited for.
    pub(crate) async fn write(
        &self,
        #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "SQLite needs none"))] scope: Scope,
        durability: Durability,
    ) -> Result<Write<'_>> {
        match self {
            Self::Sqlite(database) => {
                let (turn, conn) = database.write(durability).await?;
                Ok(Write { turn: Some(turn), conn: Conn::Sqlite(conn), due: false })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                Ok(Write { turn: None, conn: Conn::Postgres(database.write(scope).await?), due: false })
            }
        }
    }

    /// Runs a statement that writes by itself: whole or not at all.
    pub(crate) async fn once(
        &self,
        scope: Scope,
        durability: Durability,
        sql: Sql,
        args: Args<'_>,
    ) -> Result<Vec<Row>> {
        #[cfg(feature = "postgres")]
        if let Self::Postgres(_) = self {
            // It is a transaction of its own there: nothing has to be begun or ended.
            return rows(&mut self.read(scope).await?, sql, args).await;
        }
        let mut tx = self.write(scope, durability).await?;
        let answer = rows(&mut tx, sql, args).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Waits until some process tells that something became due. It may be told for nothing, and not every time.
    pub(crate) async fn told_due(&self) {
        match self {
            Self::Sqlite(database) => database.told_due().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.told_due().await,
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                database.close().await;
                Ok(())
            }
        }
    }
}

/// How the right to name the master key is held until a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyLock {
    /// By everybody who seals under the key that is named.
    Shared,
    /// By who may name another.
    Alone,
}

impl Conn {
    /// Waits until nobody renames the master key, or, alone, until nobody seals either. SQLite has one writer anyway.
    pub(crate) async fn lock_keys(
        &mut self,
        #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "SQLite needs none"))]
        lock: KeyLock,
    ) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.lock_keys(lock).await,
        }
    }

    /// Whether the last statement did not come to an answer.
    #[cfg(feature = "postgres")]
    fn is_lost(&self) -> bool {
        matches!(self, Self::Postgres(conn) if conn.is_lost())
    }

    /// For the rest of the transaction, shows everybody's rows.
    pub(crate) async fn widen(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.run("SET LOCAL lifehub.owner = 0").await,
        }
    }

    /// For statements over a whole database: from here on they may take as long as they need.
    pub(crate) async fn take_time(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.take_time().await,
        }
    }

    /// What is wrong with the version of the schema, if anything.
    pub(crate) async fn schema_problem(&mut self) -> Result<Option<String>> {
        let (found, good, expected) = match self {
            Self::Sqlite(conn) => {
                let found = i64::from(sqlite::migrate::version(conn).await?);
                let expected = i64::from(sqlite::migrate::VERSION);
                (found, found == expected, expected)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.schema().await?,
        };
        Ok((!good).then(|| format!("the schema is of version {found} instead of {expected}")))
    }

    /// From here to [`Self::thaw`], all that is read is of one moment.
    pub(crate) async fn freeze(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => conn.begin().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await,
        }
    }

    pub(crate) async fn thaw(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => conn.end("ROLLBACK").await,
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.end("ROLLBACK").await,
        }
    }
}

/// An open transaction. Dropped before its end (an error, a cancelled task, a disk that failed), its connection is
/// closed: the database then rolls back, and nothing half done can ever be committed.
pub(crate) struct Write<'a> {
    turn: Option<sqlite::Turn<'a>>,
    conn: Conn,
    due: bool,
}

impl Write<'_> {
    /// Tells all who wait for it, with the commit, that something became due.
    pub(crate) async fn tell_due(&mut self) -> Result<()> {
        self.due = true;
        match &mut self.conn {
            Conn::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Conn::Postgres(conn) => conn.tell_due().await,
        }
    }

    /// Ends the transaction: all of it is there, or an error and nothing.
    pub(crate) async fn commit(self) -> Result<()> {
        self.end("COMMIT").await
    }

    /// Ends the transaction without a change: for refusals that are no failure of the database.
    pub(crate) async fn rollback(self) -> Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, sql: &'static str) -> Result<()> {
        match self.conn {
            Conn::Sqlite(mut conn) => {
                conn.end(sql).await?;
                if let Some(turn) = &mut self.turn {
                    turn.give_back(conn, self.due);
                }
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(mut conn) => conn.end(sql).await,
        }
    }
}

impl Deref for Write<'_> {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Write<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
