//! What the file promises, whatever happens to the program or the disk.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use custom_store::{FileStore, Key};
use lifehub_core::clock::{SystemClock, Timestamp};
use lifehub_core::engine::{
    Batch, Claim, Dues, Lease, Leases, PartitionKey, PartitionState, Report, RunEntry, SyncStore,
};
use lifehub_core::http::{QuotaKey, QuotaLedger};
use lifehub_core::oauth::Vault;
use lifehub_core::record::{ConnectionId, RunId};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind, Result};
use serde_json::Value;
use tempfile::TempDir;

fn id() -> ConnectionId {
    ConnectionId::from_bytes([1; 16])
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("life.json")
    }

    fn open(&self) -> Result<FileStore> {
        FileStore::open(self.path(), Key::new([7; 32]), Arc::new(SystemClock::default()))
    }

    #[track_caller]
    fn refused(&self) -> Error {
        self.open().map(|_| "it opens").unwrap_err()
    }
}

fn key() -> PartitionKey {
    PartitionKey { connection: id(), stream: "entries".into(), partition: String::new() }
}

async fn claim(store: &FileStore) -> Lease {
    match store.claim(id()).await.unwrap() {
        Claim::Held(lease) => lease,
        Claim::Busy { epoch } => panic!("busy under {epoch}"),
    }
}

/// A batch that changes nothing but the generation.
fn batch(generation: u64) -> Batch {
    let run = RunEntry {
        id: RunId::from_bytes([2; 16]),
        epoch: 1,
        started_at: Timestamp::EPOCH,
        finished_at: None,
        resume_at: None,
        dues: Dues::default(),
        report: Report::new(id(), "example"),
    };
    let state = PartitionState { generation, ..PartitionState::default() };
    Batch {
        partition: key(),
        now: Timestamp::EPOCH,
        puts: vec![],
        seen: None,
        hold: None,
        taken: None,
        state,
        run,
    }
}

async fn generation(store: &FileStore) -> u64 {
    store.resume(&key()).await.unwrap().generation
}

#[tokio::test]
async fn a_write_that_fails_changes_nothing_in_memory_or_on_disk() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    let lease = claim(&store).await;
    store.commit(&lease, batch(1)).await.unwrap();
    let before = fs::read(folder.path()).unwrap();

    // No draft can be written where a folder stands.
    let draft = folder.0.path().join("life.json.new");
    fs::create_dir(&draft).unwrap();
    let error = store.commit(&lease, batch(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
    let quota = QuotaKey::new("example", "day", "app");
    assert!(store.draw(&quota, Timestamp::EPOCH, 1, 10).await.is_err());
    assert_eq!(generation(&store).await, 1);
    assert_eq!(fs::read(folder.path()).unwrap(), before);

    fs::remove_dir(draft).unwrap();
    store.commit(&lease, batch(2)).await.unwrap();
    assert_eq!(store.draw(&quota, Timestamp::EPOCH, 99, 10).await.unwrap(), 10);
    drop(store);
    assert_eq!(generation(&folder.open().unwrap()).await, 2);
}

#[tokio::test]
async fn the_draft_of_a_dead_program_is_not_read() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    let lease = claim(&store).await;
    store.commit(&lease, batch(1)).await.unwrap();
    drop(store);
    let half = fs::read(folder.path()).unwrap();
    fs::write(folder.0.path().join("life.json.new"), &half[..half.len() / 2]).unwrap();
    let store = folder.open().unwrap();
    assert_eq!(generation(&store).await, 1);
    assert_eq!(claim(&store).await.epoch, 2);
    drop(store);
    assert_eq!(claim(&folder.open().unwrap()).await.epoch, 3);
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_is_whole() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    let lease = claim(&store).await;
    for n in 1..=30 {
        let mut commit = store.commit(&lease, batch(n));
        let polled = commit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending | Poll::Ready(Ok(()))), "{polled:?}");
    }
    // What has not begun by now is refused; the rest is done.
    store.close().await.unwrap();
    let left = generation(&store).await;
    assert_eq!(generation(&folder.open().unwrap()).await, left);
    assert_eq!(store.commit(&lease, batch(99)).await.unwrap_err().kind(), ErrorKind::Storage);
}

#[test]
fn one_program_has_the_file_open() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    let clone = store.clone();
    assert!(folder.refused().get_hint().is_some_and(|hint| hint.starts_with("end that program")));
    drop(store);
    assert_eq!(folder.refused().message(), "another program has the store open");
    drop(clone);
    assert!(folder.open().is_ok());
}

#[test]
fn a_file_that_is_not_understood_is_refused_and_left_alone() {
    for (text, kind) in [
        ("", ErrorKind::Storage),
        ("{\"format\":3,\"last_row\":0,\"last_news\":0,\"connections\":{},\"quot", ErrorKind::Storage),
        (
            "{\"format\":3,\"last_row\":0,\"last_news\":0,\"connections\":{},\"quotas\":[],\"more\":1}",
            ErrorKind::Storage,
        ),
        ("[\"a private note\"]", ErrorKind::Storage),
        ("{\"format\":9}", ErrorKind::Unsupported),
    ] {
        let folder = Folder::new();
        fs::write(folder.path(), text).unwrap();
        let error = folder.refused();
        assert_eq!(error.kind(), kind, "{text}: {error:?}");
        assert!(error.get_hint().is_some() && !format!("{error:?}").contains("private"), "{error:?}");
        assert_eq!(fs::read_to_string(folder.path()).unwrap(), text);
    }
}

#[tokio::test]
async fn credentials_open_with_their_key_and_for_their_connection_alone() {
    let folder = Folder::new();
    let other = ConnectionId::from_bytes([2; 16]);
    let store = folder.open().unwrap();
    for (connection, token) in [(id(), "one"), (other, "two")] {
        let credentials = Credentials::none().with("access_token", Secret::new(token));
        store.set_credentials(connection, &credentials).await.unwrap();
    }
    drop(store);
    let token = async |store: FileStore| {
        let held = store.credentials(id()).await?;
        Ok::<_, Error>(held.credentials.get("access_token").unwrap().expose().to_owned())
    };
    assert_eq!(token(folder.open().unwrap()).await.unwrap(), "one");

    let clock = Arc::new(SystemClock::default());
    let another = FileStore::open(folder.path(), Key::new([8; 32]), clock).unwrap();
    assert_eq!(token(another).await.unwrap_err().kind(), ErrorKind::Storage);

    let mut file: Value = serde_json::from_slice(&fs::read(folder.path()).unwrap()).unwrap();
    let rows = &mut file["connections"];
    rows[id().to_string()]["safe"] = rows[other.to_string()]["safe"].clone();
    fs::write(folder.path(), file.to_string()).unwrap();
    assert_eq!(token(folder.open().unwrap()).await.unwrap_err().kind(), ErrorKind::Storage);
}

#[cfg(unix)]
#[tokio::test]
async fn its_owner_alone_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let store = folder.open().unwrap();
    claim(&store).await;
    assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o600);
}
