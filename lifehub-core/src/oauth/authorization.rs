//! What is remembered while a user is away at the provider, saying yes or no.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::record::{ConnectionId, UserId};
use crate::secret::Secret;

/// How long a user may take.
pub(super) const TERM: Duration = Duration::from_secs(600);

/// How many authorizations of one user are remembered in memory. Who begins more has given up the first of them.
const EACH: usize = 16;

/// An authorization that was begun.
#[derive(Clone)]
pub struct Pending {
    /// The provider's id.
    pub provider: String,
    /// Who began it.
    pub user: UserId,
    /// A hash of the session in which it was begun.
    pub session: String,
    /// The connection that it renews, if it is to renew one.
    pub connection: Option<ConnectionId>,
    /// Where the user is sent back to; the exchange of the code repeats it.
    pub redirect: Url,
    /// The proof key's verifier (RFC 7636), if one was sent.
    pub verifier: Option<Secret>,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Pending {
    /// Whether it is not older than ten minutes, nor younger than now by more than that: clocks are set.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.created_at).max(self.created_at.since(now)) <= TERM
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("provider", &self.provider)
            .field("user", &self.user)
            .field("connection", &self.connection)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// Keeps authorizations by their `state`, for any number of processes.
///
/// The state is as good as a key: a store keeps only a hash of it, and seals the rest. It may forget what is older than
/// ten minutes.
#[async_trait]
pub trait Authorizations: Send + Sync {
    /// Keeps one.
    ///
    /// # Errors
    /// If the store fails.
    async fn put(&self, state: &Secret, pending: Pending) -> Result<()>;

    /// Takes one out: of two who come with the same state, the second finds nothing. It is spent also if what is stored
    /// does not open.
    ///
    /// # Errors
    /// If the store fails, or what is stored does not open.
    async fn take(&self, state: &Secret) -> Result<Option<Pending>>;
}

/// Authorizations of one process, forgotten when it ends. It holds the latest 16 of each user, for ten minutes.
#[derive(Default)]
pub struct MemoryAuthorizations(Mutex<HashMap<String, Pending>>);

#[async_trait]
impl Authorizations for MemoryAuthorizations {
    async fn put(&self, state: &Secret, pending: Pending) -> Result<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, other| other.is_fresh(pending.created_at));
        let own = all.iter().filter(|(_, other)| other.user == pending.user);
        let oldest = own.clone().min_by_key(|(_, other)| other.created_at).map(|(hash, _)| hash.clone());
        if let Some(oldest) = oldest.filter(|_| own.count() >= EACH) {
            all.remove(&oldest);
        }
        all.insert(hash(state.expose()), pending);
        Ok(())
    }

    async fn take(&self, state: &Secret) -> Result<Option<Pending>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(state.expose())))
    }
}

impl fmt::Debug for MemoryAuthorizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryAuthorizations")
    }
}

/// SHA-256 in base64url: for secrets that nobody can guess, so that it needs no salt.
pub(super) fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}
