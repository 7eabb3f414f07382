//! Rotating the master key while everything runs. Who begins or ends a rotation is alone, and nobody seals
//! meanwhile: in SQLite the one turn at writing is that lock.
//!
//! In this order, each step durable before the next: the new key stands in the key file before the old one; the database
//! names the new one, and from then on seals nothing under the old; the data keys are sealed anew; the old key leaves
//! the file. Killed between any two steps, everything opens, and the next rotation goes on there.

use std::time::Duration;

use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};

use super::rows::user_id;
use super::{Store, vault};
use crate::database::{
    Args, Conn, Durability, KeyLock, Row, Scope, execute, get, get_bytes, get_u64, row, rows,
};
use crate::seal::{KeyId, Owner, SealKey, rewrap};
use crate::sql::accounts as sql;

/// Data keys in one transaction.
const BATCH: u32 = 256;
/// Between two transactions, so that other processes get their turn: they ask for it now and then.
const PAUSE: Duration = Duration::from_millis(10);

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// How many credentials came under the new key.
    pub rewrapped: u64,
    /// What the new key is called, in hexadecimal digits. It tells nothing about the key.
    pub key: String,
}

impl Store {
    /// Replaces the master key, or goes on with a rotation that was stopped. Other processes may read and save
    /// credentials all the while, and need not be started anew if the key is in a file. `progress` hears how many
    /// credentials of how many are done.
    ///
    /// A key file gets a new key, and loses the old one at the end. Of keys given as text, the first is the new one, and
    /// the others can be dropped when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if there is no new key to rotate to, or none that is kept; else if key file or database
    /// fail, or credentials do not open: the old key is kept then.
    pub async fn rotate_keys(&self, mut progress: impl FnMut(u64, u64) + Send) -> Result<Rotation> {
        let key = self.begin_rotation().await?;
        let all = left(&mut self.0.db.read(Scope::All).await?, key.id()).await?;
        let (mut rewrapped, mut after) = (0, 0);
        progress(0, all);
        while let Some((count, last)) = self.rewrap_after(&key, after).await? {
            rewrapped += count;
            after = last;
            progress(rewrapped, all);
            self.0.clock.sleep(PAUSE).await;
        }
        self.end_rotation(&key).await?;
        Ok(Rotation { rewrapped, key: key.id().to_string() })
    }

    async fn begin_rotation(&self) -> Result<SealKey> {
        let mut tx = self.0.db.write(Scope::All, Durability::Full).await?;
        tx.lock_keys(KeyLock::Alone).await?;
        let present = vault::sealing_key(&mut tx, &self.0.keys).await?;
        let key = self.0.keys.begin(present.id())?;
        vault::name_key(&mut tx, key.id()).await?;
        tx.commit().await?;
        Ok(key)
    }

    /// Seals the next data keys anew: how many, and the last row that was looked at. `None` if there are no more.
    async fn rewrap_after(&self, key: &SealKey, after: i64) -> Result<Option<(u64, i64)>> {
        let mut tx = self.0.db.write(Scope::All, Durability::Full).await?;
        tx.lock_keys(KeyLock::Alone).await?;
        // If another key is named, the next rotation is under way already, thus this one is done.
        let found = match vault::named_key(&mut tx).await? {
            Some(named) if named == key.id() => {
                let args = Args::new().with(after).with(key.id().0.to_vec()).with(BATCH);
                rows(&mut tx, sql::REWRAP_NEXT, args).await?
            }
            _ => Vec::new(),
        };
        let Some(last) = found.last() else {
            tx.rollback().await?;
            return Ok(None);
        };
        let last = get(last, 0)?;
        let mut count = 0;
        for row in &found {
            if let Some(data_key) = self.rewrapped(row, key)? {
                let args = Args::of(get(row, 5)?).with(get::<i64>(row, 0)?);
                let args = args.with(key.id().0.to_vec()).with(data_key);
                count += execute(&mut tx, sql::REWRAP_SET, args).await?;
            }
        }
        tx.commit().await?;
        Ok(Some((count, last)))
    }

    /// The data key of a row, sealed anew; `None` if it does not open.
    fn rewrapped(&self, row: &Row, key: &SealKey) -> Result<Option<Vec<u8>>> {
        let owner =
            Owner { user: user_id(row, 1)?, connection: ConnectionId::from_bytes(get_bytes(row, 2)?) };
        let Ok(named) = get_bytes(row, 3) else { return Ok(None) };
        match self.0.keys.find(KeyId(named))? {
            Some(present) => rewrap(owner, &present, key, get(row, 4)?),
            None => Ok(None),
        }
    }

    async fn end_rotation(&self, key: &SealKey) -> Result<()> {
        // Nobody else begins or ends one meanwhile.
        let mut tx = self.0.db.write(Scope::All, Durability::Full).await?;
        tx.lock_keys(KeyLock::Alone).await?;
        if vault::named_key(&mut tx).await? == Some(key.id()) {
            let left = left(&mut tx, key.id()).await?;
            if left > 0 {
                tx.rollback().await?;
                return Err(stuck(left));
            }
            self.0.keys.end(key)?;
        }
        tx.rollback().await
    }
}

/// How many credentials are under other keys.
async fn left(conn: &mut Conn, key: KeyId) -> Result<u64> {
    let counted = row(conn, sql::REWRAP_COUNT, Args::new().with(&key.0)).await?;
    counted.map_or(Ok(0), |row| get_u64(&row, 0))
}

fn stuck(left: u64) -> Error {
    Error::new(
        ErrorKind::Storage,
        "some credentials do not open, so the old key is kept; the others are under the new one",
    )
    .with("credentials", left)
    .hint("`lifehub sync --all` names the connections: connect those accounts again, then rotate again to end it")
}
