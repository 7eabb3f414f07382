//! A connector for the template's provider that is right in all but one thing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::connector::{Absence, Connector, Context, Identity, Manifest};
use lifehub_core::http::{Answer, Classify};
use lifehub_core::normalize::Fields;
use lifehub_core::normalize::Reject;
use lifehub_core::oauth::ClientAuth;
use lifehub_core::page::{Coverage, Cursor, Item, ItemKey, Next, Page, Place, RawItem, RawJson};
use lifehub_core::record::datasets::Focus;
use lifehub_core::record::{Moment, Record, When};
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_strava::Strava;
use new_connector::Timebook;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The one thing that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    UnknownDataset,
    Capitals,
    NumberedAccounts,
    LocalForUtc,
    TimeOfFetch,
    PageAhead,
    OnlyOnce,
    NewNameAgain,
    EndsWhereItEnded,
    NoLookback,
    HighWaterMark,
    CoversNothing,
    StrictlyAfter,
    OneWalkIsComplete,
    OwnDeletions,
    WaitsForNothing,
    NumbersOnly,
    ErrorIsTheEnd,
    PartIsTheWhole,
    ListMayBeAbsent,
    PageIsTheEnd,
    RefusalIsTheEnd,
    CursorIsInternal,
    Counter,
    AllInOne,
    LeavesOut,
    FailsWithTheFirst,
    NeedsTheFetch,
    CountsCalls,
    FallingVersions,
    OwnClient,
    AnswerInError,
    OneYear,
    EmptyIsTheEnd,
    ScopeIsCredentials,
    /// That of [`Misaddressed`].
    SecretMisplaced,
}

/// What outlives a process: a file of the connector's own, as it were. Each account begins with an empty one.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    met: Mutex<HashSet<String>>,
    counter: AtomicU64,
}

impl Outside {
    pub(crate) fn clear(&self) {
        self.met.lock().unwrap().clear();
    }

    fn count(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) struct Flawed {
    flaw: Flaw,
    manifest: Manifest,
    good: Timebook,
    outside: Arc<Outside>,
    /// What this process knows of cursors and items.
    memory: Arc<Mutex<BTreeMap<String, String>>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct At {
    path: Option<String>,
    /// The instant at which the last page ended, or up to which everything was seen.
    instant: Option<Timestamp>,
    nonce: u64,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
    #[serde(deserialize_with = "Option::deserialize")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Lenient<'a> {
    #[serde(borrow, default)]
    entries: Vec<&'a RawValue>,
    next: Option<String>,
}

/// Items, the path of the next page, and a link that leads elsewhere.
type Listed = (Vec<RawJson>, Option<String>, Option<String>);

impl Flawed {
    pub(crate) fn new(flaw: Flaw, outside: Arc<Outside>) -> Self {
        let good = Timebook;
        let mut manifest = good.manifest().clone();
        let memory: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        for stream in &mut manifest.streams {
            match flaw {
                Flaw::UnknownDataset => stream.datasets = &["attention"],
                Flaw::NoLookback => stream.lookback = Duration::ZERO,
                Flaw::OneWalkIsComplete => stream.absence = Absence::MeansGone,
                _ => {}
            }
            let (right, memory, outside) = (stream.normalizer.clone(), memory.clone(), outside.clone());
            let normalize = move |item: &RawItem| match flaw {
                Flaw::Capitals => titled(item, |title| title.to_uppercase()),
                Flaw::CountsCalls => titled(item, |title| format!("{title} ({})", outside.count())),
                Flaw::LocalForUtc => shifted(item),
                Flaw::NeedsTheFetch if !memory.lock().unwrap().contains_key(&item.id) => {
                    Err(Reject::new("the fetch did not say in which zone it was"))
                }
                _ => right.normalize(item),
            };
            stream.normalizer = Arc::new(normalize);
        }
        Self { flaw, manifest, good, outside, memory }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Sends the request of a place and reads its list.
    async fn read(&self, cx: &Context<'_>, at: &At) -> Result<Listed> {
        let mut since = cx.pass().from;
        if self.has(Flaw::HighWaterMark) {
            since = since.and(at.instant);
        }
        if self.has(Flaw::OneYear) {
            since = since.max(Some(cx.now() - Duration::from_secs(365 * 86_400)));
        }
        let call = match &at.path {
            Some(path) => cx.get(path),
            None => cx.get("/v1/entries").query_opt("since", since),
        };
        let lenient = self.has(Flaw::ListMayBeAbsent);
        let read = move |answer: &Answer| -> Result<Listed> {
            let (entries, next) = if lenient {
                answer.json::<Lenient<'_>>().map(|list| (list.entries, list.next))?
            } else {
                answer.json::<List<'_>>().map(|list| (list.entries, list.next))?
            };
            let items = entries.iter().map(|part| answer.raw(part)).collect();
            let path = next.as_deref().map(|link| answer.path_of(link)).transpose();
            match path {
                Ok(path) => Ok((items, path, None)),
                // Only one of the doubles looks at a link that leads elsewhere.
                Err(error) if error.kind() == ErrorKind::ForeignOrigin => Ok((items, None, next)),
                Err(error) => Err(error),
            }
        };
        let done = match self.flaw {
            Flaw::PartIsTheWhole => {
                let answer = call.send().await?;
                return Ok(read(&answer).unwrap_or_default());
            }
            Flaw::PageIsTheEnd => {
                let answer = call.send().await?;
                let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
                return if is_page { Ok(Listed::default()) } else { read(&answer) };
            }
            _ => call.parse(read).await,
        };
        match done {
            Err(error) if self.has(Flaw::ErrorIsTheEnd) && error.kind() == ErrorKind::Unavailable => {
                Ok(Listed::default())
            }
            Err(error) if self.has(Flaw::RefusalIsTheEnd) && error.kind() == ErrorKind::Unauthorized => {
                Ok(Listed::default())
            }
            done => done,
        }
    }

    fn item(&self, cx: &Context<'_>, body: RawJson) -> Item {
        let body = match self.flaw {
            Flaw::TimeOfFetch => with(&body, "fetched", json!(cx.now())),
            Flaw::Counter => with(&body, "nonce", json!(self.outside.count())),
            _ => body,
        };
        let key = |entry: &Fields<'_>| {
            let name = entry.need::<i64>("id")?.to_string();
            let mut met = self.outside.met.lock().unwrap();
            let is_new = met.insert(name.clone());
            let name = if !is_new && self.has(Flaw::NewNameAgain) { format!("{name}-again") } else { name };
            self.memory.lock().unwrap().insert(name.clone(), String::new());
            let version = entry.maybe::<u64>("version");
            let version = match self.flaw {
                Flaw::FallingVersions => version.map(|version| 1_000 - version),
                _ => version,
            };
            Ok(ItemKey::new(name).at(entry.maybe("started_at")).version(version))
        };
        Item::read(body, key)
    }
}

#[async_trait]
impl Connector for Flawed {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let identity = self.good.identify(cx).await?;
        Ok(match self.flaw {
            Flaw::NumberedAccounts => Identity { account: self.outside.count().to_string(), ..identity },
            _ => identity,
        })
    }

    async fn fetch_page(&self, cx: &Context<'_>, _: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        let mut at = match cursor.map_or(Ok(At::default()), Cursor::read) {
            Err(_) if self.has(Flaw::CursorIsInternal) => {
                return Err(Error::new(ErrorKind::Internal, "the cursor cannot be read"));
            }
            at => at?,
        };
        if self.has(Flaw::PageAhead)
            && let Some(path) =
                at.path.as_ref().and_then(|path| self.memory.lock().unwrap().get(path).cloned())
        {
            at.path = Some(path);
        }
        let (mut bodies, mut next, foreign) = self.read(cx, &at).await?;
        if self.has(Flaw::EmptyIsTheEnd) && bodies.is_empty() {
            next = None;
        }
        while self.has(Flaw::AllInOne)
            && let Some(path) = next.take()
        {
            let place = At { path: Some(path), ..At::default() };
            let (more, after, _) = self.read(cx, &place).await?;
            bodies.extend(more);
            next = after;
        }
        if let Some(link) = foreign {
            if self.has(Flaw::OwnClient) {
                fetch(&link);
            }
            return Err(Error::new(ErrorKind::ForeignOrigin, "the next link leads elsewhere"));
        }
        if self.has(Flaw::FailsWithTheFirst) {
            for body in &bodies {
                self.manifest.streams[0]
                    .normalizer
                    .normalize(&RawItem { id: "1".into(), at: None, version: None, body: body.clone() })
                    .map_err(|reject| Error::new(ErrorKind::InvalidResponse, reject.reason()))?;
            }
        }
        let before = self.outside.met.lock().unwrap().clone();
        let mut items: Vec<Item> = bodies.into_iter().map(|body| self.item(cx, body)).collect();
        items.retain(|item| match (self.flaw, item) {
            (Flaw::LeavesOut, Item::Broken { .. }) => false,
            (Flaw::OnlyOnce, Item::Put(put)) => !before.contains(&put.id),
            (Flaw::StrictlyAfter, Item::Put(put)) => at.instant.is_none() || put.at != at.instant,
            _ => true,
        });
        let instants = items.iter().filter_map(|item| match item {
            Item::Put(put) => put.at,
            _ => None,
        });
        let instant = match self.flaw {
            Flaw::HighWaterMark => instants.max().max(at.instant),
            Flaw::StrictlyAfter => instants.min().or(at.instant),
            _ => None,
        };
        if self.has(Flaw::OwnDeletions) {
            items.extend(self.missing(cx, &items, next.is_none(), at.path.is_none()));
        }
        Ok(Page { items, next: self.next(cx, at, next, instant)? })
    }

    fn classify(&self) -> Option<Classify> {
        match self.flaw {
            Flaw::WaitsForNothing => Some(|answer| {
                (answer.status == 429).then(|| Error::new(ErrorKind::Throttled, "again").at(answer.received))
            }),
            Flaw::NumbersOnly => Some(|answer| {
                let seconds = answer.header("retry-after").and_then(|text| text.parse().ok());
                let wait = Duration::from_secs(seconds.unwrap_or(0));
                (answer.status == 429)
                    .then(|| Error::new(ErrorKind::Throttled, "again").at(answer.received + wait))
            }),
            Flaw::ScopeIsCredentials => Some(|answer| {
                (answer.status == 403).then(|| Error::new(ErrorKind::Unauthorized, "connect it again"))
            }),
            Flaw::AnswerInError => Some(|answer| {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                answer.status.is_client_error().then(|| Error::new(ErrorKind::Invalid, text))
            }),
            _ => None,
        }
    }
}

impl Flawed {
    fn next(
        &self,
        cx: &Context<'_>,
        at: At,
        next: Option<String>,
        instant: Option<Timestamp>,
    ) -> Result<Next> {
        let nonce = if self.has(Flaw::Counter) { self.outside.count() } else { 0 };
        if let Some(path) = next {
            let shown = match self.flaw {
                Flaw::PageAhead => ahead(&path),
                _ => path.clone(),
            };
            self.memory.lock().unwrap().insert(shown.clone(), path);
            return Ok(Next::More(Cursor::new(&At { path: Some(shown), instant, nonce })?));
        }
        let covers = match (self.flaw, cx.pass().from) {
            (Flaw::CoversNothing | Flaw::EndsWhereItEnded, _) => Coverage::Nothing,
            (Flaw::HighWaterMark, Some(_)) => Coverage::Nothing,
            (_, Some(from)) => Coverage::Span { from, to: cx.pass().to },
            (_, None) => Coverage::Whole,
        };
        let path = at.path.filter(|_| self.has(Flaw::EndsWhereItEnded));
        let instant = instant.filter(|_| self.has(Flaw::HighWaterMark));
        Ok(Next::CaughtUp { cursor: Cursor::new(&At { path, instant, nonce: 0 })?, covers })
    }

    /// News of its own that items are gone: those that no page of a full walk had.
    fn missing(&self, cx: &Context<'_>, items: &[Item], is_last: bool, is_first: bool) -> Vec<Item> {
        let mut walk = self.memory.lock().unwrap();
        if is_first {
            walk.clear();
        }
        for item in items {
            if let Item::Put(put) = item {
                walk.insert(put.id.clone(), String::new());
            }
        }
        if !is_last || cx.pass().from.is_some() {
            return Vec::new();
        }
        let met = self.outside.met.lock().unwrap();
        let gone: BTreeSet<&String> = met.iter().filter(|id| !walk.contains_key(*id)).collect();
        gone.into_iter().map(|id| Item::Gone { id: id.clone(), version: None }).collect()
    }
}

/// A Strava that writes the app's secret into a header, where Strava does not look for it. The template's provider asks
/// nobody for consent.
pub(crate) struct Misaddressed {
    manifest: Manifest,
    good: Strava,
}

impl Default for Misaddressed {
    fn default() -> Self {
        let good = Strava;
        let mut manifest = good.manifest().clone();
        manifest.auth.oauth = manifest.auth.oauth.map(|spec| spec.client_auth(ClientAuth::Basic));
        Self { manifest, good }
    }
}

#[async_trait]
impl Connector for Misaddressed {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        self.good.identify(cx).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        self.good.fetch_page(cx, at, cursor).await
    }
}

/// The path of the page after.
fn ahead(path: &str) -> String {
    let parts: Vec<String> = path
        .split('&')
        .map(|part| {
            match part.rsplit_once("page=").and_then(|(front, page)| Some((front, page.parse::<u32>().ok()?)))
            {
                Some((front, page)) => format!("{front}page={}", page + 1),
                None => part.to_owned(),
            }
        })
        .collect();
    parts.join("&")
}

/// The body with one more member.
fn with(body: &RawJson, name: &str, value: Value) -> RawJson {
    let mut tree: Value = body.read().unwrap();
    tree[name] = value;
    RawJson::new(tree.to_string()).unwrap()
}

/// The records of an item under another title.
fn titled(item: &RawItem, title: impl Fn(&str) -> String) -> Result<Vec<Record>, Reject> {
    let entry: Value = item.body.read()?;
    let focus = Focus { title: entry["title"].as_str().map(title), ..Focus::default() };
    let start: Timestamp = entry["started_at"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Reject::new("start"))?;
    Ok(vec![Record::new(When::At(Moment::utc(start)), &focus)?])
}

/// The records of an item, its UTC time taken for the local one.
fn shifted(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let mut entry: Value = item.body.read()?;
    let zone: Zone = entry["zone"].as_str().unwrap_or("UTC").parse()?;
    let local = entry["started_at"].as_str().unwrap_or_default().trim_end_matches('Z').to_owned();
    entry["started_at"] = json!(zone.instant_of(&local)?);
    let body = RawJson::new(entry.to_string())?;
    Timebook.manifest().streams[0].normalizer.normalize(&RawItem { body, ..item.clone() })
}

/// Sends a GET with a client of its own.
fn fetch(link: &str) {
    let rest = link.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
}
