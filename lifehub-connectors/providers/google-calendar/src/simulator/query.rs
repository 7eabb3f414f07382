//! The parameters of a list, checked as Google checks them, and the page that they ask for.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::SimRequest;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::token::{Key, PageToken, Stand, SyncToken, fingerprint};

/// How lists answer: what tests may change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// At most so many items a page.
    pub(super) page: Option<usize>,
    /// Whether an empty page stands before each page.
    pub(super) gaps: bool,
    /// Whether last pages give a sync token.
    pub(super) sync_tokens: bool,
    /// Of the tokens that are good.
    pub(super) epoch: i64,
}

/// What a list may be asked with.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) known: &'static [&'static str],
    /// What must not go with a sync token.
    pub(super) bounds: &'static [&'static str],
    /// Items a page: by default, and at most.
    pub(super) size: (usize, usize),
}

/// A list that is asked for.
#[derive(Debug)]
pub(super) struct Query {
    manner: Manner,
    size: usize,
    list: i64,
    query: i64,
    page: Option<PageToken>,
    /// Since when changes are wanted.
    pub(super) since: Option<Stand>,
}

impl Query {
    /// Reads what all lists have in common. A parameter that is unknown is refused: Google may ignore it, but who sends
    /// one means something by it.
    pub(super) fn read(request: &SimRequest, form: &Form, manner: Manner) -> Result<Self, Refusal> {
        let common = ["maxResults", "pageToken", "syncToken"];
        let stranger = request
            .query
            .iter()
            .find(|(name, _)| !common.iter().chain(form.known).any(|known| known == name));
        if let Some((name, _)) = stranger {
            return Err(Refusal::parameter(name, "Unknown parameter"));
        }
        let (default, most) = form.size;
        let wanted = match request.query("maxResults").map(str::parse::<usize>) {
            None => default,
            Some(Ok(size)) if size > 0 => size.min(most),
            Some(_) => return Err(Refusal::parameter("maxResults", "Invalid value")),
        };
        let size = wanted.min(manner.page.unwrap_or(usize::MAX)).max(1);
        let list = fingerprint(request, |name| name == "singleEvents");
        // The page must be of the same query, however long.
        let query = fingerprint(request, |name| !["maxResults", "pageToken"].contains(&name));

        let since = request.query("syncToken").map(|text| {
            if let Some(bound) = form.bounds.iter().find(|bound| request.query(bound).is_some()) {
                return Err(Refusal::parameter(bound, "Cannot be combined with a sync token"));
            }
            let token = SyncToken::read(text).filter(|token| token.list == list);
            let token = token.ok_or_else(|| Refusal::parameter("syncToken", "Invalid sync token value."))?;
            if token.epoch == manner.epoch { Ok(token.stand) } else { Err(Refusal::full_sync_required()) }
        });
        let page = request.query("pageToken").map(|text| {
            let token =
                PageToken::read(text).filter(|token| token.query == query && token.epoch == manner.epoch);
            token.ok_or_else(|| Refusal::parameter("pageToken", "Invalid page token value."))
        });
        Ok(Self { manner, size, list, query, since: since.transpose()?, page: page.transpose()? })
    }

    /// Cuts the page out of the items, and tells what comes after it. `now` is how the collection stands.
    pub(super) fn cut<T>(&self, mut items: Vec<(Key, T)>, now: Stand, synced: bool) -> Page<T> {
        let Self { manner, page, .. } = self;
        let (last, gap) = page.map_or((None, false), |page| (page.last, page.gap));
        let stand = page.map_or(now, |page| page.stand);
        let token = |gap, last| PageToken { epoch: manner.epoch, query: self.query, stand, gap, last }.text();
        if manner.gaps && !gap {
            return Page { items: Vec::new(), next: ("nextPageToken", Some(token(true, last))) };
        }
        items.retain(|(key, _)| last.is_none_or(|last| *key > last));
        items.sort_by_key(|(key, _)| *key);
        let more = items.len() > self.size;
        items.truncate(self.size);
        let next = match items.last() {
            Some((key, _)) if more => ("nextPageToken", Some(token(false, Some(*key)))),
            _ => {
                // What changes while a client walks is told by the token of the end: it counts from the beginning.
                let token = SyncToken { epoch: manner.epoch, list: self.list, stand };
                ("nextSyncToken", (synced && manner.sync_tokens).then(|| token.text()))
            }
        };
        Page { items: items.into_iter().map(|(_, item)| item).collect(), next }
    }
}

/// A page, and the member that leads on.
#[derive(Debug)]
pub(super) struct Page<T> {
    items: Vec<T>,
    next: (&'static str, Option<String>),
}

impl<T> Page<T> {
    /// An answer with the entries of this page besides its own members.
    pub(super) fn answer(&self, mut members: Value, show: impl Fn(&T) -> Value) -> Value {
        members["items"] = self.items.iter().map(show).collect();
        if let (name, Some(token)) = &self.next {
            members[*name] = json!(token);
        }
        members
    }
}

/// The instant in a parameter: RFC 3339, with an offset. Parts of a second are ignored.
pub(super) fn instant(request: &SimRequest, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match request.query(name).map(str::parse::<Timestamp>) {
        None => Ok(None),
        Some(Ok(at)) => Ok(Some(Timestamp::from_seconds(at.as_seconds()))),
        Some(Err(_)) => Err(Refusal::parameter(name, "Bad Request")),
    }
}
