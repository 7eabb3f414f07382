//! Stores with one fault each: what workers and schedulers see of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Claim, Connection, Lease, Leases, RunEntry, Runs};
use lifehub_core::record::ConnectionId;
use lifehub_core::schedule::Schedule;
use lifehub_core::{ErrorKind, Result};

use crate::store_flaws::{Flaw, Flawed};

#[async_trait]
impl Leases for Flawed {
    async fn claim(&self, connection: ConnectionId) -> Result<Claim> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let claim = self.inner.claim(connection).await;
        let others = self.under_way.fetch_sub(1, Ordering::SeqCst) > 1;
        let held = |epoch| Claim::Held(Lease { connection, epoch });
        let claim = match (self.flaw, claim?) {
            (Flaw::GivesToWhoeverAsks, Claim::Busy { epoch }) => held(epoch),
            (Flaw::LooksAndTakesLater, Claim::Busy { epoch }) if others => held(epoch),
            (Flaw::BeginsAnew, Claim::Held(_)) => held(1),
            (_, claim) => claim,
        };
        if let Claim::Held(lease) = &claim {
            let mut memory = self.memory();
            memory.leases.insert(connection, lease.clone());
            memory.passed = Duration::ZERO;
        }
        Ok(claim)
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        match self.inner.renew(lease).await {
            Err(error) if error.kind() == ErrorKind::LeaseLost && self.has(Flaw::RenewsWhatRanOut) => Ok(()),
            renewed => renewed,
        }
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        match self.flaw {
            Flaw::FreesForWhomever => self.inner.release(&self.newest(lease)).await,
            _ => self.inner.release(lease).await,
        }
    }

    fn term(&self) -> Duration {
        self.inner.term()
    }
}

#[async_trait]
impl Runs for Flawed {
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()> {
        let mut run = run.clone();
        {
            let mut memory = self.memory();
            let first = memory.dues.entry(lease.connection).or_insert_with(|| run.dues.clone());
            if self.has(Flaw::GoesByTheFirstRun) {
                run.dues = first.clone();
            }
        }
        self.inner.record(lease, &run).await
    }

    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>> {
        let latest = self.inner.latest(connection).await?;
        match latest {
            Some(run) if self.has(Flaw::KeepsTheFirstEntry) => {
                Ok(Some(self.memory().runs.entry(connection).or_insert(run).clone()))
            }
            latest => Ok(latest),
        }
    }
}

impl Flawed {
    fn schedule(&self) -> Arc<dyn Schedule> {
        self.store.schedule().expect("a store that schedules")
    }

    /// Gives back those that are not to be handed out; the rest.
    async fn only(
        &self,
        due: Vec<(Connection, Lease)>,
        keep: impl Fn(ConnectionId) -> bool,
    ) -> Result<Vec<(Connection, Lease)>> {
        let (kept, left): (Vec<_>, Vec<_>) = due.into_iter().partition(|(one, _)| keep(one.id));
        for (_, lease) in left {
            self.inner.release(&lease).await?;
        }
        Ok(kept)
    }
}

#[async_trait]
impl Schedule for Flawed {
    async fn claim_due(
        &self,
        providers: &[&str],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Connection, Lease)>> {
        let providers = if self.has(Flaw::ClaimsForAll) { &["another", "example"] } else { providers };
        let mut due = Vec::new();
        let parts = if self.has(Flaw::OneProviderFirst) {
            providers.chunks(1)
        } else {
            providers.chunks(providers.len())
        };
        for some in parts {
            let room = limit - u32::try_from(due.len()).unwrap_or(limit);
            due.extend(self.schedule().claim_due(some, now, room).await?);
        }
        match self.flaw {
            Flaw::NewestFirst => due.reverse(),
            Flaw::HandsOutAgain if due.is_empty() => due = self.memory().handed_out.clone(),
            Flaw::KeepsTheSchedule => {
                let dues = self.memory().dues.clone();
                due = self.only(due, |id| dues.get(&id).is_none_or(|dues| dues.first() <= now)).await?;
            }
            Flaw::LetsNewsWait => {
                let mut waits = Vec::new();
                for (connection, _) in &due {
                    let run = self.inner.latest(connection.id).await?;
                    waits.extend(run.filter(|run| run.dues.first() > now).map(|_| connection.id));
                }
                due = self.only(due, |id| !waits.contains(&id)).await?;
            }
            Flaw::LeavesOutForEver => {
                let out = self.memory().handed_out.clone();
                due = self.only(due, |id| out.iter().all(|(one, _)| one.id != id)).await?;
            }
            _ => {}
        }
        if !due.is_empty() {
            self.memory().handed_out = due.clone();
        }
        Ok(due)
    }

    async fn next_due(&self, providers: &[&str], now: Timestamp) -> Result<Option<Timestamp>> {
        let hour = Duration::from_secs(3600);
        let now = if self.has(Flaw::NamesWhatHasPassed) { now - hour } else { now };
        self.schedule().next_due(providers, now).await
    }

    async fn idle(&self, provider: &str, before: Timestamp, limit: u32) -> Result<Vec<ConnectionId>> {
        let mut idle = self.schedule().idle(provider, before, limit).await?;
        if self.has(Flaw::KeepsRefusedAlive) && !idle.is_empty() {
            idle.extend(&self.memory().refused);
        }
        Ok(idle)
    }
}
