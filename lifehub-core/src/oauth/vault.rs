//! What a store keeps of credentials: the newest, who may renew them, and whether the provider still takes them.

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::record::ConnectionId;
use crate::secret::Credentials;

/// The credentials of a connection as they stand in a vault.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// The credentials; none for a connection that was given none.
    pub credentials: Credentials,
    /// Rises whenever others are written, by whomever.
    pub revision: u64,
    /// Whether the provider takes them, as far as is known.
    pub standing: Standing,
}

/// Whether a provider takes the credentials of a connection, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    #[default]
    Good,
    /// It refused them: the user has to connect again.
    Refused {
        /// When it last did.
        at: Timestamp,
    },
}

/// The right to renew the credentials of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTicket {
    /// The connection.
    pub connection: ConnectionId,
    /// The revision of the credentials that are to be replaced.
    pub revision: u64,
    /// Rises with every claim.
    pub epoch: u64,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshClaim {
    /// The caller may ask the provider now.
    Held(RefreshTicket),
    /// Another does, at this moment.
    Busy,
    /// The credentials are of another revision by now: read them again.
    Stale,
}

/// Credentials of connections, for any number of tasks, processes and nodes.
///
/// Everything that a vault says was written is durable before it returns: a refresh token that was rotated exists
/// nowhere else.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The credentials of a connection, opened; the default for one that was given none.
    ///
    /// # Errors
    /// If there is no such connection, or what is stored does not open.
    async fn credentials(&self, connection: ConnectionId) -> Result<Held>;

    /// Claims the right to renew the credentials of that revision, for `term` by the store's clock. The claim of a
    /// process that is known to have ended is free.
    ///
    /// # Errors
    /// If there is no such connection, or its user ended it.
    async fn claim_refresh(
        &self,
        connection: ConnectionId,
        revision: u64,
        term: Duration,
    ) -> Result<RefreshClaim>;

    /// Whether a claim still stands, with at least half of its term left, and the credentials are of its revision.
    ///
    /// # Errors
    /// If the store fails.
    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool>;

    /// Replaces the credentials of the ticket's revision and ends the claim; they are [good](Standing::Good) again.
    /// False, and nothing is written, if they are of another revision by now. A claim that ran out meanwhile does not
    /// matter: what the provider handed out last is what has to be kept.
    ///
    /// # Errors
    /// If the user ended the connection, or the store fails.
    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool>;

    /// Gives a claim back. That it was lost before is no error.
    ///
    /// # Errors
    /// If the store fails.
    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()>;

    /// Says how the provider takes the credentials of that revision. True if they stood otherwise before: whoever gets
    /// it tells the user. Nothing happens to those of another revision.
    ///
    /// # Errors
    /// If the store fails.
    async fn set_standing(&self, connection: ConnectionId, revision: u64, standing: Standing)
    -> Result<bool>;
}
