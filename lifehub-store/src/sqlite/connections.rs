//! Connections: made, renewed, listed, ended.

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::Connection;
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Store;
use super::database::Durability;
use super::fault::no_such;
use super::rows::user_id;
use super::statement::{Args, execute, get, get_bytes, row, rows};
use super::users::{user_row, zone};
use super::{sql, vault};
use crate::account::{ConnectionFilter, ConnectionInfo, ConnectionStatus, NewConnection};
use crate::seal::Owner;

/// A connection as the engine needs it: the first columns of a row.
pub(super) fn connection(row: &SqliteRow) -> Result<Connection> {
    let settings = serde_json::from_str(get(row, 4)?).map_err(|_| {
        Error::new(ErrorKind::Storage, "the stored settings of a connection are unreadable")
            .hint("connect the account again")
    })?;
    Ok(Connection {
        id: ConnectionId::from_bytes(get_bytes(row, 0)?),
        user: user_id(row, 1)?,
        provider: get(row, 2)?,
        account: get(row, 3)?,
        settings,
        zone: zone(get(row, 5)?),
    })
}

fn info(row: &SqliteRow) -> Result<ConnectionInfo> {
    Ok(ConnectionInfo {
        connection: connection(row)?,
        status: ConnectionStatus::from_name(get(row, 6)?),
        created_at: Timestamp::from_micros(get(row, 7)?),
        changed_at: Timestamp::from_micros(get(row, 8)?),
    })
}

/// Makes a connection, or finds the one of that account: its row and its id.
async fn upsert(
    conn: &mut SqliteConnection,
    user: i64,
    fresh: ConnectionId,
    new: &NewConnection,
    now: Timestamp,
) -> Result<(i64, ConnectionId)> {
    let args = Args::new()
        .with(fresh.as_bytes().as_slice())
        .with(user)
        .with(new.provider.as_str())
        .with(known(new.account.as_deref()))
        .with(new.settings.to_string())
        .with(now.as_micros());
    let made = row(conn, sql::CONNECTION_UPSERT, args).await?.ok_or_else(|| no_such("connection"))?;
    Ok((get(&made, 0)?, ConnectionId::from_bytes(get_bytes(&made, 1)?)))
}

/// Renews a connection that was named, if all agrees with it; gives its row.
async fn renew(
    conn: &mut SqliteConnection,
    user: i64,
    named: ConnectionId,
    new: &NewConnection,
    now: Timestamp,
) -> Result<i64> {
    let refused = |text: &str, hint: &str| {
        Err(Error::new(ErrorKind::Invalid, text).with("connection", named).hint(hint))
    };
    let found = row(conn, sql::CONNECTION_ROW, Args::new().with(named.as_bytes().as_slice())).await?;
    let found = found.ok_or_else(|| no_such("connection").with("connection", named))?;
    if user_id(&found, 1)? != new.user {
        return refused("the connection is another user's", "name one of this user's connections");
    }
    if get::<&str>(&found, 2)? != new.provider {
        return refused("the connection is one of another provider", "name one of this provider's");
    }
    let stored: Option<String> = get(&found, 3)?;
    let account = match (stored, known(new.account.as_deref())) {
        (Some(stored), Some(account)) if stored != account => {
            return refused(
                "the provider says that this is another account than the connection's",
                "log out at the provider and in to the connection's account, then try again; to have both \
                 accounts, connect this one without naming a connection",
            );
        }
        (None, Some(account)) => {
            let args = Args::new().with(user).with(new.provider.as_str()).with(account);
            if row(conn, sql::CONNECTION_OF_ACCOUNT, args).await?.is_some() {
                return refused(
                    "the account is the one of another connection of this user",
                    "connect it without naming a connection: that renews its own",
                );
            }
            Some(account.to_owned())
        }
        (stored, _) => stored,
    };
    let id: i64 = get(&found, 0)?;
    let args = Args::new().with(id).with(account).with(new.settings.to_string()).with(now.as_micros());
    execute(conn, sql::CONNECTION_RENEW, args).await?;
    Ok(id)
}

/// An account that is none is not known.
fn known(account: Option<&str>) -> Option<&str> {
    account.filter(|account| !account.is_empty())
}

impl Store {
    /// Makes a connection, or renews the one that the user has with that account: settings and credentials are
    /// replaced, data and cursors stay. Says whether it is new.
    ///
    /// # Errors
    /// If there is no such user, or the database fails. For one that is to be [renewed](NewConnection::renew):
    /// [`ErrorKind::NotFound`] if it is not there, and [`ErrorKind::Invalid`] if it is another user's, another
    /// provider's or, as far as both are known, another account's. Nothing is saved then.
    pub async fn connect(&self, new: NewConnection) -> Result<(ConnectionId, bool)> {
        let now = self.now();
        let fresh = ConnectionId::new(now, &self.0.rng);
        let mut tx = self.0.db.write(Durability::Full).await?;
        let user = user_row(&mut tx, new.user).await?;
        let placed = match new.renew {
            Some(named) => renew(&mut tx, user.id, named, &new, now).await.map(|row| (row, named)),
            None => upsert(&mut tx, user.id, fresh, &new, now).await,
        };
        let (row, connection) = match placed {
            Ok(placed) => placed,
            Err(error) => {
                tx.rollback().await?;
                return Err(error);
            }
        };
        let owner = Owner { user: new.user, connection };
        vault::put(&mut tx, &self.0.keys, (row, owner), &new.credentials, now.as_micros()).await?;
        execute(&mut tx, sql::DUE_NOW, Args::new().with(row)).await?;
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
            let now = self.now().as_micros();
            execute(&mut tx, sql::CREDENTIALS_RAISE, Args::new().with(connection).with(now)).await?;
            execute(&mut tx, sql::LEASE_REVOKE, Args::new().with(connection)).await?;
            execute(&mut tx, sql::INBOX_CLEAR, Args::new().with(connection)).await?;
        }
        tx.commit().await
    }
}
