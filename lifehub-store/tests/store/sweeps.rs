//! What a sweep asks: how many live items a coverage holds, and which of them the pass missed.

use lifehub_core::engine::{ItemState, Missing, Seen, SyncStore};
use lifehub_core::page::Coverage;

use crate::world::{World, instant, put};

#[tokio::test]
async fn counts_and_lists_what_a_pass_missed() {
    let world = World::new().await;
    let item = |n: i64| {
        let mut put = put(&n.to_string(), None, vec![]);
        put.sighting.at = (n != 9).then(|| instant(n));
        put.sighting.version = Some(u64::MAX - n.cast_unsigned());
        put
    };
    let mut gone = item(8);
    gone.sighting.state = ItemState::Gone;
    world.commit((0..8).map(item).chain([gone, item(9)]).collect()).await;
    let mut batch = world.batch(vec![]);
    let seen = vec![world.known("3").await.item];
    batch.seen = Some(Seen { items: seen, generation: 2, observed: instant(5) });
    world.store.commit(&world.lease, batch).await.unwrap();

    let span = Coverage::Span { from: instant(1), to: instant(6) };
    let missing = |covers, generation| Missing { covers, generation };
    let count = async |of| {
        let counted = world.store.count(&world.key(), of).await.unwrap();
        (counted.covered, counted.missing, counted.held)
    };
    assert_eq!(count(missing(span, 2)).await, (4, 3, 0));
    assert_eq!(count(missing(Coverage::Whole, 2)).await, (9, 8, 0));
    assert_eq!(count(missing(Coverage::Whole, 1)).await, (9, 0, 0));
    assert_eq!(count(missing(Coverage::Nothing, 9)).await, (0, 0, 0));

    let mut batch = world.batch(vec![]);
    batch.hold = Some(missing(span, 2));
    world.store.commit(&world.lease, batch).await.unwrap();
    assert_eq!(count(missing(Coverage::Whole, 2)).await, (9, 8, 3));
    let list = async |only_held, limit| {
        let found =
            world.store.missing(&world.key(), missing(Coverage::Whole, 2), only_held, limit).await.unwrap();
        let mut ids: Vec<_> = found.into_iter().map(|known| known.sighting.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(list(true, 10).await, ["2", "4", "5"]);
    assert_eq!(list(false, 10).await, ["0", "1", "2", "4", "5", "6", "7", "9"]);
    assert_eq!(list(false, 3).await.len(), 3);
    let known = world.known("2").await;
    assert!(
        known.held && known.sighting.at == Some(instant(2)) && known.sighting.version == Some(u64::MAX - 2)
    );

    // Seen again, the mark goes.
    let mut batch = world.batch(vec![]);
    batch.seen = Some(Seen { items: vec![known.item], generation: 3, observed: instant(6) });
    world.store.commit(&world.lease, batch).await.unwrap();
    assert!(!world.known("2").await.held);
}

#[tokio::test]
async fn an_id_may_be_any_text() {
    let world = World::new().await;
    let ids = ["", "ä", "a\u{0}b", "a\u{0}c", "'; DROP TABLE items; --", "\u{fffd}"];
    world.commit(ids.iter().map(|id| put(id, None, vec![])).collect()).await;
    for id in ids {
        assert_eq!(world.known(id).await.sighting.id, *id);
    }
    assert!(world.store.known(&world.key(), &["a"]).await.unwrap().is_empty());
}
