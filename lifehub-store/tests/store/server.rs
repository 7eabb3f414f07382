//! What only a store on a PostgreSQL server has to show: the second wall, schemas that others use, nodes of two
//! versions, a server that goes away and comes back, processes that wait for each other.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Zone;
use lifehub_core::engine::SyncStore;
use lifehub_core::schedule::Schedule;
use lifehub_scratch::Scratch;
use lifehub_store::Store;
use lifehub_testkit::{Proxy, Toxic, Toxics};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tempfile::TempDir;

use crate::world::{World, insert, new_connection, options, put, workout};

async fn world(scratch: &Scratch) -> World {
    World::at(scratch.url(), TempDir::new().unwrap()).await
}

async fn run(conn: &mut PgConnection, sql: impl Into<String>) -> u64 {
    conn.execute(AssertSqlSafe(sql.into())).await.unwrap().rows_affected()
}

async fn number(conn: &mut PgConnection, sql: impl Into<String>) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.into())).fetch_one(conn).await.unwrap()
}

/// All tables that hold rows of users, and the column that says whose.
async fn owned(conn: &mut PgConnection) -> Vec<(String, &'static str)> {
    let tables = "SELECT DISTINCT table_name::text FROM information_schema.columns
        WHERE table_schema = current_schema() AND column_name = 'user_id'";
    let tables = sqlx::query(tables).fetch_all(conn).await.unwrap();
    let tables = tables.iter().map(|row| (row.get(0), "user_id"));
    tables.chain([("users".to_owned(), "id")]).collect()
}

/// Whoever has a connection as the store has it sees the rows of the user whom it serves, and changes no others, whatever
/// it asks.
#[tokio::test]
async fn rule_18_row_level_security_is_a_second_wall() {
    let Some(scratch) = Scratch::new().await else { return };
    let world = world(&scratch).await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])]).await;
    let store = &world.store;
    let eve = store.create_user("eve@example.com", &Zone::utc()).await.unwrap();
    store.connect(new_connection(eve, Some("b"), "token")).await.unwrap();

    let mut conn = scratch.connect().await;
    let victim = number(&mut conn, "SELECT id FROM users WHERE email = 'ada@example.com'").await;
    let attacker = number(&mut conn, "SELECT id FROM users WHERE email = 'eve@example.com'").await;
    let tables = owned(&mut conn).await;
    assert!(tables.len() > 12, "{tables:?}");
    let filled = [
        "users",
        "connections",
        "credentials",
        "leases",
        "runs",
        "partitions",
        "items",
        "bodies",
        "records",
        "rollups",
    ];
    for name in filled {
        let column = if name == "users" { "id" } else { "user_id" };
        let rows = number(&mut conn, format!("SELECT count(*) FROM {name} WHERE {column} = {victim}")).await;
        assert!(rows > 0, "there is nothing to be stolen from {name}");
    }

    run(&mut conn, "SET ROLE lifehub_app").await;
    for (owner, visible) in [(Some(attacker), false), (None, false), (Some(victim), true), (Some(0), true)] {
        match owner {
            Some(owner) => run(&mut conn, format!("SET lifehub.owner = {owner}")).await,
            None => run(&mut conn, "RESET lifehub.owner").await,
        };
        for (table, column) in &tables {
            let all = format!("SELECT count(*) FROM {table} WHERE {column} = {victim}");
            let seen = number(&mut conn, all).await > 0;
            assert_eq!(seen, visible && filled.contains(&table.as_str()), "{table} as {owner:?}");
            if visible {
                continue;
            }
            let deleted = run(&mut conn, format!("DELETE FROM {table} WHERE {column} = {victim}")).await;
            let same = if table == "users" { "zone = zone" } else { "user_id = user_id" };
            let moved = format!("UPDATE {table} SET {same} WHERE {column} = {victim}");
            assert_eq!((deleted, run(&mut conn, moved).await), (0, 0), "{table} as {owner:?}");
        }
        if !visible {
            let forged = format!("INSERT INTO bodies (user_id, item_id, body) VALUES ({victim}, 99, 'x')");
            let error = conn.execute(AssertSqlSafe(forged)).await.unwrap_err().to_string();
            assert!(error.contains("row-level security"), "{error}");
        }
    }
    // The role may do nothing else.
    let error = conn.execute("ALTER TABLE records DISABLE ROW LEVEL SECURITY").await.unwrap_err().to_string();
    assert!(error.contains("must be owner"), "{error}");
}

/// A login role that cannot see through the wall needs no other role, although the tables are its own.
#[tokio::test]
async fn rule_18_the_owner_of_the_tables_is_walled_too() {
    let Some(scratch) = Scratch::new().await else { return };
    let mut conn = scratch.connect().await;
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut conn).await.unwrap();
    run(
        &mut conn,
        format!("CREATE ROLE {schema} LOGIN PASSWORD 'p'; ALTER SCHEMA {schema} OWNER TO {schema}"),
    )
    .await;
    let (before, rest) = scratch.url().split_once("://").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let host = rest.split_once('@').map_or(rest.clone(), |(_, host)| host.to_owned());
    let world = World::at(format!("{before}://{schema}:p@{host}"), TempDir::new().unwrap()).await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])]).await;
    assert_eq!(world.all(false).await.len(), 1);
    world.assert_sound().await;
    let mut own = PgConnection::connect(&world.url).await.unwrap();
    for (table, _) in owned(&mut own).await {
        assert_eq!(number(&mut own, format!("SELECT count(*) FROM {table}")).await, 0, "{table} is open");
    }
    world.store.close().await.unwrap();
    own.close().await.unwrap();
    run(
        &mut conn,
        format!("ALTER SCHEMA {schema} OWNER TO CURRENT_USER; REASSIGN OWNED BY {schema} TO CURRENT_USER"),
    )
    .await;
    run(&mut conn, format!("DROP OWNED BY {schema}; DROP ROLE {schema}")).await;
}

#[tokio::test]
async fn a_schema_of_another_program_is_refused_and_unchanged() {
    let Some(scratch) = Scratch::new().await else { return };
    let mut conn = scratch.connect().await;
    run(&mut conn, "CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('theirs')").await;
    let dir = TempDir::new().unwrap();
    let error = Store::open(&scratch.url(), options(&dir)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.get_hint().is_some(), "{error}");
    assert!(error.message().contains("another program"), "{error}");
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace";
    assert_eq!(number(&mut conn, tables).await, 1);
    let error = Store::open(&scratch.url().replace("%3D", "%3Dno_"), options(&dir)).await.unwrap_err();
    assert!(error.message().contains("no such schema"), "{error}");
}

/// While a service is upgraded, nodes of this version meet a schema that a newer one has added to.
#[tokio::test]
async fn a_node_works_beside_the_next_version_until_it_is_told_not_to() {
    let Some(scratch) = Scratch::new().await else { return };
    let world = world(&scratch).await;
    let mut conn = scratch.connect().await;
    // What a migration may do: see database/postgres/migrate.rs.
    run(
        &mut conn,
        "ALTER TABLE records ADD COLUMN later TEXT; ALTER TABLE items ADD COLUMN later BIGINT NOT NULL DEFAULT 0;
         ALTER TABLE users ADD COLUMN later TEXT NOT NULL DEFAULT 'x'; CREATE TABLE later (x BIGINT);
         CREATE INDEX records_later ON records (user_id, later);
         UPDATE lifehub_schema SET version = version + 1",
    )
    .await;
    // One that runs already, and one that starts now.
    let another = world.beside("b").await;
    for node in [&world, &another] {
        node.commit(vec![put("a", None, vec![insert(node.record_id(), workout(0, 1.0))])]).await;
    }
    assert_eq!(world.all(false).await.len(), 2);
    world.assert_sound().await;
    run(&mut conn, "UPDATE lifehub_schema SET version = version + 1, oldest = version").await;
    let error = Store::open(&scratch.url(), options(&world.dir)).await.unwrap_err();
    assert!(error.message().contains("newer version") && error.get_hint().is_some(), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn processes_that_start_at_once_make_one_schema() {
    let Some(scratch) = Scratch::new().await else { return };
    let dir = TempDir::new().unwrap();
    let url = scratch.url();
    let open = || Store::open(&url, options(&dir));
    let (a, b) = tokio::join!(open(), open());
    let (a, b) = (a.unwrap(), b.unwrap());
    a.create_user("a@b", &Zone::utc()).await.unwrap();
    let error = b.create_user("A@B", &Zone::utc()).await.unwrap_err();
    assert!(error.message().contains("already"), "{error}");
}

/// Behind a proxy that stands for the network between a node and its server.
async fn behind_a_proxy(scratch: &Scratch) -> (Proxy, World) {
    let url = scratch.url();
    let (before, rest) = url.split_once('@').unwrap();
    let (host, after) = rest.split_once('/').unwrap();
    let proxy = Proxy::start(host, 1).unwrap();
    let url = format!("{before}@{}/{after}", proxy.address());
    let dir = TempDir::new().unwrap();
    (proxy, World::in_time(url, dir, Duration::from_millis(400)).await)
}

/// Refused, cut off in the middle, not answered: each time one clear error that says that it may be tried again, and the
/// same store works as soon as the server does.
#[tokio::test]
async fn a_server_that_was_away_is_worked_with_again() {
    let Some(scratch) = Scratch::new().await else { return };
    let (proxy, world) = behind_a_proxy(&scratch).await;
    let commit = async |id: &str| {
        let puts = vec![put(id, None, vec![insert(world.record_id(), workout(0, 1.0))])];
        world.store.commit(&world.lease, world.batch(puts)).await
    };
    commit("before").await.unwrap();

    proxy.refuse().unwrap();
    for _ in 0..3 {
        let error = commit("while it is away").await.unwrap_err();
        assert!(error.kind() == ErrorKind::Storage && error.is_temporary(), "{error}");
        let error = world.store.users().await.unwrap_err();
        assert!(error.is_temporary() && error.get_hint().is_some(), "{error}");
    }
    proxy.accept().unwrap();
    commit("when it is back").await.unwrap();

    proxy.set(Toxics::none().to_client(Toxic::Reset { after: 0 }));
    assert!(commit("while it is cut off").await.unwrap_err().is_temporary());
    proxy.set(Toxics::none());
    commit("when it is not").await.unwrap();

    proxy.set(Toxics::none().to_client(Toxic::Timeout));
    assert!(commit("while it does not answer").await.unwrap_err().is_temporary());
    proxy.set(Toxics::none());
    commit("when it does").await.unwrap();

    let names: Vec<String> = world.all(false).await.into_iter().map(|record| record.external_id).collect();
    for name in ["before", "when it is back", "when it is not", "when it does"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
    world.assert_sound().await;
}

/// Somebody else holds what a commit needs: it waits for a bounded time, says so, and leaves nothing behind.
#[tokio::test]
async fn nobody_waits_for_ever() {
    let Some(scratch) = Scratch::new().await else { return };
    let world = World::in_time(scratch.url(), TempDir::new().unwrap(), Duration::from_millis(300)).await;
    let mut other = scratch.connect().await;
    run(&mut other, "BEGIN; SELECT FROM users FOR UPDATE").await;
    let puts = || vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])];
    let error = world.store.commit(&world.lease, world.batch(puts())).await.unwrap_err();
    assert!(error.is_temporary() && error.message().contains("busy"), "{error}");
    // Pages without news do not need the user.
    world.commit(vec![]).await;
    run(&mut other, "ROLLBACK").await;
    world.commit(puts()).await;
    assert_eq!(world.all(false).await.len(), 1);
}

/// One process makes work, another is told of it at once.
#[tokio::test]
async fn new_work_wakes_the_other_nodes() {
    let Some(scratch) = Scratch::new().await else { return };
    let world = world(&scratch).await;
    let another = world.beside("b").await;
    // The first to listen is told once that it listens.
    tokio::time::timeout(Duration::from_secs(10), another.store.told_due()).await.unwrap();
    let woken = tokio::spawn({
        let store = another.store.clone();
        async move { store.told_due().await }
    });
    world.store.connect(new_connection(world.user, Some("c"), "token")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), woken).await.unwrap().unwrap();
}
