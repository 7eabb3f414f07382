//! Opening: what is not ours stays byte for byte, what was cut while it was made is made again.

use std::path::Path;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Zone;
use lifehub_store::{KeySource, OpenOptions, Store};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::world::{World, open, options};

async fn run(path: &Path, script: &'static str) {
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(script).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn assert_refused(dir: &TempDir, what: &str) {
    let path = dir.path().join("test.db");
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(path.to_str().unwrap(), options(dir)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{what}: {error}");
    assert!(error.get_hint().is_some(), "{what}");
    assert_eq!(before, std::fs::read(&path).unwrap(), "{what}");
}

#[tokio::test]
async fn a_foreign_or_newer_database_is_refused_and_unchanged() {
    for (what, content) in
        [("a text", &b"dear diary"[..]), ("a long text", &[b'x'; 9000]), ("half a header", b"SQLite form")]
    {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("test.db"), content).unwrap();
        assert_refused(&dir, what).await;
    }
    for (what, script) in [
        ("another program's", "CREATE TABLE t (x); INSERT INTO t VALUES (1)"),
        ("another program's with a WAL", "PRAGMA journal_mode = WAL; CREATE TABLE t (x)"),
        ("one with an id", "PRAGMA application_id = 1196444487; CREATE TABLE t (x)"),
        ("one without tables", "PRAGMA user_version = 1"),
    ] {
        let dir = TempDir::new().unwrap();
        run(&dir.path().join("test.db"), script).await;
        assert_refused(&dir, what).await;
    }
    let world = World::new().await;
    world.store.close().await.unwrap();
    run(&world.dir.path().join("test.db"), "PRAGMA user_version = 99").await;
    assert_refused(&world.dir, "a newer version").await;
}

/// The newer program was killed after its migration: the version stands in the WAL alone.
#[tokio::test]
async fn a_newer_version_in_the_wal_is_refused_and_unchanged() {
    let world = World::new().await;
    world.store.close().await.unwrap();
    let path = world.dir.path().join("test.db");
    let killed = TempDir::new().unwrap();
    let mut conn = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99; CREATE TABLE later (x)").execute(&mut conn).await.unwrap();
    for name in ["test.db", "test.db-wal"] {
        std::fs::copy(world.dir.path().join(name), killed.path().join(name)).unwrap();
    }
    assert_refused(&killed, "a newer version in the WAL").await;
}

#[tokio::test]
async fn a_kill_while_the_database_is_made_is_made_good() {
    // Right after the file was made.
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("test.db"), "").unwrap();
    open(&dir).await.create_user("a@b", &Zone::utc()).await.unwrap();

    // In the first transaction, after its first pages reached the file: a hot journal lies beside it.
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("test.db");
    let cut = TempDir::new().unwrap();
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    let script = "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;
        PRAGMA application_id = 1281771618; CREATE TABLE users (x);
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO users SELECT randomblob(200) FROM n;";
    sqlx::raw_sql(script).execute(&mut conn).await.unwrap();
    for name in ["test.db", "test.db-journal"] {
        assert!(std::fs::copy(dir.path().join(name), cut.path().join(name)).unwrap() > 0, "{name}");
    }
    open(&cut).await.create_user("a@b", &Zone::utc()).await.unwrap();
    // And when the power failed too: the file's first page never arrived.
    let torn = TempDir::new().unwrap();
    for name in ["test.db", "test.db-journal"] {
        std::fs::copy(dir.path().join(name), torn.path().join(name)).unwrap();
    }
    let mut bytes = std::fs::read(torn.path().join("test.db")).unwrap();
    bytes[..4096].fill(0);
    std::fs::write(torn.path().join("test.db"), bytes).unwrap();
    open(&torn).await.create_user("a@b", &Zone::utc()).await.unwrap();

    // Before the switch to the WAL.
    let world = World::new().await;
    world.store.close().await.unwrap();
    run(&world.dir.path().join("test.db"), "PRAGMA journal_mode = DELETE").await;
    let store = open(&world.dir).await;
    assert_eq!(store.users().await.unwrap().len(), 1);
    assert_eq!(
        sqlx::query_scalar::<_, String>("PRAGMA journal_mode")
            .fetch_one(&mut world.raw().await)
            .await
            .unwrap(),
        "wal"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_may_make_a_database_at_once() {
    for _ in 0..5 {
        let dir = TempDir::new().unwrap();
        let (a, b, c) = tokio::join!(open(&dir), open(&dir), open(&dir));
        a.create_user("a@b", &Zone::utc()).await.unwrap();
        b.create_user("b@b", &Zone::utc()).await.unwrap();
        assert_eq!(c.users().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let dir = TempDir::new().unwrap();
    let key = || KeySource::File(dir.path().join("master.key"));
    let options = || OpenOptions::new(key()).busy_timeout(Duration::from_millis(100));
    let missing = dir.path().join("no/such/folder/test.db");
    let folder = dir.path();
    for (location, expected) in [
        (missing.to_str().unwrap(), "folder of the database does not exist"),
        (folder.to_str().unwrap(), "is a folder"),
        (
            "postgres://127.0.0.1:1/x",
            if cfg!(feature = "postgres") { "cannot be reached" } else { "without PostgreSQL" },
        ),
    ] {
        let error = Store::open(location, options()).await.unwrap_err();
        assert!(error.message().contains(expected) && error.get_hint().is_some(), "{error:?}");
    }
    let error =
        Store::open(folder.join("x.db").to_str().unwrap(), OpenOptions::new(KeySource::Ephemeral)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_database_in_memory_works_alike() {
    let options = || OpenOptions::new(KeySource::Ephemeral);
    let store = Store::open("sqlite::memory:", options()).await.unwrap();
    let other = Store::open("sqlite::memory:", options()).await.unwrap();
    let user = store.create_user("ada@example.com", &Zone::utc()).await.unwrap();
    assert!(store.create_user("Ada@Example.com", &Zone::utc()).await.is_err());
    assert_eq!(store.user_by_email("ADA@example.com").await.unwrap().unwrap().id, user);
    assert!(other.users().await.unwrap().is_empty());
    let (connection, _) = store.connect(crate::world::new_connection(user, None, "t")).await.unwrap();
    let lease = crate::world::claim(&store, connection).await;
    lifehub_core::engine::Leases::release(&store, &lease).await.unwrap();
    for finding in store.check().await.unwrap() {
        assert!(finding.problems.is_empty(), "{finding:?}");
    }
}
