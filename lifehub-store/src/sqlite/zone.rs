//! Changing a user's zone: records whose provider told no offset may count on another day from then on.

use std::collections::{BTreeMap, BTreeSet};

use lifehub_core::Result;
use lifehub_core::clock::{Day, Zone};
use lifehub_core::record::{Digest, Record, UserId};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Store;
use super::database::Durability;
use super::rows::WhenColumns;
use super::statement::{Args, CHUNK, execute, get, rows, signed};
use super::users::{UserRow, user_row};
use super::{days, sql};

/// How many records are looked at in one step.
const STEP: i64 = 1000;

/// A record that counts on another day now.
struct Moved {
    row: i64,
    day: Day,
    digest: Digest,
}

impl Store {
    /// Sets the zone of a user. Records that count on another day because of it move to the head of the feed, and the
    /// roll-ups of both days follow, all in one transaction.
    ///
    /// # Errors
    /// If there is no such user, or the database fails.
    pub async fn set_zone(&self, user: UserId, zone: &Zone) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Full).await?;
        let UserRow { id, mut seq } = user_row(&mut tx, user).await?;
        execute(&mut tx, sql::USER_SET_ZONE, Args::new().with(id).with(zone.name())).await?;
        let mut touched: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
        let mut after = 0;
        loop {
            let args = Args::new().with(id).with(after).with(STEP);
            let candidates = rows(&mut tx, sql::ZONE_CANDIDATES, args).await?;
            let Some(last) = candidates.last() else { break };
            after = get(last, 0)?;
            let mut moved = Vec::new();
            for row in &candidates {
                if let Some(record) = moved_by(row, zone)? {
                    let days = touched.entry(get(row, 1)?).or_default();
                    days.extend([get(row, 10)?, record.day.as_number()]);
                    moved.push(record);
                }
            }
            reset_days(&mut tx, &moved, self.now().as_micros(), &mut seq).await?;
        }
        execute(&mut tx, sql::USER_SET_SEQ, Args::new().with(id).with(signed(seq))).await?;
        for (connection, days) in &touched {
            days::recompute(&mut tx, *connection, days).await?;
        }
        tx.commit().await
    }
}

/// Reads `ZONE_CANDIDATES`.
fn moved_by(row: &SqliteRow, zone: &Zone) -> Result<Option<Moved>> {
    let columns = WhenColumns::read(row, 4)?;
    let dataset: &str = get(row, 3)?;
    let record = Record::stored(dataset, get::<String>(row, 2)?, columns.when(), get(row, 11)?)?;
    let day = record.day(zone);
    if day.as_number() == columns.day() {
        return Ok(None);
    }
    let digest = record.digest(day);
    Ok(Some(Moved { row: get(row, 0)?, day, digest }))
}

async fn reset_days(conn: &mut SqliteConnection, moved: &[Moved], now: i64, seq: &mut u64) -> Result<()> {
    for chunk in moved.chunks(CHUNK) {
        let mut args = Args::new().with(now);
        for Moved { row, day, digest } in chunk {
            *seq += 1;
            args.push(*row);
            args.push(signed(*seq));
            args.push(day.as_number());
            args.push(digest.as_bytes().as_slice());
        }
        execute(conn, sql::RECORDS_RESET_DAY.sql(chunk.len()), args).await?;
    }
    Ok(())
}
