//! What is made of Rize's refusals: answers composed by what is known of them, without a simulator.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use lifehub_core::clock::Timestamp;
use lifehub_core::connector::{Connector, Context, FileAccess, Identity};
use lifehub_core::error::Extent;
use lifehub_core::http::{Http, Request, Response, RetryPolicy, Transport};
use lifehub_core::page::{Pass, PassKind};
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_rize::Rize;
use serde_json::json;

/// Answers every request alike.
struct Canned(u16, &'static str);

#[async_trait]
impl Transport for Canned {
    async fn send(&self, _: Request) -> Result<Response> {
        Ok(Response::new(StatusCode::from_u16(self.0).unwrap(), self.1))
    }
}

async fn identify(status: u16, body: &'static str) -> Result<Identity> {
    let rize = Rize;
    let home = rize.manifest().base_url.parse().unwrap();
    let http = Http::builder(Arc::new(Canned(status, body)), home)
        .retry(RetryPolicy::never())
        .classify(rize.classify().unwrap())
        .build()
        .unwrap();
    let now = Timestamp::from_seconds(1_773_144_000);
    let pass = Pass { kind: PassKind::Full, from: None, to: now };
    let cx = Context::new(&http, &json!({}), &Credentials::none(), FileAccess::Denied, pass, now);
    rize.identify(&cx).await
}

async fn failed(status: u16, body: &'static str) -> Error {
    let error = identify(status, body).await.unwrap_err();
    assert!(!format!("{error:?}").contains("k3y"), "nothing of the body is shown: {error:?}");
    error
}

#[tokio::test]
async fn errors_inside_are_no_answer_whatever_the_status() {
    let vendor = r#"{"errors":[{"message":"Variable $id of type ID! was provided invalid value: k3y"}]}"#;
    let partial =
        r#"{"data":{"currentUser":{"email":"a@example.com","name":null}},"errors":[{"message":"k3y"}]}"#;
    for (status, body) in [(200, vendor), (200, partial), (400, vendor), (422, vendor)] {
        let error = failed(status, body).await;
        assert_eq!(
            (error.kind(), error.is_temporary()),
            (ErrorKind::InvalidResponse, false),
            "{status} {body}"
        );
        assert!(error.get_hint().unwrap().contains("newer connector"), "{error:?}");
    }
    // An empty list is none.
    let good = r#"{"data":{"currentUser":{"email":"a@example.com","name":" "}},"errors":[]}"#;
    let identity = identify(200, good).await.unwrap();
    assert_eq!(
        (identity.account.as_str(), identity.title.as_deref()),
        ("a@example.com", Some("a@example.com"))
    );
    // Without a list of errors the status decides.
    assert_eq!(failed(400, r#"{"error":"k3y"}"#).await.kind(), ErrorKind::Invalid);
    assert_eq!(failed(500, vendor).await.kind(), ErrorKind::Unavailable);
    assert_eq!(failed(429, vendor).await.kind(), ErrorKind::Throttled);
}

#[tokio::test]
async fn keys_and_plans_are_told_apart_with_the_next_step() {
    // Whether a bad key is refused or answered with nobody is not documented.
    for (status, body) in
        [(401, r#"{"errors":[{"message":"k3y"}]}"#), (200, r#"{"data":{"currentUser":null}}"#)]
    {
        let error = failed(status, body).await;
        assert_eq!((error.kind(), error.extent()), (ErrorKind::Unauthorized, Extent::Connection));
        assert!(error.get_hint().unwrap().contains("Settings > API"), "{error:?}");
    }
    for status in [402, 403] {
        let error = failed(status, r#"{"errors":[{"message":"k3y"}]}"#).await;
        assert_eq!((error.kind(), error.extent()), (ErrorKind::Forbidden, Extent::Connection));
        assert!(error.get_hint().unwrap().contains("plan"), "{error:?}");
    }
}
