//! Favourites: three lists a day, each place of each a fact of that day.

use lifehub_core::ErrorKind;
use lifehub_testkit::{Account, Change, Fault, FaultPlan, Setup};

use crate::rig::{HOUR, Rig, error, few, now};

const TRACKS: &[&str] = &["top_tracks"];

#[tokio::test]
async fn each_place_of_each_range_is_a_fact_of_its_day() {
    let rig = Rig::new(&few(30).stream("top_tracks"));
    let first = rig.sync(TRACKS).await;
    assert_eq!((first.pages, first.inserted), (3, 30));
    let ids = rig.ids("top_tracks");
    assert!(ids.contains(&"tracks:short_term:2026-08-14:1".to_owned()), "{ids:?}");
    assert!(ids.contains(&"tracks:long_term:2026-08-14:10".to_owned()), "{ids:?}");
    // Another track on the first place, twelve hours on: the next day in UTC.
    assert!(rig.simulator.change(Change::Edit(9)));
    rig.clock.advance(6 * HOUR);
    let counts = rig.sync(TRACKS).await;
    assert_eq!((counts.inserted, counts.updated), (0, 1), "the day's latest answer counts");
    rig.clock.advance(6 * HOUR);
    let counts = rig.sync(TRACKS).await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (30, 0, 0));
    assert_eq!(rig.ids("top_tracks"), rig.true_ids("top_tracks"));
    for ((_, id), record) in rig.stored("top_tracks") {
        let fields = &record["body"]["fields"];
        let (range, rank) = (fields["time_range"].as_str().unwrap(), fields["rank"].as_f64().unwrap());
        assert_eq!(id, format!("tracks:{range}:{}:{rank}", record["day"].as_str().unwrap()));
        assert!(record["start"].is_null());
    }
}

#[tokio::test]
async fn a_list_of_another_range_is_not_taken_for_the_one_that_was_asked_for() {
    let rig = Rig::new(&few(30).stream("top_artists"));
    rig.server.set_faults(FaultPlan::none().at(2, Fault::Repeat));
    let report = rig.run(&["top_artists"]).await;
    assert_eq!(error(&report, "top_artists").kind, ErrorKind::InvalidResponse);
    assert_eq!(rig.ids("top_artists").len(), 10, "the first range alone");
    rig.sync(&["top_artists"]).await;
    assert_eq!(rig.ids("top_artists"), rig.true_ids("top_artists"));
}

#[tokio::test]
async fn no_more_than_fifty_of_each_are_asked_for() {
    let rig = Rig::new(&Setup::new(5, now()));
    assert_eq!(rig.sync(&["top_tracks", "top_artists"]).await.inserted, 300);
    let requests = rig.server.take_requests();
    assert_eq!(requests.len(), 6);
    assert!(requests.iter().all(|request| request.query.ends_with("limit=50")), "{requests:?}");
}
