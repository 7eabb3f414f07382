//! What is made of Open-Meteo's answers and of its refusals, and which settings are taken: answers composed by its
//! documentation, without a simulator.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, HeaderValue};
use lifehub_core::clock::{ManualClock, Rng, Timestamp};
use lifehub_core::connector::{Connector, Context, FileAccess};
use lifehub_core::http::{Http, Request, Response, RetryPolicy, Transport};
use lifehub_core::page::{Cursor, Item, Next, Page, Pass, PassKind, Place};
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_open_meteo::OpenMeteo;
use serde_json::{Value, json};

/// Answers every request alike.
struct Canned {
    status: u16,
    body: &'static str,
    seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Canned {
    async fn send(&self, request: Request) -> Result<Response> {
        self.seen.lock().unwrap().push(request.url.to_string());
        let status = http::StatusCode::from_u16(self.status).unwrap();
        let mut response = Response::new(status, self.body);
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        Ok(response)
    }
}

fn now() -> Timestamp {
    "2025-01-05T08:00:00Z".parse().unwrap()
}

fn settings() -> Value {
    json!({
        "latitude": 48.85, "longitude": 2.35, "place": "Made-up Quay", "timezone": "Europe/Paris",
        "start": "2025-01-01", "forecast_days": 2,
    })
}

/// A connection over one answer.
struct Desk {
    http: Http,
    transport: Arc<Canned>,
    settings: Value,
    from: Option<Timestamp>,
}

impl Desk {
    fn new(status: u16, body: &'static str, settings: Value) -> Self {
        let transport = Arc::new(Canned { status, body, seen: Mutex::default() });
        let home = OpenMeteo.manifest().base_url.parse().unwrap();
        let http = Http::builder(transport.clone(), home)
            .clock(Arc::new(ManualClock::at(now())))
            .rng(Arc::new(Rng::seeded(7)))
            .origins(vec!["https://archive-api.open-meteo.com".parse().unwrap()])
            .retry(RetryPolicy::never())
            .classify(OpenMeteo.classify().unwrap());
        Self { http: http.build().unwrap(), transport, settings, from: None }
    }

    fn context(&self) -> Context<'_> {
        let pass = Pass { kind: PassKind::Full, from: self.from, to: now() };
        Context::new(&self.http, &self.settings, &Credentials::none(), FileAccess::Denied, pass, now())
    }

    async fn page(&self, cursor: Option<&Cursor>) -> Result<Page> {
        let place = Place { stream: "daily", partition: "" };
        OpenMeteo.fetch_page(&self.context(), place, cursor).await
    }

    async fn identify(&self) -> Result<(String, Option<String>)> {
        let identity = OpenMeteo.identify(&self.context()).await?;
        Ok((identity.account, identity.title))
    }

    fn asked(&self) -> Vec<String> {
        self.transport.seen.lock().unwrap().clone()
    }
}

fn shown(page: Page) -> Vec<Value> {
    let items = page.items.into_iter().map(|item| {
        let Item::Put(put) = item else { panic!("every day has an id") };
        json!({ "id": put.id, "version": put.version, "body": put.body.read::<Value>().unwrap() })
    });
    items.collect()
}

#[tokio::test]
async fn columns_become_these_items() {
    let archive = Desk::new(200, include_str!("../fixtures/archive.json"), settings());
    let page = archive.page(None).await.unwrap();
    let Next::More(cursor) = page.next.clone() else { panic!("the forecast follows") };
    assert!(!cursor.as_str().contains("://"), "{cursor:?}");
    // The fourth day is not known yet, and the third is for the normalizer to refuse.
    insta::assert_json_snapshot!("archive", shown(page));

    // Which is from where the forecast goes on.
    let forecast = Desk::new(200, include_str!("../fixtures/forecast.json"), settings());
    let page = forecast.page(Some(&cursor)).await.unwrap();
    assert!(matches!(page.next, Next::CaughtUp { .. }));
    insta::assert_json_snapshot!("forecast", shown(page));
}

#[tokio::test]
async fn the_same_day_composes_the_same_bytes() {
    let body = include_str!("../fixtures/archive.json");
    let slower: &'static str = body.replace("0.34", "7.0021").replace("48.822495", "48.9").leak();
    let pages = [Desk::new(200, body, settings()), Desk::new(200, slower, settings())];
    let (first, second) = (pages[0].page(None).await.unwrap(), pages[1].page(None).await.unwrap());
    assert_eq!(first.items, second.items);
}

#[tokio::test]
async fn a_pass_begins_where_it_should() {
    let first = async |start: Option<&str>, from: Option<&str>| {
        let mut settings = settings();
        settings["start"] = json!(start);
        let mut desk = Desk::new(500, "", settings);
        desk.from = from.map(|from| from.parse().unwrap());
        let _ = desk.page(None).await;
        let asked = desk.asked().remove(0);
        asked.split('&').find_map(|pair| pair.strip_prefix("start_date=")).unwrap().to_owned()
    };
    assert_eq!(first(Some("1999-12-31"), None).await, "1999-12-31");
    assert_eq!(first(None, None).await, "2023-01-01", "two years back, from the first of the month");
    assert_eq!(first(Some("1999-12-31"), Some("2024-12-26T23:30:00Z")).await, "2024-12-27", "in Paris");
    assert_eq!(first(Some("2025-01-02"), Some("2024-12-26T08:00:00Z")).await, "2025-01-02");
    // Nothing is past: the forecast alone is asked.
    assert_eq!(first(Some("2025-01-05"), None).await, "2025-01-05");
    assert_eq!(first(Some("2031-01-01"), None).await, "2025-01-05");
}

#[tokio::test]
async fn a_place_and_a_dataset_are_the_account() {
    let answer = |days: &str| {
        let body: &'static str = include_str!("../fixtures/archive.json")
            .replace("\"2025-01-01\", \"2025-01-02\", \"2025-01-03\", \"2025-01-04\"", days)
            .leak();
        let mut body: Value = serde_json::from_str(body).unwrap();
        let columns = body["daily"].as_object_mut().unwrap();
        columns.values_mut().for_each(|column| column.as_array_mut().unwrap().truncate(1));
        &*body.to_string().leak()
    };
    let body = answer("\"2024-12-26\"");
    let check = async |changes: Value, account: &str| {
        let mut settings = settings();
        settings.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let desk = Desk::new(200, body, settings);
        assert_eq!(desk.identify().await.unwrap(), (account.to_owned(), Some("Made-up Quay".to_owned())));
        desk.asked().remove(0)
    };
    check(json!({}), "48.8500,2.3500/best_match").await;
    let asked =
        check(json!({ "latitude": -0.00001, "longitude": -179.999_96 }), "0.0000,-180.0000/best_match").await;
    assert!(
        asked.starts_with(
            "https://archive-api.open-meteo.com/v1/archive?latitude=0.0000&longitude=-180.0000&"
        )
    );
    check(json!({ "model": "era5" }), "48.8500,2.3500/era5").await;
}

async fn failed(status: u16, body: &'static str) -> Error {
    Desk::new(status, body, settings()).identify().await.unwrap_err()
}

#[tokio::test]
async fn refusals_name_the_setting_and_nothing_of_the_reason() {
    let check = async |body: &'static str, setting: &str| {
        let error = failed(400, body).await;
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Invalid, false), "{body}");
        assert!(error.message().contains(setting), "{body}: {error}");
        assert!(!format!("{error:?}").contains("k3y"), "{error:?}");
    };
    check(r#"{"error":true,"reason":"Invalid timezone"}"#, "`timezone`").await;
    let early =
        r#"{"error":true,"reason":"Parameter 'start_date' is out of allowed range from 1950-01-01 to k3y"}"#;
    check(early, "`start`").await;
    let model = r#"{"reason":"Data corrupted at path ''. Cannot initialize MultiDomains from invalid String value k3y.","error":true}"#;
    check(model, "`model`").await;
    check(r#"{"error":true,"reason":"No data is available for this location"}"#, "`model`").await;
    check(r#"{"error":true,"reason":"Latitude must be in range of -90 to 90°. Given: k3y."}"#, "`latitude`")
        .await;
    check(r#"{"error":true,"reason":"Longitude must be in range of -180 to 180°."}"#, "`longitude`").await;
    check(r#"{"error":true,"reason":"A new one: k3y"}"#, "does not accept the request").await;
    check("not even JSON, k3y", "does not accept the request").await;
}

#[tokio::test]
async fn limits_and_failures_are_told_apart() {
    let check = async |status: u16, body: &'static str, kind: ErrorKind, until: Option<&str>| {
        let error = failed(status, body).await;
        assert_eq!(error.kind(), kind, "{body}: {error:?}");
        let at = error.retry_at().map(|at| at.to_string());
        assert!(at.as_deref().unwrap_or("").starts_with(until.unwrap_or("")), "{body}: {at:?}");
    };
    let hourly =
        r#"{"error":true,"reason":"Hourly API request limit exceeded. Please try again in the next hour."}"#;
    check(429, hourly, ErrorKind::Parked, Some("2025-01-05T09:00")).await;
    let daily = r#"{"error":true,"reason":"Daily API request limit exceeded. Please try again tomorrow."}"#;
    check(429, daily, ErrorKind::Parked, Some("2025-01-06T00:00")).await;
    check(
        429,
        r#"{"error":true,"reason":"Too many concurrent requests"}"#,
        ErrorKind::Throttled,
        Some("2025-01-05T08:00:05"),
    )
    .await;
    check(429, r#"{"error":true,"reason":"A new one"}"#, ErrorKind::Throttled, None).await;
    check(500, r#"{"error":true,"reason":"Something went wrong."}"#, ErrorKind::Unavailable, None).await;
    check(404, r#"{"error":true,"reason":"Not Found"}"#, ErrorKind::NotFound, None).await;
    check(200, r#"{"error":true,"reason":"Something went wrong."}"#, ErrorKind::InvalidResponse, None).await;
    let broken =
        failed(200, r#"{"latitude":48.8,"daily":{"time":["2025-01Unexpected error while streaming data: x"#)
            .await;
    assert_eq!((broken.kind(), broken.is_temporary()), (ErrorKind::InvalidResponse, true));
}

#[test]
fn settings_are_checked_before_anything_is_asked() {
    let schema = OpenMeteo.manifest().settings;
    schema.check(&settings()).unwrap();
    schema.check(&json!({ "latitude": -90, "longitude": 180, "place": "x" })).unwrap();
    let refused = |name: &str, value: Value| {
        let mut settings = settings();
        settings[name] = value;
        schema.check(&settings).unwrap_err().to_string()
    };
    for (name, value, word) in [
        ("latitude", json!(90.00001), "the latitude lies outside of -90 to 90"),
        ("longitude", json!(-180.5), "the longitude lies outside of -180 to 180"),
        ("latitude", json!("north"), "f64"),
        ("place", json!("  "), "no name"),
        ("timezone", json!("Mars/Olympus"), "time zone"),
        ("start", json!("1939-12-31"), "1940-01-01"),
        ("start", json!("someday"), "no day like 2026-03-01"),
        ("forecast_days", json!(16), "at most 15"),
        ("apikey", json!("k3y"), "unknown field"),
    ] {
        let error = refused(name, value.clone());
        assert!(error.contains(word), "{name} {value}: {error}");
    }
    let pairs = [("latitude", "48.85"), ("longitude", "-2.35"), ("place", "12"), ("start", "2020-01-01")];
    assert_eq!(schema.from_pairs(pairs).unwrap()["place"], "12");
    assert!(schema.from_pairs([("latitude", "NaN"), ("longitude", "1"), ("place", "x")]).is_err());
}
