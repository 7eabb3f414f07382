//! The simulated Spotify against Spotify's documentation and its clients' reports, over real HTTP.

use std::time::Duration;

use lifehub_testkit::{Account, Change, Probe, Setup};
use serde_json::{Value, json};

use crate::rig::{HOUR, Rig, few, now};

fn millis(item: &Value) -> i64 {
    let at: lifehub_core::clock::Timestamp = item["played_at"].as_str().unwrap().parse().unwrap();
    at.as_micros() / 1_000
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().unwrap().clone()
}

#[test]
fn the_history_is_as_documented() {
    let rig = Rig::new(&few(60));
    let page = rig.json("/me/player/recently-played?limit=2");
    let plays = items(&page);
    assert_eq!((plays.len(), page["limit"].as_u64()), (2, Some(2)));
    assert!(millis(&plays[0]) > millis(&plays[1]), "the newest first");
    let text = |number: i64| json!(number.to_string());
    assert_eq!(
        page["cursors"],
        json!({ "after": text(millis(&plays[0])), "before": text(millis(&plays[1])) })
    );
    assert!(page.get("total").is_none());
    for member in ["album", "artists", "duration_ms", "external_ids", "external_urls", "id", "name", "uri"] {
        assert!(!plays[0]["track"][member].is_null(), "{member}");
    }
    for member in ["popularity", "available_markets", "linked_from", "preview_url"] {
        assert!(plays[0]["track"].get(member).is_none(), "{member} was taken away in February 2026");
    }
}

#[test]
fn cursors_are_milliseconds_and_exclusive() {
    let rig = Rig::new(&few(60));
    let all = items(&rig.json("/me/player/recently-played?limit=50"));
    assert_eq!(all.len(), 50, "of sixty");
    let tenth = millis(&all[9]);
    let after =
        |cursor: i64| items(&rig.json(&format!("/me/player/recently-played?limit=50&after={cursor}")));
    assert_eq!(after(tenth), all[..9]);
    assert_eq!(after(tenth - 1), all[..10]);
    // Cut to seconds, the same cursor reads the last play again.
    assert_eq!(after(tenth / 1_000 * 1_000), all[..10]);
    let before =
        |cursor: i64| items(&rig.json(&format!("/me/player/recently-played?limit=50&before={cursor}")));
    assert_eq!(before(tenth), all[10..]);
    assert_eq!(before(tenth + 1), all[9..]);
    // Two plays of one second are on both sides of a cursor between them.
    for millis in [200, 700] {
        rig.simulator.play(now() + Duration::from_millis(millis));
    }
    assert_eq!(after(now().as_seconds() * 1_000 + 200).len(), 1);
    assert_eq!(after(now().as_seconds() * 1_000 + 199).len(), 2);
    for bad in ["limit=0", "limit=51", "after=soon", "after=1&before=2"] {
        assert_eq!(rig.get(&format!("/me/player/recently-played?{bad}")).status, 400, "{bad}");
    }
}

#[test]
fn further_back_than_fifty_there_are_empty_pages_alone() {
    let rig = Rig::new(&few(60));
    let mut next = "/me/player/recently-played?limit=20".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = rig.json(&next);
        sizes.push(items(&page).len());
        match page["next"].as_str() {
            Some(link) => next = link.split_once("/v1").unwrap().1.to_owned(),
            None => {
                assert_eq!(page["cursors"], Value::Null);
                break;
            }
        }
    }
    assert_eq!(sizes, [20, 20, 10, 0]);
}

#[test]
fn what_is_new_pushes_the_oldest_out() {
    let rig = Rig::new(&few(50));
    let before = items(&rig.json("/me/player/recently-played?limit=50"));
    rig.simulator.play(now());
    let after = items(&rig.json("/me/player/recently-played?limit=50"));
    assert_eq!(after[1..], before[..49]);
    assert_eq!(rig.true_ids("recently_played").len(), 51, "whoever asked has it");
}

#[test]
fn lists_are_counted_from_their_first_item() {
    let rig = Rig::new(&few(7).page(3).stream("saved_tracks"));
    let page = rig.json("/me/tracks?limit=50");
    let link = |offset: u64| json!(format!("{}/v1/me/tracks?offset={offset}&limit=3", rig.server.url()));
    assert_eq!((&page["offset"], &page["total"], &page["previous"]), (&json!(0), &json!(7), &Value::Null));
    assert_eq!(page["next"], link(3));
    let last = rig.json("/me/tracks?limit=50&offset=6");
    assert_eq!((items(&last).len(), &last["next"], &last["previous"]), (1, &Value::Null, &link(3)));
    assert!(items(&rig.json("/me/tracks?offset=70")).is_empty());
    let added: Vec<String> =
        items(&page).iter().map(|item| item["added_at"].as_str().unwrap().to_owned()).collect();
    assert!(added.is_sorted_by(|newer, older| newer >= older), "the newest first: {added:?}");
    assert!(added.iter().all(|at| at.len() == "2026-07-30T07:11:52Z".len()), "to the second: {added:?}");
    assert_eq!(rig.get("/me/tracks?limit=51").status, 400);
}

#[test]
fn playlists_have_their_new_names_or_their_old_ones() {
    let rig = Rig::new(&few(20).stream("playlist_items"));
    let playlist = items(&rig.json("/me/playlists")).pop().unwrap();
    let id = playlist["id"].as_str().unwrap();
    assert_eq!((&playlist["items"]["total"], playlist.get("tracks")), (&json!(17), None));
    let page = rig.json(&format!("/playlists/{id}/items?limit=50"));
    let entry = items(&page).pop().unwrap();
    assert!(entry["item"]["uri"].is_string() && entry.get("track").is_none());
    let first = &items(&page)[0];
    assert_eq!(
        (&first["added_at"], &first["added_by"], &first["item"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let reply = rig.get(&format!("/playlists/{id}/tracks"));
    let body = json!({ "error": { "status": 403, "message": "Forbidden" } });
    assert_eq!((reply.status, reply.json().unwrap()), (403, body));
    rig.simulator.set_old_names(true);
    let old = items(&rig.json(&format!("/playlists/{id}/tracks"))).pop().unwrap();
    assert_eq!((&old["track"], old.get("item")), (&entry["item"], None));
    let listed = items(&rig.json("/me/playlists")).pop().unwrap();
    assert_eq!((&listed["tracks"], listed.get("items")), (&playlist["items"], None));
}

#[test]
fn another_snapshot_is_another_content() {
    let rig = Rig::new(&few(20).stream("playlist_items"));
    let snapshots = || -> Vec<Value> {
        items(&rig.json("/me/playlists")).iter().map(|playlist| playlist["snapshot_id"].clone()).collect()
    };
    let before = snapshots();
    assert_eq!(snapshots(), before);
    rig.simulator.put_into_playlist(now());
    let after = snapshots();
    let last = before.len() - 1;
    assert_eq!(before[..last], after[..last]);
    assert_ne!(before[last], after[last]);
}

#[test]
fn favourites_are_fifty_of_each_range() {
    let rig = Rig::new(&Setup::new(5, now()));
    let of =
        |kind: &str, range: &str| items(&rig.json(&format!("/me/top/{kind}?time_range={range}&limit=50")));
    let (short, long) = (of("artists", "short_term"), of("artists", "long_term"));
    assert_eq!((short.len(), long.len()), (50, 50));
    assert_ne!(short, long);
    assert!(short[0].get("genres").is_none() && short[0].get("followers").is_none());
    assert_eq!(of("tracks", "medium_term"), items(&rig.json("/me/top/tracks?limit=50")), "the default");
    assert_eq!(rig.get("/me/top/tracks?time_range=all_time").status, 400);
    assert_eq!(rig.get("/me/top/shows").status, 404);
}

#[test]
fn refusals_are_in_spotifys_words() {
    let rig = Rig::new(&few(5));
    let url = format!("{}/v1/me", rig.server.url());
    let body = |message: &str| json!({ "error": { "status": 401, "message": message } });
    let foreign = Probe::get(&url).bearer("foreign").send().unwrap();
    assert_eq!((foreign.status, foreign.json().unwrap()), (401, body("Invalid access token")));
    let old = rig.simulator.oauth().issue(&["user-top-read"], now() - HOUR);
    let old = Probe::get(&url).bearer(&old.access_token).send().unwrap();
    assert_eq!((old.status, old.json().unwrap()), (401, body("The access token expired")));
    rig.simulator.lock_until(now() + Duration::from_secs(41_250));
    let locked = rig.get("/me");
    let quota =
        json!({ "error": { "status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED" } });
    assert_eq!((locked.header("retry-after"), locked.json().unwrap()), (Some("41250"), quota));
    rig.simulator.set_registered(false);
    let unknown = rig.get("/me");
    assert_eq!((unknown.status, unknown.header("content-type")), (403, Some("text/plain; charset=utf-8")));
    assert!(unknown.json().is_err());
}

#[test]
fn half_a_minute_rolls() {
    let rig = Rig::new(&few(5));
    rig.simulator.set_limit(Some(2));
    let try_once = || {
        let reply = rig.get("/me");
        (reply.status, reply.header("retry-after").map(str::to_owned))
    };
    assert_eq!(try_once().0, 200);
    rig.clock.advance(Duration::from_secs(12));
    assert_eq!(try_once().0, 200);
    assert_eq!(try_once(), (429, Some("18".to_owned())));
    rig.clock.advance(Duration::from_secs(18));
    assert_eq!(try_once().0, 200);
    assert_eq!(try_once(), (429, Some("12".to_owned())));
}

#[test]
fn tokens_are_answered_with_a_refresh_token_once() {
    let rig = Rig::new(&few(5));
    let issued = rig.simulator.oauth().issue(&["user-top-read", "user-library-read"], now());
    let refresh = issued.refresh_token.unwrap();
    // spotify-sim-client:spotify-sim-client-secret
    let app = "Basic c3BvdGlmeS1zaW0tY2xpZW50OnNwb3RpZnktc2ltLWNsaWVudC1zZWNyZXQ=";
    let ask = || {
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        Probe::post_form(format!("{}/api/token", rig.server.url()), &form)
            .header("authorization", app)
            .send()
            .unwrap()
    };
    let body = ask().json().unwrap();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3_600)));
    assert_eq!(
        (&body["scope"], body.get("refresh_token")),
        (&json!("user-top-read user-library-read"), None)
    );
    rig.clock.advance(Duration::from_secs(183 * 86_400));
    let refused = ask();
    let words = json!({ "error": "invalid_grant", "error_description": "Refresh token revoked" });
    assert_eq!((refused.status, refused.json().unwrap()), (400, words));
}

#[test]
fn the_same_setup_gives_the_same_account_and_another_seed_another() {
    let setup = Setup::new(5, now());
    let (one, same, other) = (Rig::new(&setup), Rig::new(&setup), Rig::new(&Setup::new(6, now())));
    assert_eq!(one.simulator.truth(), same.simulator.truth());
    assert_ne!(one.simulator.truth(), other.simulator.truth());
    assert_ne!(one.json("/me")["account_id"], other.json("/me")["account_id"]);
    let of = |stream: &str| one.simulator.truth().iter().filter(|fact| fact.stream == stream).count();
    assert_eq!((of("recently_played"), of("playlists"), of("top_tracks")), (50, 20, 150));
    assert!(of("saved_tracks") > 250 && of("playlist_items") > 300);
    let like = one.true_ids("playlist_items").into_iter().filter(|id| id.matches('|').count() == 2).count();
    assert!(like > 0, "what was put in twice at once");
}

#[test]
fn what_spotify_does_not_know_changes_nothing() {
    let unknown = |stream: &str, change: Change| {
        let rig = Rig::new(&few(20).stream(stream));
        let before = rig.simulator.truth();
        let done = rig.simulator.change(change.clone());
        assert!(!done && rig.simulator.truth() == before, "{stream}: {change:?}");
    };
    for stream in
        ["recently_played", "saved_tracks", "playlists", "playlist_items", "top_tracks", "top_artists"]
    {
        for change in [Change::Stale(true), Change::ExpireCursors, Change::EmptyPages(true), Change::Edit(50)]
        {
            unknown(stream, change);
        }
    }
    for stream in ["recently_played", "top_tracks", "top_artists"] {
        unknown(stream, Change::Delete { from: 0, count: 1 });
    }
    for stream in ["playlists", "playlist_items", "top_tracks", "top_artists"] {
        unknown(stream, Change::AddLate(HOUR));
    }
    unknown("recently_played", Change::Edit(0));
    unknown("top_tracks", Change::TakeId(0));
}
