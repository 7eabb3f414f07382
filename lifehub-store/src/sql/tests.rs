//! Every statement against a real database: that it is valid there, and that it finds its rows by a key.

use sqlx::{Connection as _, Executor as _, Row as _, SqliteConnection};

use super::{accounts, commit, copy, query, sync, work};
use crate::database::sqlite::migrate;
use crate::database::{Bulk, Sql};

fn statements() -> impl Iterator<Item = (&'static str, Sql)> {
    let all =
        [accounts::STATEMENTS, commit::STATEMENTS, query::STATEMENTS, sync::STATEMENTS, work::STATEMENTS];
    all.into_iter().flatten().copied()
}

fn bulks() -> impl Iterator<Item = (&'static str, &'static Bulk)> {
    [commit::BULKS, sync::BULKS, work::BULKS].into_iter().flatten().copied()
}

/// What copies a whole database: it is about everybody, thus about nobody in particular.
fn copying() -> impl Iterator<Item = (&'static str, Sql)> {
    let tables = copy::TABLES.iter().flat_map(|table| [(table.name, table.read), (table.name, table.count)]);
    copy::STATEMENTS.iter().copied().chain(tables)
}

async fn sqlite() -> SqliteConnection {
    let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    migrate::run(&mut conn).await.unwrap();
    conn
}

#[tokio::test]
async fn every_statement_prepares_in_sqlite() {
    let mut conn = sqlite().await;
    let bulks = bulks().chain(copy::TABLES.iter().map(|table| (table.name, &table.write)));
    let bulks = bulks.flat_map(|(name, bulk)| bulk.all_sqlite().map(move |sql| (name, sql)));
    for (name, sql) in statements().chain(copying()).map(|(name, sql)| (name, sql.sqlite)).chain(bulks) {
        let prepared = conn.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await;
        assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
    }
}

/// What runs for each page finds its rows by a key of theirs.
#[tokio::test]
async fn no_statement_of_the_hot_path_walks_a_table_in_sqlite() {
    let mut conn = sqlite().await;
    for (sql, key) in [
        (sync::KNOWN.sqlite(1), "partition_id=? AND external_id=?"),
        (sync::RECORDS_OF.sqlite, "item_id=?"),
        (commit::RECORDS_BY_UUID.sqlite(1), "uuid=?"),
        (commit::ITEMS_SEEN.sqlite, "rowid=?"),
        (commit::FACTS_OF_DAYS.sqlite, "connection_id=? AND day=?"),
        (commit::ROLLUPS_DELETE.sqlite, "connection_id=? AND day=?"),
        (work::INBOX_TAKE.sqlite, "connection_id=? AND stream=?"),
        (work::CONNECTIONS_OF_ACCOUNT.sqlite, "provider=? AND account=?"),
        (sync::RAW.sqlite, "INTEGER PRIMARY KEY (rowid>?)"),
        (query::FEED.sqlite, "user_id=? AND seq>?"),
        (query::RECORDS_FORWARD.sqlite, "user_id=? AND sort_us>? AND sort_us<?"),
        (query::RECORDS_BACKWARD.sqlite, "user_id=? AND sort_us>? AND sort_us<?"),
        (commit::ZONE_CANDIDATES.sqlite, "user_id=? AND sort_us>?"),
    ] {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
        let plan: Vec<String> =
            plan.fetch_all(&mut conn).await.unwrap().iter().map(|row| row.get(3)).collect();
        assert!(plan[0].contains(key), "{sql}: {plan:?}");
        // Only the numbers of the rows of some days are sorted on the way.
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert_eq!(sorts, sql == commit::FACTS_OF_DAYS.sqlite, "{sql}: {plan:?}");
    }
}

/// A copy finds each page where the one before ended.
#[tokio::test]
async fn no_page_of_a_copy_walks_or_sorts_a_table_in_sqlite() {
    let mut conn = sqlite().await;
    for table in &copy::TABLES {
        let plan = format!("EXPLAIN QUERY PLAN {}", table.read.sqlite);
        let plan = sqlx::query(sqlx::AssertSqlSafe(plan)).fetch_all(&mut conn).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(3)).collect();
        let searched = plan.iter().any(|step| step.starts_with(&format!("SEARCH {} USING", table.name)));
        assert!(
            searched && !plan.iter().any(|step| step.contains("TEMP B-TREE")),
            "{}: {plan:?}",
            table.name
        );
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::collections::BTreeSet;

    use lifehub_scratch::Scratch;
    use sqlx::PgConnection;

    use super::*;
    use crate::database::postgres::migrate;

    async fn postgres(scratch: &Scratch) -> PgConnection {
        let mut conn = scratch.connect().await;
        migrate::run(&mut conn).await.unwrap();
        conn
    }

    fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        let bulks = bulks().map(|(name, bulk)| (name, bulk.postgres()));
        statements().map(|(name, sql)| (name, sql.postgres)).chain(bulks)
    }

    #[tokio::test]
    async fn every_statement_prepares() {
        let Some(scratch) = Scratch::new().await else { return };
        let mut conn = postgres(&scratch).await;
        let mut refused = Vec::new();
        let writing = copy::TABLES.iter().map(|table| (table.name, table.write.postgres()));
        let copying = copying().map(|(name, sql)| (name, sql.postgres)).chain(writing);
        for (name, sql) in all().chain(copying) {
            if let Err(error) = conn.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await {
                refused.push(format!("{name}: {error}"));
            }
        }
        assert_eq!(refused, Vec::<String>::new());
    }

    /// The statements that are about one user name that user for each table that has a user in its key. The others are
    /// listed, so that it is known what a database that is distributed by user cannot send to one place.
    #[tokio::test]
    async fn every_statement_about_a_user_carries_the_users_key() {
        let Some(scratch) = Scratch::new().await else { return };
        let mut conn = postgres(&scratch).await;
        let owned = "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attname = 'user_id'";
        let owned = sqlx::query(owned).fetch_all(&mut conn).await.unwrap();
        let owned: Vec<String> = owned.iter().map(|row| row.get(0)).collect();
        assert!(owned.len() > 10, "{owned:?}");
        let mut everybody = BTreeSet::new();
        for (name, sql) in all() {
            let words: Vec<&str> = sql
                .split(|c: char| !(c.is_alphanumeric() || "_$.=".contains(c)))
                .filter(|w| !w.is_empty())
                .collect();
            let tables = words.windows(2).filter(|pair| {
                ["FROM", "JOIN", "INTO", "UPDATE"].contains(&pair[0])
                    && owned.iter().any(|table| table == pair[1])
            });
            // As a condition, or as the first value of a new row.
            let carried = sql.matches("user_id = $1").count()
                + words
                    .windows(3)
                    .filter(|w| w[0].ends_with("user_id") && w[1] == "=" && w[2].ends_with(".user_id"))
                    .count()
                + sql.matches("$1::bigint AS user_id").count()
                + usize::from(sql.contains("INSERT INTO") && sql.contains("(user_id"));
            if carried < tables.count() {
                everybody.insert(name);
            }
        }
        let expected = [
            // Where a user or a connection stands is looked up by its id, once for each process.
            "PLACE",
            // Of the database as a whole: which key seals, what a scheduler finds due, what `doctor` counts.
            "ANY_CREDENTIALS",
            "CREDENTIALS_OF",
            "REWRAP_COUNT",
            "REWRAP_NEXT",
            "HOLDERS",
            "LEASES_OF_HOLDER",
            "REFRESHES_OF_HOLDER",
            "DUE",
            "ANY_DUE",
            "NEXT_DUE",
            "IDLE",
            "ORPHANS",
            "ALL_CONNECTIONS",
            // A webhook names an account, whoever has it.
            "CONNECTIONS_OF_ACCOUNT",
            "ACCOUNT_LOCK",
        ];
        assert_eq!(everybody, BTreeSet::from(expected));
    }
}
