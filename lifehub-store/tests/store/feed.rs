//! The change feed: whoever reads on misses nothing, however many write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lifehub_core::engine::SyncStore;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::world::{World, insert, put, workout};

/// A number out of the environment: how far a test reaches.
fn reach(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_feed_has_no_gap_under_two_writers() {
    no_gap(World::new().await, 2, 1, 400).await;
}

/// The whole reach is 1,000,000 records: see docs/performance.md.
#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_feed_has_no_gap_under_sixteen_writers_on_a_server() {
    let Some(scratch) = lifehub_scratch::Scratch::new().await else { return };
    let world = World::at(scratch.url(), tempfile::TempDir::new().unwrap()).await;
    no_gap(world, 16, 4, reach("LIFEHUB_FEED_RECORDS", 4_000)).await;
}

/// Processes write for one user, each through its own connection, while readers follow the feed to its end: each sees
/// each record once.
async fn no_gap(first: World, writers: u8, readers: usize, records: usize) {
    let mut worlds = vec![first];
    for n in 1..writers {
        worlds.push(worlds[0].beside(&char::from(b'a' + n).to_string()).await);
    }
    let user = worlds[0].user;
    let done = Arc::new(AtomicBool::new(false));
    let (written, _) = watch::channel(());
    let mut following = JoinSet::new();
    for reader in 0..readers {
        let store = worlds[reader % worlds.len()].store.clone();
        let (done, mut written) = (Arc::clone(&done), written.subscribe());
        following.spawn(async move {
            let (mut seen, mut last, mut next) = (0, 0, 0);
            loop {
                let over = done.load(Ordering::Acquire);
                let changes = store.changes(user, next, 7 + 90 * reader as u32).await.unwrap();
                for record in &changes.items {
                    assert!(record.seq > last, "{} after {last}", record.seq);
                    last = record.seq;
                }
                seen += changes.items.len();
                next = changes.next;
                if changes.items.is_empty() {
                    if over {
                        return seen;
                    }
                    // Fails when the last writer has ended.
                    let _ = written.changed().await;
                }
            }
        });
    }
    let each = records / worlds.len();
    let mut writing = JoinSet::new();
    for world in worlds {
        let written = written.clone();
        writing.spawn(async move {
            let mut left = each;
            for n in 0.. {
                let count = left.min(1 + n % (each / 20 + 1)).min(200);
                if count == 0 {
                    break;
                }
                let one = |k| {
                    let at = i64::try_from(n * 3600 % 50_000_000).unwrap();
                    put(&format!("{n}-{k}"), None, vec![insert(world.record_id(), workout(at, 1.0))])
                };
                world.commit((0..count).map(one).collect()).await;
                left -= count;
                written.send_replace(());
            }
            world
        });
    }
    let worlds = writing.join_all().await;
    done.store(true, Ordering::Release);
    drop(written);
    let seen = following.join_all().await;
    assert!(seen.iter().all(|seen| *seen == each * worlds.len()), "{seen:?}");
    worlds[0].assert_sound().await;
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
