//! Rule 4: what the engine asks about items and records is answered exactly.

use std::collections::BTreeSet;

use lifehub_core::engine::{ItemState, RecordState};
use lifehub_core::record::Digest;

use super::world::{World, delete, equal, gone, instant, put, update, workout};
use super::{Outcome, Subject, Verdict};

/// Those of the ids that exist, live or gone, each once; none that was not asked for.
pub(super) async fn known_gives_exactly_what_is_asked_for(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let items = ["a", "b", "c", "d"].map(|id| world.new_item(id, workout(0, 1.0)));
    world.commit(items.into()).await?;
    let item = world.known("b").await?.item;
    world.commit(vec![gone("b", item, vec![delete(&world.record_of("b").await?)])]).await?;
    for (ids, expected) in [
        (&["a", "b", "never", "d"][..], &["a", "b", "d"][..]),
        (&["never"], &[]),
        (&[], &[]),
        (&["c"], &["c"]),
    ] {
        let known = world.storage.known(&world.key(), ids).await?;
        let mut found: Vec<_> = known.iter().map(|known| known.sighting.id.as_str()).collect();
        found.sort_unstable();
        equal(found, expected, format!("what is known of {ids:?}"))?;
    }
    let nowhere = world.key_of("never", "synced");
    equal(world.storage.known(&nowhere, &["a"]).await?.len(), 0, "items of a partition without any")?;
    Ok(Outcome::Passed)
}

/// Every member of an observation is kept, and replaced by the next one.
pub(super) async fn a_sighting_comes_back_as_it_was(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut first = put("a", None, vec![]);
    first.sighting.version = Some(u64::MAX - 1);
    first.sighting.generation = u64::MAX >> 1;
    first.sighting.normalizer = u32::MAX;
    first.sighting.at = Some(instant(-1_000_000_000));
    first.sighting.observed = instant(1);
    let expected = first.sighting.clone();
    world.commit(vec![first]).await?;
    let known = world.known("a").await?;
    equal(&known.sighting, &expected, "what is known after the first commit")?;
    equal((known.quarantined, known.held), (false, false), "the marks of a new item")?;

    let mut next = put("a", Some(known.item), vec![]);
    next.sighting.hash = Digest::of_bytes(b"another body");
    next.sighting.at = None;
    next.sighting.version = None;
    next.sighting.generation = 1;
    next.sighting.observed = instant(-7);
    next.sighting.state = ItemState::Gone;
    let expected = next.sighting.clone();
    world.commit(vec![next]).await?;
    let again = world.known("a").await?;
    equal(&again.sighting, &expected, "what is known after the second commit")?;
    equal(again.item, known.item, "the row of the item")?;
    Ok(Outcome::Passed)
}

/// All records of those items, whatever their state, and of no others.
pub(super) async fn records_of_gives_exactly_those_of_the_items(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let items = ["live", "tombstone", "removed", "other"].map(|id| world.new_item(id, workout(0, 1.0)));
    world.commit(items.into()).await?;
    let (item, tombstone) = (world.known("tombstone").await?.item, world.record_of("tombstone").await?);
    world.commit(vec![gone("tombstone", item, vec![delete(&tombstone)])]).await?;
    let removed = world.record_of("removed").await?;
    world.store.remove_record(world.user, removed.record).await?;

    let mut rows = Vec::new();
    for (id, state) in
        [("live", RecordState::Live), ("tombstone", RecordState::Gone), ("removed", RecordState::Removed)]
    {
        let item = world.known(id).await?.item;
        rows.push(item);
        let records = world.storage.records_of(&world.key(), &[item]).await?;
        let found: Vec<_> = records.iter().map(|r| (r.item, r.state, r.dataset.as_str())).collect();
        equal(found, [(item, state, "workout")], format!("the records of the item {id:?}"))?;
    }
    let all = world.storage.records_of(&world.key(), &rows).await?;
    let of: BTreeSet<_> = all.iter().map(|record| record.item).collect();
    equal((all.len(), of), (3, rows.into_iter().collect()), "the records of three items")?;
    equal(world.storage.records_of(&world.key(), &[]).await?.len(), 0, "the records of no item")?;
    Ok(Outcome::Passed)
}

/// What is known of a record is what was committed last: digest, day, key, dataset.
pub(super) async fn a_known_record_is_what_was_committed(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let first = workout(0, 1.0).key("k");
    world.commit(vec![world.new_item("a", first.clone())]).await?;
    let item = world.known("a").await?.item;
    for record in [first, workout(100_000, 2.0).key("k")] {
        let known = world.record_of("a").await?;
        world.commit(vec![put("a", Some(item), vec![update(&known, record.clone())])]).await?;
        let found = world.record_of("a").await?;
        let day = record.day(&lifehub_core::clock::Zone::utc());
        equal(
            (found.record, found.key.as_str(), found.day, found.digest),
            (known.record, "k", day, record.digest(day)),
            "what is known of the record",
        )?;
    }
    Ok(Outcome::Passed)
}

/// Ids of items, streams, partitions and records are told apart, whatever text they are.
pub(super) async fn an_id_may_be_any_text(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let long = "x".repeat(10_000);
    let longer = format!("{long}y");
    let ids = [
        "a",
        "A",
        "a ",
        " a",
        "ä",
        "a\u{308}",
        "a\u{0}b",
        "a\u{0}c",
        "'; DROP TABLE items; --",
        "%",
        "_",
        "\u{fffd}",
        "\u{1f600}",
        "\"",
        "\\",
        "1",
        "01",
        "1.0",
        "null",
        "\n",
        &long,
        &longer,
    ];
    for id in ids.iter().chain(&ids) {
        // Known at once, and still so when all others are there.
        if world.storage.known(&world.key(), &[id]).await?.is_empty() {
            world.commit(vec![world.new_item(id, workout(0, 1.0))]).await?;
        }
        let start: String = id.chars().take(20).collect();
        let known = world.known(id).await?;
        equal(known.sighting.id == **id, true, format!("whether the id {start:?} comes back as it was"))?;
        let found = world.published_of(id).await?;
        equal(&found["external_id"], *id, format!("the published id of {start:?}"))?;
    }
    for name in ids {
        let mut batch = world.batch(vec![world.new_item("a", workout(0, 1.0).key(name.to_owned()))]);
        batch.partition = world.key_of(name, name);
        world.commit_batch(batch).await?;
    }
    for name in ids {
        let key = world.key_of(name, name);
        let listed = world.storage.partitions(world.connection.id, name).await?;
        equal(listed == [key.clone()], true, "whether a stream and its partition come back as they were")?;
        let item = world.known_in(&key, "a").await?.item;
        let records = world.storage.records_of(&key, &[item]).await?;
        equal(records.len() == 1 && records[0].key == name, true, "whether a key comes back as it was")?;
    }
    Ok(Outcome::Passed)
}
