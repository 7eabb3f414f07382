//! Token answers as providers really write them.

use lifehub_core::oauth::{OAuthSpec, Tokens};
use lifehub_core::{ErrorKind, secret};
use lifehub_testkit::SimResponse;
use serde_json::{Value, json};

use crate::app::{SPEC, app, clear, credentials, error};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

fn in_short(tokens: &Tokens) -> Value {
    json!([
        tokens.access_token.expose(),
        tokens.refresh_token.as_ref().map(secret::Secret::expose),
        tokens.life.map(|life| life.as_secs()),
        tokens.scopes,
    ])
}

#[tokio::test]
async fn answers_are_read_leniently() {
    let app = app();
    let json = |body: Value| SimResponse::json(200, &body);
    let wrapped = SPEC.answer_at("/body/token");
    let barred = SPEC.scope_separator('|');
    let cases: Vec<(&OAuthSpec, SimResponse, Value)> = vec![
        // No token_type, nothing else.
        (&SPEC, json(json!({ "access_token": "a" })), json!(["a", null, null, null])),
        (
            &SPEC,
            json(json!({ "access_token": "a", "token_type": 7, "more": {} })),
            json!(["a", null, null, null]),
        ),
        (&SPEC, json(json!({ "access_token": "a", "refresh_token": "r" })), json!(["a", "r", null, null])),
        (&SPEC, json(json!({ "access_token": "a", "refresh_token": "" })), json!(["a", null, null, null])),
        (&SPEC, json(json!({ "access_token": "a", "refresh_token": null })), json!(["a", null, null, null])),
        // Scopes.
        (&SPEC, json(json!({ "access_token": "a", "scope": "x y" })), json!(["a", null, null, ["x", "y"]])),
        (
            &SPEC,
            json(json!({ "access_token": "a", "scope": "x,y, z" })),
            json!(["a", null, null, ["x", "y", "z"]]),
        ),
        (
            &SPEC,
            json(json!({ "access_token": "a", "scope": ["x", "y z"] })),
            json!(["a", null, null, ["x", "y", "z"]]),
        ),
        (&SPEC, json(json!({ "access_token": "a", "scope": "" })), json!(["a", null, null, null])),
        (&SPEC, json(json!({ "access_token": "a", "scope": {} })), json!(["a", null, null, null])),
        (&barred, json(json!({ "access_token": "a", "scope": "x|y" })), json!(["a", null, null, ["x", "y"]])),
        // Lives.
        (&SPEC, json(json!({ "access_token": "a", "expires_in": "3600" })), json!(["a", null, 3600, null])),
        (&SPEC, json(json!({ "access_token": "a", "expires_in": 3599.9 })), json!(["a", null, 3599, null])),
        (&SPEC, json(json!({ "access_token": "a", "expires_in": " 60.5 " })), json!(["a", null, 60, null])),
        (&SPEC, json(json!({ "access_token": "a", "expires_in": "soon" })), json!(["a", null, null, null])),
        (&SPEC, json(json!({ "access_token": "a", "expires_in": "inf" })), json!(["a", null, null, null])),
        // Wrapped and form-encoded bodies, and what is no error.
        (
            &wrapped,
            json(json!({ "status": 0, "body": { "token": { "access_token": "a", "expires_in": 9 } } })),
            json!(["a", null, 9, null]),
        ),
        (
            &SPEC,
            SimResponse::json_text(200, "access_token=a%2Bb&expires_in=60&scope=x%2Cy&refresh_token=r")
                .header("content-type", FORM),
            json!(["a+b", "r", 60, ["x", "y"]]),
        ),
        (&SPEC, json(json!({ "access_token": "a", "error": null })), json!(["a", null, null, null])),
        (&SPEC, json(json!({ "access_token": "a", "error": "" })), json!(["a", null, null, null])),
        (&SPEC, json(json!({ "access_token": "a", "error": 0 })), json!(["a", null, null, null])),
        (&SPEC, SimResponse::html(200, r#"{"access_token":"a"}"#), json!(["a", null, null, null])),
        (&SPEC, SimResponse::json(201, &json!({ "access_token": "a" })), json!(["a", null, null, null])),
    ];
    for (number, (spec, answer, expected)) in cases.into_iter().enumerate() {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let tokens = app.refresh(spec, answer).await;
        let tokens = tokens.unwrap_or_else(|error| panic!("{number}: {body}: {error:?}"));
        assert_eq!(in_short(&tokens), expected, "{number}: {body}");
    }
}

#[tokio::test]
async fn an_answer_without_tokens_is_no_success() {
    let app = app();
    let wrapped = SPEC.answer_at("/body");
    let cases = [
        (&SPEC, SimResponse::json(200, &json!({ "access_token": "" }))),
        (&SPEC, SimResponse::json(200, &json!({ "access_token": null }))),
        (&SPEC, SimResponse::json(200, &json!({ "access_token": 12 }))),
        (&SPEC, SimResponse::json(200, &json!({ "refresh_token": "r" }))),
        (&SPEC, SimResponse::json(200, &json!(["access_token"]))),
        (&SPEC, SimResponse::json_text(200, r#"{"access_token":"#)),
        (&SPEC, SimResponse::html(200, "<html>")),
        (&SPEC, SimResponse::empty(200)),
        (&SPEC, SimResponse::empty(204)),
        // A form that does not say that it is one.
        (&SPEC, SimResponse::json_text(200, "access_token=a")),
        (&wrapped, SimResponse::json(200, &json!({ "access_token": "a" }))),
    ];
    for (spec, answer) in cases {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let error = error(app.refresh(spec, answer).await);
        assert_eq!(
            (error.kind(), error.is_temporary()),
            (ErrorKind::InvalidResponse, false),
            "{body}: {error:?}"
        );
        assert!(error.get_hint().is_some());
    }
}

#[tokio::test]
async fn credentials_keep_what_the_answer_does_not_replace() {
    let app = app();
    let old = credentials("old-access", Some("old-refresh"))
        .with("expires_at", secret::Secret::new("2026-08-10T12:00:00Z"))
        .with("expires_in", secret::Secret::new("60"))
        .with("scopes", secret::Secret::new("read write"))
        .with("consented_at", secret::Secret::new("2026-02-01T09:00:00Z"))
        .with("feed_url", secret::Secret::new("https://provider.test/private"));
    let tokens = app.refresh(&SPEC, SimResponse::json(200, &json!({ "access_token": "new" }))).await.unwrap();
    let expected = |all: &[(&str, &str)]| all.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    assert_eq!(
        clear(&tokens.into_credentials(&old)),
        expected(&[
            ("access_token", "new"),
            ("consented_at", "2026-02-01T09:00:00Z"),
            ("feed_url", "https://provider.test/private"),
            ("refresh_token", "old-refresh"),
            ("scopes", "read write")
        ])
    );
    let body =
        json!({ "access_token": "n", "refresh_token": "r", "expires_in": 1800.7, "scope": ["read", "more"] });
    let tokens = app.refresh(&SPEC, SimResponse::json(200, &body)).await.unwrap();
    assert_eq!(
        clear(&tokens.into_credentials(&old)),
        expected(&[
            ("access_token", "n"),
            ("consented_at", "2026-02-01T09:00:00Z"),
            ("expires_at", "2026-08-10T12:30:00Z"),
            ("expires_in", "1800"),
            ("feed_url", "https://provider.test/private"),
            ("refresh_token", "r"),
            ("scopes", "read more"),
        ])
    );
}
