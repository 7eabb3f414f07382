//! Users.

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::record::UserId;
use lifehub_core::{Error, ErrorKind, Result};

use super::Store;
use super::rows::user_id;
use crate::account::User;
use crate::database::{Args, Durability, Row, Scope, get, row, rows};
use crate::sql::accounts as sql;

/// A zone as it is stored; one that this machine's table no longer has is taken for UTC.
pub(super) fn zone(name: &str) -> Zone {
    name.parse().unwrap_or_else(|_| Zone::utc())
}

fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: user_id(row, 0)?,
        email: get(row, 1)?,
        zone: zone(get(row, 2)?),
        created_at: Timestamp::from_micros(get(row, 3)?),
    })
}

impl Store {
    /// Makes a user. The zone decides the local day of records whose provider tells no offset.
    ///
    /// # Errors
    /// If there is a user of that address, or it is none.
    pub async fn create_user(&self, email: &str, zone: &Zone) -> Result<UserId> {
        let email = email.trim();
        let has_name = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        if !has_name || email.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Error::new(ErrorKind::Invalid, "that is no e-mail address"));
        }
        let now = self.now();
        let id = UserId::new(now, &self.0.rng);
        let mut tx = self.0.db.write(Scope::All, Durability::Full).await?;
        let args = Args::new().with(id.as_bytes()).with(email).with(zone.name()).with(now.as_micros());
        if row(&mut tx, sql::USER_INSERT, args).await?.is_none() {
            tx.rollback().await?;
            return Err(Error::new(ErrorKind::Invalid, "there is a user of that e-mail address already"));
        }
        tx.commit().await?;
        Ok(id)
    }

    /// The user of that address, however it is capitalized.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let mut conn = self.0.db.read(Scope::All).await?;
        let found = row(&mut conn, sql::USER_BY_EMAIL, Args::new().with(email.trim())).await?;
        found.as_ref().map(user).transpose()
    }

    /// All users, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn users(&self) -> Result<Vec<User>> {
        let mut conn = self.0.db.read(Scope::All).await?;
        rows(&mut conn, sql::USERS, Args::new()).await?.iter().map(user).collect()
    }
}
