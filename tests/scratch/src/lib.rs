//! Databases for tests: an empty schema on a PostgreSQL server, gone when dropped.
//!
//! The server is the one that `LIFEHUB_TEST_POSTGRES_URL` names, as somebody who may make schemas, or else one on this
//! machine that lets `postgres` in. Without one a test says so and is skipped, unless `LIFEHUB_TEST_REQUIRE` has
//! `postgres` among its words, as in CI: then it fails.

mod cluster;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

pub use self::cluster::{Cluster, Stop};

/// The variable that names the server.
pub const URL: &str = "LIFEHUB_TEST_POSTGRES_URL";

/// Without TLS, which would take longer than most of what the tests do on a connection.
const LOCAL: &str = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable";
const PREFIX: &str = "lifehub_test_";
/// What a killed test leaves behind goes with a later one.
const OLD_S: u64 = 3 * 3600;

/// An empty schema.
#[derive(Debug)]
pub struct Scratch {
    server: String,
    schema: String,
}

impl Scratch {
    /// Makes an empty schema; `None` where there is no server, see [`missing`].
    ///
    /// # Panics
    /// If the server does not let a schema be made.
    pub async fn new() -> Option<Self> {
        if missing().is_some() {
            return None;
        }
        let server = server();
        let connected = PgConnection::connect(&server).await;
        let mut conn = connected.unwrap_or_else(|error| panic!("the server of the tests: {error}"));
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (now, number) = (seconds(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let schema = format!("{PREFIX}{now}_{}_{number}", std::process::id());
        if number == 0 {
            sweep(&mut conn, now).await;
        }
        run(&mut conn, format!("CREATE SCHEMA {schema}")).await;
        Some(Self { server, schema })
    }

    /// The URL of the schema.
    pub fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.server, self.schema)
    }

    /// A connection of one's own, as the login role, which sees everybody's rows.
    ///
    /// # Panics
    /// If the server is away.
    pub async fn connect(&self) -> PgConnection {
        let connected = PgConnection::connect(&self.url()).await;
        connected.unwrap_or_else(|error| panic!("the server of the tests: {error}"))
    }

    /// Deletes all that stands in its tables, but for one of them: that takes less than another schema.
    ///
    /// # Panics
    /// If the server is away.
    pub async fn empty_but(&self, kept: &str) {
        let mut conn = self.connect().await;
        // In one statement, after which references are checked.
        let tables = "SELECT format('WITH %s SELECT', string_agg(
                format('%I AS (DELETE FROM %I)', 'of_' || tablename, tablename), ', '))
            FROM pg_tables WHERE schemaname = current_schema() AND tablename <> $1";
        let deletes: String = sqlx::query_scalar(tables)
            .bind(kept)
            .fetch_one(&mut conn)
            .await
            .unwrap_or_else(|error| panic!("tables: {error}"));
        run(&mut conn, deletes).await;
    }

    /// All that stands in its tables: the bytes of every text and every byte string.
    ///
    /// # Panics
    /// If the server is away.
    pub async fn contents(&self) -> Vec<u8> {
        let mut conn = self.connect().await;
        let columns = "SELECT format('SELECT %s FROM %I WHERE %I IS NOT NULL',
                CASE data_type WHEN 'bytea' THEN quote_ident(column_name)
                    ELSE format('convert_to(%I::text, ''UTF8'')', column_name) END, table_name, column_name)
            FROM information_schema.columns WHERE table_schema = current_schema()";
        let mut contents = Vec::new();
        for column in conn.fetch_all(columns).await.unwrap_or_else(|error| panic!("columns: {error}")) {
            let sql: String = column.get(0);
            // Prepared, so that bytes come as bytes.
            let values = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut conn).await;
            for value in values.unwrap_or_else(|error| panic!("a column: {error}")) {
                contents.extend_from_slice(value.get(0));
                contents.push(b'\n');
            }
        }
        contents
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        elsewhere(async {
            if let Ok(mut conn) = PgConnection::connect(&self.server).await {
                // A connection that is being closed may still hold a lock.
                let drop = format!("SET lock_timeout = '5s'; DROP SCHEMA {} CASCADE", self.schema);
                let _ = conn.execute(AssertSqlSafe(drop)).await;
            }
        });
    }
}

/// Why tests that need a server are skipped here, which is printed too, or nothing if there is one.
///
/// # Panics
/// If there is none, but one is required.
#[expect(clippy::print_stderr, reason = "it tells whoever runs the tests")]
pub fn missing() -> Option<&'static str> {
    static FOUND: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let ask = async { PgConnection::connect(&server()).await?.close().await };
        elsewhere(ask).map_err(|error| error.to_string())
    });
    let Err(error) = found else { return None };
    let required = std::env::var("LIFEHUB_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|word| word == "postgres"),
        "a PostgreSQL server is required, but there is none: {error}"
    );
    eprintln!(
        "SKIPPED: this needs a PostgreSQL server ({error}); start one, or name one with {URL}=postgres://…"
    );
    Some("there is no PostgreSQL server")
}

fn server() -> String {
    std::env::var(URL).unwrap_or_else(|_| LOCAL.to_owned())
}

/// Runs it outside of the runtime in which this may be called.
fn elsewhere<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("no runtime: {error}")).block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

async fn sweep(conn: &mut PgConnection, now: u64) {
    let all = sqlx::query("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)").bind(PREFIX);
    for row in all.fetch_all(&mut *conn).await.unwrap_or_default() {
        let name: String = row.get(0);
        let made = name.strip_prefix(PREFIX).and_then(|rest| rest.split('_').next()?.parse::<u64>().ok());
        if made.is_some_and(|made| made + OLD_S < now) {
            // Another process may be doing so too.
            let drop = format!("SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {name} CASCADE");
            let _ = conn.execute(AssertSqlSafe(drop)).await;
        }
    }
}

async fn run(conn: &mut PgConnection, sql: String) {
    if let Err(error) = conn.execute(AssertSqlSafe(sql.as_str())).await {
        panic!("{sql}: {error}");
    }
}
