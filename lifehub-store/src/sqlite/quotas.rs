//! Counts of quotas that several processes share, and the gates that providers close.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::http::{QuotaKey, QuotaLedger};
use sqlx::sqlite::SqliteConnection;

use super::Store;
use super::database::Durability;
use super::sql;
use super::statement::{Args, execute, get, row};

fn key_args(key: &QuotaKey) -> Args {
    Args::new().with(&*key.provider).with(&*key.quota).with(&*key.scope)
}

/// How much of a window is used; `None` if a later one has begun.
async fn used_of(conn: &mut SqliteConnection, key: &QuotaKey, window: Timestamp) -> Result<Option<u32>> {
    let Some(stored) = row(conn, sql::QUOTA_GET, key_args(key)).await? else { return Ok(Some(0)) };
    let latest = Timestamp::from_micros(get(&stored, 0)?);
    Ok(match latest.cmp(&window) {
        std::cmp::Ordering::Less => Some(0),
        std::cmp::Ordering::Equal => Some(get(&stored, 1)?),
        std::cmp::Ordering::Greater => None,
    })
}

async fn set_used(conn: &mut SqliteConnection, key: &QuotaKey, window: Timestamp, used: u32) -> Result<()> {
    execute(conn, sql::QUOTA_SET, key_args(key).with(window.as_micros()).with(used)).await?;
    Ok(())
}

#[async_trait]
impl QuotaLedger for Store {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        let granted = match used_of(&mut tx, key, window_start).await? {
            None => 0,
            Some(used) => {
                let granted = want.min(limit.saturating_sub(used));
                set_used(&mut tx, key, window_start, used + granted).await?;
                granted
            }
        };
        tx.commit().await?;
        Ok(granted)
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        // Most answers tell nothing new: those take no turn at writing.
        let news = |stored: Option<u32>| stored.is_some_and(|stored| stored < used);
        if !news(used_of(&mut *self.0.db.read().await?, key, window_start).await?) {
            return Ok(());
        }
        let mut tx = self.0.db.write(Durability::Page).await?;
        if news(used_of(&mut tx, key, window_start).await?) {
            set_used(&mut tx, key, window_start, used).await?;
        }
        tx.commit().await
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        execute(&mut tx, sql::GATE_SET, key_args(key).with(until.as_micros())).await?;
        tx.commit().await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        let found = row(&mut *self.0.db.read().await?, sql::GATE_GET, key_args(key)).await?;
        let until = found.map_or(Ok(None), |row| get::<Option<i64>>(&row, 0))?;
        Ok(until.map(Timestamp::from_micros))
    }
}
