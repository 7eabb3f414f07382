//! Access: tokens that are renewed, consents that end, users that are not allowed in, and limits.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Clock;
use lifehub_core::connector::Connector;
use lifehub_core::engine::{RunStatus, Runs, SyncEvent, SyncOptions};
use lifehub_core::oauth::{MemoryAuthorizations, Start, Vault};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_spotify::Spotify;
use lifehub_testkit::oauth::{Consent, agree};
use lifehub_testkit::{Account, Change, Probe};

use crate::rig::{DAY, HOUR, Rig, error, few, now};

const SCOPES: [&str; 5] = [
    "user-read-recently-played",
    "user-library-read",
    "playlist-read-private",
    "playlist-read-collaborative",
    "user-top-read",
];

/// An account that was connected just now: its access token is good for an hour, its consent for six months.
fn connected() -> Rig {
    let rig = Rig::new(&few(20));
    let issued = rig.simulator.oauth().issue(&SCOPES, now());
    rig.set_credentials(
        Credentials::none()
            .with("access_token", Secret::new(issued.access_token))
            .with("refresh_token", Secret::new(issued.refresh_token.unwrap()))
            .with("expires_at", Secret::new(issued.expires_at.unwrap().to_string()))
            .with("expires_in", Secret::new("3600")),
    );
    rig
}

async fn held(rig: &Rig, name: &str) -> String {
    let held = rig.store.credentials(rig.connection.id).await.unwrap();
    held.credentials.get(name).unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_token_answer_without_a_refresh_token_keeps_the_old_one() {
    let rig = connected();
    rig.sync(&[]).await;
    let (access, refresh) = (held(&rig, "access_token").await, held(&rig, "refresh_token").await);
    for renewal in 1..=3 {
        rig.clock.advance(2 * HOUR);
        rig.sync(&[]).await;
        assert_ne!(held(&rig, "access_token").await, access, "renewal {renewal}");
        assert_eq!(held(&rig, "refresh_token").await, refresh, "renewal {renewal}");
    }
    let tally = rig.simulator.oauth().tally();
    assert_eq!((tally.refreshes, tally.refused, tally.early), (3, 0, 0));
}

#[tokio::test]
async fn after_six_months_the_consent_ends_however_often_it_was_used_and_the_data_stays() {
    let rig = connected();
    for _ in 0..6 {
        rig.sync(&[]).await;
        rig.clock.advance(30 * DAY);
    }
    rig.sync(&[]).await;
    let stored = rig.records("").len();
    assert!(stored > 100);
    rig.clock.advance(2 * DAY);
    let engine = rig.engine();
    let mut events = engine.events();
    let report = engine.sync(&rig.connection, &SyncOptions::default()).await.unwrap();
    let told = error(&report, "recently_played");
    assert_eq!((report.status, told.kind), (RunStatus::Failed, ErrorKind::Unauthorized));
    assert!(told.hint.as_deref().unwrap().contains("connect the account again"), "{told:?}");
    assert!(report.streams.iter().all(|stream| !stream.caught_up));
    assert_eq!(rig.records("").len(), stored);
    let events = std::iter::from_fn(|| events.try_recv().ok());
    let notices = events.filter(|event| matches!(event, SyncEvent::ReconnectRequired { .. }));
    assert_eq!(notices.count(), 1);
    // Nobody asks again and again.
    let calls = rig.simulator.oauth().tally().token_calls;
    rig.clock.advance(HOUR);
    rig.run(&[]).await;
    assert_eq!(rig.simulator.oauth().tally().token_calls, calls);
    // A new consent, and it goes on.
    let issued = rig.simulator.oauth().issue(&SCOPES, now() + 183 * DAY);
    rig.set_credentials(Credentials::none().with("access_token", Secret::new(issued.access_token)));
    rig.sync(&[]).await;
    assert!(rig.records("").len() > stored, "another day's facts");
}

#[tokio::test]
async fn a_grant_that_its_user_took_back_asks_to_connect_again() {
    let rig = connected();
    rig.sync(&[]).await;
    let stored = rig.records("").len();
    assert!(rig.simulator.oauth().withdraw(&held(&rig, "refresh_token").await));
    let report = rig.run(&[]).await;
    assert_eq!(error(&report, "recently_played").kind, ErrorKind::Unauthorized);
    assert_eq!(rig.records("").len(), stored);
    let tally = rig.simulator.oauth().tally();
    assert_eq!((tally.token_calls, tally.refused), (1, 1));
}

#[tokio::test]
async fn an_app_with_a_wrong_secret_is_told_so_and_the_consent_lives() {
    let mut rig = connected();
    let right = rig.operator["client_secret"].take();
    rig.operator["client_secret"] = "guess".into();
    rig.clock.advance(2 * HOUR);
    let report = rig.run(&[]).await;
    let told = error(&report, "recently_played");
    assert_eq!(told.kind, ErrorKind::Invalid);
    assert!(told.hint.as_deref().unwrap().contains("client_id and client_secret"), "{told:?}");
    rig.operator["client_secret"] = right;
    rig.sync(&[]).await;
}

#[tokio::test]
async fn a_listener_connects_by_the_consent_page() {
    let rig = Rig::new(&few(20));
    let client = rig.engine().oauth("spotify").unwrap();
    let user = rig.connection.user;
    let authorized = agree(&client, "spotify", user).await.unwrap();
    assert_eq!(authorized.tokens.scopes.as_deref().unwrap(), SCOPES);
    assert!(authorized.missing_scopes.is_empty() && authorized.tokens.refresh_token.is_some());
    let credentials = authorized.tokens.into_credentials(&Credentials::none());
    let manifest = Spotify.manifest();
    let ends = manifest.auth.oauth.as_ref().unwrap().consent_ends(&credentials).unwrap();
    assert_eq!(ends, now() + 180 * DAY, "of the six months, the shortest count");
    rig.set_credentials(credentials);
    rig.sync(&[]).await;
    rig.simulator.oauth().set(|rules| rules.consent = Consent::Deny);
    assert!(agree(&client, "spotify", user).await.is_err());
}

#[tokio::test]
async fn spotify_sends_back_to_loopback_by_its_number_alone() {
    let rig = Rig::new(&few(1));
    let client = rig.engine().oauth("spotify").unwrap();
    for (home, status) in [
        ("http://127.0.0.1:8080", 302),
        ("https://lifehub.example.org", 302),
        ("http://localhost:8080", 400),
        ("http://lifehub.example.org", 400),
    ] {
        let redirect = format!("{home}/oauth/spotify/callback").parse().unwrap();
        let start = Start {
            provider: "spotify",
            user: rig.connection.user,
            session: "s",
            connection: None,
            redirect,
        };
        let page = client.begin(&MemoryAuthorizations::default(), start).await.unwrap();
        assert!(page.query().unwrap().contains("code_challenge_method=S256"), "a proof key");
        assert_eq!(Probe::get(page.as_str()).send().unwrap().status, status, "{home}");
    }
}

#[tokio::test]
async fn a_user_whom_the_app_does_not_know_gets_one_clear_error() {
    let rig = Rig::new(&few(20));
    rig.sync(&[]).await;
    let stored = rig.records("").len();
    rig.simulator.set_registered(false);
    rig.asked();
    rig.clock.advance(HOUR);
    let report = rig.run(&[]).await;
    let told = error(&report, "recently_played");
    assert_eq!(told.kind, ErrorKind::Forbidden);
    assert!(told.message.contains("does not know this user"), "{told:?}");
    assert!(told.hint.as_deref().unwrap().contains("User Management"), "{told:?}");
    assert_eq!(
        report.streams.iter().filter(|stream| stream.error.is_some()).count(),
        1,
        "one error: {report:?}"
    );
    assert_eq!(rig.asked().len(), 1, "no other stream is asked for, and nothing twice");
    assert_eq!(rig.records("").len(), stored);
    let credentials = rig.simulator.access(&rig.server.url()).credentials;
    let refused = rig.engine().identify("spotify", &rig.connection.settings, credentials).await.unwrap_err();
    assert!(refused.get_hint().unwrap().contains("User Management"), "whoever connects is told, too");
    rig.simulator.set_registered(true);
    rig.sync(&[]).await;
}

#[tokio::test]
async fn a_scope_that_was_not_granted_stops_what_needs_it() {
    let rig = Rig::new(&few(20));
    rig.sync(&[]).await;
    assert!(rig.simulator.change(Change::Withhold(Some("playlist-read-private".to_owned()))));
    assert!(!rig.simulator.change(Change::Withhold(Some("read-minds".to_owned()))));
    rig.clock.advance(HOUR);
    let report = rig.run(&[]).await;
    let stopped = report.streams.iter().filter(|stream| stream.error.is_some());
    assert_eq!(
        stopped.map(|stream| stream.stream.as_str()).collect::<Vec<_>>(),
        ["playlists", "playlist_items"]
    );
    let told = error(&report, "playlist_items");
    assert_eq!(told.kind, ErrorKind::Forbidden);
    assert!(told.hint.as_deref().unwrap().contains("connect the account again"), "{told:?}");
}

#[tokio::test]
async fn a_wait_of_hours_parks_and_nobody_asks_before_it_is_over() {
    let rig = Rig::new(&few(20));
    let end = now() + Duration::from_secs(41_250);
    rig.simulator.lock_until(end);
    let report = rig.run(&[]).await;
    assert_eq!(report.status, RunStatus::Parked);
    assert!(report.streams.iter().all(|stream| stream.error.is_none() && !stream.caught_up));
    assert_eq!(rig.asked().len(), 1, "one refusal stops all streams");
    let resume = rig.store.latest(rig.connection.id).await.unwrap().unwrap().resume_at.unwrap();
    assert!(resume >= end && resume < end + 2 * HOUR, "{resume}");
    assert!(rig.clock.now() < end, "nothing waited");
    rig.clock.jump_to(resume);
    rig.sync(&[]).await;
    assert_eq!(rig.ids("saved_tracks"), rig.true_ids("saved_tracks"));
}

#[tokio::test]
async fn short_waits_are_waited_for_and_the_own_quotas_keep_within_a_lower_limit() {
    let rig = Rig::new(&few(40).page(8));
    rig.simulator.set_limit(Some(10));
    rig.sync(&[]).await;
    let statuses = |rig: &Rig| {
        let requests = rig.server.take_requests();
        requests.iter().filter(|request| request.status == Some(429)).count()
    };
    assert!(statuses(&rig) > 0);
    for stream in ["saved_tracks", "playlist_items", "top_artists"] {
        assert_eq!(rig.ids(stream), rig.true_ids(stream));
    }
    // With the quotas of the manifest, a limit that is known to nobody is kept to.
    let rig = Rig::new(&few(40).page(8)).with_quotas();
    rig.simulator.set_limit(Some(30));
    rig.sync(&[]).await;
    assert_eq!(statuses(&rig), 0);
}
