//! The commit of a batch: the fence, then items, records, roll-ups, feed, state and ledger in one transaction, each in
//! a few statements over many rows.

use lifehub_core::clock::Zone;
use lifehub_core::engine::{Batch, ItemPut, Lease, RecordChange, Seen};
use lifehub_core::{Error, ErrorKind, Result};

use super::changes::Changes;
use super::leases::{fence_args, lost};
use super::sync::{missing_args, partition_args};
use super::users::zone;
use super::{Store, inbox, items, runs};
use crate::database::{Args, Conn, Durability, Place, Scope, execute, get, get_u64, no_such, row, signed};
use crate::sql::commit as sql;

pub(super) async fn commit(store: &Store, lease: &Lease, batch: Batch) -> Result<()> {
    if batch.partition.connection != lease.connection {
        return Err(Error::new(
            ErrorKind::Internal,
            "the batch is not of the connection that the lease is of",
        ));
    }
    let Some(place) = store.find_place(lease.connection).await? else { return Err(lost(lease)) };
    let mut tx = store.0.db.write(Scope::Page(place), Durability::Page).await?;
    // The user comes before the connection, as everywhere. A page without news leaves the user to others.
    let base = match batch.puts.as_slice() {
        [] => None,
        puts => Some(Base::take(&mut tx, place, puts, batch.now.as_micros()).await?),
    };
    let args = fence_args(place, lease).with(store.term_micros());
    if execute(&mut tx, sql::FENCE, args).await? == 0 {
        tx.rollback().await?;
        return Err(lost(lease));
    }
    // Boxed, because so many awaits make a large future, which every caller would carry along.
    Box::pin(write(&mut tx, place, base, batch)).await?;
    tx.commit().await
}

/// What the rows of a batch build on. The numbers are taken inside the transaction, which has the user to itself: nobody
/// sees a number before all smaller ones.
pub(super) struct Base {
    pub(super) place: Place,
    /// The latest number of the user's feed.
    pub(super) seq: u64,
    pub(super) zone: Zone,
    pub(super) last_item: i64,
    pub(super) last_record: i64,
    pub(super) now: i64,
}

impl Base {
    /// Takes as many numbers as these items may need.
    async fn take(conn: &mut Conn, place: Place, puts: &[ItemPut], now: i64) -> Result<Self> {
        let items = puts.iter().filter(|put| put.item.is_none()).count();
        let changes = puts.iter().map(|put| put.records.len()).sum::<usize>();
        let new = |change: &&RecordChange| matches!(change, RecordChange::Insert { .. });
        let records = puts.iter().flat_map(|put| &put.records).filter(new).count();
        let [changes, items, records] = [changes, items, records].map(|count| signed(count as u64));
        let args = Args::of(place.user).with(changes).with(items).with(records);
        let found = row(conn, sql::USER_ADVANCE, args).await?.ok_or_else(|| no_such("user"))?;
        Ok(Self {
            place,
            seq: get_u64(&found, 0)?,
            zone: zone(get(&found, 1)?),
            last_item: get(&found, 2)?,
            last_record: get(&found, 3)?,
            now,
        })
    }

    pub(super) fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        signed(self.seq)
    }
}

async fn write(conn: &mut Conn, place: Place, base: Option<Base>, batch: Batch) -> Result<()> {
    let Batch { partition: key, puts, seen, hold, taken, state, run, .. } = batch;
    let state = serde_json::to_string(&state)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("a state does not fit JSON: {e}")))?;
    let args = partition_args(place, &key).with(state);
    let made = row(conn, sql::PARTITION_UPSERT, args).await?;
    let partition: i64 = made.map_or(Ok(0), |row| get(&row, 0))?;

    if let Some(mut base) = base {
        put_items(conn, &mut base, partition, puts).await?;
    }
    if let Some(seen) = seen.filter(|seen| !seen.items.is_empty()) {
        stamp(conn, (place.user, partition), seen).await?;
    }
    if let Some(missing) = hold {
        execute(conn, sql::ITEMS_HOLD, missing_args(place.user, partition, missing)).await?;
    }
    if let Some(up_to) = taken {
        inbox::take(conn, place, &key, up_to).await?;
    }
    runs::put(conn, place, &run).await
}

async fn stamp(conn: &mut Conn, (user, partition): (i64, i64), seen: Seen) -> Result<()> {
    let count = seen.items.len();
    let items: Vec<i64> = seen.items.into_iter().map(|item| item.0).collect();
    let args = Args::of(user)
        .with(partition)
        .with(items)
        .with(signed(seen.generation))
        .with(seen.observed.as_micros());
    let stamped = execute(conn, sql::ITEMS_SEEN, args).await?;
    expect_rows(stamped, count)
}

/// A batch that names rows that are not there must change nothing at all.
pub(super) fn expect_rows(changed: u64, expected: usize) -> Result<()> {
    if changed == expected as u64 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, "the batch names rows that are not stored"))
}

async fn put_items(conn: &mut Conn, base: &mut Base, partition: i64, puts: Vec<ItemPut>) -> Result<()> {
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
    items::put(conn, (base.place.user, partition), &puts, base.now).await?;
    let mut changes = Changes::default();
    for (item, put) in puts {
        for change in put.records {
            changes.add(item, put.sighting.normalizer, change);
        }
    }
    changes.write(conn, base).await
}
