//! Roll-ups of days: recomputed from the records of a day whenever one of them changes, never adjusted.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lifehub_core::Result;
use lifehub_core::clock::Day;
use lifehub_core::record::{ConnectionId, UserId};

use super::Store;
use super::rows::facts as read_facts;
use crate::database::{
    Args, Conn, Name, Place, Row, Scope, each_row, execute, get, get_bytes, get_name, get_u64, rows, signed,
};
use crate::rollup::{Fact, RollupRow, Tally, tally};
use crate::sql::{commit as sql, query};

/// How many days are recomputed at once where a change touches many.
pub(super) const AT_ONCE: usize = 256;

/// The live records of these days up to a row, but for some rows.
pub(super) async fn facts_of(
    conn: &mut Conn,
    place: Place,
    days: &[i32],
    up_to: i64,
    without: &HashSet<i64>,
) -> Result<Vec<Fact>> {
    let args = Args::at(place).with(numbers(days)).with(up_to);
    let mut facts = Vec::new();
    let take = |row: &Row| {
        let some = read_facts(row)?.into_iter();
        facts.extend(some.filter(|(row, _)| !without.contains(row)).map(|(_, fact)| fact));
        Ok(())
    };
    each_row(conn, sql::FACTS_OF_DAYS, args, take).await?;
    Ok(facts)
}

fn numbers(days: &[i32]) -> Vec<i64> {
    days.iter().copied().map(i64::from).collect()
}

/// Writes the roll-ups that these facts give. Those of `left` days are removed before: a series may have ended with what
/// left the day.
pub(super) async fn replace(conn: &mut Conn, place: Place, left: &[i32], facts: Vec<Fact>) -> Result<()> {
    if !left.is_empty() {
        execute(conn, sql::ROLLUPS_DELETE, Args::at(place).with(numbers(left))).await?;
    }
    let tallies = tally(facts);
    let mut rows = sql::ROLLUPS_UPSERT.begin(tallies.values().map(BTreeMap::len).sum());
    for (day, series) in &tallies {
        for ((metric, label), tally) in series {
            rows.push(*day);
            rows.push(&**metric);
            rows.push(Name(&**label));
            rows.push(signed(tally.count));
            for figure in [tally.sum, tally.min, tally.max, tally.last] {
                rows.push(figure);
            }
        }
    }
    rows.execute(conn, Args::at(place)).await?;
    Ok(())
}

/// Recomputes days from what is stored.
pub(super) async fn recompute(conn: &mut Conn, place: Place, days: &BTreeSet<i32>) -> Result<()> {
    let all: Vec<i32> = days.iter().copied().collect();
    for some in all.chunks(AT_ONCE) {
        let facts = facts_of(conn, place, some, i64::MAX, &HashSet::new()).await?;
        replace(conn, place, some, facts).await?;
    }
    Ok(())
}

impl Store {
    /// The rows of a metric over all connections of a user, from a day to another, both included, by day.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rollups(&self, user: UserId, metric: &str, from: Day, to: Day) -> Result<Vec<RollupRow>> {
        let Some(user) = self.find_user(user).await? else { return Ok(Vec::new()) };
        let args = Args::of(user).with(metric).with(from.as_number()).with(to.as_number());
        let found = rows(&mut self.0.db.read(Scope::User(user)).await?, query::ROLLUPS, args).await?;
        let read = |row| {
            Ok(RollupRow {
                connection: ConnectionId::from_bytes(get_bytes(row, 0)?),
                metric: get(row, 1)?,
                label: get_name(row, 2)?,
                day: Day::from_number(get(row, 3)?),
                tally: read_tally(row, 4)?,
            })
        };
        found.iter().map(read).collect()
    }
}

/// Reads count, sum, min, max and last from this column on.
pub(super) fn read_tally(row: &Row, first: usize) -> Result<Tally> {
    Ok(Tally {
        count: get_u64(row, first)?,
        sum: get(row, first + 1)?,
        min: get(row, first + 2)?,
        max: get(row, first + 3)?,
        last: get(row, first + 4)?,
    })
}
