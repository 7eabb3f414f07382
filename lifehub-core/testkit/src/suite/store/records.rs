//! Rules 4, 6 and 15: what becomes of published records.

use lifehub_core::clock::{Offset, Timestamp, Zone};
use lifehub_core::engine::RecordState;
use lifehub_core::record::{Moment, When};
use serde_json::{Value, json};

use super::world::{World, delete, equal, gone, instant, put, record, update, workout};
use super::{Outcome, Subject, Verdict};

/// What is published of a record says what the record says: when, on which day, what.
pub(super) async fn a_record_is_published_as_it_is(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let rome: Zone = "Europe/Rome".parse()?;
    let span = When::Span {
        start: Moment::in_zone(instant(0), rome.clone()),
        end: Moment::in_zone(instant(1800), rome),
    };
    let newfoundland = Moment::with_offset(instant(10), Offset::from_seconds(-9000)?);
    let cases = [
        (
            "span",
            span,
            [json!("2026-01-01T01:00:00+01:00"), json!("2026-01-01T01:30:00+01:00")],
            json!("Europe/Rome"),
            "2026-01-01",
        ),
        (
            "instant",
            When::At(Moment::utc(instant(5))),
            [json!("2026-01-01T00:00:05Z"), Value::Null],
            Value::Null,
            "2026-01-01",
        ),
        (
            "offset",
            When::At(newfoundland),
            [json!("2025-12-31T21:30:10-02:30"), Value::Null],
            Value::Null,
            "2025-12-31",
        ),
        ("day", When::Day("2026-02-28".parse()?), [Value::Null, Value::Null], Value::Null, "2026-02-28"),
        (
            "micros",
            When::At(Moment::utc(Timestamp::from_micros(1))),
            [json!("1970-01-01T00:00:00.000001Z"), Value::Null],
            Value::Null,
            "1970-01-01",
        ),
    ];
    let puts = cases.iter().map(|(id, when, ..)| world.new_item(id, record(when.clone(), 1234.5).key("k")));
    world.commit(puts.collect()).await?;
    for (id, _, [start, end], zone, day) in cases {
        let found = world.published_of(id).await?;
        let known = world.record_of(id).await?;
        let expected = [
            ("id", json!(known.record)),
            ("stream", json!("activities")),
            ("key", json!("k")),
            ("dataset", json!("workout")),
            ("start", start),
            ("end", end),
            ("zone", zone),
            ("day", json!(day)),
            ("body", json!({ "sport": "Run", "distance_m": 1234.5 })),
            ("changed_at", json!(instant(0))),
            ("deleted", json!(false)),
        ];
        for (member, expected) in expected {
            equal(&found[member], &expected, format!("{member:?} of the record {id:?}"))?;
        }
    }
    Ok(Outcome::Passed)
}

/// A changed record says something else under the same id, from that moment on; its neighbour stays as it was.
pub(super) async fn a_changed_record_keeps_its_id(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1.0)), world.new_item("b", workout(0, 1.0))]).await?;
    let (before, neighbour) = (world.published_of("a").await?, world.published_of("b").await?);
    let (item, known) = (world.known("a").await?.item, world.record_of("a").await?);
    let mut batch = world.batch(vec![put("a", Some(item), vec![update(&known, workout(100_000, 2.0))])]);
    batch.now = instant(60);
    world.commit_batch(batch).await?;
    let after = world.published_of("a").await?;
    equal(&after["id"], &before["id"], "the id of a changed record")?;
    equal(&after["body"]["distance_m"], &json!(2.0), "the body of a changed record")?;
    equal(&after["day"], &json!("2026-01-02"), "the day of a changed record")?;
    equal(&after["changed_at"], &json!(instant(60)), "when a changed record changed")?;
    equal(world.published_of("b").await?, neighbour, "the record beside it")?;
    Ok(Outcome::Passed)
}

/// What went and comes back lives again under the same id.
pub(super) async fn a_record_that_comes_back_keeps_its_id(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1000.0))]).await?;
    let (item, known) = (world.known("a").await?.item, world.record_of("a").await?);
    world.commit(vec![gone("a", item, vec![delete(&known)])]).await?;
    equal(world.record_of("a").await?.state, RecordState::Gone, "the record of an item that went")?;
    equal(&world.published_of("a").await?["deleted"], &json!(true), "whether it is published as deleted")?;
    equal(world.live().await?.len(), 0, "live records after the item went")?;

    world.commit(vec![put("a", Some(item), vec![update(&known, workout(0, 1200.0))])]).await?;
    let back = world.record_of("a").await?;
    equal(
        (back.record, back.state),
        (known.record, RecordState::Live),
        "the record of an item that is back",
    )?;
    let published = world.published_of("a").await?;
    equal(&published["id"], &json!(known.record), "the published id of what is back")?;
    equal(&published["body"]["distance_m"], &json!(1200.0), "the body of what is back")?;
    equal(&published["deleted"], &json!(false), "whether what is back is published as deleted")?;
    Ok(Outcome::Passed)
}

/// What its user deleted stays deleted, whatever the engine commits after it.
pub(super) async fn what_the_user_deleted_stays_deleted(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1000.0)), world.new_item("b", workout(0, 1.0))]).await?;
    let (item, known) = (world.known("a").await?.item, world.record_of("a").await?);
    world.store.remove_record(world.user, known.record).await?;
    world.store.remove_record(world.user, known.record).await?;
    let changed = || put("a", Some(item), vec![update(&known, workout(0, 1200.0))]);
    let went = || gone("a", item, vec![delete(&known)]);
    for (what, put) in [
        ("the user's delete", None),
        ("an update", Some(changed())),
        ("a deletion by the provider", Some(went())),
        ("a return", Some(changed())),
    ] {
        if let Some(put) = put {
            world.commit(vec![put]).await?;
        }
        let found = world.record_of("a").await?;
        equal(found.state, RecordState::Removed, format!("the record after {what}"))?;
        let published = world.published_of("a").await?;
        equal(&published["deleted"], &json!(true), format!("whether it is deleted after {what}"))?;
        equal(world.live().await?, ["b"], format!("the live records after {what}"))?;
    }
    Ok(Outcome::Passed)
}
