//! Where users and connections stand: the rows behind the ids by which the world knows them. They never change, so each is
//! looked up once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use lifehub_core::Result;
use lifehub_core::record::{ConnectionId, UserId};

use super::Store;
use crate::database::{Args, Place, Scope, get, no_such, row};
use crate::sql::accounts as sql;

/// More than that are forgotten and looked up again.
const MOST: usize = 100_000;

#[derive(Default)]
pub(super) struct Places {
    users: Mutex<HashMap<UserId, i64>>,
    connections: Mutex<HashMap<ConnectionId, Place>>,
}

fn known<K: Hash + Eq, V: Copy>(of: &Mutex<HashMap<K, V>>, key: K) -> Option<V> {
    of.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
}

fn keep<K: Hash + Eq, V>(of: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut all = of.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MOST {
        all.clear();
    }
    all.insert(key, value);
}

impl Store {
    /// The row of a user, if there is one.
    pub(super) async fn find_user(&self, user: UserId) -> Result<Option<i64>> {
        if let Some(known) = known(&self.0.places.users, user) {
            return Ok(Some(known));
        }
        let mut conn = self.0.db.read(Scope::All).await?;
        let Some(found) = row(&mut conn, sql::USER_ROW, Args::new().with(user.as_bytes())).await? else {
            return Ok(None);
        };
        let id = get(&found, 0)?;
        keep(&self.0.places.users, user, id);
        Ok(Some(id))
    }

    /// The row of a user.
    pub(super) async fn user_row(&self, user: UserId) -> Result<i64> {
        self.find_user(user).await?.ok_or_else(|| no_such("user"))
    }

    /// The rows of a connection and its user, if there is one.
    pub(super) async fn find_place(&self, connection: ConnectionId) -> Result<Option<Place>> {
        if let Some(known) = known(&self.0.places.connections, connection) {
            return Ok(Some(known));
        }
        let mut conn = self.0.db.read(Scope::All).await?;
        let args = Args::new().with(connection.as_bytes());
        let Some(found) = row(&mut conn, sql::PLACE, args).await? else { return Ok(None) };
        let place = Place { user: get(&found, 0)?, connection: get(&found, 1)? };
        keep(&self.0.places.connections, connection, place);
        Ok(Some(place))
    }

    /// The rows of a connection and its user.
    pub(super) async fn place(&self, connection: ConnectionId) -> Result<Place> {
        let found = self.find_place(connection).await?;
        found.ok_or_else(|| no_such("connection").with("connection", connection))
    }
}
