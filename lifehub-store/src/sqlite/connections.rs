//! Connections: made, renewed, listed, ended.

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::Connection;
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteRow;

use super::Store;
use super::database::Durability;
use super::fault::no_such;
use super::rows::user_id;
use super::statement::{Args, execute, get, get_bytes, row, rows};
use super::users::{user_row, zone};
use super::{sql, vault};
use crate::account::{ConnectionFilter, ConnectionInfo, ConnectionStatus, NewConnection};
use crate::seal::Owner;

fn info(row: &SqliteRow) -> Result<ConnectionInfo> {
    let settings = serde_json::from_str(get(row, 4)?).map_err(|_| {
        Error::new(ErrorKind::Storage, "the stored settings of a connection are unreadable")
            .hint("connect the account again")
    })?;
    Ok(ConnectionInfo {
        connection: Connection {
            id: ConnectionId::from_bytes(get_bytes(row, 0)?),
            user: user_id(row, 1)?,
            provider: get(row, 2)?,
            account: get(row, 3)?,
            settings,
            zone: zone(get(row, 5)?),
        },
        status: ConnectionStatus::from_name(get(row, 6)?),
        created_at: Timestamp::from_micros(get(row, 7)?),
        changed_at: Timestamp::from_micros(get(row, 8)?),
    })
}

impl Store {
    /// Makes a connection, or renews the one that the user has with that account: settings and credentials are
    /// replaced, data and cursors stay. Says whether it is new.
    ///
    /// # Errors
    /// If there is no such user, or the database fails.
    pub async fn connect(&self, new: NewConnection) -> Result<(ConnectionId, bool)> {
        let now = self.now();
        let fresh = ConnectionId::new(now, &self.0.rng);
        let mut tx = self.0.db.write(Durability::Full).await?;
        let user = user_row(&mut tx, new.user).await?;
        let args = Args::new()
            .with(fresh.as_bytes().as_slice())
            .with(user.id)
            .with(new.provider)
            .with(new.account.filter(|account| !account.is_empty()))
            .with(new.settings.to_string())
            .with(now.as_micros());
        let made = row(&mut tx, sql::CONNECTION_UPSERT, args).await?.ok_or_else(|| no_such("connection"))?;
        let connection = ConnectionId::from_bytes(get_bytes(&made, 1)?);
        let owner = Owner { user: new.user, connection };
        let place = (get(&made, 0)?, owner);
        vault::put(&mut tx, &self.0.key, place, &new.credentials, now.as_micros()).await?;
        tx.commit().await?;
        Ok((connection, connection == fresh))
    }

    /// Connections, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn connections(&self, filter: ConnectionFilter) -> Result<Vec<ConnectionInfo>> {
        let args = Args::new()
            .with(filter.user.map(|user| user.as_bytes().to_vec()))
            .with(filter.id.map(|id| id.as_bytes().to_vec()));
        rows(&mut *self.0.db.read().await?, sql::CONNECTIONS, args).await?.iter().map(info).collect()
    }

    /// One connection.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none of that id.
    pub async fn connection(&self, id: ConnectionId) -> Result<ConnectionInfo> {
        let found = self.connections(ConnectionFilter { user: None, id: Some(id) }).await?.pop();
        found.ok_or_else(|| no_such("connection").with("connection", id))
    }

    /// Marks a connection whose provider refuses the credentials, or one that works again.
    ///
    /// # Errors
    /// If there is no such connection; if `status` is [`ConnectionStatus::Disconnected`], which is
    /// [`Store::disconnect`]'s.
    pub async fn set_status(&self, id: ConnectionId, status: ConnectionStatus) -> Result<()> {
        if status == ConnectionStatus::Disconnected {
            return Err(Error::new(ErrorKind::Internal, "a connection is ended by `disconnect`"));
        }
        self.end_with(id, status, false).await
    }

    /// Ends a connection: its credentials are deleted, its data stays, and whoever syncs it at this moment can write
    /// nothing any more. Connecting the same account again goes on where it stood.
    ///
    /// # Errors
    /// If there is no such connection, or the database fails.
    pub async fn disconnect(&self, id: ConnectionId) -> Result<()> {
        self.end_with(id, ConnectionStatus::Disconnected, true).await
    }

    async fn end_with(&self, id: ConnectionId, status: ConnectionStatus, revoke: bool) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Full).await?;
        let args =
            Args::new().with(id.as_bytes().as_slice()).with(status.as_str()).with(self.now().as_micros());
        let Some(changed) = row(&mut tx, sql::CONNECTION_SET_STATUS, args).await? else {
            tx.rollback().await?;
            return Err(no_such("connection").with("connection", id));
        };
        if revoke {
            let connection: i64 = get(&changed, 0)?;
            execute(&mut tx, sql::CREDENTIALS_DELETE, Args::new().with(connection)).await?;
            execute(&mut tx, sql::LEASE_REVOKE, Args::new().with(connection)).await?;
        }
        tx.commit().await
    }
}
