//! Roll-ups say what the records say, whatever happened in between.

use lifehub_core::clock::{Day, Zone};
use lifehub_core::engine::{RecordState, SyncStore};
use lifehub_core::record::Record;
use proptest::prelude::*;

use crate::world::{START, World, delete, insert, put, update, workout};

/// What a step does with one of a few items.
#[derive(Debug, Clone)]
enum Step {
    Put { item: u8, hour: i64, metres: f64 },
    Delete { item: u8 },
    Remove { item: u8 },
    Zone { name: &'static str },
}

fn step() -> impl Strategy<Value = Step> {
    let item = 0u8..12;
    prop_oneof![
        8 => (item.clone(), 0i64..120, 0.1f64..1e5).prop_map(|(item, hour, metres)| Step::Put { item, hour, metres }),
        2 => item.clone().prop_map(|item| Step::Delete { item }),
        1 => item.prop_map(|item| Step::Remove { item }),
        1 => prop::sample::select(vec!["UTC", "Pacific/Auckland", "America/Los_Angeles"])
            .prop_map(|name| Step::Zone { name }),
    ]
}

async fn take(world: &World, steps: Vec<Step>) {
    let mut puts = std::collections::BTreeMap::new();
    for step in steps {
        match step {
            Step::Put { item, hour, metres } => {
                puts.insert(item, Some(workout(hour * 3600, metres)));
            }
            Step::Delete { item } => {
                puts.insert(item, None);
            }
            Step::Remove { item } => {
                let id = item.to_string();
                if !world.store.known(&world.key(), &[&id]).await.unwrap().is_empty() {
                    for record in world.records_of(&id).await {
                        world.store.delete_record(world.user, record.record).await.unwrap();
                    }
                }
            }
            Step::Zone { name } => {
                world.store.set_zone(world.user, &name.parse().unwrap()).await.unwrap();
            }
        }
    }
    let mut batch = Vec::new();
    for (item, record) in puts {
        batch.extend(change(world, &item.to_string(), record).await);
    }
    world.commit(batch).await;
}

async fn change(world: &World, id: &str, record: Option<Record>) -> Option<lifehub_core::engine::ItemPut> {
    let known = world.store.known(&world.key(), &[id]).await.unwrap().pop();
    let Some(known) = known else {
        return record.map(|record| put(id, None, vec![insert(world.record_id(), record)]));
    };
    let stored = world.records_of(id).await.remove(0);
    let change = match record {
        Some(record) => update(&stored, record),
        None if stored.state == RecordState::Live => delete(&stored),
        None => return None,
    };
    Some(put(id, Some(known.item), vec![change]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// A failing case prints its steps; `PROPTEST_RNG_SEED` repeats a whole run.
    #[test]
    fn rule_16_rollups_never_drift_under_random_batches(batches in prop::collection::vec(prop::collection::vec(step(), 1..8), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            for steps in batches {
                take(&world, steps).await;
                let differences = world.store.verify_rollups().await.unwrap();
                assert!(differences.is_empty(), "{differences:?}");
            }
        });
    }
}

#[tokio::test]
async fn rule_16_a_row_is_count_sum_min_max_and_last_of_its_day() {
    let world = World::new().await;
    let at =
        |id: &str, seconds, metres| put(id, None, vec![insert(world.record_id(), workout(seconds, metres))]);
    world.commit(vec![at("late", 7200, 3.0), at("early", 60, 5.0)]).await;
    world.commit(vec![at("middle", 3600, 1.0), at("next day", 90_000, 9.0)]).await;
    let first = Day::from_number(i32::try_from(START / 86_400).unwrap());
    let next = Day::from_number(first.as_number() + 1);
    let rows = world.store.rollups(world.user, "workout.distance", first, next).await.unwrap();
    assert_eq!(rows.len(), 2);
    let tally = rows[0].tally;
    assert_eq!((tally.count, tally.sum, tally.min, tally.max, tally.last), (3, 9.0, 1.0, 5.0, 3.0));
    assert_eq!((rows[1].day, rows[1].tally.sum), (next, 9.0));
    assert_eq!(world.store.rollups(world.user, "workout.distance", next, next).await.unwrap().len(), 1);
    let other = world.store.create_user("eve@example.com", &Zone::utc()).await.unwrap();
    assert!(world.store.rollups(other, "workout.distance", first, next).await.unwrap().is_empty());
}

#[tokio::test]
async fn rule_16_a_drifted_row_is_found() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 10.0))])]).await;
    for sql in [
        "UPDATE rollups SET sum = sum + 1 WHERE metric = 'workout.distance'",
        "DELETE FROM rollups WHERE metric = 'workout.count'",
        "INSERT INTO rollups SELECT connection_id, day + 500, metric, label, 1, 1, 1, 1, 1 FROM rollups LIMIT 1",
    ] {
        sqlx::query(sql).execute(&mut world.raw().await).await.unwrap();
    }
    let differences = world.store.verify_rollups().await.unwrap();
    assert_eq!(differences.len(), 3);
    let findings = world.store.check().await.unwrap();
    assert_eq!(findings.iter().map(|finding| finding.problems.len()).sum::<usize>(), 3);
}

#[tokio::test]
async fn a_body_that_its_dataset_cannot_read_blocks_nothing() {
    let world = World::new().await;
    world.commit(vec![put("old", None, vec![insert(world.record_id(), workout(0, 10.0))])]).await;
    let spoil = "UPDATE records SET body = '{\"of\":\"an older shape\"}'";
    sqlx::query(spoil).execute(&mut world.raw().await).await.unwrap();
    world.commit(vec![put("new", None, vec![insert(world.record_id(), workout(60, 10.0))])]).await;
    assert!(world.store.verify_rollups().await.unwrap().is_empty());
    assert_eq!(world.number("SELECT count FROM rollups WHERE metric = 'workout.count'").await, 1);
    let findings = world.store.check().await.unwrap();
    assert_eq!(findings.iter().filter(|finding| !finding.problems.is_empty()).count(), 1, "{findings:?}");
}
