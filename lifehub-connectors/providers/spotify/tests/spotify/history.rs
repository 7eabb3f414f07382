//! The history: fifty plays and no more, told apart by milliseconds, merged by polling.

use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_core::connector::{Connector, SyncMode};
use lifehub_spotify::Spotify;
use lifehub_testkit::{Account, Change};

use crate::rig::{HOUR, MINUTE, Rig, few, now};

const PLAYS: &[&str] = &["recently_played"];

#[tokio::test]
async fn fifty_plays_are_kept_and_frequent_polls_merge_to_all_of_them() {
    let rig = Rig::new(&few(50));
    rig.sync(PLAYS).await;
    assert_eq!(rig.ids("recently_played").len(), 50);
    // Half a minute a play: the fastest that fifty plays can be pushed out, read by the stream's own interval.
    let interval = Spotify.manifest().stream("recently_played").unwrap().interval;
    assert_eq!(interval, 25 * MINUTE);
    for poll in 1..=4 {
        for play in 1..=50 {
            rig.simulator.play(now() + interval * (poll - 1) + MINUTE / 2 * play);
        }
        rig.clock.advance(interval);
        let counts = rig.sync(PLAYS).await;
        assert_eq!((counts.inserted, counts.deleted), (50, 0), "poll {poll}");
    }
    assert_eq!(rig.ids("recently_played").len(), 250);
    assert_eq!(rig.ids("recently_played"), rig.true_ids("recently_played"));
}

#[tokio::test]
async fn plays_that_were_pushed_out_stay_and_absence_means_nothing() {
    let rig = Rig::new(&few(50));
    rig.sync(PLAYS).await;
    let before = rig.ids("recently_played");
    // A long party between two polls: the first ten of it are gone before anybody asks.
    for play in 1..=60 {
        rig.simulator.play(now() + MINUTE * play);
    }
    rig.clock.advance(2 * HOUR);
    let counts = rig.sync(PLAYS).await;
    assert_eq!((counts.inserted, counts.deleted, counts.held), (50, 0, 0));
    let after = rig.ids("recently_played");
    assert_eq!(after.len(), 100);
    assert!(before.iter().all(|id| after.contains(id)));
    assert_eq!(after, rig.true_ids("recently_played"));
}

#[tokio::test]
async fn a_poll_is_one_request_and_a_second_one_writes_nothing() {
    let rig = Rig::new(&few(60));
    rig.sync(PLAYS).await;
    let first = rig.server.take_requests();
    assert_eq!(first.len(), 1);
    assert_eq!(
        (first[0].path.as_str(), first[0].query.as_str()),
        ("/v1/me/player/recently-played", "limit=50")
    );
    let counts = rig.sync(PLAYS).await;
    assert_eq!((counts.inserted, counts.updated, counts.unchanged), (0, 0, 50));
    assert_eq!(rig.server.take_requests().len(), 1);
}

#[tokio::test]
async fn a_play_that_surfaces_days_late_is_found() {
    let rig = Rig::new(&few(40));
    rig.sync(PLAYS).await;
    assert!(rig.simulator.change(Change::AddLate(100 * HOUR)));
    rig.clock.advance(HOUR);
    assert_eq!(rig.sync(PLAYS).await.inserted, 1);
    assert_eq!(rig.ids("recently_played"), rig.true_ids("recently_played"));
}

#[tokio::test]
async fn milliseconds_tell_the_plays_of_one_second_apart() {
    let rig = Rig::new(&few(20));
    rig.sync(PLAYS).await;
    for millis in [1, 310, 999] {
        rig.simulator.play(now() + Duration::from_millis(millis));
    }
    rig.clock.advance(HOUR);
    assert_eq!(rig.sync(PLAYS).await.inserted, 3);
    let mut starts: Vec<String> = Vec::new();
    for ((_, id), record) in rig.stored("recently_played") {
        let (start, (played_at, uri)) = (record["start"].as_str().unwrap(), id.split_once('|').unwrap());
        assert!(
            uri.starts_with("spotify:track:") && played_at.len() == "2026-08-14T12:00:00.310Z".len(),
            "{id}"
        );
        let instant = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(instant(start), instant(played_at), "not cut to seconds");
        starts.extend(start.starts_with("2026-08-14T12:00:00").then(|| start.to_owned()));
    }
    let expected = ["2026-08-14T12:00:00.001Z", "2026-08-14T12:00:00.31Z", "2026-08-14T12:00:00.999Z"];
    assert_eq!(starts, expected);
}

#[test]
fn the_history_is_read_live_and_everything_else_whole() {
    let connector = Spotify;
    for stream in &connector.manifest().streams {
        assert_eq!(stream.sync == SyncMode::Incremental, stream.name == "recently_played", "{}", stream.name);
    }
}
