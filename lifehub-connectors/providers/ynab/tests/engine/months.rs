//! Categories: what each of them had, month by month.

use lifehub_testkit::{Account, Change};

use crate::rig::{DAY, rig};

#[tokio::test]
async fn each_month_stays_as_it_was_last_told() {
    let rig = rig("categories");
    rig.sync().await;
    rig.equals_truth("categories");
    assert!(rig.simulator.change(Change::Edit(4)));
    let counts = rig.sync().await;
    assert_eq!((counts.updated, counts.inserted), (1, 0));
    let june = rig.stored("categories");
    assert!(june.keys().all(|id| id.ends_with("@2026-06-01")));

    // July, an hour after it has begun in UTC: its amounts are others though no category was touched.
    rig.clock.jump_to("2026-07-01T01:00:00Z".parse().unwrap());
    rig.server.take_requests();
    rig.sync().await;
    rig.equals_truth("categories");
    assert_eq!(rig.stored("categories").len(), 2 * june.len());
    assert!(june.iter().all(|(id, records)| rig.stored("categories")[id] == *records), "June is over");
    let asked = rig.asked("/categories");
    assert!(asked.iter().any(|query| !query.contains("knowledge")), "{asked:?}");
    rig.sync().await;
    assert!(rig.asked("/categories").iter().all(|query| query.contains("last_knowledge_of_server=")));
}

#[tokio::test]
async fn a_category_that_is_deleted_goes_from_its_month_alone() {
    let rig = rig("categories");
    rig.sync().await;
    let june = rig.stored("categories").len();
    rig.clock.advance(30 * DAY);
    rig.sync().await;
    assert!(rig.simulator.change(Change::Delete { from: 1, count: 2 }));
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, counts.inserted), (2, 0));
    rig.equals_truth("categories");
    // One whose deletion no delta told.
    assert!(rig.simulator.change(Change::Delete { from: 3, count: 1 }));
    assert!(rig.simulator.change(Change::ExpireCursors));
    assert_eq!(rig.sync().await.deleted, 1);
    rig.equals_truth("categories");
    let stored = rig.stored("categories");
    assert_eq!(stored.keys().filter(|id| id.ends_with("@2026-06-01")).count(), june);
    assert_eq!(stored.keys().filter(|id| id.ends_with("@2026-07-01")).count(), june - 3);
}
