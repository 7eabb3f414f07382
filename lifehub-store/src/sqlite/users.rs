//! Users.

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::record::UserId;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Store;
use super::database::Durability;
use super::fault::no_such;
use super::rows::user_id;
use super::sql;
use super::statement::{Args, execute, get, get_u64, row, rows};
use crate::account::User;

/// What changes of a user's records build on.
pub(super) struct UserRow {
    pub(super) id: i64,
    pub(super) seq: u64,
}

/// The row of a user.
pub(super) async fn user_row(conn: &mut SqliteConnection, user: UserId) -> Result<UserRow> {
    let found = row(conn, sql::USER_ROW, Args::new().with(user.as_bytes().as_slice())).await?;
    let found = found.ok_or_else(|| no_such("user"))?;
    Ok(UserRow { id: get(&found, 0)?, seq: get_u64(&found, 1)? })
}

/// A zone as it is stored; one that this machine's table no longer has is taken for UTC.
pub(super) fn zone(name: &str) -> Zone {
    name.parse().unwrap_or_else(|_| Zone::utc())
}

fn user(row: &SqliteRow) -> Result<User> {
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
        let mut tx = self.0.db.write(Durability::Full).await?;
        if row(&mut tx, sql::USER_BY_EMAIL, Args::new().with(email)).await?.is_some() {
            tx.rollback().await?;
            return Err(Error::new(ErrorKind::Invalid, "there is a user of that e-mail address already"));
        }
        let args =
            Args::new().with(id.as_bytes().as_slice()).with(email).with(zone.name()).with(now.as_micros());
        execute(&mut tx, sql::USER_INSERT, args).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The user of that address, however it is capitalized.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let args = Args::new().with(email.trim());
        row(&mut *self.0.db.read().await?, sql::USER_BY_EMAIL, args).await?.as_ref().map(user).transpose()
    }

    /// All users, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn users(&self) -> Result<Vec<User>> {
        rows(&mut *self.0.db.read().await?, sql::USERS, Args::new()).await?.iter().map(user).collect()
    }
}
