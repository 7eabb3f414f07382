//! Which connections are due, and claiming them.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Connection, Lease};
use lifehub_core::record::ConnectionId;
use lifehub_core::schedule::Schedule;

use super::Store;
use super::connections::connection;
use crate::database::{Args, Durability, Place, Scope, Value, get, get_bytes, row, rows};
use crate::sql::work as sql;

#[async_trait]
impl Schedule for Store {
    async fn claim_due(
        &self,
        providers: &[&str],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Connection, Lease)>> {
        let mut conn = self.0.db.read(Scope::All).await?;
        let dead = self.dead_among(&mut conn, sql::HOLDERS, Args::new()).await?;
        let args = || {
            let providers = Value::texts(providers.iter().copied());
            Args::new().with(now.as_micros()).with(providers).with(Value::texts(&dead))
        };
        // Most of the time nothing is due: that takes no turn at writing.
        let any = row(&mut conn, sql::ANY_DUE, args()).await?;
        drop(conn);
        if !any.map_or(Ok(false), |row| get(&row, 0))? {
            return Ok(Vec::new());
        }
        let mut tx = self.0.db.write(Scope::All, Durability::Page).await?;
        let mut claimed = Vec::new();
        for due in rows(&mut tx, sql::DUE, args().with(limit)).await? {
            let found = connection(&due)?;
            let place = Place { user: get(&due, 6)?, connection: get(&due, 7)? };
            // It may have been claimed since its row was found.
            if let Some(lease) = self.claim_lease(&mut tx, (place, found.id), &dead).await? {
                claimed.push((found, lease));
            }
        }
        tx.commit().await?;
        Ok(claimed)
    }

    async fn next_due(&self, providers: &[&str], now: Timestamp) -> Result<Option<Timestamp>> {
        let args = Args::new().with(now.as_micros()).with(Value::texts(providers.iter().copied()));
        let next = row(&mut self.0.db.read(Scope::All).await?, sql::NEXT_DUE, args).await?;
        let next = next.map_or(Ok(None), |row| get::<Option<i64>>(&row, 0))?;
        Ok(next.map(Timestamp::from_micros))
    }

    async fn told_due(&self) {
        self.0.db.told_due().await;
    }

    async fn idle(&self, provider: &str, before: Timestamp, limit: u32) -> Result<Vec<ConnectionId>> {
        let args = Args::new().with(provider).with(before.as_micros()).with(limit);
        let found = rows(&mut self.0.db.read(Scope::All).await?, sql::IDLE, args).await?;
        found.iter().map(|row| get_bytes(row, 0).map(ConnectionId::from_bytes)).collect()
    }
}
