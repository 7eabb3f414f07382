//! Rule 15: an instant keeps its offset, an all-day fact is a date, and the user's zone decides only where the provider
//! tells nothing.

use lifehub_core::clock::{Day, Offset, Timestamp, Zone};
use lifehub_core::connector::Connector;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::record::datasets::{Sleep, SleepKind, Workout};
use lifehub_core::record::{Moment, Record, When};
use lifehub_strava::Strava;
use serde_json::{Value, json};

use crate::rig::{Kind, Rig, on_each_database};
use crate::shelf::{Entry, Shelf, Style};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// The record of a Strava activity.
fn workout(activity: Value) -> Record {
    let strava = Strava;
    let item = RawItem {
        id: "1".into(),
        at: None,
        version: None,
        body: RawJson::new(activity.to_string()).unwrap(),
    };
    strava.manifest().streams[0].normalizer.normalize(&item).unwrap().remove(0)
}

#[test]
fn rule_15_time_is_honest_about_offsets() {
    // An evening run in New York, in summer: it is already tomorrow in UTC, and the zone's text bears winter's offset.
    let record = workout(json!({
        "sport_type": "Run", "start_date": "2026-08-10T01:30:00Z", "start_date_local": "2026-08-09T21:30:00Z",
        "timezone": "(GMT-05:00) America/New_York", "utc_offset": -14400.0, "elapsed_time": 3600,
    }));
    let When::Span { start, end } = record.when() else { panic!("no span") };
    assert_eq!(start.to_rfc3339(), "2026-08-09T21:30:00-04:00");
    assert_eq!(end.to_rfc3339(), "2026-08-09T22:30:00-04:00");
    assert_eq!(record.when().zone().map(Zone::name), Some("America/New_York"));
    // Wherever the user lives, it counts on the day on which it was run.
    for home in ["UTC", "Europe/Rome", "Pacific/Auckland"] {
        assert_eq!(record.day(&zone(home)), day("2026-08-09"), "{home}");
    }
    // Over the change of clocks, each end has its own offset.
    let record = workout(json!({
        "sport_type": "Ride", "start_date": "2026-03-29T00:30:00Z", "elapsed_time": 7200,
        "timezone": "(GMT+01:00) Europe/Rome", "utc_offset": 3600.0,
    }));
    let end = record.when().end().unwrap();
    assert_eq!(record.when().start().unwrap().to_rfc3339(), "2026-03-29T01:30:00+01:00");
    assert_eq!(end.to_rfc3339(), "2026-03-29T04:30:00+02:00");
    // Without a zone the offset stands, told or taken from the two start times.
    for extra in [json!({ "utc_offset": 20700.0 }), json!({ "start_date_local": "2026-01-01T04:45:00Z" })] {
        let mut activity = json!({ "sport_type": "Hike", "start_date": "2025-12-31T23:00:00Z" });
        activity.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let record = workout(activity);
        assert_eq!(record.when().start().unwrap().to_rfc3339(), "2026-01-01T04:45:00+05:45");
        assert_eq!(record.day(&Zone::utc()), day("2026-01-01"));
    }
}

#[test]
fn rule_15_time_is_honest_about_days() {
    let body = Workout::default();
    let days = |when: When| {
        let record = Record::new(when, &body).unwrap();
        ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"].map(|home| record.day(&zone(home)).to_string())
    };
    let instant = at("2026-05-01T10:30:00Z");
    // A constant Z is no offset: the user's zone decides.
    assert_eq!(days(When::At(Moment::utc(instant))), ["2026-05-02", "2026-05-01", "2026-04-30"]);
    // A known offset decides by itself, also if it is zero.
    assert_eq!(
        days(When::At(Moment::with_offset(instant, Offset::UTC))),
        ["2026-05-01"; 3].map(String::from)
    );
    // A whole day is a date, for everyone.
    assert_eq!(days(When::Day(day("2026-05-01"))), ["2026-05-01"; 3].map(String::from));
    // A span counts on the day of its start; sleep on that of waking.
    let night = When::Span {
        start: Moment::in_zone(at("2026-05-01T21:00:00Z"), zone("Europe/Rome")),
        end: Moment::in_zone(at("2026-05-02T05:00:00Z"), zone("Europe/Rome")),
    };
    assert_eq!(Record::new(night.clone(), &body).unwrap().day(&Zone::utc()), day("2026-05-01"));
    let sleep = Sleep { kind: SleepKind::Main, ..Sleep::default() };
    assert_eq!(Record::new(night, &sleep).unwrap().day(&Zone::utc()), day("2026-05-02"));
}

on_each_database! {
    #[tokio::test]
    async fn rule_15_changing_the_users_zone_rolls_again(kind: Kind) {
        // Both at an hour that belongs to another day elsewhere; the shelf tells no offset.
        let entries = vec![Entry::new(1, at("2026-02-10T23:30:00Z")), Entry::new(2, at("2026-02-11T00:30:00Z"))];
        let rig = Rig::new(kind, Shelf::new(entries, Style::default())).await;
        rig.sync().await;
        let (store, user) = (rig.store(), rig.connection.user);
        let counts = async || {
            let rows = store.rollups(user, "workout.count", day("2026-01-01"), day("2026-12-31")).await.unwrap();
            rows.into_iter().map(|row| (row.day.to_string(), row.tally.count)).collect::<Vec<_>>()
        };
        let on = |day: &str, n| (day.to_owned(), n);
        assert_eq!(counts().await, [on("2026-02-10", 1), on("2026-02-11", 1)]);
        store.set_zone(user, &zone("America/New_York")).await.unwrap();
        assert_eq!(counts().await, [on("2026-02-10", 2)]);
        store.set_zone(user, &zone("Asia/Tokyo")).await.unwrap();
        assert_eq!(counts().await, [on("2026-02-11", 2)]);
        assert!(store.verify_rollups().await.unwrap().is_empty());
        let days: Vec<_> = rig.records().await.iter().map(|r| r["day"].clone()).collect();
        assert_eq!(days, ["2026-02-11", "2026-02-11"]);
        // The next sync agrees with what was rolled: nothing is news to it.
        let connection = store.connection(rig.connection.id).await.unwrap().connection;
        let report = rig.engine().sync(&connection, &Default::default()).await.unwrap();
        assert_eq!((report.totals().inserted, report.totals().updated), (0, 0));
        let report = rig.engine().replay(&connection, &Default::default()).await.unwrap();
        assert_eq!((report.totals().inserted, report.totals().updated), (0, 0));
    }
}
