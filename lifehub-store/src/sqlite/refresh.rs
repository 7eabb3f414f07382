//! Who renews credentials: one claim for each connection, and the newest pair durable before anyone uses it.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::oauth::{Held, RefreshClaim, RefreshTicket, Standing, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;

use super::Store;
use super::database::Durability;
use super::statement::{Args, execute, get, get_u64, row, signed};
use super::{sql, vault};
use crate::account::ConnectionStatus;

#[async_trait]
impl Vault for Store {
    async fn credentials(&self, connection: ConnectionId) -> Result<Held> {
        let mut conn = self.0.db.read().await?;
        let (row, credentials) = vault::open(&mut conn, &self.0.keys, connection).await?;
        let standing = match (row.status, row.refused_at) {
            (ConnectionStatus::ReconnectRequired, at) => {
                Standing::Refused { at: at.unwrap_or_else(|| self.now()) }
            }
            _ => Standing::Good,
        };
        Ok(Held { credentials, revision: row.revision, standing })
    }

    async fn claim_refresh(
        &self,
        connection: ConnectionId,
        revision: u64,
        term: Duration,
    ) -> Result<RefreshClaim> {
        let name = self.0.holder.name()?;
        let mut tx = self.0.db.write(Durability::Page).await?;
        let found = vault::read(&mut tx, connection).await?;
        found.still_on()?;
        if found.revision != revision {
            tx.rollback().await?;
            return Ok(RefreshClaim::Stale);
        }
        if let Some(claim) = row(&mut tx, sql::REFRESH_GET, Args::new().with(found.id)).await?
            && let Some(holder) = get::<Option<&str>>(&claim, 0)?
            && get(&claim, 1)?
            && !self.0.holder.is_dead(holder)
        {
            tx.rollback().await?;
            return Ok(RefreshClaim::Busy);
        }
        let term = i64::try_from(term.as_micros()).unwrap_or(i64::MAX / 4);
        let args = Args::new().with(found.id).with(name).with(term);
        let claimed = row(&mut tx, sql::REFRESH_CLAIM, args).await?;
        let epoch = claimed.map_or(Ok(0), |row| get_u64(&row, 0))?;
        tx.commit().await?;
        Ok(RefreshClaim::Held(RefreshTicket { connection, revision, epoch }))
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool> {
        let args = ticket_args(ticket).with(signed(ticket.revision));
        Ok(row(&mut *self.0.db.read().await?, sql::REFRESH_MAY, args).await?.is_some())
    }

    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool> {
        let mut tx = self.0.db.write(Durability::Full).await?;
        let found = vault::read(&mut tx, ticket.connection).await?;
        found.still_on()?;
        let newest = found.revision == ticket.revision;
        if newest {
            let place = (found.id, found.owner);
            vault::put(&mut tx, &self.0.keys, place, credentials, self.now().as_micros()).await?;
        }
        execute(&mut tx, sql::REFRESH_END, ticket_args(ticket)).await?;
        tx.commit().await?;
        Ok(newest)
    }

    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        execute(&mut tx, sql::REFRESH_END, ticket_args(ticket)).await?;
        tx.commit().await
    }

    async fn set_standing(
        &self,
        connection: ConnectionId,
        revision: u64,
        standing: Standing,
    ) -> Result<bool> {
        let mut tx = self.0.db.write(Durability::Full).await?;
        let found = vault::read(&mut tx, connection).await?;
        let (status, at) = match standing {
            Standing::Good => (ConnectionStatus::Active, None),
            Standing::Refused { at } => (ConnectionStatus::ReconnectRequired, Some(at.as_micros())),
        };
        // Connected anew, or ended by its user: the finding is of what was before.
        if found.revision != revision || found.status == ConnectionStatus::Disconnected {
            tx.rollback().await?;
            return Ok(false);
        }
        let args = Args::new().with(found.id).with(status.as_str()).with(at).with(self.now().as_micros());
        execute(&mut tx, sql::STANDING_SET, args).await?;
        tx.commit().await?;
        Ok(found.status != status)
    }
}

impl Store {
    /// Replaces the credentials of a connection, whoever renews them at the moment. They are durable when this returns.
    ///
    /// # Errors
    /// If there is no such connection, its user ended it, or the database fails.
    pub async fn save_credentials(&self, connection: ConnectionId, credentials: &Credentials) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Full).await?;
        let found = vault::read(&mut tx, connection).await?;
        found.still_on()?;
        let place = (found.id, found.owner);
        vault::put(&mut tx, &self.0.keys, place, credentials, self.now().as_micros()).await?;
        tx.commit().await
    }
}

fn ticket_args(ticket: &RefreshTicket) -> Args {
    Args::new().with(ticket.connection.as_bytes().as_slice()).with(signed(ticket.epoch))
}
