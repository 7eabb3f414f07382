//! Credentials are sealed, bound to their place, and of no use without the master key.

use std::path::Path;

use lifehub_core::ErrorKind;
use lifehub_core::engine::Vault;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{ConnectionStatus, KeySource, OpenOptions, Store};

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
    let clear = world.store.credentials(world.connection).await.unwrap();
    assert_eq!(clear.get("refresh_token").unwrap().expose(), CANARY);
    assert!(!holds(world.dir.path(), CANARY.as_bytes()), "beside an open WAL");
    assert!(!format!("{:?} {clear:?}", world.store).contains(CANARY));
    world.store.close().await.unwrap();
    assert!(!holds(world.dir.path(), CANARY.as_bytes()), "after closing");
    assert!(holds(world.dir.path(), b"ada@example.com"), "the search finds what is there");
}

#[tokio::test]
async fn rule_12_a_moved_or_altered_credential_does_not_open() {
    let world = World::new().await;
    let (other, _) = world.store.connect(new_connection(world.user, Some("b"), "token b")).await.unwrap();
    let eve = world.store.create_user("eve@example.com", &lifehub_core::clock::Zone::utc()).await.unwrap();
    let (stolen, _) = world.store.connect(new_connection(eve, Some("c"), "token c")).await.unwrap();
    let refused = async |sql: &'static str, connection| {
        let mut conn = world.raw().await;
        sqlx::query("CREATE TABLE saved AS SELECT * FROM credentials").execute(&mut conn).await.unwrap();
        sqlx::query(sql).execute(&mut conn).await.unwrap();
        let error = world.store.credentials(connection).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{sql}");
        for undo in [
            "DELETE FROM credentials",
            "INSERT INTO credentials SELECT * FROM saved",
            "DROP TABLE saved",
            "UPDATE connections SET user_id = 1 WHERE id < 3",
        ] {
            sqlx::query(undo).execute(&mut conn).await.unwrap();
        }
    };
    let steal = "UPDATE credentials SET (data_key_id, data_key, credentials)
        = (SELECT data_key_id, data_key, credentials FROM saved WHERE connection_id = 1) WHERE connection_id = 3";
    refused(steal, stolen).await;
    let mix = "UPDATE credentials SET credentials = (SELECT credentials FROM saved WHERE connection_id = 1)
        WHERE connection_id = 2";
    refused(mix, other).await;
    let hand_over = "UPDATE connections SET user_id = 2 WHERE id = 2";
    refused(hand_over, other).await;
    for column in ["data_key", "credentials", "data_key_id", "master_key"] {
        for byte in [1, 13] {
            // The byte after it is as good as a flipped one.
            let sql = format!(
                "UPDATE credentials SET {column} = CAST(substr({column}, 1, {byte} - 1)
                    || char((unicode(hex(substr({column}, {byte}, 1))) + 1) % 128) || substr({column}, {byte} + 1)
                    AS BLOB) WHERE connection_id = 1"
            );
            refused(Box::leak(sql.into_boxed_str()), world.connection).await;
        }
    }
    for connection in [world.connection, other, stolen] {
        world.store.credentials(connection).await.expect("as it was, it opens");
    }
}

#[tokio::test]
async fn the_same_account_is_renewed_and_keeps_its_data() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])]).await;
    world.store.set_status(world.connection, ConnectionStatus::ReconnectRequired).await.unwrap();
    let renewed = world.store.connect(new_connection(world.user, Some("a"), "newer")).await.unwrap();
    assert_eq!(renewed, (world.connection, false));
    let credentials = world.store.credentials(world.connection).await.unwrap();
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
    std::fs::write(&key, &saved).unwrap();
    set_mode(&key, 0o640);
    let error = open_with(KeySource::File(key.clone())).await.unwrap_err();
    assert!(error.get_hint().unwrap().contains("chmod 600"), "{error:?}");
    set_mode(&key, 0o600);
    open_with(KeySource::File(key)).await.unwrap();
    for text in ["", "not base64!", "AAEC"] {
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
