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
    /// Claims connections of these providers that are due and that nobody works on, at most `limit`: of each provider
    /// those first that have been due the longest, and of several providers each in turn, beginning with the one of which
    /// the fewest are in work, so that none holds the others up. A connection is due when the earliest stream of its [latest entry](crate::engine::RunEntry::dues) is; one
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

    /// The next moment after `now` at which a connection of these providers becomes due.
    ///
    /// # Errors
    /// If the store fails.
    async fn next_due(&self, providers: &[&str], now: Timestamp) -> Result<Option<Timestamp>>;

    /// Waits until it is told, here or by another process, that a connection may have become due. It may be told for
    /// nothing, or not at all: whoever waits looks now and then by itself. By default it is never told.
    async fn told_due(&self) {
        std::future::pending().await
    }

    /// Connections of a provider whose credentials were last written before then, at most `limit`: their refresh
    /// tokens age. Those that are refused or ended are not among them.
    ///
    /// # Errors
    /// If the store fails.
    async fn idle(&self, provider: &str, before: Timestamp, limit: u32) -> Result<Vec<ConnectionId>>;
}
