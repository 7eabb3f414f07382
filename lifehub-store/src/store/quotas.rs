//! Counts of quotas that several processes share, and the gates that providers close.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::http::{Pace, QuotaKey, QuotaLedger};

use super::Store;
use crate::database::{Args, Durability, Scope, execute, get, no_such, row};
use crate::sql::work as sql;

fn key_args(key: &QuotaKey) -> Args<'_> {
    Args::new().with(&*key.provider).with(&*key.quota).with(&*key.scope)
}

/// How many windows of a quota are remembered: more than the latest, as clocks are set and differ.
const WINDOWS: u32 = 4;

impl Store {
    /// The instant that a sliding quota's pace remembers.
    async fn owed_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        let stored = row(&mut self.0.db.read(Scope::All).await?, sql::OWED_GET, key_args(key)).await?;
        stored.map_or(Ok(None), |row| Ok(Some(Timestamp::from_micros(get(&row, 0)?))))
    }
}

#[async_trait]
impl QuotaLedger for Store {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        let mut tx = self.0.db.write(Scope::All, Durability::Page).await?;
        let args = key_args(key).with(window_start.as_micros()).with(want).with(limit);
        let drawn = row(&mut tx, sql::QUOTA_DRAW, args).await?.ok_or_else(|| no_such("quota"))?;
        let (granted, used): (u32, u32) = (get(&drawn, 0)?, get(&drawn, 1)?);
        // The first who asks in a window.
        if granted == used {
            execute(&mut tx, sql::QUOTA_FORGET, key_args(key).with(WINDOWS)).await?;
        }
        tx.commit().await?;
        Ok(granted)
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        // Most answers tell nothing new: those take no turn at writing.
        let args = key_args(key).with(window_start.as_micros());
        let stored = row(&mut self.0.db.read(Scope::All).await?, sql::QUOTA_GET, args).await?;
        if stored.map_or(Ok(0), |row| get::<u32>(&row, 0))? >= used {
            return Ok(());
        }
        let mut tx = self.0.db.write(Scope::All, Durability::Page).await?;
        let args = key_args(key).with(window_start.as_micros()).with(used);
        execute(&mut tx, sql::QUOTA_RAISE, args).await?;
        execute(&mut tx, sql::QUOTA_FORGET, key_args(key).with(WINDOWS)).await?;
        tx.commit().await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        loop {
            let stored = self.owed_until(key).await?;
            let (owed, wait) = pace.take(stored, now, units);
            // Those who wait ask again and again: as long as they must wait on, they take no turn at writing.
            if wait.is_some() && stored == Some(owed) {
                return Ok(wait);
            }
            let mut tx = self.0.db.write(Scope::All, Durability::Page).await?;
            let args = key_args(key).with(owed.as_micros()).with(stored.map(Timestamp::as_micros));
            let set = execute(&mut tx, sql::OWED_SET, args).await?;
            tx.commit().await?;
            // Unless another was faster: then it is reckoned again.
            if set == 1 {
                return Ok(wait);
            }
        }
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        let mut tx = self.0.db.write(Scope::All, Durability::Page).await?;
        execute(&mut tx, sql::GATE_SET, key_args(key).with(until.as_micros())).await?;
        tx.commit().await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        let found = row(&mut self.0.db.read(Scope::All).await?, sql::GATE_GET, key_args(key)).await?;
        found.map_or(Ok(None), |row| Ok(Some(Timestamp::from_micros(get(&row, 0)?))))
    }
}
