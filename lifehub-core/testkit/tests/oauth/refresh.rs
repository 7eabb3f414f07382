//! Refresh tokens: rotation, leeway, reuse, expiry, revocation.

use std::time::Duration;

use lifehub_testkit::oauth::{ClientAuth, Refresh, Tally};
use serde_json::json;

use crate::app::{App, app, refused, tokens};

fn tally(app: &App) -> (u64, u64, u64, u64) {
    let Tally { refreshes, in_leeway, reuses, families_revoked, .. } = app.oauth.tally();
    (refreshes, in_leeway, reuses, families_revoked)
}

#[test]
fn each_refresh_gives_a_new_pair() {
    let app = app(|_| ());
    let (mut access, mut refresh) = app.connect();
    for _ in 0..3 {
        app.wait(3_600);
        assert_eq!(app.me(&access), 401);
        let (next_access, next_refresh) = tokens(&app.refresh(&refresh));
        assert_ne!((&next_access, &next_refresh), (&access, &refresh));
        assert_eq!(app.me(&next_access), 200);
        assert_eq!(app.oauth.families()[0].refresh_token, Some(next_refresh.clone()));
        (access, refresh) = (next_access, next_refresh);
    }
    assert_eq!(tally(&app), (3, 0, 0, 0));
}

#[test]
fn without_leeway_a_second_use_kills_the_family_at_once() {
    let app = app(|_| ());
    let (first, old) = app.connect();
    let (second, new) = tokens(&app.refresh(&old));
    refused(&app.refresh(&old), 400, "invalid_grant");
    assert_eq!(tally(&app), (1, 0, 1, 1));
    refused(&app.refresh(&new), 400, "invalid_grant");
    assert_eq!((app.me(&first), app.me(&second)), (401, 401));
    assert_eq!(tally(&app), (1, 0, 1, 1), "a dead family does not die again");
    assert!(app.oauth.families()[0].revoked);
}

#[test]
fn in_its_leeway_an_old_token_lives_on() {
    let app = app(|rules| rules.leeway = Duration::from_secs(30));
    let (_, old) = app.connect();
    let (_, new) = tokens(&app.refresh(&old));
    app.wait(29);
    let (access, newest) = tokens(&app.refresh(&old));
    assert_ne!(newest, new);
    assert_eq!(app.oauth.families()[0].refresh_token, Some(newest.clone()));
    assert_eq!(tally(&app), (2, 1, 0, 0));
    // Both answers are good: whoever saw one of them goes on.
    let (_, after_new) = tokens(&app.refresh(&new));
    tokens(&app.refresh(&newest));
    assert_eq!(app.me(&access), 200);
    // The leeway counts from when it was replaced, not from its last use.
    app.wait(1);
    refused(&app.refresh(&old), 400, "invalid_grant");
    assert_eq!((tally(&app).2, tally(&app).3), (1, 1));
    refused(&app.refresh(&after_new), 400, "invalid_grant");
    assert_eq!(app.me(&access), 401);
}

#[test]
fn a_server_without_reuse_detection_only_refuses() {
    let app = app(|rules| rules.reuse_revokes = false);
    let (_, old) = app.connect();
    let (access, new) = tokens(&app.refresh(&old));
    refused(&app.refresh(&old), 400, "invalid_grant");
    assert_eq!(tally(&app), (1, 0, 1, 0));
    assert_eq!(app.me(&access), 200);
    tokens(&app.refresh(&new));
}

#[test]
fn a_token_that_is_kept_can_be_used_for_ever() {
    let app = app(|rules| rules.refresh = Refresh::Keep);
    let (first, refresh) = app.connect();
    let (second, same) = tokens(&app.refresh(&refresh));
    assert_eq!(same, refresh);
    assert_ne!(first, second);
    assert_eq!((app.me(&first), app.me(&second)), (200, 200));
    tokens(&app.refresh(&refresh));
    assert_eq!(tally(&app), (2, 0, 0, 0));
}

#[test]
fn without_refresh_tokens_there_is_no_refresh() {
    let app = app(|rules| {
        rules.refresh = Refresh::Never;
        rules.access_lifetime = None;
    });
    let reply = app.exchange(&app.code(), &[]);
    let (access, none) = tokens(&reply);
    assert_eq!((none.as_str(), &reply.json().unwrap()["expires_in"]), ("", &json!(null)));
    refused(&app.refresh("any"), 400, "unsupported_grant_type");
    app.wait(100 * 86_400 * 365);
    assert_eq!(app.me(&access), 200);
}

#[test]
fn a_refresh_token_expires_and_a_new_one_begins_anew() {
    let app = app(|rules| rules.refresh_lifetime = Some(Duration::from_secs(1_000)));
    let (_, refresh) = app.connect();
    app.wait(999);
    let (_, refresh) = tokens(&app.refresh(&refresh));
    app.wait(999);
    let (_, refresh) = tokens(&app.refresh(&refresh));
    app.wait(1_000);
    let body = refused(&app.refresh(&refresh), 400, "invalid_grant");
    assert_eq!(body["error_description"], "the refresh token has expired");
    assert_eq!(tally(&app), (2, 0, 0, 0), "too old is no reuse");
}

#[test]
fn an_access_token_with_time_left_may_come_back() {
    let app = app(|rules| rules.keep_while_left = Some(Duration::from_secs(600)));
    let (access, refresh) = app.connect();
    app.wait(2_999);
    let reply = app.refresh(&refresh);
    assert_eq!(tokens(&reply), (access.clone(), refresh.clone()));
    assert_eq!(reply.json().unwrap()["expires_in"], 601);
    app.wait(1);
    let (next, rotated) = tokens(&app.refresh(&refresh));
    assert!(next != access && rotated != refresh);
}

#[test]
fn a_refresh_may_ask_for_less_and_never_for_more() {
    let app = app(|_| ());
    let (_, refresh) = app.connect();
    let ask = |token: &str, scope: &str| {
        app.token(&[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)])
    };
    refused(&ask(&refresh, "read admin"), 400, "invalid_scope");
    let less = ask(&refresh, "write");
    assert_eq!(less.json().unwrap()["scope"], "write");
    let all = app.refresh(&tokens(&less).1);
    assert_eq!(all.json().unwrap()["scope"], "read write", "the consent is as wide as it was");
}

#[test]
fn revoking_kills_an_access_token_alone_and_a_refresh_token_with_its_family() {
    let app = app(|_| ());
    let (first, refresh) = app.connect();
    let (second, newest) = tokens(&app.refresh(&refresh));
    assert_eq!(app.revoke(&first).status, 200);
    assert_eq!((app.me(&first), app.me(&second)), (401, 200));
    assert_eq!(app.revoke(&newest).status, 200);
    assert_eq!(app.me(&second), 401);
    refused(&app.refresh(&newest), 400, "invalid_grant");
    assert_eq!(tally(&app).3, 1);
    assert_eq!(app.revoke("nobody-knows").status, 200, "RFC 7009, section 2.2");
    refused(&app.revoke(""), 400, "invalid_request");
    app.oauth.set(|rules| rules.client_secret = Some("renewed".to_owned()));
    refused(&app.revoke(&newest), 401, "invalid_client");
    app.oauth.set(|rules| rules.client_secret = Some("sample-client-secret".to_owned()));
    app.oauth.set(|rules| rules.revoke_auth = ClientAuth::Basic);
    refused(&app.revoke(&newest), 401, "invalid_client");
}

#[test]
fn a_user_takes_the_consent_back() {
    let app = app(|_| ());
    let issued = app.oauth.issue(&["read"], "2026-08-10T12:00:00Z".parse().unwrap());
    let (access, refresh) = (issued.access_token, issued.refresh_token.unwrap());
    assert_eq!(issued.expires_at, Some("2026-08-10T13:00:00Z".parse().unwrap()));
    assert_eq!(app.me(&access), 200);
    assert!(!app.oauth.withdraw("nobody-knows"));
    assert!(app.oauth.withdraw(&access));
    assert!(!app.oauth.withdraw(&refresh), "it is dead already");
    assert_eq!(app.me(&access), 401);
    refused(&app.refresh(&refresh), 400, "invalid_grant");
}
