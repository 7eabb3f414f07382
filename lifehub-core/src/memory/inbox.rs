//! What providers told by webhook, in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Inner, MemoryStore};
use crate::clock::Timestamp;
use crate::engine::{Arrival, Inbox, Lease, MOST_NEWS, PartitionKey, StreamNews, StreamNewsKind, Waiting};
use crate::error::Result;
use crate::record::ConnectionId;

/// A piece of news that waits.
pub(super) struct Row {
    connection: ConnectionId,
    seq: u64,
    observed: Timestamp,
    news: StreamNews,
}

impl Inner {
    /// Since when a connection is due because of its news.
    pub(super) fn woken_at(&self, connection: ConnectionId) -> Option<Timestamp> {
        let dues = &self.runs.get(&connection)?.dues;
        let news = self.inbox.iter().filter(|row| row.connection == connection);
        news.filter(|row| dues.wakes(&row.news.stream)).map(|row| row.observed).min()
    }

    /// Takes items of a partition out of the inbox.
    pub(super) fn take_news(&mut self, partition: &PartitionKey, up_to: u64) {
        self.inbox.retain(|row| {
            let is_of_it = row.connection == partition.connection && row.news.stream == partition.stream;
            let is_item = matches!(&row.news.what, StreamNewsKind::Item { partition: of, .. } if *of == partition.partition);
            !(is_of_it && is_item && row.seq <= up_to)
        });
    }

    fn put_news(&mut self, connection: ConnectionId, observed: Timestamp, news: StreamNews) {
        if news.what == StreamNewsKind::Changed {
            // The latest mark stands: a run that began before it may not forget it.
            self.inbox.retain(|row| row.connection != connection || row.news != news);
        }
        self.last_news += 1;
        self.inbox.push(Row { connection, seq: self.last_news, observed, news });
    }
}

#[async_trait]
impl Inbox for MemoryStore {
    async fn deliver(
        &self,
        provider: &str,
        account: &str,
        observed: Timestamp,
        news: &[StreamNews],
    ) -> Result<Vec<ConnectionId>> {
        let mut inner = self.lock();
        let all = inner.connections.values();
        let of_account =
            all.filter(|one| one.provider == provider && one.account.as_deref() == Some(account));
        let reached: Vec<ConnectionId> = of_account.map(|one| one.id).collect();
        for &connection in &reached {
            let waits = inner.inbox.iter().filter(|row| row.connection == connection);
            if waits.clone().count() + news.len() <= MOST_NEWS {
                news.iter().for_each(|news| inner.put_news(connection, observed, news.clone()));
                continue;
            }
            let streams: BTreeSet<String> =
                waits.map(|row| &row.news).chain(news).map(|news| news.stream.clone()).collect();
            inner.inbox.retain(|row| row.connection != connection);
            for stream in streams {
                let mark = StreamNews { stream, what: StreamNewsKind::Changed };
                inner.put_news(connection, observed, mark);
            }
        }
        Ok(reached)
    }

    async fn waiting(&self, connection: ConnectionId) -> Result<Vec<Waiting>> {
        let inner = self.lock();
        let mut waiting: Vec<Waiting> = Vec::new();
        for row in inner.inbox.iter().filter(|row| row.connection == connection) {
            match waiting.iter_mut().find(|known| known.stream == row.news.stream) {
                Some(known) => known.last = row.seq,
                None => waiting.push(Waiting { stream: row.news.stream.clone(), last: row.seq }),
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
        let inner = self.lock();
        let rows = inner
            .inbox
            .iter()
            .filter(|row| row.connection == connection && row.news.stream == stream && row.seq > after);
        let arrivals = rows.filter_map(|row| match &row.news.what {
            StreamNewsKind::Changed => None,
            StreamNewsKind::Item { partition, item } => Some(Arrival {
                seq: row.seq,
                observed: row.observed,
                partition: partition.clone(),
                item: item.clone(),
            }),
        });
        Ok(arrivals.take(limit as usize).collect())
    }

    async fn forget(&self, lease: &Lease, stream: &str, up_to: u64) -> Result<()> {
        let mut inner = self.lock();
        inner.check(lease)?;
        inner
            .inbox
            .retain(|row| row.connection != lease.connection || row.news.stream != stream || row.seq > up_to);
        Ok(())
    }
}
