//! What YNAB refuses: each time one clear error with the next step, and nothing that was stored is lost.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Clock;
use lifehub_core::engine::{RunStatus, Runs, SyncOptions};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::Account;
use serde_json::json;

use crate::rig::{HOUR, Rig, rig};

/// Syncs while every call is refused with that error, and again when it is over.
async fn refused(rig: &Rig, id: &str, kind: ErrorKind, message: &str, hint: &str) -> u64 {
    let before = rig.records("").len();
    rig.simulator.set_refusal(Some(id));
    rig.server.take_requests();
    let errors = rig.errors().await;
    let sent = rig.server.take_requests().len() as u64;
    for error in &errors {
        assert_eq!(error.kind, kind, "{id}: {error:?}");
        assert!(error.message.contains(message), "{id}: {error:?}");
        assert!(error.hint.as_ref().is_some_and(|text| text.contains(hint)), "{id}: {error:?}");
    }
    assert!(!errors.is_empty(), "{id}: nobody was told");
    rig.simulator.set_refusal(None);
    rig.sync().await;
    assert_eq!(rig.records("").len(), before, "{id}");
    sent
}

#[tokio::test]
async fn a_lapsed_subscription_pauses_the_connection_and_keeps_its_grant() {
    let rig = rig("");
    rig.sync().await;
    for (id, message) in
        [("403.1", "the YNAB subscription has lapsed"), ("403.2", "the YNAB trial has expired")]
    {
        let sent = refused(&rig, id, ErrorKind::Forbidden, message, "what is stored stays").await;
        assert_eq!(sent, 1, "{id}: no other stream could be read");
    }
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn each_other_refusal_says_what_to_do() {
    let rig = rig("");
    rig.sync().await;
    refused(&rig, "403.3", ErrorKind::Forbidden, "scope", "connect the account again").await;
    refused(&rig, "403.4", ErrorKind::Forbidden, "limits against abuse", "support").await;
    refused(&rig, "404.1", ErrorKind::NotFound, "does not know this path", "base_url").await;
    refused(&rig, "404.2", ErrorKind::NotFound, "does not have this plan", "what was read of it stays").await;
    refused(&rig, "401", ErrorKind::Unauthorized, "does not accept the credentials", "connect").await;
    refused(&rig, "503", ErrorKind::Unavailable, "the provider failed", "status page").await;
}

fn set_token(rig: &Rig, token: &str) {
    rig.set_credentials(Credentials::none().with("access_token", Secret::new(token)));
}

#[tokio::test]
async fn a_wrong_token_is_told_once_and_a_personal_one_needs_nothing_else() {
    let rig = rig("");
    set_token(&rig, "guessed");
    let errors = rig.errors().await;
    assert!(errors.len() == 1 && errors[0].kind == ErrorKind::Unauthorized, "{errors:?}");
    assert_eq!(rig.server.request_count(), 1);
    set_token(&rig, &rig.simulator.token());
    rig.sync().await;
    rig.clock.advance(100 * 24 * HOUR);
    rig.sync().await;
    rig.equals_truth("transactions");
    assert_eq!(rig.simulator.oauth().tally().token_calls, 0);
}

#[tokio::test]
async fn a_plan_that_is_gone_stops_nothing_and_what_was_read_of_it_stays() {
    let rig = rig("transactions");
    rig.sync().await;
    let before = rig.records("").len();
    // It goes between the list of plans and the first call for it.
    let simulator = rig.simulator.clone();
    rig.server.after(0, move || simulator.lose_plan());
    let errors = rig.errors().await;
    assert_eq!(errors.len(), 1, "the later streams no longer hear of it: {errors:?}");
    let error = &errors[0];
    assert!(error.kind == ErrorKind::NotFound && error.hint.is_some(), "{error:?}");
    assert_eq!(rig.records("").len(), before);
    rig.sync().await;
    assert_eq!(rig.records("").len(), before);
}

#[tokio::test]
async fn plans_are_understood_by_their_old_name() {
    let rig = rig("");
    rig.simulator.set_old_names(true);
    rig.sync().await;
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn the_hour_of_a_token_is_never_overspent() {
    let rig = rig("");
    rig.simulator.set_limit(Some(200));
    // Every minute, with fifteen calls each: far more than an hour has.
    let engine = rig.engine();
    let mut parked = 0;
    for _ in 0..40 {
        rig.clock.advance(Duration::from_secs(60));
        let report = engine.sync(&rig.connection, &SyncOptions::default()).await.unwrap();
        assert!(matches!(report.status, RunStatus::Ok | RunStatus::Parked), "{report:?}");
        parked += usize::from(report.status == RunStatus::Parked);
    }
    let requests = rig.server.requests();
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    assert_eq!(
        (refused, requests.len() > 250),
        (0, true),
        "{} requests, parked {parked} times",
        requests.len()
    );
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn an_hour_that_others_spent_is_waited_for_without_asking_again() {
    let mut rig = rig("");
    rig.operator["quotas"] = json!("off");
    rig.sync().await;
    rig.simulator.set_limit(Some(2));
    let before = rig.server.request_count();
    let report = rig.run(&SyncOptions::default()).await;
    assert_eq!(report.status, RunStatus::Parked, "{report:?}");
    assert!(report.streams.iter().all(|stream| stream.error.is_none()), "{report:?}");
    assert_eq!(rig.server.request_count() - before, 3, "two that were answered, one that was refused");
    let resumes = rig.store.latest(rig.connection.id).await.unwrap().unwrap().resume_at.unwrap();
    let wait = resumes.since(rig.clock.now());
    assert!(wait > Duration::from_secs(500) && wait < Duration::from_secs(800), "{wait:?}");
    rig.simulator.set_limit(None);
    rig.clock.advance(HOUR);
    rig.sync().await;
    assert_eq!(rig.simulator.truth().len(), 48);
    rig.equals_truth("transactions");
}
