//! Connections: made, renewed, listed, ended.

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::Connection;
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};

use super::rows::user_id;
use super::users::zone;
use super::{Store, vault};
use crate::account::{ConnectionFilter, ConnectionInfo, ConnectionStatus, NewConnection};
use crate::database::{
    Args, Conn, Durability, Place, Row, Scope, execute, get, get_bytes, no_such, row, rows,
};
use crate::seal::Owner;
use crate::sql::{accounts as sql, work};

/// A connection as the engine needs it: the first columns of a row.
pub(super) fn connection(row: &Row) -> Result<Connection> {
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

fn info(row: &Row) -> Result<ConnectionInfo> {
    Ok(ConnectionInfo {
        connection: connection(row)?,
        status: ConnectionStatus::from_name(get(row, 6)?),
        created_at: Timestamp::from_micros(get(row, 7)?),
        changed_at: Timestamp::from_micros(get(row, 8)?),
    })
}

/// Makes a connection, or finds the one of that account: its row and its id.
async fn upsert(
    conn: &mut Conn,
    user: i64,
    fresh: ConnectionId,
    new: &NewConnection,
    now: Timestamp,
) -> Result<(Place, ConnectionId)> {
    let args = Args::of(user)
        .with(fresh.as_bytes())
        .with(new.provider.as_str())
        .with(known(new.account.as_deref()))
        .with(new.settings.to_string())
        .with(now.as_micros());
    let made = row(conn, sql::CONNECTION_UPSERT, args).await?.ok_or_else(|| no_such("connection"))?;
    let place = Place { user, connection: get(&made, 0)? };
    Ok((place, ConnectionId::from_bytes(get_bytes(&made, 1)?)))
}

fn refused(named: ConnectionId, text: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, text).with("connection", named).hint(hint)
}

/// Renews a connection that was named, if all agrees with it.
async fn renew(
    conn: &mut Conn,
    Place { user, connection }: Place,
    named: ConnectionId,
    new: &NewConnection,
    now: Timestamp,
) -> Result<()> {
    let found = row(conn, sql::CONNECTION_ROW, Args::of(user).with(connection)).await?;
    let found = found.ok_or_else(|| no_such("connection").with("connection", named))?;
    if get::<&str>(&found, 0)? != new.provider {
        let text = "the connection is one of another provider";
        return Err(refused(named, text, "name one of this provider's"));
    }
    let stored: Option<String> = get(&found, 1)?;
    let account = match (stored, known(new.account.as_deref())) {
        (Some(stored), Some(account)) if stored != account => {
            return Err(refused(
                named,
                "the provider says that this is another account than the connection's",
                "log out at the provider and in to the connection's account, then try again; to have both \
                 accounts, connect this one without naming a connection",
            ));
        }
        (None, Some(account)) => {
            let args = Args::of(user).with(new.provider.as_str()).with(account);
            if row(conn, sql::CONNECTION_OF_ACCOUNT, args).await?.is_some() {
                return Err(refused(
                    named,
                    "the account is the one of another connection of this user",
                    "connect it without naming a connection: that renews its own",
                ));
            }
            Some(account.to_owned())
        }
        (stored, _) => stored,
    };
    let args =
        Args::of(user).with(connection).with(account).with(new.settings.to_string()).with(now.as_micros());
    execute(conn, sql::CONNECTION_RENEW, args).await?;
    Ok(())
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
        let user = self.user_row(new.user).await?;
        let (scope, renewed) = match new.renew {
            None => (Scope::User(user), None),
            Some(named) => {
                let place = self.place(named).await?;
                if place.user != user {
                    let text = "the connection is another user's";
                    return Err(refused(named, text, "name one of this user's connections"));
                }
                (Scope::Feed(place), Some((place, named)))
            }
        };
        let mut tx = self.0.db.write(scope, Durability::Full).await?;
        let placed = match renewed {
            Some((place, named)) => renew(&mut tx, place, named, &new, now).await.map(|()| (place, named)),
            None => upsert(&mut tx, user, fresh, &new, now).await,
        };
        let (place, connection) = match placed {
            Ok(placed) => placed,
            Err(error) => {
                tx.rollback().await?;
                return Err(error);
            }
        };
        let owner = Owner { user: new.user, connection };
        vault::put(&mut tx, &self.0.keys, (place, owner), &new.credentials, now.as_micros()).await?;
        execute(&mut tx, work::DUE_NOW, Args::at(place)).await?;
        tx.tell_due().await?;
        tx.commit().await?;
        Ok((connection, connection == fresh))
    }

    /// Connections, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn connections(&self, filter: ConnectionFilter) -> Result<Vec<ConnectionInfo>> {
        let (scope, user) = match filter.user {
            None => (Scope::All, None),
            Some(user) => match self.find_user(user).await? {
                Some(user) => (Scope::User(user), Some(user)),
                None => return Ok(Vec::new()),
            },
        };
        let args = Args::new().with(user).with(filter.id.as_ref().map(|id| &id.as_bytes()[..]));
        rows(&mut self.0.db.read(scope).await?, sql::CONNECTIONS, args).await?.iter().map(info).collect()
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
        let place = self.place(id).await?;
        let now = self.now().as_micros();
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Full).await?;
        let args = Args::at(place).with(status.as_str()).with(now);
        if execute(&mut tx, sql::CONNECTION_SET_STATUS, args).await? == 0 {
            tx.rollback().await?;
            return Err(no_such("connection").with("connection", id));
        }
        if revoke {
            execute(&mut tx, sql::CREDENTIALS_DELETE, Args::at(place)).await?;
            execute(&mut tx, sql::CREDENTIALS_RAISE, Args::at(place).with(now)).await?;
            execute(&mut tx, work::LEASE_REVOKE, Args::at(place)).await?;
            execute(&mut tx, work::INBOX_CLEAR, Args::at(place)).await?;
        }
        tx.commit().await
    }
}
