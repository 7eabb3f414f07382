//! What is refused on the way back, before the provider hears of it.

use std::time::Duration;

use lifehub_core::clock::Clock;
use lifehub_core::oauth::{Authorizations, Callback, Start, Who};
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind};
use lifehub_testkit::oauth::Consent;

use crate::app::{App, SESSION, SPEC, app, error, start, user, who};

/// It says this, tells what to do, and cost no token call.
#[track_caller]
fn refused(app: &App, error: &Error, kind: ErrorKind, says: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.message().contains(says), "{error:?}");
    assert!(error.get_hint().unwrap().contains("start again"), "{error:?}");
    assert_eq!(app.diary.oauth.tally().token_calls, 0, "{says}");
}

#[tokio::test]
async fn whoever_did_not_begin_it_is_refused() {
    let cases = [
        (Who { user: user(2), ..who() }, "by another user"),
        (Who { session: "session-two", ..who() }, "in another session"),
        (Who { provider: "other", ..who() }, "for another provider"),
    ];
    for (who, says) in cases {
        let app = app();
        let client = app.client(&SPEC);
        let back = app.visit(&app.begin(&client).await);
        let callback = || Callback::from_query(&back).unwrap();
        refused(&app, &error(client.finish(&app.store, callback(), who).await), ErrorKind::Invalid, says);
        // The state is spent all the same.
        let again = error(client.finish(&app.store, callback(), crate::app::who()).await);
        refused(&app, &again, ErrorKind::Invalid, "is over");
    }
}

#[tokio::test]
async fn a_state_is_good_once() {
    let app = app();
    let client = app.client(&SPEC);
    let back = app.visit(&app.begin(&client).await);
    app.finish(&client, &back).await.unwrap();
    let error = error(app.finish(&client, &back).await);
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(app.diary.oauth.tally().token_calls, 1);
}

#[tokio::test]
async fn a_way_back_that_nobody_began_is_refused() {
    let app = app();
    let client = app.client(&SPEC);
    for (query, says) in [
        ("state=guessed&code=c", "was not begun here"),
        ("code=c", "no state"),
        ("", "no state"),
        ("state=&code=c", "was not begun here"),
    ] {
        refused(&app, &error(app.finish(&client, query).await), ErrorKind::Invalid, says);
    }
}

#[tokio::test]
async fn an_authorization_lasts_ten_minutes_by_a_clock_that_may_jump() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let (second, back) = (Duration::from_secs(1), true);
    for (away, backwards, good) in [
        (minutes(10), !back, true),
        (minutes(10) + second, !back, false),
        (minutes(9), back, true),
        (minutes(11), back, false),
    ] {
        let app = app();
        let client = app.client(&SPEC);
        let query = app.visit(&app.begin(&client).await);
        let now = app.clock.now();
        app.clock.jump_to(if backwards { now - away } else { now + away });
        let finished = app.finish(&client, &query).await;
        if good {
            finished.unwrap();
        } else {
            refused(&app, &error(finished), ErrorKind::Invalid, "longer than ten minutes");
        }
    }
}

#[tokio::test]
async fn another_server_and_a_doubled_parameter_are_refused() {
    for (more, says) in [
        ("iss=https%3A%2F%2Felsewhere.test", "another server"),
        ("iss=https%3A%2F%2Fprovider.test%2F", "another server"),
        ("iss=", "another server"),
        ("code=other", "twice"),
        ("state=other", "twice"),
        ("from=elsewhere", "twice"),
    ] {
        let app = app();
        let client = app.client(&SPEC);
        let back = app.visit(&app.begin(&client).await);
        let refusal = error(app.finish(&client, &format!("{back}&{more}")).await);
        refused(&app, &refusal, ErrorKind::Invalid, says);
    }
}

#[tokio::test]
async fn a_way_back_without_a_code_is_refused() {
    let app = app();
    let client = app.client(&SPEC);
    let state = |page: url::Url| page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    for (with, kind, says, code) in [
        ("error=invalid_scope", ErrorKind::Invalid, "did not take the request", Some("invalid_scope")),
        ("error=made+up", ErrorKind::Invalid, "did not take the request", None),
        ("error=server_error&code=c", ErrorKind::Unavailable, "failed", Some("server_error")),
        ("error=access_denied", ErrorKind::Forbidden, "did not agree", None),
        ("error=access_denied&iss=x", ErrorKind::Invalid, "another server", None),
        ("code=", ErrorKind::Invalid, "no code", None),
        ("x=y", ErrorKind::Invalid, "no code", None),
    ] {
        let state = state(app.begin(&client).await);
        let refusal = error(app.finish(&client, &format!("state={state}&{with}")).await);
        refused(&app, &refusal, kind, says);
        let named = refusal.context().iter().find(|(key, _)| *key == "error").map(|(_, code)| code.as_str());
        assert_eq!(named, code, "{with}");
    }
}

#[tokio::test]
async fn a_user_who_says_no_is_told_so() {
    let app = app();
    app.diary.oauth.set(|rules| rules.consent = Consent::Deny);
    let client = app.client(&SPEC);
    let back = app.visit(&app.begin(&client).await);
    refused(&app, &error(app.finish(&client, &back).await), ErrorKind::Forbidden, "the user did not agree");
}

#[tokio::test]
async fn a_way_back_with_a_fragment_is_refused_at_the_start() {
    let app = app();
    let redirect = "http://127.0.0.1:8080/back#here".parse().unwrap();
    let begun = app.client(&SPEC).begin(&app.store, Start { redirect, ..start() }).await;
    assert_eq!(error(begun).kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn memory_holds_sixteen_of_each_user_and_forgets_what_is_old() {
    let app = app();
    let client = app.client(&SPEC);
    let mut states = Vec::new();
    for number in 0..17_u8 {
        let page = client.begin(&app.store, start()).await.unwrap();
        states.push(page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned());
        if number == 0 {
            let other = Start { user: user(2), session: SESSION, ..start() };
            let page = client.begin(&app.store, other).await.unwrap();
            states.push(page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned());
        }
        app.clock.advance(Duration::from_secs(1));
    }
    let held = async |state: &str| app.store.take(&Secret::new(state)).await.unwrap().is_some();
    assert!(!held(&states[0]).await, "the oldest of seventeen");
    assert!(held(&states[1]).await, "another user's");
    assert!(held(&states[2]).await);
    app.clock.advance(Duration::from_secs(600));
    client.begin(&app.store, start()).await.unwrap();
    for state in &states {
        assert!(!held(state).await);
    }
}
