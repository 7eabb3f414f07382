//! The inbox of a connection: what its provider told by webhook and no run has taken yet.

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::engine::storage::Lease;
use crate::error::Result;
use crate::page::Item;
use crate::record::ConnectionId;

/// So many pieces of news wait for one connection at most. A further one makes all of them give way to a mark for each
/// of their streams. Nothing is lost by that: the next pass finds what changed, a full one whatever is older.
pub const MOST_NEWS: usize = 10_000;

/// A piece of news of a stream, on its way into inboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamNews {
    /// The stream's name.
    pub stream: String,
    /// What it is.
    pub what: StreamNewsKind,
}

/// What a piece of news is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamNewsKind {
    /// Something in the stream changed: a mark. One waits for a stream at most, the latest.
    Changed,
    /// An item, or the news that it is gone.
    Item {
        /// The partition's id.
        partition: String,
        /// The item.
        item: Item,
    },
}

/// An item that waits in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Rises with each piece of news in the whole store, and is never given twice.
    pub seq: u64,
    /// When it was delivered: the moment at which it counts as observed.
    pub observed: Timestamp,
    /// The partition's id.
    pub partition: String,
    /// The item.
    pub item: Item,
}

/// A stream for which news waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The stream's name.
    pub stream: String,
    /// The number of its latest piece of news.
    pub last: u64,
}

/// News by webhook, until a run has taken it.
///
/// Items leave with the commit that takes them ([`Batch::taken`](super::Batch::taken)), marks when a run that began
/// after them is done with their stream ([`Inbox::forget`]). When a user ends a connection, its inbox goes.
///
/// A store that schedules counts a connection with news as due since that came, as far as it is of streams whose
/// [latest run](super::RunEntry::dues) [came to its end](super::Dues::wakes); a stream that failed keeps its back-off.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Puts news into the inbox of every connection to that account which its user did not end, in one transaction, and
    /// durably: a provider that was told that it arrived does not send it again. Says which these are; none if the
    /// account is nobody's, and nothing is stored then. See [`MOST_NEWS`].
    ///
    /// # Errors
    /// If the store fails. Nothing is stored then.
    async fn deliver(
        &self,
        provider: &str,
        account: &str,
        observed: Timestamp,
        news: &[StreamNews],
    ) -> Result<Vec<ConnectionId>>;

    /// The streams of a connection for which news waits, in any order.
    ///
    /// # Errors
    /// If the store fails.
    async fn waiting(&self, connection: ConnectionId) -> Result<Vec<Waiting>>;

    /// The items of a stream that wait, by rising numbers, after this one.
    ///
    /// # Errors
    /// If the store fails.
    async fn arrivals(
        &self,
        connection: ConnectionId,
        stream: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arrival>>;

    /// Forgets what waits of a stream, up to this number, while the lease holds.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::ErrorKind::LeaseLost) if it does not; if the store fails. Nothing changes then.
    async fn forget(&self, lease: &Lease, stream: &str, up_to: u64) -> Result<()>;
}
