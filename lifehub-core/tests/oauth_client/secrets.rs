//! No secret is shown, whatever is printed and however it fails.

use std::fmt::Debug;

use lifehub_core::oauth::{Authorizations, Callback};
use lifehub_core::secret::Secret;
use lifehub_testkit::oauth::AuthorizationServer;
use lifehub_testkit::{Fault, FaultPlan, SimResponse};
use serde_json::json;

use crate::app::{App, SPEC, credentials, error, serve, start, who};

/// Codes, tokens, the app's secret, the session and the way back bear this.
const CANARY: &str = "canary";

fn canaries() -> App {
    serve(AuthorizationServer::new(CANARY, 7), |rules| rules.client_secret = Some("canary-secret".to_owned()))
}

#[track_caller]
fn silent(value: &impl Debug, secrets: &[&str]) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        for secret in secrets.iter().chain(&[CANARY]) {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let app = canaries();
    let client = app.client(&SPEC);
    let session = "canary-session";
    let redirect: url::Url = "http://127.0.0.1:8080/back?from=sim&key=canary".parse().unwrap();
    let begin = || lifehub_core::oauth::Start { session, redirect: redirect.clone(), ..start() };
    silent(&begin(), &[]);
    silent(&client, &[]);
    silent(&app.registered(), &[]);
    let page = client.begin(&app.store, begin()).await.unwrap();
    silent(&app.store, &[]);
    let state = page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let pending = app.store.take(&Secret::new(state.as_str())).await.unwrap().unwrap();
    let verifier = pending.verifier.clone().unwrap();
    silent(&pending, &[&state, verifier.expose(), "key="]);
    app.store.put(&Secret::new(state.as_str()), pending).await.unwrap();
    let back = app.visit(&page);
    let callback =
        Callback::from_query(&format!("{back}&scope=canary&iss=https%3A%2F%2Fprovider.test")).unwrap();
    silent(&callback, &[&state]);
    let who = lifehub_core::oauth::Who { session, ..who() };
    silent(&who, &[]);
    silent(&client.finish(&app.store, callback, who).await.unwrap(), &[&state]);
}

#[tokio::test]
async fn no_error_holds_a_secret_or_a_provider_s_text() {
    let app = canaries();
    let client = app.client(&SPEC);
    // On the way back.
    for query in ["state=canary&state=canary", "state=canary&code=canary", "code=canary&error=canary"] {
        silent(&error(app.finish(&client, query).await), &[]);
    }
    let back = app.visit(&app.begin(&client).await);
    silent(&error(app.finish(&client, &format!("{back}&iss=canary")).await), &[]);
    let back = app.visit(&app.begin(&client).await);
    silent(&error(app.finish(&client, &format!("{back}&error=canary")).await), &[]);
    // In answers.
    let held = credentials("canary-a", Some("canary-r"));
    let echo = json!({ "error": "canary", "error_description": "canary", "access_token": "canary" });
    let mut answers = Vec::new();
    for status in [200, 302, 400, 401, 403, 429, 500] {
        answers.push(SimResponse::json(status, &echo).header("location", "https://x.test/canary?canary"));
        answers.push(SimResponse::json_text(status, "canary{").header("retry-after", "canary"));
        answers.push(SimResponse::json(status, &json!({ "error": "invalid_grant", "x": "canary" })));
    }
    answers.push(SimResponse::json(200, &json!({ "access_token": ["canary"] })));
    answers
        .push(SimResponse::json(200, &json!({ "refresh_token": "canary" })).header("content-type", "canary"));
    for answer in answers {
        app.answer(answer.clone());
        silent(&error(client.refresh(&held).await), &[]);
        app.answer(answer);
        if let Err(error) = client.revoke(&held).await {
            silent(&error, &[]);
        }
    }
    // On the wire.
    for fault in
        Fault::EACH.into_iter().chain([Fault::Echo]).filter(|fault| !matches!(fault, Fault::Delay(_)))
    {
        app.server.set_faults(FaultPlan::none().from(1, fault));
        silent(&error(client.refresh(&held).await), &["sample-client"]);
    }
    // In addresses.
    let mut registered = app.registered();
    registered.token_url = Some(app.url("/token?key=canary"));
    let transport = std::sync::Arc::new(lifehub_core::http::ReqwestTransport::local().unwrap());
    let client =
        lifehub_core::oauth::OAuthClient::new(&SPEC, registered, transport, app.clock.clone()).unwrap();
    silent(&client, &[]);
    silent(&error(client.refresh(&held).await), &[]);
}
