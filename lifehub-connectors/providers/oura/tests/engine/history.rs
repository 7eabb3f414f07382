//! How far back a first sync reads, and what that costs.

use lifehub_core::ErrorKind;
use lifehub_oura::simulator::Collection;
use lifehub_testkit::{Account, Change, Setup};
use serde_json::json;

use crate::rig::{DAY, Rig, errors, now};

#[tokio::test]
async fn without_a_start_all_is_read_in_lists_of_three_months_back_to_the_first_rings() {
    let rig = Rig::years().from(None);
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
    let asked = rig.asked();
    for collection in Collection::ALL {
        let lists: Vec<_> = asked.iter().filter(|(path, _)| path == collection.path()).collect();
        let (most, first) = match collection {
            Collection::HeartRate => (66, &lists.last().unwrap().1["start_datetime"][..10]),
            _ => (47, lists.last().unwrap().1["start_date"].as_str()),
        };
        assert!(lists.len() <= most, "{collection:?}: {} requests", lists.len());
        let expected = if collection == Collection::HeartRate { "2021-09-30" } else { "2015-07-30" };
        assert_eq!(first, expected, "{collection:?}");
    }
    // Every full pass looks there again; news do not.
    rig.sync().await;
    assert_eq!(rig.asked().len(), 9);
}

#[tokio::test]
async fn a_ring_that_lay_in_a_drawer_for_years_hides_nothing() {
    let rig = Rig::new(&Setup::new(7, now()).days(30).items(20).stream("workouts")).from(None);
    for years in [3, 4, 9] {
        assert!(rig.simulator.change(Change::AddLate(years * 365 * DAY)));
    }
    rig.run(&["workouts"], false).await;
    let days = rig.by_day("workouts");
    assert_eq!(days.values().map(Vec::len).sum::<usize>(), 23);
    assert_eq!(days.keys().next().unwrap(), "2017-06-12");
}

#[tokio::test]
async fn a_longest_list_of_three_months_is_kept_to_and_a_shorter_one_costs_no_data() {
    let rig = Rig::new(&Setup::new(7, now()).days(30).items(20).stream("workouts")).from(None);
    assert!(rig.simulator.change(Change::AddLate(1_000 * DAY)));
    rig.simulator.set_longest(Some(90));
    let report = rig.run(&["workouts"], false).await;
    assert!(errors(&report).is_empty(), "{report:?}");
    assert_eq!(rig.records("workouts").len(), 21);
    // Nobody documents one, and a shorter one is not reckoned with.
    rig.simulator.set_longest(Some(5));
    let report = rig.run(&["workouts"], true).await;
    assert_eq!(errors(&report)["workouts"].kind, ErrorKind::Invalid);
    assert_eq!(rig.records("workouts").len(), 21);
}

#[tokio::test]
async fn a_start_is_where_reading_begins_and_a_later_one_deletes_nothing() {
    let mut rig = Rig::months().from(Some("2026-03-01"));
    rig.sync().await;
    let days: Vec<String> = rig.by_day("daily_activity").into_keys().collect();
    assert!(days[0].starts_with("2026-03-0"), "{}", days[0]);
    assert!(
        rig.asked()
            .iter()
            .all(|(_, query)| { query.get("start_date").is_none_or(|start| start.as_str() >= "2026-02-27") })
    );
    let before = rig.stored();
    rig.connection.settings = json!({ "start": "2026-05-01" });
    let counts = rig.sync_full().await;
    assert_eq!((counts.deleted, counts.held), (0, 0));
    assert_eq!(rig.stored(), before);
    rig.connection.settings = json!({ "start": "2030-01-01" });
    rig.sync_full().await;
    assert_eq!(rig.stored(), before, "a start that is yet to come");
    rig.connection.settings = json!({});
    rig.sync_full().await;
    assert_eq!(rig.stored(), rig.truth(), "without one, all of it");
}
