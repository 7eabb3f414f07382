//! The connections to one server, and what each may see and wait for.

use std::ops::RangeInclusive;
use std::str::FromStr as _;
use std::time::Duration;

use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::sync::Notify;

use super::{migrate, role};
use crate::database::{KeyLock, Place, Scope, fault};
use crate::options::OpenOptions;

/// How much longer than the server its client waits for an answer: then the network holds it back.
const GRACE: Duration = Duration::from_secs(1);
/// The channel on which it is told that something became due.
const CHANNEL: &str = "lifehub_due";

pub(crate) struct Database {
    pool: PgPool,
    limit: Duration,
    /// For the one connection that listens.
    listening: PgPool,
    listener: tokio::sync::OnceCell<()>,
    due: std::sync::Arc<Notify>,
}

impl Database {
    pub(crate) async fn open(url: &Secret, options: &OpenOptions) -> Result<Self> {
        let connect = connect_options(url, options)?;
        let limit = options.busy_timeout + GRACE;
        let first = tokio::time::timeout(limit, ready(&connect));
        let role = first.await.map_err(|_| fault(sqlx::Error::PoolTimedOut))??;
        let pool = |most| {
            PgPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(options.busy_timeout)
                .test_before_acquire(false)
                .idle_timeout(Duration::from_secs(300))
        };
        let working = pool(options.connections).after_connect(move |conn, _| {
            Box::pin(async move {
                if let Some(role) = role {
                    conn.execute(role).await?;
                }
                Ok(())
            })
        });
        Ok(Self {
            pool: working.connect_lazy_with(connect.clone()),
            limit,
            listening: pool(1).connect_lazy_with(connect),
            listener: tokio::sync::OnceCell::new(),
            due: std::sync::Arc::default(),
        })
    }

    /// Whether there are tables, ours or others'.
    pub(crate) async fn exists(url: &Secret, options: &OpenOptions) -> Result<bool> {
        let connect = connect_options(url, options)?;
        let look = async {
            let mut conn = connect.connect().await.map_err(fault)?;
            let used = migrate::is_used(&mut conn).await?;
            sqlx::Connection::close(conn).await.map_err(fault)?;
            Ok(used)
        };
        let looked = tokio::time::timeout(options.busy_timeout + GRACE, look).await;
        looked.map_err(|_| fault(sqlx::Error::PoolTimedOut))?
    }

    /// A connection that reads what is committed.
    pub(crate) async fn read(&self, scope: Scope) -> Result<Conn> {
        self.connection(format!("SET lifehub.owner = {}", visible(scope)), false).await
    }

    /// Begins a transaction, and waits until it is alone with what it writes: see [`Scope`]. One round trip.
    pub(crate) async fn write(&self, scope: Scope) -> Result<Conn> {
        let user = |id| format!("; SELECT FROM users WHERE id = {id} FOR NO KEY UPDATE");
        let connection = |Place { user, connection }| {
            format!(
                "; SELECT FROM connections WHERE user_id = {user} AND id = {connection} FOR NO KEY UPDATE"
            )
        };
        // Everybody takes a user before a connection: nobody waits for each other in a circle.
        let locks = match scope {
            Scope::All | Scope::Page(_) => String::new(),
            Scope::User(id) => user(id),
            Scope::Connection(place) => connection(place),
            Scope::Feed(place) => user(place.user) + &connection(place),
        };
        let begin = format!("BEGIN; SET LOCAL lifehub.owner = {}{locks}", visible(scope));
        self.connection(begin, true).await
    }

    /// A connection on which this has been run. One that lay idle while the server went away is no failure: there are
    /// others.
    async fn connection(&self, first: String, transaction: bool) -> Result<Conn> {
        let mut tries = self.tries();
        loop {
            let mut conn = self.idle().await?;
            conn.state.transaction = transaction;
            let (raw, turn) = conn.turn();
            match turn.run(raw.execute(AssertSqlSafe(first.as_str()))).await {
                Ok(_) => return Ok(conn),
                Err(_) if conn.is_lost() && tries.next().is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How often a connection that turns out to be lost is exchanged for another: all of them may be.
    pub(crate) fn tries(&self) -> RangeInclusive<u32> {
        0..=self.pool.options().get_max_connections()
    }

    /// A connection as somebody has left it: for tables in which nothing is any user's.
    pub(crate) async fn idle(&self) -> Result<Conn> {
        let raw = self.pool.acquire().await.map_err(fault)?;
        Ok(Conn { raw, state: State { sound: true, transaction: false, limit: self.limit } })
    }

    /// Waits until some process tells that something became due. It may be told for nothing, or, while the server is
    /// away, not at all.
    pub(crate) async fn told_due(&self) {
        self.listener
            .get_or_init(|| async {
                let (pool, due) = (self.listening.clone(), self.due.clone());
                tokio::spawn(async move { listen(&pool, &due).await });
            })
            .await;
        self.due.notified().await;
    }

    pub(crate) async fn close(&self) {
        self.listening.close().await;
        self.pool.close().await;
    }
}

/// Hands on what is told, for as long as the pool is open.
async fn listen(pool: &PgPool, due: &Notify) {
    while !pool.is_closed() {
        if let Ok(mut listener) = PgListener::connect_with(pool).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            // What was told before it listened, or while it was away, is looked for.
            due.notify_one();
            while let Ok(Some(_)) = listener.try_recv().await {
                due.notify_one();
            }
        }
        tokio::select! {
            () = tokio::time::sleep(GRACE) => {}
            () = pool.close_event() => {}
        }
    }
}

/// What the policies of row-level security compare with the user of each row; 0 is everybody.
fn visible(scope: Scope) -> i64 {
    match scope {
        Scope::All => 0,
        Scope::User(user) => user,
        Scope::Connection(place) | Scope::Feed(place) | Scope::Page(place) => place.user,
    }
}

fn connect_options(url: &Secret, options: &OpenOptions) -> Result<PgConnectOptions> {
    let connect = PgConnectOptions::from_str(url.expose()).map_err(|_| {
        Error::new(ErrorKind::Invalid, "the database's URL cannot be read")
            .hint("it looks like postgres://user:password@host:5432/database?sslmode=verify-full")
    })?;
    let wait = options.busy_timeout.as_millis().to_string();
    // Who was stopped in the middle holds nobody up for longer than a lease.
    let idle = (options.term / 3).min(options.busy_timeout).as_millis().max(1).to_string();
    Ok(connect
        .application_name("lifehub")
        .options([
            ("statement_timeout", wait.as_str()),
            ("lock_timeout", wait.as_str()),
            ("idle_in_transaction_session_timeout", idle.as_str()),
            // Statements say themselves how rows are found: to plan them anew for each page's values gains nothing.
            ("plan_cache_mode", "force_generic_plan"),
        ])
        .statement_cache_capacity(256)
        .disable_statement_logging())
}

/// Makes the database ready; gives the statement by which each connection takes its role, if it is to have another.
async fn ready(connect: &PgConnectOptions) -> Result<Option<&'static str>> {
    let mut conn = connect.connect().await.map_err(fault)?;
    migrate::run(&mut conn).await?;
    let role = role::settle(&mut conn).await?;
    sqlx::Connection::close(conn).await.map_err(fault)?;
    Ok(role)
}

/// A connection. It is closed unless it is known what state it is in: no transaction that was left open, no answer that
/// was not read, is ever somebody else's.
pub(crate) struct Conn {
    raw: PoolConnection<Postgres>,
    state: State,
}

pub(crate) struct State {
    sound: bool,
    transaction: bool,
    limit: Duration,
}

impl Conn {
    /// The connection itself, and what a statement on it is run with.
    pub(crate) fn turn(&mut self) -> (&mut PgConnection, &mut State) {
        (&mut self.raw, &mut self.state)
    }

    /// Whether the last statement did not come to an answer.
    pub(crate) fn is_lost(&self) -> bool {
        !self.state.sound
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self, sql: &'static str) -> Result<()> {
        self.state.transaction = true;
        self.run(sql).await
    }

    /// Ends the transaction.
    pub(crate) async fn end(&mut self, sql: &'static str) -> Result<()> {
        self.run(sql).await?;
        self.state.transaction = false;
        Ok(())
    }

    pub(crate) async fn run(&mut self, sql: &'static str) -> Result<()> {
        let (raw, turn) = self.turn();
        turn.run(raw.execute(sql)).await.map(|_| ())
    }

    /// The version of the schema, whether it serves this program, and the one that this program makes.
    pub(crate) async fn schema(&mut self) -> Result<(i64, bool, i64)> {
        let found = migrate::found(&mut self.raw).await?;
        let serves = found.version >= migrate::VERSION && found.oldest <= migrate::VERSION;
        Ok((found.version, serves, migrate::VERSION))
    }

    pub(crate) async fn lock_keys(&mut self, lock: KeyLock) -> Result<()> {
        self.run(match lock {
            KeyLock::Shared => "SELECT pg_advisory_xact_lock_shared(hashtextextended('lifehub keys ' || current_schema(), 0))",
            KeyLock::Alone => "SELECT pg_advisory_xact_lock(hashtextextended('lifehub keys ' || current_schema(), 0))",
        })
        .await
    }

    /// It is told when the transaction is committed.
    pub(crate) async fn tell_due(&mut self) -> Result<()> {
        self.run("NOTIFY lifehub_due").await
    }

    /// For statements over a whole database: from here on they may take as long as they need.
    pub(crate) async fn take_time(&mut self) -> Result<()> {
        self.raw.close_on_drop();
        self.state.limit = Duration::MAX;
        self.run("SET statement_timeout = 0").await
    }
}

impl State {
    pub(crate) async fn run<T>(&mut self, statement: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
        self.sound = false;
        let answer = tokio::time::timeout(self.limit, statement).await;
        let answer = answer.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        self.sound = match &answer {
            Ok(_) => true,
            // The server says so itself, unless it was to say that it goes away.
            Err(sqlx::Error::Database(e)) => !e.code().is_some_and(|code| code.starts_with("57P")),
            Err(_) => false,
        };
        answer.map_err(fault)
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if !self.state.sound || self.state.transaction {
            self.raw.close_on_drop();
        }
    }
}
