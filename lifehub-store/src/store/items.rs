//! Writing the items of a batch: identity rows, bodies, quarantine.

use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{BodyChange, ItemPut, Sighting};

use super::commit::expect_rows;
use super::rows::item_state;
use crate::database::{Args, Conn, Name, execute};
use crate::sql::commit as sql;

/// Writes items, each with the id of its row.
pub(super) async fn put(
    conn: &mut Conn,
    (user, partition): (i64, i64),
    puts: &[(i64, ItemPut)],
    now: i64,
) -> Result<()> {
    put_identities(conn, user, partition, puts).await?;
    put_bodies(conn, user, puts).await?;
    put_quarantine(conn, user, puts, now).await
}

async fn put_identities(conn: &mut Conn, user: i64, partition: i64, puts: &[(i64, ItemPut)]) -> Result<()> {
    let mut new = sql::ITEMS_INSERT.begin(puts.len());
    let mut known = sql::ITEMS_UPSERT.begin(0);
    for (row, put) in puts {
        let rows = if put.item.is_none() { &mut new } else { &mut known };
        rows.push(*row);
        let Sighting { id, hash, normalizer, generation, at, version, observed, state } = &put.sighting;
        rows.push(Name(id.as_str()));
        rows.push(hash.as_bytes());
        rows.push(*normalizer);
        rows.push(generation.cast_signed());
        rows.push(at.map(Timestamp::as_micros));
        rows.push(version.map(u64::cast_signed));
        rows.push(observed.as_micros());
        rows.push(item_state(*state));
        rows.push(put.quarantine.is_some());
    }
    let args = || Args::of(user).with(partition);
    let written = new.execute(conn, args()).await? + known.execute(conn, args()).await?;
    expect_rows(written, puts.len())
}

async fn put_bodies(conn: &mut Conn, user: i64, puts: &[(i64, ItemPut)]) -> Result<()> {
    let mut new = sql::BODIES_INSERT.begin(puts.len());
    let mut known = sql::BODIES_UPSERT.begin(0);
    let mut dropped = Vec::new();
    for (id, put) in puts {
        match &put.body {
            BodyChange::Store(body) => {
                let rows = if put.item.is_none() { &mut new } else { &mut known };
                rows.push(*id);
                rows.push(body.as_bytes());
            }
            BodyChange::Drop => dropped.push(*id),
            BodyChange::Keep => {}
        }
    }
    new.execute(conn, Args::of(user)).await?;
    known.execute(conn, Args::of(user)).await?;
    if !dropped.is_empty() {
        execute(conn, sql::BODIES_DELETE, Args::of(user).with(dropped)).await?;
    }
    Ok(())
}

async fn put_quarantine(conn: &mut Conn, user: i64, puts: &[(i64, ItemPut)], now: i64) -> Result<()> {
    let mut taken = sql::QUARANTINE_UPSERT.begin(0);
    let mut freed = Vec::new();
    for (id, put) in puts {
        match &put.quarantine {
            Some(quarantine) => {
                taken.push(*id);
                taken.push(Name(quarantine.reason.as_str()));
                taken.push(quarantine.body.as_bytes());
                taken.push(put.sighting.normalizer);
            }
            // A new item was never there.
            None if put.item.is_some() => freed.push(*id),
            None => {}
        }
    }
    taken.execute(conn, Args::of(user).with(now)).await?;
    if !freed.is_empty() {
        execute(conn, sql::QUARANTINE_DELETE, Args::of(user).with(freed)).await?;
    }
    Ok(())
}
