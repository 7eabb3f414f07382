//! Connecting by a consent in the browser: the whole way, and everything that may come instead.

use std::time::Duration;

use lifehub_testkit::oauth::Consent;
use lifehub_testkit::{Fault, FaultPlan, Probe};
use rustix::process::Signal;
use serde_json::Value;

use crate::browser::{House, parameter, text, visit};
use crate::home::{ACTIVITIES, EMAIL, Home, strava};

#[test]
fn a_consent_connects_and_what_is_connected_syncs() {
    let house = House::new();
    let connecting = house.connecting(&["--user", EMAIL]);
    let redirect = parameter(&connecting.url, "redirect_uri").to_owned();
    assert!(redirect.starts_with("http%3A%2F%2F127.0.0.1%3A"), "{redirect}");
    assert!(redirect.ends_with("%2Foauth%2Fstrava%2Fcallback"), "{redirect}");
    let reply = connecting.agree();
    let page = text(&reply);
    assert_eq!(reply.status, 200, "{page}");
    assert!(page.contains("<h1>Connected</h1>") && page.contains("Strava: sample_athlete"), "{page}");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(reply.header(name), Some(value));
    }
    assert!(reply.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(!page.contains("http"), "it loads nothing: {page}");
    let run = connecting.end().exits(0);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines[0], "connected Strava: sample_athlete (account 900001234)");
    assert!(run.err.contains("made the user ada@example.org"), "{run:#?}");
    assert!(!run.err.contains("warning"), "{run:#?}");
    house.home.run(&["sync", "--all"]).exits(0);
    assert_eq!(house.home.run(&["export"]).exits(0).out.lines().count(), ACTIVITIES);
    assert_eq!(house.simulator.oauth().tally().exchanges, 1);
}

#[test]
fn with_json_the_address_goes_to_standard_error_and_one_document_to_standard_output() {
    let house = House::new();
    let saved = house.connect();
    assert_eq!(saved["account"], "900001234");
    assert_eq!((&saved["created"], &saved["checked"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(saved.get("missing_scopes"), None);
    // The same account again, also without its connection's name, is the same connection.
    let again = house.connect();
    assert_eq!((&again["id"], &again["created"]), (&saved["id"], &Value::Bool(false)));
}

#[test]
fn a_denial_saves_nothing() {
    let house = House::new();
    house.simulator.oauth().set(|rules| rules.consent = Consent::Deny);
    let connecting = house.connecting(&["--user", EMAIL]);
    let reply = connecting.agree();
    assert_eq!(reply.status, 400);
    assert!(text(&reply).contains("<h1>Not connected</h1>"), "{}", text(&reply));
    let run = connecting.end().exits(1);
    assert_eq!(run.out, "");
    assert!(run.err.contains("nothing was saved: the user did not agree"), "{run:#?}");
    assert!(house.home.is_untouched());
    assert_eq!(house.simulator.oauth().tally().token_calls, 0);
}

#[test]
fn what_is_not_the_answer_does_not_end_the_waiting() {
    let house = House::new();
    let connecting = house.connecting(&["--user", EMAIL, "--json"]);
    let back = connecting.back();
    let (base, _) = back.split_once('?').unwrap();
    let origin = base.strip_suffix("/oauth/strava/callback").unwrap();
    for path in ["/", "/favicon.ico", "/oauth/strava", "/oauth/ical/callback", "/oauth/strava/callback/"] {
        assert_eq!(visit(&format!("{origin}{path}")).status, 404, "{path}");
    }
    let posted = Probe::post_form(base, "code=x&state=y").send().unwrap();
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET")));
    for query in
        ["", "?code=x", "?code=x&state=guess", "?error=access_denied&state=guess", "?state=a&state=b"]
    {
        let reply = visit(&format!("{base}{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert!(text(&reply).contains("Lifehub still waits"), "{query}: {}", text(&reply));
    }
    assert_eq!(house.simulator.oauth().tally().token_calls, 0);
    assert_eq!(visit(&back).status, 200);
    let run = connecting.end().exits(0);
    assert_eq!(run.json()["created"], true);
}

#[test]
fn a_second_visit_with_the_same_code_gets_nothing() {
    let house = House::new();
    let connecting = house.connecting(&["--user", EMAIL, "--json"]);
    let back = connecting.back();
    // The exchange takes its time, so that the second visit comes meanwhile.
    house.server.set_faults(FaultPlan::none().at(1, Fault::Delay(Duration::from_millis(300))));
    let first = std::thread::spawn({
        let back = back.clone();
        move || visit(&back).status
    });
    while house.simulator.oauth().tally().exchanges == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = visit(&back);
    assert_eq!((first.join().unwrap(), second.status), (200, 410), "{}", text(&second));
    assert_eq!(connecting.end().exits(0).json()["created"], true);
    assert_eq!(house.simulator.oauth().tally().token_calls, 1);
    // The door is closed now.
    assert!(Probe::get(&back).send().is_err());
}

#[test]
fn another_account_is_refused_before_anything_is_saved() {
    let house = House::new();
    let id = house.connect()["id"].as_str().unwrap().to_owned();
    let before = house.home.run(&["connections", "--json"]).exits(0).out;
    house.log_in_the_other();
    let connecting = house.connecting(&["--connection", &id]);
    let reply = connecting.agree();
    assert_eq!(reply.status, 400);
    assert!(text(&reply).contains("another account than the connection"), "{}", text(&reply));
    let run = connecting.end().exits(2);
    assert_eq!(run.out, "");
    for part in ["another account than the connection's", "hint: ", "the consent was given back to Strava"] {
        assert!(run.err.contains(part), "{part:?}: {run:#?}");
    }
    assert_eq!(house.home.run(&["connections", "--json"]).exits(0).out, before);
    // The old consent stands and works; the new one is gone.
    let families = house.simulator.oauth().families();
    assert_eq!(families.iter().map(|family| family.revoked).collect::<Vec<_>>(), [false, true]);
    house.home.run(&["sync", "--all"]).exits(0);
    // Without a connection's name, the other account is one more connection, and its consent is needed then: a third
    // one for the first connection leaves it alone.
    assert_eq!(house.connect()["created"], true);
    let connecting = house.connecting(&["--connection", &id]);
    assert_eq!(connecting.agree().status, 400);
    let run = connecting.end().exits(2);
    assert!(!run.err.contains("given back"), "{run:#?}");
    assert_eq!(house.standing(), 3);
}

#[test]
fn a_named_connection_is_renewed_with_its_own_account() {
    let house = House::new();
    let id = house.connect()["id"].as_str().unwrap().to_owned();
    house.home.run(&["sync", "--all"]).exits(0);
    // The athlete took the consent back at the provider.
    let family = house.simulator.oauth().families().remove(0);
    assert!(house.simulator.oauth().withdraw(&family.access_token));
    house.home.run(&["sync", "--all"]).exits(1);
    assert_eq!(house.home.run(&["connections", "--json"]).json()[0]["status"], "reconnect_required");
    let connecting = house.connecting(&["--connection", &id]);
    assert_eq!(connecting.agree().status, 200);
    let run = connecting.end().exits(0);
    assert!(run.out.starts_with("renewed the connection to Strava: sample_athlete"), "{run:#?}");
    assert!(run.out.contains(&format!("connection {id}")), "{run:#?}");
    assert_eq!(house.home.run(&["connections", "--json"]).json()[0]["status"], "active");
    let report = house.home.run(&["sync", "--all", "--json"]).exits(0).json();
    assert_eq!((&report["totals"]["inserted"], &report["totals"]["deleted"]), (&0.into(), &0.into()));
}

#[test]
fn a_connection_that_is_named_wrongly_is_told_before_anybody_is_asked() {
    let house = House::new();
    let id = house.home.connect();
    let asked = house.server.request_count();
    let check = |args: &[&str], parts: &[&str]| {
        house.home.run(&[&["connect"], args].concat()).exits(2).says(parts);
    };
    let nobody = "0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f";
    check(&["strava", "--connection", nobody], &["there is no connection", "lifehub connections"]);
    check(&["strava", "--connection", "x"], &["hint: `lifehub connections`"]);
    check(&["ical", "--connection", &id], &["is not one to", "lifehub connect strava --connection"]);
    check(&["strava", "--connection", &id, "--user", "b@example.org"], &["another user's", "--user"]);
    check(&["strava", "--connection", &id, "--no-check"], &["--no-check"]);
    check(&["strava", "--user", EMAIL, "--no-check"], &["--no-check goes with --secret"]);
    check(&["strava", "--user", EMAIL, "--port", "0"], &["--port"]);
    assert_eq!(house.server.request_count(), asked);
    // A token of one's own renews by name too.
    let run = house.home.run(&["connect", "strava", "--connection", &id, "--secret", "access_token=hunter2"]);
    run.exits(1).says(&["nothing was saved"]);
}

#[test]
fn scopes_that_were_not_granted_are_named() {
    let house = House::new();
    house.simulator.oauth().set(|rules| rules.consent = Consent::Only(vec!["read".to_owned()]));
    let connecting = house.connecting(&["--user", EMAIL, "--json"]);
    assert_eq!(connecting.agree().status, 200);
    let run = connecting.end().exits(0);
    let saved = run.json();
    assert_eq!(saved["missing_scopes"], serde_json::json!(["activity:read_all"]));
    let again = "leave every box ticked: lifehub connect strava --user ada@example.org";
    for part in ["warning: Strava did not grant all: activity:read_all is missing", again] {
        assert!(run.err.contains(part), "{part:?}: {run:#?}");
    }
}

#[test]
fn without_an_app_both_ways_are_told() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.run(&["connect", "strava", "--user", EMAIL]).exits(2).says(&[
        "error: no app is configured for Strava",
        "providers.strava.client_id",
        "--secret access_token",
    ]);
    assert!(home.is_untouched());
    assert_eq!(server.request_count(), 0);
}

#[test]
fn an_account_that_cannot_be_asked_is_not_saved_and_its_consent_is_given_back() {
    let house = House::new();
    let connecting = house.connecting(&["--user", EMAIL]);
    let back = connecting.back();
    // The exchange, then the question, which is refused for good, then the revocation.
    house.server.set_faults(FaultPlan::none().at(2, Fault::WebPage));
    assert_eq!(visit(&back).status, 400);
    let run = connecting.end().exits(1);
    assert!(run.err.contains("Strava did not confirm the account, nothing was saved"), "{run:#?}");
    assert!(run.err.contains("the consent was given back to Strava"), "{run:#?}");
    assert_eq!((house.simulator.oauth().tally().exchanges, house.standing()), (1, 0));
    assert!(house.home.is_untouched());
}

#[test]
fn a_signal_ends_the_waiting_and_saves_nothing() {
    let house = House::new();
    let connecting = house.connecting(&["--user", EMAIL]);
    let back = connecting.back();
    connecting.running.signal(Signal::INT);
    let run = connecting.end().exits(130);
    assert!(run.err.contains("stopped, nothing was saved") && run.out.is_empty(), "{run:#?}");
    assert!(house.home.is_untouched());
    assert!(Probe::get(&back).send().is_err());
}

#[test]
fn a_port_that_was_asked_for_is_the_one() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let args = ["connect", "strava", "--user", EMAIL, "--port", &port];
    house.home.run(&args).exits(1).says(&["the port is taken", "--port"]);
    drop(taken);
    let connecting = house.connecting(&["--user", EMAIL, "--port", &port]);
    assert!(connecting.back().starts_with(&format!("http://127.0.0.1:{port}/oauth/strava/callback?")));
    assert_eq!(connecting.agree().status, 200);
    connecting.end().exits(0);
}

#[test]
fn no_output_holds_a_code_a_token_or_a_secret() {
    let mut house = House::new();
    house.home = house.home.with("LIFEHUB_LOG", "trace");
    let connecting = house.connecting(&["--user", EMAIL, "-vvv"]);
    let back = connecting.back();
    let (state, code) = (parameter(&back, "state").to_owned(), parameter(&back, "code").to_owned());
    assert_eq!(visit(&format!("{}&state=x", back.split_once('&').unwrap().0)).status, 400);
    assert_eq!(visit(&back).status, 200);
    let url = connecting.url.clone();
    let run = connecting.end().exits(0);
    let id = run.out.lines().find_map(|line| line.strip_prefix("connection ")).unwrap().to_owned();
    let sync = house.home.run(&["sync", "--all", "-vvv"]).exits(0);
    let ended = house.home.run(&["disconnect", &id, "-vvv"]).exits(0);
    let family = house.simulator.oauth().families().remove(0);
    let said = [run.out, run.err.replace(&url, ""), sync.out, sync.err, ended.out, ended.err].concat();
    assert!(said.contains("TRACE") || said.contains("DEBUG"), "{said}");
    let refresh = family.refresh_token.unwrap();
    for secret in [&state, &code, &family.access_token, &refresh, "strava-sim-client-secret"] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
}
