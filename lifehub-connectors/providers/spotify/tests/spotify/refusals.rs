//! What a 403 comes to, in each form that was seen.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use lifehub_core::clock::Timestamp;
use lifehub_core::connector::Connector;
use lifehub_core::error::{Error, ErrorKind, Extent};
use lifehub_core::http::Answer;
use lifehub_spotify::Spotify;

fn read(status: StatusCode, kind: &'static str, body: &str) -> Option<Error> {
    let mut answer = Answer::new(status, body.to_owned(), Timestamp::EPOCH);
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Spotify.classify().unwrap()(&answer)
}

#[track_caller]
fn check(kind: &'static str, body: &str, extent: Extent, says: &str) {
    let error = read(StatusCode::FORBIDDEN, kind, body).unwrap();
    assert_eq!((error.kind(), error.extent()), (ErrorKind::Forbidden, extent), "{body}");
    let hint = error.get_hint().unwrap();
    assert!(error.message().contains(says), "{body}: {error}");
    assert!(
        !hint.is_empty() && !format!("{error} {hint}").contains("Ann"),
        "nothing of the body: {error} {hint}"
    );
}

#[test]
fn a_user_whom_the_app_does_not_know_is_told_so_whatever_the_form() {
    let text = "text/plain; charset=utf-8";
    let unknown = "the Spotify app does not know this user";
    check(text, "User not registered in the Developer Dashboard", Extent::Connection, unknown);
    check("", "User not registered in the Developer Dashboard", Extent::Connection, unknown);
    check(text, "Check settings on the dashboard, Ann may not be registered.", Extent::Connection, unknown);
    let json = r#"{"error":{"status":403,"message":"Ann may not be registered in the app"}}"#;
    check("application/json", json, Extent::Connection, unknown);
}

#[test]
fn a_missing_scope_stops_its_stream() {
    let json = r#"{"error":{"status":403,"message":"Insufficient client scope"}}"#;
    check("application/json; charset=utf-8", json, Extent::Stream, "the consent does not include");
}

#[test]
fn what_is_not_theirs_stops_its_list() {
    let read_that = "does not let this app or this user read that";
    check(
        "application/json",
        r#"{"error":{"status":403,"message":"Forbidden"}}"#,
        Extent::Partition,
        read_that,
    );
    check("application/json", r#"{"error":{"status":403,"mess"#, Extent::Partition, read_that);
}

#[test]
fn everything_else_is_left_to_the_status() {
    assert!(read(StatusCode::FORBIDDEN, "text/html; charset=utf-8", "<html>blocked</html>").is_none());
    assert!(read(StatusCode::OK, "text/plain", "User not registered").is_none());
    for status in [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY] {
        assert!(read(status, "application/json", r#"{"error":{"message":"Forbidden scope"}}"#).is_none());
    }
}
