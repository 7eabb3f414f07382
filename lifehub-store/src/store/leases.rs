//! Leases with fencing: every claim raises the epoch, and the database's clock decides what has expired.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::engine::{Claim, Lease, Leases};
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};

use super::Store;
use crate::account::ConnectionStatus;
use crate::database::{
    Args, Conn, Durability, Place, Scope, Sql, Value, execute, get, get_u64, no_such, row, rows, signed,
};
use crate::sql::{commit, work as sql};

impl Store {
    /// The term in microseconds.
    pub(super) fn term_micros(&self) -> i64 {
        i64::try_from(self.0.term.as_micros()).unwrap_or(i64::MAX / 4)
    }

    /// Those of the holders that a statement names who are known to have ended.
    pub(super) async fn dead_among(&self, conn: &mut Conn, sql: Sql, args: Args<'_>) -> Result<Vec<String>> {
        if !self.0.holder.sees_others() {
            return Ok(Vec::new());
        }
        let names = rows(conn, sql, args).await?;
        let names = names.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>>>()?;
        Ok(names.into_iter().filter(|name| self.0.holder.is_dead(name)).collect())
    }

    /// Whether a statement names holders of whom one is not known to have ended.
    pub(crate) async fn is_worked_on(&self, holders: Sql) -> Result<bool> {
        let mut conn = self.0.db.read(Scope::All).await?;
        let names = rows(&mut conn, holders, Args::new()).await?;
        let names = names.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>>>()?;
        Ok(names.iter().any(|name| !self.0.holder.is_dead(name)))
    }

    /// Claims a connection, unless somebody holds it who is not known to have ended.
    pub(super) async fn claim_lease(
        &self,
        conn: &mut Conn,
        (place, connection): (Place, ConnectionId),
        dead: &[String],
    ) -> Result<Option<Lease>> {
        let holder = self.0.holder.name()?;
        let args = Args::at(place).with(holder).with(self.term_micros()).with(Value::texts(dead));
        let Some(claimed) = row(conn, sql::LEASE_CLAIM, args).await? else { return Ok(None) };
        Ok(Some(Lease { connection, epoch: get_u64(&claimed, 0)? }))
    }
}

/// Gives back every lease and every claim of this process.
pub(super) async fn give_all_back(store: &Store) -> Result<()> {
    let holder = store.0.holder.name()?;
    let mut tx = store.0.db.write(Scope::All, Durability::Page).await?;
    execute(&mut tx, sql::LEASES_OF_HOLDER, Args::new().with(holder)).await?;
    execute(&mut tx, sql::REFRESHES_OF_HOLDER, Args::new().with(holder)).await?;
    tx.commit().await
}

pub(super) fn lost(lease: &Lease) -> Error {
    Error::new(ErrorKind::LeaseLost, "another worker took over the connection, or its lease ran out")
        .with("connection", lease.connection)
}

pub(super) fn fence_args(place: Place, lease: &Lease) -> Args<'static> {
    Args::at(place).with(signed(lease.epoch))
}

#[async_trait]
impl Leases for Store {
    async fn claim(&self, connection: ConnectionId) -> Result<Claim> {
        let place = self.place(connection).await?;
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Page).await?;
        let Some(found) = row(&mut tx, sql::LEASE_GET, Args::at(place)).await? else {
            tx.rollback().await?;
            return Err(no_such("connection").with("connection", connection));
        };
        if ConnectionStatus::from_name(get(&found, 0)?) == ConnectionStatus::Disconnected {
            tx.rollback().await?;
            return Err(Error::new(ErrorKind::Invalid, "the connection was ended by its user")
                .with("connection", connection)
                .hint("connect the account again"));
        }
        let holder: Option<String> = get(&found, 2)?;
        let dead: Vec<String> = holder.into_iter().filter(|name| self.0.holder.is_dead(name)).collect();
        let Some(lease) = self.claim_lease(&mut tx, (place, connection), &dead).await? else {
            let epoch = get::<Option<i64>>(&found, 1)?.unwrap_or(0);
            tx.rollback().await?;
            return Ok(Claim::Busy { epoch: epoch.try_into().unwrap_or(0) });
        };
        tx.commit().await?;
        Ok(Claim::Held(lease))
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let Some(place) = self.find_place(lease.connection).await? else { return Err(lost(lease)) };
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Page).await?;
        let args = fence_args(place, lease).with(self.term_micros());
        let renewed = execute(&mut tx, commit::FENCE, args).await?;
        tx.commit().await?;
        if renewed == 1 { Ok(()) } else { Err(lost(lease)) }
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let Some(place) = self.find_place(lease.connection).await? else { return Ok(()) };
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Page).await?;
        execute(&mut tx, sql::LEASE_RELEASE, fence_args(place, lease)).await?;
        tx.commit().await
    }

    fn term(&self) -> Duration {
        self.0.term
    }
}
