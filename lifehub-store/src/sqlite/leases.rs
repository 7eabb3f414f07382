//! Leases with fencing: every claim raises the epoch, and the database's clock decides what has expired.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::engine::{Claim, Lease, Leases};
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Store;
use super::database::Durability;
use super::fault::no_such;
use super::sql;
use super::statement::{Args, get, get_u64, row, signed};
use crate::account::ConnectionStatus;

impl Store {
    /// The term in microseconds.
    pub(super) fn term_micros(&self) -> i64 {
        i64::try_from(self.0.term.as_micros()).unwrap_or(i64::MAX / 4)
    }

    /// Whether the lease of this row is free to claim.
    fn is_free(&self, lease: &SqliteRow) -> Result<bool> {
        let holder: Option<&str> = get(lease, 3)?;
        let runs = get::<Option<bool>>(lease, 4)?.unwrap_or(false);
        Ok(match holder {
            Some(holder) => !runs || self.0.holder.is_dead(holder),
            None => true,
        })
    }
}

/// Claims a connection that is free, named by its row and its id.
pub(super) async fn claim(
    conn: &mut SqliteConnection,
    (row_id, connection): (i64, ConnectionId),
    holder: &str,
    term: i64,
) -> Result<Lease> {
    let claimed = row(conn, sql::LEASE_CLAIM, Args::new().with(row_id).with(holder).with(term)).await?;
    let epoch = claimed.map_or(Ok(0), |row| get_u64(&row, 0))?;
    Ok(Lease { connection, epoch })
}

pub(super) fn lost(lease: &Lease) -> Error {
    Error::new(ErrorKind::LeaseLost, "another worker took over the connection, or its lease ran out")
        .with("connection", lease.connection)
}

pub(super) fn fence_args(lease: &Lease) -> Args {
    Args::new().with(lease.connection.as_bytes().as_slice()).with(signed(lease.epoch))
}

#[async_trait]
impl Leases for Store {
    async fn claim(&self, connection: ConnectionId) -> Result<Claim> {
        let name = self.0.holder.name()?;
        let mut tx = self.0.db.write(Durability::Page).await?;
        let args = Args::new().with(connection.as_bytes().as_slice());
        let Some(lease) = row(&mut tx, sql::LEASE_GET, args).await? else {
            tx.rollback().await?;
            return Err(no_such("connection").with("connection", connection));
        };
        if ConnectionStatus::from_name(get(&lease, 1)?) == ConnectionStatus::Disconnected {
            tx.rollback().await?;
            return Err(Error::new(ErrorKind::Invalid, "the connection was ended by its user")
                .with("connection", connection)
                .hint("connect the account again"));
        }
        if !self.is_free(&lease)? {
            tx.rollback().await?;
            return Ok(Claim::Busy { epoch: get_u64(&lease, 2)? });
        }
        let lease = claim(&mut tx, (get(&lease, 0)?, connection), name, self.term_micros()).await?;
        tx.commit().await?;
        Ok(Claim::Held(lease))
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        let renewed = row(&mut tx, sql::LEASE_RENEW, fence_args(lease).with(self.term_micros())).await?;
        tx.commit().await?;
        renewed.map(|_| ()).ok_or_else(|| lost(lease))
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        super::statement::execute(&mut tx, sql::LEASE_RELEASE, fence_args(lease)).await?;
        tx.commit().await
    }

    fn term(&self) -> Duration {
        self.0.term
    }
}
