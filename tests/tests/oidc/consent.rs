//! The way to the server and back, and what it makes of codes, proof keys and apps.

use lifehub_core::ErrorKind;
use lifehub_core::oauth::{Authorizations as _, MemoryAuthorizations, OAuthApp};
use lifehub_core::secret::{Credentials, Secret};

use crate::browser::{BACK, parameter, visit};
use crate::issuer::{BASIC, FORM, Issuer, LIFE, Registered, Tally, begin, finish};

#[tokio::test]
async fn a_user_connects_whichever_way_the_app_names_itself() {
    let Some(issuer) = Issuer::start() else { return };
    for (calls, app, login) in [(1, BASIC, "anna"), (2, FORM, "bert")] {
        let authorized = issuer.connect(&issuer.client(app), login).await;
        assert_eq!((authorized.connection, authorized.missing_scopes), (None, vec![]));
        let tokens = authorized.tokens;
        assert_eq!(tokens.scopes.as_deref().unwrap(), ["openid", "offline_access", "diary"]);
        assert_eq!(tokens.life.unwrap().as_secs(), LIFE);
        assert!(tokens.refresh_token.is_some());

        let me = issuer.me(&tokens.into_credentials(&Credentials::none()));
        assert_eq!((me.status, &me.json().unwrap()["sub"]), (200, &login.into()));
        let tally = issuer.tally();
        assert_eq!((tally.token_calls, tally.codes, tally.refused), (calls, calls, 0), "{app:?}");
    }
}

#[tokio::test]
async fn a_scope_that_the_user_keeps_is_missing() {
    let Some(issuer) = Issuer::start() else { return };
    let authorized = issuer.connect(&issuer.client(BASIC), "picky").await;
    assert_eq!(authorized.missing_scopes, ["diary"]);
    assert_eq!(authorized.tokens.scopes.unwrap(), ["openid", "offline_access"]);
}

#[tokio::test]
async fn an_app_that_names_itself_wrongly_is_told_so_and_costs_the_user_nothing() {
    let Some(issuer) = Issuer::start() else { return };
    let store = MemoryAuthorizations::default();
    for app in [BASIC, FORM] {
        let client = issuer.client(app);
        let page = begin(&client, &store).await;
        let query = visit(&page, "anna");
        let pending = store.take(&state(&query)).await.unwrap().unwrap();
        let code = Secret::new(parameter(&query, "code").unwrap());
        let wrong = [
            issuer.client(Registered { secret: "wrong", ..app }),
            issuer.client(Registered { id: "nobody", ..app }),
            issuer.client_with(&issuer.spec(app.auth), OAuthApp::new(app.id, None)),
        ];
        for (case, wrong) in wrong.iter().enumerate() {
            let error =
                wrong.exchange(&code, pending.verifier.as_ref(), &pending.redirect).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "case {case} of {app:?}: {error}");
        }
        let tokens = client.exchange(&code, pending.verifier.as_ref(), &pending.redirect).await.unwrap();
        let credentials = tokens.into_credentials(&Credentials::none());
        for (case, wrong) in wrong.iter().enumerate() {
            let kind = wrong.refresh(&credentials).await.unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Invalid, "case {case} of {app:?}");
            let kind = wrong.revoke(&credentials).await.unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Invalid, "case {case} of {app:?}");
        }
        client.refresh(&credentials).await.unwrap();
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_proof_key_alone() {
    let Some(issuer) = Issuer::start() else { return };
    let (client, store) = (issuer.client(BASIC), MemoryAuthorizations::default());
    let query = visit(&begin(&client, &store).await, "anna");
    let code = Secret::new(parameter(&query, "code").unwrap());
    let pending = store.take(&state(&query)).await.unwrap().unwrap();
    let own = pending.verifier.as_ref().unwrap();

    // Another user's proof key, as valid as the own one.
    let other = visit(&begin(&client, &store).await, "bert");
    let other = store.take(&state(&other)).await.unwrap().unwrap().verifier.unwrap();
    let elsewhere = format!("{BACK}/elsewhere").parse().unwrap();
    for (verifier, redirect) in
        [(Some(&other), &pending.redirect), (None, &pending.redirect), (Some(own), &elsewhere)]
    {
        let error = client.exchange(&code, verifier, redirect).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    }
    // Nothing but the proof key was wrong.
    let tokens = client.exchange(&code, Some(own), &pending.redirect).await.unwrap();
    let credentials = tokens.into_credentials(&Credentials::none());
    assert_eq!(issuer.me(&credentials).status, 200);
    let expected = Tally { token_calls: 4, codes: 1, refreshes: 0, refused: 3, revoked_grants: 0 };
    assert_eq!(issuer.tally(), expected);

    // A code that comes twice was stolen: its tokens die.
    let error = client.exchange(&code, Some(own), &pending.redirect).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert_eq!(issuer.tally().revoked_grants, 1);
    assert_eq!(issuer.me(&credentials).status, 401);
    assert_eq!(client.refresh(&credentials).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn without_a_proof_key_the_server_asks_no_user() {
    let Some(issuer) = Issuer::start() else { return };
    let client = issuer.client_with(&issuer.spec(BASIC.auth).without_pkce(), BASIC.app());
    let store = MemoryAuthorizations::default();
    let query = visit(&begin(&client, &store).await, "anna");
    assert_eq!(parameter(&query, "error").as_deref(), Some("invalid_request"));
    let error = finish(&client, &store, &query).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(issuer.tally().token_calls, 0);
}

fn state(query: &str) -> Secret {
    Secret::new(parameter(query, "state").unwrap())
}
