//! News by webhook: kept until a run takes it, with the very commit that stores it.

use lifehub_core::ErrorKind;
use lifehub_core::engine::{Arrival, Lease, MOST_NEWS, StreamNews, StreamNewsKind};
use lifehub_core::page::{Item, RawItem};
use serde_json::json;

use super::world::{Check, World, claim, equal, instant, put, raw, refused, workout};
use super::{Outcome, Subject, Verdict};

/// The latest number that there can be.
const ALL: u64 = i64::MAX.unsigned_abs();

fn mark(stream: &str) -> StreamNews {
    StreamNews { stream: stream.to_owned(), what: StreamNewsKind::Changed }
}

fn item_of(stream: &str, partition: &str, item: Item) -> StreamNews {
    let what = StreamNewsKind::Item { partition: partition.to_owned(), item };
    StreamNews { stream: stream.to_owned(), what }
}

fn gone(id: &str) -> StreamNews {
    item_of("activities", "", Item::Gone { id: id.to_owned(), version: None })
}

impl World {
    /// Delivers to the account of this connection.
    async fn deliver(&self, seconds: i64, news: &[StreamNews]) -> Check<()> {
        let account = self.connection.account.clone().unwrap_or_default();
        let reached = self.storage.deliver("example", &account, instant(seconds), news).await?;
        equal(reached.contains(&self.connection.id), true, "whether a delivery reaches its account")
    }

    /// The streams for which something waits, each with how many items do.
    async fn waits(&self) -> Check<Vec<(String, usize)>> {
        let mut waits = Vec::new();
        for waiting in self.storage.waiting(self.connection.id).await? {
            let items = self.arrivals(&waiting.stream).await?.len();
            waits.push((waiting.stream, items));
        }
        waits.sort();
        Ok(waits)
    }

    async fn arrivals(&self, stream: &str) -> Check<Vec<Arrival>> {
        Ok(self.storage.arrivals(self.connection.id, stream, 0, 100_000).await?)
    }

    /// The ids of the items of a stream that went, in the order in which they wait.
    async fn went(&self, stream: &str) -> Check<Vec<String>> {
        let id = |arrival: Arrival| match arrival.item {
            Item::Gone { id, .. } => id,
            other => format!("{other:?}"),
        };
        Ok(self.arrivals(stream).await?.into_iter().map(id).collect())
    }

    /// The number of the latest news of a stream.
    async fn last(&self, stream: &str) -> Check<Option<u64>> {
        let waiting = self.storage.waiting(self.connection.id).await?;
        Ok(waiting.into_iter().find(|waiting| waiting.stream == stream).map(|waiting| waiting.last))
    }
}

/// Whatever a provider tells comes back to the last bit, in its order.
pub(super) async fn news_comes_back_as_it_was(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let whole = |id: &str, at, version| {
        let body = raw(&json!({ "id": id, "text": "ä\u{1f600}" }));
        Item::Put(RawItem { id: id.to_owned(), at, version, body })
    };
    let items = [
        ("", whole("a", Some(instant(-5)), Some(u64::MAX))),
        ("p/ä", whole("b", None, None)),
        ("", Item::Gone { id: "a".to_owned(), version: Some(7) }),
        ("", Item::Gone { id: "c".to_owned(), version: None }),
        ("", Item::Broken { body: raw(&json!([1])), reason: "it is odd".to_owned() }),
    ];
    let news: Vec<_> = items.iter().map(|(of, item)| item_of("activities", of, item.clone())).collect();
    world.deliver(3, &news[..2]).await?;
    world.deliver(1, &[mark("activities"), item_of("zones", "", items[0].1.clone())]).await?;
    world.deliver(2, &news[2..]).await?;

    let arrivals = world.arrivals("activities").await?;
    let found = arrivals.iter().map(|arrival| (arrival.partition.as_str(), arrival.item.clone()));
    equal(found.collect::<Vec<_>>(), items, "the items that wait")?;
    let observed: Vec<_> = arrivals.iter().map(|arrival| arrival.observed).collect();
    equal(observed, [3, 3, 2, 2, 2].map(instant), "when they came")?;
    equal(arrivals.is_sorted_by_key(|arrival| arrival.seq), true, "whether their numbers rise")?;
    equal(world.waits().await?, [("activities".into(), 5), ("zones".into(), 1)], "the streams")?;
    let some = world.storage.arrivals(world.connection.id, "activities", arrivals[1].seq, 2).await?;
    equal(some, arrivals[2..4].to_vec(), "two of them after the second")?;
    Ok(Outcome::Passed)
}

/// An account is reached through all its connections, and nobody else is.
pub(super) async fn news_reaches_its_account_alone(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let user = world.store.add_user(&lifehub_core::clock::Zone::utc()).await?;
    let (same, other) = (world.beside(user, "one").await?, world.beside(user, "two").await?);
    let deliver = async |provider: &str, account: &str| -> Check<_> {
        let mut reached = world.storage.deliver(provider, account, instant(1), &[gone("a")]).await?;
        reached.sort();
        Ok(reached)
    };
    for (provider, account) in [("example", "three"), ("example", ""), ("another", "one"), ("example", "ONE")]
    {
        let reached = deliver(provider, account).await?;
        equal(reached, vec![], format!("whom news of {account:?} at {provider} reaches"))?;
    }
    let mut both = vec![world.connection.id, same.connection.id];
    both.sort();
    equal(deliver("example", "one").await?, both, "whom news of an account reaches")?;
    for (reached, items) in [(&world, 1), (&same, 1), (&other, 0)] {
        equal(reached.arrivals("activities").await?.len(), items, "what waits for a connection")?;
    }
    // Nothing is news too: it tells whose account it is.
    equal(
        world.storage.deliver("example", "two", instant(1), &[]).await?,
        [other.connection.id],
        "whose it is",
    )?;
    equal(other.waits().await?, vec![], "what waits after no news")?;
    Ok(Outcome::Passed)
}

/// What a commit stores leaves the inbox with it, and nothing else does.
pub(super) async fn news_leaves_with_its_commit(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let elsewhere = |stream, partition| {
        item_of(stream, partition, Item::Gone { id: "elsewhere".to_owned(), version: None })
    };
    let others = [mark("activities"), elsewhere("activities", "p"), elsewhere("zones", "")];
    world.deliver(1, &[gone("a"), gone("b")]).await?;
    world.deliver(2, &others).await?;
    world.deliver(3, &[gone("c")]).await?;
    let second = world.arrivals("activities").await?[1].seq;
    let taking = |puts| {
        let mut batch = world.batch(puts);
        batch.taken = Some(second);
        batch
    };

    // Twice the same new item: that cannot be.
    let wrong = taking(vec![put("x", None, vec![]), put("x", None, vec![])]);
    refused(world.storage.commit(&world.lease, wrong).await, ErrorKind::Internal, "a wrong batch")?;
    let all = ["a", "b", "elsewhere", "c"];
    equal(world.went("activities").await?, all, "what waits after a commit that failed")?;
    world.commit_batch(taking(vec![world.new_item("x", workout(0, 1.0))])).await?;
    equal(world.went("activities").await?, ["elsewhere", "c"], "what waits after the commit")?;
    equal(
        world.waits().await?,
        [("activities".into(), 2), ("zones".into(), 1)],
        "the streams after the commit",
    )?;
    world.commit_batch(taking(vec![])).await?;
    equal(world.went("activities").await?, ["elsewhere", "c"], "what waits after it once more")?;
    let last = world.last("activities").await?.unwrap_or_default();
    world.storage.forget(&world.lease, "activities", last).await?;
    equal(world.waits().await?, [("zones".into(), 1)], "what waits after a stream was forgotten")?;
    Ok(Outcome::Passed)
}

/// Who lost the lease takes nothing and forgets nothing.
pub(super) async fn a_late_worker_takes_no_news(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.deliver(1, &[gone("a"), mark("zones")]).await?;
    let late = world.lease.clone();
    world.storage.release(&late).await?;
    let now = claim(&*world.storage, &world.connection).await?;
    let never = Lease { epoch: now.epoch + 1, ..now.clone() };
    for (what, lease) in [("an older lease", &late), ("a lease that was never given", &never)] {
        let mut batch = world.batch(vec![]);
        batch.taken = Some(ALL);
        refused(world.storage.commit(lease, batch).await, ErrorKind::LeaseLost, what)?;
        let forgotten = world.storage.forget(lease, "zones", ALL).await;
        refused(forgotten, ErrorKind::LeaseLost, format!("forgetting under {what}"))?;
    }
    equal(world.waits().await?, [("activities".into(), 1), ("zones".into(), 0)], "what waits after it")?;
    world.storage.forget(&now, "zones", ALL).await?;
    equal(world.waits().await?, [("activities".into(), 1)], "what waits after the holder forgot")?;
    Ok(Outcome::Passed)
}

/// One mark waits for a stream, the latest, and its number is not that of one before.
pub(super) async fn the_latest_mark_waits(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut known = 0;
    for round in 1..5 {
        world.deliver(round, &[mark("activities"), mark("activities")]).await?;
        let last = world.last("activities").await?.unwrap_or_default();
        equal(last > known, true, format!("whether the number of mark {round} is higher than {known}"))?;
        // Who knows the one before forgets that, and not this.
        world.storage.forget(&world.lease, "activities", known).await?;
        equal(world.last("activities").await?, Some(last), format!("whether mark {round} waits"))?;
        known = last;
    }
    world.storage.forget(&world.lease, "activities", known).await?;
    equal(world.waits().await?, vec![], "what waits after the last was forgotten")?;
    world.deliver(9, &[gone("a")]).await?;
    let next = world.last("activities").await?.unwrap_or_default();
    equal(next > known, true, format!("whether a number after {known} was forgotten is higher"))?;
    Ok(Outcome::Passed)
}

/// What would be too much becomes marks, so that nothing is lost and nothing grows without end.
pub(super) async fn too_much_news_becomes_marks(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let many: Vec<_> = (0..MOST_NEWS - 1).map(|n| gone(&n.to_string())).collect();
    world.deliver(1, &many).await?;
    world.deliver(2, &[mark("sleep")]).await?;
    let full = [("activities".to_owned(), MOST_NEWS - 1), ("sleep".to_owned(), 0)];
    equal(world.waits().await?, full, "what waits when the inbox is full")?;
    let known = world.last("activities").await?.unwrap_or_default();
    world.deliver(3, &[item_of("zones", "", Item::Gone { id: "z".into(), version: None })]).await?;
    let marks = ["activities", "sleep", "zones"].map(|stream| (stream.to_owned(), 0));
    equal(world.waits().await?, marks, "what waits when it would be too much")?;
    equal(world.last("activities").await? > Some(known), true, "whether its mark is newer")?;
    world.deliver(4, &[gone("a")]).await?;
    equal(world.went("activities").await?, ["a"], "what waits after one more came")?;
    Ok(Outcome::Passed)
}

/// News makes due at once, unless its stream failed; and only while it waits.
pub(super) async fn news_makes_due_at_once(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let Some(schedule) = world.store.schedule() else {
        return Ok(Outcome::NotApplicable("it schedules nothing"));
    };
    world.storage.release(&world.lease).await?;
    let is_due = async |at| -> Check<bool> {
        let due = schedule.claim_due(&["example"], instant(at), 10).await?;
        for (_, lease) in &due {
            world.storage.release(lease).await?;
        }
        Ok(!due.is_empty())
    };
    let run = async |failures| -> Check<Lease> {
        let lease = claim(&*world.storage, &world.connection).await?;
        let mut entry = world.run_entry();
        let due = |failures| lifehub_core::engine::Due { at: instant(500), failures };
        let dues = [("activities".to_owned(), due(0)), ("zones".to_owned(), due(failures))];
        entry.dues = lifehub_core::engine::Dues(dues.into());
        world.storage.record(&lease, &entry).await?;
        Ok(lease)
    };
    let lease = run(1).await?;
    world.storage.release(&lease).await?;
    equal(is_due(0).await?, false, "whether it is due without news")?;
    world.deliver(0, &[mark("zones")]).await?;
    equal(is_due(0).await?, false, "whether news of a stream that failed makes it due")?;
    let lease = run(0).await?;
    world.storage.release(&lease).await?;
    equal(is_due(0).await?, true, "whether that is due once the stream came to its end")?;
    let lease = run(0).await?;
    world.storage.forget(&lease, "zones", ALL).await?;
    world.storage.release(&lease).await?;
    equal(is_due(0).await?, false, "whether it is due when that was forgotten")?;
    world.deliver(1, &[gone("a")]).await?;
    equal(is_due(1).await?, true, "whether an item makes it due")?;
    equal(schedule.next_due(&["example"], instant(1)).await?, None, "the next moment when it is due")?;
    let lease = run(0).await?;
    let mut batch = world.batch(vec![]);
    batch.taken = Some(ALL);
    batch.run.dues = world.storage.latest(world.connection.id).await?.map(|run| run.dues).unwrap_or_default();
    world.storage.commit(&lease, batch).await?;
    world.storage.release(&lease).await?;
    equal(is_due(1).await?, false, "whether it is due when the item was taken")?;
    equal(schedule.next_due(&["example"], instant(1)).await?, Some(instant(500)), "when it is due then")?;
    Ok(Outcome::Passed)
}

/// The inbox of a connection ends with it.
pub(super) async fn disconnecting_empties_the_inbox(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.deliver(1, &[gone("a"), mark("zones")]).await?;
    equal(world.waits().await?, [("activities".into(), 1), ("zones".into(), 0)], "what waits before it")?;
    let Some(()) = world.store.disconnect(&world.connection).await? else {
        return Ok(Outcome::NotApplicable("its users do not end connections"));
    };
    equal(world.waits().await?, vec![], "what waits for a connection that its user ended")?;
    let reached = world.storage.deliver("example", "one", instant(2), &[gone("b")]).await?;
    equal(reached, vec![], "whom news reaches after its user ended the connection")?;
    equal(world.waits().await?, vec![], "what waits after news came all the same")?;
    Ok(Outcome::Passed)
}

/// A provider that was told that it arrived does not send it again: it is there in the next process.
pub(super) async fn news_outlives_the_process(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.deliver(1, &[gone("a"), mark("zones")]).await?;
    let before = world.arrivals("activities").await?;
    let known = world.last("zones").await?;
    let Some(store) = world.store.reopen().await? else {
        return Ok(Outcome::NotApplicable("it forgets with its process"));
    };
    let world = World { storage: store.storage(), store, ..world };
    equal(world.arrivals("activities").await?, before, "the items that wait in the next process")?;
    equal(world.last("zones").await?, known, "the mark that waits in the next process")?;
    world.deliver(2, &[mark("zones")]).await?;
    equal(world.last("zones").await? > known, true, "whether numbers go on in the next process")?;
    Ok(Outcome::Passed)
}
