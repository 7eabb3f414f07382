//! Which connections are due, and claiming them.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Connection, Lease};
use lifehub_core::record::ConnectionId;
use lifehub_core::schedule::Schedule;

use super::Store;
use super::connections::connection;
use super::database::Durability;
use super::leases::claim;
use super::rows::text_list;
use super::sql;
use super::statement::{Args, get, get_bytes, row, rows};

impl Store {
    /// The names of processes that hold leases and have ended.
    async fn dead_holders(&self) -> Result<Vec<String>> {
        let found = rows(&mut *self.0.db.read().await?, sql::HOLDERS, Args::new()).await?;
        let mut dead = Vec::new();
        for row in &found {
            let name: String = get(row, 0)?;
            if self.0.holder.is_dead(&name) {
                dead.push(name);
            }
        }
        Ok(dead)
    }
}

#[async_trait]
impl Schedule for Store {
    async fn claim_due(
        &self,
        providers: &[&str],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Connection, Lease)>> {
        let dead = self.dead_holders().await?;
        let args = || {
            Args::new().with(now.as_micros()).with(text_list(providers)).with(text_list(&dead)).with(limit)
        };
        // Most of the time nothing is due: that takes no turn at writing.
        if rows(&mut *self.0.db.read().await?, sql::DUE, args()).await?.is_empty() {
            return Ok(Vec::new());
        }
        let name = self.0.holder.name()?;
        let mut tx = self.0.db.write(Durability::Page).await?;
        let mut claimed = Vec::new();
        for due in rows(&mut tx, sql::DUE, args()).await? {
            let found = connection(&due)?;
            let lease = claim(&mut tx, (get(&due, 6)?, found.id), name, self.term_micros()).await?;
            claimed.push((found, lease));
        }
        tx.commit().await?;
        Ok(claimed)
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let next =
            row(&mut *self.0.db.read().await?, sql::NEXT_DUE, Args::new().with(now.as_micros())).await?;
        let next = next.map_or(Ok(None), |row| get::<Option<i64>>(&row, 0))?;
        Ok(next.map(Timestamp::from_micros))
    }

    async fn idle(&self, provider: &str, before: Timestamp, limit: u32) -> Result<Vec<ConnectionId>> {
        let args = Args::new().with(provider).with(before.as_micros()).with(limit);
        let found = rows(&mut *self.0.db.read().await?, sql::IDLE, args).await?;
        found.iter().map(|row| get_bytes(row, 0).map(ConnectionId::from_bytes)).collect()
    }
}
