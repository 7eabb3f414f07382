//! Until when a token is good, whatever the clocks show.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::{Clock, ManualClock, Timestamp};
use lifehub_core::http::{Request, ReqwestTransport, Response, Transport};
use lifehub_core::oauth::{OAuthClient, Tokens};
use lifehub_testkit::SimResponse;
use serde_json::{Value, json};

use crate::app::{App, SPEC, app, at, credentials};

/// Takes ten seconds each way by the client's clock, and may lose the answer's `Date`.
struct Slow {
    inner: ReqwestTransport,
    clock: Arc<ManualClock>,
    dated: bool,
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response> {
        self.clock.advance(Duration::from_secs(10));
        let mut response = self.inner.send(request).await?;
        self.clock.advance(Duration::from_secs(10));
        if !self.dated {
            response.headers.remove("date").expect("the server sends one");
        }
        Ok(response)
    }
}

async fn refresh(app: &App, dated: bool, body: &Value) -> Tokens {
    let inner = ReqwestTransport::local().unwrap();
    let transport = Arc::new(Slow { inner, clock: app.clock.clone(), dated });
    let client = OAuthClient::new(&SPEC, app.registered(), transport, app.clock.clone()).unwrap();
    app.answer(SimResponse::json(200, body));
    client.refresh(&credentials("a", Some("r"))).await.unwrap()
}

/// The life and the expiry of a token, asked for at noon by our clock, while the provider's shows `theirs`.
#[track_caller]
fn check(theirs: &str, dated: bool, body: Value, expected: Option<(u64, &str)>) {
    let app = app();
    app.server_clock.jump_to(at(theirs));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tokens = runtime.block_on(refresh(&app, dated, &body));
    assert_eq!(app.clock.now(), at("2026-08-10T12:00:20Z"));
    let expected: Option<(Duration, Timestamp)> =
        expected.map(|(life, expires)| (Duration::from_secs(life), at(expires)));
    assert_eq!(tokens.life.zip(tokens.expires_at), expected, "{body}");
    assert_eq!(tokens.life.is_some(), tokens.expires_at.is_some());
}

const NOON: &str = "2026-08-10T12:00:00Z";

#[test]
fn a_life_counts_from_the_start_of_the_request() {
    for theirs in [NOON, "2026-08-11T12:00:00Z"] {
        let body = json!({ "access_token": "a", "expires_in": 3600 });
        check(theirs, true, body, Some((3600, "2026-08-10T13:00:00Z")));
    }
}

#[test]
fn a_life_outranks_an_instant() {
    let body = json!({ "access_token": "a", "expires_in": 60, "expires_at": "2026-08-10T18:00:00Z" });
    check(NOON, true, body, Some((60, "2026-08-10T12:01:00Z")));
    let body = json!({ "access_token": "a", "expires_in": "?", "expires_at": "2026-08-10T18:00:00Z" });
    check(NOON, true, body, Some((21_600, "2026-08-10T18:00:00Z")));
}

#[test]
fn an_instant_is_read_by_the_clock_of_whoever_said_it() {
    // An hour from when the provider's clock shows this, a day and a bit ahead or behind ours.
    for theirs in [NOON, "2026-08-11T13:00:00Z", "2026-08-09T11:00:00Z"] {
        let end = at(theirs) + Duration::from_secs(3600);
        for written in [json!(end.as_seconds()), json!(end.as_seconds().to_string()), json!(end.to_string())]
        {
            let body = json!({ "access_token": "a", "expires_at": written });
            check(theirs, true, body, Some((3600, "2026-08-10T13:00:00Z")));
        }
    }
}

#[test]
fn an_instant_without_a_date_is_read_by_our_clock() {
    let body = json!({ "access_token": "a", "expires_at": "2026-08-10T15:00:00+02:00" });
    check("2026-08-11T13:00:00Z", false, body, Some((3600, "2026-08-10T13:00:00Z")));
}

#[test]
fn a_life_that_is_over_at_once_is_unknown() {
    for body in [
        json!({ "access_token": "a", "expires_in": 0 }),
        json!({ "access_token": "a", "expires_in": 0.9 }),
        json!({ "access_token": "a", "expires_in": -5 }),
        json!({ "access_token": "a", "expires_at": NOON }),
        json!({ "access_token": "a", "expires_at": "2026-08-10T11:00:00Z" }),
        json!({ "access_token": "a", "expires_at": 0 }),
        json!({ "access_token": "a", "expires_at": "tomorrow" }),
        json!({ "access_token": "a", "expires_at": null }),
    ] {
        check(NOON, true, body, None);
    }
}

#[test]
fn a_life_without_end_ends_with_the_calendar() {
    let body = json!({ "access_token": "a", "expires_in": u64::MAX });
    let last = Timestamp::from_micros(i64::MAX).to_string();
    check(NOON, true, body, Some((i64::MAX.unsigned_abs(), &last)));
}
