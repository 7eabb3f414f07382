//! The ledger of runs.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::engine::{Lease, RunEntry, Runs};
use lifehub_core::record::ConnectionId;

use super::leases::{fence_args, lost};
use super::rows::{run_args, run_entry};
use super::{Store, inbox};
use crate::database::{Args, Conn, Durability, Place, Scope, execute, row, rows};
use crate::query::clamp_limit;
use crate::sql::{commit, sync as sql};

impl Store {
    /// The latest runs of a connection, the latest first; at most 500.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn runs(&self, connection: ConnectionId, limit: u32) -> Result<Vec<RunEntry>> {
        let Some(place) = self.find_place(connection).await? else { return Ok(Vec::new()) };
        let mut conn = self.0.db.read(Scope::Connection(place)).await?;
        let args = Args::at(place).with(clamp_limit(limit));
        rows(&mut conn, sql::RUN_LATEST, args).await?.iter().map(run_entry).collect()
    }
}

/// Writes the entry of a run, and when its connection is due by it.
pub(super) async fn put(conn: &mut Conn, place: Place, run: &RunEntry) -> Result<()> {
    execute(conn, commit::RUN_UPSERT, run_args(place, run)?).await?;
    inbox::set_due(conn, place, &run.dues).await
}

#[async_trait]
impl Runs for Store {
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()> {
        let Some(place) = self.find_place(lease.connection).await? else { return Err(lost(lease)) };
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Page).await?;
        if row(&mut tx, sql::LEASE_HOLDS, fence_args(place, lease)).await?.is_none() {
            tx.rollback().await?;
            return Err(lost(lease));
        }
        put(&mut tx, place, run).await?;
        tx.commit().await
    }

    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>> {
        Ok(self.runs(connection, 1).await?.pop())
    }
}
