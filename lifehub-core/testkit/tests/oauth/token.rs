//! The token endpoint: how an app shows who it is, what it may say, and a provider's own words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lifehub_testkit::oauth::{AuthorizationServer, ClientAuth, Dialect, Issued, Refused};
use lifehub_testkit::{Probe, Reply, SimResponse};
use serde_json::{Value, json};

use crate::app::{App, app, refused, sent_back, serve, tokens};

/// A refresh with the id and secret in the header.
fn basic(app: &App, token: &str, id_and_secret: &str, more: &str) -> Reply {
    let form = format!("grant_type=refresh_token&refresh_token={token}{more}");
    let header = format!("Basic {}", STANDARD.encode(id_and_secret));
    Probe::post_form(app.at("/token"), &form).header("authorization", &header).send().unwrap()
}

#[test]
fn an_app_shows_its_secret_in_one_place() {
    let app = app(|rules| rules.client_secret = Some("s:e=c&r t".to_owned()));
    let token = || app.oauth.issue(&["read"], "2026-08-10T12:00:00Z".parse().unwrap()).refresh_token.unwrap();
    let encoded = "sample-client:s%3Ae%3Dc%26r+t";
    tokens(&basic(&app, &token(), encoded, ""));
    let wrong = basic(&app, &token(), "sample-client:guess", "");
    assert_eq!(wrong.header("www-authenticate"), Some("Basic"));
    refused(&wrong, 401, "invalid_client");
    refused(&basic(&app, &token(), encoded, "&client_secret=x"), 400, "invalid_request");
    let form = |token: &str| {
        let change =
            [("grant_type", "refresh_token"), ("refresh_token", token), ("client_secret", "s:e=c&r t")];
        app.token(&change)
    };
    tokens(&form(&token()));
    app.oauth.set(|rules| rules.client_auth = ClientAuth::Form);
    refused(&basic(&app, &token(), encoded, ""), 401, "invalid_client");
    app.oauth.set(|rules| rules.client_auth = ClientAuth::Basic);
    refused(&form(&token()), 401, "invalid_client");
    tokens(&basic(&app, &token(), encoded, ""));
}

#[test]
fn a_public_app_has_only_its_id() {
    let app = app(|rules| rules.client_secret = None);
    let code = app.code();
    refused(&app.exchange(&code, &[("client_secret", ""), ("client_id", "other")]), 401, "invalid_client");
    tokens(&app.exchange(&code, &[("client_secret", "")]));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let app = app(|_| ());
    let code = app.code();
    refused(&app.token(&[]), 400, "invalid_request");
    refused(&app.token(&[("grant_type", "password")]), 400, "unsupported_grant_type");
    refused(&app.exchange("", &[]), 400, "invalid_request");
    refused(&app.refresh(""), 400, "invalid_request");
    refused(&app.refresh(&code), 400, "invalid_grant");
    let form = format!(
        "grant_type=authorization_code&grant_type=authorization_code&code={code}\
         &client_id=sample-client&client_secret=sample-client-secret"
    );
    refused(&Probe::post_form(app.at("/token"), &form).send().unwrap(), 400, "invalid_request");
    let query = format!("/token?{form}");
    refused(&Probe::post_form(app.at(&query), "x=y").send().unwrap(), 401, "invalid_client");
    let reply = Probe::get(app.at(&query)).send().unwrap();
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    assert_eq!(app.oauth.tally().refused, app.oauth.tally().token_calls);
}

#[test]
fn data_needs_a_token_that_is_good_to_the_second() {
    let app = app(|_| ());
    let (access, refresh) = app.connect();
    app.wait(3_599);
    assert_eq!((app.me(&access), app.me(&refresh)), (200, 401), "a refresh token is no access token");
    app.wait(1);
    let late = Probe::get(app.at("/me")).bearer(&access).send().unwrap();
    assert_eq!(late.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    refused(&late, 401, "invalid_token");
    let none = Probe::get(app.at("/me")).send().unwrap();
    assert_eq!((none.status, none.header("www-authenticate")), (401, Some("Bearer")));
}

#[derive(Debug)]
struct Own;

impl Dialect for Own {
    fn tokens(&self, issued: &Issued) -> Value {
        let expires = issued.expires_at.map(|at| at.as_seconds());
        json!({ "token": issued.access_token, "until": expires, "user": issued.first.then_some("ada") })
    }

    fn refusal(&self, refused: Refused) -> SimResponse {
        SimResponse::json(418, &json!({ "oops": refused.to_string() }))
    }

    fn stays(&self, refused: Refused) -> Option<SimResponse> {
        (refused == Refused::Scope).then(|| SimResponse::json(400, &json!({ "oops": "scope" })))
    }

    fn callback(&self, scope: &str) -> Vec<(&'static str, String)> {
        vec![("scope", scope.to_owned())]
    }
}

#[test]
fn a_provider_has_its_own_words() {
    let app = serve(AuthorizationServer::speaking("own-sim", 1, Own), |rules| {
        rules.scope_separator = ',';
        rules.scopes = vec!["read".to_owned(), "write".to_owned()];
    });
    let back = sent_back(&app.visit(&[("scope", "read,write")]));
    assert_eq!(back["scope"], "read,write");
    let first = app.exchange(&back["code"], &[]).json().unwrap();
    assert_eq!((&first["until"], &first["user"]), (&json!(1_786_366_800), &json!("ada")));
    let refresh = app.oauth.families()[0].refresh_token.clone().unwrap();
    assert!(app.refresh(&refresh).json().unwrap()["user"].is_null());
    let wrong = app.refresh("unknown");
    let oops = json!({ "oops": "the refresh token is unknown, replaced or revoked" });
    assert_eq!((wrong.status, wrong.json().unwrap()), (418, oops));
    assert_eq!(app.visit(&[("scope", "admin")]).status, 400);
    assert_eq!(app.visit(&[("client_id", "x")]).status, 418);
    assert_eq!(sent_back(&app.visit(&[("response_type", "x")]))["error"], "unsupported_response_type");
}
