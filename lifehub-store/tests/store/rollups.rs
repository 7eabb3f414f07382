//! A roll-up that does not say what its records say is found, and a body that cannot be read blocks nobody.

use crate::world::{World, insert, put, workout};

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
