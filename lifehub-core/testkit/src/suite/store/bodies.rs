//! Rules 7 and 14: bodies and quarantine, and what a replay reads of them.

use lifehub_core::engine::{BodyChange, ItemRef, RecordState};
use serde_json::json;

use super::world::{Check, World, bad, equal, gone, insert, put, raw, workout};
use super::{Outcome, Subject, Verdict};

/// Ids and bodies that a replay reads.
async fn replayed(world: &World) -> Check<Vec<(String, String)>> {
    let items = world.storage.raw(&world.key(), None, 10_000).await?.into_iter();
    Ok(items.map(|item| (item.known.sighting.id, item.body.as_str().to_owned())).collect())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(id, body)| ((*id).to_owned(), (*body).to_owned())).collect()
}

/// A body is stored, replaced, kept where the batch says so, and gone once it is dropped.
pub(super) async fn bodies_are_stored_kept_and_dropped(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![put("a", None, vec![])]).await?;
    let item = world.known("a").await?.item;
    let with = |body| {
        let mut put = put("a", Some(item), vec![]);
        put.body = body;
        put
    };
    let check =
        async |expected: &[(&str, &str)], what: &str| equal(replayed(&world).await?, pairs(expected), what);
    check(&[("a", r#"{"id":"a"}"#)], "the body as it came").await?;
    world.commit(vec![with(BodyChange::Keep)]).await?;
    check(&[("a", r#"{"id":"a"}"#)], "the body that was to be kept").await?;
    let text = "[1.50, 2e3, \"ä\\u0000\",  {} ]";
    world.commit(vec![with(BodyChange::Store(raw(&json!("long ".repeat(50_000)))))]).await?;
    let stored = lifehub_core::page::RawJson::new(text)?;
    world.commit(vec![with(BodyChange::Store(stored))]).await?;
    check(&[("a", text)], "the body that replaced it, byte by byte").await?;
    world.commit(vec![gone("a", item, vec![])]).await?;
    check(&[], "the body of an item that is gone").await?;
    // Live again without a body: the old one must not reappear.
    world.commit(vec![with(BodyChange::Keep)]).await?;
    check(&[], "the body that was dropped").await?;
    Ok(Outcome::Passed)
}

/// An item goes into quarantine, its entry is replaced, and it comes out when a batch takes it.
pub(super) async fn quarantine_in_replaced_and_out(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let check = async |expected: &[(&str, &str)], what: &str| {
        let mut shown = world.store.quarantine(&world.connection).await?;
        shown.sort();
        let found = shown.into_iter().map(|entry| (entry.external_id, entry.reason)).collect::<Vec<_>>();
        equal(found, pairs(expected), what)
    };
    world.commit(vec![bad("a", None, "no start", &json!(1)), bad("b", None, "no end", &json!(2))]).await?;
    check(&[("a", "no start"), ("b", "no end")], "the quarantine").await?;
    let known = world.known("a").await?;
    equal(known.quarantined, true, "whether the item is known to be in quarantine")?;
    world.commit(vec![bad("a", Some(known.item), "still no start", &json!(3))]).await?;
    check(&[("a", "still no start"), ("b", "no end")], "the quarantine after another reason").await?;
    let taken = put("a", Some(known.item), vec![insert(world.record_id(), workout(0, 1.0))]);
    world.commit(vec![taken]).await?;
    check(&[("b", "no end")], "the quarantine after the item was taken").await?;
    equal(world.known("a").await?.quarantined, false, "whether the item that was taken is in quarantine")?;
    let item = world.known("b").await?.item;
    world.commit(vec![gone("b", item, vec![])]).await?;
    check(&[], "the quarantine after the item went").await?;
    Ok(Outcome::Passed)
}

/// The last good records of an item in quarantine stay published; the item is known to be stale.
pub(super) async fn records_of_a_quarantined_item_stay(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1.0))]).await?;
    let (item, before) = (world.known("a").await?.item, world.published().await?);
    world.commit(vec![bad("a", Some(item), "it is odd", &json!(1))]).await?;
    equal(world.published().await?, before, "the last good records")?;
    equal(world.record_of("a").await?.state, RecordState::Live, "the last good record")?;
    equal(world.known("a").await?.quarantined, true, "whether the item is known to be stale")?;
    Ok(Outcome::Passed)
}

/// Items come in the order of their rows, page by page, each once.
pub(super) async fn raw_goes_page_by_page(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    // In two commits, so that rows of another partition may lie between.
    for half in [0..13, 13..25] {
        let puts = half.map(|n| put(&format!("{:02}", 99 - n), None, vec![]));
        world.commit(puts.collect()).await?;
        let mut other = world.batch(vec![put("other", None, vec![])]);
        other.partition = world.key_of("activities", &world.record_id().to_string());
        world.commit_batch(other).await?;
    }
    let whole = world.storage.raw(&world.key(), None, 1000).await?;
    let rows: Vec<ItemRef> = whole.iter().map(|item| item.known.item).collect();
    equal(rows.len(), 25, "the items in one page")?;
    equal(rows.is_sorted(), true, "whether the items come in the order of their rows")?;
    for limit in [1, 2, 7, 24, 25, 26] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = world.storage.raw(&world.key(), after, limit).await?;
            equal(page.len() <= limit as usize, true, format!("whether a page holds at most {limit}"))?;
            let Some(last) = page.last() else { break };
            equal(after < Some(last.known.item), true, "whether a page goes on after the one before")?;
            after = Some(last.known.item);
            found.extend(page.into_iter().map(|item| item.known.item));
            equal(found.len() <= 25, true, "whether the pages end")?;
        }
        equal(&found, &rows, format!("the items in pages of {limit}"))?;
    }
    Ok(Outcome::Passed)
}

/// Of each live item the latest body: the quarantined one, if it is in quarantine; nothing of what is gone.
pub(super) async fn raw_gives_the_latest_body(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let items = ["good", "went bad", "goes"].map(|id| put(id, None, vec![]));
    world.commit(items.into()).await?;
    let (went_bad, goes) = (world.known("went bad").await?.item, world.known("goes").await?.item);
    let puts = vec![
        bad("went bad", Some(went_bad), "it is odd", &json!({ "odd": 1 })),
        bad("born bad", None, "it is odd", &json!({ "odd": 2 })),
        gone("goes", goes, vec![]),
    ];
    world.commit(puts).await?;
    let expected = [("good", r#"{"id":"good"}"#), ("went bad", r#"{"odd":1}"#), ("born bad", r#"{"odd":2}"#)];
    equal(replayed(&world).await?, pairs(&expected), "what a replay reads")?;
    // Good again, without a new body: the last good one counts.
    let mut good_again = put("went bad", Some(went_bad), vec![]);
    good_again.body = BodyChange::Keep;
    world.commit(vec![good_again]).await?;
    let expected =
        [("good", r#"{"id":"good"}"#), ("went bad", r#"{"id":"went bad"}"#), ("born bad", r#"{"odd":2}"#)];
    equal(replayed(&world).await?, pairs(&expected), "what a replay reads after it was taken")?;
    Ok(Outcome::Passed)
}
