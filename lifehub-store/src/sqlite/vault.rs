//! Credentials, sealed: what the database holds of them is of no use without the master key.

use lifehub_core::clock::Timestamp;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteConnection;

use super::database::Database;
use super::fault::no_such;
use super::rows::user_id;
use super::sql;
use super::statement::{Args, execute, get, get_bytes, get_u64, row, rows};
use crate::account::ConnectionStatus;
use crate::key::KeySource;
use crate::keyring::{Keyring, another_key};
use crate::seal::{KeyId, Owner, SealKey, SealedCredentials};

/// The row that names the master key under which new credentials are sealed.
const MASTER_KEY: &str = "master_key";

/// Loads the master keys. Among them must be the one that this database names.
pub(super) async fn unlock(db: &Database, source: KeySource) -> Result<Keyring> {
    let mut conn = db.read().await?;
    let keys = Keyring::load(source, !any_credentials(&mut conn).await?)?;
    let mut missing = None;
    while any_credentials(&mut conn).await?
        && let Some(id) = named_key(&mut conn).await?
        && keys.find(id)?.is_none()
    {
        // Another process may have rotated in between. One that is named before and after the file was read was to be
        // in it.
        if missing.replace(id) == Some(id) {
            return Err(another_key());
        }
    }
    Ok(keys)
}

async fn any_credentials(conn: &mut SqliteConnection) -> Result<bool> {
    row(conn, sql::ANY_CREDENTIALS, Args::new()).await?.map_or(Ok(false), |row| get(&row, 0))
}

/// Which key seals new credentials, if any were ever sealed.
pub(super) async fn named_key(conn: &mut SqliteConnection) -> Result<Option<KeyId>> {
    let named = row(conn, sql::META_GET, Args::new().with(MASTER_KEY)).await?;
    named.map(|row| get_bytes(&row, 0).map(KeyId)).transpose()
}

/// From now on this key seals new credentials.
pub(super) async fn name_key(conn: &mut SqliteConnection, id: KeyId) -> Result<()> {
    execute(conn, sql::META_SET, Args::new().with(MASTER_KEY).with(id.0.as_slice())).await?;
    Ok(())
}

/// The key that seals new credentials. It stays so until the end of the transaction in which this is asked.
pub(super) async fn sealing_key(conn: &mut SqliteConnection, keys: &Keyring) -> Result<SealKey> {
    let named = named_key(conn).await?;
    if let Some(id) = named
        && let Some(key) = keys.find(id)?
    {
        return Ok(key);
    }
    if named.is_some() && any_credentials(conn).await? {
        return Err(another_key());
    }
    let key = keys.first();
    name_key(conn, key.id()).await?;
    Ok(key)
}

/// Seals and writes the credentials of a connection.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    keys: &Keyring,
    row: (i64, Owner),
    credentials: &Credentials,
    now: i64,
) -> Result<()> {
    let (connection, owner) = row;
    let sealed = SealedCredentials::seal(&sealing_key(conn, keys).await?, owner, credentials)?;
    let args = Args::new()
        .with(connection)
        .with(sealed.master_key.0.as_slice())
        .with(sealed.data_key_id.0.as_slice())
        .with(sealed.data_key)
        .with(sealed.credentials)
        .with(now);
    execute(conn, sql::CREDENTIALS_SET, args).await?;
    execute(conn, sql::CREDENTIALS_RAISE, Args::new().with(connection).with(now)).await?;
    Ok(())
}

/// What a connection's row says of its credentials.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) owner: Owner,
    pub(super) status: ConnectionStatus,
    pub(super) revision: u64,
    pub(super) refused_at: Option<Timestamp>,
    sealed: Option<SealedCredentials>,
}

pub(super) async fn read(conn: &mut SqliteConnection, connection: ConnectionId) -> Result<Row> {
    let found = row(conn, sql::CREDENTIALS_GET, Args::new().with(connection.as_bytes().as_slice())).await?;
    let found = found.ok_or_else(|| no_such("connection").with("connection", connection))?;
    let sealed = match get::<Option<&[u8]>>(&found, 5)? {
        None => None,
        Some(_) => Some(SealedCredentials {
            master_key: KeyId(get_bytes(&found, 5)?),
            data_key_id: KeyId(get_bytes(&found, 6)?),
            data_key: get(&found, 7)?,
            credentials: get(&found, 8)?,
        }),
    };
    Ok(Row {
        id: get(&found, 0)?,
        owner: Owner { user: user_id(&found, 1)?, connection },
        status: ConnectionStatus::from_name(get(&found, 2)?),
        revision: get_u64(&found, 3)?,
        refused_at: get::<Option<i64>>(&found, 4)?.map(Timestamp::from_micros),
        sealed,
    })
}

/// Reads a connection's row and opens its credentials.
pub(super) async fn open(
    conn: &mut SqliteConnection,
    keys: &Keyring,
    connection: ConnectionId,
) -> Result<(Row, Credentials)> {
    let mut missing = None;
    loop {
        let row = read(conn, connection).await?;
        let sealed = row.sealed.as_ref().ok_or_else(|| ended(connection))?;
        if let Some(key) = keys.find(sealed.master_key)? {
            let credentials = sealed.open(&key, row.owner).map_err(|e| e.with("connection", connection))?;
            return Ok((row, credentials));
        }
        // As in `unlock`: a rotation may have ended in between.
        if missing.replace(sealed.master_key) == Some(sealed.master_key) {
            return Err(Error::new(
                ErrorKind::Storage,
                "the credentials are sealed under another master key",
            )
            .with("connection", connection)
            .hint("restore the master key that this database was made with, or connect the account again"));
        }
    }
}

/// How many credentials do not open.
pub(super) async fn count_unopened(conn: &mut SqliteConnection, keys: &Keyring) -> Result<u64> {
    let mut unopened = 0;
    for found in rows(conn, sql::CREDENTIALS_OF, Args::new()).await? {
        match open(conn, keys, ConnectionId::from_bytes(get_bytes(&found, 0)?)).await {
            Ok(_) => {}
            // Ended in the meantime.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unauthorized) => {}
            Err(_) => unopened += 1,
        }
    }
    Ok(unopened)
}

impl Row {
    /// An error if its user ended the connection.
    pub(super) fn still_on(&self) -> Result<()> {
        match self.status {
            ConnectionStatus::Disconnected => Err(ended(self.owner.connection)),
            _ => Ok(()),
        }
    }
}

fn ended(connection: ConnectionId) -> Error {
    Error::new(ErrorKind::Unauthorized, "the connection has no credentials: its user ended it")
        .with("connection", connection)
        .hint("connect the account again")
}
