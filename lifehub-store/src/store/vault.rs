//! Credentials, sealed: what the database holds of them is of no use without the master key.

use lifehub_core::clock::Timestamp;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};

use super::Store;
use super::rows::user_id;
use crate::account::ConnectionStatus;
use crate::database::{
    Args, Conn, Database, KeyLock, Place, Scope, execute, get, get_bytes, get_u64, no_such, row, rows,
};
use crate::key::KeySource;
use crate::keyring::{Keyring, another_key};
use crate::seal::{KeyId, Owner, SealKey, SealedCredentials};
use crate::sql::accounts as sql;

/// The row that names the master key under which new credentials are sealed.
const MASTER_KEY: &str = "master_key";

/// Loads the master keys. Among them must be the one that this database names.
pub(super) async fn unlock(db: &Database, source: KeySource) -> Result<Keyring> {
    let mut conn = db.read(Scope::All).await?;
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

async fn any_credentials(conn: &mut Conn) -> Result<bool> {
    row(conn, sql::ANY_CREDENTIALS, Args::new()).await?.map_or(Ok(false), |row| get(&row, 0))
}

/// Which key seals new credentials, if any were ever sealed.
pub(super) async fn named_key(conn: &mut Conn) -> Result<Option<KeyId>> {
    let named = row(conn, sql::META_GET, Args::new().with(MASTER_KEY)).await?;
    named.map(|row| get_bytes(&row, 0).map(KeyId)).transpose()
}

/// From now on this key seals new credentials.
pub(super) async fn name_key(conn: &mut Conn, id: KeyId) -> Result<()> {
    execute(conn, sql::META_SET, Args::new().with(MASTER_KEY).with(&id.0)).await?;
    Ok(())
}

/// The key that seals new credentials. It stays so until the end of the transaction in which this is asked.
pub(super) async fn sealing_key(conn: &mut Conn, keys: &Keyring) -> Result<SealKey> {
    let known = match named_key(conn).await? {
        Some(id) => keys.find(id)?.is_some(),
        None => false,
    };
    // Who may have to name a key is alone.
    conn.lock_keys(if known { KeyLock::Shared } else { KeyLock::Alone }).await?;
    let named = named_key(conn).await?;
    if let Some(id) = named
        && let Some(key) = keys.find(id)?
    {
        return Ok(key);
    }
    conn.widen().await?;
    if named.is_some() && any_credentials(conn).await? {
        return Err(another_key());
    }
    let key = keys.first();
    name_key(conn, key.id()).await?;
    Ok(key)
}

/// Seals and writes the credentials of a connection.
pub(super) async fn put(
    conn: &mut Conn,
    keys: &Keyring,
    (place, owner): (Place, Owner),
    credentials: &Credentials,
    now: i64,
) -> Result<()> {
    let sealed = SealedCredentials::seal(&sealing_key(conn, keys).await?, owner, credentials)?;
    let args = Args::at(place)
        .with(&sealed.master_key.0)
        .with(&sealed.data_key_id.0)
        .with(sealed.data_key)
        .with(sealed.credentials)
        .with(now);
    execute(conn, sql::CREDENTIALS_SET, args).await?;
    execute(conn, sql::CREDENTIALS_RAISE, Args::at(place).with(now)).await?;
    Ok(())
}

/// What a connection's row says of its credentials.
pub(super) struct Standing {
    pub(super) owner: Owner,
    pub(super) status: ConnectionStatus,
    pub(super) revision: u64,
    pub(super) refused_at: Option<Timestamp>,
    sealed: Option<SealedCredentials>,
}

pub(super) async fn read(conn: &mut Conn, connection: ConnectionId, place: Place) -> Result<Standing> {
    let found = row(conn, sql::CREDENTIALS_GET, Args::at(place)).await?;
    let found = found.ok_or_else(|| no_such("connection").with("connection", connection))?;
    let sealed = match get::<Option<&[u8]>>(&found, 4)? {
        None => None,
        Some(_) => Some(SealedCredentials {
            master_key: KeyId(get_bytes(&found, 4)?),
            data_key_id: KeyId(get_bytes(&found, 5)?),
            data_key: get(&found, 6)?,
            credentials: get(&found, 7)?,
        }),
    };
    Ok(Standing {
        owner: Owner { user: user_id(&found, 0)?, connection },
        status: ConnectionStatus::from_name(get(&found, 1)?),
        revision: get_u64(&found, 2)?,
        refused_at: get::<Option<i64>>(&found, 3)?.map(Timestamp::from_micros),
        sealed,
    })
}

/// Reads a connection's row and opens its credentials.
pub(super) async fn open(
    conn: &mut Conn,
    keys: &Keyring,
    connection: ConnectionId,
    place: Place,
) -> Result<(Standing, Credentials)> {
    let mut missing = None;
    loop {
        let found = read(conn, connection, place).await?;
        let sealed = found.sealed.as_ref().ok_or_else(|| ended(connection))?;
        if let Some(key) = keys.find(sealed.master_key)? {
            let credentials = sealed.open(&key, found.owner).map_err(|e| e.with("connection", connection))?;
            return Ok((found, credentials));
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

impl Store {
    /// How many credentials do not open.
    pub(crate) async fn count_unopened(&self) -> Result<u64> {
        let mut conn = self.0.db.read(Scope::All).await?;
        let mut unopened = 0;
        for found in rows(&mut conn, sql::CREDENTIALS_OF, Args::new()).await? {
            let id = ConnectionId::from_bytes(get_bytes(&found, 2)?);
            let place = Place { user: get(&found, 0)?, connection: get(&found, 1)? };
            match open(&mut conn, &self.0.keys, id, place).await {
                Ok(_) => {}
                // Ended in the meantime.
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unauthorized) => {}
                Err(_) => unopened += 1,
            }
        }
        Ok(unopened)
    }
}

impl Standing {
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
