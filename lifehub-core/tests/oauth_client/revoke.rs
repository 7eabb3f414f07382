//! Giving a consent back.

use lifehub_core::ErrorKind;
use lifehub_core::http::ReqwestTransport;
use lifehub_core::oauth::{ClientAuth, OAuthClient, OAuthSpec, Revocation};
use lifehub_core::secret::Credentials;
use lifehub_testkit::SimResponse;
use lifehub_testkit::oauth::{ClientAuth as Wants, Issued};
use serde_json::json;

use crate::app::{App, SPEC, app, at, credentials, error};

const BEARER: OAuthSpec = SPEC.revoke(Revocation::Bearer { url: "https://provider.test/bearer" });

fn issued(app: &App) -> (Issued, Credentials) {
    let issued = app.diary.oauth.issue(&["read"], at("2026-08-10T12:00:00Z"));
    let held = credentials(&issued.access_token, issued.refresh_token.as_deref());
    (issued, held)
}

const QUERY: OAuthSpec =
    SPEC.revoke(Revocation::Query { url: "https://provider.test/revoke?by=app", parameter: "access_token" });

fn bearer(app: &App) -> OAuthClient {
    at_path(app, &BEARER, "/bearer")
}

fn at_path(app: &App, spec: &OAuthSpec, path: &str) -> OAuthClient {
    let mut registered = app.registered();
    registered.revoke_url = Some(app.url(path));
    let transport = std::sync::Arc::new(ReqwestTransport::local().unwrap());
    OAuthClient::new(spec, registered, transport, app.clock.clone()).unwrap()
}

#[tokio::test]
async fn the_refresh_token_is_revoked_and_all_with_it() {
    let basic =
        SPEC.revoke(Revocation::Rfc7009 { url: "https://provider.test/revoke", auth: ClientAuth::Basic });
    for (spec, place) in [(SPEC, Wants::Form), (basic, Wants::Basic)] {
        let app = app();
        app.diary.oauth.set(|rules| rules.revoke_auth = place);
        let (issued, held) = issued(&app);
        let client = app.client(&spec);
        client.revoke(&held).await.unwrap();
        assert_eq!(app.last().path, "/revoke");
        let form = app.last_form();
        assert_eq!(Some(&form["token"]), issued.refresh_token.as_ref());
        assert_eq!(form["token_type_hint"], "refresh_token");
        assert!(app.diary.oauth.families()[0].revoked);
        // Once more, as after an answer that was lost.
        client.revoke(&held).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_refresh_token_the_access_token_is_revoked() {
    let app = app();
    let (issued, _) = issued(&app);
    app.client(&SPEC).revoke(&credentials(&issued.access_token, None)).await.unwrap();
    assert_eq!(app.last_form()["token"], issued.access_token);
    assert!(app.diary.oauth.check(Some(&issued.access_token), at("2026-08-10T12:00:00Z")).is_err());
}

#[tokio::test]
async fn with_nothing_to_give_back_nothing_is_sent() {
    let app = app();
    app.client(&SPEC).revoke(&Credentials::none()).await.unwrap();
    bearer(&app).revoke(&Credentials::none()).await.unwrap();
    assert_eq!(app.server.request_count(), 0);
    let none = SPEC.revoke(Revocation::None);
    let (_, held) = issued(&app);
    let error = error(app.client(&none).revoke(&held).await);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.get_hint().unwrap().contains("at the provider"));
}

#[tokio::test]
async fn a_token_that_is_gone_is_revoked() {
    let app = app();
    let (_, held) = issued(&app);
    let client = app.client(&SPEC);
    for (status, body, kind) in [
        (200, json!({}), None),
        (204, json!({}), None),
        (400, json!({ "error": "invalid_token" }), None),
        (400, json!({ "error": "invalid_grant" }), None),
        (400, json!({ "error": "unsupported_token_type" }), Some(ErrorKind::Invalid)),
        (400, json!({ "error": "made up" }), Some(ErrorKind::Invalid)),
        (401, json!({ "error": "invalid_client" }), Some(ErrorKind::Invalid)),
        (429, json!({}), Some(ErrorKind::Throttled)),
        (503, json!({}), Some(ErrorKind::Unavailable)),
        (302, json!({}), Some(ErrorKind::InvalidResponse)),
    ] {
        app.answer(SimResponse::json(status, &body));
        let result = client.revoke(&held).await;
        assert_eq!(result.as_ref().err().map(|error| error.kind()), kind, "{status} {body}: {result:?}");
    }
}

#[tokio::test]
async fn a_bearer_token_gives_its_consent_back() {
    let app = app();
    let (issued, held) = issued(&app);
    let client = bearer(&app);
    client.revoke(&held).await.unwrap();
    let request = app.last();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/bearer"));
    assert_eq!((request.bearer(), request.body.len()), (Some(issued.access_token.as_str()), 0));
    assert!(app.diary.oauth.families()[0].revoked);
    // A refused access token may merely be too old, while its refresh token lives on.
    let refusal = error(client.revoke(&held).await);
    assert_eq!(refusal.kind(), ErrorKind::Unauthorized);
    assert!(refusal.get_hint().unwrap().contains("renew"));
    client.revoke(&credentials(&issued.access_token, None)).await.unwrap();
    app.answer(SimResponse::empty(503));
    assert_eq!(error(client.revoke(&held).await).kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_token_in_the_query_gives_its_consent_back() {
    let app = app();
    let client = at_path(&app, &QUERY, "/revoke?by=app");
    client.revoke(&Credentials::none()).await.unwrap();
    assert_eq!(app.server.request_count(), 0);
    let (issued, held) = issued(&app);
    app.answer(SimResponse::empty(200));
    client.revoke(&held).await.unwrap();
    let request = app.last();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/revoke"));
    assert_eq!(
        (request.query("by"), request.query("access_token")),
        (Some("app"), Some(&*issued.access_token))
    );
    assert_eq!((request.bearer(), request.body.len()), (None, 0));
    for status in [400, 401] {
        app.answer(SimResponse::empty(status));
        let refusal = error(client.revoke(&held).await);
        assert_eq!(
            refusal.kind(),
            ErrorKind::Unauthorized,
            "it may be too old, while its refresh token lives on"
        );
        assert!(!format!("{refusal:?} {refusal}").contains(&*issued.access_token), "{refusal:?}");
        app.answer(SimResponse::empty(status));
        client.revoke(&credentials(&issued.access_token, None)).await.unwrap();
    }
}
