//! Every fault of a store, as a caller meets it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Clock, ManualClock, Timestamp};
use lifehub_core::engine::{
    Batch, Claim, Dues, Lease, Leases, PartitionKey, PartitionState, Report, RunEntry, Runs, SyncStore,
};
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::{ConnectionId, RunId};
use lifehub_core::{ErrorKind, Result};
use lifehub_testkit::{At, FaultyStore, StoreFault};

const ID: [u8; 16] = [3; 16];

fn connection() -> ConnectionId {
    ConnectionId::from_bytes(ID)
}

fn key() -> PartitionKey {
    PartitionKey { connection: connection(), stream: "s".into(), partition: String::new() }
}

/// A batch after which the partition stands at that generation.
fn batch(generation: u64) -> Batch {
    Batch {
        partition: key(),
        now: Timestamp::EPOCH,
        puts: vec![],
        seen: None,
        hold: None,
        taken: None,
        state: PartitionState { generation, ..PartitionState::default() },
        run: RunEntry {
            id: RunId::from_bytes(ID),
            epoch: 1,
            started_at: Timestamp::EPOCH,
            finished_at: None,
            resume_at: None,
            dues: Dues::default(),
            report: Report::new(connection(), "example"),
        },
    }
}

async fn generation(store: &FaultyStore) -> Result<u64> {
    store.resume(&key()).await.map(|state| state.generation)
}

async fn held() -> (Arc<FaultyStore>, Lease) {
    let store = FaultyStore::new(Arc::new(MemoryStore::new()));
    let Claim::Held(lease) = store.claim(connection()).await.unwrap() else { panic!("it is new") };
    (store, lease)
}

#[tokio::test]
async fn one_call_or_commit_fails_before_or_after_it_is_done() {
    for (at, first, second, stands) in [
        (At::BeforeCommit(1), false, true, 0),
        (At::AfterCommit(1), false, true, 1),
        (At::BeforeCommit(2), true, false, 1),
        (At::AfterCommit(2), true, false, 2),
        // Between the commits one reads: call 3 is the second commit.
        (At::BeforeCall(3), true, false, 1),
        (At::AfterCall(3), true, false, 2),
    ] {
        let (store, lease) = held().await;
        store.set(StoreFault::Fails(at));
        let done = store.commit(&lease, batch(1)).await;
        assert_eq!(done.is_ok(), first, "{at:?}");
        let between = generation(&store).await.unwrap();
        let done = store.commit(&lease, batch(2)).await;
        assert_eq!(done.is_ok(), second, "{at:?}");
        let failed_at = if first { generation(&store).await.unwrap() } else { between };
        assert_eq!(failed_at, stands, "{at:?}");
        assert!(!store.has_crashed(), "{at:?}");
    }
}

#[tokio::test]
async fn after_a_crash_nothing_works_until_the_restart_which_frees_leases() {
    let (store, lease) = held().await;
    store.set(StoreFault::Crash(At::AfterCommit(1)));
    assert_eq!(generation(&store).await.unwrap(), 0, "before the crash all is well");
    let error = store.commit(&lease, batch(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(store.has_crashed());
    assert!(generation(&store).await.is_err() && store.release(&lease).await.is_err());
    store.restart().await.unwrap();
    assert_eq!(generation(&store).await.unwrap(), 1, "the commit was done");
    assert!(store.renew(&lease).await.is_err());
    assert!(matches!(store.claim(connection()).await.unwrap(), Claim::Held(next) if next.epoch == 2));
}

#[tokio::test]
async fn a_full_store_refuses_commits_alone_and_one_that_is_gone_everything() {
    let (store, lease) = held().await;
    store.set(StoreFault::Full);
    let error = store.commit(&lease, batch(1)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::StorageFull && error.get_hint().is_some());
    assert_eq!(generation(&store).await.unwrap(), 0);
    store.renew(&lease).await.unwrap();
    store.set(StoreFault::Gone);
    assert!(generation(&store).await.unwrap_err().is_temporary());
    assert!(store.latest(connection()).await.is_err() && store.renew(&lease).await.is_err());
    store.set(StoreFault::None);
    store.commit(&lease, batch(1)).await.unwrap();
}

#[tokio::test]
async fn slowness_is_by_the_clock_and_everything_is_counted() {
    let (store, lease) = held().await;
    let clock = Arc::new(ManualClock::at(Timestamp::EPOCH));
    store.set(StoreFault::Slow(clock.clone(), Duration::from_secs(7)));
    store.take();
    store.commit(&lease, batch(1)).await.unwrap();
    generation(&store).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_secs(14));
    let asked = store.take();
    assert_eq!((asked.calls, asked.commits, asked.puts, asked.stamps), (2, 1, 0, 0));
    assert_eq!(store.take().calls, 0);
}
