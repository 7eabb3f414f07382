//! Rule 1: a batch is committed whole or not at all.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use lifehub_core::engine::{
    Anchor, BodyChange, Ended, ItemRef, ItemState, Lease, Missing, PartitionState, RecordState, Scan, Seen,
};
use lifehub_core::page::{Coverage, Cursor, Pass, PassKind};
use lifehub_core::{Error, ErrorKind, Result};
use serde_json::json;

use super::world::{World, bad, delete, equal, gone, insert, instant, put, refused, update, workout};
use super::{Outcome, Subject, Verdict};
use crate::suite::Failure;

/// Everything that one batch may hold is there after its commit.
pub(super) async fn all_of_a_batch_is_there(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let items = ["goes", "seen", "missed"].map(|id| world.new_item(id, workout(0, 1.0)));
    world.commit(items.into()).await?;
    let (goes, seen) = (world.known("goes").await?, world.known("seen").await?);
    let tombstone = delete(&world.record_of("goes").await?);

    let mut batch = world.batch(vec![
        world.new_item("new", workout(60, 2.0)),
        bad("bad", None, "it is odd", &json!([1])),
        gone("goes", goes.item, vec![tombstone]),
    ]);
    for put in &mut batch.puts {
        put.sighting.generation = 2;
    }
    batch.seen = Some(Seen { items: vec![seen.item], generation: 2, observed: instant(9) });
    batch.hold = Some(Missing { covers: Coverage::Whole, generation: 2 });
    batch.state = PartitionState { generation: 3, ..PartitionState::default() };
    batch.run.resume_at = Some(instant(77));
    let run = batch.run.clone();
    world.commit_batch(batch).await?;

    equal(world.live().await?, ["missed", "new", "seen"], "the live records")?;
    let of_goes = world.published_of("goes").await?;
    equal(&of_goes["deleted"], &json!(true), "whether the record of the item that went is a tombstone")?;
    equal(world.known("goes").await?.sighting.state, ItemState::Gone, "the item that went")?;
    let quarantined = world.store.quarantine(&world.connection).await?;
    let shown: Vec<_> = quarantined.iter().map(|q| (q.external_id.as_str(), q.reason.as_str())).collect();
    equal(shown, [("bad", "it is odd")], "the quarantine")?;
    equal(world.known("seen").await?.sighting.generation, 2, "the mark of what was seen")?;
    equal(world.known("missed").await?.held, true, "the mark of what a held sweep missed")?;
    equal(world.storage.resume(&world.key()).await?.generation, 3, "the state of the partition")?;
    equal(world.storage.latest(world.connection.id).await?, Some(run), "the entry in the ledger")?;
    Ok(Outcome::Passed)
}

/// A batch that cannot be applied is refused, and everything is as it was.
pub(super) async fn a_batch_that_fails_changes_nothing(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1000.0))]).await?;
    let other = world.beside(world.user, "two").await?;
    other.commit(vec![other.new_item("a", workout(0, 1000.0))]).await?;
    let (item, record) = (world.known("a").await?.item, world.record_of("a").await?);
    let unknown = {
        let mut unknown = record.clone();
        unknown.record = world.record_id();
        unknown
    };
    let elsewhere = other.known("a").await?.item;
    let nowhere = ItemRef(item.0.max(elsewhere.0) + 99);
    let good = || world.new_item("b", workout(60, 500.0));
    let with = |put| world.batch(vec![good(), put]);
    let seen = |items| {
        let mut batch = world.batch(vec![good()]);
        batch.seen = Some(Seen { items, generation: 2, observed: instant(9) });
        batch
    };
    let failing = [
        ("a new item that exists", with(put("a", None, vec![]))),
        ("the same new item twice", world.batch(vec![good(), good()])),
        ("an item row that does not exist", with(put("c", Some(nowhere), vec![]))),
        ("an item row of another connection", with(put("a", Some(elsewhere), vec![]))),
        ("another item's row", with(put("c", Some(item), vec![]))),
        ("a record id that exists", with(put("c", None, vec![insert(record.record, workout(0, 1.0))]))),
        (
            "an update of a record that does not exist",
            with(put("a", Some(item), vec![update(&unknown, workout(0, 2.0))])),
        ),
        ("a deletion of a record that does not exist", with(put("a", Some(item), vec![delete(&unknown)]))),
        ("a seen row that does not exist", seen(vec![item, nowhere])),
        ("a seen row of another connection", seen(vec![item, elsewhere])),
        ("a batch of another connection than the lease", other.batch(vec![good()])),
    ];
    let before = world.snapshot(&["a", "b", "c"]).await?;
    let before_other = other.snapshot(&["a", "b", "c"]).await?;
    for (what, mut batch) in failing {
        batch.state.generation = 9;
        batch.run.resume_at = Some(instant(1));
        refused(world.storage.commit(&world.lease, batch).await, ErrorKind::Internal, what)?;
        world.unchanged(&["a", "b", "c"], &before, what).await?;
        other.unchanged(&["a", "b", "c"], &before_other, what).await?;
    }
    let mut late = world.batch(vec![good()]);
    late.state.generation = 9;
    let lease = Lease { epoch: world.lease.epoch + 1, ..world.lease.clone() };
    refused(world.storage.commit(&lease, late).await, ErrorKind::LeaseLost, "a lease that was never given")?;
    world.unchanged(&["a", "b", "c"], &before, "a lease that was never given").await?;
    // And the store goes on.
    world.commit(vec![good()]).await?;
    equal(world.live().await?, ["a", "b"], "the live records afterwards")?;
    Ok(Outcome::Passed)
}

/// No item, one, and thousands: all of them are there.
pub(super) async fn any_number_of_items_fits_in_a_batch(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    for count in [0, 1, 2, 5000_i64] {
        let id = |n| format!("{count}-{n}");
        let puts = (0..count).map(|n| world.new_item(&id(n), workout(n, 1.0)));
        world.commit(puts.collect()).await?;
        let ids: Vec<String> = (0..count).map(id).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let known = world.storage.known(&world.key(), &ids).await?;
        equal(known.len(), ids.len(), format!("known items after a batch of {count}"))?;
        let items: Vec<_> = known.iter().map(|known| known.item).collect();
        let records = world.storage.records_of(&world.key(), &items).await?;
        equal(records.len(), ids.len(), format!("records after a batch of {count}"))?;
        world.see(items, 5, instant(1)).await?;
        let stamped = Missing { covers: Coverage::Whole, generation: 5 };
        equal(
            world.storage.count(&world.key(), stamped).await?.missing,
            0,
            format!("items that a stamp of {count} missed"),
        )?;
    }
    Ok(Outcome::Passed)
}

/// The state of a partition is what was committed last, down to every member.
pub(super) async fn a_state_comes_back_as_it_was(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    equal(
        world.storage.resume(&world.key()).await?,
        PartitionState::default(),
        "the state of a partition that was never synced",
    )?;
    let cursor = |page: u64| Cursor::new(&json!({ "page": page, "path": "/ä?q=\"'\u{1f600}" }));
    let scan = |kind, second| -> Result<Scan, Error> {
        Ok(Scan {
            pass: Pass { kind, from: Some(instant(-5)), to: instant(5) },
            start: Some(cursor(1)?),
            cursor: Some(cursor(u64::MAX)?),
            generation: Some(u64::MAX),
            pages: 3,
            second,
            ended: Some(Ended {
                cursor: cursor(9)?,
                covers: Coverage::Span { from: instant(-5), to: instant(5) },
            }),
        })
    };
    let open = PartitionState {
        generation: u64::MAX,
        observed: Some(instant(1)),
        anchor: Some(Anchor { cursor: cursor(2)?, at: instant(2) }),
        live: Some(scan(PassKind::Live, false)?),
        full: Some(scan(PassKind::Full, true)?),
        full_at: Some(instant(3)),
        full_pages_at_live: Some(3),
    };
    let closed = PartitionState { live: None, full: None, generation: 1, ..open.clone() };
    for (what, state) in [("a state with both scans open", open), ("a state after they closed", closed)] {
        let mut batch = world.batch(vec![]);
        batch.state = state.clone();
        world.commit_batch(batch).await?;
        equal(world.storage.resume(&world.key()).await?, state, what)?;
    }
    Ok(Outcome::Passed)
}

/// After how many steps a commit is dropped, at most.
const STEPS: usize = 60;

/// Who syncs may stop at any moment: what a commit has begun, it ends or undoes.
pub(super) async fn a_dropped_commit_is_whole_or_nothing(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    for steps in 0..STEPS {
        let ids: Vec<String> = (0..4).map(|k| format!("{steps}-{k}")).collect();
        let batch = world.batch(ids.iter().map(|id| world.new_item(id, workout(0, 1.0))).collect());
        let (storage, lease) = (world.storage.clone(), world.lease.clone());
        let commit = Box::pin(async move { storage.commit(&lease, batch).await });
        let walked = tokio::task::spawn_blocking(move || walk(commit, steps)).await;
        let ended = walked.map_err(|_| Failure::new("a commit panicked"))?;
        // Waits for what the dropped one may still be doing.
        world.commit(vec![]).await?;
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        let known = world.storage.known(&world.key(), &names).await?.len();
        let live = world.live().await?.into_iter().filter(|id| ids.contains(id)).count();
        let half = format!("of 4 items after a commit was dropped at its step {steps}");
        equal([0, 4].contains(&known), true, format!("whether all or none, not {known}, {half} are there"))?;
        equal(live, known, format!("the records {half}"))?;
        if ended {
            equal(known, 4, format!("the items {half}, which had ended"))?;
            break;
        }
    }
    Ok(Outcome::Passed)
}

/// Polls a future whenever it is woken, so often, and drops it; tells whether it had ended.
fn walk(mut future: Pin<Box<dyn Future<Output = Result<()>> + Send>>, steps: usize) -> bool {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    for _ in 0..steps {
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return true;
        }
        bell.wait();
    }
    false
}

#[derive(Default)]
struct Bell(Mutex<bool>, Condvar);

impl Bell {
    fn wait(&self) {
        let mut rung = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = self.1.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_one();
    }
}

/// A commit whose items yield no records, or whose records go and come, leaves exactly what it says.
pub(super) async fn records_follow_their_item(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let keyed = |key: &'static str, metres| insert(world.record_id(), workout(0, metres).key(key));
    world
        .commit(vec![
            put("many", None, vec![keyed("a", 1.0), keyed("b", 2.0), keyed("c", 3.0)]),
            put("none", None, vec![]),
        ])
        .await?;
    equal(world.records_of("none").await?.len(), 0, "records of an item that yields none")?;
    let mut records = world.records_of("many").await?;
    records.sort_by(|a, b| a.key.cmp(&b.key));
    equal(records.len(), 3, "records of one item")?;
    let item = world.known("many").await?.item;
    let changes = vec![update(&records[0], workout(0, 9.0).key("a")), delete(&records[1]), keyed("d", 4.0)];
    let mut put = put("many", Some(item), changes);
    put.body = BodyChange::Keep;
    world.commit(vec![put]).await?;
    let mut found: Vec<_> =
        world.records_of("many").await?.into_iter().map(|record| (record.key, record.state)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("a", RecordState::Live),
        ("b", RecordState::Gone),
        ("c", RecordState::Live),
        ("d", RecordState::Live),
    ];
    equal(
        found.iter().map(|(key, state)| (key.as_str(), *state)).collect::<Vec<_>>(),
        expected,
        "the records after an update, a deletion and an insertion",
    )?;
    Ok(Outcome::Passed)
}
