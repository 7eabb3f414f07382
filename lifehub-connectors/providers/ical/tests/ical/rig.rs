//! A feed that a test writes, served from memory, and what the connector makes of it.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lifehub_core::Result;
use lifehub_core::clock::{Clock as _, SystemClock, Timestamp, Zone};
use lifehub_core::connector::{Connector, Context, FileAccess};
use lifehub_core::http::{Http, Request, Response, RetryPolicy, Transport};
use lifehub_core::page::{Coverage, Cursor, Item, Next, Page, Pass, PassKind, Place, RawItem};
use lifehub_core::record::{Moment, Record};
use lifehub_core::secret::Credentials;
use lifehub_ical::Ical;
use serde_json::{Value, json};

pub(crate) const URL: &str = "https://calendar.example.org/feeds/secret-token/basic.ics?key=1";

/// The instant at which every test stands.
pub(crate) fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

/// What is served, and what was asked.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) requests: Vec<Request>,
}

/// A feed. Clones share everything.
#[derive(Clone, Default)]
pub(crate) struct Feed(Arc<Mutex<State>>);

impl Feed {
    pub(crate) fn new(body: impl Into<Vec<u8>>) -> Self {
        let feed = Self::default();
        *feed.state() = State { status: 200, body: body.into(), ..State::default() };
        feed
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn http(&self) -> Http {
        let base = "https://calendar.example.org".parse().unwrap();
        let http = Http::builder(Arc::new(self.clone()), base).retry(RetryPolicy::never());
        http.classify(Ical.classify().unwrap()).build().unwrap()
    }

    /// One page of a pass of that kind.
    pub(crate) async fn page(&self, kind: PassKind, at: Timestamp, cursor: Option<&Cursor>) -> Result<Page> {
        self.page_with(&json!({ "url": URL }), kind, at, cursor).await
    }

    pub(crate) async fn page_with(
        &self,
        settings: &Value,
        kind: PassKind,
        at: Timestamp,
        cursor: Option<&Cursor>,
    ) -> Result<Page> {
        let http = self.http();
        let pass = Pass { kind, from: None, to: at };
        let cx = Context::new(&http, settings, &Credentials::none(), FileAccess::Denied, pass, at);
        Ical.fetch_page(&cx, Place { stream: "events", partition: "" }, cursor).await
    }
}

#[async_trait]
impl Transport for Feed {
    async fn send(&self, request: Request) -> Result<Response> {
        let mut state = self.state();
        state.requests.push(request);
        let mut headers = HeaderMap::new();
        for (name, value) in &state.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let body = if state.status == 304 { Vec::new() } else { state.body.clone() };
        let status = StatusCode::from_u16(state.status).unwrap();
        Ok(Response { headers, ..Response::new(status, body) })
    }
}

/// A whole calendar around these lines.
pub(crate) fn calendar(lines: &str) -> String {
    let lines = lines.trim().replace('\n', "\r\n");
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Test\r\n{lines}\r\nEND:VCALENDAR\r\n")
}

/// A calendar of one event with these properties.
pub(crate) fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT\nUID:one@example.org\n{}\nEND:VEVENT", lines.trim()))
}

/// The page that a full pass over this text gives.
pub(crate) fn read(text: impl Into<Vec<u8>>) -> Result<Page> {
    block_on(Feed::new(text).page(PassKind::Full, now(), None))
}

/// Fails if it takes longer than so many seconds.
pub(crate) fn within<T>(seconds: u64, what: &str, run: impl FnOnce() -> T) -> T {
    let clock = SystemClock::default();
    let value = run();
    let taken = clock.monotonic();
    assert!(taken.as_secs() < seconds, "{what} took {taken:?}");
    value
}

#[expect(clippy::disallowed_types, reason = "a test has no task of a caller to stay in")]
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// The records of an item, or why there are none.
pub(crate) fn normalize(item: &RawItem) -> Result<Vec<Record>, String> {
    let ical = Ical;
    ical.manifest().streams[0].normalizer.normalize(item).map_err(|reject| reject.to_string())
}

/// The items of a page by their ids, with their records; gone and broken ones without.
pub(crate) fn items(page: &Page) -> Vec<(String, Result<Vec<Record>, String>)> {
    let item = |item: &Item| match item {
        Item::Put(raw) => (raw.id.clone(), normalize(raw)),
        Item::Gone { id, .. } => (id.clone(), Err("gone".into())),
        Item::Broken { reason, .. } => (String::new(), Err(reason.clone())),
        _ => unreachable!(),
    };
    page.items.iter().map(item).collect()
}

/// All records of a page: `start/end zone` or the day, and the title. In the order of time.
pub(crate) fn told(page: &Page) -> Vec<String> {
    let mut records: Vec<Record> = items(page).into_iter().flat_map(|(_, r)| r.unwrap_or_default()).collect();
    records.sort_by_key(|record| (record.when().sort_key(), record.body().to_owned()));
    records.iter().map(tell).collect()
}

pub(crate) fn tell(record: &Record) -> String {
    let body: Value = serde_json::from_str(record.body()).unwrap();
    let title = body["title"].as_str().unwrap_or("-");
    let when = record.when();
    match (when.start(), when.end()) {
        (Some(start), Some(end)) => {
            let zone = when.zone().map_or("-", Zone::name);
            format!("{}/{} {zone} {title}", start.to_rfc3339(), end.to_rfc3339())
        }
        _ => match body["last_day"].as_str() {
            Some(last) => format!("{}/{last} {title}", record.day(&Zone::utc())),
            None => format!("{} {title}", record.day(&Zone::utc())),
        },
    }
}

/// The starts of all records of a text: RFC 3339 or a day.
pub(crate) fn starts(text: &str) -> Vec<String> {
    let page = read(text).unwrap();
    let start = |record: &Record| record.when().start().map(Moment::to_rfc3339);
    let records = items(&page).into_iter().flat_map(|(_, records)| records.unwrap());
    records.map(|record| start(&record).unwrap_or_else(|| record.day(&Zone::utc()).to_string())).collect()
}

pub(crate) fn covers(page: &Page) -> Coverage {
    match page.next {
        Next::CaughtUp { covers, .. } => covers,
        Next::More(_) => unreachable!("a file is one page"),
    }
}

pub(crate) fn cursor(page: &Page) -> Cursor {
    match &page.next {
        Next::CaughtUp { cursor, .. } | Next::More(cursor) => cursor.clone(),
    }
}
