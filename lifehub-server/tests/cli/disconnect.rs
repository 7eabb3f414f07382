//! Disconnecting: the consent is given back, the data stays.

use std::time::Duration;

use lifehub_testkit::{Fault, FaultPlan};
use serde_json::json;

use crate::browser::House;
use crate::home::{ACTIVITIES, Home, strava};
use crate::running::Running;

#[test]
fn the_consent_is_given_back_and_the_data_stays() {
    let house = House::new();
    let id = house.connect()["id"].as_str().unwrap().to_owned();
    house.home.run(&["sync", "--all"]).exits(0);
    let run = house.home.run(&["disconnect", &id]).exits(0);
    assert!(
        run.out.starts_with("disconnected Strava, account 900001234\nthe consent is given back"),
        "{run:#?}"
    );
    assert!(run.out.contains("what is stored stays") && run.err.is_empty(), "{run:#?}");
    assert_eq!((house.standing(), house.simulator.oauth().families().len()), (0, 1));
    let list = house.home.run(&["connections", "--json"]).json();
    assert_eq!((&list[0]["status"], &list[0]["next_at"]), (&json!("disconnected"), &json!(null)));
    assert_eq!(house.home.run(&["export"]).exits(0).out.lines().count(), ACTIVITIES);
    // Once more is fine, and asks nobody.
    let asked = house.server.request_count();
    let run = house.home.run(&["disconnect", &id, "--json"]).exits(0);
    let expected = json!({ "id": id, "provider": "strava", "account": "900001234", "consent": "none" });
    assert_eq!(run.json(), expected);
    assert_eq!(house.server.request_count(), asked);
    // Connected again, it goes on where it stood.
    assert_eq!(house.connect()["id"], id.as_str());
    let report = house.home.run(&["sync", "--all", "--json"]).exits(0).json();
    assert_eq!(report["totals"]["inserted"], 0);
}

#[test]
fn a_renewal_that_is_under_way_is_waited_for() {
    let house = House::new();
    let id = house.connect()["id"].as_str().unwrap().to_owned();
    // A sync finds its token refused and has it renewed, which takes long.
    let long = Duration::from_millis(1500);
    house.server.set_faults(FaultPlan::none().at(1, Fault::Unauthorized).at(2, Fault::Delay(long)));
    let sync = Running::start(house.home.command(&["sync", "--all"]));
    while house.simulator.oauth().tally().refreshes == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let run = house.home.run(&["disconnect", &id, "--json"]).exits(0);
    assert_eq!(run.json()["consent"], "given_back");
    assert_eq!(house.standing(), 0);
    let requests = house.server.requests();
    let at = |path: &str| requests.iter().rfind(|request| request.path == path).unwrap().at;
    assert!(at("/oauth/revoke") >= at("/oauth/token") + long, "{requests:#?}");
    sync.end();
}

#[test]
fn a_consent_may_be_kept() {
    let house = House::new();
    let id = house.connect()["id"].as_str().unwrap().to_owned();
    let run = house.home.run(&["disconnect", &id, "--keep-consent", "--json"]).exits(0);
    assert_eq!(run.json()["consent"], "kept");
    assert_eq!(house.standing(), 1);
}

#[test]
fn a_provider_that_cannot_be_told_keeps_nothing_from_its_end() {
    let house = House::new();
    let id = house.connect()["id"].as_str().unwrap().to_owned();
    house.server.set_faults(FaultPlan::none().from(1, Fault::Unavailable));
    let run = house.home.run(&["disconnect", &id]).exits(0);
    assert!(run.err.contains("warning: Strava did not take the consent back"), "{run:#?}");
    assert!(run.err.contains("hint: remove the app in the account's settings"), "{run:#?}");
    assert!(run.out.contains("the consent at the provider stands"), "{run:#?}");
    assert_eq!(house.home.run(&["connections", "--json"]).json()[0]["status"], "disconnected");
}

#[test]
fn without_an_app_it_is_ended_here_alone() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let id = home.connect();
    let run = home.run(&["disconnect", &id]).exits(0);
    assert!(run.err.contains("no app is configured for Strava"), "{run:#?}");
    assert_eq!(home.run(&["connections", "--json"]).json()[0]["status"], "disconnected");
}

#[test]
fn what_is_no_connection_is_told() {
    let home = Home::new();
    home.run(&["disconnect", "x"]).exits(2).says(&["hint: `lifehub connections`"]);
    let nobody = "0198c7a2-5b1e-7c3d-9f00-1a2b3c4d5e6f";
    home.run(&["disconnect", nobody]).exits(2).says(&["there is no connection"]);
    assert!(home.is_untouched());
}
