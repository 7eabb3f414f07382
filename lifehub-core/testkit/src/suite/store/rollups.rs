//! Rules 15 and 16: roll-ups say what the records say, and the user's zone decides the day.

use std::collections::BTreeMap;

use lifehub_core::clock::{Offset, Timestamp, Zone};
use lifehub_core::engine::RecordState;
use lifehub_core::record::{DatasetInfo, Moment, When};
use serde_json::Value;

use super::world::{Check, HOUR, World, delete, equal, gone, instant, order, put, record, update, workout};
use super::{Outcome, Rollup, Subject, Verdict};
use crate::seeded::Seeded;
use crate::suite::Failure;

const NO_ROLLUPS: Outcome = Outcome::NotApplicable("keeps no roll-ups");
const NO_ZONES: Outcome = Outcome::NotApplicable("knows no zones of users");
const ZONES: [&str; 4] = ["UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"];

fn member<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_default()
}

fn instant_of(record: &Value, name: &str) -> Check<Option<Timestamp>> {
    record[name].as_str().map(str::parse).transpose().map_err(Failure::from)
}

/// When a published record was; a whole day begins in UTC.
fn when(record: &Value) -> Check<When> {
    let moment = Moment::utc;
    Ok(match (instant_of(record, "start")?, instant_of(record, "end")?) {
        (None, _) => When::Day(member(record, "day").parse()?),
        (Some(start), None) => When::At(moment(start)),
        (Some(start), Some(end)) => When::Span { start: moment(start), end: moment(end) },
    })
}

/// What the roll-ups of these records should be.
fn recomputed(mut records: Vec<Value>) -> Check<Vec<Rollup>> {
    records.retain(|record| record["deleted"] == false);
    let mut sorted = Vec::new();
    for record in records {
        sorted.push((when(&record)?.sort_key(), member(&record, "id").to_owned(), record));
    }
    sorted.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut rows: BTreeMap<_, Rollup> = BTreeMap::new();
    for (_, _, record) in &sorted {
        let Some(info) = DatasetInfo::find(member(record, "dataset")) else { continue };
        for point in info.points(&record["body"].to_string(), &when(record)?)? {
            let value = point.value;
            let fresh = Rollup {
                connection: member(record, "connection").to_owned(),
                metric: point.metric.into_owned(),
                label: point.label.into_owned(),
                day: member(record, "day").parse()?,
                count: 0,
                sum: 0.0,
                min: value,
                max: value,
                last: value,
            };
            let row = rows.entry(order(&fresh)).or_insert(fresh);
            row.count += 1;
            row.sum += value;
            row.min = row.min.min(value);
            row.max = row.max.max(value);
            row.last = value;
        }
    }
    Ok(rows.into_values().collect())
}

/// Fails if roll-ups and records differ; `false` without roll-ups.
async fn agree(world: &World, what: &str) -> Check<bool> {
    let Some(mut stored) = world.store.rollups(world.user).await? else { return Ok(false) };
    stored.sort_by_key(order);
    let expected = recomputed(world.published().await?)?;
    let keys = |rows: &[Rollup]| rows.iter().map(order).collect::<Vec<_>>();
    equal(keys(&stored), keys(&expected), format!("the rows {what}"))?;
    for (stored, expected) in stored.into_iter().zip(expected) {
        // A store may add in another order.
        let close = (stored.sum - expected.sum).abs() <= 1e-9 * expected.sum.abs().max(1.0);
        let sum = if close { expected.sum } else { stored.sum };
        equal(&Rollup { sum, ..stored.clone() }, &expected, format!("a row {what}"))?;
    }
    Ok(true)
}

/// A few items that come, change, move to other days, go and return, over several days.
async fn random_batch(world: &World, dice: &mut Seeded) -> Check<()> {
    let mut puts = BTreeMap::new();
    for _ in 0..dice.whole(1, 7) {
        let id = format!("item {}", dice.whole(0, 11));
        let known = world.storage.known(&world.key(), &[&id]).await?.pop();
        let record = workout(dice.whole(0, 120) * HOUR, dice.fraction(0.1, 1e5));
        let put = match known {
            None => world.new_item(&id, record),
            Some(known) => {
                let stored = world.record_of(&id).await?;
                if dice.chance(0.2) {
                    world.store.remove_record(world.user, stored.record).await?;
                }
                match stored.state == RecordState::Live && dice.chance(0.3) {
                    true => gone(&id, known.item, vec![delete(&stored)]),
                    false => put(&id, Some(known.item), vec![update(&stored, record)]),
                }
            }
        };
        puts.insert(id, put);
    }
    world.commit(puts.into_values().collect()).await
}

/// After each of many random batches, deletions and changes of zone, every row is what its day's records give.
pub(super) async fn rollups_equal_a_recomputation(subject: &Subject) -> Verdict {
    for seed in 0..8 {
        let world = World::open(subject).await?;
        let mut dice = Seeded::new(seed);
        for step in 0..12 {
            random_batch(&world, &mut dice).await?;
            if dice.chance(0.25)
                && let Some(zone) = dice.pick(&ZONES)
            {
                world.store.set_zone(world.user, &zone.parse()?).await?;
            }
            if !agree(&world, &format!("after step {step} of seed {seed}")).await? {
                return Ok(NO_ROLLUPS);
            }
        }
    }
    Ok(Outcome::Passed)
}

/// Count, sum, smallest, largest, and that of the latest record of the day.
pub(super) async fn a_rollup_is_count_sum_min_max_and_last(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let at = |id: &str, seconds, metres| world.new_item(id, workout(seconds, metres));
    world.commit(vec![at("late", 2 * HOUR, 3.0), at("early", 60, 5.0)]).await?;
    world.commit(vec![at("middle", HOUR, 1.0), at("next day", 25 * HOUR, 9.0)]).await?;
    let Some(mut rows) = world.store.rollups(world.user).await? else { return Ok(NO_ROLLUPS) };
    rows.retain(|row| row.metric == "workout.distance");
    rows.sort_by_key(order);
    let figures: Vec<_> = rows
        .iter()
        .map(|row| (row.day.to_string(), row.count, row.sum, row.min, row.max, row.last))
        .collect();
    let expected =
        [("2026-01-01".to_owned(), 3, 9.0, 1.0, 5.0, 3.0), ("2026-01-02".to_owned(), 1, 9.0, 9.0, 9.0, 9.0)];
    equal(figures, expected, "the roll-ups of the distance")?;
    let stranger = world.store.add_user(&Zone::utc()).await?;
    let of_stranger = world.store.rollups(stranger).await?.unwrap_or_default();
    equal(of_stranger, [], "the roll-ups of another user")?;
    Ok(Outcome::Passed)
}

/// A new zone moves what tells no offset to its new day, with a place in the feed and both days rolled up; and no more.
pub(super) async fn changing_the_zone_rolls_again(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let late = instant(20 * HOUR);
    let offset = Offset::from_seconds(0)?;
    let items = [
        ("moves", When::At(Moment::utc(late))),
        ("a span", When::Span { start: Moment::utc(late), end: Moment::utc(instant(21 * HOUR)) }),
        ("stays", When::At(Moment::utc(instant(2 * HOUR)))),
        ("tells its offset", When::At(Moment::with_offset(late, offset))),
        ("is a day", When::Day(Zone::utc().day_at(late))),
    ];
    let puts = items.iter().map(|(id, when)| world.new_item(id, record(when.clone(), 1.0)));
    world.commit(puts.collect()).await?;
    let before = world.published().await?;
    let auckland: Zone = "Pacific/Auckland".parse()?;
    let Some(()) = world.store.set_zone(world.user, &auckland).await? else { return Ok(NO_ZONES) };
    for (id, when) in &items {
        let was = before.iter().find(|record| record["external_id"] == *id);
        let now = world.published_of(id).await?;
        if matches!(*id, "moves" | "a span") {
            equal(member(&now, "day"), "2026-01-02", format!("the day of {id:?} in the new zone"))?;
            equal(
                was.is_some_and(|was| was["seq"] != now["seq"]),
                true,
                format!("whether {id:?} moved in the feed"),
            )?;
        } else {
            equal(was, Some(&now), format!("what is published of {id:?}"))?;
        }
        let (known, record) = (world.record_of(id).await?, record(when.clone(), 1.0));
        let day = record.day(&auckland);
        let what = format!("what is known of {id:?}, as if it were committed in the new zone");
        equal((known.day, known.digest), (day, record.digest(day)), what)?;
    }
    agree(&world, "in the new zone").await?;
    world.store.set_zone(world.user, &Zone::utc()).await?;
    equal(member(&world.published_of("moves").await?, "day"), "2026-01-01", "the day in the old zone")?;
    agree(&world, "in the old zone").await?;
    Ok(Outcome::Passed)
}

/// The user's zone at the commit decides, not that at which a batch was made.
pub(super) async fn the_zone_at_commit_decides(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let before = world.batch(vec![world.new_item("a", workout(20 * HOUR, 1.0))]);
    let Some(()) = world.store.set_zone(world.user, &"Pacific/Auckland".parse()?).await? else {
        return Ok(NO_ZONES);
    };
    world.commit_batch(before).await?;
    let day = world.published_of("a").await?["day"].clone();
    equal(day.as_str(), Some("2026-01-02"), "the day of a batch made before the zone was changed")?;
    // The same news again, with the day of the old zone: the store's own day counts.
    let (item, mut known) = (world.known("a").await?.item, world.record_of("a").await?);
    known.day = "2026-01-01".parse()?;
    world.commit(vec![put("a", Some(item), vec![update(&known, workout(20 * HOUR, 2.0))])]).await?;
    agree(&world, "after a batch made before the zone was changed").await?;
    Ok(Outcome::Passed)
}
