//! The change feed: whoever reads on misses nothing, and reads nothing twice without a change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lifehub_core::engine::{Batch, BodyChange};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::world::{Check, World, bad, delete, equal, gone, instant, put, update, workout};
use super::{Outcome, Subject, Verdict};
use crate::suite::Failure;

const NO_FEED: Outcome = Outcome::NotApplicable("keeps no feed");

fn seq(record: &Value) -> Check<u64> {
    record["seq"].as_u64().ok_or_else(|| Failure::new("a record of the feed has no seq"))
}

/// What the feed shows: external ids by number.
async fn shown(world: &World, after: u64) -> Check<Option<Vec<(u64, String)>>> {
    let Some(page) = world.store.changes(world.user, after, 500).await? else { return Ok(None) };
    let read =
        |record: &Value| Ok((seq(record)?, record["external_id"].as_str().unwrap_or_default().to_owned()));
    page.iter().map(read).collect::<Check<Vec<_>>>().map(Some)
}

fn ids(shown: &[(u64, String)]) -> Vec<&str> {
    shown.iter().map(|(_, id)| id.as_str()).collect()
}

/// Two connections write while a reader follows: numbers rise, none appears behind the reader, none is missed.
pub(super) async fn the_feed_has_no_gap_under_writers(subject: &Subject) -> Verdict {
    const BATCHES: i64 = 30;
    let world = World::open(subject).await?;
    let second = world.beside(world.user, "two").await?;
    if world.store.changes(world.user, 0, 1).await?.is_none() {
        return Ok(NO_FEED);
    }
    let done = Arc::new(AtomicBool::new(false));
    let (store, user, ended) = (world.store.clone(), world.user, done.clone());
    let reading = tokio::spawn(async move {
        let (mut seen, mut after) = (BTreeMap::new(), 0);
        loop {
            // Asked before the page is read: a page read after the last write holds all that is left.
            let last = ended.load(Ordering::Acquire);
            let page = store.changes(user, after, 7).await?.unwrap_or_default();
            equal(page.len() <= 7, true, "whether a page holds no more than asked for")?;
            for record in &page {
                let number = seq(record)?;
                equal(
                    number > after,
                    true,
                    format!("whether the number after {after} is higher ({number})"),
                )?;
                after = number;
                seen.insert(record["id"].to_string(), number);
            }
            if last && page.is_empty() {
                return Ok::<_, Failure>(seen);
            }
            tokio::task::yield_now().await;
        }
    });
    let mut writing = JoinSet::new();
    for of in [&world, &second] {
        let batches: Vec<Batch> = (0..BATCHES)
            .map(|n| {
                let items = 0..=n % 5;
                of.batch(items.map(|k| of.new_item(&format!("{n}-{k}"), workout(n, 1.0))).collect())
            })
            .collect();
        let (storage, lease, key) = (of.storage.clone(), of.lease.clone(), of.key());
        writing.spawn(async move {
            for (n, batch) in batches.into_iter().enumerate() {
                let again = batch.clone();
                storage.commit(&lease, batch).await?;
                // A change now and then, so that records move on while they are read.
                if n % 6 == 0 {
                    let known = storage.known(&key, &[&format!("{n}-0")]).await?.remove(0);
                    let record = storage.records_of(&key, &[known.item]).await?.remove(0);
                    let puts = vec![put(
                        &known.sighting.id,
                        Some(known.item),
                        vec![update(&record, workout(5, 2.0))],
                    )];
                    storage.commit(&lease, Batch { puts, ..again }).await?;
                }
            }
            Ok::<_, lifehub_core::Error>(())
        });
    }
    let written = writing.join_all().await;
    done.store(true, Ordering::Release);
    let seen = reading.await.map_err(|error| Failure::new(format!("the reader ended: {error}")))??;
    for result in written {
        result?;
    }
    let (mut expected, mut after) = (BTreeMap::new(), 0);
    loop {
        let page = world.store.changes(world.user, after, 500).await?.unwrap_or_default();
        let Some(last) = page.last() else { break };
        after = seq(last)?;
        for record in &page {
            expected.insert(record["id"].to_string(), seq(record)?);
        }
    }
    let count = usize::try_from(2 * (0..BATCHES).map(|n| 1 + n % 5).sum::<i64>()).unwrap_or_default();
    equal(expected.len(), count, "the records in the feed")?;
    let missed = expected.iter().filter(|(id, number)| seen.get(*id) != Some(number)).count();
    equal(missed, 0, "changes that a reader who follows the feed missed")?;
    Ok(Outcome::Passed)
}

/// A changed record stands at the head of the feed, and there alone.
pub(super) async fn a_changed_record_moves_to_the_head(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let items = ["a", "b", "c"].map(|id| world.new_item(id, workout(0, 1.0)));
    world.commit(items.into()).await?;
    let Some(before) = shown(&world, 0).await? else { return Ok(NO_FEED) };
    equal(ids(&before), ["a", "b", "c"], "the feed of new records")?;
    let head = before.last().map_or(0, |(number, _)| *number);
    let (item, known) = (world.known("a").await?.item, world.record_of("a").await?);
    world.commit(vec![put("a", Some(item), vec![update(&known, workout(0, 2.0))])]).await?;
    let after = shown(&world, head).await?.unwrap_or_default();
    equal(ids(&after), ["a"], "what is new in the feed after a change")?;
    let all = shown(&world, 0).await?.unwrap_or_default();
    equal(ids(&all), ["b", "c", "a"], "the feed after a change")?;
    Ok(Outcome::Passed)
}

/// What changes no record enters no feed and moves no `changed_at`.
pub(super) async fn what_is_unchanged_enters_no_feed(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let items = ["a", "b"].map(|id| world.new_item(id, workout(0, 1.0)));
    world.commit(items.into()).await?;
    let Some(before) = shown(&world, 0).await? else { return Ok(NO_FEED) };
    let published = world.published().await?;
    let item = world.known("a").await?.item;
    let mut renewed = put("a", Some(item), vec![]);
    renewed.body = BodyChange::Store(super::world::raw(&json!({ "likes": 9 })));
    let quarantined = bad("b", Some(world.known("b").await?.item), "it is odd", &json!(1));
    let mut batch = world.batch(vec![renewed, quarantined, put("none", None, vec![])]);
    batch.now = instant(60);
    world.commit_batch(batch).await?;
    world.see(vec![item], 5, instant(60)).await?;
    equal(shown(&world, 0).await?.unwrap_or_default(), before, "the feed after nothing changed")?;
    equal(world.published().await?, published, "the records after nothing changed")?;
    Ok(Outcome::Passed)
}

/// Deleted by the provider or by the user, a record enters the feed as a tombstone.
pub(super) async fn tombstones_enter_the_feed(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let items = ["a", "b", "c"].map(|id| world.new_item(id, workout(0, 1.0)));
    world.commit(items.into()).await?;
    let Some(before) = shown(&world, 0).await? else { return Ok(NO_FEED) };
    let head = before.last().map_or(0, |(number, _)| *number);
    let (item, known) = (world.known("a").await?.item, world.record_of("a").await?);
    world.commit(vec![gone("a", item, vec![delete(&known)])]).await?;
    world.store.remove_record(world.user, world.record_of("b").await?.record).await?;
    let page = world.store.changes(world.user, head, 500).await?.unwrap_or_default();
    let found: Vec<_> = page.iter().map(|r| (r["external_id"].as_str(), &r["deleted"])).collect();
    let yes = json!(true);
    equal(found, [(Some("a"), &yes), (Some("b"), &yes)], "what is new in the feed after two deletions")?;
    // Deleting what is deleted is no news.
    let news = page.last().map_or(Ok(0), seq)?;
    world.store.remove_record(world.user, world.record_of("b").await?.record).await?;
    world.commit(vec![gone("a", item, vec![delete(&known)])]).await?;
    equal(shown(&world, news).await?.unwrap_or_default(), [], "what is new after they were deleted again")?;
    Ok(Outcome::Passed)
}
