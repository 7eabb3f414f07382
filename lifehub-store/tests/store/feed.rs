//! The change feed: whoever reads on misses nothing, however many write.

use std::sync::atomic::{AtomicBool, Ordering};

use lifehub_core::engine::SyncStore;

use crate::world::{World, claim, insert, new_connection, open, put, workout};

/// Two processes write for one user, each through its own connection, while a reader follows the feed.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_feed_has_no_gap_under_two_writers() {
    const BATCHES: i64 = 60;
    let first = World::new().await;
    let second = open(&first.dir).await;
    let (connection, made) = second.connect(new_connection(first.user, Some("b"), "token")).await.unwrap();
    assert!(made);
    let lease = claim(&second, connection).await;
    let second = World {
        store: second,
        connection,
        lease,
        rng: std::sync::Arc::new(lifehub_core::clock::Rng::seeded(2)),
        dir: tempfile::TempDir::new().unwrap(),
        user: first.user,
    };
    let reader = open(&first.dir).await;
    let done = AtomicBool::new(false);
    let write = async |world: &World| {
        for n in 0..BATCHES {
            let one = |k| put(&format!("{n}-{k}"), None, vec![insert(world.record_id(), workout(n, 1.0))]);
            world.commit((0..1 + n % 5).map(one).collect()).await;
        }
    };
    let writers = async {
        tokio::join!(write(&first), write(&second));
        done.store(true, Ordering::Release);
    };
    let follow = async {
        let (mut seen, mut next) = (Vec::new(), 0);
        loop {
            let last = done.load(Ordering::Acquire);
            let changes = reader.changes(first.user, next, 7).await.unwrap();
            next = changes.next;
            let empty = changes.items.is_empty();
            seen.extend(changes.items.into_iter().map(|record| record.seq));
            if last && empty {
                return seen;
            }
        }
    };
    let ((), seen) = tokio::join!(writers, follow);
    let total = 2 * (0..BATCHES).map(|n| 1 + n % 5).sum::<i64>();
    let expected: Vec<u64> = (1..=total.cast_unsigned()).collect();
    assert_eq!(seen, expected);
    first.assert_sound().await;
}

#[tokio::test]
async fn an_export_holds_every_record_once() {
    let world = World::new().await;
    let puts = (0..1203).map(|n| put(&n.to_string(), None, vec![insert(world.record_id(), workout(n, 1.0))]));
    world.commit(puts.collect()).await;
    let removed = world.records_of("77").await.remove(0);
    world.store.delete_record(world.user, removed.record).await.unwrap();
    for (deleted, expected) in [(false, 1202), (true, 1203)] {
        let mut export = world.store.export(world.user, deleted);
        let mut ids = std::collections::BTreeSet::new();
        while let Some(page) = export.next_page().await.unwrap() {
            assert!(page.len() <= 500);
            for record in page {
                assert!(ids.insert(record.external_id));
            }
        }
        assert_eq!(ids.len(), expected);
    }
    let empty = world.store.create_user("eve@example.com", &lifehub_core::clock::Zone::utc()).await.unwrap();
    assert!(world.store.export(empty, true).next_page().await.unwrap().is_none());
    // A partition that was never synced is no error.
    assert_eq!(world.store.resume(&world.key()).await.unwrap(), Default::default());
}
