//! Rule 18: users, connections, streams and partitions have nothing to do with each other.

use lifehub_core::clock::Zone;
use lifehub_core::engine::{Missing, PartitionKey, PartitionState, Seen};
use lifehub_core::page::Coverage;
use serde_json::json;

use super::world::{Check, World, bad, delete, equal, gone, instant, workout};
use super::{Outcome, Subject, Verdict};

/// What is read of one partition, with what could be mixed up.
async fn seen_of(world: &World, key: &PartitionKey) -> Check<String> {
    let missing = Missing { covers: Coverage::Whole, generation: 2 };
    let storage = &world.storage;
    let mut known = storage.known(key, &["a", "b"]).await?;
    known.sort_by_key(|known| known.item);
    let items: Vec<_> = known.iter().map(|known| known.item).collect();
    let mut records = storage.records_of(key, &items).await?;
    records.sort_by_key(|record| record.record);
    let raw: Vec<_> = storage.raw(key, None, 100).await?.iter().map(|item| item.known.item).collect();
    let count = storage.count(key, missing).await?;
    let held = storage.missing(key, missing, true, 100).await?.len();
    let state = storage.resume(key).await?;
    let run = storage.latest(key.connection).await?.and_then(|run| run.resume_at);
    Ok(format!("{known:?}\n{records:?}\n{raw:?}\n{count:?}\n{held} held\n{state:?}\n{run:?}"))
}

/// The same ids in other partitions, streams, connections and users: what happens in one is not seen in another.
pub(super) async fn partitions_connections_and_users_are_apart(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let second = world.beside(world.user, "two").await?;
    let stranger = world.beside(world.store.add_user(&Zone::utc()).await?, "one").await?;
    let places = [
        (&world, world.key_of("activities", "")),
        (&world, world.key_of("activities", "x")),
        (&world, world.key_of("activities", "y")),
        (&world, world.key_of("other", "x")),
        (&second, second.key_of("activities", "x")),
        (&stranger, stranger.key_of("activities", "x")),
    ];
    for (number, (of, key)) in (1..).zip(&places) {
        let mut batch = of.batch(["a", "b"].map(|id| of.new_item(id, workout(0, 1.0))).into());
        batch.partition = key.clone();
        batch.state = PartitionState { generation: number, ..PartitionState::default() };
        of.commit_batch(batch).await?;
    }
    let (acting, key) = (&world, world.key_of("activities", "x"));
    let mut before = Vec::new();
    for (of, key) in &places {
        before.push((seen_of(of, key).await?, of.published().await?.len()));
    }
    let others = [second.snapshot(&["a"]).await?, stranger.snapshot(&["a"]).await?];
    // Everything that can happen, in the second place alone.
    let [a, b] = [acting.known_in(&key, "a").await?.item, acting.known_in(&key, "b").await?.item];
    let record = acting.storage.records_of(&key, &[b]).await?.remove(0);
    let mut steps = vec![acting.batch(vec![bad("a", Some(a), "it is odd", &json!(1))])];
    steps.push(acting.batch(vec![gone("b", b, vec![delete(&record)])]));
    let mut marks = acting.batch(vec![]);
    marks.seen = Some(Seen { items: vec![b], generation: 7, observed: instant(9) });
    marks.hold = Some(Missing { covers: Coverage::Whole, generation: 7 });
    steps.push(marks);
    for mut batch in steps {
        batch.partition = key.clone();
        batch.state.generation = 99;
        acting.commit_batch(batch).await?;
    }
    for ((of, place), (before, published)) in places.iter().zip(before) {
        let what = format!("what is seen of {:?} of {}", place.partition, place.stream);
        let after = seen_of(of, place).await?;
        if *place == key {
            equal(
                before == after,
                false,
                format!("{what}, where all happened: whether it stayed as it was"),
            )?;
        } else {
            let first = before.lines().zip(after.lines()).find(|(before, after)| before != after);
            equal(first, None, what)?;
        }
        equal(of.published().await?.len(), published, "the records of a connection")?;
    }
    for (of, before) in [&second, &stranger].into_iter().zip(others) {
        let mut after = of.snapshot(&["a"]).await?;
        let mut before = before;
        if of.user == world.user {
            // They share a feed and roll-ups.
            let own = |text: &str| {
                text.lines()
                    .filter(|l| !l.starts_with("feed") && !l.starts_with("roll-ups"))
                    .collect::<Vec<_>>()
                    .join("\n")
            };
            (before, after) = (own(&before), own(&after));
        }
        let first = before.lines().zip(after.lines()).find(|(before, after)| before != after);
        equal(first, None, "what is seen of another connection")?;
    }
    Ok(Outcome::Passed)
}

/// The partitions of a stream are those with a state, of that connection and that stream.
pub(super) async fn partitions_are_those_with_a_state(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let other = world.beside(world.user, "two").await?;
    let listed = async |of: &World, stream: &str| {
        let mut keys = of.storage.partitions(of.connection.id, stream).await?;
        keys.sort();
        Ok::<_, lifehub_core::Error>(keys)
    };
    equal(
        listed(&world, "activities").await?,
        Vec::<PartitionKey>::new(),
        "the partitions of a new connection",
    )?;
    for (of, stream, partition) in [
        (&world, "activities", ""),
        (&world, "activities", "x"),
        (&world, "other", "y"),
        (&other, "activities", "z"),
    ] {
        let mut batch = of.batch(vec![]);
        batch.partition = of.key_of(stream, partition);
        of.commit_batch(batch).await?;
    }
    let expected = [world.key_of("activities", ""), world.key_of("activities", "x")];
    equal(listed(&world, "activities").await?, expected, "the partitions of the stream")?;
    equal(listed(&world, "other").await?, [world.key_of("other", "y")], "those of the other stream")?;
    equal(
        listed(&other, "activities").await?,
        [other.key_of("activities", "z")],
        "those of the other connection",
    )?;
    equal(listed(&other, "other").await?.len(), 0, "the partitions of a stream that was never synced")?;
    Ok(Outcome::Passed)
}
