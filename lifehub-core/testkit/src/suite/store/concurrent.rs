//! Rules 1 and 10 when several work at once, and what a new process finds.

use std::collections::BTreeSet;
use std::time::Duration;

use lifehub_core::clock::Zone;
use lifehub_core::engine::{Batch, Claim};
use lifehub_core::http::{Pace, QuotaKey};
use serde_json::json;
use tokio::task::JoinSet;

use super::world::{World, bad, claim, equal, instant, workout};
use super::{Outcome, Subject, Verdict};

/// Two connections of one user and one of another commit at once: nothing is lost, nothing is there twice.
pub(super) async fn writers_at_once_lose_and_double_nothing(subject: &Subject) -> Verdict {
    const BATCHES: i64 = 20;
    let world = World::open(subject).await?;
    let second = world.beside(world.user, "two").await?;
    let stranger = world.beside(world.store.add_user(&Zone::utc()).await?, "one").await?;
    let writers = [&world, &second, &stranger];
    let mut writing = JoinSet::new();
    for of in writers {
        let batches: Vec<Batch> = (0..BATCHES)
            .map(|n| {
                let items = 0..=n % 3;
                of.batch(items.map(|k| of.new_item(&format!("{n}-{k}"), workout(n, 1.0))).collect())
            })
            .collect();
        let (storage, lease) = (of.storage.clone(), of.lease.clone());
        writing.spawn(async move {
            for batch in batches {
                storage.commit(&lease, batch).await?;
            }
            Ok::<_, lifehub_core::Error>(())
        });
    }
    for written in writing.join_all().await {
        written?;
    }
    let expected: BTreeSet<String> =
        (0..BATCHES).flat_map(|n| (0..=n % 3).map(move |k| format!("{n}-{k}"))).collect();
    for of in writers {
        let live = of.live().await?;
        equal(live.len(), expected.len(), "the records after three wrote at once")?;
        equal(live.into_iter().collect::<BTreeSet<_>>() == expected, true, "whether all of them are there")?;
    }
    Ok(Outcome::Passed)
}

/// Of many who claim at once, one gets the lease.
pub(super) async fn one_of_many_claims_wins(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut last = world.lease.clone();
    for round in 1..=5 {
        world.storage.release(&last).await?;
        let mut claiming = JoinSet::new();
        for _ in 0..12 {
            let (storage, id) = (world.storage.clone(), world.connection.id);
            claiming.spawn(async move { storage.claim(id).await });
        }
        let mut held = Vec::new();
        for claim in claiming.join_all().await {
            if let Claim::Held(lease) = claim? {
                held.push(lease);
            }
        }
        equal(held.len(), 1, format!("holders after 12 claimed at once, round {round}"))?;
        last = held.remove(0);
        world.storage.renew(&last).await?;
    }
    Ok(Outcome::Passed)
}

/// A new process finds everything as the old one left it, and claims under a higher epoch.
pub(super) async fn reopening_keeps_everything(subject: &Subject) -> Verdict {
    let mut world = World::open(subject).await?;
    let items = ["a", "b"].map(|id| world.new_item(id, workout(0, 1.5)));
    let mut batch =
        world.batch(items.into_iter().chain([bad("bad", None, "it is odd", &json!([1]))]).collect());
    batch.state.generation = 7;
    world.commit_batch(batch).await?;
    world.store.remove_record(world.user, world.record_of("b").await?.record).await?;
    let key = QuotaKey::new("example", "day", "app");
    world.storage.draw(&key, instant(0), 60, 100).await?;
    let pace = Pace::new(Duration::from_secs(60), 2);
    world.storage.take(&key, instant(0), 2, pace).await?;
    world.storage.block(&key, instant(600)).await?;
    world.storage.release(&world.lease).await?;
    let before = world.snapshot(&["a", "b", "bad"]).await?;
    let Some(reopened) = world.store.reopen().await? else {
        return Ok(Outcome::NotApplicable("forgets with its process"));
    };
    world.storage = reopened.storage();
    world.store = reopened;
    world.unchanged(&["a", "b", "bad"], &before, "reopening").await?;
    equal(
        world.storage.draw(&key, instant(0), 60, 100).await?,
        40,
        "units left of a window after reopening",
    )?;
    let wait = world.storage.take(&key, instant(0), 1, pace).await?;
    equal(wait, Some(Duration::from_secs(60)), "the wait for a unit of a pace after reopening")?;
    equal(world.storage.blocked_until(&key).await?, Some(instant(600)), "a gate after reopening")?;
    let next = claim(&*world.storage, &world.connection).await?;
    equal(next.epoch > world.lease.epoch, true, "whether the epoch after reopening is higher")?;
    Ok(Outcome::Passed)
}
