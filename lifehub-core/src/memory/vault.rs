//! Credentials in memory, and who renews them.

use std::time::Duration;

use async_trait::async_trait;

use super::MemoryStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::oauth::{Held, RefreshClaim, RefreshTicket, Standing, Vault};
use crate::record::ConnectionId;
use crate::secret::Credentials;

/// The credentials of one connection. A claim holds until it is given back, as a lease does.
#[derive(Default)]
pub(super) struct Safe {
    held: Held,
    epoch: u64,
    claimed: bool,
    written_at: Option<Timestamp>,
}

impl Safe {
    pub(super) fn put(&mut self, credentials: Credentials, now: Timestamp) {
        let revision = self.held.revision + 1;
        self.held = Held { credentials, revision, standing: Standing::Good };
        self.written_at = Some(now);
    }

    /// Whether the credentials were last written before then, and are good.
    pub(super) fn is_idle(&self, before: Timestamp) -> bool {
        self.held.standing == Standing::Good && self.written_at.is_some_and(|at| at < before)
    }

    fn is_claimed_by(&self, ticket: &RefreshTicket) -> bool {
        self.claimed && self.epoch == ticket.epoch
    }
}

#[async_trait]
impl Vault for MemoryStore {
    async fn credentials(&self, connection: ConnectionId) -> Result<Held> {
        Ok(self.lock().safes.get(&connection).map(|safe| safe.held.clone()).unwrap_or_default())
    }

    async fn claim_refresh(
        &self,
        connection: ConnectionId,
        revision: u64,
        _: Duration,
    ) -> Result<RefreshClaim> {
        let mut inner = self.lock();
        let safe = inner.safes.entry(connection).or_default();
        if safe.held.revision != revision {
            return Ok(RefreshClaim::Stale);
        }
        if safe.claimed {
            return Ok(RefreshClaim::Busy);
        }
        (safe.epoch, safe.claimed) = (safe.epoch + 1, true);
        Ok(RefreshClaim::Held(RefreshTicket { connection, revision, epoch: safe.epoch }))
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool> {
        let inner = self.lock();
        let safe = inner.safes.get(&ticket.connection);
        Ok(safe.is_some_and(|safe| safe.is_claimed_by(ticket) && safe.held.revision == ticket.revision))
    }

    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let safe = inner.safes.entry(ticket.connection).or_default();
        if safe.is_claimed_by(ticket) {
            safe.claimed = false;
        }
        if safe.held.revision != ticket.revision {
            return Ok(false);
        }
        safe.put(credentials.clone(), now);
        Ok(true)
    }

    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()> {
        let mut inner = self.lock();
        if let Some(safe) = inner.safes.get_mut(&ticket.connection).filter(|safe| safe.is_claimed_by(ticket))
        {
            safe.claimed = false;
        }
        Ok(())
    }

    async fn set_standing(
        &self,
        connection: ConnectionId,
        revision: u64,
        standing: Standing,
    ) -> Result<bool> {
        let mut inner = self.lock();
        let safe = inner.safes.entry(connection).or_default();
        if safe.held.revision != revision {
            return Ok(false);
        }
        let was = std::mem::replace(&mut safe.held.standing, standing);
        Ok((was == Standing::Good) != (standing == Standing::Good))
    }
}
