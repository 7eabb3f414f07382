//! Roll-ups of days: recomputed from the records of a day whenever one of them changes, never adjusted.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lifehub_core::Result;
use lifehub_core::clock::Day;
use lifehub_core::record::{ConnectionId, UserId};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Store;
use super::rows::{facts as read_facts, json_list};
use super::sql;
use super::statement::{Args, CHUNK, each_row, execute, get, get_bytes, get_u64, rows, signed};
use crate::rollup::{Fact, RollupRow, Tally, tally};

/// How many days are recomputed at once where a change touches many.
pub(super) const AT_ONCE: usize = 256;

/// The live records of these days up to a row, but for some rows.
pub(super) async fn facts_of(
    conn: &mut SqliteConnection,
    connection: i64,
    days: &[i32],
    up_to: i64,
    without: &HashSet<i64>,
) -> Result<Vec<Fact>> {
    let args = Args::new().with(connection).with(json_list(days)).with(up_to);
    let mut facts = Vec::new();
    let take = |row: &SqliteRow| {
        let Some(text) = get::<Option<&str>>(row, 0)? else { return Ok(()) };
        let some = read_facts(text)?.into_iter();
        facts.extend(some.filter(|(row, _)| !without.contains(row)).map(|(_, fact)| fact));
        Ok(())
    };
    each_row(conn, sql::FACTS_OF_DAYS, args, take).await?;
    Ok(facts)
}

/// Writes the roll-ups that these facts give, after removing those of `stale` days.
pub(super) async fn replace(
    conn: &mut SqliteConnection,
    connection: i64,
    stale: &[i32],
    facts: Vec<Fact>,
) -> Result<()> {
    if !stale.is_empty() {
        execute(conn, sql::ROLLUPS_DELETE, Args::new().with(connection).with(json_list(stale))).await?;
    }
    let of_day = |(day, rows): (i32, BTreeMap<_, _>)| {
        rows.into_iter().map(move |(series, tally)| (day, series, tally))
    };
    let rows: Vec<_> = tally(facts).into_iter().flat_map(of_day).collect();
    for chunk in rows.chunks(CHUNK) {
        let mut args = Args::new().with(connection);
        args.reserve(chunk.len() * 8);
        for (day, (metric, label), tally) in chunk {
            args.push(*day);
            args.push(&**metric);
            args.push(&**label);
            args.push(signed(tally.count));
            for figure in [tally.sum, tally.min, tally.max, tally.last] {
                args.push(figure);
            }
        }
        execute(conn, sql::ROLLUPS_INSERT.sql(chunk.len()), args).await?;
    }
    Ok(())
}

/// Recomputes days from what is stored.
pub(super) async fn recompute(
    conn: &mut SqliteConnection,
    connection: i64,
    days: &BTreeSet<i32>,
) -> Result<()> {
    let all: Vec<i32> = days.iter().copied().collect();
    for some in all.chunks(AT_ONCE) {
        let facts = facts_of(conn, connection, some, i64::MAX, &HashSet::new()).await?;
        replace(conn, connection, some, facts).await?;
    }
    Ok(())
}

impl Store {
    /// The rows of a metric over all connections of a user, from a day to another, both included, by day.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rollups(&self, user: UserId, metric: &str, from: Day, to: Day) -> Result<Vec<RollupRow>> {
        let args = Args::new()
            .with(user.as_bytes().as_slice())
            .with(metric)
            .with(from.as_number())
            .with(to.as_number());
        let found = rows(&mut *self.0.db.read().await?, sql::ROLLUPS, args).await?;
        let read = |row| {
            Ok(RollupRow {
                connection: ConnectionId::from_bytes(get_bytes(row, 0)?),
                metric: get(row, 1)?,
                label: get(row, 2)?,
                day: Day::from_number(get(row, 3)?),
                tally: read_tally(row, 4)?,
            })
        };
        found.iter().map(read).collect()
    }
}

/// Reads count, sum, min, max and last from this column on.
pub(super) fn read_tally(row: &SqliteRow, first: usize) -> Result<Tally> {
    Ok(Tally {
        count: get_u64(row, first)?,
        sum: get(row, first + 1)?,
        min: get(row, first + 2)?,
        max: get(row, first + 3)?,
        last: get(row, first + 4)?,
    })
}
