//! How events are walked: bounded full passes, sync tokens between them, and what each of them finds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lifehub_core::clock::{Clock, Timestamp};
use lifehub_core::engine::{RunStatus, SyncOptions, SyncStore};
use lifehub_testkit::{Change, Setup};
use serde_json::{Value, json};

use crate::rig::{BUSY, DAY, HOLIDAYS, JOURNEYS, OWNER, Rig, names, now, parameter};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_full_pass_asks_for_single_events_up_to_a_horizon_that_stays() {
    let rig = Rig::new(100);
    let counts = rig.sync().await;
    assert_eq!(counts.inserted, 100);
    rig.agrees();
    let asked = rig.asked();
    let own: Vec<_> = asked.iter().filter(|request| request.path.contains(OWNER)).collect();
    assert_eq!(own.len(), 8, "73 rows on pages of ten");
    for request in &own {
        assert_eq!(parameter(request, "singleEvents"), Some("true"));
        assert_eq!(parameter(request, "timeMax"), Some("2027-08-11T12%3A01%3A00Z"), "a year and a day ahead");
    }
    assert_eq!(names(own[0]), ["maxResults", "singleEvents", "timeMax"], "no order, no lower bound");
    assert_eq!(names(own[1]), ["maxResults", "pageToken", "singleEvents", "timeMax"]);
    let paths: BTreeSet<_> = asked.iter().map(|request| request.path.as_str()).collect();
    assert!(
        paths.contains("/calendars/en.example%23holiday@group.v.calendar.google.com/events"),
        "{paths:?}"
    );
    assert!(rig.keys().iter().any(|(calendar, _)| calendar == HOLIDAYS));
}

#[tokio::test]
async fn a_sync_token_comes_with_the_last_page_and_goes_without_bounds() {
    let rig = Rig::new(100);
    let mut options = SyncOptions::default();
    (options.max_pages, options.streams) = (1, vec!["events".to_owned()]);
    let report = rig.run(&options).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    let (first, _) = rig.keys().pop_first().unwrap();
    let state = rig.state(&first).await;
    assert!(
        state.anchor.is_none() && state.full.unwrap().cursor.unwrap().as_str().starts_with(r#"{"sync":null"#)
    );
    rig.sync().await;
    assert!(rig.state(OWNER).await.anchor.unwrap().cursor.as_str().starts_with(r#"{"sync":"S0."#));

    rig.asked();
    for position in 0..25 {
        rig.change(Change::Edit(position));
    }
    let counts = rig.sync().await;
    assert_eq!((counts.updated, counts.inserted, counts.deleted), (25, 0, 0));
    let asked = rig.asked();
    let own: Vec<_> = asked.iter().filter(|request| request.path.contains(OWNER)).collect();
    let first = ["maxResults", "singleEvents", "syncToken"];
    assert_eq!(own.iter().map(|r| names(r).len()).collect::<Vec<_>>(), [3, 4, 4], "three pages");
    assert!(
        asked.iter().filter(|request| parameter(request, "pageToken").is_none()).all(|r| names(r) == first)
    );
    assert!(own.iter().all(|r| parameter(r, "syncToken") == parameter(own[0], "syncToken")), "on each page");
    assert!(own.iter().all(|r| parameter(r, "singleEvents") == Some("true")), "as in the first pass");
}

#[tokio::test]
async fn empty_pages_that_lead_on_are_no_end() {
    let rig = Rig::new(100);
    rig.change(Change::EmptyPages(true));
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.pages), (100, 24), "every second one is empty");
    rig.agrees();
    // The first page of the news is empty, a deletion is on the second.
    rig.change(Change::Delete { from: 2, count: 1 });
    assert_eq!(rig.sync().await.deleted, 1);
    rig.agrees();
}

#[tokio::test]
async fn an_expired_token_leads_to_a_full_pass_and_a_sweep() {
    let rig = Rig::new(100);
    rig.sync().await;
    let before = rig.stored();
    rig.change(Change::Delete { from: 5, count: 4 });
    rig.change(Change::Add);
    rig.change(Change::ExpireCursors);
    rig.asked();
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, counts.inserted, counts.updated), (4, 1, 0));
    rig.agrees();
    let after = rig.stored();
    let kept = after.iter().filter(|(key, _)| before.contains_key(*key));
    assert!(
        kept.clone().count() == 96 && kept.clone().all(|(key, record)| before[key]["id"] == record["id"])
    );
    let asked = rig.asked();
    let own: Vec<_> = asked.iter().filter(|request| request.path.contains(OWNER)).collect();
    assert_eq!((own[0].status, parameter(own[0], "syncToken").is_some()), (Some(410), true));
    assert!(own[1..].iter().all(|r| r.status == Some(200) && parameter(r, "timeMax").is_some()));
    rig.asked();
    assert_eq!(rig.sync().await.pages, 4, "there are tokens again");
}

#[tokio::test]
async fn what_is_cancelled_may_be_no_more_than_an_id() {
    let rig = Rig::new(100);
    let series = rig.simulator.add_series("Class", now() - 21 * DAY, Some(8));
    rig.sync().await;
    // Two of three are told by their ids alone.
    rig.change(Change::Delete { from: 0, count: 3 });
    assert!(rig.simulator.except(&series, 6, None));
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, counts.quarantined), (4, 0));
    rig.agrees();
}

#[tokio::test]
async fn a_moved_instance_stays_the_same_record() {
    let rig = Rig::new(100);
    let series = rig.simulator.add_series("Class", now() - 21 * DAY, Some(8));
    rig.sync().await;
    let find = |rig: &Rig| {
        let mut class = rig.stored().into_values().filter(|record| record["body"]["title"] == "Class");
        class.nth(4).unwrap()
    };
    let before = find(&rig);
    assert_eq!(
        (&before["start"], &before["body"]["recurring_id"]),
        (&json!("2026-08-17T12:00:00+02:00"), &json!(series))
    );
    assert!(rig.simulator.except(&series, 4, Some(now() + 9 * DAY)));
    assert_eq!(rig.sync().await.updated, 1);
    let after = find(&rig);
    assert_eq!((&after["id"], &after["external_id"]), (&before["id"], &before["external_id"]));
    assert_eq!(after["start"], "2026-08-19T14:00:00+02:00");
}

#[tokio::test]
async fn a_series_without_end_is_kept_up_to_the_horizon_which_a_weekly_pass_moves() {
    let rig = Rig::of(&Setup::new(7, now()).days(100).items(100).page(100).stream("events"));
    rig.sync().await;
    let series = rig.simulator.add_series("For ever", now(), None);
    rig.asked();
    let counts = rig.sync().await;
    // From today on until a year and a day ahead; some 730 are told.
    assert_eq!((counts.inserted, counts.pages), (53, 11));
    rig.agrees();
    let far = format!("{series}_20270816T100000Z");
    assert!(rig.store.known(&rig.partition(OWNER), &[&far]).await.unwrap().is_empty(), "no stones either");
    let days = |rig: &Rig| {
        let records = rig.stored().into_values().filter(|record| record["body"]["title"] == "For ever");
        records.map(|record| record["day"].as_str().unwrap().to_owned()).max().unwrap()
    };
    assert_eq!(days(&rig), "2027-08-09");
    // Nothing changes at the provider, and no token would tell of it.
    for day in 1..=7 {
        rig.clock.advance(DAY);
        let counts = rig.sync().await;
        assert_eq!((counts.inserted, counts.deleted), (u64::from(day == 7), 0), "day {day}");
    }
    assert_eq!(days(&rig), "2027-08-16");
    rig.agrees();
}

#[tokio::test]
async fn what_moves_beyond_the_horizon_is_gone_until_it_comes_back() {
    let rig = Rig::new(100);
    rig.sync().await;
    let at = |day: &str| {
        let side =
            |clock: &str| json!({ "dateTime": format!("{day}T{clock}:00+02:00"), "timeZone": "Europe/Rome" });
        json!({ "start": side("10:00"), "end": side("11:00") })
    };
    assert!(rig.simulator.rewrite(3, &at("2026-08-30")));
    rig.sync().await;
    let before = rig.stored();
    assert!(rig.simulator.rewrite(3, &at("2028-05-01")));
    assert_eq!(rig.sync().await.deleted, 1);
    assert_eq!(rig.keys().len(), 99);
    rig.agrees();
    assert_eq!(rig.sync().await.deleted, 0);
    assert!(rig.simulator.rewrite(3, &at("2026-08-30")));
    assert_eq!(rig.sync().await.inserted, 1);
    let ids = |stored: &BTreeMap<_, Value>| -> Vec<_> {
        stored.values().map(|record| record["id"].clone()).collect()
    };
    assert_eq!(ids(&rig.stored()), ids(&before), "under the same record id");
}

#[tokio::test]
async fn a_deleted_series_is_told_in_part_and_the_weekly_pass_takes_the_rest() {
    let rig = Rig::of(&Setup::new(7, now()).days(100).items(200).page(100).stream("events"));
    let series = rig.simulator.add_series("Old habit", now() - 350 * DAY, None);
    rig.sync().await;
    rig.agrees();
    let all = rig.keys().len();
    assert!(rig.simulator.delete_series(&series));
    let told = rig.sync().await.deleted;
    let left = rig.keys().len() - rig.truth().len();
    assert!(told > 50 && left > 40, "half a year to each side: {told} of {all}, {left} are left");
    rig.clock.advance(7 * DAY);
    let mut options = SyncOptions::default();
    options.streams.push("events".to_owned());
    // A fifth of a calendar at once is held, until another pass agrees.
    let held = rig.run(&options).await.totals();
    rig.clock.advance(7 * DAY);
    let swept = rig.sync().await;
    assert_eq!((held.held, swept.deleted), (left as u64, left as u64));
    rig.agrees();
}

#[tokio::test]
async fn news_comes_while_the_first_full_pass_is_under_way() {
    let rig = Rig::of(&Setup::new(7, now()).days(100).items(100).page(5).stream("events"));
    let mut options = SyncOptions::default();
    (options.max_pages, options.streams) = (8, vec!["events".to_owned()]);
    rig.run(&options).await;
    assert!(rig.state(OWNER).await.full.is_some_and(|full| full.pages == 8));
    rig.change(Change::Add);
    rig.change(Change::Delete { from: 40, count: 1 });
    let gone = rig.keys().difference(&rig.truth()).count();
    options.max_pages = 4;
    rig.asked();
    let mut runs = 0;
    while rig.run(&options).await.status != RunStatus::Ok {
        runs += 1;
        assert!(runs < 60);
    }
    assert_eq!(gone, 1);
    rig.agrees();
    let asked = rig.asked();
    let news = asked.iter().find(|request| parameter(request, "updatedMin").is_some()).unwrap();
    assert_eq!(names(news), ["maxResults", "singleEvents", "timeMax", "updatedMin"]);
    // An hour before the full pass began, by whichever clock is right.
    assert_eq!(parameter(news, "updatedMin"), Some("2026-08-10T11%3A01%3A00Z"));
    assert!(asked.iter().all(
        |request| parameter(request, "updatedMin").is_none() || parameter(request, "syncToken").is_none()
    ));
}

#[tokio::test]
async fn without_a_sync_token_changes_are_asked_for_by_their_time() {
    let rig = Rig::new(100);
    rig.simulator.set_sync_tokens(false);
    rig.sync().await;
    rig.clock.advance(2 * HOUR);
    rig.change(Change::Add);
    rig.change(Change::Edit(7));
    rig.change(Change::Delete { from: 3, count: 2 });
    rig.asked();
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted, counts.pages), (1, 1, 2, 4));
    let asked = rig.asked();
    assert!(
        asked.iter().all(|request| parameter(request, "updatedMin") == Some("2026-08-10T11%3A01%3A00Z")),
        "{asked:?}"
    );
    // Google does not know what changed two months ago: everything is read.
    rig.clock.advance(60 * DAY);
    rig.change(Change::Delete { from: 30, count: 1 });
    let counts = rig.sync().await;
    assert_eq!(counts.deleted, 1);
    rig.agrees();
    assert_eq!(rig.asked()[0].status, Some(410));
}

#[tokio::test]
async fn runs_of_any_length_end_equal() {
    let whole = Rig::new(60);
    let pages = whole.sync().await.pages;
    for most in 1..=pages {
        let rig = Rig::new(60);
        let mut options = SyncOptions::default();
        (options.max_pages, options.streams) = (most, vec!["events".to_owned()]);
        for run in 1.. {
            assert!(run < 60, "in runs of {most} pages");
            let report = rig.run(&options).await;
            assert!(report.streams[0].error.is_none() && report.totals().pages <= most, "{report:?}");
            let mut read_to_the_end = true;
            for calendar in [OWNER, JOURNEYS, HOLIDAYS, BUSY] {
                read_to_the_end &= rig.state(calendar).await.full_at.is_some();
            }
            if read_to_the_end {
                break;
            }
        }
        rig.agrees();
    }
}

#[tokio::test]
async fn far_too_much_at_once_is_held_until_another_pass_agrees() {
    let rig = Rig::new(100);
    rig.sync().await;
    rig.change(Change::Delete { from: 1, count: 40 });
    // What Google would tell by itself needs no sweep.
    rig.change(Change::ExpireCursors);
    let mut options = SyncOptions::default();
    (options.full, options.streams) = (true, vec!["events".to_owned()]);
    let held = rig.run(&options).await.totals();
    assert_eq!((held.deleted, held.held, rig.keys().len()), (0, 40, 100));
    assert_eq!(rig.sync().await.deleted, 0, "a live pass confirms nothing");
    assert_eq!(rig.run(&options).await.totals().deleted, 40);
    rig.agrees();
}

#[tokio::test]
async fn ids_are_those_of_one_calendar() {
    let rig = Rig::new(100);
    rig.sync().await;
    let (_, twin) = rig.keys().into_iter().find(|(calendar, _)| calendar == JOURNEYS).unwrap();
    assert!(rig.simulator.rewrite(0, &json!({ "id": twin })));
    rig.sync().await;
    let both: Vec<_> =
        rig.keys().into_iter().filter(|(_, id)| *id == twin).map(|(calendar, _)| calendar).collect();
    assert_eq!(both, [JOURNEYS, OWNER]);
}

#[tokio::test]
async fn a_calendar_without_events_is_a_calendar() {
    let rig = Rig::of(&Setup::new(7, now()).days(100).items(7).page(10).stream("calendars"));
    let report = rig.run(&SyncOptions::default()).await;
    let counts: Vec<_> =
        report.streams.iter().map(|stream| (stream.counts.inserted, stream.caught_up)).collect();
    assert_eq!((report.status, counts), (RunStatus::Ok, vec![(7, true), (7, true)]));
    assert_eq!(rig.asked().len(), 7, "each is asked for");
}

#[tokio::test]
async fn days_and_instants_are_bounded_by_the_calendars_clock() {
    // Google counts a day from its midnight in the calendar's zone: that of Tokyo comes before that of UTC.
    let rig = Rig::new(100);
    let horizon: Timestamp = rig.clock.now() + 366 * DAY;
    assert_eq!(horizon.to_string(), "2027-08-11T12:00:00Z");
    rig.sync().await;
    for (first, last, stays) in [("2027-08-11", "2027-08-12", true), ("2027-08-12", "2027-08-13", false)] {
        assert!(rig.simulator.rewrite(2, &json!({ "start": { "date": first }, "end": { "date": last } })));
        rig.sync().await;
        rig.agrees();
        assert_eq!(rig.keys().len() == 100, stays, "{first}");
    }
}
