//! Stores with one fault each: what whoever connects an account or renews credentials sees of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::oauth::{Authorizations, Held, Pending, RefreshClaim, RefreshTicket, Standing, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};

use crate::store_flaws::{Flaw, Flawed};

#[async_trait]
impl Vault for Flawed {
    async fn credentials(&self, connection: ConnectionId) -> Result<Held> {
        let mut held = self.inner.credentials(connection).await?;
        match self.flaw {
            Flaw::ForgetsEmptyCredentials => {
                let all = std::mem::take(&mut held.credentials);
                let kept = all.names().filter_map(|name| Some((name, all.get(name)?)));
                let kept = kept.filter(|(_, secret)| !secret.expose().is_empty());
                held.credentials =
                    kept.fold(Credentials::none(), |all, (name, secret)| all.with(name, secret.clone()));
            }
            Flaw::RevisionOne => held.revision = 1,
            Flaw::SavesLater => held = self.memory().saved.get(&connection).cloned().unwrap_or(held),
            _ => {}
        }
        Ok(held)
    }

    async fn claim_refresh(
        &self,
        connection: ConnectionId,
        mut revision: u64,
        term: Duration,
    ) -> Result<RefreshClaim> {
        if self.has(Flaw::ClaimsAnyRevision) {
            revision = self.inner.credentials(connection).await?.revision;
        }
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let claim = self.inner.claim_refresh(connection, revision, term).await;
        let others = self.under_way.fetch_sub(1, Ordering::SeqCst) > 1;
        let held = RefreshClaim::Held(RefreshTicket { connection, revision, epoch: 0 });
        let claim = match (self.flaw, claim?) {
            (Flaw::GivesTheClaimToAll, RefreshClaim::Busy) => held,
            (Flaw::LooksAndClaimsLater, RefreshClaim::Busy) if others => held,
            (_, claim) => claim,
        };
        let RefreshClaim::Held(ticket) = &claim else { return Ok(claim) };
        if self.has(Flaw::ClaimsNeverRunOut) && self.memory().tickets.contains_key(&connection) {
            self.inner.release_refresh(ticket).await?;
            return Ok(RefreshClaim::Busy);
        }
        self.memory().tickets.insert(connection, ticket.clone());
        Ok(claim)
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool> {
        if self.has(Flaw::SendsToTheEnd) {
            return Ok(self.memory().tickets.get(&ticket.connection) == Some(ticket));
        }
        self.inner.may_refresh(ticket).await
    }

    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool> {
        let connection = ticket.connection;
        if self.has(Flaw::SavesLater) {
            let (credentials, revision) = (credentials.clone(), ticket.revision + 1);
            let held = Held { credentials, revision, standing: Standing::Good };
            self.memory().saved.insert(connection, held);
            return Ok(true);
        }
        self.memory().tickets.remove(&connection);
        let saved = self.inner.save(ticket, credentials).await;
        if self.has(Flaw::TakesWhatComesLate) && saved.is_err() {
            return Ok(true);
        }
        let saved = saved?;
        let is_broken = match self.flaw {
            Flaw::KeepsTheClaim => saved,
            Flaw::WritesTheLast => !saved,
            _ => false,
        };
        if is_broken {
            let revision = self.inner.credentials(connection).await?.revision;
            let term = Duration::from_secs(600);
            let again = self.inner.claim_refresh(connection, revision, term).await?;
            if let (Flaw::WritesTheLast, RefreshClaim::Held(ticket)) = (self.flaw, again) {
                return self.inner.save(&ticket, credentials).await;
            }
        }
        Ok(saved)
    }

    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()> {
        let newest = self.memory().tickets.remove(&ticket.connection);
        let ticket = newest.as_ref().filter(|_| self.has(Flaw::FreesTheClaim)).unwrap_or(ticket);
        self.inner.release_refresh(ticket).await
    }

    async fn set_standing(
        &self,
        connection: ConnectionId,
        mut revision: u64,
        standing: Standing,
    ) -> Result<bool> {
        if self.has(Flaw::RefusesAnyRevision) {
            revision = self.inner.credentials(connection).await?.revision;
        }
        let is_refusal = standing != Standing::Good;
        if is_refusal {
            self.memory().refused.push(connection);
        }
        let told = self.inner.set_standing(connection, revision, standing).await?;
        Ok(told || is_refusal && self.has(Flaw::TellsEachRefusal))
    }
}

impl Flawed {
    fn authorizations(&self) -> Arc<dyn Authorizations> {
        self.store.authorizations().expect("a store that keeps authorizations")
    }
}

#[async_trait]
impl Authorizations for Flawed {
    async fn put(&self, state: &Secret, mut pending: Pending) -> Result<()> {
        match self.flaw {
            Flaw::ForgetsTheConnection => pending.connection = None,
            Flaw::NamedByTheState => self.memory().written.extend(state.expose().bytes()),
            Flaw::ForgetsAfterFive => {
                let begun = self.memory().begun.clone();
                for (other, before) in begun {
                    if pending.created_at.since(before.created_at) > Duration::from_secs(300) {
                        self.authorizations().take(&other).await?;
                    }
                }
            }
            _ => {}
        }
        self.memory().begun.push((state.clone(), pending.clone()));
        self.authorizations().put(state, pending).await
    }

    async fn take(&self, state: &Secret) -> Result<Option<Pending>> {
        if self.has(Flaw::LeavesWhatWasTaken) {
            let memory = self.memory();
            let found = memory.begun.iter().find(|(other, _)| other.expose() == state.expose());
            return Ok(found.map(|(_, pending)| pending.clone()));
        }
        self.authorizations().take(state).await
    }
}
