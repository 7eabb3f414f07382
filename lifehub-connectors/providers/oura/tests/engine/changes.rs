//! What changes at Oura after it was read: days that are scored again, documents that go, naps that were none.

use std::collections::BTreeMap;

use lifehub_core::record::DatasetInfo;
use lifehub_testkit::{Account, Change, Setup};

use crate::rig::{DAY, Rig, good, now};

/// The ids of a stream's records, by their items.
fn record_ids(rig: &Rig, stream: &str) -> BTreeMap<String, String> {
    let records = rig.records(stream).into_iter();
    records.map(|record| (record.external_id, format!("{:?}", record.id))).collect()
}

#[tokio::test]
async fn days_that_are_scored_again_are_updated_and_keep_their_record_ids() {
    for stream in ["sleep", "daily_sleep", "daily_readiness", "daily_activity", "daily_spo2"] {
        let rig = Rig::new(&Setup::new(7, now()).days(40).items(40).stream(stream));
        rig.sync().await;
        let before = record_ids(&rig, stream);
        // An item a day: position 12 is of some twelve days ago, position 20 of before the look-back.
        for position in [0, 1, 5, 12] {
            assert!(rig.simulator.change(Change::Edit(position)));
            let counts = rig.sync().await;
            assert_eq!((counts.updated, counts.inserted, counts.deleted), (1, 0, 0), "{stream}, {position}");
        }
        assert!(rig.simulator.change(Change::Edit(20)));
        assert_eq!(rig.sync().await.updated, 0, "{stream}: the look-back ends there");
        assert_eq!(rig.sync_full().await.updated, 1, "{stream}: a full pass finds it");
        assert_eq!(record_ids(&rig, stream), before, "{stream}");
    }
}

#[tokio::test]
async fn what_does_not_come_back_within_the_look_back_is_gone() {
    for stream in ["sleep", "daily_readiness", "workouts", "tags", "heart_rate"] {
        let rig = Rig::new(&Setup::new(7, now()).days(40).items(40).stream(stream));
        rig.sync().await;
        assert!(rig.simulator.change(Change::Delete { from: 3, count: 2 }));
        let counts = rig.sync().await;
        assert!(counts.deleted >= 2 && counts.held == 0, "{stream}: {counts:?}");
        assert_eq!(rig.stored(), rig.truth(), "{stream}");
        assert!(rig.simulator.change(Change::Delete { from: 25, count: 1 }));
        assert_eq!(rig.sync().await.deleted, 0, "{stream}: it is of before the look-back");
        assert!(rig.sync_full().await.deleted > 0, "{stream}: a full pass misses it");
        assert_eq!(rig.stored(), rig.truth(), "{stream}");
    }
}

#[tokio::test]
async fn a_late_sync_of_the_ring_is_found() {
    let rig = Rig::new(&Setup::new(7, now()).days(40).items(40).stream("sleep"));
    rig.sync().await;
    for age in [1, 6, 13] {
        assert!(rig.simulator.change(Change::AddLate(age * DAY)));
        assert!(rig.sync().await.inserted > 0, "{age} days ago");
        assert_eq!(rig.stored(), rig.truth());
    }
}

#[tokio::test]
async fn a_nap_that_the_person_deletes_is_gone_at_once() {
    let rig = Rig::months();
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth(), "those that were deleted before never come");
    let naps = rig.records("sleep").len();
    // Of three months ago, too: no absence decides.
    for position in [0, 90] {
        assert!(rig.simulator.say_no_sleep(position));
    }
    assert_eq!(rig.sync().await.deleted, 1);
    assert_eq!(rig.sync_full().await.deleted, 1);
    assert_eq!(rig.records("sleep").len(), naps - 2);
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn nothing_of_a_night_is_counted_twice() {
    let rig = Rig::months();
    rig.sync().await;
    let info = DatasetInfo::find("sleep").unwrap();
    let mut metrics: BTreeMap<String, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for record in rig.records("").iter().filter(|record| record.record.dataset() == "sleep") {
        let day = metrics.entry(record.day.to_string()).or_default();
        for point in info.points(record.record.body(), record.record.when()).unwrap() {
            day.entry(point.metric.into_owned()).or_default().push(point.value);
        }
    }
    let (nights, scores) = (rig.by_day("sleep"), rig.by_day("daily_sleep"));
    let mut checked = 0;
    for (day, score) in &scores {
        let Some(periods) = nights.get(day) else { continue };
        let metrics = &metrics[day];
        let asleep = periods.iter().filter(|period| period["kind"] != "rest");
        let asleep: f64 = asleep.filter_map(|period| period["asleep_s"].as_f64()).sum();
        assert_eq!(metrics["sleep.time"].iter().sum::<f64>(), asleep, "{day}");
        assert_eq!(metrics["sleep.score"], [score[0]["score"].as_f64().unwrap()], "{day}");
        let mains = periods.iter().filter(|period| period["kind"] == "main").count();
        assert_eq!(metrics.get("sleep.efficiency").map_or(0, Vec::len), mains, "{day}: naps blur no mean");
        checked += 1;
    }
    assert!(checked > 100, "{checked} days");
}

#[tokio::test]
async fn an_item_that_nobody_can_read_stops_no_other() {
    let rig = Rig::new(&Setup::new(7, now()).days(20).items(40).stream("daily_sleep"));
    for position in [0, 7] {
        assert!(rig.simulator.change(Change::Poison(position)));
    }
    let report = rig.run(&[], false).await;
    assert_eq!(good(&report).quarantined, 2);
    assert!(rig.simulator.change(Change::Heal));
    assert_eq!(rig.sync().await.inserted, 2);
    assert_eq!(rig.stored(), rig.truth());
}
