//! What a refused or broken token call means.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::ErrorKind::{self, Invalid, InvalidResponse, Throttled, Unauthorized, Unavailable};
use lifehub_core::http::{Request, ReqwestTransport, Response, Transport};
use lifehub_core::oauth::{OAuthApp, OAuthClient, OAuthSpec, Refusal};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, Result};
use lifehub_testkit::oauth::AuthorizationServer;
use lifehub_testkit::{Fault, FaultPlan, Server, SimRequest, SimResponse};
use serde_json::{Value, json};

use crate::app::{App, BACK, SPEC, app, at, credentials, error, serve};

fn named<'a>(error: &'a Error, key: &str) -> Option<&'a str> {
    error.context().iter().find(|(k, _)| *k == key).map(|(_, value)| value.as_str())
}

async fn refused(app: &App, answer: SimResponse) -> Error {
    error(app.refresh(&SPEC, answer).await)
}

#[tokio::test]
async fn each_refusal_has_its_kind() {
    let app = app();
    let code = |code: &str| json!({ "error": code, "error_description": "in words" });
    let cases: [(u16, Value, ErrorKind, Option<&str>); 27] = [
        (400, code("invalid_grant"), Unauthorized, Some("invalid_grant")),
        (401, code("invalid_grant"), Unauthorized, Some("invalid_grant")),
        (200, code("invalid_grant"), Unauthorized, Some("invalid_grant")),
        (401, code("invalid_client"), Invalid, Some("invalid_client")),
        (400, code("unauthorized_client"), Invalid, Some("unauthorized_client")),
        (200, code("invalid_client"), Invalid, Some("invalid_client")),
        (400, code("invalid_request"), Invalid, Some("invalid_request")),
        (400, code("unsupported_grant_type"), Invalid, Some("unsupported_grant_type")),
        (400, code("invalid_scope"), Invalid, Some("invalid_scope")),
        (400, code("made_up_by_the_provider"), Invalid, None),
        (200, code("made_up_by_the_provider"), Invalid, None),
        (200, json!({ "error": { "code": 400 } }), Invalid, None),
        (400, json!({ "message": "no" }), Invalid, None),
        (400, json!("no"), Invalid, None),
        (401, json!({}), Invalid, None),
        (403, json!({}), Invalid, None),
        (404, json!({}), Invalid, None),
        (429, code("invalid_grant"), Throttled, None),
        (400, code("temporarily_unavailable"), Unavailable, Some("temporarily_unavailable")),
        (200, code("server_error"), Unavailable, Some("server_error")),
        (408, json!({}), Unavailable, None),
        (500, json!({}), Unavailable, None),
        (503, json!({}), Unavailable, None),
        // A provider that is unwell is not believed.
        (500, code("invalid_grant"), Unavailable, None),
        (503, code("invalid_client"), Unavailable, None),
        (302, json!({}), InvalidResponse, None),
        (304, json!({}), InvalidResponse, None),
    ];
    for (status, body, kind, code) in cases {
        let error = refused(&app, SimResponse::json(status, &body)).await;
        assert_eq!(error.kind(), kind, "{status} {body}: {error:?}");
        assert_eq!(error.is_temporary(), matches!(kind, Throttled | Unavailable), "{status} {body}");
        assert_eq!(named(&error, "error"), code, "{status} {body}");
        assert_eq!(named(&error, "status"), Some(status.to_string().as_str()));
        let request = format!("POST {}/token", app.server.url());
        assert_eq!(named(&error, "request"), Some(request.as_str()));
        assert!(error.get_hint().is_some() || kind == Throttled, "{status} {body}");
        assert!(!format!("{error:?}").contains("in words") && !format!("{error:?}").contains("made_up"));
    }
}

#[tokio::test]
async fn a_wrong_app_is_told_where_to_look() {
    let app = app();
    for answer in [
        SimResponse::json(401, &json!({ "error": "invalid_client" })),
        SimResponse::json(400, &json!({ "error": "unauthorized_client" })),
        SimResponse::empty(401),
    ] {
        let error = refused(&app, answer).await;
        assert!(error.get_hint().unwrap().contains("client_id and client_secret"), "{error:?}");
    }
}

#[tokio::test]
async fn errors_in_forms_and_wrapped_bodies_are_found() {
    let app = app();
    let form = SimResponse::json_text(200, "error=invalid_grant&error_description=The+code+is+wrong")
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(refused(&app, form).await.kind(), Unauthorized);
    let wrapped = SPEC.answer_at("/body");
    let inner = json!({ "status": 0, "body": { "access_token": "a", "error": "invalid_grant" } });
    assert_eq!(error(app.refresh(&wrapped, SimResponse::json(200, &inner)).await).kind(), Unauthorized);
    let outer = json!({ "error": "invalid_grant" });
    assert_eq!(error(app.refresh(&wrapped, SimResponse::json(200, &outer)).await).kind(), Unauthorized);
}

/// As a provider that answers 200 with a number, and one that says "Authorization Error" with 400.
fn own_words(status: u16, body: &[u8]) -> Option<Refusal> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match (status, body["status"].as_i64(), body["message"].as_str()) {
        (_, Some(0), _) => None,
        (200, Some(401), _) | (400, None, Some("Bad Request")) => Some(Refusal::Grant),
        (200, Some(293), _) => Some(Refusal::Client),
        (_, Some(_), _) => Some(Refusal::Other),
        _ => None,
    }
}

#[tokio::test]
async fn a_provider_refuses_in_its_own_words() {
    const OWN: OAuthSpec = SPEC.answer_at("/body").refusal(own_words);
    let app = app();
    for (status, body, kind) in [
        (200, json!({ "status": 401 }), Unauthorized),
        (400, json!({ "message": "Bad Request" }), Unauthorized),
        (200, json!({ "status": 293 }), Invalid),
        (200, json!({ "status": 500 }), Invalid),
        (400, json!({ "status": 500 }), Invalid),
        (503, json!({ "status": 500 }), Unavailable),
        (400, json!({ "error": "invalid_grant" }), Unauthorized),
        (200, json!({ "status": 0, "body": {} }), InvalidResponse),
    ] {
        let error = error(app.refresh(&OWN, SimResponse::json(status, &body)).await);
        assert_eq!(error.kind(), kind, "{status} {body}: {error:?}");
    }
    let good = json!({ "status": 0, "body": { "access_token": "a" } });
    app.refresh(&OWN, SimResponse::json(200, &good)).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_names_a_time_is_obeyed() {
    let app = app();
    for (status, wait, at_) in [
        (429, "120", Some(at("2026-08-10T12:02:00Z"))),
        (429, "Mon, 10 Aug 2026 12:05:00 GMT", Some(at("2026-08-10T12:05:00Z"))),
        (503, "30", Some(at("2026-08-10T12:00:30Z"))),
        (400, "30", None),
    ] {
        let error = refused(&app, SimResponse::empty(status).header("retry-after", wait)).await;
        assert_eq!(error.retry_at(), at_, "{status} {wait}");
    }
    assert_eq!(refused(&app, SimResponse::empty(429)).await.retry_at(), None);
}

#[tokio::test]
async fn faults_of_the_wire_are_told_apart() {
    let app = app();
    let family = app.diary.oauth.issue(&["read"], at("2026-08-10T12:00:00Z"));
    let held = credentials(&family.access_token, family.refresh_token.as_deref());
    for (fault, kind, temporary) in [
        (Fault::ResetBefore, Unavailable, true),
        (Fault::ServerError, Unavailable, true),
        (Fault::Unavailable, Unavailable, true),
        (Fault::RetryAfterSeconds(5), Throttled, true),
        (Fault::Echo, Invalid, false),
    ] {
        app.server.set_faults(FaultPlan::none().at(1, fault));
        let error = error(app.client(&SPEC).refresh(&held).await);
        assert_eq!((error.kind(), error.is_temporary()), (kind, temporary), "{fault:?}: {error:?}");
    }
    assert_eq!(app.diary.oauth.tally().refreshes, 0);
    // From here on the provider has rotated the token.
    for (fault, kind) in [
        (Fault::ShortBody, InvalidResponse),
        (Fault::WebPage, InvalidResponse),
        (Fault::CutBody, Unavailable),
        (Fault::Reset, Unavailable),
    ] {
        let family = app.diary.oauth.issue(&["read"], at("2026-08-10T12:00:00Z"));
        let held = credentials(&family.access_token, family.refresh_token.as_deref());
        app.server.set_faults(FaultPlan::none().at(1, fault));
        let error = error(app.client(&SPEC).refresh(&held).await);
        assert_eq!((error.kind(), error.is_temporary()), (kind, kind == Unavailable), "{fault:?}: {error:?}");
    }
    assert_eq!(app.diary.oauth.tally().refreshes, 4);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let app = app();
    let body = format!("{{\"access_token\":\"a\",\"more\":\"{}\"}}", "x".repeat(1 << 20));
    let error = refused(&app, SimResponse::json_text(200, body)).await;
    assert_eq!((error.kind(), error.is_temporary()), (InvalidResponse, false));
}

/// Never answers.
struct Silent;

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_call_has_an_end() {
    let app = app();
    let client = OAuthClient::new(&SPEC, app.registered(), Arc::new(Silent), app.clock.clone()).unwrap();
    assert_eq!(client.time_limit(), Duration::from_secs(30));
    let client = client.with_time_limit(Duration::from_millis(1));
    let error = error(client.refresh(&credentials("a", Some("r"))).await);
    assert_eq!((error.kind(), error.is_temporary()), (Unavailable, true));
}

#[tokio::test]
async fn credentials_go_nowhere_but_to_their_endpoint() {
    struct Trap;
    impl lifehub_testkit::Simulator for Trap {
        fn handle(&self, _: &SimRequest) -> SimResponse {
            SimResponse::json(200, &json!({ "access_token": "trap" }))
        }
    }
    let (app, trap) = (app(), Server::start(Trap).unwrap());
    let client = app.client(&SPEC);
    let held = credentials("a", Some("r"));
    app.server.set_faults(FaultPlan::none().from(1, Fault::RedirectTo(trap.port())));
    let code = Secret::new("c");
    for result in [
        client.refresh(&held).await.map(drop),
        client.exchange(&code, None, &BACK.parse().unwrap()).await.map(drop),
        client.revoke(&held).await,
    ] {
        assert_eq!(error(result).kind(), InvalidResponse);
    }
    assert_eq!((app.server.request_count(), trap.request_count()), (3, 0));
}

#[tokio::test]
async fn the_real_server_refuses_a_spent_grant_and_a_wrong_app() {
    let app = serve(AuthorizationServer::new("diary-sim", 7), |_| ());
    let client = app.client(&SPEC);
    let back = BACK.parse().unwrap();
    assert_eq!(error(client.exchange(&Secret::new("guessed"), None, &back).await).kind(), Unauthorized);
    assert_eq!(error(client.refresh(&credentials("a", Some("guessed"))).await).kind(), Unauthorized);
    let calls = app.diary.oauth.tally().token_calls;
    assert_eq!(error(client.refresh(&Credentials::none()).await).kind(), Unauthorized);
    assert_eq!(app.diary.oauth.tally().token_calls, calls, "there was nothing to send");
    let mut registered = app.registered();
    registered.client_secret = Some(Secret::new("wrong"));
    let transport = Arc::new(ReqwestTransport::local().unwrap());
    let client = OAuthClient::new(&SPEC, registered, transport, app.clock.clone()).unwrap();
    assert_eq!(error(client.refresh(&credentials("a", Some("guessed"))).await).kind(), Invalid);
}

#[test]
fn secrets_go_over_tls_or_stay_on_this_machine() {
    let app = app();
    let build = |change: &dyn Fn(&mut OAuthApp)| {
        let mut registered = app.registered();
        change(&mut registered);
        let transport = Arc::new(ReqwestTransport::local().unwrap());
        OAuthClient::new(&SPEC, registered, transport, app.clock.clone()).map(drop)
    };
    for (address, good) in [
        ("https://provider.test/token", true),
        ("http://127.0.0.1:1/token", true),
        ("http://[::1]:1/token", true),
        ("http://localhost/token", true),
        ("http://provider.test/token", false),
        ("http://192.168.1.5/token", false),
        ("http://localhost.provider.test/token", false),
        ("http://127.0.0.1.provider.test/token", false),
        ("ftp://127.0.0.1/token", false),
        ("file:///token", false),
        ("https://user:hunter2@provider.test/token", false),
        ("https://provider.test/token#part", false),
    ] {
        let url = Some(address.parse().unwrap());
        for name in ["authorize_url", "token_url", "revoke_url"] {
            let built = build(&|app| match name {
                "authorize_url" => app.authorize_url = url.clone(),
                "token_url" => app.token_url = url.clone(),
                _ => app.revoke_url = url.clone(),
            });
            assert_eq!(built.is_ok(), good, "{name} {address}: {built:?}");
            if let Err(error) = built {
                assert_eq!(error.kind(), Invalid);
                assert!(error.message().contains(name) && !format!("{error:?}").contains("hunter2"));
            }
        }
    }
    assert_eq!(error(build(&|app| app.client_id.clear())).kind(), Invalid);
    let bad = OAuthSpec::new("provider.test/authorize", "https://provider.test/token");
    let transport = Arc::new(ReqwestTransport::local().unwrap());
    assert_eq!(error(OAuthClient::new(&bad, app.registered(), transport, app.clock.clone())).kind(), Invalid);
}
