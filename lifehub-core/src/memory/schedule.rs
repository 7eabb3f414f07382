//! Which connections are due, in memory.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{Inner, MemoryStore};
use crate::clock::Timestamp;
use crate::engine::{Connection, Lease};
use crate::error::Result;
use crate::record::ConnectionId;
use crate::schedule::Schedule;

impl Inner {
    fn due_at(&self, connection: ConnectionId) -> Timestamp {
        let due_at = self.runs.get(&connection).map_or(Timestamp::EPOCH, |run| run.dues.first());
        self.woken_at(connection).map_or(due_at, |woken_at| woken_at.min(due_at))
    }
}

#[async_trait]
impl Schedule for MemoryStore {
    async fn claim_due(
        &self,
        providers: &[&str],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Connection, Lease)>> {
        let mut inner = self.lock();
        let is_free = |id: &ConnectionId| inner.leases.get(id).is_none_or(|(_, held)| !held);
        let known = inner.connections.values().filter(|one| providers.contains(&one.provider.as_str()));
        let (free, in_work): (Vec<_>, Vec<_>) = known.partition(|one| is_free(&one.id));
        let mut turns: HashMap<&str, u64> = HashMap::new();
        in_work.iter().for_each(|one| *turns.entry(&one.provider).or_default() += 1);
        let mut due: Vec<_> = free.into_iter().filter(|one| inner.due_at(one.id) <= now).collect();
        due.sort_by_key(|one| inner.due_at(one.id));
        let mut due: Vec<(u64, ConnectionId)> = due
            .into_iter()
            .map(|one| {
                let turn = turns.entry(&one.provider).or_default();
                *turn += 1;
                (*turn, one.id)
            })
            .collect();
        due.sort_by_key(|(turn, id)| (*turn, inner.due_at(*id)));
        let due: Vec<_> = due.into_iter().map(|(_, id)| id).take(limit as usize).collect();
        let claim = |id: ConnectionId| {
            let (epoch, held) = inner.leases.entry(id).or_default();
            (*epoch, *held) = (*epoch + 1, true);
            let lease = Lease { connection: id, epoch: *epoch };
            Some((inner.connections.get(&id)?.clone(), lease))
        };
        Ok(due.into_iter().filter_map(claim).collect())
    }

    async fn next_due(&self, providers: &[&str], now: Timestamp) -> Result<Option<Timestamp>> {
        let inner = self.lock();
        let known = inner.connections.values().filter(|one| providers.contains(&one.provider.as_str()));
        Ok(known.map(|one| inner.due_at(one.id)).filter(|at| *at > now).min())
    }

    async fn idle(&self, provider: &str, before: Timestamp, limit: u32) -> Result<Vec<ConnectionId>> {
        let inner = self.lock();
        let idle = inner.connections.values().filter(|connection| {
            let safe = inner.safes.get(&connection.id);
            connection.provider == provider && safe.is_some_and(|safe| safe.is_idle(before))
        });
        Ok(idle.map(|connection| connection.id).take(limit as usize).collect())
    }
}
