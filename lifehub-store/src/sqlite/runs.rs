//! The ledger of runs.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::engine::{Lease, RunEntry, Runs};
use lifehub_core::record::ConnectionId;
use sqlx::sqlite::SqliteConnection;

use super::database::Durability;
use super::leases::{fence_args, lost};
use super::rows::{run_args, run_entry};
use super::statement::{Args, execute, get, row, rows};
use super::{Store, inbox, sql};
use crate::query::clamp_limit;

impl Store {
    /// The latest runs of a connection, the latest first; at most 500.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn runs(&self, connection: ConnectionId, limit: u32) -> Result<Vec<RunEntry>> {
        let args = Args::new().with(connection.as_bytes().as_slice()).with(clamp_limit(limit));
        let found = rows(&mut *self.0.db.read().await?, sql::RUN_LATEST, args).await?;
        found.iter().map(run_entry).collect()
    }
}

/// Writes the entry of a run, and when its connection is due by it.
pub(super) async fn put(conn: &mut SqliteConnection, connection: i64, run: &RunEntry) -> Result<()> {
    execute(conn, sql::RUN_UPSERT, run_args(connection, run)?).await?;
    inbox::set_due(conn, connection, &run.dues).await
}

#[async_trait]
impl Runs for Store {
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        let Some(held) = row(&mut tx, sql::LEASE_HOLDS, fence_args(lease)).await? else {
            tx.rollback().await?;
            return Err(lost(lease));
        };
        let connection: i64 = get(&held, 0)?;
        put(&mut tx, connection, run).await?;
        tx.commit().await
    }

    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>> {
        Ok(self.runs(connection, 1).await?.pop())
    }
}
