//! Building calls and reading answers.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use lifehub_core::ErrorKind;
use lifehub_core::error::Extent;
use lifehub_core::http::{Answer, Limits, Refused, Request, refused};
use lifehub_core::normalize::{Fields, Reject};

use crate::script::{Script, clock, error, json, start, status};

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn paths_are_appended_to_a_base_url_with_or_without_a_slash() {
    for (base, path, expected) in [
        ("https://api.test", "/x", "https://api.test/x"),
        ("https://api.test/", "x", "https://api.test/x"),
        ("http://127.0.0.1:9000/api/v3", "/x/y", "http://127.0.0.1:9000/api/v3/x/y"),
        ("http://127.0.0.1:9000/api/v3/", "/x?after=1", "http://127.0.0.1:9000/api/v3/x?after=1"),
        ("https://api.test/v3", "https://evil.test/x", "https://api.test/v3/https://evil.test/x"),
        ("https://api.test/v3", "//evil.test/x", "https://api.test/v3/evil.test/x"),
    ] {
        let script = Script::new(&clock(), [status(200)]);
        let http = lifehub_core::http::Http::builder(script.clone(), base.parse().unwrap());
        is_send(http.build().unwrap().get(path).send()).await.unwrap();
        assert_eq!(script.seen()[0].url.as_str(), expected);
    }
}

#[test]
fn a_client_knows_whether_an_operator_moved_it() {
    let check = |base: &str, asked: &str, expected: bool| {
        let script = Script::new(&clock(), [status(200)]);
        let http = lifehub_core::http::Http::builder(script, base.parse().unwrap()).build().unwrap();
        assert_eq!(http.is_at(asked), expected, "{base}, {asked}");
    };
    check("https://api.test", "https://api.test/", true);
    check("https://api.test/v3/", "https://api.test/v3", true);
    check("https://api.test/v3", "https://api.test", false);
    check("http://127.0.0.1:9000", "https://api.test", false);
    check("https://api.test:8443", "https://api.test", false);
    check("https://api.test", "no address", false);
}

#[tokio::test]
async fn segments_queries_headers_and_bodies_are_encoded() {
    let script = Script::new(&clock(), [json(200, "{}")]);
    let http = script.http().build().unwrap();
    let call = http.get("/calendars").segment("a b/../c?d#e@f").segment("events");
    call.query("q", "x&y=1").query_opt("none", None::<u8>).query_opt("some", Some(7)).send().await.unwrap();
    http.post("/form").form([("a", "1 2"), ("b", "&")]).header("x-version", 3).send().await.unwrap();
    http.graphql("/graphql", "{me}", &[1]).send().await.unwrap();

    let seen = script.seen();
    assert_eq!(
        seen[0].url.as_str(),
        "https://api.test/v3/calendars/a%20b%2F..%2Fc%3Fd%23e@f/events?q=x%26y%3D1&some=7"
    );
    assert_eq!(seen[1].body, "a=1+2&b=%26");
    assert_eq!(seen[1].headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(seen[1].headers["x-version"], "3");
    assert_eq!(seen[2].body, r#"{"query":"{me}","variables":[1]}"#);
    assert_eq!(seen[2].headers["content-type"], "application/json");
}

#[tokio::test]
async fn items_are_slices_of_the_body() {
    let script = Script::new(&clock(), [json(200, r#" [ {"id": 9007199254740993}, "x" , 1.10 ] "#)]);
    let answer = script.http().build().unwrap().get("/x").send().await.unwrap();
    let items = answer.items().unwrap();
    let texts: Vec<&str> = items.iter().map(|item| item.as_str()).collect();
    assert_eq!(texts, [r#"{"id": 9007199254740993}"#, r#""x""#, "1.10"]);
    let body = answer.body.as_ptr_range();
    assert!(items.iter().all(|item| body.contains(&item.as_bytes().as_ptr())), "nothing was copied");
}

#[tokio::test]
async fn an_answer_says_when_its_request_was_sent_not_when_it_waited() {
    let clock = clock();
    let latency = Duration::from_secs(3);
    let script = Script::slow(&clock, latency, [status(503).with("retry-after", "20"), json(200, "{}")]);
    let answer = script.http().build().unwrap().get("/x").send().await.unwrap();
    assert_eq!(answer.sent, script.seen()[1].at);
    assert_eq!(answer.received, answer.sent + latency);
    assert!(answer.sent >= start() + Duration::from_secs(23));
}

#[tokio::test]
async fn graphql_errors_are_errors_although_the_status_is_fine() {
    let check = async |body: &'static str, expected: Option<ErrorKind>| {
        let script = Script::new(&clock(), [json(200, body)]);
        let http = script.http().build().unwrap();
        let result = http.graphql("/graphql", "{me}", &()).json::<serde_json::Value>().await;
        assert_eq!(result.err().map(|e| e.kind()), expected, "{body}");
        assert_eq!(script.count(), 1);
    };
    check(r#"{"data":{"me":1}}"#, None).await;
    check(r#"{"data":{"me":1},"errors":[]}"#, None).await;
    check(r#"{"data":{"me":null},"errors":[{"message":"no"}]}"#, Some(ErrorKind::InvalidResponse)).await;
    check(r#"{"errors":[{"message":"no"}]}"#, Some(ErrorKind::InvalidResponse)).await;
}

#[tokio::test]
async fn a_not_modified_answer_is_an_answer() {
    let script = Script::new(&clock(), [status(304)]);
    let answer = script.http().build().unwrap().get("/feed").header("if-none-match", "\"a\"").send().await;
    assert_eq!(answer.unwrap().status, 304);
}

#[tokio::test]
async fn rule_8_bounded_bytes_of_an_answer() {
    let check = async |limit: usize, own: Option<usize>, expected: Option<ErrorKind>| {
        let script = Script::new(&clock(), [json(200, r#"{"ten":"a"}"#)]);
        let http = script.http().limits(Limits::new(Duration::from_secs(60), limit)).build().unwrap();
        let call = http.get("/x");
        let call = if let Some(own) = own { call.max_bytes(own) } else { call };
        assert_eq!(call.send().await.err().map(|e| e.kind()), expected);
        assert_eq!(script.count(), 1, "a larger limit is not a matter of trying again");
    };
    check(11, None, None).await;
    check(10, None, Some(ErrorKind::TooLarge)).await;
    check(11, Some(10), Some(ErrorKind::TooLarge)).await;
    check(10, Some(11), None).await;
}

#[tokio::test]
async fn an_answer_of_another_shape_is_reported_without_its_values() {
    #[derive(Debug, serde::Deserialize)]
    struct Shape {
        #[expect(dead_code, reason = "only its type matters")]
        weight: u32,
    }
    let script = Script::new(&clock(), [json(200, r#"{"weight":"88 kg"}"#)]);
    let failed = error(script.http().build().unwrap().get("/x").json::<Shape>().await);
    let text = format!("{failed:?}");
    assert!(!text.contains("88"), "{text}");
    assert!(text.contains("expected u32") && text.contains("format may have changed"), "{text}");
}

#[tokio::test]
async fn a_web_page_where_data_was_expected_hints_at_the_base_url() {
    let script = Script::new(&clock(), [json(200, "<!doctype html>").with("content-type", "text/html")]);
    let failed = error(script.http().build().unwrap().get("/x").json::<serde_json::Value>().await);
    assert!(failed.get_hint().unwrap().contains("base_url"), "{failed:?}");
}

#[test]
fn a_request_is_shown_without_query_address_or_long_key() {
    let check = |url: &str, expected: &str| {
        let request = Request::new(http::Method::GET, url.parse().unwrap());
        assert_eq!(format!("{request:?}"), expected);
    };
    check("https://a.test:8443/v3/x?key=s", "GET https://a.test:8443/v3/x");
    check("https://a.test/calendars/me@home.test/events", "GET https://a.test/calendars/…/events");
    check("https://a.test/calendars/me%40home.test/events", "GET https://a.test/calendars/…/events");
    check(
        "https://a.test/private-0123456789abcdef0123456789abcdef/basic.ics",
        "GET https://a.test/…/basic.ics",
    );
}

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_is_an_expired_cursor() {
    let asked = async |status: u16, token: Option<&str>| {
        let http = Script::new(&clock(), [json(status, "{}")]).http().build().unwrap();
        error(http.get("/list").token("page", token).send().await)
    };
    let expired = asked(400, Some("t")).await;
    assert_eq!(expired.kind(), ErrorKind::CursorExpired);
    assert!(expired.to_string().contains("status: 400") && expired.get_hint().is_some(), "{expired:?}");
    assert_eq!(asked(400, None).await.kind(), ErrorKind::Invalid, "the first page has no token to blame");
    for (status, kind) in [(401, ErrorKind::Unauthorized), (404, ErrorKind::NotFound)] {
        assert_eq!(asked(status, Some("t")).await.kind(), kind);
    }
}

#[tokio::test]
async fn what_an_answer_lacks_is_said_with_its_status() {
    let http = Script::new(&clock(), [json(200, r#"{"data":[],"page":{"next":7}}"#)]).http().build().unwrap();
    let lacks = async |read: fn(&Fields<'_>) -> Result<(), Reject>| {
        error(http.get("/list").parse(|answer| Ok(read(&answer.fields()?)?)).await).to_string()
    };
    let shape = "the answer has another shape than documented:";
    assert_eq!(
        lacks(|list| list.items("items").map(|_| ())).await,
        format!("{shape} `items` is missing (status: 200, bytes: 29, request: GET https://api.test/v3/list)")
    );
    assert_eq!(
        lacks(|list| list.inner("page")?.unwrap().nullable::<String>("next").map(|_| ())).await,
        format!(
            "{shape} `page.next`: invalid type: integer …, expected a string (status: 200, bytes: 29, request: GET https://api.test/v3/list)"
        )
    );
}

#[test]
fn a_table_of_refusals_is_read_by_status_word_and_time() {
    const REFUSED: &[Refused] = &[
        Refused::on(403, ErrorKind::Throttled, "spent")
            .or(429)
            .hint("wait")
            .if_one_of("error.code", &["quota", "7"])
            .until(|now| now + Duration::from_secs(60)),
        Refused::on(403, ErrorKind::Forbidden, "unscoped").if_says(&["title", "error.text"], "scope"),
        Refused::on(403, ErrorKind::Forbidden, "anything else").stops(Extent::Connection),
    ];
    let read = |status: u16, body: &'static str| {
        refused(&Answer::new(StatusCode::from_u16(status).unwrap(), body, start()), REFUSED)
    };
    for (status, body, text) in [
        (403, r#"{"error":{"code":"quota"}}"#, "spent (status: 403)"),
        (429, r#"{"error":{"code":7}}"#, "spent (status: 429)"),
        (403, r#"{"error":{"text":"lacks the Scope email"}}"#, "unscoped (status: 403)"),
        (403, r#"{"error":{"code":"other"}}"#, "anything else (status: 403)"),
        (403, "<html>", "anything else (status: 403)"),
    ] {
        assert_eq!(read(status, body).unwrap().to_string(), text, "{body}");
    }
    assert!(read(429, "{}").is_none() && read(500, r#"{"error":{"code":"quota"}}"#).is_none());
    let spent = read(403, r#"{"error":{"code":"quota"}}"#).unwrap();
    assert_eq!((spent.get_hint(), spent.retry_at()), (Some("wait"), Some(start() + Duration::from_secs(60))));
    assert_eq!(read(403, "{}").unwrap().extent(), Extent::Connection);

    let mut answer = Answer::new(StatusCode::FORBIDDEN, r#"{"error":{"code":"quota"}}"#, start());
    answer.headers.insert("retry-after", HeaderValue::from_static("5"));
    assert_eq!(refused(&answer, REFUSED).unwrap().retry_at(), None, "the provider names the time itself");
}
