//! Writing the items of a batch: identity rows, bodies, quarantine.

use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{BodyChange, ItemPut, Sighting};
use sqlx::sqlite::SqliteConnection;

use super::commit::expect_rows;
use super::rows::{item_state, json_list};
use super::sql;
use super::statement::{Args, CHUNK, execute};

/// Writes items, each with the id of its row.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    partition: i64,
    puts: &[(i64, ItemPut)],
    now: i64,
) -> Result<()> {
    for chunk in puts.chunks(CHUNK) {
        put_identities(conn, partition, chunk).await?;
        put_bodies(conn, chunk).await?;
        put_quarantine(conn, chunk, now).await?;
    }
    Ok(())
}

async fn put_identities(conn: &mut SqliteConnection, partition: i64, puts: &[(i64, ItemPut)]) -> Result<()> {
    let mut args = Args::new().with(partition);
    args.reserve(puts.len() * 10);
    for (row, put) in puts {
        args.push(*row);
        let Sighting { id, hash, normalizer, generation, at, version, observed, state } = &put.sighting;
        args.push(id.as_str());
        args.push(hash.as_bytes().as_slice());
        args.push(*normalizer);
        args.push(generation.cast_signed());
        args.push(at.map(Timestamp::as_micros));
        args.push(version.map(u64::cast_signed));
        args.push(observed.as_micros());
        args.push(item_state(*state));
        args.push(put.quarantine.is_some());
    }
    let written = execute(conn, sql::ITEMS_UPSERT.sql(puts.len()), args).await?;
    expect_rows(written, puts.len())
}

async fn put_bodies(conn: &mut SqliteConnection, puts: &[(i64, ItemPut)]) -> Result<()> {
    let mut args = Args::new();
    args.reserve(puts.len() * 2);
    let (mut stored, mut dropped) = (0, Vec::new());
    for (id, put) in puts {
        match &put.body {
            BodyChange::Store(body) => {
                args.push(*id);
                args.push(body.as_bytes());
                stored += 1;
            }
            BodyChange::Drop => dropped.push(*id),
            BodyChange::Keep => {}
        }
    }
    if stored > 0 {
        execute(conn, sql::BODIES_UPSERT.sql(stored), args).await?;
    }
    if !dropped.is_empty() {
        execute(conn, sql::BODIES_DELETE, Args::new().with(json_list(&dropped))).await?;
    }
    Ok(())
}

async fn put_quarantine(conn: &mut SqliteConnection, puts: &[(i64, ItemPut)], now: i64) -> Result<()> {
    let mut args = Args::new().with(now);
    let (mut taken, mut freed) = (0, Vec::new());
    for (id, put) in puts {
        match &put.quarantine {
            Some(quarantine) => {
                args.push(*id);
                args.push(quarantine.reason.as_str());
                args.push(quarantine.body.as_bytes());
                args.push(put.sighting.normalizer);
                taken += 1;
            }
            // A new item was never there.
            None if put.item.is_some() => freed.push(*id),
            None => {}
        }
    }
    if taken > 0 {
        execute(conn, sql::QUARANTINE_UPSERT.sql(taken), args).await?;
    }
    if !freed.is_empty() {
        execute(conn, sql::QUARANTINE_DELETE, Args::new().with(json_list(&freed))).await?;
    }
    Ok(())
}
