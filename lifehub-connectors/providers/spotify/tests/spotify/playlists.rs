//! Playlists: which of them can be read, what tells their entries apart, and what happens while they are read.

use lifehub_core::ErrorKind;
use lifehub_core::engine::RunStatus;
use lifehub_testkit::{Account, Change, Fault, FaultPlan, Setup};

use crate::rig::{DAY, HOUR, Rig, error, few, now};

const ENTRIES: &[&str] = &["playlist_items"];

/// Two partitions, forty entries, pages of eight.
fn playlists() -> Rig {
    Rig::new(&few(40).page(8).stream("playlist_items"))
}

#[tokio::test]
async fn only_playlists_that_the_user_owns_or_works_on_are_asked_for() {
    let rig = playlists();
    rig.sync(ENTRIES).await;
    let list = rig.json("/me/playlists?limit=50")["items"].clone();
    let of = |number: usize| {
        let playlist =
            list.as_array().unwrap().iter().find(|p| p["name"] == format!("Evening set {number}")).unwrap();
        let own = playlist["owner"]["id"] == "31samplelistener";
        (playlist["id"].as_str().unwrap().to_owned(), own, playlist["collaborative"].as_bool().unwrap())
    };
    let mut partitions: Vec<String> = rig.stored("playlist_items").into_keys().map(|(id, _)| id).collect();
    partitions.dedup();
    let (own, working, closed, followed) = (of(1), of(2), of(3), of(4));
    assert_eq!((own.1, own.2, working.1, working.2), (true, false, false, true));
    assert_eq!((closed.1, closed.2, followed.1, followed.2), (false, true, false, false));
    let mut expected = vec![own.0, working.0.clone()];
    expected.sort();
    assert_eq!(partitions, expected);
    let asked = rig.asked();
    let about = |id: &str| asked.iter().filter(|path| path.contains(id)).count();
    assert_eq!(
        (about(&working.0), about(&closed.0), about(&followed.0)),
        (2, 1, 0),
        "one try each: {asked:?}"
    );
}

#[tokio::test]
async fn entries_that_are_alike_are_kept_apart() {
    // Nine tenths of them were put in within one second, each fifth twice.
    for page in [3, 8, 50] {
        let rig = Rig::new(&few(60).ties(50).page(page).stream("playlist_items"));
        rig.sync(ENTRIES).await;
        let ids = rig.ids("playlist_items");
        let (again, first): (Vec<_>, Vec<_>) = ids.iter().partition(|id| id.matches('|').count() == 2);
        assert!(again.len() >= 9, "{page} a page: {ids:?}");
        for id in again {
            let like = id.strip_suffix("|1").unwrap_or_else(|| panic!("{id}"));
            assert!(first.iter().any(|id| *id == like), "{id}");
        }
        assert_eq!(ids, rig.true_ids("playlist_items"), "{page} a page");
    }
}

#[tokio::test]
async fn an_entry_keeps_its_record_when_others_before_it_go() {
    let rig = playlists();
    rig.sync(ENTRIES).await;
    let before = rig.stored("playlist_items");
    // The first of those that still have something in them.
    assert!(rig.simulator.take_out_of_playlist(32));
    rig.clock.advance(DAY);
    let counts = rig.sync(ENTRIES).await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (0, 0, 1), "and no other was renamed");
    let after = rig.stored("playlist_items");
    assert!(after.iter().all(|(key, record)| before[key]["id"] == record["id"]));
    assert_eq!(rig.ids("playlist_items"), rig.true_ids("playlist_items"));
}

#[tokio::test]
async fn a_playlist_that_grows_while_it_is_read_is_read_from_its_start() {
    for k in 0..9 {
        let rig = playlists();
        let simulator = rig.simulator.clone();
        // Put in long before the last: all that follows slides one place on, the last of a page onto the next.
        rig.server.after(k, move || simulator.put_into_playlist(now() - 10 * DAY));
        let report = rig.run(ENTRIES).await;
        assert_eq!(report.status, RunStatus::Ok, "after request {k}: {report:?}");
        let alike = rig.ids("playlist_items").iter().filter(|id| id.matches('|').count() == 2).count();
        assert_eq!(alike, 0, "after request {k}, an entry was taken for its like");
        rig.clock.advance(DAY);
        rig.sync(ENTRIES).await;
        assert_eq!(rig.ids("playlist_items"), rig.true_ids("playlist_items"), "after request {k}");
    }
}

#[tokio::test]
async fn what_is_gone_from_spotify_and_what_was_added_nobody_knows_when_is_kept_without_a_record() {
    let rig = playlists();
    let counts = rig.sync(ENTRIES).await;
    // The first two of each of the two playlists.
    assert_eq!((counts.inserted, counts.quarantined), (36, 0));
    let schemas: Vec<_> =
        rig.stored("playlist_items").into_values().map(|record| record["body"].clone()).collect();
    assert!(schemas.iter().any(|body| body["fields"]["show"] == "Made-up hour"), "an episode");
    assert!(
        schemas.iter().any(|body| body["fields"]["uri"] == "spotify:local:::Rehearsal:61"),
        "a local file"
    );
}

#[tokio::test]
async fn names_from_before_february_2026_are_read_too() {
    let rig = playlists();
    rig.simulator.set_old_names(true);
    rig.sync(&[]).await;
    let playlists = rig.stored("playlists");
    assert!(
        !playlists.is_empty() && playlists.values().all(|record| record["body"]["fields"]["items"].is_f64())
    );
    for stream in ["playlists", "playlist_items"] {
        assert_eq!(rig.ids(stream), rig.true_ids(stream));
    }
    let before = rig.stored("playlist_items");
    rig.simulator.set_old_names(false);
    rig.clock.advance(HOUR);
    let counts = rig.sync(ENTRIES).await;
    assert_eq!(
        (counts.inserted, counts.updated, counts.deleted),
        (0, 0, 0),
        "the same entries by another name"
    );
    assert_eq!(rig.stored("playlist_items"), before);
}

#[tokio::test]
async fn a_playlist_that_goes_is_asked_for_no_more_and_its_entries_stay() {
    let rig = playlists();
    rig.sync(&["playlists", "playlist_items"]).await;
    let before = rig.stored("playlist_items");
    // The second, on which the user works.
    assert!(rig.simulator.drop_playlist(4));
    rig.asked();
    rig.clock.advance(DAY);
    let counts = rig.sync(ENTRIES).await;
    assert_eq!((counts.inserted, counts.deleted), (0, 0));
    assert_eq!(rig.stored("playlist_items"), before);
    let asked = rig.asked();
    let about = asked.iter().filter(|path| path.starts_with("/playlists/")).count();
    assert_eq!(about, 6, "five pages of the first, and one try: {asked:?}");
    assert_eq!(rig.sync(&["playlists"]).await.deleted, 1);
    assert_eq!(rig.ids("playlists"), rig.true_ids("playlists"));
}

#[tokio::test]
async fn a_list_of_playlists_that_leads_in_a_circle_ends_in_an_error() {
    let rig = Rig::new(&Setup::new(5, now()).page(5));
    rig.server.set_faults(FaultPlan::none().from(3, Fault::Repeat));
    let report = rig.run(ENTRIES).await;
    assert_eq!(error(&report, "playlist_items").kind, ErrorKind::Repeated);
    assert!(rig.server.request_count() < 12, "{}", rig.server.request_count());
}

#[tokio::test]
async fn a_saved_track_that_is_taken_out_is_deleted_only_when_a_second_walk_misses_it_too() {
    let rig = Rig::new(&few(40).page(8).stream("saved_tracks"));
    rig.sync(&["saved_tracks"]).await;
    assert!(rig.simulator.change(Change::Delete { from: 20, count: 1 }));
    // The newest goes while the second page is on its way: all others slide up by one, and the walk misses one of them.
    let account = rig.simulator.clone();
    rig.server.after(1, move || _ = account.change(Change::Delete { from: 0, count: 1 }));
    rig.clock.advance(DAY);
    assert_eq!(rig.sync(&["saved_tracks"]).await.deleted, 1, "nobody but the one that two walks missed");
    assert_eq!(rig.asked().len(), 15, "a first sync and two walks of five pages");
    rig.clock.advance(DAY);
    assert_eq!(rig.sync(&["saved_tracks"]).await.deleted, 1);
    assert_eq!(rig.ids("saved_tracks"), rig.true_ids("saved_tracks"));
}
