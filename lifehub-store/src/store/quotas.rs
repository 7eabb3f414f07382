//! Counts of quotas that several processes share, and the gates that providers close.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::http::{Pace, PaceTerms, QuotaKey, QuotaLedger};

use super::Store;
use crate::database::{Args, Durability, Scope, execute, get, no_such};
use crate::sql::work as sql;

fn key_args(key: &QuotaKey) -> Args<'_> {
    Args::new().with(&*key.provider).with(&*key.quota).with(&*key.scope)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

/// How many windows of a quota are remembered: more than the latest, as clocks are set and differ.
const WINDOWS: u32 = 4;

impl Store {
    /// The instant that a sliding quota's pace remembers.
    async fn owed_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        let stored = self.0.db.ask(sql::OWED_GET, key_args(key)).await?;
        stored.map_or(Ok(None), |row| Ok(Some(Timestamp::from_micros(get(&row, 0)?))))
    }
}

#[async_trait]
impl QuotaLedger for Store {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        let args = key_args(key).with(window_start.as_micros()).with(want).with(limit);
        let drawn = self.0.db.once(Scope::All, Durability::Page, sql::QUOTA_DRAW, args).await?;
        let drawn = drawn.first().ok_or_else(|| no_such("quota"))?;
        let (granted, used): (u32, u32) = (get(drawn, 0)?, get(drawn, 1)?);
        // The first who asks in a window.
        if granted == used {
            let args = key_args(key).with(WINDOWS);
            self.0.db.once(Scope::All, Durability::Page, sql::QUOTA_FORGET, args).await?;
        }
        Ok(granted)
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        // Most answers tell nothing new: those take no turn at writing.
        let args = key_args(key).with(window_start.as_micros());
        let stored = self.0.db.ask(sql::QUOTA_GET, args).await?;
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
        let stored = self.owed_until(key).await?;
        let (owed, wait) = pace.take(stored, now, units);
        // Those who wait ask again and again: as long as they must wait on, they take no turn at writing.
        if wait.is_some() && stored == Some(owed) {
            return Ok(wait);
        }
        let PaceTerms { cost, furthest, until } = pace.terms(now, units);
        let args = key_args(key)
            .with(now.as_micros())
            .with(micros(cost))
            .with(furthest.as_micros())
            .with(until.as_micros());
        let taken = self.0.db.once(Scope::All, Durability::Page, sql::OWED_TAKE, args).await?;
        let taken = taken.first().ok_or_else(|| no_such("quota"))?;
        let owed = Timestamp::from_micros(get(taken, 0)?);
        let granted: bool = get(taken, 1)?;
        Ok((!granted).then(|| (owed + cost).since(until)))
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        let args = key_args(key).with(until.as_micros());
        self.0.db.once(Scope::All, Durability::Page, sql::GATE_SET, args).await.map(|_| ())
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        let found = self.0.db.ask(sql::GATE_GET, key_args(key)).await?;
        found.map_or(Ok(None), |row| Ok(Some(Timestamp::from_micros(get(&row, 0)?))))
    }
}
