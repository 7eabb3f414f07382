//! Syncing what is due, by any number of workers: connections are claimed with a lease, and each is worked on by one.

mod worker;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::engine::{Connection, Lease};
use crate::error::Result;
use crate::record::ConnectionId;

pub use worker::{Worker, WorkerOptions};

/// What a scheduler asks of a store besides [`Storage`](crate::engine::Storage).
#[async_trait]
pub trait Schedule: Send + Sync {
    /// Claims connections of these providers that are due and that nobody works on, at most `limit`, those first that have been due the
    /// longest. A connection is due when the earliest stream of its [latest entry](crate::engine::RunEntry::dues) is; one
    /// without an entry, or connected anew since, at once. Those that their users ended never are.
    ///
    /// # Errors
    /// If the store fails.
    async fn claim_due(
        &self,
        providers: &[&str],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Connection, Lease)>>;

    /// The next moment after `now` at which a connection becomes due.
    ///
    /// # Errors
    /// If the store fails.
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>>;

    /// Connections of a provider whose credentials were last written before then, at most `limit`: their refresh
    /// tokens age. Those that are refused or ended are not among them.
    ///
    /// # Errors
    /// If the store fails.
    async fn idle(&self, provider: &str, before: Timestamp, limit: u32) -> Result<Vec<ConnectionId>>;
}
