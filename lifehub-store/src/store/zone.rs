//! Changing a user's zone: records whose provider told no offset may count on another day from then on.

use std::collections::{BTreeMap, BTreeSet};

use lifehub_core::Result;
use lifehub_core::clock::{Day, Zone};
use lifehub_core::record::{Digest, Record, RecordId, UserId};

use super::rows::WhenColumns;
use super::{Store, days};
use crate::database::{
    Args, Conn, Durability, Place, Row, Scope, execute, get, get_bytes, get_name, no_such, row, rows,
};
use crate::sql::{accounts, commit as sql};

/// How many records are looked at in one step.
const STEP: i64 = 1000;

/// A record that counts on another day now.
struct Moved {
    row: i64,
    id: RecordId,
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
        let user = self.user_row(user).await?;
        let mut tx = self.0.db.write(Scope::User(user), Durability::Full).await?;
        execute(&mut tx, accounts::USER_SET_ZONE, Args::of(user).with(zone.name())).await?;
        let mut touched: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
        let mut after = (i64::MIN, 0i64);
        loop {
            let args = Args::of(user).with(after.0).with(after.1).with(STEP);
            let candidates = rows(&mut tx, sql::ZONE_CANDIDATES, args).await?;
            let Some(last) = candidates.last() else { break };
            after = (get(last, 13)?, get(last, 0)?);
            let mut moved = Vec::new();
            for row in &candidates {
                if let Some(record) = moved_by(row, zone)? {
                    let days = touched.entry(get(row, 1)?).or_default();
                    days.extend([get(row, 10)?, record.day.as_number()]);
                    moved.push(record);
                }
            }
            reset_days(&mut tx, user, &moved, self.now().as_micros()).await?;
        }
        for (connection, days) in &touched {
            days::recompute(&mut tx, Place { user, connection: *connection }, days).await?;
        }
        tx.commit().await
    }
}

/// Reads `ZONE_CANDIDATES`.
fn moved_by(row: &Row, zone: &Zone) -> Result<Option<Moved>> {
    let columns = WhenColumns::read(row, 4)?;
    let dataset: &str = get(row, 3)?;
    let record = Record::stored(dataset, get_name(row, 2)?, columns.when(), get(row, 11)?)?;
    let day = record.day(zone);
    if day.as_number() == columns.day() {
        return Ok(None);
    }
    let digest = record.digest(day);
    Ok(Some(Moved { row: get(row, 0)?, id: RecordId::from_bytes(get_bytes(row, 12)?), day, digest }))
}

async fn reset_days(conn: &mut Conn, user: i64, moved: &[Moved], now: i64) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let args = Args::of(user).with(moved.len() as i64).with(0i64).with(0i64);
    let before = row(conn, sql::USER_ADVANCE, args).await?.ok_or_else(|| no_such("user"))?;
    let mut rows = sql::RECORDS_RESET_DAY.begin(moved.len());
    for (seq, Moved { row, id, day, digest }) in (get::<i64>(&before, 0)? + 1..).zip(moved) {
        rows.push(*row);
        rows.push(id.as_bytes());
        rows.push(seq);
        rows.push(day.as_number());
        rows.push(digest.as_bytes());
    }
    rows.execute(conn, Args::of(user).with(now)).await?;
    Ok(())
}
