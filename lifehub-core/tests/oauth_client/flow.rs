//! The way to the consent page and back.

use std::collections::BTreeMap;

use lifehub_core::oauth::{Callback, OAuthSpec, Start};
use lifehub_core::record::ConnectionId;
use lifehub_testkit::SimResponse;
use lifehub_testkit::oauth::{AuthorizationServer, Consent, Dialect, Issued, Pkce, code_challenge};
use serde_json::{Value, json};
use url::Url;

use crate::app::{BACK, SPEC, app, at, clear, credentials, serve, start};

fn query(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_user_connects_with_a_proof_key() {
    let app = serve(AuthorizationServer::new("diary-sim", 7), |rules| rules.pkce = Pkce::Required);
    let client = app.client(&SPEC);
    let page = app.begin(&client).await;
    assert!(page.as_str().starts_with("https://provider.test/authorize?"), "{page}");
    let asked = query(&page);
    assert_eq!(
        ["response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"]
            .map(|name| asked[name].as_str()),
        ["code", "sample-client", BACK, "read write", "S256"]
    );
    let state = &asked["state"];
    assert!(
        state.len() == 43 && state.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
        "{state}"
    );

    let authorized = app.finish(&client, &app.visit(&page)).await.unwrap();
    assert_eq!(code_challenge(&app.last_form()["code_verifier"]), asked["code_challenge"]);
    let family = app.diary.oauth.families().remove(0);
    let tokens = authorized.tokens;
    assert_eq!(tokens.access_token.expose(), family.access_token);
    assert_eq!(tokens.refresh_token.as_ref().map(|token| token.expose().to_owned()), family.refresh_token);
    assert_eq!(tokens.expires_at, Some(at("2026-08-10T13:00:00Z")));
    assert_eq!(tokens.consented_at, Some(at("2026-08-10T12:00:00Z")));
    assert_eq!((authorized.connection, authorized.missing_scopes), (None, vec![]));

    let credentials = tokens.into_credentials(&credentials("", None));
    assert_eq!(clear(&credentials)["scopes"], "read write");
    let renewed = client.refresh(&credentials).await.unwrap();
    assert_ne!(renewed.access_token.expose(), family.access_token);
    let tally = app.diary.oauth.tally();
    assert_eq!((tally.exchanges, tally.refreshes, tally.refused), (1, 1, 0));
}

#[tokio::test]
async fn states_and_proof_keys_never_come_twice() {
    let app = app();
    let client = app.client(&SPEC);
    let (one, two) = (query(&app.begin(&client).await), query(&app.begin(&client).await));
    assert_ne!(one["state"], two["state"]);
    assert_ne!(one["code_challenge"], two["code_challenge"]);
}

#[tokio::test]
async fn a_connection_to_renew_comes_back_with_its_user() {
    let app = app();
    let client = app.client(&SPEC);
    let connection = Some(ConnectionId::from_bytes([9; 16]));
    let page = client.begin(&app.store, Start { connection, ..start() }).await.unwrap();
    assert_eq!(app.finish(&client, &app.visit(&page)).await.unwrap().connection, connection);
}

#[tokio::test]
async fn what_a_provider_wants_else_is_asked_for() {
    const OTHER: OAuthSpec =
        OAuthSpec::new("https://provider.test/authorize?v=2", "https://provider.test/token")
            .scopes(&["read", "write"])
            .scope_separator(',')
            .without_pkce()
            .authorize_params(&[("access_type", "offline")])
            .token_params(&[("action", "requesttoken")]);
    let app = serve(AuthorizationServer::new("diary-sim", 7), |rules| rules.scope_separator = ',');
    let client = app.client(&OTHER);
    let page = app.begin(&client).await;
    let asked = query(&page);
    assert_eq!(
        ["v", "scope", "access_type"].map(|name| asked[name].as_str()),
        ["2", "read,write", "offline"]
    );
    assert!(!asked.contains_key("code_challenge"));
    let authorized = app.finish(&client, &app.visit(&page)).await.unwrap();
    let form = app.last_form();
    assert_eq!(form["action"], "requesttoken");
    assert!(!form.contains_key("code_verifier"));
    assert_eq!(authorized.missing_scopes, Vec::<String>::new());
    client.refresh(&authorized.tokens.into_credentials(&credentials("", None))).await.unwrap();
    assert_eq!(app.last_form()["action"], "requesttoken");
}

#[tokio::test]
async fn a_scope_that_was_not_granted_is_missing() {
    let only = |rules: &mut lifehub_testkit::oauth::OAuthRules| {
        rules.consent = Consent::Only(vec!["write".to_owned()]);
    };
    // In the token answer.
    let app = serve(AuthorizationServer::new("diary-sim", 7), only);
    let authorized = app.connect(&SPEC).await;
    assert_eq!(authorized.missing_scopes, ["read"]);
    assert_eq!(authorized.tokens.scopes.unwrap(), ["write"]);

    // On the way back.
    let app = serve(AuthorizationServer::speaking("diary-sim", 7, Told(true)), only);
    let authorized = app.connect(&SPEC).await;
    assert_eq!(authorized.missing_scopes, ["read"]);
    assert_eq!(authorized.tokens.scopes.unwrap(), ["write"]);

    // Nowhere: what was asked for counts as granted (RFC 6749, section 5.1).
    let app = serve(AuthorizationServer::speaking("diary-sim", 7, Told(false)), |_| ());
    let authorized = app.connect(&SPEC).await;
    assert_eq!(authorized.missing_scopes, Vec::<String>::new());
    assert_eq!(authorized.tokens.scopes.unwrap(), ["read", "write"]);
}

/// Says scopes on the way back, if at all.
#[derive(Debug)]
struct Told(bool);

impl Dialect for Told {
    fn tokens(&self, issued: &Issued) -> Value {
        let mut body = issued.standard();
        body.as_object_mut().unwrap().remove("scope");
        body
    }

    fn callback(&self, scope: &str) -> Vec<(&'static str, String)> {
        if self.0 { vec![("scope", scope.to_owned())] } else { vec![] }
    }
}

#[tokio::test]
async fn a_user_who_ticked_nothing_granted_nothing() {
    let app = app();
    let client = app.client(&SPEC);
    let back = app.visit(&app.begin(&client).await);
    app.answer(SimResponse::json(200, &json!({ "access_token": "a" })));
    let authorized = app.finish(&client, &format!("{back}&scope=")).await.unwrap();
    assert_eq!(authorized.missing_scopes, ["read", "write"]);
}

#[tokio::test]
async fn the_right_issuer_is_welcome_and_an_own_consent_page_has_its_own() {
    let app = app();
    let client = app.client(&SPEC);
    let back = app.visit(&app.begin(&client).await);
    app.finish(&client, &format!("{back}&iss=https%3A%2F%2Fprovider.test")).await.unwrap();

    let mut registered = app.registered();
    registered.authorize_url = Some(app.url("/authorize"));
    let transport = std::sync::Arc::new(lifehub_core::http::ReqwestTransport::local().unwrap());
    let client =
        lifehub_core::oauth::OAuthClient::new(&SPEC, registered, transport, app.clock.clone()).unwrap();
    let page = app.begin(&client).await;
    assert!(page.as_str().starts_with(app.url("/authorize").as_str()), "{page}");
    let back = app.visit(&page);
    app.finish(&client, &format!("{back}&iss=https%3A%2F%2Felsewhere.test")).await.unwrap();
}

#[test]
fn a_query_is_read_with_and_without_its_mark() {
    for query in ["?state=a%20b&code=c&scope=read+write&iss=i", "state=a%20b&code=c&scope=read+write&iss=i"] {
        let callback = Callback::from_query(query).unwrap();
        assert_eq!(callback.state.unwrap().expose(), "a b");
        assert_eq!(callback.code.unwrap().expose(), "c");
        assert_eq!((callback.scope.as_deref(), callback.iss.as_deref()), (Some("read write"), Some("i")));
    }
}

#[test]
fn calls_may_change_threads() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let app = app();
    let (client, callback) = (app.client(&SPEC), Callback::from_query("state=s").unwrap());
    let none = lifehub_core::secret::Credentials::none();
    drop(assert_send(client.refresh(&none)));
    drop(assert_send(client.revoke(&none)));
    drop(assert_send(client.begin(&app.store, start())));
    drop(assert_send(client.finish(&app.store, callback, crate::app::who())));
}
