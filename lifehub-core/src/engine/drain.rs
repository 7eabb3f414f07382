//! Taking what waits in the inbox: each delivery is committed as a page, before the provider is asked for anything.

use crate::clock::Timestamp;
use crate::connector::StreamSpec;
use crate::engine::due::Came;
use crate::engine::inbox::{Arrival, Waiting};
use crate::engine::observed::Observed;
use crate::engine::run::{Change, Run};
use crate::engine::storage::{PartitionKey, Seen};
use crate::error::Result;

/// Items that are read at once, so that memory stays bounded.
const CHUNK: u32 = 64;

impl Run<'_> {
    /// Commits the items that waited for a stream when the run began. `false` if the run must end before the last.
    ///
    /// What comes meanwhile waits for the next run, so that a busy provider cannot keep this one from going on.
    pub(super) async fn drain(&mut self, spec: &StreamSpec) -> Result<bool> {
        let Some(last) = self.news_of(spec.name) else { return Ok(true) };
        let mut after = 0;
        loop {
            let store = self.tools.store;
            let mut arrivals = store.arrivals(self.tools.connection.id, spec.name, after, CHUNK).await?;
            arrivals.retain(|arrival| arrival.seq <= last);
            let Some(latest) = arrivals.last() else { return Ok(true) };
            after = latest.seq;
            for delivery in arrivals.chunk_by(|a, b| (a.observed, &a.partition) == (b.observed, &b.partition))
            {
                if !self.may_go_on() {
                    return Ok(false);
                }
                self.take(spec, delivery).await?;
            }
        }
    }

    /// Commits items of one partition that were delivered at one moment, and takes them out of the inbox.
    async fn take(&mut self, spec: &StreamSpec, delivery: &[Arrival]) -> Result<()> {
        let Some(Arrival { seq, observed, partition, .. }) = delivery.last() else { return Ok(()) };
        let tools = self.tools;
        let key = PartitionKey {
            connection: tools.connection.id,
            stream: spec.name.into(),
            partition: partition.clone(),
        };
        let mut state = tools.store.resume(&key).await?;
        // They were seen when they came, not when they are taken: what a page brought meanwhile is newer. And what is
        // asked for from now on is newer still, whatever the clock says.
        state.observed = Some(state.observed.unwrap_or(Timestamp::EPOCH).max(*observed));
        let items = delivery.iter().map(|arrival| arrival.item.clone()).collect();
        let stamp = state.stamp();
        let differ = tools.differ(spec, &key);
        let diff = differ.page(Observed::all(items), *observed, state.generation, stamp).await?;
        let seen = stamp.map(|generation| Seen { items: diff.seen, generation, observed: *observed });
        let change =
            Change { puts: diff.puts, seen, counts: diff.counts, taken: Some(*seq), ..Change::default() };
        self.commit(&key, &state, change).await
    }

    /// After a stream's turn: what waited for it when the run began has been taken, or says nothing more than when the
    /// stream is due does now.
    pub(super) async fn forget(&self, stream: &str, came: Came) {
        if let (Came::ToItsEnd | Came::ToAWait(_), Some(last)) = (came, self.news_of(stream))
            && let Err(error) = self.tools.store.forget(self.tools.lease, stream, last).await
        {
            // It makes the stream due once more.
            tracing::warn!(stream, %error, "what was taken from the inbox could not be forgotten");
        }
    }

    /// The number of the latest news that waited for a stream when the run began.
    fn news_of(&self, stream: &str) -> Option<u64> {
        let waiting = self.tools.waiting.iter().find(|waiting| waiting.stream == stream);
        waiting.map(|Waiting { last, .. }| *last)
    }
}
