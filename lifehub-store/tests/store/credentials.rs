//! Credentials are sealed, bound to their place, and of no use without the master key.

use std::path::Path;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Zone;
use lifehub_core::oauth::Vault;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{ConnectionStatus, KeySource, OpenOptions, Store};
use sqlx::Row as _;

use crate::world::{World, insert, new_connection, open, put, workout};

const CANARY: &str = "canary-5d41402abc4b2a76b9719d911017c592";

fn holds(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        path.is_dir() && holds(&path, needle)
            || path.is_file()
                && std::fs::read(&path).unwrap().windows(needle.len()).any(|part| part == needle)
    })
}

#[tokio::test]
async fn rule_12_no_file_holds_a_credential_in_clear() {
    let world = World::new().await;
    world.store.connect(new_connection(world.user, Some("b"), CANARY)).await.unwrap();
    let newer = Credentials::none().with("refresh_token", Secret::new(CANARY));
    world.store.save_credentials(world.connection, &newer).await.unwrap();
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])]).await;
    let clear = world.store.credentials(world.connection).await.unwrap().credentials;
    assert_eq!(clear.get("refresh_token").unwrap().expose(), CANARY);
    assert!(!holds(world.dir.path(), CANARY.as_bytes()), "beside an open WAL");
    assert!(!format!("{:?} {clear:?}", world.store).contains(CANARY));
    world.store.close().await.unwrap();
    assert!(!holds(world.dir.path(), CANARY.as_bytes()), "after closing");
    assert!(holds(world.dir.path(), b"ada@example.com"), "the search finds what is there");
}

/// The sealed columns of a row: master_key, data_key_id, data_key, credentials.
type Sealed = [Vec<u8>; 4];

/// Three rows of two users in a world, and a stranger's hand in the file.
struct Vandal {
    world: World,
    raw: sqlx::SqliteConnection,
    connections: [ConnectionId; 3],
    rows: Vec<Sealed>,
}

impl Vandal {
    async fn new() -> Self {
        let world = World::new().await;
        let (second, _) =
            world.store.connect(new_connection(world.user, Some("b"), "token b")).await.unwrap();
        let eve = world.store.create_user("eve@example.com", &Zone::utc()).await.unwrap();
        let (third, _) = world.store.connect(new_connection(eve, Some("c"), "token c")).await.unwrap();
        let mut raw = world.raw().await;
        let sql = "PRAGMA synchronous = OFF";
        sqlx::query(sql).execute(&mut raw).await.unwrap();
        let sql =
            "SELECT master_key, data_key_id, data_key, credentials FROM credentials ORDER BY connection_id";
        let rows = sqlx::query(sql).fetch_all(&mut raw).await.unwrap();
        let rows = rows.iter().map(|row| [0, 1, 2, 3].map(|column: usize| row.get(column))).collect();
        Self { connections: [world.connection, second, third], world, raw, rows }
    }

    async fn write(&mut self, at: usize, sealed: &Sealed) {
        let [a, b, c, d] = sealed;
        let sql = "UPDATE credentials SET master_key = ?, data_key_id = ?, data_key = ?, credentials = ?
            WHERE connection_id = ?";
        let query = sqlx::query(sql).bind(a).bind(b).bind(c).bind(d).bind(at as i64 + 1);
        query.execute(&mut self.raw).await.unwrap();
    }

    /// Puts that into a row, and back what was there.
    async fn refused(&mut self, what: &str, at: usize, sealed: Sealed) {
        let before = self.rows[at].clone();
        assert_ne!(before, sealed, "{what}: nothing is changed");
        self.write(at, &sealed).await;
        self.assert_refused(what, at).await;
        self.write(at, &before).await;
    }

    async fn assert_refused(&self, what: &str, at: usize) {
        let opened = self.world.store.credentials(self.connections[at]).await;
        let error = opened.map(|_| ()).expect_err(what);
        assert!(error.kind() == ErrorKind::Storage && error.get_hint().is_some(), "{what}: {error:?}");
    }

    async fn run(&mut self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.raw).await.unwrap();
    }
}

const COLUMNS: [&str; 4] = ["master_key", "data_key_id", "data_key", "credentials"];

#[tokio::test]
async fn rule_12_a_moved_or_altered_credential_does_not_open() {
    let mut vandal = Vandal::new().await;
    let rows = vandal.rows.clone();
    for (to, from) in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)] {
        // Every choice of columns from another row: whole rows, pairs, single ones. All are under one master key.
        for choice in 1..8 {
            let mut mixed = rows[to].clone();
            (1..4)
                .filter(|column| choice & (1 << (column - 1)) != 0)
                .for_each(|column| mixed[column].clone_from(&rows[from][column]));
            vandal.refused(&format!("{choice:03b} of row {from} in row {to}"), to, mixed).await;
        }
    }
    for (to, from) in [(0, 0), (0, 1), (2, 0)] {
        let [master, id, data_key, credentials] = rows[from].clone();
        let own = rows[to].clone();
        for (what, sealed) in [
            ("columns exchanged", [&master, &id, &credentials, &data_key]),
            ("data key as credentials", [&own[0], &own[1], &own[2], &data_key]),
            ("credentials as data key", [&own[0], &own[1], &credentials, &own[3]]),
            ("key names exchanged", [&id, &master, &own[2], &own[3]]),
        ] {
            vandal.refused(&format!("{what}, row {from} in row {to}"), to, sealed.map(Clone::clone)).await;
        }
    }
    for (column, name) in COLUMNS.iter().enumerate() {
        for bit in 0..rows[0][column].len() * 8 {
            let mut flipped = rows[0].clone();
            flipped[column][bit / 8] ^= 1 << (bit % 8);
            vandal.refused(&format!("bit {bit} of {name}"), 0, flipped).await;
        }
        for (what, length) in [("empty", 0), ("cut", rows[0][column].len() - 1), ("long", 200)] {
            let mut other = rows[0].clone();
            other[column].resize(length, 0);
            vandal.refused(&format!("{what} {name}"), 0, other).await;
        }
    }
    for (what, change, undo) in [
        (
            "a connection handed to another user",
            "UPDATE connections SET user_id = 2 WHERE id = 2",
            "UPDATE connections SET user_id = 1 WHERE id = 2",
        ),
        (
            "credentials with another connection's number",
            "DELETE FROM credentials WHERE connection_id = 2;
             UPDATE credentials SET connection_id = 2 WHERE connection_id = 1",
            "UPDATE credentials SET connection_id = 1 WHERE connection_id = 2;
             INSERT INTO credentials SELECT 2, master_key, x'', x'', x'', 0 FROM credentials WHERE connection_id = 1",
        ),
    ] {
        vandal.run(change).await;
        vandal.assert_refused(what, 1).await;
        vandal.run(undo).await;
        vandal.write(1, &rows[1]).await;
    }
    for connection in vandal.connections {
        vandal.world.store.credentials(connection).await.expect("as it was, it opens");
    }
}

/// Nothing but their number is told.
#[tokio::test]
async fn the_check_counts_credentials_that_do_not_open() {
    let mut vandal = Vandal::new().await;
    vandal.world.assert_sound().await;
    let mut altered = vandal.rows[0].clone();
    altered[3][30] ^= 1;
    vandal.write(0, &altered).await;
    let mut under_another_key = vandal.rows[2].clone();
    under_another_key[0] = vec![7; 16];
    vandal.write(2, &under_another_key).await;
    let findings = vandal.world.store.check().await.unwrap();
    let found: Vec<_> = findings.iter().filter(|finding| !finding.problems.is_empty()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].check, &found[0].problems[..]), ("credentials", &["2 do not open".to_owned()][..]));
    // Whoever connects again is helped.
    let ada = vandal.world.user;
    vandal.world.store.connect(new_connection(ada, Some("a"), "newer")).await.unwrap();
    vandal.write(2, &vandal.rows[2].clone()).await;
    vandal.world.assert_sound().await;
}

#[tokio::test]
async fn the_same_account_is_renewed_and_keeps_its_data() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])]).await;
    world.store.set_status(world.connection, ConnectionStatus::ReconnectRequired).await.unwrap();
    let renewed = world.store.connect(new_connection(world.user, Some("a"), "newer")).await.unwrap();
    assert_eq!(renewed, (world.connection, false));
    let credentials = world.store.credentials(world.connection).await.unwrap().credentials;
    assert_eq!(credentials.get("access_token").unwrap().expose(), "newer");
    assert_eq!(world.store.connection(world.connection).await.unwrap().status, ConnectionStatus::Active);
    assert_eq!(world.all(false).await.len(), 1);

    let (unknown, made) = world.store.connect(new_connection(world.user, None, "x")).await.unwrap();
    assert!(made);
    assert_eq!(world.store.connect(new_connection(world.user, None, "y")).await.unwrap(), (unknown, false));

    world.store.disconnect(unknown).await.unwrap();
    world.store.set_status(unknown, ConnectionStatus::Active).await.unwrap();
    assert_eq!(world.store.connection(unknown).await.unwrap().status, ConnectionStatus::Disconnected);
    assert_eq!(world.store.credentials(unknown).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    let late = world.store.save_credentials(unknown, &Credentials::none()).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Unauthorized);
    assert_eq!(world.store.connect(new_connection(world.user, None, "z")).await.unwrap(), (unknown, false));
    assert!(world.store.credentials(unknown).await.is_ok());
}

#[tokio::test]
async fn another_or_a_missing_master_key_is_refused() {
    let world = World::new().await;
    world.store.close().await.unwrap();
    let path = world.dir.path().join("test.db");
    let key = world.dir.path().join("master.key");
    let open_with = async |source| Store::open(path.to_str().unwrap(), OpenOptions::new(source)).await;
    let other = KeySource::Text(Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    let error = open_with(other).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.get_hint().is_some(), "{error:?}");
    let saved = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let error = open_with(KeySource::File(key.clone())).await.unwrap_err();
    assert!(error.message().contains("missing") && !key.exists(), "{error:?}");
    std::fs::write(&key, b"short").unwrap();
    set_mode(&key, 0o600);
    let error = open_with(KeySource::File(key.clone())).await.unwrap_err();
    assert!(error.message().contains("5 bytes"), "{error:?}");
    for length in [0, 31, 33, 65] {
        std::fs::write(&key, saved.iter().cycle().copied().take(length).collect::<Vec<u8>>()).unwrap();
        let error = open_with(KeySource::File(key.clone())).await.unwrap_err();
        assert!(error.message().contains(&format!("{length} bytes")), "{error:?}");
    }
    // Several keys, but not that of the database.
    std::fs::write(&key, [7; 64]).unwrap();
    let error = open_with(KeySource::File(key.clone())).await.unwrap_err();
    assert!(error.message().contains("not the master key"), "{error:?}");
    std::fs::write(&key, &saved).unwrap();
    set_mode(&key, 0o640);
    let error = open_with(KeySource::File(key.clone())).await.unwrap_err();
    assert!(error.get_hint().unwrap().contains("chmod 600"), "{error:?}");
    set_mode(&key, 0o600);
    open_with(KeySource::File(key)).await.unwrap();
    for text in ["", "not base64!", "AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,"] {
        let error = open_with(KeySource::Text(Secret::new(text))).await.unwrap_err();
        assert!(error.message().contains("32 bytes in base64"), "{error:?}");
    }
}

#[tokio::test]
async fn the_key_file_is_private_and_made_once() {
    let world = World::new().await;
    let key = world.dir.path().join("master.key");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&key).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let mode =
        std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(world.dir.path().join("test.db")).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let first = std::fs::read(&key).unwrap();
    let again = open(&world.dir).await;
    assert_eq!(first, std::fs::read(&key).unwrap());
    again.credentials(world.connection).await.unwrap();
    assert_eq!(
        std::fs::read_dir(world.dir.path())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".new") })
            .count(),
        0
    );
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}
