//! How the app shows who it is, and what a manifest says of it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lifehub_core::oauth::{ClientAuth, OAuthSpec, Refusal, Revocation};
use lifehub_testkit::oauth::AuthorizationServer;
use lifehub_testkit::oauth::ClientAuth as Wants;
use serde_json::json;

use crate::app::{App, SPEC, serve};

fn strict(place: Wants) -> App {
    serve(AuthorizationServer::new("diary-sim", 7), |rules| {
        rules.client_id = "an id:ä".to_owned();
        rules.client_secret = Some("s+e%c&r=e/t".to_owned());
        rules.client_auth = place;
        rules.revoke_auth = place;
    })
}

#[tokio::test]
async fn basic_encodes_id_and_secret_like_a_form() {
    let app = strict(Wants::Basic);
    app.connect(&SPEC).await;
    // RFC 6749, section 2.3.1 with appendix B.
    let expected = format!("Basic {}", STANDARD.encode("an+id%3A%C3%A4:s%2Be%25c%26r%3De%2Ft"));
    assert_eq!(app.last().header("authorization"), Some(expected.as_str()));
    assert!(!app.last_form().contains_key("client_secret"));
}

#[tokio::test]
async fn a_form_holds_id_and_secret() {
    let app = strict(Wants::Form);
    app.connect(&SPEC.client_auth(ClientAuth::Form)).await;
    assert_eq!(app.last().header("authorization"), None);
    assert_eq!(
        (app.last_form()["client_id"].as_str(), app.last_form()["client_secret"].as_str()),
        ("an id:ä", "s+e%c&r=e/t")
    );
}

#[tokio::test]
async fn a_public_app_names_its_id_alone() {
    let app = serve(AuthorizationServer::new("diary-sim", 7), |rules| rules.client_secret = None);
    app.connect(&SPEC).await;
    assert_eq!(app.last().header("authorization"), None);
    assert_eq!(app.last_form()["client_id"], "sample-client");
}

#[test]
fn a_manifest_shows_the_spec_without_its_code() {
    const SPEC: OAuthSpec = OAuthSpec::new("https://provider.test/a", "https://provider.test/t")
        .scopes(&["read"])
        .scope_separator(',')
        .client_auth(ClientAuth::Form)
        .revoke(Revocation::Bearer { url: "https://provider.test/r" })
        .issuer("https://provider.test")
        .without_pkce()
        .authorize_params(&[("a", "b")])
        .token_params(&[("c", "d")])
        .answer_at("/body")
        .refusal(|_, _| Some(Refusal::Other))
        .refresh_token_life(Duration::from_secs(86_400))
        .consent_life(Duration::from_secs(15_552_000));
    assert_eq!(
        serde_json::to_value(SPEC).unwrap(),
        json!({
            "authorize_url": "https://provider.test/a",
            "token_url": "https://provider.test/t",
            "revoke": { "bearer": { "url": "https://provider.test/r" } },
            "issuer": "https://provider.test",
            "scopes": ["read"],
            "scope_separator": ",",
            "client_auth": "form",
            "pkce": false,
            "authorize_params": [["a", "b"]],
            "token_params": [["c", "d"]],
            "answer_at": "/body",
            "refresh_token_life_s": 86_400,
            "consent_life_s": 15_552_000,
        })
    );
}
