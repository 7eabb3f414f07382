//! Codes and proof keys.

use lifehub_testkit::Probe;
use lifehub_testkit::oauth::{Pkce, code_challenge};
use serde_json::json;

use crate::app::{App, VERIFIER, app, refused, sent_back, tokens};

#[test]
fn a_code_with_its_proof_key_becomes_tokens() {
    let app = app(|_| ());
    let back = sent_back(&app.visit(&[]));
    assert_eq!(back.keys().collect::<Vec<_>>(), ["code", "state"]);
    assert_eq!(back["state"], "a+b &c", "the state comes back as it went");
    let reply = app.exchange(&back["code"], &[]);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let (access, refresh) = tokens(&reply);
    let expected = json!({ "access_token": access, "refresh_token": refresh, "token_type": "Bearer",
        "expires_in": 3_600, "scope": "read write" });
    assert_eq!(reply.json().unwrap(), expected);
    assert!(access.starts_with("diary-sim-access-") && refresh.starts_with("diary-sim-refresh-"));
    let me = Probe::get(app.at("/me")).bearer(&access).send().unwrap();
    assert_eq!(me.json().unwrap(), json!({ "scopes": ["read", "write"], "read": true }));
    let tally = app.oauth.tally();
    assert_eq!((tally.token_calls, tally.exchanges, tally.refused, tally.refreshes), (1, 1, 0, 0));
    let families = app.oauth.families();
    assert_eq!(families.len(), 1);
    assert_eq!((&families[0].access_token, &families[0].refresh_token), (&access, &Some(refresh)));
}

#[test]
fn the_seed_and_the_order_of_calls_decide_all_tokens() {
    let walk = |app: App| {
        let (first, refresh) = app.connect();
        [vec![first], app.oauth.families().iter().map(|f| f.access_token.clone()).collect(), vec![refresh]]
    };
    assert_eq!(walk(app(|_| ())), walk(app(|_| ())));
    let other = lifehub_testkit::oauth::AuthorizationServer::new("diary-sim", 8);
    assert_ne!(walk(crate::app::serve(other, |_| ())), walk(app(|_| ())));
}

#[test]
fn a_wrong_verifier_is_refused_and_leaves_the_code() {
    let app = app(|_| ());
    let code = app.code();
    let other = VERIFIER.replace("made-up", "guessed");
    for verifier in [other.as_str(), "too-short", ""] {
        refused(&app.exchange(&code, &[("code_verifier", verifier)]), 400, "invalid_grant");
    }
    tokens(&app.exchange(&code, &[]));
    // It fits its challenge, but anybody could try all that are as short.
    let short = sent_back(&app.visit(&[("code_challenge", &code_challenge("too-short"))]));
    refused(&app.exchange(&short["code"], &[("code_verifier", "too-short")]), 400, "invalid_grant");
    let without = sent_back(&app.visit(&[("code_challenge", ""), ("code_challenge_method", "")]));
    let code = &without["code"];
    refused(&app.exchange(code, &[]), 400, "invalid_grant");
    tokens(&app.exchange(code, &[("code_verifier", "")]));
    assert_eq!(app.oauth.tally().reuses, 0);
}

#[test]
fn only_s256_counts_as_a_challenge() {
    let app = app(|_| ());
    for change in
        [("code_challenge_method", "plain"), ("code_challenge_method", ""), ("code_challenge", "short")]
    {
        assert_eq!(sent_back(&app.visit(&[change]))["error"], "invalid_request", "{change:?}");
    }
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    app.oauth.set(|rules| rules.pkce = Pkce::Required);
    assert_eq!(sent_back(&app.visit(&none))["error"], "invalid_request");
    app.oauth.set(|rules| rules.pkce = Pkce::Ignored);
    let code = &sent_back(&app.visit(&[("code_challenge_method", "plain")]))["code"];
    tokens(&app.exchange(code, &[("code_verifier", "anything")]));
}

#[test]
fn a_code_is_good_once_and_its_reuse_kills_what_came_of_it() {
    let app = app(|_| ());
    let code = app.code();
    let (access, refresh) = tokens(&app.exchange(&code, &[]));
    let (unharmed, _) = app.connect();
    assert_eq!(app.me(&access), 200);
    refused(&app.exchange(&code, &[]), 400, "invalid_grant");
    assert_eq!(app.me(&access), 401);
    refused(&app.refresh(&refresh), 400, "invalid_grant");
    let tally = app.oauth.tally();
    assert_eq!((tally.reuses, tally.families_revoked, tally.refused), (1, 1, 2));
    assert_eq!(app.oauth.families().iter().map(|f| f.revoked).collect::<Vec<_>>(), [true, false]);
    assert_eq!(app.me(&unharmed), 200, "another consent is another family");
}

#[test]
fn a_code_expires_to_the_second() {
    let app = app(|_| ());
    let (early, late) = (app.code(), app.code());
    app.wait(59);
    tokens(&app.exchange(&early, &[]));
    app.wait(1);
    let body = refused(&app.exchange(&late, &[]), 400, "invalid_grant");
    assert_eq!(body["error_description"], "the code has expired");
}

#[test]
fn a_code_belongs_to_its_address_and_its_app() {
    let app = app(|_| ());
    let code = app.code();
    for change in [("redirect_uri", "http://127.0.0.1:8080/other"), ("redirect_uri", "")] {
        refused(&app.exchange(&code, &[change]), 400, "invalid_grant");
    }
    for change in [("client_id", "other"), ("client_secret", "guess"), ("client_secret", "")] {
        refused(&app.exchange(&code, &[change]), 401, "invalid_client");
    }
    refused(&app.exchange("diary-sim-code-0", &[]), 400, "invalid_grant");
    app.oauth.set(|rules| rules.exchange_names_redirect = false);
    tokens(&app.exchange(&code, &[("redirect_uri", "")]));
}
