//! Who renews credentials: one claim for each connection, and the newest pair durable before anyone uses it.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::oauth::{Held, RefreshClaim, RefreshTicket, Standing, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;

use super::{Store, vault};
use crate::account::ConnectionStatus;
use crate::database::{Args, Durability, Place, Scope, Value, execute, get_u64, row, signed};
use crate::sql::accounts as sql;

#[async_trait]
impl Vault for Store {
    async fn credentials(&self, connection: ConnectionId) -> Result<Held> {
        let place = self.place(connection).await?;
        let mut conn = self.0.db.read(Scope::Connection(place)).await?;
        let (found, credentials) = vault::open(&mut conn, &self.0.keys, connection, place).await?;
        let standing = match (found.status, found.refused_at) {
            (ConnectionStatus::ReconnectRequired, at) => {
                Standing::Refused { at: at.unwrap_or_else(|| self.now()) }
            }
            _ => Standing::Good,
        };
        Ok(Held { credentials, revision: found.revision, standing })
    }

    async fn claim_refresh(
        &self,
        connection: ConnectionId,
        revision: u64,
        term: Duration,
    ) -> Result<RefreshClaim> {
        let name = self.0.holder.name()?;
        let place = self.place(connection).await?;
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Page).await?;
        let found = vault::read(&mut tx, connection, place).await?;
        found.still_on()?;
        if found.revision != revision {
            tx.rollback().await?;
            return Ok(RefreshClaim::Stale);
        }
        let dead = self.dead_among(&mut tx, sql::REFRESHERS, Args::at(place)).await?;
        let term = i64::try_from(term.as_micros()).unwrap_or(i64::MAX / 4);
        let args = Args::at(place).with(name).with(term).with(Value::texts(&dead));
        let Some(claimed) = row(&mut tx, sql::REFRESH_CLAIM, args).await? else {
            tx.rollback().await?;
            return Ok(RefreshClaim::Busy);
        };
        let epoch = get_u64(&claimed, 0)?;
        tx.commit().await?;
        Ok(RefreshClaim::Held(RefreshTicket { connection, revision, epoch }))
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool> {
        let place = self.place(ticket.connection).await?;
        let mut conn = self.0.db.read(Scope::Connection(place)).await?;
        let args = ticket_args(place, ticket).with(signed(ticket.revision));
        Ok(row(&mut conn, sql::REFRESH_MAY, args).await?.is_some())
    }

    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool> {
        let place = self.place(ticket.connection).await?;
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Full).await?;
        let found = vault::read(&mut tx, ticket.connection, place).await?;
        found.still_on()?;
        let newest = found.revision == ticket.revision;
        // Before the keys are locked, which nobody holds longer than it takes.
        execute(&mut tx, sql::REFRESH_END, ticket_args(place, ticket)).await?;
        if newest {
            let now = self.now().as_micros();
            vault::put(&mut tx, &self.0.keys, (place, found.owner), credentials, now).await?;
        }
        tx.commit().await?;
        Ok(newest)
    }

    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()> {
        let place = self.place(ticket.connection).await?;
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Page).await?;
        execute(&mut tx, sql::REFRESH_END, ticket_args(place, ticket)).await?;
        tx.commit().await
    }

    async fn set_standing(
        &self,
        connection: ConnectionId,
        revision: u64,
        standing: Standing,
    ) -> Result<bool> {
        let place = self.place(connection).await?;
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Full).await?;
        let found = vault::read(&mut tx, connection, place).await?;
        let (status, at) = match standing {
            Standing::Good => (ConnectionStatus::Active, None),
            Standing::Refused { at } => (ConnectionStatus::ReconnectRequired, Some(at.as_micros())),
        };
        // Connected anew, or ended by its user: the finding is of what was before.
        if found.revision != revision || found.status == ConnectionStatus::Disconnected {
            tx.rollback().await?;
            return Ok(false);
        }
        let args = Args::at(place).with(status.as_str()).with(at).with(self.now().as_micros());
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
        let place = self.place(connection).await?;
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Full).await?;
        let found = vault::read(&mut tx, connection, place).await?;
        found.still_on()?;
        let now = self.now().as_micros();
        vault::put(&mut tx, &self.0.keys, (place, found.owner), credentials, now).await?;
        tx.commit().await
    }
}

fn ticket_args(place: Place, ticket: &RefreshTicket) -> Args<'static> {
    Args::at(place).with(signed(ticket.epoch))
}
