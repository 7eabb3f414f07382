//! Rule 9 as an HTTP stack sees it: when a token is renewed, and what a refusal is worth.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Clock as _;
use lifehub_core::http::CredentialSource as _;
use lifehub_core::oauth::{Renewal, Standing, VaultCredentials};
use lifehub_core::secret::{Credentials, Secret};

use crate::renewal::{Account, LIFE, Provider, access, id, pair};
use crate::shelf::DAY;

/// The credentials of a run, as it begins.
async fn run(account: &Account, provider: Option<&Arc<Provider>>) -> VaultCredentials {
    let renewal = provider.map(|provider| provider.clone() as Arc<dyn Renewal>);
    VaultCredentials::new(account.refresher(), id(), account.held().await, renewal)
}

/// An account whose token has so many seconds left of so many; the provider.
fn with_token(left: Option<i64>, life: Option<u64>) -> (Account, Arc<Provider>) {
    let account = Account::new();
    let end = |left: i64| {
        let (by, now) = (Duration::from_secs(left.unsigned_abs()), account.clock.now());
        if left < 0 { now - by } else { now + by }
    };
    let fields = [
        ("access_token", Some("access 0".to_owned())),
        ("refresh_token", Some("refresh 0".to_owned())),
        ("expires_at", left.map(|left| end(left).to_string())),
        ("expires_in", life.map(|life| life.to_string())),
    ];
    let fields = fields.into_iter().filter_map(|(name, text)| Some((name, Secret::new(text?))));
    let credentials = fields.fold(Credentials::none(), |all, (name, secret)| all.with(name, secret));
    account.store.set_credentials(id(), credentials);
    let provider = Arc::new(Provider::new(account.clock.clone()));
    (account, provider)
}

/// Ahead by a minute, or by a tenth of its life if that is less.
#[tokio::test]
async fn rule_9_a_token_is_renewed_ahead_of_its_end() {
    for (left, life, is_renewed) in [
        (Some(61), Some(21_600), false),
        (Some(60), Some(21_600), true),
        (Some(61), Some(600), false),
        (Some(60), Some(600), true),
        (Some(31), Some(300), false),
        (Some(30), Some(300), true),
        (Some(1), Some(1), false),
        (Some(0), Some(1), true),
        (Some(61), None, false),
        (Some(60), None, true),
        (Some(-86_400), Some(3600), true),
        (None, Some(3600), false),
        (None, None, false),
    ] {
        let (account, provider) = with_token(left, life);
        let credentials = run(&account, Some(&provider)).await.current().await.unwrap();
        let expected = if is_renewed { ("access 1", 1) } else { ("access 0", 0) };
        assert_eq!((access(&credentials), provider.calls()), expected, "{left:?} of {life:?}");
    }
}

#[tokio::test]
async fn rule_9_what_is_left_of_a_token_serves() {
    for (left, kind, serves) in [
        (30, ErrorKind::Unavailable, true),
        (30, ErrorKind::Throttled, true),
        (30, ErrorKind::Unauthorized, false),
        (0, ErrorKind::Unavailable, false),
    ] {
        let (account, provider) = with_token(Some(left), Some(3600));
        provider.fail([kind]);
        match run(&account, Some(&provider)).await.current().await {
            Ok(credentials) => {
                assert_eq!((access(&credentials), serves), ("access 0", true), "{left} {kind}")
            }
            Err(error) => assert_eq!((error.kind(), serves), (kind, false), "{left}"),
        }
    }
}

#[tokio::test]
async fn rule_9_a_401_outranks_a_stored_expiry() {
    let (account, provider) = with_token(Some(86_400), Some(86_400));
    let credentials = run(&account, Some(&provider)).await;
    let used = credentials.current().await.unwrap();
    let renewed = credentials.refused(&used).await.unwrap().unwrap();
    assert_eq!((access(&renewed), provider.calls()), ("access 1", 1));
    // A request that was under way with the old one is refused too: that is no news.
    let again = credentials.refused(&used).await.unwrap().unwrap();
    assert_eq!((access(&again), provider.calls()), ("access 1", 1));
    assert_eq!(access(&credentials.current().await.unwrap()), "access 1");
}

#[tokio::test]
async fn rule_9_a_clock_that_jumps_costs_one_call_at_most() {
    let account = Account::new();
    let provider = Arc::new(Provider::new(account.clock.clone()));
    let credentials = run(&account, Some(&provider)).await;
    let mut allowed = 0;
    for (jump, forward) in
        [(DAY, true), (DAY, false), (DAY, false), (LIFE, true), (2 * DAY, true), (DAY, false)]
    {
        let now = account.clock.now();
        account.clock.jump_to(if forward { now + jump } else { now - jump });
        // The token seems to have ended; what was handed out since is as good as new.
        allowed += u32::from(forward);
        for _ in 0..5 {
            credentials.current().await.unwrap();
        }
        assert!(provider.calls() <= allowed, "{} calls after {allowed} reasons", provider.calls());
        let used = credentials.current().await.unwrap();
        allowed = provider.calls() + 1;
        for _ in 0..5 {
            credentials.refused(&used).await.unwrap().unwrap();
            credentials.current().await.unwrap();
        }
        assert_eq!(provider.calls(), allowed, "one call for one refusal");
    }
}

#[tokio::test]
async fn rule_9_what_cannot_be_renewed_is_refused_once() {
    let account = Account::new();
    let key = |text: &str| Credentials::none().with("access_token", Secret::new(text));
    account.store.set_credentials(id(), key("key"));
    for round in 1..=2 {
        for _ in 0..3 {
            let credentials = run(&account, None).await;
            let used = credentials.current().await.unwrap();
            assert!(credentials.refused(&used).await.unwrap().is_none());
            assert_ne!(account.held().await.standing, Standing::Good);
            assert_eq!(account.notices(), round, "one notice for all refusals in a row");
        }
        run(&account, None).await.were_accepted().await.unwrap();
        assert_eq!(account.held().await.standing, Standing::Good, "it works again");
    }
    // Its user entered another one while the run was under way.
    let credentials = run(&account, None).await;
    let used = credentials.current().await.unwrap();
    account.store.set_credentials(id(), key("another"));
    assert_eq!(access(&credentials.refused(&used).await.unwrap().unwrap()), "another");
    assert_eq!((account.held().await.standing, account.notices()), (Standing::Good, 2));
}

#[tokio::test]
async fn rule_9_without_an_app_a_token_is_not_blamed() {
    let account = Account::new();
    let credentials = run(&account, None).await;
    let used = credentials.current().await.unwrap();
    let error = credentials.refused(&used).await.unwrap_err();
    assert!(error.get_hint().is_some_and(|hint| hint.contains("client_id")), "{error:?}");
    assert_eq!((account.held().await.standing, account.notices()), (Standing::Good, 0));
}

#[tokio::test]
async fn rule_9_a_success_with_the_old_token_does_not_end_a_refusal() {
    let account = Account::new();
    let provider = Arc::new(Provider::new(account.clock.clone()));
    provider.fail([ErrorKind::Unauthorized]);
    let credentials = run(&account, Some(&provider)).await;
    credentials.renew().await.unwrap_err();
    // The access token may live on for hours, the consent does not.
    run(&account, Some(&provider)).await.were_accepted().await.unwrap();
    assert_ne!(account.held().await.standing, Standing::Good);
    account.store.set_credentials(id(), pair("anew", &account.clock));
    assert_eq!(account.held().await.standing, Standing::Good);
}
