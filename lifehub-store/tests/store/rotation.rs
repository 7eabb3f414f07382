//! The master key is replaced while others read and save, and a rotation that was stopped goes on where it stood.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lifehub_core::ErrorKind;
use lifehub_core::oauth::Vault;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{KeySource, OpenOptions, Rotation, Store};

use crate::world::{World, new_connection, open};

/// 32 bytes each, as base64: of zeros, of ones, of twos.
const TEXTS: [&str; 3] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
];

/// A world with so many connections, whose tokens are their numbers.
async fn world(connections: usize) -> (World, Vec<ConnectionId>) {
    let world = World::new().await;
    let mut all = Vec::new();
    for n in 0..connections {
        let new = new_connection(world.user, Some(&n.to_string()), &n.to_string());
        all.push(world.store.connect(new).await.unwrap().0);
    }
    (world, all)
}

async fn token(store: &Store, connection: ConnectionId) -> String {
    let held = store.credentials(connection).await.unwrap();
    held.credentials.get("access_token").unwrap().expose().to_owned()
}

async fn assert_all_open(store: &Store, connections: &[ConnectionId]) {
    for (n, connection) in connections.iter().enumerate() {
        assert_eq!(token(store, *connection).await, n.to_string());
    }
}

impl World {
    fn key_file(&self) -> std::path::PathBuf {
        self.dir.path().join("master.key")
    }

    fn key_bytes(&self) -> Vec<u8> {
        std::fs::read(self.key_file()).unwrap()
    }

    async fn texts(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&mut self.raw().await).await.unwrap()
    }

    /// The key that the database names.
    async fn named(&self) -> String {
        self.texts("SELECT lower(hex(value)) FROM meta WHERE name = 'master_key'").await.remove(0)
    }

    /// The key that the database names, and the only one in its rows.
    async fn assert_only_key(&self, key: &str) {
        let named = self
            .texts(
                "SELECT lower(hex(value)) FROM meta WHERE name = 'master_key'
                UNION SELECT lower(hex(master_key)) FROM credentials",
            )
            .await;
        assert_eq!(named, [key]);
    }
}

#[tokio::test]
async fn a_rotation_seals_the_data_keys_under_a_new_key() {
    let (world, connections) = world(5).await;
    // As a worker that runs all the while.
    let other = open(&world.dir).await;
    let old = world.key_bytes();
    let kept = "SELECT hex(data_key_id) || hex(credentials) || changed_at FROM credentials";
    let before = world.texts(kept).await;
    let data_keys = world.texts("SELECT hex(data_key) FROM credentials").await;
    let revision = world.store.credentials(connections[0]).await.unwrap().revision;
    // What a rotation that was killed left behind.
    std::fs::write(world.dir.path().join("master.key.new"), "draft").unwrap();

    let mut heard = Vec::new();
    let rotation = world.store.rotate_keys(|done, all| heard.push((done, all))).await.unwrap();
    assert_eq!((rotation.rewrapped, heard), (6, vec![(0, 6), (6, 6)]));
    world.assert_only_key(&rotation.key).await;
    let new = world.key_bytes();
    assert!(new.len() == 32 && new != old);
    assert_eq!(
        std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(world.key_file()).unwrap()) & 0o777,
        0o600
    );
    assert!(!world.dir.path().join("master.key.new").exists());
    assert_eq!(world.texts(kept).await, before, "the credentials themselves stay as they are");
    let after = world.texts("SELECT hex(data_key) FROM credentials").await;
    assert!(data_keys.iter().all(|key| !after.contains(key)));

    assert_all_open(&other, &connections).await;
    assert_eq!(world.store.credentials(connections[0]).await.unwrap().revision, revision);
    let newer = Credentials::none().with("access_token", Secret::new("newer"));
    other.save_credentials(world.connection, &newer).await.unwrap();
    assert_all_open(&open(&world.dir).await, &connections).await;
    assert_eq!(token(&world.store, world.connection).await, "newer");
    world.assert_only_key(&rotation.key).await;
    world.assert_sound().await;

    let again = world.store.rotate_keys(|_, _| {}).await.unwrap();
    assert!(again.rewrapped == 6 && again.key != rotation.key);
    std::fs::write(world.key_file(), old).unwrap();
    let path = world.dir.path().join("test.db");
    let options = OpenOptions::new(KeySource::File(world.key_file()));
    let error = Store::open(path.to_str().unwrap(), options).await.unwrap_err();
    assert!(error.message().contains("not the master key"), "{error:?}");
}

/// A process that knows only the old key, and seals for the first time since.
#[tokio::test]
async fn whoever_runs_all_the_while_seals_under_the_new_key() {
    let world = World::new().await;
    let other = open(&world.dir).await;
    let rotation = world.store.rotate_keys(|_, _| {}).await.unwrap();
    let newer = Credentials::none().with("access_token", Secret::new("newer"));
    other.save_credentials(world.connection, &newer).await.unwrap();
    assert_eq!(token(&world.store, world.connection).await, "newer");
    world.assert_only_key(&rotation.key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reading_and_saving_go_on_while_keys_rotate() {
    let (world, connections) = world(20).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut workers = Vec::new();
    for worker in 0..2 {
        let (store, done) = (open(&world.dir).await, done.clone());
        let own: Vec<ConnectionId> = connections.iter().copied().skip(worker).step_by(2).collect();
        workers.push(tokio::spawn(async move {
            let mut saved = 0_u64;
            while !done.load(Ordering::Relaxed) {
                for connection in &own {
                    let credentials =
                        Credentials::none().with("access_token", Secret::new(saved.to_string()));
                    store.save_credentials(*connection, &credentials).await.unwrap();
                    assert_eq!(token(&store, *connection).await, saved.to_string());
                    saved += 1;
                }
            }
            saved
        }));
    }
    let mut key = String::new();
    for _ in 0..10 {
        key = world.store.rotate_keys(|_, _| {}).await.unwrap().key;
        // A process that starts at this moment.
        open(&world.dir).await.credentials(connections[0]).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    for worker in workers {
        assert!(worker.await.unwrap() > 0);
    }
    world.assert_only_key(&key).await;
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_rotations_at_once_are_safe() {
    let (world, connections) = world(10).await;
    let other = open(&world.dir).await;
    for _ in 0..5 {
        let (a, b) =
            tokio::join!(world.store.rotate_keys(|_, _| {}), async { other.rotate_keys(|_, _| {}).await });
        let keys = [a.unwrap().key, b.unwrap().key];
        let named = world.named().await;
        assert!(keys.contains(&named));
        world.assert_only_key(&named).await;
        assert_eq!(world.key_bytes().len(), 32);
        assert_all_open(&other, &connections).await;
    }
}

#[tokio::test]
async fn a_rotation_that_was_stopped_goes_on_with_its_key() {
    // More than one transaction takes.
    let (world, connections) = world(300).await;
    let old = world.key_bytes();

    // Stopped when the file had the new key, and the database did not know of it.
    let new = vec![9; 32];
    std::fs::write(world.key_file(), [&new[..], &old].concat()).unwrap();
    assert_all_open(&open(&world.dir).await, &connections[..3]).await;
    // Stopped again after the first transaction: the first pause comes after it.
    stop_after(&world.store, 256).await;
    assert_eq!(world.key_bytes(), [&new[..], &old].concat());
    assert_eq!(world.texts("SELECT DISTINCT hex(master_key) FROM credentials").await.len(), 2);
    assert_all_open(&open(&world.dir).await, &connections).await;
    let key = world.named().await;

    // A data key of one key does not open under another, though both are known.
    let moved = "UPDATE credentials SET master_key = (SELECT value FROM meta WHERE name = 'master_key')
        WHERE connection_id = 301";
    let saved: Vec<u8> = sqlx::query_scalar("SELECT master_key FROM credentials WHERE connection_id = 301")
        .fetch_one(&mut world.raw().await)
        .await
        .unwrap();
    sqlx::query(moved).execute(&mut world.raw().await).await.unwrap();
    let error = world.store.credentials(connections[299]).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    sqlx::query("UPDATE credentials SET master_key = ? WHERE connection_id = 301")
        .bind(saved)
        .execute(&mut world.raw().await)
        .await
        .unwrap();

    let rotation = world.store.rotate_keys(|_, _| {}).await.unwrap();
    assert_eq!((rotation.rewrapped, &rotation.key), (301 - 256, &key));
    world.assert_only_key(&key).await;
    assert_eq!(world.key_bytes(), new, "the old key has left the file");
    assert_all_open(&world.store, &connections).await;

    // Stopped when all was done but for the file.
    std::fs::write(world.key_file(), [&new[..], &old].concat()).unwrap();
    let rotation = world.store.rotate_keys(|_, _| {}).await.unwrap();
    assert_eq!((rotation.rewrapped, &rotation.key), (0, &key));
    assert_eq!(world.key_bytes(), new);
}

/// Drops a rotation once so many credentials are done.
async fn stop_after(store: &Store, count: u64) {
    drop(paused_after(store, count).await);
}

/// A rotation that stands still since so many credentials are done, and goes on when it is awaited.
async fn paused_after(store: &Store, count: u64) -> BoxFuture<'_, lifehub_core::Result<Rotation>> {
    let reached = Arc::new(tokio::sync::Notify::new());
    let reaches = reached.clone();
    let mut rotation = store
        .rotate_keys(move |done, _| {
            if done >= count {
                reaches.notify_one();
            }
        })
        .boxed();
    tokio::select! {
        biased;
        () = reached.notified() => {}
        done = &mut rotation => panic!("it was not stopped: {done:?}"),
    }
    rotation
}

#[tokio::test]
async fn a_rotation_that_others_overtake_changes_nothing_more() {
    let (world, connections) = world(300).await;
    let other = open(&world.dir).await;
    let slow = paused_after(&world.store, 256).await;
    let joined = other.rotate_keys(|_, _| {}).await.unwrap();
    let next = other.rotate_keys(|_, _| {}).await.unwrap();
    assert_eq!((joined.rewrapped, next.rewrapped), (45, 301));
    let slow = slow.await.unwrap();
    assert_eq!((slow.rewrapped, &slow.key), (256, &joined.key));
    world.assert_only_key(&next.key).await;
    assert_all_open(&open(&world.dir).await, &connections).await;
}

async fn open_with(world: &World, keys: &[&str]) -> lifehub_core::Result<Store> {
    let path = world.dir.path().join("test.db");
    let key = KeySource::Text(Secret::new(keys.join(" , ")));
    Store::open(path.to_str().unwrap(), OpenOptions::new(key)).await
}

#[tokio::test]
async fn keys_given_as_text_rotate_to_the_first_of_them() {
    let [old, new, newest] = TEXTS;
    let (world, connections) = world(3).await;
    // From the key file to text, which holds both.
    let file = STANDARD.encode(world.key_bytes());
    let store = open_with(&world, &[old, &file]).await.unwrap();
    let first = store.rotate_keys(|_, _| {}).await.unwrap();
    assert_eq!(first.rewrapped, 4);
    let store = open_with(&world, &[old]).await.unwrap();
    assert_all_open(&store, &connections).await;

    let error = store.rotate_keys(|_, _| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let hint = error.get_hint().unwrap();
    assert!(
        hint.contains("openssl rand -base64 32") && hint.contains("LIFEHUB_MASTER_KEY to NEW,OLD"),
        "{hint}"
    );

    // Until a rotation, what is new comes under the key that the database names.
    let store = open_with(&world, &[new, old]).await.unwrap();
    store.save_credentials(world.connection, &Credentials::none()).await.unwrap();
    world.assert_only_key(&first.key).await;
    let second = store.rotate_keys(|_, _| {}).await.unwrap();
    assert!(second.rewrapped == 4 && second.key != first.key);
    world.assert_only_key(&second.key).await;
    assert_eq!(store.rotate_keys(|_, _| {}).await.unwrap().rewrapped, 0, "once more does nothing");
    assert_all_open(&open_with(&world, &[new]).await.unwrap(), &connections).await;
    assert_eq!(world.key_bytes().len(), 32, "nobody asked for the file");

    for keys in [&[old][..], &[newest], &[newest, old]] {
        let error = open_with(&world, keys).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.get_hint().is_some(), "{error:?}");
    }
    // One that knows no key in use can neither save nor begin.
    let late = open_with(&world, &[new]).await.unwrap();
    let ahead = open_with(&world, &[newest, new]).await.unwrap();
    ahead.rotate_keys(|_, _| {}).await.unwrap();
    let error = late.save_credentials(world.connection, &Credentials::none()).await.unwrap_err();
    assert!(error.message().contains("not the master key"), "{error:?}");
    let error = late.rotate_keys(|_, _| {}).await.unwrap_err();
    assert!(error.message().contains("not the master key"), "{error:?}");
    let error = late.credentials(world.connection).await.map(|_| ()).unwrap_err();
    assert!(error.message().contains("under another master key"), "{error:?}");
}

#[tokio::test]
async fn what_does_not_open_keeps_the_old_key_and_nothing_else() {
    let (world, connections) = world(3).await;
    let old = world.key_bytes();
    let spoil = "UPDATE credentials SET data_key = zeroblob(72) WHERE connection_id = 2";
    sqlx::query(spoil).execute(&mut world.raw().await).await.unwrap();
    for _ in 0..2 {
        let error = world.store.rotate_keys(|_, _| {}).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Storage && error.get_hint().is_some(), "{error:?}");
        let bytes = world.key_bytes();
        assert!(bytes.len() == 64 && bytes.ends_with(&old), "a second rotation goes on with the same key");
        assert_eq!(token(&world.store, connections[2]).await, "2");
    }
    world.store.connect(new_connection(world.user, Some("0"), "0")).await.unwrap();
    let rotation = world.store.rotate_keys(|_, _| {}).await.unwrap();
    assert_eq!(rotation.rewrapped, 0);
    world.assert_only_key(&rotation.key).await;
    assert_eq!(world.key_bytes().len(), 32);
    assert_all_open(&world.store, &connections).await;
}

#[tokio::test]
async fn a_key_that_is_kept_nowhere_is_not_rotated() {
    let store = Store::open("sqlite::memory:", OpenOptions::new(KeySource::Ephemeral)).await.unwrap();
    let error = store.rotate_keys(|_, _| {}).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.get_hint().is_some(), "{error:?}");
}
