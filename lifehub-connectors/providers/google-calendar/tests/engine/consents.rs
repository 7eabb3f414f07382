//! Whose account it is, and how long what its owner agreed to lasts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use lifehub_core::connector::Identity;
use lifehub_core::engine::{Engine, RunStatus, SyncOptions};
use lifehub_core::http::{Request, Response, Transport};
use lifehub_core::memory::MemoryStore;
use lifehub_core::oauth::Vault;
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{ErrorKind, Result};
use lifehub_google_calendar::GoogleCalendar;
use lifehub_google_calendar::simulator::GoogleCalendarSimulator;
use lifehub_testkit::oauth::{Consent, agree};
use serde_json::json;

use crate::rig::{DAY, OWNER, Rig};

/// Answers who it is, and remembers where it was asked.
#[derive(Default)]
struct Google(Mutex<Vec<String>>);

#[async_trait]
impl Transport for Google {
    async fn send(&self, request: Request) -> Result<Response> {
        self.0.lock().unwrap().push(request.url.to_string());
        Ok(Response::new(StatusCode::OK, r#"{"sub":"17","email":"sample.user@example.com"}"#))
    }
}

#[tokio::test]
async fn whose_account_it_is_stands_at_googles_other_host() {
    let google = Arc::new(Google::default());
    let registry = Registry::new().with(GoogleCalendar);
    let engine = Engine::builder(registry, Arc::new(MemoryStore::new()), google.clone()).build();
    let token = Credentials::none().with("access_token", Secret::new("made-up"));
    let identity = engine.identify("google-calendar", &json!({}), token).await.unwrap();
    assert_eq!(identity, Identity { account: "17".into(), title: Some(OWNER.into()) });
    assert_eq!(*google.0.lock().unwrap(), ["https://openidconnect.googleapis.com/v1/userinfo"]);
}

#[tokio::test]
async fn an_operators_address_stands_for_both_hosts() {
    let rig = Rig::new(20);
    let credentials =
        Credentials::none().with("access_token", Secret::new("google-calendar-sim-0000000000000007-access"));
    let identity = rig.engine().identify("google-calendar", &json!({}), credentials).await.unwrap();
    let expected = Identity { account: GoogleCalendarSimulator::SUBJECT.into(), title: Some(OWNER.into()) };
    assert_eq!((identity, rig.server.requests()[0].path.as_str()), (expected, "/v1/userinfo"));
}

/// Connects the account anew, by its owner's consent.
async fn connect(rig: &Rig) -> Vec<String> {
    let client = rig.engine().oauth("google-calendar").unwrap();
    let authorized = agree(&client, "google-calendar", rig.connection.user).await.unwrap();
    rig.set_credentials(authorized.tokens.into_credentials(&Credentials::none()));
    authorized.missing_scopes
}

#[tokio::test]
async fn a_refresh_token_comes_with_the_consent_and_stays() {
    let rig = Rig::new(60);
    assert!(connect(&rig).await.is_empty());
    let visit = rig.server.requests().into_iter().find(|r| r.path == "/o/oauth2/v2/auth").unwrap().query;
    for part in ["access_type=offline", "prompt=consent", "code_challenge_method=S256", "scope=openid+"] {
        assert!(visit.contains(part), "{part}: {visit}");
    }
    for _ in 0..3 {
        rig.clock.advance(30 * DAY);
        rig.sync().await;
        rig.agrees();
    }
    let tally = rig.simulator.oauth().tally();
    assert_eq!((tally.refreshes, tally.refused, tally.early), (3, 0, 0), "one for each run");
}

#[tokio::test]
async fn in_testing_a_consent_lasts_seven_days() {
    let rig = Rig::new(60);
    rig.simulator.set_testing(true);
    connect(&rig).await;
    rig.clock.advance(6 * DAY);
    rig.sync().await;
    let before = rig.stored();
    rig.clock.advance(DAY);
    let report = rig.run(&SyncOptions::default()).await;
    let error = report.streams[0].error.as_ref().unwrap();
    assert_eq!((report.status, error.kind), (RunStatus::Failed, ErrorKind::Unauthorized));
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("connect the account again")), "{error:?}");
    assert!(report.streams[1].error.is_none(), "said once");
    assert_eq!(rig.stored(), before);
    connect(&rig).await;
    rig.sync().await;
}

#[tokio::test]
async fn a_box_that_is_not_ticked_stops_its_stream_before_it_is_asked_for() {
    let rig = Rig::new(60);
    let ticked = ["openid", "https://www.googleapis.com/auth/calendar.calendarlist.readonly"];
    rig.simulator.oauth().set(|rules| rules.consent = Consent::Only(ticked.map(str::to_owned).to_vec()));
    let missing = connect(&rig).await;
    assert!(missing.iter().any(|scope| scope.ends_with("/calendar.events.readonly")), "{missing:?}");
    let report = rig.run(&SyncOptions::default()).await;
    assert!(report.streams[0].caught_up && report.streams[0].counts.inserted == 4);
    let error = report.streams[1].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("every box")), "{error:?}");
    assert!(rig.asked().is_empty());
}

#[tokio::test]
async fn a_consent_is_given_back_by_post() {
    let rig = Rig::new(20);
    connect(&rig).await;
    let client = rig.engine().oauth("google-calendar").unwrap();
    let credentials = rig.store.credentials(rig.connection.id).await.unwrap().credentials;
    client.revoke(&credentials).await.unwrap();
    client.revoke(&credentials).await.expect("that it is gone already is no error");
    let calls: Vec<_> = rig.server.requests().into_iter().filter(|r| r.path == "/revoke").collect();
    let seen: Vec<_> = calls.iter().map(|call| (call.method.as_str(), call.status)).collect();
    assert_eq!(seen, [("POST", Some(200)), ("POST", Some(400))]);
    rig.clock.advance(Duration::from_secs(1));
    let report = rig.run(&SyncOptions::default()).await;
    assert_eq!(report.streams[0].error.as_ref().unwrap().kind, ErrorKind::Unauthorized);
}
