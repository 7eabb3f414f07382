//! What providers told by webhook, until a run takes it: with the data in the one file, so that a commit which takes an
//! item out of the inbox and stores it is one write.

use std::collections::BTreeSet;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{
    Arrival, Inbox, Lease, MOST_NEWS, PartitionKey, StreamNews, StreamNewsKind, Waiting,
};
use lifehub_core::page::{Item, RawItem, RawJson};
use lifehub_core::record::ConnectionId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::contents::{ConnectionRow, Contents};
use crate::item::raw;
use crate::{FileStore, unsound};

/// An account at a provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) provider: String,
    pub(crate) id: String,
}

/// A piece of news that waits.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct News {
    pub(crate) seq: u64,
    observed: Timestamp,
    stream: String,
    /// `None` is a mark: the stream changed.
    item: Option<Waits>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waits {
    partition: String,
    what: What,
}

#[derive(Clone, Serialize, Deserialize)]
enum What {
    Put { id: String, at: Option<Timestamp>, version: Option<u64>, body: Box<RawValue> },
    Gone { id: String, version: Option<u64> },
    Broken { body: Box<RawValue>, reason: String },
}

impl What {
    fn of(item: &Item) -> Result<Self> {
        Ok(match item.clone() {
            Item::Put(RawItem { id, at, version, body }) => {
                Self::Put { id, at, version, body: raw(body.as_str())? }
            }
            Item::Gone { id, version } => Self::Gone { id, version },
            Item::Broken { body, reason } => Self::Broken { body: raw(body.as_str())?, reason },
            _ => return Err(unsound("an item of a kind that this store does not know")),
        })
    }

    fn item(&self) -> Item {
        let text = |body: &RawValue| RawJson::from_store(body.get().as_bytes().to_vec());
        match self.clone() {
            Self::Put { id, at, version, body } => Item::Put(RawItem { id, at, version, body: text(&body) }),
            Self::Gone { id, version } => Item::Gone { id, version },
            Self::Broken { body, reason } => Item::Broken { body: text(&body), reason },
        }
    }
}

impl News {
    pub(crate) fn is_item_of(&self, partition: &PartitionKey) -> bool {
        let item = self.item.as_ref();
        self.stream == partition.stream && item.is_some_and(|item| item.partition == partition.partition)
    }
}

impl ConnectionRow {
    /// Adds news, or marks in their place if too much waits.
    fn arrive(&mut self, last: &mut u64, observed: Timestamp, news: &[StreamNews]) -> Result<()> {
        if self.inbox.len() + news.len() <= MOST_NEWS {
            return news.iter().try_for_each(|news| self.push(last, observed, news));
        }
        let waits = std::mem::take(&mut self.inbox).into_iter().map(|news| news.stream);
        let streams: BTreeSet<String> = waits.chain(news.iter().map(|news| news.stream.clone())).collect();
        let marks = streams.into_iter().map(|stream| StreamNews { stream, what: StreamNewsKind::Changed });
        marks.into_iter().try_for_each(|mark| self.push(last, observed, &mark))
    }

    fn push(&mut self, last: &mut u64, observed: Timestamp, news: &StreamNews) -> Result<()> {
        let item = match &news.what {
            StreamNewsKind::Item { partition, item } => {
                Some(Waits { partition: partition.clone(), what: What::of(item)? })
            }
            // The latest mark stands: a run that began before it may not forget it.
            StreamNewsKind::Changed => {
                self.inbox.retain(|other| other.item.is_some() || other.stream != news.stream);
                None
            }
        };
        *last += 1;
        self.inbox.push(News { seq: *last, observed, stream: news.stream.clone(), item });
        Ok(())
    }
}

fn deliver(
    contents: &mut Contents,
    account: &Account,
    observed: Timestamp,
    news: &[StreamNews],
) -> Result<Vec<ConnectionId>> {
    let Contents { connections, last_news, .. } = contents;
    let is_of_it = |row: &ConnectionRow| row.account.as_ref() == Some(account) && !row.ended;
    let mut reached = Vec::new();
    for (id, row) in connections.iter_mut().filter(|(_, row)| is_of_it(row)) {
        row.arrive(last_news, observed, news)?;
        reached.push(*id);
    }
    Ok(reached)
}

#[async_trait]
impl Inbox for FileStore {
    async fn deliver(
        &self,
        provider: &str,
        account: &str,
        observed: Timestamp,
        news: &[StreamNews],
    ) -> Result<Vec<ConnectionId>> {
        let account = Account { provider: provider.to_owned(), id: account.to_owned() };
        // Anybody may send what concerns nobody: that writes no file.
        if self.read().connections.values().all(|row| row.account.as_ref() != Some(&account)) {
            return Ok(Vec::new());
        }
        let news = news.to_vec();
        self.exclusively(move |turn| turn.change(|contents| deliver(contents, &account, observed, &news)))
            .await
    }

    async fn waiting(&self, connection: ConnectionId) -> Result<Vec<Waiting>> {
        let contents = self.read();
        let inbox = contents.connections.get(&connection).into_iter().flat_map(|row| &row.inbox);
        let mut waiting: Vec<Waiting> = Vec::new();
        for news in inbox {
            match waiting.iter_mut().find(|known| known.stream == news.stream) {
                Some(known) => known.last = news.seq,
                None => waiting.push(Waiting { stream: news.stream.clone(), last: news.seq }),
            }
        }
        Ok(waiting)
    }

    async fn arrivals(
        &self,
        connection: ConnectionId,
        stream: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arrival>> {
        let contents = self.read();
        let inbox = contents.connections.get(&connection).into_iter().flat_map(|row| &row.inbox);
        let items = inbox.filter(|news| news.stream == stream && news.seq > after).filter_map(|news| {
            let Waits { partition, what } = news.item.as_ref()?;
            let (seq, observed) = (news.seq, news.observed);
            Some(Arrival { seq, observed, partition: partition.clone(), item: what.item() })
        });
        Ok(items.take(limit as usize).collect())
    }

    async fn forget(&self, lease: &Lease, stream: &str, up_to: u64) -> Result<()> {
        let (lease, stream) = (lease.clone(), stream.to_owned());
        self.exclusively(move |turn| {
            turn.holds().renew(&lease)?;
            turn.change(|contents| {
                let row = contents.connections.entry(lease.connection).or_default();
                row.inbox.retain(|news| news.stream != stream || news.seq > up_to);
                Ok(())
            })
        })
        .await
    }
}
