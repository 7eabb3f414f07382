//! A provider in memory, made for the rules: entries on a shelf, listed newest first over numbered pages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Timestamp;
use lifehub_core::connector::{
    Absence, Auth, Connector, Context, Identity, Manifest, StreamSpec, SyncMode, Terms, WebhookDelivery,
    WebhookKeys, WebhookOutcome, no_settings,
};
use lifehub_core::normalize::Reject;
use lifehub_core::page::{
    Coverage, Cursor, Item, ItemKey, Next, Page, Partition, Pass, PassKind, Place, RawItem, RawJson,
};
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Moment, Record, When};
use lifehub_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::json;

/// One entry of the provider.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) id: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) title: String,
    pub(crate) version: Option<u64>,
    /// Changes the body, but no record.
    pub(crate) likes: u32,
    /// The normalizer of version 1 does not take it.
    pub(crate) odd: bool,
}

impl Entry {
    pub(crate) fn new(id: impl ToString, at: Timestamp) -> Self {
        let id = id.to_string();
        Self { title: format!("entry {id}"), id: Some(id), at, version: None, likes: 0, odd: false }
    }

    pub(crate) fn item(&self) -> Item {
        let body = json!({
            "id": self.id, "at": self.at, "title": self.title, "version": self.version,
            "likes": self.likes, "odd": self.odd,
        });
        let body = RawJson::new(body.to_string()).unwrap();
        Item::read(body, |entry| {
            let key = ItemKey::new(entry.id("id")?).at(entry.maybe("at"));
            Ok(key.version(entry.get::<u64>("version")?))
        })
    }
}

/// What happens instead of, or before, a fetch.
pub(crate) type Hook = Box<dyn FnMut(&mut World, Fetch) -> Option<Result<Page>> + Send>;

/// A fetch as the provider sees it.
#[derive(Debug, Clone)]
pub(crate) struct Fetch {
    pub(crate) pass: Pass,
    pub(crate) page: u32,
    /// What of the cursor is not the page number.
    pub(crate) from_anchor: bool,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) entries: Vec<Entry>,
    pub(crate) fetches: Vec<Fetch>,
    pub(crate) hook: Option<Hook>,
    /// Answers that come before the world is asked.
    pub(crate) script: VecDeque<Result<Page>>,
    /// What the next deliveries are; none is left: a delivery that is not the provider's.
    pub(crate) deliveries: VecDeque<WebhookOutcome>,
}

/// How the stream is declared.
#[derive(Clone)]
pub(crate) struct Style {
    pub(crate) page_size: usize,
    pub(crate) absence: Absence,
    pub(crate) sync: SyncMode,
    pub(crate) lookback: Duration,
    pub(crate) full_every: Duration,
    pub(crate) version: u32,
    pub(crate) covers: bool,
    pub(crate) scopes: &'static [&'static str],
    /// Each holds all entries.
    pub(crate) streams: &'static [&'static str],
    pub(crate) partitions: &'static [&'static str],
}

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

impl Default for Style {
    fn default() -> Self {
        Self {
            page_size: 10,
            absence: Absence::MeansGone,
            sync: SyncMode::Incremental,
            lookback: 30 * DAY,
            full_every: 7 * DAY,
            version: 1,
            covers: true,
            scopes: &[],
            streams: &["entries"],
            partitions: &[""],
        }
    }
}

/// The connector. Clones share the world.
#[derive(Clone)]
pub(crate) struct Shelf {
    world: Arc<Mutex<World>>,
    style: Style,
    manifest: Manifest,
}

#[derive(serde::Serialize, Deserialize)]
struct At {
    page: u32,
    anchor: bool,
}

impl Shelf {
    pub(crate) fn new(entries: Vec<Entry>, style: Style) -> Self {
        let world = Arc::new(Mutex::new(World { entries, ..World::default() }));
        Self { world, manifest: manifest(&style), style }
    }

    /// The same provider, read by another version of the connector.
    pub(crate) fn styled(&self, style: Style) -> Self {
        Self { world: self.world.clone(), manifest: manifest(&style), style }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn hook(&self, hook: impl FnMut(&mut World, Fetch) -> Option<Result<Page>> + Send + 'static) {
        self.world().hook = Some(Box::new(hook));
    }

    pub(crate) fn edit(&self, id: impl ToString, edit: impl FnOnce(&mut Entry)) {
        let id = id.to_string();
        edit(self.world().entries.iter_mut().find(|e| e.id.as_ref() == Some(&id)).unwrap());
    }

    pub(crate) fn remove(&self, id: impl ToString) {
        let id = id.to_string();
        self.world().entries.retain(|e| e.id.as_ref() != Some(&id));
    }
}

fn manifest(style: &Style) -> Manifest {
    Manifest {
        id: "shelf",
        title: "Shelf",
        about: "A provider in memory",
        docs: "https://shelf.example/docs",
        base_url: "https://shelf.example",
        origins: &[],
        auth: Auth::none(),
        quotas: vec![],
        streams: style.streams.iter().map(|name| stream(name, style)).collect(),
        settings: no_settings(),
        terms: Terms::owners_choice("https://shelf.example/terms"),
    }
}

fn stream(name: &'static str, style: &Style) -> StreamSpec {
    let version = style.version;
    StreamSpec {
        name,
        title: "Entries",
        datasets: &["workout"],
        normalizer: Arc::new(move |item: &RawItem| normalize(item, version)),
        version,
        sync: style.sync,
        absence: style.absence,
        lookback: style.lookback,
        interval: DAY,
        full_every: style.full_every,
        scopes: style.scopes,
    }
}

fn normalize(item: &RawItem, version: u32) -> Result<Vec<Record>, Reject> {
    #[derive(Deserialize)]
    struct Body {
        at: Timestamp,
        title: String,
        odd: bool,
    }
    let body: Body = item.body.read()?;
    if body.odd && version == 1 {
        return Err(Reject::new("it is odd"));
    }
    let workout = Workout { sport: "Shelf".into(), name: Some(body.title), ..Workout::default() };
    Ok(vec![Record::new(When::At(Moment::utc(body.at)), &workout)?])
}

pub(crate) fn page(items: Vec<Item>, next: Next) -> Page {
    Page { items, next }
}

/// A page of these entries after which another one follows, or the end that covers this.
pub(crate) fn page_of(entries: &[Entry], next: std::result::Result<u32, Coverage>) -> Page {
    let items = entries.iter().map(Entry::item).collect();
    let next = match next {
        Ok(page) => Next::More(Cursor::new(&At { page, anchor: false }).unwrap()),
        Err(covers) => Next::CaughtUp { cursor: Cursor::new(&At { page: 1, anchor: true }).unwrap(), covers },
    };
    Page { items, next }
}

#[async_trait]
impl Connector for Shelf {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, _: &Context<'_>) -> Result<Identity> {
        Ok(Identity { account: "1".into(), title: None })
    }

    async fn partitions(&self, _: &Context<'_>, _: &str) -> Result<Vec<Partition>> {
        Ok(self.style.partitions.iter().map(|id| Partition::new(*id)).collect())
    }

    fn receive(&self, keys: &WebhookKeys, _: &WebhookDelivery) -> Result<WebhookOutcome> {
        assert!(!keys.token_is(""));
        let delivery = self.world().deliveries.pop_front();
        delivery.ok_or_else(|| Error::new(ErrorKind::Unauthorized, "the signature is wrong"))
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        assert!(self.style.streams.contains(&at.stream) && self.style.partitions.contains(&at.partition));
        let place = cursor.map_or(Ok(At { page: 1, anchor: false }), Cursor::read)?;
        let fetch = Fetch { pass: cx.pass().clone(), page: place.page, from_anchor: place.anchor };
        let mut guard = self.world();
        let world = &mut *guard;
        world.fetches.push(fetch.clone());
        if let Some(answer) = world.script.pop_front() {
            return answer;
        }
        if let Some(mut hook) = world.hook.take() {
            let answer = hook(world, fetch);
            world.hook.get_or_insert(hook);
            if let Some(answer) = answer {
                return answer;
            }
        }
        let from = cx.pass().from;
        let mut listed: Vec<&Entry> =
            world.entries.iter().filter(|e| from.is_none_or(|from| e.at >= from)).collect();
        listed.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
        let size = self.style.page_size;
        let start = (place.page as usize - 1) * size;
        let entries: Vec<Entry> = listed.iter().skip(start).take(size).map(|e| (*e).clone()).collect();
        let next = match (start + size < listed.len(), self.style.covers, from) {
            (true, ..) => Ok(place.page + 1),
            (_, false, _) => Err(Coverage::Nothing),
            (_, _, Some(from)) => Err(Coverage::Span { from, to: cx.pass().to }),
            _ => Err(Coverage::Whole),
        };
        Ok(page_of(&entries, next))
    }
}

/// The error of a refused cursor.
pub(crate) fn expired() -> Error {
    Error::new(ErrorKind::CursorExpired, "410 Gone")
}

pub(crate) fn is_live(fetch: &Fetch) -> bool {
    fetch.pass.kind == PassKind::Live
}
