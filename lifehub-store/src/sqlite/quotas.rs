//! Counts of quotas that several processes share, and the gates that providers close.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::http::{Pace, QuotaKey, QuotaLedger};
use sqlx::sqlite::SqliteConnection;

use super::Store;
use super::database::Durability;
use super::sql;
use super::statement::{Args, execute, get, row};

fn key_args(key: &QuotaKey) -> Args {
    Args::new().with(&*key.provider).with(&*key.quota).with(&*key.scope)
}

/// How many windows of a quota are remembered: more than the latest, as clocks are set and differ.
const WINDOWS: u32 = 4;

/// How much of a window is used; nothing, if it is not known.
async fn used_of(conn: &mut SqliteConnection, key: &QuotaKey, window: Timestamp) -> Result<u32> {
    let stored = row(conn, sql::QUOTA_GET, key_args(key).with(window.as_micros())).await?;
    stored.map_or(Ok(0), |row| get(&row, 0))
}

async fn set_used(conn: &mut SqliteConnection, key: &QuotaKey, window: Timestamp, used: u32) -> Result<()> {
    execute(conn, sql::QUOTA_SET, key_args(key).with(window.as_micros()).with(used)).await?;
    execute(conn, sql::QUOTA_FORGET, key_args(key).with(WINDOWS)).await?;
    Ok(())
}

/// The instant that a sliding quota's pace remembers.
async fn owed_until(conn: &mut SqliteConnection, key: &QuotaKey) -> Result<Option<Timestamp>> {
    let stored = row(conn, sql::OWED_GET, key_args(key)).await?;
    stored.map_or(Ok(None), |row| Ok(Some(Timestamp::from_micros(get(&row, 0)?))))
}

#[async_trait]
impl QuotaLedger for Store {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        let used = used_of(&mut tx, key, window_start).await?;
        let granted = want.min(limit.saturating_sub(used));
        set_used(&mut tx, key, window_start, used + granted).await?;
        tx.commit().await?;
        Ok(granted)
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        // Most answers tell nothing new: those take no turn at writing.
        if used_of(&mut *self.0.db.read().await?, key, window_start).await? >= used {
            return Ok(());
        }
        let mut tx = self.0.db.write(Durability::Page).await?;
        let used = used.max(used_of(&mut tx, key, window_start).await?);
        set_used(&mut tx, key, window_start, used).await?;
        tx.commit().await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        // Those who wait ask again and again: as long as they must wait on, they take no turn at writing.
        let stored = owed_until(&mut *self.0.db.read().await?, key).await?;
        if let (owed, Some(wait)) = pace.take(stored, now, units)
            && stored == Some(owed)
        {
            return Ok(Some(wait));
        }
        let mut tx = self.0.db.write(Durability::Page).await?;
        let (owed, wait) = pace.take(owed_until(&mut tx, key).await?, now, units);
        execute(&mut tx, sql::OWED_SET, key_args(key).with(owed.as_micros())).await?;
        tx.commit().await?;
        Ok(wait)
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        execute(&mut tx, sql::GATE_SET, key_args(key).with(until.as_micros())).await?;
        tx.commit().await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        let found = row(&mut *self.0.db.read().await?, sql::GATE_GET, key_args(key)).await?;
        found.map_or(Ok(None), |row| Ok(Some(Timestamp::from_micros(get(&row, 0)?))))
    }
}
