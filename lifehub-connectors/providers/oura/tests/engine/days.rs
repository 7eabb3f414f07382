//! Which days are asked for, and what of the answers is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::engine::SyncOptions;
use lifehub_oura::simulator::Collection;
use lifehub_testkit::{Account, Change, Setup};

use crate::rig::{Rig, errors, now};

fn number(day: &str) -> i32 {
    day.parse::<Day>().unwrap().as_number()
}

#[tokio::test]
async fn two_years_are_read_in_a_hundred_requests_and_news_in_one_a_stream() {
    let rig = Rig::years();
    let first = rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
    assert!(first.inserted > 4_000 && first.quarantined == 0, "{first:?}");
    let asked = rig.asked();
    assert!(asked.len() <= 101, "{} requests", asked.len());
    // Of each list of documents: two days more on both sides, and no list of more than three months.
    for (path, query) in asked.iter().filter(|(path, _)| path != "heartrate") {
        let days = number(&query["end_date"]) - number(&query["start_date"]) + 1;
        assert!(days <= 90, "{path}: {query:?}");
    }
    let nights: Vec<_> =
        asked.iter().filter(|(path, _)| path == "daily_sleep").map(|(_, query)| query).collect();
    assert_eq!(nights[0]["end_date"], "2026-06-13", "tomorrow and two more days");
    for pair in nights.windows(2) {
        let (later, earlier) = (number(&pair[0]["start_date"]), number(&pair[1]["end_date"]));
        assert_eq!(later + 2, earlier - 2 + 1, "each day belongs to one list");
    }

    let second = rig.sync().await;
    assert_eq!((second.inserted, second.updated, second.deleted), (0, 0, 0));
    let live: Vec<String> = rig.asked().into_iter().map(|(path, _)| path).collect();
    let once: BTreeSet<&String> = live.iter().collect();
    assert_eq!((live.len(), once.len()), (9, 9), "{live:?}");
}

#[tokio::test]
async fn inclusive_and_exclusive_ends_lose_no_day() {
    for collection in Collection::ALL {
        let stream = collection.stream();
        let setup = Setup::new(7, now()).days(120).items(240).stream(stream);
        let rig = Rig::new(&setup).from(Some("2026-03-01"));
        rig.run(&[stream], false).await;
        // What each list is the last to have: today, and the last day of every earlier list.
        let lists = rig.asked().into_iter().filter(|(_, query)| !query.contains_key("next_token"));
        let last = |query: &BTreeMap<String, String>| match query.get("end_date") {
            Some(end) => Day::from_number(number(end) - 2).to_string(),
            None => Day::from_number(number(&query["end_datetime"][..10]) - 1).to_string(),
        };
        let borders: BTreeSet<String> = lists.map(|(_, query)| last(&query)).collect();
        assert!(borders.len() >= 2 && borders.contains("2026-06-11"), "{collection:?}: {borders:?}");

        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for fact in rig.simulator.truth().into_iter().filter(|fact| fact.stream == stream) {
            let record = &fact.records.as_ref().unwrap()[0];
            let day = record["day"].as_str().or(record["start"].as_str()).unwrap()[..10].to_owned();
            told.entry(day).or_default().insert(fact.id.unwrap());
        }
        let stored: BTreeSet<String> = rig.stored().into_iter().map(|(_, id)| id).collect();
        for (day, ids) in &told {
            // A nap of an evening belongs to the day after.
            let is_read = day.as_str() >= "2026-03-01";
            assert!(!is_read || ids.is_subset(&stored), "{collection:?} lacks something of {day}");
            assert!(day.as_str() >= "2026-02-28" || ids.is_disjoint(&stored), "{collection:?} has {day}");
        }
        for border in
            borders.iter().filter(|border| *border != "2026-06-11").chain([&"2026-06-10".to_owned()])
        {
            assert!(told.contains_key(border), "{collection:?}: nothing is at the border {border}");
        }
    }
}

#[tokio::test]
async fn a_workout_after_midnight_is_found_though_its_day_in_utc_is_the_one_before() {
    let rig = Rig::new(&Setup::new(7, now()).days(400).items(10).stream("workouts")).from(Some("2026-06-10"));
    // Half past midnight in Rome, of today.
    let start: Timestamp = "2026-06-09T22:30:00Z".parse().unwrap();
    assert!(rig.simulator.change(Change::AddLate(now().since(start))));
    rig.run(&["workouts"], false).await;
    let days = rig.by_day("workouts");
    assert!(days.contains_key("2026-06-10") && !days.contains_key("2026-06-09"), "{days:?}");
}

#[tokio::test]
async fn next_token_is_followed_to_its_end() {
    let rig = Rig::months();
    rig.run(&["heart_rate"], false).await;
    let samples = rig.records("heart_rate").len();
    assert!(samples > 1_000, "{samples} samples: a first page has 1,000");
    let told = rig.truth().into_iter().filter(|(stream, _)| stream == "heart_rate").count();
    assert_eq!(samples, told);
    let asked = rig.asked();
    assert!(asked[1].1.contains_key("next_token"), "{asked:?}");
    let same = |name: &str| asked[0].1[name] == asked[1].1[name];
    assert!(same("start_datetime") && same("end_datetime"), "the other parameters are kept: {asked:?}");

    // Many small pages, over several spans of days.
    let rig = Rig::new(&Setup::new(7, now()).days(200).items(150).page(7));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn a_next_token_that_comes_twice_is_an_error_and_no_end() {
    let rig = Rig::new(&Setup::new(7, now()).days(20).items(40).page(8));
    rig.simulator.set_repeats_tokens(true);
    let report = rig.run(&[], false).await;
    let errors = errors(&report);
    assert_eq!(errors.len(), 9, "each stream for itself");
    assert!(
        errors.values().all(|error| error.kind == ErrorKind::Repeated && error.hint.is_some()),
        "{errors:?}"
    );
    assert!(rig.server.request_count() <= 3 * 9, "{} requests", rig.server.request_count());
    rig.simulator.set_repeats_tokens(false);
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_not_the_end() {
    let rig = Rig::new(&Setup::new(7, now()).days(200).items(50).page(20)).from(None);
    assert!(rig.simulator.change(Change::EmptyPages(true)));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn runs_of_a_few_pages_read_everything_in_the_end() {
    let rig = Rig::new(&Setup::new(7, now()).days(20).items(40).page(8));
    let mut options = SyncOptions::default();
    options.max_pages = 3;
    let mut runs = 0;
    while rig.stored() != rig.truth() {
        rig.clock.advance(Duration::from_secs(30));
        rig.engine().sync(&rig.connection, &options).await.unwrap();
        runs += 1;
        assert!(runs < 60, "news of one stream keep the others waiting");
    }
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn a_pass_goes_on_where_it_stopped_days_ago() {
    let rig = Rig::months();
    let mut options = SyncOptions::default();
    options.max_pages = 10;
    rig.engine().sync(&rig.connection, &options).await.unwrap();
    rig.clock.advance(Duration::from_secs(3 * 86_400));
    assert!(rig.simulator.change(Change::Add));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn lists_of_samples_are_of_no_more_than_thirty_days() {
    let rig = Rig::months();
    rig.run(&["heart_rate"], false).await;
    let mut from = None;
    for (_, query) in rig.asked().iter().filter(|(_, query)| !query.contains_key("next_token")) {
        let time = |name: &str| query[name].parse::<Timestamp>().unwrap();
        let (start, end) = (time("start_datetime"), time("end_datetime"));
        assert!(end.since(start) <= Duration::from_secs(30 * 86_400), "{query:?}");
        // A second more than belongs to it, as nobody says whether the start does.
        assert!(from.is_none_or(|from| from == end), "{query:?}");
        from = Some(start + Duration::from_secs(1));
    }
}
