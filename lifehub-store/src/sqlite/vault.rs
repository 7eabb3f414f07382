//! Credentials, sealed: what the database holds of them is of no use without the master key.

use async_trait::async_trait;
use lifehub_core::engine::Vault;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteConnection;

use super::Store;
use super::database::{Database, Durability};
use super::fault::no_such;
use super::rows::user_id;
use super::sql;
use super::statement::{Args, execute, get, get_bytes, row};
use crate::account::ConnectionStatus;
use crate::key::KeySource;
use crate::seal::{KeyId, Owner, SealKey, SealedCredentials};

/// The row that names the master key under which everything is sealed.
const MASTER_KEY: &str = "master_key";

/// Loads the master key and compares it with the one that this database knows.
pub(super) async fn unlock(db: &Database, source: &KeySource) -> Result<SealKey> {
    let mut conn = db.read().await?;
    let sealed = any_credentials(&mut conn).await?;
    let key = source.load(!sealed)?;
    if sealed {
        assert_key(&mut conn, key.id()).await?;
    }
    Ok(key)
}

async fn any_credentials(conn: &mut SqliteConnection) -> Result<bool> {
    row(conn, sql::ANY_CREDENTIALS, Args::new()).await?.map_or(Ok(false), |row| get(&row, 0))
}

async fn assert_key(conn: &mut SqliteConnection, key: KeyId) -> Result<()> {
    let known = row(conn, sql::META_GET, Args::new().with(MASTER_KEY)).await?;
    let known = known.map(|row| get_bytes(&row, 0)).transpose()?;
    if known.is_some_and(|known| KeyId(known) != key) {
        return Err(Error::new(ErrorKind::Invalid, "this is not the master key of this database")
            .hint("restore the key that the database was made with: no other opens its credentials"));
    }
    Ok(())
}

/// Seals and writes the credentials of a connection.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    key: &SealKey,
    row: (i64, Owner),
    credentials: &Credentials,
    now: i64,
) -> Result<()> {
    if any_credentials(conn).await? {
        // Another process may have sealed first, under another key.
        assert_key(conn, key.id()).await?;
    } else {
        execute(conn, sql::META_SET, Args::new().with(MASTER_KEY).with(key.id().0.as_slice())).await?;
    }
    let (connection, owner) = row;
    let sealed = SealedCredentials::seal(key, owner, credentials)?;
    let args = Args::new()
        .with(connection)
        .with(sealed.master_key.0.as_slice())
        .with(sealed.data_key_id.0.as_slice())
        .with(sealed.data_key)
        .with(sealed.credentials)
        .with(now);
    execute(conn, sql::CREDENTIALS_SET, args).await?;
    Ok(())
}

struct Row {
    id: i64,
    owner: Owner,
    status: ConnectionStatus,
}

async fn owner(conn: &mut SqliteConnection, connection: ConnectionId) -> Result<Row> {
    let found = row(conn, sql::CREDENTIALS_OWNER, Args::new().with(connection.as_bytes().as_slice())).await?;
    let found = found.ok_or_else(|| no_such("connection").with("connection", connection))?;
    let owner = Owner { user: user_id(&found, 1)?, connection };
    Ok(Row { id: get(&found, 0)?, owner, status: ConnectionStatus::from_name(get(&found, 2)?) })
}

impl Store {
    /// Replaces the credentials of a connection, as after a refresh. They are durable when this returns.
    ///
    /// # Errors
    /// If there is no such connection, its user ended it, or the database fails.
    pub async fn save_credentials(&self, connection: ConnectionId, credentials: &Credentials) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Full).await?;
        let Row { id, owner, status } = owner(&mut tx, connection).await?;
        if status == ConnectionStatus::Disconnected {
            tx.rollback().await?;
            return Err(ended(connection));
        }
        put(&mut tx, &self.0.key, (id, owner), credentials, self.now().as_micros()).await?;
        tx.commit().await
    }
}

#[async_trait]
impl Vault for Store {
    async fn credentials(&self, connection: ConnectionId) -> Result<Credentials> {
        let mut conn = self.0.db.read().await?;
        let Row { id, owner, .. } = owner(&mut conn, connection).await?;
        let sealed = row(&mut conn, sql::CREDENTIALS_GET, Args::new().with(id)).await?;
        let sealed = sealed.ok_or_else(|| ended(connection))?;
        let sealed = SealedCredentials {
            master_key: KeyId(get_bytes(&sealed, 0)?),
            data_key_id: KeyId(get_bytes(&sealed, 1)?),
            data_key: get(&sealed, 2)?,
            credentials: get(&sealed, 3)?,
        };
        sealed.open(&self.0.key, owner).map_err(|e| e.with("connection", connection))
    }
}

fn ended(connection: ConnectionId) -> Error {
    Error::new(ErrorKind::Unauthorized, "the connection has no credentials: its user ended it")
        .with("connection", connection)
        .hint("connect the account again")
}
