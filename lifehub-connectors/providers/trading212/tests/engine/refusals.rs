//! Who is asked as whom, and what a person reads when Trading 212 refuses.

use std::sync::{Arc, Mutex};

use lifehub_core::ErrorKind;
use lifehub_core::engine::RunStatus;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Change, SimRequest, SimResponse, Simulator};
use lifehub_trading212::simulator::Trading212Simulator;
use serde_json::json;

use crate::rig::{ALL, Rig, small};

/// Remembers how it was asked.
struct Listening(Arc<Mutex<Vec<String>>>);

impl Simulator for Listening {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let authorization = request.header("authorization").unwrap_or_default().to_owned();
        self.0.lock().unwrap().push(authorization);
        SimResponse::json(200, &json!([]))
    }
}

#[tokio::test]
async fn requests_carry_key_and_secret_as_basic_auth() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let rig = Rig::behind(Trading212Simulator::seeded(&small("")), Listening(heard.clone()));
    rig.set_credentials(
        Credentials::none()
            .with("api_key", Secret::new("27181828ZkeyZ"))
            .with("api_secret", Secret::new("s3cret:with a colon")),
    );
    rig.sync(&["positions"]).await;
    // `27181828ZkeyZ:s3cret:with a colon`, as RFC 7617 wants it.
    assert_eq!(*heard.lock().unwrap(), ["Basic MjcxODE4Mjhaa2V5WjpzM2NyZXQ6d2l0aCBhIGNvbG9u"]);
}

#[tokio::test]
async fn the_account_is_known_by_its_number_and_currency() {
    let identity = Rig::new(&small("")).identify().await.unwrap();
    assert_eq!(identity.account, "40123456");
    assert_eq!(identity.title.as_deref(), Some("40123456 (EUR)"));
}

#[tokio::test]
async fn a_key_that_is_not_taken_any_more_is_one_clear_error_and_loses_nothing() {
    let rig = Rig::new(&small(""));
    rig.sync(&[]).await;
    let before = ALL.map(|stream| rig.stored(stream));
    rig.asked();
    rig.simulator.set_secret("another");
    let report = rig.run_full().await;
    let error = Rig::error(&report, "orders");
    assert_eq!(error.kind, ErrorKind::Unauthorized, "{error:?}");
    let hint = error.hint.as_deref().unwrap();
    assert!(hint.contains("key and secret") && hint.contains("demo.trading212.com"), "{hint}");
    assert_eq!(rig.asked().len(), 1, "the other streams are not asked for with the same key");
    assert_eq!(ALL.map(|stream| rig.stored(stream)), before);
    let refused = rig.identify().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_missing_permission_stops_its_stream_alone() {
    let scopes = ["history:orders", "history:dividends", "history:transactions", "account", "portfolio"];
    for (stream, scope) in ALL.into_iter().zip(scopes) {
        let rig = Rig::new(&small(""));
        rig.change(Change::Withhold(Some(scope.to_owned())));
        let report = rig.run(&[]).await;
        assert_eq!(Rig::failed(&report), [stream]);
        let error = Rig::error(&report, stream);
        assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
        assert!(error.hint.as_deref().unwrap().contains("permission"), "{error:?}");
        rig.equals_truth(&ALL.into_iter().filter(|other| *other != stream).collect::<Vec<_>>());
        rig.change(Change::Withhold(None));
        rig.sync(&[]).await;
        rig.equals_truth(&ALL);
    }
}

#[tokio::test]
async fn a_base_url_with_the_path_of_the_documentation_says_what_is_wrong() {
    let mut rig = Rig::new(&small(""));
    rig.operator["base_url"] = json!(format!("{}/api/v0", rig.server.url()));
    let report = rig.run(&["account"]).await;
    let error = Rig::error(&report, "account");
    assert_eq!((report.status, error.kind), (RunStatus::Failed, ErrorKind::NotFound));
    assert!(error.hint.as_deref().unwrap().contains("without a path"), "{error:?}");
}
