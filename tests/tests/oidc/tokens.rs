//! What becomes of tokens: they end, rotate, and die with the consent.

use lifehub_core::ErrorKind;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::Probe;
use url::form_urlencoded;

use crate::issuer::{BASIC, FORM, Issuer, LIFE, Tally, text};

#[tokio::test]
async fn tokens_rotate_and_a_spent_one_that_comes_back_ends_the_consent() {
    let Some(issuer) = Issuer::start() else { return };
    for (app, revoked_grants) in [(BASIC, 1), (FORM, 2)] {
        let client = issuer.client(app);
        let mut pairs = vec![issuer.credentials(&client, "anna").await];
        for _ in 0..3 {
            issuer.advance(LIFE);
            let old = pairs.last().unwrap();
            assert_eq!(issuer.me(old).status, 401, "it has ended");
            let new = client.refresh(old).await.unwrap().into_credentials(old);
            assert_eq!(issuer.me(&new).status, 200);
            assert_ne!(text(&new, "refresh_token"), text(old, "refresh_token"));
            assert_eq!(text(&new, "scopes"), "openid offline_access diary");
            pairs.push(new);
        }
        let error = client.refresh(&pairs[1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert_eq!(issuer.tally().revoked_grants, revoked_grants);
        let newest = pairs.last().unwrap();
        assert_eq!(issuer.me(newest).status, 401);
        assert_eq!(client.refresh(newest).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    }
}

#[tokio::test]
async fn a_consent_that_is_given_back_is_gone_and_giving_it_back_again_is_no_error() {
    let Some(issuer) = Issuer::start() else { return };
    for (app, revoked_grants) in [(BASIC, 1), (FORM, 2)] {
        let client = issuer.client(app);
        let credentials = issuer.credentials(&client, "anna").await;
        assert_eq!(issuer.me(&credentials).status, 200);
        client.revoke(&credentials).await.unwrap();
        assert_eq!(issuer.tally().revoked_grants, revoked_grants);
        assert_eq!(issuer.me(&credentials).status, 401);
        assert_eq!(client.refresh(&credentials).await.unwrap_err().kind(), ErrorKind::Unauthorized);
        client.revoke(&credentials).await.unwrap();
    }
    let expected = Tally { token_calls: 4, codes: 2, refreshes: 0, refused: 2, revoked_grants: 2 };
    assert_eq!(issuer.tally(), expected);
}

#[tokio::test]
async fn an_access_token_alone_is_given_back_alone() {
    let Some(issuer) = Issuer::start() else { return };
    let client = issuer.client(FORM);
    let credentials = issuer.credentials(&client, "anna").await;
    let access = Credentials::none().with("access_token", Secret::new(text(&credentials, "access_token")));
    assert!(is_active(&issuer, &credentials));
    client.revoke(&access).await.unwrap();
    assert!(!is_active(&issuer, &credentials));
    assert_eq!(issuer.me(&credentials).status, 401);
    let renewed = client.refresh(&credentials).await.unwrap().into_credentials(&credentials);
    assert!(is_active(&issuer, &renewed));
    assert_eq!(issuer.me(&renewed).status, 200);
}

/// What the server says of the access token to an app that asks (RFC 7662).
fn is_active(issuer: &Issuer, credentials: &Credentials) -> bool {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", FORM.id)
        .append_pair("client_secret", FORM.secret)
        .append_pair("token", text(credentials, "access_token"))
        .finish();
    let url = issuer.url().join("/token/introspection").unwrap();
    let reply = Probe::post_form(url.as_str(), &form).send().unwrap();
    reply.json().unwrap()["active"].as_bool().unwrap()
}

#[tokio::test]
async fn a_refresh_token_that_lay_too_long_is_refused_for_good() {
    let Some(issuer) = Issuer::start() else { return };
    let client = issuer.client(BASIC);
    let credentials = issuer.credentials(&client, "anna").await;
    issuer.advance(15 * 86_400);
    let error = client.refresh(&credentials).await.unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unauthorized, false), "{error}");
}
