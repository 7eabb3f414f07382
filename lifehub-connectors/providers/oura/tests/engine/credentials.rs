//! Tokens that are good once, scopes that are missing, memberships that end, limits that are hit.

use std::collections::BTreeSet;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Clock;
use lifehub_core::engine::{Report, RunStatus};
use lifehub_core::oauth::{Standing, Vault};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_oura::simulator::{Limits, OuraSimulator, Portal};
use lifehub_testkit::oauth::{Consent, Tally, agree};
use lifehub_testkit::{Account, Change, Fault, FaultPlan, Setup};
use serde_json::json;

use crate::rig::{DAY, Rig, errors, now};

const SCOPES: [&str; 7] = ["email", "daily", "spo2", "workout", "session", "tag", "heartrate"];

fn rig() -> Rig {
    Rig::new(&Setup::new(7, now()).days(20).items(20))
}

/// An account that was connected by the code flow.
async fn connected() -> Rig {
    let rig = rig();
    consent(&rig).await;
    rig
}

/// Connects the account, and stores what comes of it.
async fn consent(rig: &Rig) {
    let client = rig.engine().oauth("oura").unwrap();
    let authorized = agree(&client, "oura", rig.connection.user).await.unwrap();
    rig.set_credentials(authorized.tokens.into_credentials(&Credentials::none()));
}

impl Rig {
    fn tally(&self) -> Tally {
        self.simulator.oauth().tally()
    }

    async fn standing(&self) -> Standing {
        self.store.credentials(self.connection.id).await.unwrap().standing
    }

    async fn secret(&self, name: &str) -> Option<String> {
        let credentials = self.store.credentials(self.connection.id).await.unwrap().credentials;
        credentials.get(name).map(|secret| secret.expose().to_owned())
    }
}

/// The streams that ended in an error, if it is this one, with a hint.
#[track_caller]
fn ended_in(report: &Report, kind: ErrorKind) -> Vec<&str> {
    let errors = errors(report);
    assert!(errors.values().all(|error| error.kind == kind && error.hint.is_some()), "{errors:?}");
    errors.into_keys().collect()
}

#[tokio::test]
async fn each_refresh_token_is_used_once() {
    let rig = connected().await;
    for day in 1..=3 {
        let before = rig.secret("refresh_token").await.unwrap();
        rig.clock.advance(DAY);
        rig.sync().await;
        assert_eq!((rig.tally().refreshes, rig.tally().reuses), (day, 0));
        let after = rig.secret("refresh_token").await.unwrap();
        let newest = rig.simulator.oauth().families().pop().unwrap().refresh_token.unwrap();
        assert!(after != before && after == newest, "what is stored is the newest");
    }
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_asks_to_connect_again_and_loses_nothing() {
    let rig = connected().await;
    rig.sync().await;
    let before = rig.stored();
    rig.clock.advance(DAY);
    // Oura has rotated the token, and nobody has heard of the new one.
    rig.server.set_faults(FaultPlan::none().at(1, Fault::Reset));
    rig.run(&[], false).await;
    let report = rig.run(&[], false).await;
    assert!(!ended_in(&report, ErrorKind::Unauthorized).is_empty());
    assert!(matches!(rig.standing().await, Standing::Refused { .. }));
    assert_eq!(rig.tally().reuses, 1, "a token that is used again ends its whole family");
    assert_eq!(rig.stored(), before);
    consent(&rig).await;
    assert!(rig.simulator.change(Change::Add));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn a_consent_that_was_taken_back_stops_all_with_one_answer_and_keeps_the_data() {
    let rig = connected().await;
    rig.sync().await;
    let before = rig.stored();
    let token = rig.secret("access_token").await.unwrap();
    assert!(rig.simulator.oauth().withdraw(&token));
    let report = rig.run(&[], false).await;
    assert_eq!(ended_in(&report, ErrorKind::Unauthorized).len(), 1, "what stops the connection is told once");
    assert!(matches!(rig.standing().await, Standing::Refused { .. }));
    assert_eq!(rig.stored(), before);
}

#[tokio::test]
async fn a_scope_that_the_consent_lacks_is_not_asked_for() {
    let rig = rig();
    let ticked = ["daily", "workout", "tag", "session", "heartrate"].map(str::to_owned).to_vec();
    rig.simulator.oauth().set(|rules| rules.consent = Consent::Only(ticked));
    consent(&rig).await;
    let known = rig.secret("scopes").await.unwrap();
    assert!(known.contains("daily") && !known.contains("extapi:"), "granted under longer names: {known}");
    rig.server.take_requests();
    let report = rig.run(&[], false).await;
    assert_eq!(ended_in(&report, ErrorKind::Forbidden), ["daily_spo2"]);
    assert!(rig.asked().iter().all(|(path, _)| path != "daily_spo2"));
    assert_eq!((rig.tally().refreshes, rig.standing().await), (0, Standing::Good));
    let read: BTreeSet<String> = rig.stored().into_iter().map(|(stream, _)| stream).collect();
    assert_eq!(read.len(), 8, "all others: {read:?}");
}

/// A 401 that means a missing scope, with a token of which no scopes are known: pasted by hand, or renewable.
async fn without_spo2(rig: &Rig) -> Vec<String> {
    rig.sync().await;
    let before = rig.stored();
    rig.simulator.change(Change::Withhold(Some("extapi:spo2".to_owned())));
    rig.asked();
    let report = rig.run(&[], false).await;
    assert_eq!(ended_in(&report, ErrorKind::Forbidden), ["daily_spo2"]);
    let going_on = report.streams.iter().filter(|stream| stream.caught_up).count();
    assert_eq!(going_on, 8, "the others go on");
    assert_eq!(rig.stored(), before);
    rig.asked().into_iter().map(|(path, _)| path).collect()
}

#[tokio::test]
async fn a_401_that_names_a_scope_stops_its_stream_alone_and_touches_no_token() {
    let rig = rig();
    let asked = without_spo2(&rig).await;
    assert_eq!(asked.iter().filter(|path| *path == "daily_spo2").count(), 1, "{asked:?}");
    assert!(!asked.contains(&"personal_info".to_owned()), "the answer says it: {asked:?}");
    assert_eq!((rig.standing().await, rig.tally().token_calls), (Standing::Good, 0));

    // The same with tokens that could be renewed.
    let rig = connected().await;
    rig.set_credentials(unscoped(&rig).await);
    without_spo2(&rig).await;
    assert_eq!(
        (rig.standing().await, rig.tally().refreshes),
        (Standing::Good, 0),
        "no refresh token is burnt"
    );
    rig.simulator.change(Change::Withhold(None));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn a_401_that_names_nothing_is_told_from_an_ended_token_by_the_account() {
    let rig = connected().await;
    rig.set_credentials(unscoped(&rig).await);
    rig.simulator.set_names_scopes(false);
    let asked = without_spo2(&rig).await;
    assert!(asked.contains(&"personal_info".to_owned()), "{asked:?}");
    assert_eq!(rig.standing().await, Standing::Good);
    assert!(rig.tally().refreshes <= 1, "one try with another token, as with every 401");
    rig.simulator.change(Change::Withhold(None));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

/// The credentials without what was granted.
async fn unscoped(rig: &Rig) -> Credentials {
    let names = ["access_token", "refresh_token", "expires_at", "expires_in"];
    let mut credentials = Credentials::none();
    for name in names {
        credentials = credentials.with(name, Secret::new(rig.secret(name).await.unwrap()));
    }
    credentials
}

#[tokio::test]
async fn an_access_token_that_ends_early_is_renewed_once() {
    let rig = connected().await;
    rig.sync().await;
    // Another one than Oura knows, as after a restore of a backup.
    let credentials = unscoped(&rig).await.with("access_token", Secret::new("one-of-long-ago"));
    rig.set_credentials(credentials);
    rig.sync().await;
    assert_eq!((rig.tally().refreshes, rig.tally().reuses), (1, 0));
}

#[tokio::test]
async fn a_pasted_token_that_is_wrong_is_refused_with_the_next_step() {
    let rig = rig();
    rig.set_credentials(Credentials::none().with("access_token", Secret::new("wrong")));
    let report = rig.run(&[], false).await;
    assert_eq!(ended_in(&report, ErrorKind::Unauthorized).len(), 1);
    assert!(rig.stored().is_empty() && rig.server.request_count() <= 2, "{}", rig.server.request_count());
}

#[tokio::test]
async fn a_membership_that_has_ended_is_told_so_and_keeps_the_data() {
    let rig = rig();
    rig.sync().await;
    let before = rig.stored();
    rig.simulator.set_member(false);
    let report = rig.run(&[], true).await;
    assert_eq!(ended_in(&report, ErrorKind::Forbidden).len(), 9);
    assert!(errors(&report)["sleep"].hint.as_ref().unwrap().contains("membership"));
    assert_eq!((rig.stored(), rig.standing().await), (before, Standing::Good));
    rig.simulator.set_member(true);
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn an_app_of_the_new_portal_needs_its_own_token_url() {
    let mut rig = connected().await;
    rig.simulator.set_portal(Portal::New);
    rig.clock.advance(DAY);
    let report = rig.run(&[], false).await;
    // It says nothing of the user's consent.
    assert!(!ended_in(&report, ErrorKind::Invalid).is_empty(), "{report:?}");
    assert_eq!((rig.standing().await, rig.tally().reuses), (Standing::Good, 0));
    rig.operator["token_url"] = json!(format!("{}{}", rig.server.url(), OuraSimulator::NEW_TOKEN_PATH));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
    assert_eq!(rig.tally().refreshes, 1);
}

#[tokio::test]
async fn a_limit_is_waited_for_as_long_as_oura_says() {
    let rig = Rig::months();
    rig.simulator.set_limits(Some(Limits::new(12, Duration::from_secs(30))));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
    let requests = rig.server.take_requests();
    let refused: Vec<usize> = (0..requests.len()).filter(|i| requests[*i].status == Some(429)).collect();
    assert!(!refused.is_empty() && refused.len() <= 4, "{refused:?}");
    for i in refused {
        assert!(requests[i + 1].at.since(requests[i].at) >= Duration::from_secs(29), "after request {i}");
    }
}

#[tokio::test]
async fn a_long_wait_parks_the_sync() {
    let rig = rig();
    rig.simulator.set_limits(Some(Limits::new(3, Duration::from_secs(300))));
    let before = rig.clock.now();
    let report = rig.run(&[], false).await;
    assert_eq!(report.status, RunStatus::Parked);
    assert!(rig.clock.now().since(before) < Duration::from_secs(60), "no worker waits");
    rig.simulator.set_limits(None);
    rig.clock.advance(Duration::from_secs(301));
    rig.sync().await;
    assert_eq!(rig.stored(), rig.truth());
}

#[tokio::test]
async fn its_own_quota_keeps_within_the_figure() {
    let mut rig = Rig::months();
    rig.operator["quotas"] = json!([{
        "name": "requests", "scope": "app", "window": { "kind": "sliding", "per_s": 300 }, "limit": 20
    }]);
    rig.simulator.set_limits(Some(Limits::new(20, Duration::from_secs(300))));
    let mut report = rig.run(&[], false).await;
    while report.status == RunStatus::Parked {
        rig.clock.advance(Duration::from_secs(120));
        report = rig.run(&[], false).await;
    }
    assert_eq!(report.status, RunStatus::Ok, "{report:?}");
    assert!(rig.server.requests().iter().all(|request| request.status == Some(200)));
    assert_eq!(rig.stored(), rig.truth());
}

#[test]
fn the_scopes_that_are_asked_for_open_all_streams() {
    use lifehub_core::connector::Connector;
    let oura = lifehub_oura::Oura;
    let manifest = oura.manifest();
    let oauth = manifest.auth.oauth.as_ref().unwrap();
    // Granted scopes come back under longer names, and are compared without what is put before them.
    assert_eq!((oauth.scopes, oauth.scope_prefix), (&SCOPES[..], "extapi:"));
    for stream in &manifest.streams {
        let known = stream.scopes.iter().all(|scope| SCOPES.contains(scope));
        assert!(known && !stream.scopes.is_empty(), "{}", stream.name);
    }
}
