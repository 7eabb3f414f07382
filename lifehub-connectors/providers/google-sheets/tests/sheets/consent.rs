//! Google's consent, from the page to the end of the refresh token.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::oauth::{Authorized, Vault};
use lifehub_core::secret::Secret;
use lifehub_testkit::oauth::{Consent, agree};

use crate::rig::Rig;

const HOUR: Duration = Duration::from_secs(3_600);

/// What a user agrees to.
async fn authorized(rig: &Rig) -> Authorized {
    let client = rig.engine().oauth("google-sheets").unwrap();
    agree(&client, "google-sheets", rig.connection.user).await.unwrap()
}

/// Connects, as a user does who agrees to everything.
async fn connected() -> Rig {
    let rig = Rig::new();
    let held = rig.store.credentials(rig.connection.id).await.unwrap().credentials;
    let tokens = authorized(&rig).await.tokens;
    rig.set_credentials(tokens.into_credentials(&held));
    rig
}

async fn refresh_token(rig: &Rig) -> String {
    let held = rig.store.credentials(rig.connection.id).await.unwrap().credentials;
    held.get("refresh_token").map(Secret::expose).unwrap().to_owned()
}

#[tokio::test]
async fn the_consent_page_is_asked_for_a_refresh_token_with_a_proof_key() {
    let rig = Rig::new();
    let authorized = authorized(&rig).await;
    let page = rig.server.requests().into_iter().find(|request| request.path == "/o/oauth2/v2/auth").unwrap();
    for part in [
        "access_type=offline",
        "prompt=consent",
        "code_challenge_method=S256",
        "scope=openid+https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fspreadsheets.readonly",
    ] {
        assert!(page.query.contains(part), "{}", page.query);
    }
    assert!(authorized.missing_scopes.is_empty() && authorized.tokens.refresh_token.is_some());
}

#[tokio::test]
async fn the_refresh_token_stays_the_same_and_a_second_consent_brings_another() {
    let rig = connected().await;
    let first = refresh_token(&rig).await;
    for _ in 0..3 {
        rig.clock.advance(HOUR);
        rig.sync().await;
        assert_eq!(refresh_token(&rig).await, first);
    }
    assert_eq!(rig.simulator.oauth().tally().refreshes, 3);
    rig.equals_truth();
    assert!(authorized(&rig).await.tokens.refresh_token.is_some_and(|token| token.expose() != first));
}

#[tokio::test]
async fn a_scope_that_was_not_ticked_is_missing() {
    let rig = Rig::new();
    rig.simulator.oauth().set(|rules| rules.consent = Consent::Only(vec!["openid".to_owned()]));
    let missing = authorized(&rig).await.missing_scopes;
    assert_eq!(missing, ["https://www.googleapis.com/auth/spreadsheets.readonly"]);
}

#[tokio::test]
async fn in_testing_a_refresh_token_ends_after_seven_days_and_the_data_stay() {
    let rig = connected().await;
    rig.sync().await;
    rig.clock.advance(7 * 24 * HOUR - 2 * HOUR);
    rig.sync().await;
    rig.clock.advance(3 * HOUR);
    let error = rig.refused().await;
    assert_eq!(error.kind, ErrorKind::Unauthorized, "{error:?}");
    rig.equals_truth();

    // Once the app is published, it lives on.
    let rig = Rig::new();
    rig.simulator.oauth().set(|rules| rules.refresh_lifetime = None);
    let held = rig.store.credentials(rig.connection.id).await.unwrap().credentials;
    let tokens = authorized(&rig).await.tokens;
    rig.set_credentials(tokens.into_credentials(&held));
    rig.clock.advance(60 * 24 * HOUR);
    rig.sync().await;
}

#[tokio::test]
async fn a_consent_that_is_given_back_is_over() {
    let rig = connected().await;
    rig.sync().await;
    let held = rig.store.credentials(rig.connection.id).await.unwrap().credentials;
    let client = rig.engine().oauth("google-sheets").unwrap();
    for _ in 0..2 {
        client.revoke(&held).await.unwrap();
    }
    assert_eq!(rig.simulator.oauth().tally().families_revoked, 1);
    assert_eq!(rig.refused().await.kind, ErrorKind::Unauthorized);
}
