//! A store with all kinds of rows is copied to the other database and back, also by who is stopped again and again, and
//! what must not be copied, or written over, is refused.

use std::path::Path;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Zone;
use lifehub_core::engine::{
    BodyChange, Inbox, ItemPut, ItemState, Lease, Leases, Quarantine, RecordChange, StreamNews,
    StreamNewsKind, SyncStore,
};
use lifehub_core::http::{Pace, QuotaKey, QuotaLedger};
use lifehub_core::oauth::{Authorizations, Pending, RefreshClaim, Vault};
use lifehub_core::page::{Item, RawItem, RawJson};
use lifehub_core::record::datasets::Vital;
use lifehub_core::record::{Moment, Record, RunId, When};
use lifehub_core::secret::Secret;
use lifehub_scratch::Scratch;
use lifehub_store::{CopyReport, CopyStep, Store, StoredRecord, copy};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqliteConnection};
use tempfile::TempDir;

use crate::world::{World, claim, insert, instant, new_connection, options, put, workout};

/// More than a page.
const MANY: usize = 5000;
/// A name as no index takes it, which differs from others in its end alone.
fn long(end: &str) -> String {
    format!("\0{}{end}", "ä".repeat(1500))
}

fn measured(seconds: i64, name: &str) -> Record {
    let when = When::At(Moment::utc(instant(seconds)));
    Record::new(when, &Vital::other(name, 0.1, "x")).unwrap().key(name.to_owned())
}

/// A store in this place with rows of all kinds. Its worlds are a user's two connections and another user's one; nobody
/// holds anything there.
async fn filled(url: String, many: usize) -> Vec<World> {
    let ada = World::at(url, TempDir::new().unwrap()).await;
    let ada_too = ada.beside("b").await;
    let user = ada.store.create_user("Eve@example.com", &Zone::utc()).await.unwrap();
    let (connection, _) = ada.store.connect(new_connection(user, Some("a"), "eve's")).await.unwrap();
    let lease = claim(&ada.store, connection).await;
    let eve = World { user, connection, ..with(&ada, &ada.store, lease) };
    let worlds = vec![ada, ada_too, eve];
    for (number, world) in worlds.iter().enumerate() {
        fill(world, u8::try_from(number).unwrap()).await;
    }
    for first in (0..many).step_by(3000) {
        let one = |n| put(&n_th(n), None, vec![insert(worlds[0].record_id(), workout(60 * n as i64, 1.0))]);
        commit(&worlds[0], (first..many.min(first + 3000)).map(one).collect(), 50).await;
    }
    fill_for_all(&worlds[0]).await;
    for world in &worlds {
        world.store.release(&world.lease).await.unwrap();
    }
    worlds
}

fn n_th(n: usize) -> String {
    format!("n {n}")
}

async fn commit(world: &World, puts: Vec<ItemPut>, run: u8) {
    let mut batch = world.batch(puts);
    batch.run.id = RunId::from_bytes([run; 16]);
    world.store.commit(&world.lease, batch).await.unwrap();
}

async fn fill(world: &World, run: u8) {
    let record = |seconds, name: &str| insert(world.record_id(), measured(seconds, name));
    let plain = put("plain", None, vec![insert(world.record_id(), workout(0, 1.5)), record(60, "")]);
    let puts = vec![
        plain,
        put("", None, vec![]),
        put(&long("a"), None, vec![record(3600, &long("x")), record(3601, &long("y"))]),
        put(&long("b"), None, vec![record(90_000, "\0")]),
        put("gone", None, vec![record(-5_000_000, "gone")]),
        put("removed", None, vec![record(7200, "removed")]),
    ];
    commit(world, puts, run).await;
    let mut bad = put("bad", None, vec![]);
    bad.body = BodyChange::Keep;
    let body = RawJson::new("{\"bad\":1}").unwrap();
    bad.quarantine = Some(Quarantine { reason: "\0 is no name".into(), body });
    let known = &world.records_of("gone").await[0];
    let delete = RecordChange::Delete { id: known.record, was: known.day };
    let mut gone = put("gone", Some(known.item), vec![delete]);
    (gone.sighting.state, gone.body, gone.sighting.version) =
        (ItemState::Gone, BodyChange::Drop, Some(u64::MAX));
    commit(world, vec![bad, gone], run + 10).await;
    let removed = world.records_of("removed").await[0].record;
    world.store.delete_record(world.user, removed).await.unwrap();
}

/// What stands beside the users' data, and bodies of which few fit into a page.
async fn fill_for_all(world: &World) {
    let large = |n: usize| {
        let mut large = put(&format!("large {n}"), None, vec![]);
        large.body = BodyChange::Store(RawJson::new(format!("\"{}\"", "x".repeat(3 << 20))).unwrap());
        large
    };
    commit(world, (0..4).map(large).collect(), 51).await;
    let item = |item| StreamNewsKind::Item { partition: "\0".into(), item };
    let body = || RawJson::new("[1]").unwrap();
    let raw = RawItem { id: long("c"), at: Some(instant(5)), version: Some(u64::MAX), body: body() };
    let news = [
        StreamNewsKind::Changed,
        item(Item::Put(raw)),
        item(Item::Gone { id: "\0".into(), version: None }),
        item(Item::Broken { body: body(), reason: "none".into() }),
    ];
    let news = news.map(|what| StreamNews { stream: "\0activities".into(), what });
    assert_eq!(world.store.deliver("strava", "a", instant(9), &news).await.unwrap().len(), 2);
    let quota = QuotaKey::new("strava", "quarter", "app");
    for window in [0, 900] {
        world.store.draw(&quota, instant(window), 3, 100).await.unwrap();
    }
    let pace = Pace::new(Duration::from_secs(9), 5);
    QuotaLedger::take(&world.store, &quota, instant(0), 3, pace).await.unwrap();
    world.store.block(&quota, instant(77)).await.unwrap();
    let pending = Pending {
        provider: "strava".into(),
        user: world.user,
        session: "session".into(),
        connection: None,
        redirect: "https://example.org/back".parse().unwrap(),
        verifier: None,
        created_at: instant(0),
    };
    Authorizations::put(&world.store, &Secret::new("state"), pending).await.unwrap();
    let revision = world.store.credentials(world.connection).await.unwrap().revision;
    match world.store.claim_refresh(world.connection, revision, Duration::from_secs(30)).await.unwrap() {
        RefreshClaim::Held(ticket) => world.store.release_refresh(&ticket).await.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Everything that users see, in the order of their feeds.
async fn seen(store: &Store) -> Vec<Vec<StoredRecord>> {
    let mut all = Vec::new();
    for user in store.users().await.unwrap() {
        let (mut export, mut records) = (store.export(user.id, true), Vec::new());
        while let Some(page) = export.next_page().await.unwrap() {
            records.extend(page);
        }
        all.push(records);
    }
    all
}

fn json(all: &[Vec<StoredRecord>]) -> Vec<String> {
    all.iter().flatten().map(|record| serde_json::to_string(record).unwrap()).collect()
}

/// A copy of a store, as whoever was given it uses it.
async fn assert_same(worlds: &[World], url: &str) -> Store {
    let original = Store::open(&worlds[0].url, options(&worlds[0].dir)).await.unwrap();
    let store = Store::open(url, options(&worlds[0].dir)).await.unwrap();
    for finding in store.check().await.unwrap() {
        assert!(finding.problems.is_empty(), "{finding:?}");
    }
    let there = seen(&original).await;
    assert!(there.iter().map(Vec::len).sum::<usize>() > 15);
    assert_eq!(json(&there), json(&seen(&store).await));
    for world in worlds {
        let token = |held: lifehub_core::oauth::Held| {
            (held.revision, held.credentials.get("access_token").unwrap().expose().to_owned())
        };
        let (old, new) = (original.credentials(world.connection), store.credentials(world.connection));
        assert_eq!(token(old.await.unwrap()), token(new.await.unwrap()));
        let waiting = |store: Store| async move {
            let all = store.arrivals(world.connection, "\0activities", 0, 9).await.unwrap();
            all.into_iter().map(|one| (one.partition, one.item)).collect::<Vec<_>>()
        };
        assert_eq!(waiting(original.clone()).await, waiting(store.clone()).await);
    }
    original.close().await.unwrap();
    store
}

/// The same connection, in this store under this lease.
fn with(world: &World, store: &Store, lease: Lease) -> World {
    let (user, connection) = (world.user, world.connection);
    let (store, rng, dir) = (store.clone(), world.rng.clone(), TempDir::new().unwrap());
    World { store, user, connection, lease, rng, dir, url: world.url.clone() }
}

/// A sync goes on where it stood.
async fn go_on(worlds: &[World], store: Store) {
    for world in worlds {
        let feed = store.changes(world.user, 0, 500).await.unwrap();
        let lease = claim(&store, world.connection).await;
        assert!(lease.epoch > world.lease.epoch, "what was held before is fenced off");
        let again = with(world, &store, lease);
        let known = again.known(&long("a")).await;
        assert_eq!(again.records_of(&long("a")).await.len(), 2);
        let new = insert(world.record_id(), workout(99, 1.0));
        commit(&again, vec![put("new", None, vec![new]), put(&long("a"), Some(known.item), vec![])], 60)
            .await;
        let last = seen(&store).await.into_iter().flatten().rfind(|record| record.external_id == "new");
        assert!(last.unwrap().seq > feed.items.last().unwrap().seq);
        assert_eq!(store.quarantine(world.connection, 9).await.unwrap().len(), 1);
    }
    for finding in store.check().await.unwrap() {
        assert!(finding.problems.is_empty(), "{finding:?}");
    }
    store.close().await.unwrap();
}

async fn copied(from: &str, to: &str, world: &World) -> CopyReport {
    copy(from, to, options(&world.dir), |_, _, _| {}).await.unwrap()
}

fn in_folder(dir: &TempDir, name: &str) -> String {
    dir.path().join(name).to_str().unwrap().to_owned()
}

/// The rows of every table in two files, but for who held leases and until when.
async fn assert_equal_files(one: &str, two: &str) {
    let mut conn = SqliteConnection::connect(one).await.unwrap();
    sqlx::query("ATTACH $1 AS other").bind(two).execute(&mut conn).await.unwrap();
    let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    for table in sqlx::query_scalar::<_, String>(tables).fetch_all(&mut conn).await.unwrap() {
        let columns = match table.as_str() {
            "leases" | "refreshes" => "connection_id, epoch",
            _ => "*",
        };
        let differs = format!(
            "SELECT (SELECT count(*) FROM main.{table}), (SELECT count(*) FROM other.{table}),
                (SELECT count(*) FROM (SELECT {columns} FROM main.{table} EXCEPT SELECT {columns} FROM other.{table}))"
        );
        let row = conn.fetch_one(AssertSqlSafe(differs)).await.unwrap();
        let (one, two, differ): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        assert!(one > 0 && one == two && differ == 0, "{table}: {one}, {two}, {differ}");
    }
    let held =
        "SELECT (SELECT count(holder) FROM other.leases) + (SELECT count(holder) FROM other.refreshes)";
    assert_eq!(conn.fetch_one(held).await.unwrap().get::<i64, _>(0), 0);
}

#[tokio::test]
async fn a_store_is_copied_to_the_other_database_and_back() {
    let Some(scratch) = Scratch::new().await else { return };
    let dir = TempDir::new().unwrap();
    let file = in_folder(&dir, "first.db");
    let worlds = filled(file.clone(), MANY).await;
    let there = copied(&file, &scratch.url(), &worlds[0]).await;
    assert_eq!(there.resumed, 0);
    assert!(there.tables.iter().all(|table| table.rows > 0), "{there:?}");
    let store = assert_same(&worlds, &scratch.url()).await;
    store.close().await.unwrap();
    let back = in_folder(&dir, "back.db");
    assert_eq!(copied(&scratch.url(), &back, &worlds[0]).await, there);
    assert_equal_files(&file, &back).await;
    go_on(&worlds, assert_same(&worlds, &back).await).await;
    go_on(&worlds, assert_same(&worlds, &scratch.url()).await).await;
}

/// On a server two users may have an item of the same number.
#[tokio::test]
async fn numbers_that_users_share_are_told_apart_in_a_file() {
    let (Some(one), Some(two)) = (Scratch::new().await, Scratch::new().await) else { return };
    let worlds = filled(one.url(), 10).await;
    let shared = "SELECT count(*) FROM items a JOIN items b ON a.id = b.id AND a.user_id < b.user_id";
    assert!(one.connect().await.fetch_one(shared).await.unwrap().get::<i64, _>(0) > 0);
    let dir = TempDir::new().unwrap();
    let file = in_folder(&dir, "copy.db");
    let there = copied(&one.url(), &file, &worlds[0]).await;
    go_on(&worlds, assert_same(&worlds, &file).await).await;
    std::fs::remove_file(&file).unwrap();
    copied(&one.url(), &file, &worlds[0]).await;
    assert_eq!(copied(&file, &two.url(), &worlds[0]).await, there);
    go_on(&worlds, assert_same(&worlds, &two.url()).await).await;
}

/// Runs a copy until it has told so many times of its progress, or has written all, and drops it then. Gives how many
/// rows it had written, and how many there are.
async fn stopped(from: &str, to: &str, world: &World, at: u32) -> (u64, u64) {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (mut stop, mut told) = (Some(stop), 0);
    let progress = move |step, done, all| {
        told += 1;
        if (told > at || done == all || step == CopyStep::Checking)
            && let Some(stop) = stop.take()
        {
            let _ = stop.send((done, all));
        }
    };
    tokio::select! {
        biased;
        figures = stopped => figures.unwrap(),
        report = copy(from, to, options(&world.dir), progress) => panic!("it was not stopped: {report:?}"),
    }
}

#[tokio::test]
async fn who_is_stopped_after_each_page_goes_on_there() {
    let Some(scratch) = Scratch::new().await else { return };
    let dir = TempDir::new().unwrap();
    let (file, back) = (in_folder(&dir, "first.db"), in_folder(&dir, "back.db"));
    let worlds = filled(file.clone(), MANY).await;
    for (from, to) in [(file.clone(), scratch.url()), (scratch.url(), back.clone())] {
        let (mut stops, mut before) = (0, 0);
        loop {
            let (done, all) = stopped(&from, &to, &worlds[0], 1).await;
            let error = Store::open(&to, options(&worlds[0].dir)).await.unwrap_err();
            assert!(error.message().contains("not finished"), "{error:?}");
            assert!(error.get_hint().unwrap().contains("store copy"), "{error:?}");
            if done == all {
                break;
            }
            assert!(done > before, "it begins behind the page before");
            (stops, before) = (stops + 1, done);
        }
        assert!(stops > 18, "{stops}");
        let report = copied(&from, &to, &worlds[0]).await;
        assert_eq!(report.resumed, report.rows());
        assert_same(&worlds, &to).await.close().await.unwrap();
    }
    assert_equal_files(&file, &back).await;
}

async fn assert_refused(from: &str, to: &str, world: &World, kind: ErrorKind, text: &str) {
    let error = copy(from, to, options(&world.dir), |_, _, _| {}).await.unwrap_err();
    assert!(error.kind() == kind && error.message().contains(text), "{error:?}");
    assert!(error.get_hint().is_some(), "{error:?}");
}

#[tokio::test]
async fn what_may_not_be_copied_is_refused_untouched() {
    let dir = TempDir::new().unwrap();
    let (file, target) = (in_folder(&dir, "first.db"), in_folder(&dir, "target.db"));
    let worlds = filled(file.clone(), 10).await;
    let world = &worlds[0];
    let refused = |from, to, kind, text| assert_refused(from, to, world, kind, text);

    // No source.
    let none = in_folder(&dir, "none.db");
    refused(&none, &target, ErrorKind::NotFound, "no database to copy").await;
    assert!(!Path::new(&none).exists());
    // A source that is worked on.
    let lease = claim(&world.store, world.connection).await;
    refused(&file, &target, ErrorKind::Invalid, "somebody works").await;
    world.store.release(&lease).await.unwrap();
    // Another key.
    let other = TempDir::new().unwrap();
    std::fs::write(other.path().join("master.key"), [5; 32]).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(other.path().join("master.key"), private).unwrap();
    let error = copy(&file, &target, options(&other), |_, _, _| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert!(!Path::new(&target).exists());
    // Credentials that do not open.
    let mut conn = SqliteConnection::connect(&file).await.unwrap();
    conn.execute("UPDATE credentials SET credentials = zeroblob(50) WHERE connection_id = 1").await.unwrap();
    refused(&file, &target, ErrorKind::Invalid, "does not open all credentials").await;
    assert!(!Path::new(&target).exists());
}

#[tokio::test]
async fn what_holds_anything_is_not_copied_into() {
    let Some(scratch) = Scratch::new().await else { return };
    let dir = TempDir::new().unwrap();
    let (file, target) = (in_folder(&dir, "first.db"), in_folder(&dir, "target.db"));
    let worlds = filled(file.clone(), 10).await;
    let world = &worlds[0];
    // A store, its own source included.
    let used = World::at(target.clone(), TempDir::new().unwrap()).await;
    used.store.release(&used.lease).await.unwrap();
    used.store.close().await.unwrap();
    let before = std::fs::read(&target).unwrap();
    for to in [&target, &file] {
        assert_refused(&file, to, world, ErrorKind::Invalid, "not empty").await;
    }
    assert_eq!(std::fs::read(&target).unwrap(), before);
    // The beginning of a copy, from another source.
    stopped(&file, &scratch.url(), world, 3).await;
    let begun = scratch.contents().await;
    let error = copy(&target, &scratch.url(), options(&used.dir), |_, _, _| {}).await.unwrap_err();
    assert!(error.message().contains("another copy"), "{error:?}");
    assert_eq!(scratch.contents().await, begun);
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_is_found() {
    let Some(scratch) = Scratch::new().await else { return };
    let dir = TempDir::new().unwrap();
    let file = in_folder(&dir, "first.db");
    let worlds = filled(file.clone(), 10).await;
    stopped(&file, &scratch.url(), &worlds[0], 15).await;
    let lease = claim(&worlds[0].store, worlds[0].connection).await;
    let again = with(&worlds[0], &worlds[0].store, lease);
    again.commit(vec![put("late", None, vec![insert(again.record_id(), workout(1, 1.0))])]).await;
    again.store.release(&again.lease).await.unwrap();
    assert_refused(&file, &scratch.url(), &worlds[0], ErrorKind::Storage, "not equal to its source").await;
    assert!(Store::open(&scratch.url(), options(&worlds[0].dir)).await.is_err());
}

#[tokio::test]
async fn of_two_copies_into_one_target_one_goes_on() {
    let Some(scratch) = Scratch::new().await else { return };
    let dir = TempDir::new().unwrap();
    let file = in_folder(&dir, "first.db");
    let worlds = filled(file.clone(), 10).await;
    let url = scratch.url();
    let one = || copy(&file, &url, options(&worlds[0].dir), |_, _, _| {});
    let (first, second) = tokio::join!(one(), one());
    let refused = match (first, second) {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
        both => panic!("{both:?}"),
    };
    assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused:?}");
    assert_same(&worlds, &url).await.close().await.unwrap();
}
