//! Stores with one fault each: what becomes of news by webhook.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Arrival, Inbox, Lease, MOST_NEWS, StreamNews, Waiting};
use lifehub_core::page::Item;
use lifehub_core::record::ConnectionId;

use crate::store_flaws::{Flaw, Flawed};

#[async_trait]
impl Inbox for Flawed {
    async fn deliver(
        &self,
        provider: &str,
        account: &str,
        observed: Timestamp,
        news: &[StreamNews],
    ) -> Result<Vec<ConnectionId>> {
        let mut fits = news;
        if self.has(Flaw::DropsWhatDoesNotFit) {
            for connection in self.inner.deliver(provider, account, observed, &[]).await? {
                let mut waits = 0;
                for Waiting { stream, .. } in self.inner.waiting(connection).await? {
                    let items = self.inner.arrivals(connection, &stream, 0, u32::MAX).await?;
                    waits += items.len().max(1);
                }
                fits = &news[..news.len().min(MOST_NEWS - waits)];
            }
        }
        let mut reached = self.inner.deliver(provider, account, observed, fits).await?;
        if self.has(Flaw::TellsOne) {
            reached.truncate(1);
        }
        Ok(reached)
    }

    async fn waiting(&self, connection: ConnectionId) -> Result<Vec<Waiting>> {
        let mut waiting = self.inner.waiting(connection).await?;
        match self.flaw {
            Flaw::KeepsTheFirstMark => {
                let mut memory = self.memory();
                for one in &mut waiting {
                    one.last = *memory.marks.entry(one.stream.clone()).or_insert(one.last);
                }
            }
            Flaw::KeepsTheInbox if waiting.is_empty() => waiting = self.memory().waited.clone(),
            _ => {}
        }
        self.memory().waited = waiting.clone();
        Ok(waiting)
    }

    async fn arrivals(
        &self,
        connection: ConnectionId,
        stream: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arrival>> {
        let mut arrivals = self.inner.arrivals(connection, stream, after, limit).await?;
        if self.has(Flaw::DeliversToMemory) && self.is_reopened {
            arrivals.clear();
        }
        if self.has(Flaw::ForgetsVersions) {
            for arrival in &mut arrivals {
                match &mut arrival.item {
                    Item::Put(put) => put.version = None,
                    Item::Gone { version, .. } => *version = None,
                    _ => {}
                }
            }
        }
        Ok(arrivals)
    }

    async fn forget(&self, lease: &Lease, stream: &str, up_to: u64) -> Result<()> {
        let lease = if self.has(Flaw::ForgetsForAnybody) { self.newest(lease) } else { lease.clone() };
        self.inner.forget(&lease, stream, up_to).await
    }
}
