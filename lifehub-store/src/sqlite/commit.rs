//! The commit of a batch: the fence, then items, records, roll-ups, feed, state and ledger in one transaction, each in
//! a few statements over many rows.

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::engine::{Batch, ItemPut, Lease, Seen};
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteConnection;

use super::changes::Changes;
use super::database::Durability;
use super::leases::{fence_args, lost};
use super::rows::json_list;
use super::statement::{Args, execute, get, get_u64, row, signed};
use super::sync::missing_args;
use super::users::zone;
use super::{Store, inbox, items, runs, sql};

pub(super) async fn commit(store: &Store, lease: &Lease, batch: Batch) -> Result<()> {
    if batch.partition.connection != lease.connection {
        return Err(Error::new(
            ErrorKind::Internal,
            "the batch is not of the connection that the lease is of",
        ));
    }
    let mut tx = store.0.db.write(Durability::Page).await?;
    let Some(base) = Base::fence(&mut tx, lease, store.term_micros(), batch.now).await? else {
        tx.rollback().await?;
        return Err(lost(lease));
    };
    // Boxed, because so many awaits make a large future, which every caller would carry along.
    Box::pin(write(&mut tx, base, batch)).await?;
    tx.commit().await
}

/// What the rows of a batch build on.
pub(super) struct Base {
    pub(super) connection: i64,
    pub(super) user: i64,
    /// The latest number of the user's feed. It is taken inside the one write transaction: nobody sees a number
    /// before all smaller ones.
    pub(super) seq: u64,
    pub(super) zone: Zone,
    pub(super) last_item: i64,
    pub(super) last_record: i64,
    pub(super) now: i64,
}

impl Base {
    /// Renews the lease; `None` if it does not hold any more.
    async fn fence(
        conn: &mut SqliteConnection,
        lease: &Lease,
        term: i64,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let Some(found) = row(conn, sql::FENCE, fence_args(lease).with(term)).await? else { return Ok(None) };
        Ok(Some(Self {
            connection: get(&found, 0)?,
            user: get(&found, 1)?,
            seq: get_u64(&found, 2)?,
            zone: zone(get(&found, 3)?),
            last_item: get(&found, 4)?,
            last_record: get(&found, 5)?,
            now: now.as_micros(),
        }))
    }

    pub(super) fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        signed(self.seq)
    }
}

async fn write(conn: &mut SqliteConnection, mut base: Base, batch: Batch) -> Result<()> {
    let Batch { partition: key, puts, seen, hold, taken, state, run, .. } = batch;
    let state = serde_json::to_string(&state)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("a state does not fit JSON: {e}")))?;
    let args =
        Args::new().with(base.connection).with(key.stream.as_str()).with(key.partition.as_str()).with(state);
    let made = row(conn, sql::PARTITION_UPSERT, args).await?;
    let partition: i64 = made.map_or(Ok(0), |row| get(&row, 0))?;

    let seq = base.seq;
    put_items(conn, &mut base, partition, puts).await?;
    if base.seq != seq {
        let args = Args::new().with(base.user).with(signed(base.seq));
        execute(conn, sql::USER_SET_SEQ, args).await?;
    }
    if let Some(seen) = seen {
        stamp(conn, partition, &seen).await?;
    }
    if let Some(missing) = hold {
        execute(conn, sql::ITEMS_HOLD, missing_args(partition, missing)).await?;
    }
    if let Some(up_to) = taken {
        inbox::take(conn, base.connection, &key, up_to).await?;
    }
    runs::put(conn, base.connection, &run).await
}

async fn stamp(conn: &mut SqliteConnection, partition: i64, seen: &Seen) -> Result<()> {
    let items: Vec<i64> = seen.items.iter().map(|item| item.0).collect();
    let args = Args::new()
        .with(partition)
        .with(json_list(&items))
        .with(signed(seen.generation))
        .with(seen.observed.as_micros());
    let stamped = execute(conn, sql::ITEMS_SEEN, args).await?;
    expect_rows(stamped, seen.items.len())
}

/// A batch that names rows that are not there must change nothing at all.
pub(super) fn expect_rows(changed: u64, expected: usize) -> Result<()> {
    if changed == expected as u64 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, "the batch names rows that are not stored"))
}

async fn put_items(
    conn: &mut SqliteConnection,
    base: &mut Base,
    partition: i64,
    puts: Vec<ItemPut>,
) -> Result<()> {
    let last = base.last_item;
    // The statement that replaces rows would make those that are not there.
    expect_rows(0, puts.iter().filter(|put| put.item.is_some_and(|item| item.0 > last)).count())?;
    let mut id_of = |put: &ItemPut| {
        put.item.map_or_else(
            || {
                base.last_item += 1;
                base.last_item
            },
            |item| item.0,
        )
    };
    let puts: Vec<_> = puts.into_iter().map(|put| (id_of(&put), put)).collect();
    items::put(conn, partition, &puts, base.now).await?;
    let mut changes = Changes::default();
    for (item, put) in puts {
        for change in put.records {
            changes.add(item, put.sighting.normalizer, change);
        }
    }
    changes.write(conn, base).await
}
